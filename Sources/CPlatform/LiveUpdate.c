#include "Internal.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Younger than some C libraries; the value of linux/fcntl.h.
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

int kho_live_update(int descriptor, unsigned request, void *argument) {
  return ioctl(descriptor, request, argument) < 0 ? -errno : 0;
}

int kho_comes_back_read_only(int descriptor) {
  int seals = fcntl(descriptor, F_GET_SEALS);
  // Not a memfd: an unlinked file of tmpfs has no seals but the one that forbids them.
  if (seals < 0) return errno == EINVAL ? 0 : -errno;
  return (seals & F_SEAL_EXEC) != 0;
}

int kho_is_write_sealed(int descriptor) {
  int seals = fcntl(descriptor, F_GET_SEALS);
  if (seals < 0) return errno == EINVAL ? 0 : -errno;
  return (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0;
}

int64_t kho_load_kernel(int kernel, int initramfs, const char *command_line, size_t byte_count) {
#ifdef SYS_kexec_file_load
  // KEXEC_FILE_NO_INITRAMFS of linux/kexec.h.
  unsigned long flags = initramfs < 0 ? 4UL : 0UL;
  long status = syscall(SYS_kexec_file_load, kernel, initramfs, (unsigned long)byte_count,
                        command_line, flags);
  return status < 0 ? -errno : status;
#else
  return -ENOSYS;
#endif
}

int kho_restart(unsigned command) {
  // The two numbers are those of linux/reboot.h.
  long status = syscall(SYS_reboot, 0xfee1dead, 672274793, command, 0);
  return status < 0 ? -errno : 0;
}
