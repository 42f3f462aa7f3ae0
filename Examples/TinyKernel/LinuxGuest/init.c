// The only program of the Linux between two TinyKernels. Takes the file that the first one preserved out of
// its session, prints its SHA-256, preserves it again, and starts the second one.
//
// Without a C library: six files of the Swift toolchain are all that builds it.
#include <stddef.h>
#include <stdint.h>

// MARK: System calls

#ifdef __aarch64__
enum { READ = 63, WRITE = 64, OPENAT = 56, CLOSE = 57, LSEEK = 62, IOCTL = 29, MOUNT = 40, REBOOT = 142,
       KEXEC_FILE_LOAD = 294 };
static long call(long number, long a, long b, long c, long d, long e) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}
#else
enum { READ = 0, WRITE = 1, OPENAT = 257, CLOSE = 3, LSEEK = 8, IOCTL = 16, MOUNT = 165, REBOOT = 169,
       KEXEC_FILE_LOAD = 320 };
static long call(long number, long a, long b, long c, long d, long e) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
}
#endif
// The path is absolute, so the first argument of openat is not used.
static long open(const char *path, long flags) { return call(OPENAT, -100, (long)path, flags, 0, 0); }

void *memset(void *to, int value, size_t count) {
  unsigned char *p = to;
  while (count--) *(volatile unsigned char *)p++ = (unsigned char)value;
  return to;
}
void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  unsigned char *p = to;
  const unsigned char *q = from;
  while (count--) *(volatile unsigned char *)p++ = *q++;
  return to;
}

// MARK: Output

static size_t length(const char *text) {
  size_t n = 0;
  while (text[n]) n++;
  return n;
}
static int console;
static void print(const char *text) { call(WRITE, console, (long)text, (long)length(text), 0, 0); }
static void print_number(uint64_t value) {
  char text[21];
  int place = 20;
  text[place] = 0;
  do text[--place] = (char)('0' + value % 10);
  while (value /= 10);
  print(text + place);
}
static _Noreturn void end(const char *what, long error) {
  print("guest: ");
  print(what);
  if (error) {
    print(", error ");
    print_number((uint64_t)-error);
  }
  print("\n");
  call(REBOOT, 0xfee1dead, 672274793, 0x1234567, 0, 0);
  for (;;) {
  }
}
static long must(const char *what, long result) {
  if (result < 0) end(what, result);
  return result;
}

// MARK: SHA-256

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
static uint32_t turn(uint32_t x, int n) { return x >> n | x << (32 - n); }
static void add_block(uint32_t *state, const uint8_t *bytes) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)bytes[4 * i] << 24 | (uint32_t)bytes[4 * i + 1] << 16 | (uint32_t)bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
  for (int i = 16; i < 64; i++)
    w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
           (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
  for (int i = 0; i < 8; i++) v[i] = state[i];
  for (int i = 0; i < 64; i++) {
    uint32_t a = v[0], e = v[4];
    uint32_t one = v[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + constants[i] + w[i];
    uint32_t two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    for (int j = 7; j > 0; j--) v[j] = v[j - 1];
    v[4] += one;
    v[0] = one + two;
  }
  for (int i = 0; i < 8; i++) state[i] += v[i];
}

static uint8_t buffer[4096 + 64];
static void print_sum_of_file(int file) {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint64_t total = 0;
  call(LSEEK, file, 0, 0, 0, 0);
  for (;;) {
    size_t count = 0;
    while (count < 4096) {
      long got = must("read", call(READ, file, (long)(buffer + count), (long)(4096 - count), 0, 0));
      if (got == 0) break;
      count += (size_t)got;
    }
    total += count;
    size_t place = 0;
    for (; count - place >= 64; place += 64) add_block(state, buffer + place);
    if (count == 4096) continue;
    size_t rest = count - place;
    uint8_t last[128] = {0};
    memcpy(last, buffer + place, rest);
    last[rest] = 0x80;
    size_t blocks = rest < 56 ? 1 : 2;
    for (int i = 0; i < 8; i++) last[64 * blocks - 1 - i] = (uint8_t)(total * 8 >> 8 * i);
    for (size_t i = 0; i < blocks; i++) add_block(state, last + 64 * i);
    break;
  }
  char text[65];
  for (int i = 0; i < 64; i++) text[i] = "0123456789abcdef"[state[i / 8] >> (28 - 4 * (i % 8)) & 15];
  text[64] = 0;
  print("  memfd: ");
  print_number(total);
  print(" bytes, sha256 ");
  print(text);
  print(" (Linux)\n");
}

// MARK: The Live Update Orchestrator

struct session_request {
  uint32_t size;
  int32_t file;
  char name[64];
};
struct file_request {
  uint32_t size;
  int32_t file;
  uint64_t token;
};
enum { CREATE = 0xba00, RETRIEVE = 0xba01, PRESERVE_FILE = 0xba40, RETRIEVE_FILE = 0xba41, FINISH = 0xba42 };

static int session(int device, int request, const char *what) {
  struct session_request argument = {.size = sizeof argument, .name = "TinyKernel"};
  must(what, call(IOCTL, device, request, (long)&argument, 0, 0));
  return argument.file;
}

void run(void) {
  call(MOUNT, (long)"dev", (long)"/dev", (long)"devtmpfs", 0, 0);
  console = (int)open("/dev/console", 2);
  print("guest: Linux runs\n");
  int device = (int)must("no /dev/liveupdate", open("/dev/liveupdate", 2));
  int old = session(device, RETRIEVE, "the session cannot be retrieved");
  struct file_request file = {.size = sizeof file, .token = 1};
  must("the file cannot be retrieved", call(IOCTL, old, RETRIEVE_FILE, (long)&file, 0, 0));
  print_sum_of_file(file.file);
  struct { uint32_t size, zero; } none = {8, 0};
  must("the session cannot be finished", call(IOCTL, old, FINISH, (long)&none, 0, 0));
  call(CLOSE, old, 0, 0, 0, 0);

  int next = session(device, CREATE, "no new session");
  must("the file cannot be preserved again", call(IOCTL, next, PRESERVE_FILE, (long)&file, 0, 0));
  long kernel = must("no /kernel", open("/kernel", 0));
  long files = must("no /stash", open("/stash", 0));
  static const char line[] = "generations=2";
  must("kexec_file_load", call(KEXEC_FILE_LOAD, kernel, files, sizeof line, (long)line, 0));
  print("guest: kexec of TinyKernel\n");
  must("reboot", call(REBOOT, 0xfee1dead, 672274793, 0x45584543, 0, 0));
}

#ifdef __aarch64__
__asm__(".globl _start\n_start: bl run\n1: b 1b\n");
#else
__asm__(".globl _start\n_start: andq $~15, %rsp\n call run\n1: jmp 1b\n");
#endif
