/* CRoaring over frame numbers: one bitmap of 32-bit block numbers for each order, since a frame
 * number does not say how large the block is. */
#include "Peers.h"

#if __has_include(<roaring/roaring.h>) && defined(HAVE_ROARING)
#include <roaring/roaring.h>
#include <stdlib.h>

typedef struct {
  roaring_bitmap_t *orders[PEER_ORDERS];
} roaring32;

static void *make(void) {
  roaring32 *set = calloc(1, sizeof *set);
  if (!set) return NULL;
  for (int order = 0; order < PEER_ORDERS; order++) set->orders[order] = roaring_bitmap_create();
  return set;
}

static void drop(void *any) {
  roaring32 *set = any;
  for (int order = 0; order < PEER_ORDERS; order++) roaring_bitmap_free(set->orders[order]);
  free(set);
}

static void clear(void *any) {
  roaring32 *set = any;
  for (int order = 0; order < PEER_ORDERS; order++) roaring_bitmap_clear(set->orders[order]);
}

static uint64_t insert(void *any, peer_keys keys) {
  roaring32 *set = any;
  uint64_t sum = 0;
  for (size_t index = 0; index < keys.count; index++) {
    uint64_t key = peer_key(&keys, index);
    sum += roaring_bitmap_add_checked(set->orders[peer_order(key)], (uint32_t)key);
  }
  return sum;
}

static uint64_t remove_each(void *any, peer_keys keys) {
  roaring32 *set = any;
  uint64_t sum = 0;
  for (size_t index = 0; index < keys.count; index++) {
    uint64_t key = peer_key(&keys, index);
    sum += roaring_bitmap_remove_checked(set->orders[peer_order(key)], (uint32_t)key);
  }
  return sum;
}

static uint64_t contains(const void *any, peer_keys keys) {
  const roaring32 *set = any;
  uint64_t sum = 0;
  for (size_t index = 0; index < keys.count; index++) {
    uint64_t key = peer_key(&keys, index);
    sum += roaring_bitmap_contains(set->orders[peer_order(key)], (uint32_t)key);
  }
  return sum;
}

/* `add_many` wants 32-bit numbers of one bitmap: chunks are copied for it. Order 0 only. */
static void insert_many(void *any, const uint64_t *keys, size_t count) {
  roaring32 *set = any;
  enum { CHUNK = 4096 };
  static uint32_t numbers[CHUNK];
  for (size_t start = 0; start < count; start += CHUNK) {
    size_t length = count - start < CHUNK ? count - start : CHUNK;
    for (size_t index = 0; index < length; index++) numbers[index] = (uint32_t)keys[start + index];
    roaring_bitmap_add_many(set->orders[0], length, numbers);
  }
}

static void insert_range(void *any, uint64_t first, uint64_t count) {
  roaring32 *set = any;
  roaring_bitmap_add_range_closed(
      set->orders[peer_order(first)], (uint32_t)first, (uint32_t)(first + count - 1));
}

static void remove_range(void *any, uint64_t first, uint64_t count) {
  roaring32 *set = any;
  roaring_bitmap_remove_range_closed(
      set->orders[peer_order(first)], (uint32_t)first, (uint32_t)(first + count - 1));
}

/* The numbers of each order, largest order first, in chunks: the fastest way there is to read. */
#define FOR_EACH_KEY(set, key, ...)                                                      \
  for (int order = PEER_ORDERS - 1; order >= 0; order--) {                                \
    roaring_uint32_iterator_t it;                                                         \
    uint32_t chunk[1024], length;                                                         \
    uint64_t mark = UINT64_C(1) << (52 - order);                                          \
    roaring_init_iterator((set)->orders[order], &it);                                     \
    while ((length = roaring_read_uint32_iterator(&it, chunk, 1024)) > 0)                 \
      for (uint32_t index = 0; index < length; index++) {                                 \
        uint64_t key = mark | chunk[index];                                               \
        __VA_ARGS__;                                                                      \
      }                                                                                   \
  }

static void walk(const void *any, void (*visit)(uint64_t, void *), void *context) {
  const roaring32 *set = any;
  FOR_EACH_KEY(set, key, visit(key, context))
}

static uint64_t walk_hash(const void *any) {
  const roaring32 *set = any;
  peer_hash hash = {0, 0};
  FOR_EACH_KEY(set, key, peer_hash_add(&hash, key))
  return hash.sum;
}

static void walk_runs(const void *any, void (*visit)(uint64_t, uint64_t, void *), void *context) {
  const roaring32 *set = any;
  peer_runs runs = {0, 0, visit, context};
  FOR_EACH_KEY(set, key, peer_runs_add(key, &runs))
  peer_runs_end(&runs);
}

const peer peer_roaring32 = {
    .name = "CRoaring", .make = make, .drop = drop, .clear = clear,
    .insert = insert, .remove = remove_each, .contains = contains, .insert_many = insert_many,
    .insert_range = insert_range, .remove_range = remove_range,
    .walk = walk, .walk_hash = walk_hash, .walk_runs = walk_runs};
#else
const peer peer_roaring32 = {.name = "CRoaring"};
#endif
