/* What the benchmark asks of the C library. */
#define _GNU_SOURCE
#include "Peers.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void peer_fill(void *start, size_t bytes) { memset(start, 0xff, bytes); }

uint64_t peer_read(const void *start, size_t bytes) {
  const uint64_t *words = start;
  uint64_t sum = 0;
  for (size_t index = 0; index < bytes / 8; index++) sum += words[index];
  return sum;
}

uint64_t peer_heap_bytes(void) {
#if defined(__GLIBC__)
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}

void peer_print_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

uint64_t peer_spin(uint64_t count) {
  volatile uint64_t sum = 0;
  for (uint64_t index = 0; index < count; index++) sum += index;
  return sum;
}

void peer_or_bits(uint64_t *words, const uint64_t *bits, size_t count, uint64_t mask) {
  for (size_t index = 0; index < count; index++) {
    uint64_t bit = bits[index] & mask;
    __atomic_fetch_or(&words[bit / 64], (uint64_t)1 << bit % 64, __ATOMIC_RELAXED);
  }
}

typedef struct {
  pthread_t thread;
  int index;
  void (*body)(int, void *);
  void *context;
} job;

static void *run_job(void *any) {
  job *this = any;
  this->body(this->index, this->context);
  return NULL;
}

void peer_run_threads(int count, void (*body)(int, void *), void *context) {
  job jobs[16];
  if (count > 16) abort();
  for (int index = 1; index < count; index++) {
    jobs[index] = (job){.index = index, .body = body, .context = context};
    if (pthread_create(&jobs[index].thread, NULL, run_job, &jobs[index]) != 0) abort();
  }
  body(0, context);
  for (int index = 1; index < count; index++) pthread_join(jobs[index].thread, NULL);
}

static void *sleeper(void *unused) {
  for (;;) pause();
  return unused;
}

void peer_start_sleeper(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, sleeper, NULL) == 0) pthread_detach(thread);
}

void *peer_map(size_t bytes) {
  void *map = mmap(
      NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) return NULL;
  madvise(map, bytes, MADV_HUGEPAGE);
  return map;
}

void peer_unmap(void *start, size_t bytes) { munmap(start, bytes); }
