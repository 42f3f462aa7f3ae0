#ifdef __aarch64__
#include "Layout.h"

// The arm64 boot protocol of Linux, by which QEMU, Linux and this kernel itself enter: memory
// unmapped, x0 = device tree. The first 64 bytes are the image's header.

	.section .boot, "ax"
	.globl	image_start
image_start:
	b	start
	.long	0
	.quad	0			// load at the start of a 2 MiB block
	.quad	IMAGE_BYTES
	.quad	0xa			// little-endian, 4 KiB pages, anywhere in memory
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

start:	msr	daifset, #15
	mov	x19, x0
	adrp	x20, image_start
	ldr	x1, =LINK_BASE
	sub	x21, x20, x1
	// The image runs where it is: every address in it moves by the same distance.
	adrp	x1, __relocations_start
	add	x1, x1, :lo12:__relocations_start
	adrp	x2, __relocations_end
	add	x2, x2, :lo12:__relocations_end
1:	cmp	x1, x2
	b.hs	2f
	ldr	x3, [x1]
	ldr	x4, [x1, #16]
	add	x4, x4, x21
	str	x4, [x3, x21]
	add	x1, x1, #24
	b	1b
2:	adrp	x1, __bss_start
	add	x1, x1, :lo12:__bss_start
	adrp	x2, __bss_end
	add	x2, x2, :lo12:__bss_end
3:	cmp	x1, x2
	b.hs	4f
	str	xzr, [x1], #8
	b	3b
4:	adrp	x1, stack_bottom
	adrp	x2, stack_top
	ldr	x3, =STACK_PAINT
5:	str	x3, [x1], #8
	cmp	x1, x2
	b.lo	5b
	mov	sp, x2

	// One table maps 64 GiB in blocks of 1 GiB: the first as devices, the others as memory.
	mov	x1, #BOOT_TABLES
	add	x1, x1, x20
	mov	x2, #0x401		// device, accessed, block
	mov	x3, #0x40000000
	mov	x5, #64
	mov	x6, #512
	mov	x7, x1
6:	str	x2, [x7], #8
	bic	x2, x2, #0x7ff
	add	x2, x2, x3
	mov	x4, #0x705		// memory, inner shareable, accessed, block
	orr	x2, x2, x4
	subs	x5, x5, #1
	b.ne	6b
	mov	x5, #448
7:	str	xzr, [x7], #8
	subs	x5, x5, #1
	b.ne	7b
	dsb	sy
	mov	x2, #0xff00		// attributes: 0 device, 1 write-back
	msr	mair_el1, x2
	ldr	x2, =0x200803519	// 39-bit addresses, 4 KiB, write-back; 40-bit physical
	msr	tcr_el1, x2
	msr	ttbr0_el1, x1
	adrp	x2, vectors
	add	x2, x2, :lo12:vectors
	msr	vbar_el1, x2
	mov	x2, #(3 << 20)		// the compiler uses vector registers to move memory
	msr	cpacr_el1, x2
	isb
	tlbi	vmalle1
	dsb	sy
	isb
	mrs	x2, sctlr_el1
	mov	x3, #0x1005		// caches and mapping on
	orr	x2, x2, x3
	bic	x2, x2, #2		// unaligned accesses are fine
	msr	sctlr_el1, x2
	isb
	mov	x0, x19
	mov	x1, #ENTERED_AS_LINUX
	mov	x29, xzr
	mov	x30, xzr
	bl	kernel_main
8:	wfi
	b	8b
	.ltorg

	.text
	.balign	2048
vectors:
	.rept	16
	.balign	128
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	b	machine_trap
	.endr

	// x0 = list, x1 = entry, x2 = device tree. Runs from a page that nothing is copied to.
	.balign	64
	.globl	machine_jump, machine_jump_end
machine_jump:
	msr	daifset, #15
1:	ldp	x3, x4, [x0], #16
	ldr	x5, [x0], #8
	cbz	x5, 3f
2:	ldp	x6, x7, [x4], #16
	ldp	x8, x9, [x4], #16
	ldp	x10, x11, [x4], #16
	ldp	x12, x13, [x4], #16
	stp	x6, x7, [x3]
	stp	x8, x9, [x3, #16]
	stp	x10, x11, [x3, #32]
	stp	x12, x13, [x3, #48]
	dc	cvac, x3		// the next kernel starts without caches
	add	x3, x3, #64
	subs	x5, x5, #64
	b.hi	2b
	b	1b
3:	dsb	sy
	mrs	x6, sctlr_el1
	mov	x7, #0x1005
	bic	x6, x6, x7
	msr	sctlr_el1, x6
	isb
	ic	iallu
	tlbi	vmalle1
	dsb	sy
	isb
	mov	x0, x2
	mov	x2, xzr
	mov	x3, xzr
	mov	x4, x1
	mov	x1, xzr
	br	x4
machine_jump_end:

	.bss
	.balign	4096
	.globl	stack_bottom, stack_top
stack_bottom:
	.skip	STACK_BYTES
	.balign	4096
stack_top:
#endif
