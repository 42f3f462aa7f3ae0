#pragma once
#include <stddef.h>
int posix_memalign(void **result, size_t alignment, size_t count);
void free(void *pointer);
static inline void *malloc(size_t count) {
  void *result;
  return posix_memalign(&result, 16, count) ? NULL : result;
}
