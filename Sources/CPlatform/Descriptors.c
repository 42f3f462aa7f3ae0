#include "Internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3 };

// Everything here is also called by a process that shares its parent's memory and has not called
// execve(2) yet: it uses no memory but its stack, and calls nothing but the system.

int kho_duplicate(int descriptor) {
  return kho_result(fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR));
}

int kho_descriptor_flags(int descriptor) { return kho_result(fcntl(descriptor, F_GETFD)); }

int kho_set_close_on_exec(int descriptor, int is_closed) {
  return kho_result(fcntl(descriptor, F_SETFD, is_closed ? FD_CLOEXEC : 0));
}

int kho_access_mode(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return -errno;
  // Such a descriptor names a file, and opens nothing.
  if (flags & O_PATH) return -EBADF;
  return flags & O_ACCMODE;
}

static NO_SANITIZE int close_range_on_exec(unsigned first, unsigned last) {
  return kho_result((int)syscall(SYS_close_range, first, last, CLOSE_RANGE_CLOEXEC));
}

static NO_SANITIZE int contains(const int *descriptors, size_t count, long descriptor) {
  for (size_t index = 0; index < count; index++) {
    if (descriptors[index] == descriptor) return 1;
  }
  return 0;
}

// The gaps between the descriptors that stay, by close_range(2); 0, or -errno.
static NO_SANITIZE int close_gaps(const int *kept, size_t count) {
  unsigned first = FIRST_DESCRIPTOR;
  for (size_t index = 0; index < count; index++) {
    if (kept[index] < FIRST_DESCRIPTOR) continue;
    unsigned descriptor = (unsigned)kept[index];
    if (first < descriptor) {
      int status = close_range_on_exec(first, descriptor - 1);
      if (status < 0) return status;
    }
    first = descriptor + 1;
  }
  return close_range_on_exec(first, ~0U);
}

struct entry {
  uint64_t inode;
  int64_t offset;
  unsigned short byte_count;
  unsigned char type;
  char name[];
};

// The number that a name spells; -1 where it is not a number, as "." is not.
static NO_SANITIZE long number(const char *name) {
  long value = 0;
  if (*name == 0) return -1;
  for (; *name != 0; name++) {
    if (*name < '0' || *name > '9' || value > INT32_MAX) return -1;
    value = value * 10 + (*name - '0');
  }
  return value;
}

// One after the other, as /proc lists them; 0, or -errno where it cannot be read.
static NO_SANITIZE int close_listed(const int *kept, size_t count) {
  int folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return -errno;
  _Alignas(struct entry) char bytes[2048];
  for (;;) {
    long byte_count = syscall(SYS_getdents64, folder, bytes, sizeof bytes);
    if (byte_count <= 0) {
      int status = byte_count < 0 ? -errno : 0;
      close(folder);
      return status;
    }
    for (long place = 0; place < byte_count;) {
      const struct entry *entry = (const struct entry *)(bytes + place);
      long found = number(entry->name);
      if (found >= FIRST_DESCRIPTOR && !contains(kept, count, found)) {
        fcntl((int)found, F_SETFD, FD_CLOEXEC);
      }
      place += entry->byte_count;
    }
  }
}

// All possible ones, without /proc.
static NO_SANITIZE int close_possible(const int *kept, size_t count) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  // The most that Linux allows by default, fs.nr_open.
  if (limit.rlim_max > 1 << 20) limit.rlim_max = 1 << 20;
  for (long next = FIRST_DESCRIPTOR; next < (long)limit.rlim_max; next++) {
    if (!contains(kept, count, next)) fcntl((int)next, F_SETFD, FD_CLOEXEC);
  }
  return 0;
}

NO_SANITIZE int kho_keep_on_exec(const int *kept, size_t count, int has_close_range) {
  if (has_close_range && close_gaps(kept, count) == 0) return 0;
  if (close_listed(kept, count) == 0) return 0;
  return close_possible(kept, count);
}
