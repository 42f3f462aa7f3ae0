// The plain C tree of the benchmarks, with its nodes at an address.
#pragma once
#include <stdint.h>

void textbook_make(uint64_t memory);
// Each returns how many keys were new, were found, were there.
uint64_t textbook_insert_in_order(uint64_t first, uint64_t count);
uint64_t textbook_insert(uint64_t keys, uint64_t count);
uint64_t textbook_contains(uint64_t keys, uint64_t count);
uint64_t textbook_remove(uint64_t keys, uint64_t count);
// A sum over all keys in order.
uint64_t textbook_walk(void);
