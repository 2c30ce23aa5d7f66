/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that reads a UART register over and over: prints the ticks it took, and ticks a second, in hex. */
#define READS 20000 /* bench/host.sh knows it too */

	b	start
	nop
	.quad	0
	.quad	0x1000
	.quad	0, 0, 0, 0
	.ascii	"ARM\x64"
	.long	0

start:
	ldr	x1, =STATUS
	ldr	x2, =UART
	ldr	w3, =READS
	isb
	mrs	x4, cntvct_el0
1:	ldrb	w5, [x1]
	subs	w3, w3, #1
	b.ne	1b
	isb
	mrs	x5, cntvct_el0
	sub	x6, x5, x4
	adr	x7, say
	mov	x8, #'t'
	blr	x7
	mrs	x6, cntfrq_el0
	mov	x8, #'f'
	blr	x7
	ldr	w0, =0x84000008	/* SYSTEM_OFF */
	hvc	#0
	b	.

/* Letter x8, x6 in 16 hex digits, and a newline. */
say:
	strb	w8, [x2]
	mov	w9, #64
2:	sub	w9, w9, #4
	lsr	x10, x6, x9
	and	x10, x10, #15
	cmp	x10, #10
	add	x11, x10, #'0'
	add	x12, x10, #'a' - 10
	csel	x10, x11, x12, lo
	strb	w10, [x2]
	cbnz	w9, 2b
	mov	w10, #'\n'
	strb	w10, [x2]
	ret
