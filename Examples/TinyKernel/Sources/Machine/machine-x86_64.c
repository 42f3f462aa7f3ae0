#ifdef __x86_64__
#include "Machine.h"

static inline void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}
static inline void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}
static inline uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

// The first serial port, as the firmware or the virtual machine set it up.
int putchar(int byte) {
  const uint16_t port = 0x3f8;
  while (!(in8(port + 5) & 0x20)) {
  }
  out8(port, (uint8_t)byte);
  return byte;
}

// QEMU's isa-debug-exit.
_Noreturn void machine_exit(uint32_t code) {
  out32(0xf4, code);
  for (;;) __asm__ volatile("cli; hlt");
}

uint64_t machine_ticks(void) {
  uint32_t low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return low | (uint64_t)high << 32;
}

_Bool machine_has_five_levels(void) {
  uint64_t control;
  __asm__ volatile("movq %%cr4, %0" : "=r"(control));
  return control >> 12 & 1;
}

void machine_use_tables(uint64_t root) { __asm__ volatile("movq %0, %%cr3" ::"r"(root) : "memory"); }

extern char machine_trap_stubs[];
static uint64_t gates[64];

void machine_set_up_traps(void) {
  for (int i = 0; i < 32; i++) {
    uint64_t stub = (uint64_t)machine_trap_stubs + 16 * i;
    gates[2 * i] = (stub & 0xffff) | 0x10ull << 16 | 0x8e00ull << 32 | (stub >> 16 & 0xffff) << 48;
    gates[2 * i + 1] = stub >> 32;
  }
  struct __attribute__((packed)) {
    uint16_t limit;
    uint64_t base;
  } table = {sizeof gates - 1, (uint64_t)gates};
  __asm__ volatile("lidt %0" ::"m"(table));
}

void machine_report_trap(const char *kind, uint64_t number, uint64_t at, uint64_t address);

_Noreturn void machine_trap(const uint64_t *frame, uint64_t address) {
  uint64_t vector = frame[0];
  int has_code = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
  // The compiler ends a failed precondition with the undefined instruction.
  machine_report_trap(
      vector == 6 ? "failed precondition, vector " : "trap, vector ", vector, frame[1 + has_code],
      address);
  machine_exit(1);
}
#endif
