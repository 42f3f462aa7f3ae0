// Runs the trials of the core (Sources/EmbeddedProbe/CoreTrial.swift) as a process without a C library, and
// prints what came of each. On arm64 under qemu-user; see `.ci/core-arm`.
#include <stddef.h>
#include <stdint.h>

#define MEMORY_BYTES (16u << 20)
#define HEAP_BYTES (64u << 20)
#define SEED_COUNT 8

uint64_t kho_trial_trees(void *base, uint64_t byte_count, uint64_t seed);
uint64_t kho_trial_allocator(void *base, uint64_t byte_count, uint64_t seed);
uint64_t kho_trial_handover(void *base, uint64_t byte_count, uint64_t seed);

// MARK: What the compiler and the standard library call by name

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  unsigned char *a = to;
  const unsigned char *b = from;
  while (count--) *a++ = *b++;
  return to;
}

void *memmove(void *to, const void *from, size_t count) {
  unsigned char *a = to;
  const unsigned char *b = from;
  if ((uintptr_t)to - (uintptr_t)from >= count) return memcpy(to, from, count);
  while (count--) a[count] = b[count];
  return to;
}

void *memset(void *to, int value, size_t count) {
  unsigned char *a = to;
  while (count--) *a++ = (unsigned char)value;
  return to;
}

int memcmp(const void *one, const void *other, size_t count) {
  const unsigned char *a = one, *b = other;
  for (; count--; a++, b++)
    if (*a != *b) return *a - *b;
  return 0;
}

// What a compiler's runtime library has: division of 128-bit numbers, one bit after another.
unsigned __int128 __udivti3(unsigned __int128 dividend, unsigned __int128 divisor) {
  unsigned __int128 quotient = 0, rest = 0;
  for (int bit = 127; bit >= 0; bit--) {
    rest = rest << 1 | (dividend >> bit & 1);
    if (rest < divisor) continue;
    rest -= divisor;
    quotient |= (unsigned __int128)1 << bit;
  }
  return quotient;
}

unsigned __int128 __umodti3(unsigned __int128 dividend, unsigned __int128 divisor) {
  return dividend - __udivti3(dividend, divisor) * divisor;
}

// Between two trials all of the heap is free again.
static _Alignas(4096) unsigned char heap[HEAP_BYTES], memory[MEMORY_BYTES];
static size_t used;

int posix_memalign(void **result, size_t alignment, size_t count) {
  size_t start = (used + alignment - 1) & ~(alignment - 1);
  if (start > HEAP_BYTES || count > HEAP_BYTES - start) return 12;
  used = start + count;
  *result = heap + start;
  return 0;
}

void free(void *block) { (void)block; }

void arc4random_buf(void *to, size_t count) { memset(to, 0x5a, count); }

uintptr_t __stack_chk_guard = 0x595e9fbd94fda766;

// MARK: The process

static long call(long number, long a, long b, long c) {
#ifdef __aarch64__
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
#else
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
#endif
}

#ifdef __aarch64__
enum { WRITE = 64, EXIT = 94 };
#else
enum { WRITE = 1, EXIT = 231 };
#endif

_Noreturn static void leave(int status) {
  for (;;) call(EXIT, status, 0, 0);
}

void __stack_chk_fail(void) { leave(70); }

int putchar(int character) {
  char byte = (char)character;
  call(WRITE, 1, (long)&byte, 1);
  return character;
}

static void print(const char *text) {
  while (*text) putchar(*text++);
}

static void print_number(uint64_t number) {
  if (number >= 10) print_number(number / 10);
  putchar('0' + (int)(number % 10));
}

static int run(const char *name, uint64_t (*trial)(void *, uint64_t, uint64_t)) {
  for (uint64_t seed = 1; seed <= SEED_COUNT; seed++) {
    used = 0;
    memset(memory, 0, MEMORY_BYTES);
    uint64_t step = trial(memory, MEMORY_BYTES, seed);
    if (step == 0) continue;
    print(name);
    print(": seed ");
    print_number(seed);
    print(" differs from the model at step ");
    print_number(step);
    print("\n");
    return 1;
  }
  print(name);
  print(": ");
  print_number(SEED_COUNT);
  print(" seeds, no difference from the model\n");
  return 0;
}

void start(void) {
  int status = run("trees", kho_trial_trees);
  status |= run("allocator", kho_trial_allocator);
  status |= run("handover", kho_trial_handover);
  leave(status);
}

__asm__(
    ".globl _start\n_start:\n"
#ifdef __aarch64__
    "mov x29, xzr\n"
    "bl start\n"
#else
    "xor %ebp, %ebp\n"
    "and $-16, %rsp\n"
    "call start\n"
#endif
);
