#ifdef __x86_64__
#include "Layout.h"

// Two entries lead to `start`, in 64-bit mode with memory mapped one to one:
//
//   +0      PVH: a virtual machine's loader jumps here in 32-bit mode; ebx = start_info
//   +0x200  the 64-bit boot protocol of Linux, which this kernel itself uses as well; rsi = boot_params

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 8, 18		// owner "Xen", the 32-bit entry
	.asciz	"Xen"
	.quad	LINK_BASE

	.section .boot, "ax"
	.globl	image_start
image_start:
	.code32
	cli
	cld
	movl	%ebx, %esi
	// One table of each level maps the first GiB in pages of 2 MiB. Swift maps the rest.
	movl	$(LINK_BASE + BOOT_TABLES), %edi
	movl	$(LINK_BASE + BOOT_TABLES + 0x1000 + 3), (%edi)
	movl	$0, 4(%edi)
	movl	$(LINK_BASE + BOOT_TABLES + 0x2000 + 3), 0x1000(%edi)
	movl	$0, 0x1004(%edi)
	addl	$0x2000, %edi
	movl	$0x83, %eax
	movl	$512, %ecx
1:	movl	%eax, (%edi)
	movl	$0, 4(%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	1b
	movl	$(LINK_BASE + BOOT_TABLES), %eax
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$0x20, %eax		// PAE
	movl	%eax, %cr4
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x100, %eax		// long mode
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000001, %eax	// paging, protection
	movl	%eax, %cr0
	lgdt	LINK_BASE + gdtr32 - image_start
	ljmp	$0x10, $(LINK_BASE + 2f - image_start)
	.code64
2:	movl	%esi, %r12d
	movl	$ENTERED_BY_PVH, %r13d
	jmp	start

	.balign	8
gdt:	.quad	0, 0			// as Linux's protocol has it: 0x10 code, 0x18 data
	.quad	0x00af9a000000ffff, 0x00cf92000000ffff
gdtr32:	.word	gdtr32 - gdt - 1
	.long	LINK_BASE + gdt - image_start
gdtr:	.word	gdtr32 - gdt - 1
	.quad	0

	.org	0x200
	cli
	cld
	movq	%rsi, %r12
	movl	$ENTERED_AS_LINUX, %r13d

start:	leaq	gdt(%rip), %rax
	movq	%rax, gdtr + 2(%rip)
	lgdt	gdtr(%rip)
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	leaq	stack_top(%rip), %rsp
	pushq	$0x10
	leaq	1f(%rip), %rax
	pushq	%rax
	lretq
1:	movq	%cr0, %rax
	andl	$~4, %eax		// the compiler uses SSE registers to move memory
	orl	$0x22, %eax
	movq	%rax, %cr0
	movq	%cr4, %rax
	orl	$0x600, %eax
	movq	%rax, %cr4

	// The image runs where it is: every address in it moves by the same distance.
	leaq	image_start(%rip), %rdx
	subq	$LINK_BASE, %rdx
	leaq	__relocations_start(%rip), %rsi
	leaq	__relocations_end(%rip), %rcx
2:	cmpq	%rcx, %rsi
	jae	3f
	movq	(%rsi), %rdi
	movq	16(%rsi), %rax
	addq	%rdx, %rax
	movq	%rax, (%rdi, %rdx)
	addq	$24, %rsi
	jmp	2b
3:	leaq	__bss_start(%rip), %rdi
	leaq	__bss_end(%rip), %rcx
	subq	%rdi, %rcx
	xorl	%eax, %eax
	rep stosb
	leaq	stack_bottom(%rip), %rdi
	movl	$(STACK_BYTES / 8), %ecx
	movabsq	$STACK_PAINT, %rax
	rep stosq
	call	machine_set_up_traps
	movq	%r12, %rdi
	movl	%r13d, %esi
	xorl	%ebp, %ebp
	call	kernel_main
4:	hlt
	jmp	4b

	.text
	// 32 traps, 16 bytes each. A trap does not return.
	.balign	16
	.globl	machine_trap_stubs
machine_trap_stubs:
	vector = 0
	.rept	32
	.balign	16
	pushq	$vector
	jmp	1f
	vector = vector + 1
	.endr
1:	movq	%rsp, %rdi
	movq	%cr2, %rsi
	andq	$~15, %rsp
	call	machine_trap

	// rdi = list, rsi = entry, rdx = boot_params. Runs from a page that nothing is copied to; the page
	// tables lie in the same area.
	.balign	16
	.globl	machine_jump, machine_jump_end
machine_jump:
	cli
	cld
	movq	%rdi, %rbx
	movq	%rsi, %rax
1:	movq	16(%rbx), %rcx
	jrcxz	2f
	movq	(%rbx), %rdi
	movq	8(%rbx), %rsi
	rep movsb
	addq	$24, %rbx
	jmp	1b
2:	movq	%rdx, %rsi
	xorl	%edi, %edi
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	jmp	*%rax
machine_jump_end:

	.bss
	.balign	4096
	.globl	stack_bottom, stack_top
stack_bottom:
	.skip	STACK_BYTES
stack_top:
#endif
