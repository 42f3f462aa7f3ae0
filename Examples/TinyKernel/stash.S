// The stash: files that the loader puts into memory in one piece. See Stash.swift.
	.section .stash, "a"
start:	.ascii	"TinyStsh"
	.quad	4
	.quad	own - start, own_end - own
	.quad	linux - start, linux_end - linux
	.quad	files - start, files_end - files
	.quad	line - start, line_end - line
	.balign	4096
own:	.incbin	OWN_IMAGE
own_end:
	.balign	4096
linux:
#ifdef LINUX_IMAGE
	.incbin	LINUX_IMAGE
#endif
linux_end:
	.balign	4096
files:
#ifdef LINUX_FILES
	.incbin	LINUX_FILES
#endif
files_end:
	.balign	4096
line:
#ifdef LINUX_COMMAND_LINE
	.ascii	LINUX_COMMAND_LINE
#endif
line_end:
	.balign	4096
