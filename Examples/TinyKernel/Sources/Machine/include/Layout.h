// The addresses of everything in the 4 MiB that the kernel takes from its image's first byte on. Shared by
// the assembler, C and Swift.
//
//     image, data, heap, stack │ … │ boot area: what is passed from kernel to kernel │ page tables
//     0                              BOOT_AREA                                         BOOT_TABLES
#pragma once

// The address that the image is linked for. It runs anywhere: its first instructions add the
// distance to every address in it.
#ifdef __aarch64__
#define LINK_BASE 0x40200000
#else
#define LINK_BASE 0x1000000
#endif

// The bytes that the kernel occupies, and the end of its image, heap and stack among them.
#define IMAGE_BYTES 0x400000
#define BOOT_AREA 0x300000

// Pages of the boot area, in bytes from the image's start. A kexec keeps this area: the next image
// is copied below it, so both kernels can use it at once.
#define BOOT_ANCHOR 0x300000        // the word that leads to the handover, as Linux's setup_data
#define BOOT_CHANGE 0x301000        // the change that is being made to the handover
#define BOOT_SCRATCH 0x302000       // the array of scratch areas
#define BOOT_COMMAND_LINE 0x303000  // for the next kernel
#define BOOT_COPY_LIST 0x304000     // what the jump copies
#define BOOT_JUMP 0x305000          // the jump itself
#define BOOT_PARAMETERS 0x306000    // Linux's boot_params (x86-64)
#define BOOT_DEVICE_TREE 0x310000   // the machine's device tree for the next kernel (aarch64), 128 KiB
#define BOOT_DEVICE_TREE_BYTES 0x20000
#define BOOT_TABLES 0x340000        // page tables; up to 64 GiB

// How the kernel was entered.
#define ENTERED_BY_PVH 0        // x86-64: a virtual machine's loader, with a start_info
#define ENTERED_AS_LINUX 1      // as Linux is: boot_params (x86-64), a device tree (aarch64)

// What the stack is filled with, to see later how much of it was used.
#define STACK_PAINT 0x5afe57ac5afe57ac
#define STACK_BYTES 0x40000
