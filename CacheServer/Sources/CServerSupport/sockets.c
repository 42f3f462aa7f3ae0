#include "CServerSupport.h"

#include <stddef.h>
#include <sys/epoll.h>

int rs_make(void) { return epoll_create1(EPOLL_CLOEXEC); }

void rs_insert(int set, int socket, uint64_t place) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u64 = place};
  epoll_ctl(set, EPOLL_CTL_ADD, socket, &event);
}

void rs_remove(int set, int socket) { epoll_ctl(set, EPOLL_CTL_DEL, socket, NULL); }

int rs_readable(int set, uint64_t *places, int limit) {
  struct epoll_event events[64];
  int count = epoll_wait(set, events, limit < 64 ? limit : 64, 0);
  for (int index = 0; index < count; index++) places[index] = events[index].data.u64;
  return count < 0 ? 0 : count;
}
