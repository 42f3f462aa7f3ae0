// The plain C tree that the benchmarks compare with, compiled for a machine without a system.
#include "../../../../Benchmarks/Sources/Peers/textbook.c"

#include "Machine.h"

static void *arena;
static void *tree;

void *peer_map(size_t byte_count) { return arena; }

void textbook_make(uint64_t memory) {
  arena = (void *)memory;
  tree = peer_textbook.make();
}

uint64_t textbook_insert_in_order(uint64_t first, uint64_t count) {
  return peer_textbook.insert(tree, (peer_keys){.first = first, .step = 1, .count = count});
}

uint64_t textbook_insert(uint64_t keys, uint64_t count) {
  return peer_textbook.insert(tree, (peer_keys){.keys = (const uint64_t *)keys, .count = count});
}

uint64_t textbook_contains(uint64_t keys, uint64_t count) {
  return peer_textbook.contains(tree, (peer_keys){.keys = (const uint64_t *)keys, .count = count});
}

uint64_t textbook_remove(uint64_t keys, uint64_t count) {
  return peer_textbook.remove(tree, (peer_keys){.keys = (const uint64_t *)keys, .count = count});
}

uint64_t textbook_walk(void) { return peer_textbook.walk_hash(tree); }
