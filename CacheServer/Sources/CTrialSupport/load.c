#define _GNU_SOURCE
#include "CTrialSupport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/// How long a server may be silent, in milliseconds.
enum { patience = 60000 };

struct client {
  int descriptor;
  /// How many batches were answered.
  uint64_t round;
  /// How many bytes of the present batch were sent, and how many of its replies have come.
  size_t sent, received;
  int wants_room;
};

struct run {
  const struct ct_load *load;
  struct client *clients;
  uint8_t *buffer;
  int poll;
  uint64_t deadline;
  int active;
};

enum { buffer_size = 256 << 10 };

static size_t place(const struct run *run, const struct client *client) {
  return (size_t)(client - run->clients) * (size_t)run->load->batches +
         client->round % (uint64_t)run->load->batches;
}

static int send_more(struct run *run, struct client *client) {
  const struct ct_load *load = run->load;
  const uint8_t *batch = load->requests + place(run, client) * load->request_size;
  while (client->sent < load->request_size) {
    ssize_t count = send(client->descriptor, batch + client->sent,
                         load->request_size - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return -errno;
    if (count < 0) break;
    client->sent += (size_t)count;
  }
  int wants_room = client->sent < load->request_size;
  if (wants_room == client->wants_room) return 0;
  client->wants_room = wants_room;
  struct epoll_event event = {.events = wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN,
                              .data.ptr = client};
  return epoll_ctl(run->poll, EPOLL_CTL_MOD, client->descriptor, &event) < 0 ? -errno : 0;
}

static int receive_more(struct run *run, struct client *client) {
  const struct ct_load *load = run->load;
  ssize_t count = recv(client->descriptor, run->buffer, buffer_size, MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  if (count == 0) return -ECONNRESET;
  if ((size_t)count > load->reply_size - client->received) return -EBADMSG;
  // Replies that came once come again: the others are only counted.
  if (client->round < (uint64_t)load->batches) {
    const uint8_t *reply = load->replies + place(run, client) * load->reply_size;
    if (memcmp(reply + client->received, run->buffer, (size_t)count) != 0) return -EBADMSG;
  }
  client->received += (size_t)count;
  if (client->received < load->reply_size) return 0;
  client->round++;
  client->sent = client->received = 0;
  if (now() < run->deadline) return send_more(run, client);
  run->active--;
  return 0;
}

static int loop(struct run *run) {
  struct epoll_event events[64];
  while (run->active > 0) {
    int count = epoll_wait(run->poll, events, 64, patience);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -errno;
    if (count == 0) return -ETIMEDOUT;
    for (int index = 0; index < count; index++) {
      struct client *client = events[index].data.ptr;
      int result = events[index].events & EPOLLOUT ? send_more(run, client) : 0;
      if (result == 0 && events[index].events & ~(uint32_t)EPOLLOUT)
        result = receive_more(run, client);
      if (result < 0) return result;
    }
  }
  return 0;
}

static int load_with(struct run *run, struct ct_load_result *result) {
  const struct ct_load *load = run->load;
  for (int index = 0; index < load->clients; index++) {
    struct client *client = &run->clients[index];
    client->descriptor = ct_connect(load->port);
    if (client->descriptor < 0) return client->descriptor;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(run->poll, EPOLL_CTL_ADD, client->descriptor, &event) < 0) return -errno;
  }
  uint64_t start = now();
  run->deadline = start + (uint64_t)load->milliseconds * 1000000;
  run->active = load->clients;
  for (int index = 0; index < load->clients; index++) {
    int sent = send_more(run, &run->clients[index]);
    if (sent < 0) return sent;
  }
  int ended = loop(run);
  if (ended < 0) return ended;
  result->nanoseconds = now() - start;
  result->batches = 0;
  for (int index = 0; index < load->clients; index++) result->batches += run->clients[index].round;
  return 0;
}

int ct_run_load(const struct ct_load *load, struct ct_load_result *result) {
  struct run run = {.load = load, .poll = epoll_create1(EPOLL_CLOEXEC)};
  if (run.poll < 0) return -errno;
  run.clients = calloc((size_t)load->clients, sizeof *run.clients);
  run.buffer = malloc(buffer_size);
  int ended = -ENOMEM;
  if (run.clients && run.buffer) {
    for (int index = 0; index < load->clients; index++) run.clients[index].descriptor = -1;
    ended = load_with(&run, result);
    for (int index = 0; index < load->clients; index++)
      if (run.clients[index].descriptor >= 0) close(run.clients[index].descriptor);
  }
  free(run.clients);
  free(run.buffer);
  close(run.poll);
  return ended;
}

int ct_connect_often(const struct ct_load *load, struct ct_load_result *result) {
  uint8_t buffer[512];
  if (load->reply_size > sizeof buffer) return -EINVAL;
  uint64_t start = now(), deadline = start + (uint64_t)load->milliseconds * 1000000;
  for (result->batches = 0; now() < deadline; result->batches++) {
    int descriptor = ct_connect(load->port);
    if (descriptor < 0) return descriptor;
    int error = 0;
    if (send(descriptor, load->requests, load->request_size, MSG_NOSIGNAL) !=
        (ssize_t)load->request_size)
      error = -EPIPE;
    size_t received = 0;
    while (error == 0 && received < load->reply_size) {
      ssize_t count = recv(descriptor, buffer + received, load->reply_size - received, 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) error = count < 0 ? -errno : -ECONNRESET;
      if (count > 0) received += (size_t)count;
    }
    close(descriptor);
    if (error < 0) return error;
    if (memcmp(buffer, load->replies, load->reply_size) != 0) return -EBADMSG;
  }
  result->nanoseconds = now() - start;
  return 0;
}
