/* SPDX-License-Identifier: GPL-2.0-only */
/* EL1 and EL0 below EL2: what of them is set from there, and the program that they run. S3_5 are
 * EL1's registers as EL2 with VHE names them. */
#include "el1.h"

#include "gic.h"

#define HCR_VM  (1UL << 0)
#define HCR_IMO (1UL << 4)
#define HCR_DC  (1UL << 12)
#define HCR_RW  (1UL << 31)
#define HCR_E2H (1UL << 34)

#define PATIENCE 3000 /* ms that an access may take */

#define SCTLR_RES1 0x30d00800UL
#define SCTLR_ON   0x1005UL /* M, C, I */
#define SCTLR_WXN  (1UL << 19)
#define EL1H       0x3c5UL
#define EL0T       0x3c0UL

/* The small program: what it does, stage 1 of itself, its vectors. */
enum { LDR = 0x00, STR = 0x08, LDTR = 0x10, STTR = 0x18, OWN_TABLE = 0x400, VECTORS = 0x800 };
enum { DONE = 0, EXCEPTION = 1 }; /* what it calls EL2 with */
/* Stage 1 of it: 25 bits, entries of 2 MiB, 16 of them. */
#define TCR_OWN   (39 | 1UL << 8 | 1UL << 10 | 3UL << 12)
#define OWN_BLOCK (BLOCK | 1 << 2 | ENTRY_RO | ENTRY_INNER | ENTRY_AF | ENTRY_UXN)
#define OWN_SHIFT 21
#define SVC       0xd4000001u
#define HVC(n)    (0xd4000002u | (n) << 5)

static u8 page[1 << EL1_PAGE_BITS] __attribute__((aligned(1 << EL1_PAGE_BITS)));
static u64 entry; /* of the program, as EL1 sees it */
u64 el1_page(void)
{
	return (u64)page;
}

static void sync_code(u64 pa)
{
	asm volatile("dc cvau, %0\n\tdsb ish\n\tic iallu\n\tdsb nsh\n\tisb" ::"r"(pa) : "memory");
}

static void write_program(u64 ipa)
{
	static const u32 doing[] = { 0xf9400020, 0xf9000020, 0xf8400820, 0xf8000820 };

	for (unsigned int i = 0; i < ARRAY_SIZE(doing); i++) {
		write32(el1_page() + i * 8, doing[i]); /* ldr, str, ldtr, sttr x0, [x1] */
		write32(el1_page() + i * 8 + 4, HVC(DONE));
	}
	for (unsigned int i = 0; i < 16; i++)
		write32(el1_page() + VECTORS + i * 0x80, HVC(EXCEPTION));
	write64(el1_page() + OWN_TABLE, (ipa & ~((1UL << OWN_SHIFT) - 1)) | OWN_BLOCK);
	for (u64 at = 0; at < 0x1000; at += 64)
		asm volatile("dc cvau, %0" ::"r"((u64)page + at) : "memory");
	sync_code((u64)page);
}

void el1_enter(const struct stage2 *s, const struct regime *r, u64 ipa)
{
	write_program(ipa);
	entry = r ? ipa & ((1UL << OWN_SHIFT) - 1) : ipa;
	write_sysreg(vtcr_el2, stage2_vtcr(s));
	write_sysreg(vttbr_el2, s->root | 1UL << 48);
	write_sysreg(hcr_el2, HCR_E2H | HCR_RW | HCR_VM | HCR_IMO | (r ? 0 : HCR_DC));
	write_sysreg(s3_5_c10_c2_0, 0xddccff04);      /* MAIR_EL12, as start.S has it */
	write_sysreg(s3_5_c12_c0_0, entry + VECTORS); /* VBAR_EL12 */
	write_sysreg(s3_5_c1_c0_0, SCTLR_RES1 | (r ? SCTLR_ON : 0) |
	                                   (r && r->wxn ? SCTLR_WXN : 0)); /* SCTLR_EL12 */
	if (r) {
		write_sysreg(s3_5_c2_c0_0, ipa + OWN_TABLE); /* TTBR0_EL12, TTBR1_EL12, TCR_EL12 */
		write_sysreg(s3_5_c2_c0_1, r->root);
		write_sysreg(s3_5_c2_c0_2, TCR_OWN | regime_tcr(r));
	}
	barrier();
}

