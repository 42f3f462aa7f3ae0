#ifndef PEERS_H
#define PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the benchmark compares the product with, one table of functions a peer.
 *
 * All loops over keys are on the peer's side, in its own language, so that none pays for a call
 * from Swift. Keys are those of FormatTree.md for pages of 4 KiB. */

#define PEER_ORDERS 53

typedef struct {
  /* Keys in any order; or, where it is NULL, first, first + step, … */
  const uint64_t *keys;
  uint64_t first;
  uint64_t step;
  size_t count;
} peer_keys;

typedef struct {
  const char *name;
  /* An empty set; NULL where the library is not installed or memory is short. */
  void *(*make)(void);
  void (*drop)(void *set);
  void (*clear)(void *set);
  /* Each returns how many keys were new, were there, were found. */
  uint64_t (*insert)(void *set, peer_keys keys);
  uint64_t (*remove)(void *set, peer_keys keys);
  uint64_t (*contains)(const void *set, peer_keys keys);
  /* NULL where the peer has nothing better than one key after the other. */
  void (*insert_many)(void *set, const uint64_t *keys, size_t count);
  void (*insert_range)(void *set, uint64_t first, uint64_t count);
  void (*remove_range)(void *set, uint64_t first, uint64_t count);
  /* Calls back with every key: the textbook's way, and that of the libraries. */
  void (*walk)(const void *set, void (*visit)(uint64_t key, void *context), void *context);
  /* As `walk`, with the work that the benchmark does for each key compiled into the loop. */
  uint64_t (*walk_hash)(const void *set);
  /* Calls back with every maximal run of keys. */
  void (*walk_runs)(
      const void *set, void (*visit)(uint64_t first, uint64_t count, void *context), void *context);
  /* The bytes the set takes; 0 if only the heap knows. */
  uint64_t (*byte_count)(const void *set);
} peer;

/* The textbook's algorithm, with its mutex and without. */
extern const peer peer_textbook_locked;
extern const peer peer_textbook;
/* Of libraries that are not there, `make` is NULL. */
extern const peer peer_roaring32;
extern const peer peer_roaring64;
extern const peer peer_judy;

/* What every walk computes: depends on the order and on every key, and waits one cycle for a key, as
 * long as a hash that rotates would wait two. */
typedef struct {
  uint64_t xors, sum;
} peer_hash;

static inline void peer_hash_add(peer_hash *hash, uint64_t key) {
  hash->xors ^= key;
  hash->sum += hash->xors;
}

static inline uint64_t peer_key(const peer_keys *keys, size_t index) {
  return keys->keys ? keys->keys[index] : keys->first + index * keys->step;
}

/* The order of a key, and so the set of its own that a peer of block numbers keeps it in. */
static inline int peer_order(uint64_t key) { return 52 - (63 - __builtin_clzll(key)); }

/* A set of adjoining keys, reported as runs. */
typedef struct {
  uint64_t first, end;
  void (*visit)(uint64_t first, uint64_t count, void *context);
  void *context;
} peer_runs;

static inline void peer_runs_add(uint64_t key, void *context) {
  peer_runs *runs = (peer_runs *)context;
  if (key == runs->end && runs->end != runs->first) {
    runs->end++;
    return;
  }
  if (runs->end != runs->first) runs->visit(runs->first, runs->end - runs->first, runs->context);
  runs->first = key;
  runs->end = key + 1;
}

static inline void peer_runs_end(peer_runs *runs) {
  if (runs->end != runs->first) runs->visit(runs->first, runs->end - runs->first, runs->context);
}

/* Fills `bytes` bytes with ones, and reads them, as fast as the C library and compiler do. */
void peer_fill(void *start, size_t bytes);
uint64_t peer_read(const void *start, size_t bytes);

/* The bytes that malloc has handed out. */
uint64_t peer_heap_bytes(void);

/* Starts a thread that sleeps, and so lets the mutex of the C library be what it is in a kernel:
 * glibc leaves its atomic instructions out while a process has one thread. */
void peer_start_sleeper(void);

/* Calls `body` with 0, 1, … on as many threads at once, and waits for all. */
void peer_run_threads(int count, void (*body)(int index, void *context), void *context);

/* Adds up `count` numbers one by one: work that shares nothing with another thread's. */
uint64_t peer_spin(uint64_t count);

/* Sets bits by one atomic OR each, and asks for nothing back: the least that a key in no order costs
 * several threads. Of each number the bits of `mask` count. */
void peer_or_bits(uint64_t *words, const uint64_t *bits, size_t count, uint64_t mask);

/* Shows each line of a table as soon as it is done, also in a file. */
void peer_print_lines(void);

/* Maps zeros, in huge pages where the machine has them; NULL if they do not fit. */
void *peer_map(size_t bytes);
void peer_unmap(void *start, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
