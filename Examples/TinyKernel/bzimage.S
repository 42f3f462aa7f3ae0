// The kernel as a bzImage, the file that boot loaders and kexec_file_load take on x86-64: a header of
// two sectors, then the image, which is entered 0x200 bytes from its start. Offsets and meanings:
// Linux, Documentation/arch/x86/boot.rst.
#include "Layout.h"
	.section .bzimage, "a"
start:	.org	start + 0x1f1
	.byte	1			// one sector of setup code, which holds none
	.org	start + 0x1f4
	.long	(end - image) / 16
	.org	start + 0x1fe
	.word	0xaa55
	.byte	0xeb, 0x6a		// the header ends at 0x26c
	.ascii	"HdrS"
	.word	0x20f			// version 2.15
	.org	start + 0x211
	.byte	1			// loaded high
	.org	start + 0x214
	.long	0x100000
	.org	start + 0x22c
	.long	0x7fffffff		// initial files: anywhere below 2 GiB
	.long	0x200000		// alignment
	.byte	1			// relocatable
	.org	start + 0x236
	.word	0x63			// 64-bit entry, above 4 GiB; five-level paging
	.long	2047			// command line
	.org	start + 0x258
	.quad	LINK_BASE
	.long	IMAGE_BYTES
	.org	start + 0x400
image:	.incbin	FLAT_IMAGE
	.balign	16
end:
