/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest whose first instructions write to its UART: the time of what comes before them. */

/* Linux, Documentation/arch/arm64/booting.rst */
	b	start
	nop
	.quad	0		/* text_offset */
	.quad	0x1000		/* image_size */
	.quad	0, 0, 0, 0
	.ascii	"ARM\x64"
	.long	0

start:
	ldr	x1, =UART
	mov	w2, #'!'
	strb	w2, [x1]
	mov	w2, #'\n'
	strb	w2, [x1]
	ldr	w0, =0x84000008	/* SYSTEM_OFF (PSCI, DEN0022, 5.9) */
	hvc	#0
	b	.
