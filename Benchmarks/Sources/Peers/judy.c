/* Judy1: a sparse set of words in a 256-ary digital tree. */
#include "Peers.h"

#if __has_include(<Judy.h>) && defined(HAVE_JUDY)
#include <Judy.h>
#include <stdlib.h>

typedef struct {
  Pvoid_t array;
} judy;

static void *make(void) { return calloc(1, sizeof(judy)); }

static void clear(void *set) { Judy1FreeArray(&((judy *)set)->array, PJE0); }

static void drop(void *set) {
  clear(set);
  free(set);
}

static uint64_t insert(void *set, peer_keys keys) {
  judy *tree = set;
  uint64_t sum = 0;
  for (size_t index = 0; index < keys.count; index++)
    sum += Judy1Set(&tree->array, peer_key(&keys, index), PJE0) == 1;
  return sum;
}

static uint64_t remove_each(void *set, peer_keys keys) {
  judy *tree = set;
  uint64_t sum = 0;
  for (size_t index = 0; index < keys.count; index++)
    sum += Judy1Unset(&tree->array, peer_key(&keys, index), PJE0) == 1;
  return sum;
}

static uint64_t contains(const void *set, peer_keys keys) {
  const judy *tree = set;
  uint64_t sum = 0;
  for (size_t index = 0; index < keys.count; index++)
    sum += Judy1Test(tree->array, peer_key(&keys, index), PJE0) == 1;
  return sum;
}

static void walk(const void *set, void (*visit)(uint64_t, void *), void *context) {
  const judy *tree = set;
  Word_t key = 0;
  for (int found = Judy1First(tree->array, &key, PJE0); found;
       found = Judy1Next(tree->array, &key, PJE0))
    visit(key, context);
}

static uint64_t walk_hash(const void *set) {
  const judy *tree = set;
  Word_t key = 0;
  peer_hash hash = {0, 0};
  for (int found = Judy1First(tree->array, &key, PJE0); found;
       found = Judy1Next(tree->array, &key, PJE0))
    peer_hash_add(&hash, key);
  return hash.sum;
}

static void walk_runs(const void *set, void (*visit)(uint64_t, uint64_t, void *), void *context) {
  const judy *tree = set;
  Word_t key = 0;
  while (Judy1First(tree->array, &key, PJE0)) {
    Word_t first = key;
    if (!Judy1FirstEmpty(tree->array, &key, PJE0)) break;
    visit(first, key - first, context);
  }
}

static uint64_t byte_count(const void *set) {
  return Judy1MemUsed(((const judy *)set)->array);
}

const peer peer_judy = {
    .name = "Judy1", .make = make, .drop = drop, .clear = clear,
    .insert = insert, .remove = remove_each, .contains = contains,
    .walk = walk, .walk_hash = walk_hash, .walk_runs = walk_runs, .byte_count = byte_count};
#else
const peer peer_judy = {.name = "Judy1"};
#endif
