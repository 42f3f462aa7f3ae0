// The machine as Swift sees it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "Layout.h"
#include "Textbook.h"

// The first byte of the image, wherever it was loaded.
uint64_t machine_image_start(void);

// Writes one byte to the serial line.
int putchar(int byte);

// Ends the virtual machine. On x86-64 QEMU exits with 2 · code + 1.
_Noreturn void machine_exit(uint32_t code);

// A counter that goes on with time. Under QEMU's -icount shift=0 each instruction takes one nanosecond,
// which is what it counts then.
uint64_t machine_ticks(void);

// Whether page tables have a fifth level (x86-64).
_Bool machine_has_five_levels(void);
// Uses the page tables at `root`.
void machine_use_tables(uint64_t root);

// Paints the unused part of the stack.
void machine_paint_stack(void);
// The bytes below the caller's frame that were used since the stack was painted.
uint64_t machine_stack_used(void);
// The most bytes of the stack that were in use since the kernel was entered.
uint64_t machine_stack_peak(void);

// Room for 64 ranges of memory (start and length, 16 bytes), and for the early allocator's lists.
void *machine_range_storage(void);
#define LIST_BYTES 6144
void *machine_list_storage(void);

// The heap that the standard library's arrays and strings use.
uint64_t machine_heap_peak(void);
uint64_t machine_heap_allocations(void);
void machine_reset_heap_peak(void);

// Copies the jump out of the way, and takes it: copies what the list of (to, from, byte count) says, up
// to a count of 0, and enters the next kernel at `entry` with `argument` in the register where Linux
// expects it.
_Noreturn void machine_kexec(uint64_t list, uint64_t entry, uint64_t argument);

static inline uint64_t machine_load64(uint64_t at) { return *(volatile uint64_t *)at; }
static inline uint32_t machine_load32(uint64_t at) { return *(volatile uint32_t *)at; }
static inline uint16_t machine_load16(uint64_t at) { return *(volatile uint16_t *)at; }
static inline uint8_t machine_load8(uint64_t at) { return *(volatile uint8_t *)at; }
static inline void machine_store64(uint64_t at, uint64_t v) { *(volatile uint64_t *)at = v; }
static inline void machine_store32(uint64_t at, uint32_t v) { *(volatile uint32_t *)at = v; }
static inline void machine_store16(uint64_t at, uint16_t v) { *(volatile uint16_t *)at = v; }
static inline void machine_store8(uint64_t at, uint8_t v) { *(volatile uint8_t *)at = v; }
void machine_copy(uint64_t to, uint64_t from, uint64_t byte_count);
void machine_fill(uint64_t at, uint8_t value, uint64_t byte_count);

// The address as a pointer.
static inline void *machine_pointer(uint64_t at) { return (void *)at; }
