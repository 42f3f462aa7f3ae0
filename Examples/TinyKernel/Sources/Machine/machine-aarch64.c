#ifdef __aarch64__
#include "Machine.h"

// The PL011 of QEMU's machine `virt`.
int putchar(int byte) {
  const uint64_t port = 0x9000000;
  while (machine_load32(port + 0x18) & 0x20) {
  }
  machine_store32(port, (uint8_t)byte);
  return byte;
}

// PSCI SYSTEM_OFF. QEMU's exit status is 0 whatever the code; the last printed line shows the result.
_Noreturn void machine_exit(uint32_t code) {
  register uint64_t function __asm__("x0") = 0x84000008;
  __asm__ volatile("hvc #0" : "+r"(function)::"memory");
  for (;;) __asm__ volatile("wfi");
}

// In nanoseconds: the counter goes on once in 16 of them under QEMU.
uint64_t machine_ticks(void) {
  uint64_t ticks, frequency;
  __asm__ volatile("isb; mrs %0, cntvct_el0; mrs %1, cntfrq_el0" : "=r"(ticks), "=r"(frequency));
  return ticks * (1000000000 / frequency);
}

_Bool machine_has_five_levels(void) { return 0; }

// The table that the first instructions made maps everything already.
void machine_use_tables(uint64_t root) {}

void machine_report_trap(const char *kind, uint64_t number, uint64_t at, uint64_t address);

_Noreturn void machine_trap(uint64_t syndrome, uint64_t at, uint64_t address) {
  // The compiler ends a failed precondition with a breakpoint.
  machine_report_trap(
      syndrome >> 26 == 0x3c ? "failed precondition, syndrome " : "trap, syndrome ", syndrome, at,
      address);
  machine_exit(1);
}
#endif
