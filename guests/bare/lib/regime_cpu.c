/* SPDX-License-Identifier: GPL-2.0-only */
/* What the CPU makes of a regime: AT instructions, and accesses. */
#include "regime.h"

#define TCR_EPD1  (1UL << 23)
#define TCR_WALKS (0x35UL << 24) /* write-back, inner shareable */
#define TCR_TBI1  (1UL << 38)
#define TCR_HA    (1UL << 39)
#define TCR_HD    (1UL << 40)
#define TCR_HPD1  (1UL << 42)
#define TCR_E0PD1 (1UL << 56)
#define SCTLR_WXN (1UL << 19)
#define EL1H      0x3c5UL
#define EL0T      0x3c0UL
#define SVC       0xd4000001UL
/* The lower half's part of it (start.S), which stays. */
#define TCR_LOWER 0xffffUL

void regime_forget_tlb(void)
{
	asm volatile("isb\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

static void set_tcr(u64 tcr)
{
	write_sysreg(tcr_el1, tcr);
	regime_forget_tlb();
}

u64 regime_tcr(const struct regime *r)
{
	static const u8 tg1[] = { 2, 1, 3 };

	return (u64)(64 - r->input) << 16 | TCR_WALKS | (u64)tg1[(r->granule - 12) / 2] << 30 |
	       (u64)r->ips << 32 | (r->tbi ? TCR_TBI1 : 0) | (r->ha ? TCR_HA : 0) |
	       (r->hd ? TCR_HD : 0) | (r->hpd ? TCR_HPD1 : 0) | (r->e0pd ? TCR_E0PD1 : 0);
}

static void set_pan(const struct regime *r)
{
	if (r->pan)
		write_sysreg(S3_0_C4_C2_3, 1 << 22);
}

void regime_enter(const struct regime *r)
{
	write_sysreg(ttbr1_el1, r->root);
	set_tcr((read_sysreg(tcr_el1) & TCR_LOWER) | regime_tcr(r));
	set_pan(r);
}

void regime_leave(void)
{
	if ((read_sysreg(id_aa64mmfr1_el1) >> 20 & 0xf))
		write_sysreg(S3_0_C4_C2_3, 0);
	set_tcr((read_sysreg(tcr_el1) & TCR_LOWER) | TCR_EPD1 | 1UL << 32);
}

/* With PAN those that know of it, but as nobody: it does not keep out. */
static void at(const struct regime *r, struct access a)
{
	if (!a.privileged && a.write)
		asm volatile("at s1e0w, %0" ::"r"(r->va) : "memory");
	else if (!a.privileged)
		asm volatile("at s1e0r, %0" ::"r"(r->va) : "memory");
	else if (r->pan && a.write)
		asm volatile("sys #0, c7, c9, #1, %0" ::"r"(r->va) : "memory"); /* S1E1WP */
	else if (r->pan)
		asm volatile("sys #0, c7, c9, #0, %0" ::"r"(r->va) : "memory"); /* S1E1RP */
	else if (a.write)
		asm volatile("at s1e1w, %0" ::"r"(r->va) : "memory");
	else
		asm volatile("at s1e1r, %0" ::"r"(r->va) : "memory");
	asm volatile("isb" ::: "memory");
}

enum answer regime_answer(unsigned int fst)
{
	static const u8 classes[] = { A_SIZE, A_TRANSLATION, A_ACCESS, A_PERMISSION };

	if (fst < 16)
		return classes[fst >> 2];
	if (fst == 0x29)
		return A_SIZE;
	return fst == 0x2b ? A_TRANSLATION : A_ABORT;
}

enum answer regime_ask(const struct regime *r, struct access a, u64 *pa)
{
	u64 par;

	expect_aborts();
	at(r, a);
	par = read_sysreg(par_el1);
	if (expected_aborts().count)
		return A_ABORT;
	*pa = (par & 0x000ffffffffff000UL) | (r->va & 0xfff);
	return par & 1 ? regime_answer(par >> 1 & 0x3f) : A_OK;
}

/* start.S: at EL1 or EL0; ESR_EL1. */
u64 fetch_at(u64 va, u64 pstate, u64 sctlr);

enum answer regime_fetch(const struct regime *r, bool privileged, u64 *pa)
{
	const u64 sctlr = read_sysreg(sctlr_el1) | (r->wxn ? SCTLR_WXN : 0);
	struct regime readers = *r;
	enum answer readable;
	u64 esr;

	readers.pan = false; /* which keeps out those that read, not those that execute */
	readable = regime_ask(&readers, (struct access){ .privileged = true }, pa);
	if (readable == A_OK && *pa - (u64)arena >= ARENA_SIZE)
		return NR_ANSWERS;
	if (readable == A_OK) {
		*(volatile u64 *)*pa = SVC;
		asm volatile("dc cvau, %0\n\tdsb ish\n\tic iallu\n\tdsb nsh\n\tisb" ::"r"(*pa)
		             : "memory");
	}
	esr = fetch_at(r->va, privileged ? EL1H : EL0T, sctlr);
	set_pan(r); /* which PSTATE there had not */
	if (ESR_EC(esr) == EC_SVC)
		return A_OK;
	check(ESR_EC(esr) == EC_INSTRUCTION_ABORT || ESR_EC(esr) == EC_LOWER_INSTRUCTION,
	      "a fetch from %lx comes to an exception with ESR %lx", r->va, esr);
	return regime_answer(ESR_FSC(esr));
}

enum answer regime_access(const struct regime *r, struct access a)
{
	u64 val = 0x0123456789abcdef;
	struct abort abort;

	expect_aborts();
	if (a.write && a.privileged)
		asm volatile("str %0, [%1]" ::"r"(val), "r"(r->va) : "memory");
	else if (a.write)
		asm volatile("sttr %0, [%1]" ::"r"(val), "r"(r->va) : "memory");
	else if (a.privileged)
		asm volatile("ldr %0, [%1]" : "+r"(val) : "r"(r->va) : "memory");
	else
		asm volatile("ldtr %0, [%1]" : "+r"(val) : "r"(r->va) : "memory");
	abort = expected_aborts();
	return abort.count ? regime_answer(ESR_FSC(abort.esr)) : A_OK;
}
