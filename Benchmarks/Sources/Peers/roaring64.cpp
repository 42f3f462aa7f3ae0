// CRoaring's map of 64-bit numbers, over whole keys: orders need no sets of their own.
#include "Peers.h"

#if __has_include(<roaring/roaring64map.hh>) && defined(HAVE_ROARING)
#include <roaring/roaring64map.hh>

namespace {
using Map = Roaring64Map;

void *make() { return new Map; }
void drop(void *set) { delete static_cast<Map *>(set); }
void clear(void *set) { *static_cast<Map *>(set) = Map(); }

uint64_t insert(void *set, peer_keys keys) {
  auto &map = *static_cast<Map *>(set);
  uint64_t sum = 0;
  for (size_t index = 0; index < keys.count; index++)
    sum += map.addChecked(static_cast<uint64_t>(peer_key(&keys, index)));
  return sum;
}

uint64_t remove_each(void *set, peer_keys keys) {
  auto &map = *static_cast<Map *>(set);
  uint64_t sum = 0;
  for (size_t index = 0; index < keys.count; index++)
    sum += map.removeChecked(static_cast<uint64_t>(peer_key(&keys, index)));
  return sum;
}

uint64_t contains(const void *set, peer_keys keys) {
  auto &map = *static_cast<const Map *>(set);
  uint64_t sum = 0;
  for (size_t index = 0; index < keys.count; index++)
    sum += map.contains(static_cast<uint64_t>(peer_key(&keys, index)));
  return sum;
}

void insert_many(void *set, const uint64_t *keys, size_t count) {
  static_cast<Map *>(set)->addMany(count, keys);
}

template <typename Body>
void for_each(const void *set, Body &body) {
  static_cast<const Map *>(set)->iterate(
      [](uint64_t key, void *context) {
        (*static_cast<Body *>(context))(key);
        return true;
      },
      &body);
}

void walk(const void *set, void (*visit)(uint64_t, void *), void *context) {
  auto body = [=](uint64_t key) { visit(key, context); };
  for_each(set, body);
}

uint64_t walk_hash(const void *set) {
  peer_hash hash = {0, 0};
  auto body = [&](uint64_t key) { peer_hash_add(&hash, key); };
  for_each(set, body);
  return hash.sum;
}

void walk_runs(const void *set, void (*visit)(uint64_t, uint64_t, void *), void *context) {
  peer_runs runs = {0, 0, visit, context};
  auto body = [&](uint64_t key) { peer_runs_add(key, &runs); };
  for_each(set, body);
  peer_runs_end(&runs);
}
}  // namespace

extern "C" {
extern const peer peer_roaring64 = {
    "CRoaring 64", make, drop, clear, insert, remove_each, contains, insert_many,
    nullptr, nullptr, walk, walk_hash, walk_runs, nullptr};
}
#else
extern "C" {
extern const peer peer_roaring64 = {"CRoaring 64"};
}
#endif
