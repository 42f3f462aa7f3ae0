// Everything that the compiler and the standard library call by name, and nothing else.
#include "Machine.h"

extern char image_start[], stack_bottom[], stack_top[], machine_jump[], machine_jump_end[];

// MARK: Memory

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
#ifdef __x86_64__
  void *result = to;
  size_t words = count / 8, rest = count % 8;
  __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest)::"memory");
  return result;
#else
  unsigned char *a = to;
  const unsigned char *b = from;
  for (; count >= 8; count -= 8, a += 8, b += 8) {
    uint64_t word;
    __builtin_memcpy_inline(&word, b, 8);
    __builtin_memcpy_inline(a, &word, 8);
  }
  while (count--) *a++ = *b++;
  return to;
#endif
}

void *memmove(void *to, const void *from, size_t count) {
  if ((uintptr_t)to - (uintptr_t)from >= count) return memcpy(to, from, count);
  unsigned char *a = to;
  const unsigned char *b = from;
  while (count--) a[count] = b[count];
  return to;
}

void *memset(void *to, int value, size_t count) {
#ifdef __x86_64__
  void *result = to;
  uint64_t word = (uint8_t)value * 0x0101010101010101ull;
  size_t words = count / 8, rest = count % 8;
  __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(word) : "memory");
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(word) : "memory");
  return result;
#else
  unsigned char *a = to;
  uint64_t word = (uint8_t)value * 0x0101010101010101ull;
  for (; count >= 8; count -= 8, a += 8) __builtin_memcpy_inline(a, &word, 8);
  while (count--) *a++ = (unsigned char)value;
  return to;
#endif
}

int memcmp(const void *one, const void *other, size_t count) {
  const unsigned char *a = one, *b = other;
  for (; count--; a++, b++)
    if (*a != *b) return *a - *b;
  return 0;
}

void machine_copy(uint64_t to, uint64_t from, uint64_t byte_count) {
  memmove((void *)to, (const void *)from, byte_count);
}

void machine_fill(uint64_t at, uint8_t value, uint64_t byte_count) {
  memset((void *)at, value, byte_count);
}

static _Alignas(16) unsigned char ranges[64 * 16], lists[LIST_BYTES];
void *machine_range_storage(void) { return ranges; }
void *machine_list_storage(void) { return lists; }

// MARK: Heap

// For the arrays and strings of the core. First fit, neighbours joined while looking.
#define HEAP_BYTES 0x180000
typedef struct block {
  uint64_t byte_count;  // of the block with this header
  uint64_t is_used;
} block;
static _Alignas(16) unsigned char heap[HEAP_BYTES];
static uint64_t heap_live, heap_peak, heap_allocations;

static block *after(block *b) { return (block *)((unsigned char *)b + b->byte_count); }

int posix_memalign(void **result, size_t alignment, size_t count) {
  block *first = (block *)heap, *end = (block *)(heap + HEAP_BYTES);
  if (first->byte_count == 0) first->byte_count = HEAP_BYTES;
  if (alignment > 16 || count > HEAP_BYTES) return 22;
  uint64_t wanted = ((count + 15) & ~15ull) + sizeof(block);
  for (block *b = first; b < end; b = after(b)) {
    if (b->is_used) continue;
    for (block *next = after(b); next < end && !next->is_used; next = after(b))
      b->byte_count += next->byte_count;
    if (b->byte_count < wanted) continue;
    if (b->byte_count - wanted >= 2 * sizeof(block)) {
      block *rest = (block *)((unsigned char *)b + wanted);
      rest->byte_count = b->byte_count - wanted;
      rest->is_used = 0;
      b->byte_count = wanted;
    }
    b->is_used = 1;
    heap_allocations++;
    heap_live += b->byte_count;
    if (heap_live > heap_peak) heap_peak = heap_live;
    *result = b + 1;
    return 0;
  }
  return 12;
}

void free(void *pointer) {
  if (!pointer) return;
  block *b = (block *)pointer - 1;
  b->is_used = 0;
  heap_live -= b->byte_count;
}

uint64_t machine_heap_peak(void) { return heap_peak; }
uint64_t machine_heap_allocations(void) { return heap_allocations; }
void machine_reset_heap_peak(void) { heap_peak = heap_live; }

// MARK: What hash tables, wide divisions and stack protection call

// Seeds hash tables. Nothing secret depends on it.
void arc4random_buf(void *to, size_t count) {
  unsigned char *a = to;
  uint64_t x = machine_ticks();
  while (count--) {
    x = x * 6364136223846793005ull + 1442695040888963407ull;
    *a++ = (unsigned char)(x >> 56);
  }
}

double ceil(double x) {
  int64_t whole = (int64_t)x;
  return (double)whole < x ? (double)(whole + 1) : (double)whole;
}

unsigned __int128 __udivti3(unsigned __int128 n, unsigned __int128 d) {
  unsigned __int128 quotient = 0, rest = 0;
  for (int bit = 127; bit >= 0; bit--) {
    rest = rest << 1 | (n >> bit & 1);
    quotient <<= 1;
    if (rest >= d) {
      rest -= d;
      quotient |= 1;
    }
  }
  return quotient;
}

static void print(const char *text) {
  while (*text) putchar(*text++);
}
static void print_hex(uint64_t value) {
  print("0x");
  for (int shift = 60; shift >= 0; shift -= 4) putchar("0123456789abcdef"[value >> shift & 15]);
}

uintptr_t __stack_chk_guard = 0x5afe57ac00;
_Noreturn void __stack_chk_fail(void) {
  print("panic: the stack was overwritten\n");
  machine_exit(1);
}

void machine_report_trap(const char *kind, uint64_t number, uint64_t at, uint64_t address) {
  print("panic: ");
  print(kind);
  print_hex(number);
  print(", at ");
  print_hex(at - (uint64_t)image_start + LINK_BASE);
  print(" as linked, address ");
  print_hex(address);
  print("\n");
}

// MARK: Image, stack, jump

uint64_t machine_image_start(void) { return (uint64_t)image_start; }

static uint64_t stack_peak;

static uint64_t *lowest_used(void) {
  uint64_t *p = (uint64_t *)stack_bottom;
  while (p < (uint64_t *)stack_top && *p == STACK_PAINT) p++;
  uint64_t used = (uint64_t)stack_top - (uint64_t)p;
  if (used > stack_peak) stack_peak = used;
  return p;
}

uint64_t machine_stack_peak(void) {
  lowest_used();
  return stack_peak;
}

__attribute__((noinline)) void machine_paint_stack(void) {
  uint64_t *end = (uint64_t *)((uintptr_t)__builtin_frame_address(0) & ~63ull) - 32;
  for (uint64_t *p = lowest_used(); p < end; p++) *(volatile uint64_t *)p = STACK_PAINT;
}

__attribute__((noinline)) uint64_t machine_stack_used(void) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0), low = (uintptr_t)lowest_used();
  return low < here ? here - low : 0;
}

_Noreturn void machine_kexec(uint64_t list, uint64_t entry, uint64_t argument) {
  uint64_t page = (uint64_t)image_start + BOOT_JUMP;
  memcpy((void *)page, machine_jump, (size_t)(machine_jump_end - machine_jump));
#ifdef __aarch64__
  for (uint64_t line = page; line < page + 4096; line += 64)
    __asm__ volatile("dc cvac, %0; ic ivau, %0" ::"r"(line) : "memory");
  __asm__ volatile("dsb sy; isb" ::: "memory");
#endif
  ((void (*)(uint64_t, uint64_t, uint64_t))page)(list, entry, argument);
  __builtin_unreachable();
}
