#define _GNU_SOURCE
#include "CProcessHandover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

// Younger than some C libraries; values from linux/memfd.h.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26
#endif

static int result(int value) { return value < 0 ? -errno : value; }

// Files

int kho_memfd_create(const char *name, unsigned huge_page_shift) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  if (huge_page_shift != 0) flags |= MFD_HUGETLB | (huge_page_shift << MFD_HUGE_SHIFT);
  int descriptor = memfd_create(name, flags | MFD_NOEXEC_SEAL);
  // Kernels before 6.3 do not know the flag.
  if (descriptor < 0 && errno == EINVAL) descriptor = memfd_create(name, flags);
  return result(descriptor);
}

int kho_seal_shrink(int descriptor) {
  return result(fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK));
}

int kho_is_sealed_against_shrinking(int descriptor) {
  int seals = fcntl(descriptor, F_GET_SEALS);
  return seals < 0 ? -errno : (seals & F_SEAL_SHRINK) != 0;
}

int kho_open_unnamed(const char *folder) {
  return result(open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

int kho_fallocate(int descriptor, int punches_hole, int64_t offset, int64_t byte_count) {
  int mode = punches_hole ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : 0;
  return result(fallocate(descriptor, mode, offset, byte_count));
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

int kho_descriptor_flags(int descriptor) { return result(fcntl(descriptor, F_GETFD)); }

int kho_set_close_on_exec(int descriptor, int is_closed) {
  return result(fcntl(descriptor, F_SETFD, is_closed ? FD_CLOEXEC : 0));
}

int kho_access_mode(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return -errno;
  // Such a descriptor names a file, and opens nothing.
  if (flags & O_PATH) return -EBADF;
  return flags & O_ACCMODE;
}

int kho_lock_exclusively(int descriptor) { return result(flock(descriptor, LOCK_EX | LOCK_NB)); }

int kho_unlock(int descriptor) { return result(flock(descriptor, LOCK_UN)); }

// Sockets

enum { DESCRIPTOR_LIMIT = 128 };

// Room for the descriptors, aligned as cmsg(3) wants it.
union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTOR_LIMIT)];
};

int64_t kho_send(int socket, const void *address, unsigned address_byte_count, const void *bytes,
                 size_t byte_count, const int *descriptors, size_t descriptor_count) {
  if (descriptor_count > DESCRIPTOR_LIMIT) return -EINVAL;
  union control control;
  memset(&control, 0, sizeof control);
  struct iovec piece = {.iov_base = (void *)bytes, .iov_len = byte_count};
  struct msghdr message = {
      .msg_name = (void *)address,
      .msg_namelen = address_byte_count,
      .msg_iov = &piece,
      .msg_iovlen = 1,
  };
  if (descriptor_count != 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptor_count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptor_count);
    memcpy(CMSG_DATA(header), descriptors, sizeof(int) * descriptor_count);
  }
  ssize_t count = sendmsg(socket, &message, MSG_NOSIGNAL);
  return count < 0 ? -errno : count;
}

int64_t kho_receive(int socket, void *bytes, size_t byte_count, int *descriptors, size_t capacity,
                    struct kho_received *received) {
  if (capacity > DESCRIPTOR_LIMIT) return -EINVAL;
  union control control;
  struct iovec piece = {.iov_base = bytes, .iov_len = byte_count};
  struct msghdr message = {
      .msg_iov = &piece,
      .msg_iovlen = 1,
      .msg_control = control.bytes,
      .msg_controllen = CMSG_SPACE(sizeof(int) * capacity),
  };
  received->descriptor_count = 0;
  received->is_truncated = 0;
  ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (count < 0) return -errno;
  received->is_truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t found = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < found; index++) {
      int descriptor;
      memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof(int));
      if (received->descriptor_count < capacity) {
        descriptors[received->descriptor_count++] = descriptor;
      } else {
        // The padding of the buffer has room for one more than was asked for.
        close(descriptor);
        received->is_truncated = 1;
      }
    }
  }
  return count;
}

