/* The textbook's algorithm over the page format of FormatTree.md, for pages of 4 KiB:
 * one mutex around each operation, a dependent load for each of six levels, one bit; a callback for
 * every key on the walk. Written from that description. */
#define _GNU_SOURCE
#include "Peers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE_SHIFT = 12, TABLE_BITS = 9, LEAF_BITS = 15, ROOT_LEVEL = 5 };
#define KEY_END (UINT64_C(1) << 53)
#define PAGE_BYTES (UINT64_C(1) << PAGE_SHIFT)
/* As much as the product's arena: 16 TiB of single pages take 513 MiB of nodes. */
#define ARENA_BYTES (UINT64_C(640) << 20)
/* Nodes are named by physical addresses, which are not those of this process. */
#define ARENA_START (UINT64_C(1) << 30)

typedef struct {
  pthread_mutex_t mutex;
  char *map;
  uint64_t next;
  uint64_t root;
} textbook;

static inline void *at(const textbook *tree, uint64_t physical) {
  return tree->map + (physical - ARENA_START);
}

/* A page of zeros, as get_zeroed_page of a kernel. */
static uint64_t take(textbook *tree) {
  if (tree->next == ARENA_START + ARENA_BYTES) return 0;
  uint64_t page = tree->next;
  tree->next += PAGE_BYTES;
  memset(at(tree, page), 0, PAGE_BYTES);
  return page;
}

static void *make(void) {
  textbook *tree = malloc(sizeof *tree);
  if (!tree) return NULL;
  pthread_mutex_init(&tree->mutex, NULL);
  tree->map = peer_map(ARENA_BYTES);
  if (!tree->map) {
    free(tree);
    return NULL;
  }
  tree->next = ARENA_START;
  tree->root = take(tree);
  return tree;
}

static void drop(void *set) {
  textbook *tree = set;
  munmap(tree->map, ARENA_BYTES);
  pthread_mutex_destroy(&tree->mutex);
  free(tree);
}

static void clear(void *set) {
  textbook *tree = set;
  tree->next = ARENA_START;
  tree->root = take(tree);
}

static inline unsigned slot(uint64_t key, int level) {
  return (key >> (LEAF_BITS + (level - 1) * TABLE_BITS)) & ((1u << TABLE_BITS) - 1);
}

static inline bool insert_key(textbook *tree, uint64_t key) {
  if (key < 2 || key >= KEY_END) return false;
  uint64_t *node = at(tree, tree->root);
  for (int level = ROOT_LEVEL; level > 0; level--) {
    uint64_t *entry = &node[slot(key, level)];
    if (!*entry) {
      uint64_t page = take(tree);
      if (!page) return false;
      *entry = page;
    }
    node = at(tree, *entry);
  }
  uint64_t bit = key & ((1u << LEAF_BITS) - 1);
  uint64_t old = node[bit / 64];
  node[bit / 64] = old | UINT64_C(1) << (bit % 64);
  return !(old >> (bit % 64) & 1);
}

static inline uint64_t *leaf(const textbook *tree, uint64_t key) {
  if (key < 2 || key >= KEY_END) return NULL;
  uint64_t *node = at(tree, tree->root);
  for (int level = ROOT_LEVEL; level > 0; level--) {
    uint64_t entry = node[slot(key, level)];
    if (!entry) return NULL;
    node = at(tree, entry);
  }
  return node;
}

static inline bool remove_key(textbook *tree, uint64_t key) {
  uint64_t *node = leaf(tree, key);
  if (!node) return false;
  uint64_t bit = key & ((1u << LEAF_BITS) - 1);
  uint64_t old = node[bit / 64];
  node[bit / 64] = old & ~(UINT64_C(1) << (bit % 64));
  return old >> (bit % 64) & 1;
}

static inline bool contains_key(const textbook *tree, uint64_t key) {
  uint64_t *node = leaf(tree, key);
  if (!node) return false;
  uint64_t bit = key & ((1u << LEAF_BITS) - 1);
  return node[bit / 64] >> (bit % 64) & 1;
}

