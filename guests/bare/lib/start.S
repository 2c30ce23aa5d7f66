/* SPDX-License-Identifier: GPL-2.0-only */
/* The arm64 Image header, the way into C of each CPU, the page table and the exception vectors. */

#define STACK_SHIFT 14 /* lib/guest.h: NR_CPUS stacks of 16 KiB */

/* Linux, Documentation/arch/arm64/booting.rst */
	.section .head, "ax"
	b	start
	nop
	.quad	0		/* text_offset */
	.quad	image_size
	.quad	0, 0, 0, 0
	.ascii	"ARM\x64"
	.long	0

/* Nothing is written to memory before the MMU is on, so no cache can hold anything stale. */
start:
	mov	x19, x0
	bl	mmu_on
	ldr	x1, =edata
	ldr	x2, =end
1:	stp	xzr, xzr, [x1], #16
	cmp	x1, x2
	b.lo	1b
	ldr	x1, =fdt
	str	x19, [x1]
	mov	x19, #0
	ldr	x20, =guest_main
	b	on_stack

	.global	secondary
secondary:			/* x0: the CPU's number, as context ID of CPU_ON */
	mov	x19, x0
	bl	mmu_on
	ldr	x20, =secondary_main
on_stack:
	msr	tpidr_el1, x19
	ldr	x1, =stacks
	add	x2, x19, #1
	add	x1, x1, x2, lsl #STACK_SHIFT
	mov	sp, x1
	blr	x20
	b	.

/* 39-bit addresses, 4 KiB granule, write-back inner-shareable walks; attribute 0 Device-nGnRE, 1 Normal, 2 and 3 with other hints. */
mmu_on:
	ldr	x1, =0xddccff04
	msr	mair_el1, x1
	ldr	x1, =(25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 1 << 32)
	msr	tcr_el1, x1
	ldr	x1, =page_table
	msr	ttbr0_el1, x1
	ldr	x1, =vectors
	msr	vbar_el1, x1
	mov	x1, #3 << 20	/* FPEN: SIMD is used on purpose */
	msr	cpacr_el1, x1
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	mrs	x1, sctlr_el1
	ldr	x2, =(1 << 0 | 1 << 2 | 1 << 12)	/* M, C, I */
	orr	x1, x1, x2
	ldr	x2, =(1 << 1 | 1 << 19)			/* A, WXN */
	bic	x1, x1, x2
	msr	sctlr_el1, x1
	isb
	ret

/* Blocks of 1 GiB: all of it as it is, and again from 256 GiB on as Normal memory; RAM once more, read-only. */
#define DEVICE (0x401 | 3 << 53)
#define NORMAL 0x705
#define READ_ONLY (1 << 7)
#define TO_READ_ONLY ((260 - 2) << 30) /* from where RAM is itself */
	.section .rodata
	.balign 4096
page_table:
	.quad	DEVICE
	.quad	DEVICE | 1 << 30
	.quad	NORMAL | 2 << 30
	.quad	DEVICE | 3 << 30
	.fill	252, 8, 0
	.quad	NORMAL
	.quad	NORMAL | 1 << 30
	.quad	NORMAL | 2 << 30
	.quad	NORMAL | 3 << 30
	.quad	NORMAL | READ_ONLY | 2 << 30
	.fill	251, 8, 0

/* struct frame of exception.c */
	.macro	vector number
	.balign	0x80
	sub	sp, sp, #272
	stp	x0, x1, [sp]
	mov	x1, #\number
	b	exception_entry
	.endm

	.macro	rest op
	\op	x2, x3, [sp, #16]
	\op	x4, x5, [sp, #32]
	\op	x6, x7, [sp, #48]
	\op	x8, x9, [sp, #64]
	\op	x10, x11, [sp, #80]
	\op	x12, x13, [sp, #96]
	\op	x14, x15, [sp, #112]
	\op	x16, x17, [sp, #128]
	\op	x18, x19, [sp, #144]
	\op	x20, x21, [sp, #160]
	\op	x22, x23, [sp, #176]
	\op	x24, x25, [sp, #192]
	\op	x26, x27, [sp, #208]
	\op	x28, x29, [sp, #224]
	.endm

	.text
	.balign 0x800
vectors:
	.irp	number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\number
	.endr

exception_entry:
	rest	stp
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x30, x2, [sp, #240]
	str	x3, [sp, #256]
	mov	x0, sp
	bl	exception
	ldr	x3, [sp, #256]
	ldp	x30, x2, [sp, #240]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	rest	ldp
	ldp	x0, x1, [sp]
	add	sp, sp, #272
	eret

/*
 * fetch_at(VA, PSTATE, SCTLR_EL1): ESR_EL1 of the exception that executing there comes to. Meanwhile this program is
 * where it is read-only, as with WXN it is not executed elsewhere; and nothing of it is written.
 */
	.global	fetch_at
fetch_at:
	mrs	x3, sctlr_el1
	mrs	x4, vbar_el1
	mrs	x5, daif
	mov	x6, x30
	msr	daifset, #0xf
	adr	x7, 1f
	ldr	x8, =TO_READ_ONLY
	add	x7, x7, x8
	br	x7
1:	adr	x9, fetch_vectors
	msr	vbar_el1, x9
	msr	elr_el1, x0
	msr	spsr_el1, x1
	msr	sctlr_el1, x2
	bl	forget
	eret
fetched:
	msr	sctlr_el1, x3
	bl	forget
	msr	vbar_el1, x4
	msr	daif, x5
	mrs	x0, esr_el1
	isb
	br	x6
forget:				/* bits of SCTLR_EL1 may be kept in TLBs */
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	ret

	.balign 0x800
fetch_vectors:
	.rept	16
	.balign	0x80
	b	fetched
	.endr

	.bss
	.balign 16
stacks:
	.space	8 << STACK_SHIFT
