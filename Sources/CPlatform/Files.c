#include "Internal.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// Younger than some C libraries; values from linux/memfd.h.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26
#endif

int kho_memfd_create(const char *name, unsigned huge_page_shift) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  if (huge_page_shift != 0) flags |= MFD_HUGETLB | (huge_page_shift << MFD_HUGE_SHIFT);
  // A memfd with F_SEAL_EXEC comes back read-only from a kernel update by Live Update.
  int descriptor = memfd_create(name, flags | MFD_EXEC);
  // vm.memfd_noexec=2 allows only memfds with that seal.
  if (descriptor < 0 && errno == EACCES) descriptor = memfd_create(name, flags | MFD_NOEXEC_SEAL);
  // Kernels before 6.3 know neither flag.
  if (descriptor < 0 && errno == EINVAL) descriptor = memfd_create(name, flags);
  return kho_result(descriptor);
}

int kho_seal_shrink(int descriptor) {
  return kho_result(fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK));
}

int kho_seals(int descriptor) { return kho_result(fcntl(descriptor, F_GET_SEALS)); }

int kho_open_unnamed(const char *folder, unsigned mode) {
  return kho_result(open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, (mode_t)mode));
}

int kho_fallocate(int descriptor, int punches_hole, int64_t offset, int64_t byte_count) {
  int mode = punches_hole ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : 0;
  return kho_result(fallocate(descriptor, mode, offset, byte_count));
}

int64_t kho_cached_page_count(int descriptor, uint64_t offset, uint64_t byte_count) {
  // The structures cachestat_range and cachestat of linux/mman.h.
  const uint64_t range[2] = {offset, byte_count};
  uint64_t counts[5];
  if (syscall(SYS_cachestat, descriptor, range, counts, 0) < 0) return -errno;
  return (int64_t)counts[0];
}

int kho_file_system(int descriptor, uint64_t *type, uint64_t *block_byte_count) {
  struct statfs status;
  if (fstatfs(descriptor, &status) < 0) return -errno;
  *type = (uint32_t)status.f_type;
  *block_byte_count = (uint64_t)status.f_bsize;
  return 0;
}

uint64_t kho_file_size_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

int kho_lock_exclusively(int descriptor) {
  return kho_result(flock(descriptor, LOCK_EX | LOCK_NB));
}

int kho_await_lock(int descriptor) { return kho_result(flock(descriptor, LOCK_SH)); }

int kho_unlock(int descriptor) { return kho_result(flock(descriptor, LOCK_UN)); }
