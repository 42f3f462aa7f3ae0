// The program of an arm64 guest that talks to /dev/liveupdate: `retrieve SESSION TOKEN...` copies the files of a
// session to /tmp/SESSION-TOKEN, for another program to sum. Without a C library: the compiler of the Swift
// toolchain builds it for the guest.
#include <stddef.h>
#include <stdint.h>

static long call(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
enum { IOCTL = 29, OPENAT = 56, CLOSE = 57, READ = 63, WRITE = 64, EXIT = 93 };
enum { HERE = -100, READ_WRITE = 2, WRITE_CREATE = 01 | 0100 | 01000 };

static size_t length(const char *text) {
  size_t n = 0;
  while (text[n]) n++;
  return n;
}
static void print(const char *text) { call(WRITE, 1, (long)text, (long)length(text), 0); }
static _Noreturn void fail(const char *what) {
  print("retrieve: ");
  print(what);
  print(" failed\n");
  call(EXIT, 1, 0, 0, 0);
  for (;;) {
  }
}
static long must(const char *what, long result) {
  if (result < 0) fail(what);
  return result;
}

// Source: Linux 7.3, include/uapi/linux/liveupdate.h
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
enum { RETRIEVE = 0xba01, RETRIEVE_FILE = 0xba41, FINISH = 0xba42 };

static char buffer[65536];

void run(long *stack) {
  long count = stack[0];
  char **arguments = (char **)(stack + 1);
  if (count < 2) fail("reading the arguments");
  int device = (int)must("opening /dev/liveupdate", call(OPENAT, HERE, (long)"/dev/liveupdate", READ_WRITE, 0));
  static struct session_request session = {.size = sizeof session};
  for (size_t i = 0; arguments[1][i] && i < 63; i++) session.name[i] = arguments[1][i];
  must("retrieving the session", call(IOCTL, device, RETRIEVE, (long)&session, 0));
  for (long i = 2; i < count; i++) {
    struct file_request file = {.size = sizeof file};
    for (char *digit = arguments[i]; *digit; digit++) file.token = file.token * 10 + (uint64_t)(*digit - '0');
    must("retrieving a file", call(IOCTL, session.file, RETRIEVE_FILE, (long)&file, 0));
    static char path[256];
    const char *parts[] = {"/tmp/", arguments[1], "-", arguments[i]};
    size_t end = 0;
    for (int part = 0; part < 4; part++)
      for (const char *c = parts[part]; *c && end < sizeof path - 1; c++) path[end++] = *c;
    path[end] = 0;
    int copy = (int)must("making a copy", call(OPENAT, HERE, (long)path, WRITE_CREATE, 0600));
    // A file keeps its position; those of the scenarios are at their start.
    long got;
    while ((got = must("reading", call(READ, file.file, (long)buffer, sizeof buffer, 0))) > 0)
      must("writing", call(WRITE, copy, (long)buffer, got, 0));
    call(CLOSE, copy, 0, 0, 0);
  }
  uint32_t none[2] = {8, 0};
  must("finishing the session", call(IOCTL, session.file, FINISH, (long)none, 0));
  call(EXIT, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start: mov x0, sp\n bl run\n");