void el1_forget(u64 ipa)
{
	asm volatile("tlbi ipas2e1, %0" ::"r"(ipa >> 12) : "memory");
}

void el1_leave(void)
{
	asm volatile("dsb nsh\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

struct verdict el1_at(struct access a, u64 va)
{
	struct verdict v = { .answer = A_OK };
	u64 par;

	if (a.privileged && a.write)
		asm volatile("at s12e1w, %0" ::"r"(va) : "memory");
	else if (a.privileged)
		asm volatile("at s12e1r, %0" ::"r"(va) : "memory");
	else if (a.write)
		asm volatile("at s12e0w, %0" ::"r"(va) : "memory");
	else
		asm volatile("at s12e0r, %0" ::"r"(va) : "memory");
	asm volatile("isb" ::: "memory");
	par = read_sysreg(par_el1);
	if (!(par & 1)) {
		v.pa = (par & 0x000ffffffffff000UL) | (va & 0xfff);
		return v;
	}
	v.answer = regime_answer(par >> 1 & 0x3f);
	v.walk = par >> 8 & 1;
	v.stage2 = par >> 9 & 1;
	v.level = par >> 1 & 3;
	return v;
}

void el1_plant(u64 pa)
{
	*(volatile u32 *)pa = SVC;
	sync_code(pa);
}

/* What EL1 had an exception of. */
static enum answer of_el1(u64 esr)
{
	if (ESR_EC(esr) == EC_SVC)
		return A_OK;
	check(ESR_EC(esr) == EC_LOWER_INSTRUCTION || ESR_EC(esr) == EC_INSTRUCTION_ABORT ||
	              ESR_EC(esr) == EC_LOWER_DATA || ESR_EC(esr) == EC_DATA_ABORT,
	      "EL1 has an exception with ESR %lx", esr);
	return regime_answer(ESR_FSC(esr));
}

/* EL2's own virtual timer, by the names that VHE gives it (Arm DDI 0487, D12.2.4). */
static void timer(u64 at, u64 control)
{
	write_sysreg(cntv_cval_el0, at);
	write_sysreg(cntv_ctl_el0, control);
	asm volatile("isb");
}

static void time_is_over(u32 intid)
{
	check(intid == PPI_HVTIMER, "interrupt %u", intid);
	timer(0, 0);
}

void el1_init(void)
{
	gic_init();
	irq_handler = time_is_over;
	gic_enable(PPI_HVTIMER);
}

struct verdict el1_access(struct access a, u64 va)
{
	const u64 doing = a.privileged ? (a.write ? STR : LDR) : (a.write ? STTR : LDTR);
	struct verdict v = { .answer = A_OK };
	struct lower l;

	timer(now() + ms(PATIENCE), 1);
	l = run_lower(a.fetch ? va : entry + doing, a.fetch && !a.privileged ? EL0T : EL1H,
	              0x0123456789abcdef, va);
	timer(0, 0);
	v.value = l.x0;
	if (l.esr == LOWER_INTERRUPTED) {
		v.answer = NR_ANSWERS;
		return v;
	}
	if (ESR_EC(l.esr) == EC_HVC) {
		if ((l.esr & 0xffff) == EXCEPTION)
			v.answer = of_el1(read_sysreg(s3_5_c5_c2_0) /* ESR_EL12 */);
		return v;
	}
	check(ESR_EC(l.esr) == EC_LOWER_INSTRUCTION || ESR_EC(l.esr) == EC_LOWER_DATA,
	      "EL2 has an exception with ESR %lx, FAR %lx", l.esr, l.far);
	v.answer = regime_answer(ESR_FSC(l.esr));
	v.stage2 = true;
	v.walk = l.esr >> 7 & 1; /* S1PTW */
	v.has_ipa = true;
	v.ipa = (l.hpfar >> 4 & 0xffffffffffUL) << 12;
	return v;
}
