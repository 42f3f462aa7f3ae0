#include "Internal.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

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
  int type = is_datagram ? SOCK_DGRAM : SOCK_SEQPACKET;
  return kho_result(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
}

int kho_socket_pair(int pair[2]) {
  return kho_result(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
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
  return kho_result(setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
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
  return kho_result(bind(socket, address, address_byte_count));
}

int kho_connect(int socket, const void *address, unsigned address_byte_count) {
  return kho_result(connect(socket, address, address_byte_count));
}

int kho_listen(int socket) { return kho_result(listen(socket, 8)); }

int kho_accept(int socket) { return kho_result(accept4(socket, NULL, NULL, SOCK_CLOEXEC)); }