#define EACH(name, tree_type, set_type, operation, before, after)  \
  static uint64_t name(set_type *set, peer_keys keys) {            \
    tree_type *tree = (tree_type *)set;                            \
    (void)tree;                                                    \
    uint64_t sum = 0;                                              \
    for (size_t index = 0; index < keys.count; index++) {          \
      uint64_t key = peer_key(&keys, index);                       \
      before;                                                      \
      sum += operation(tree, key);                                 \
      after;                                                       \
    }                                                              \
    return sum;                                                    \
  }

EACH(insert_locked, textbook, void, insert_key, pthread_mutex_lock(&tree->mutex),
     pthread_mutex_unlock(&tree->mutex))
EACH(insert, textbook, void, insert_key, , )
EACH(remove_locked, textbook, void, remove_key, pthread_mutex_lock(&tree->mutex),
     pthread_mutex_unlock(&tree->mutex))
EACH(remove_each, textbook, void, remove_key, , )
EACH(contains_locked, textbook, const void, contains_key, pthread_mutex_lock(&tree->mutex),
     pthread_mutex_unlock(&tree->mutex))
EACH(contains, textbook, const void, contains_key, , )

static void walk_leaf(
    const uint64_t *words, uint64_t first, void (*visit)(uint64_t, void *), void *context) {
  for (unsigned index = 0; index < PAGE_BYTES / 8; index++) {
    uint64_t word = words[index];
    while (word) {
      visit(first + index * 64 + (unsigned)__builtin_ctzll(word), context);
      word &= word - 1;
    }
  }
}

static void walk_node(
    const textbook *tree, uint64_t node, int level, uint64_t first,
    void (*visit)(uint64_t, void *), void *context) {
  const uint64_t *words = at(tree, node);
  if (level == 0) {
    walk_leaf(words, first, visit, context);
    return;
  }
  for (unsigned index = 0; index < 1u << TABLE_BITS; index++) {
    if (!words[index]) continue;
    uint64_t below = first + ((uint64_t)index << (LEAF_BITS + (level - 1) * TABLE_BITS));
    walk_node(tree, words[index], level - 1, below, visit, context);
  }
}

static void walk(const void *set, void (*visit)(uint64_t, void *), void *context) {
  const textbook *tree = set;
  walk_node(tree, tree->root, ROOT_LEVEL, 0, visit, context);
}

__attribute__((noinline)) static void hash_key(uint64_t key, void *context) {
  peer_hash_add(context, key);
}

/* The callback cannot be compiled into the loop: a walk is given one at run time. */
static uint64_t walk_hash(const void *set) {
  peer_hash hash = {0, 0};
  void (*volatile visit)(uint64_t, void *) = hash_key;
  walk(set, visit, &hash);
  return hash.sum;
}

static void walk_runs(
    const void *set, void (*visit)(uint64_t, uint64_t, void *), void *context) {
  peer_runs runs = {0, 0, visit, context};
  void (*volatile add)(uint64_t, void *) = peer_runs_add;
  walk(set, add, &runs);
  peer_runs_end(&runs);
}

static uint64_t byte_count(const void *set) {
  return ((const textbook *)set)->next - ARENA_START;
}

const peer peer_textbook_locked = {
    .name = "C, mutex", .make = make, .drop = drop, .clear = clear,
    .insert = insert_locked, .remove = remove_locked, .contains = contains_locked,
    .walk = walk, .walk_hash = walk_hash, .walk_runs = walk_runs, .byte_count = byte_count};

const peer peer_textbook = {
    .name = "C, no mutex", .make = make, .drop = drop, .clear = clear,
    .insert = insert, .remove = remove_each, .contains = contains,
    .walk = walk, .walk_hash = walk_hash, .walk_runs = walk_runs, .byte_count = byte_count};