int kho_peer(int socket, uint32_t *user_id, int32_t *process_id) {
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -errno;
  *user_id = credentials.uid;
  *process_id = credentials.pid;
  return 0;
}

int kho_socket(int is_datagram) {
  return result(socket(AF_UNIX, (is_datagram ? SOCK_DGRAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0));
}

int kho_socket_pair(int pair[2]) {
  return result(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
}

int kho_check_packet_socket(int socket) {
  int value = 0;
  socklen_t length = sizeof value;
  if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &value, &length) < 0) return -errno;
  if (value != AF_UNIX) return -EAFNOSUPPORT;
  length = sizeof value;
  if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &value, &length) < 0) return -errno;
  return value == SOCK_SEQPACKET ? 0 : -EPROTOTYPE;
}

int kho_set_timeout(int socket, int64_t seconds, int64_t microseconds) {
  struct timeval limit = {.tv_sec = seconds, .tv_usec = microseconds};
  if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0) return -errno;
  return result(setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
}

unsigned kho_unix_address(void *address, size_t capacity, const char *name, size_t name_byte_count,
                          int is_abstract) {
  struct sockaddr_un made;
  memset(&made, 0, sizeof made);
  made.sun_family = AF_UNIX;
  // A path ends with a zero byte, an abstract name begins with one.
  if (capacity < sizeof made || name_byte_count > sizeof made.sun_path - 1) return 0;
  memcpy(made.sun_path + (is_abstract != 0), name, name_byte_count);
  memcpy(address, &made, sizeof made);
  return (unsigned)(offsetof(struct sockaddr_un, sun_path) + name_byte_count + 1);
}

int kho_bind(int socket, const void *address, unsigned address_byte_count) {
  return result(bind(socket, address, address_byte_count));
}

int kho_connect(int socket, const void *address, unsigned address_byte_count) {
  return result(connect(socket, address, address_byte_count));
}

int kho_listen(int socket) { return result(listen(socket, 8)); }

int kho_accept(int socket) { return result(accept4(socket, NULL, NULL, SOCK_CLOEXEC)); }

// Processes

char **kho_environment(void) { return environ; }

int kho_exec(const char *path, char *const *arguments, char *const *environment,
             int leaves_memory_behind) {
  sigset_t all, none, before;
  sigemptyset(&none);
  sigfillset(&all);
  fflush(NULL);
  int error = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (error != 0) return -error;
  // Where one runs already, it does.
  int is_kept_for_this = leaves_memory_behind && kho_keeper() == 0 && kho_start_keeper() > 0;
  // Threads of Dispatch block most signals, and execve(2) would hand that on.
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  execve(path, arguments, environment);
  error = errno;
  if (is_kept_for_this) kho_stop_keeper();
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -error;
}

static int spawn(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions,
                 const char *path, char *const *arguments, char *const *environment,
                 const int *descriptors, size_t descriptor_count) {
  sigset_t none;
  sigemptyset(&none);
  int error = posix_spawnattr_setsigmask(attributes, &none);
  if (error == 0) error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK);
  for (size_t index = 0; error == 0 && index < descriptor_count; index++) {
    // A descriptor copied to itself loses FD_CLOEXEC in the child, and only there.
    error = posix_spawn_file_actions_adddup2(actions, descriptors[index], descriptors[index]);
  }
  pid_t process = -1;
  if (error == 0) error = posix_spawn(&process, path, actions, attributes, arguments, environment);
  return error == 0 ? process : -error;
}

int kho_spawn(const char *path, char *const *arguments, char *const *environment,
              const int *descriptors, size_t descriptor_count) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  int error = posix_spawnattr_init(&attributes);
  if (error != 0) return -error;
  error = posix_spawn_file_actions_init(&actions);
  if (error == 0) {
    int process = spawn(&attributes, &actions, path, arguments, environment, descriptors,
                        descriptor_count);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return process;
  }
  posix_spawnattr_destroy(&attributes);
  return -error;
}
