/* SPDX-License-Identifier: GPL-2.0-only */
/* From EL2, which KVM gives no guest that has AArch32, to AArch32 at EL0: KVM gives the vCPU up. */
#include "lib/guest.h"

#define HCR_RW  (1UL << 31)
#define HCR_TGE (1UL << 27)

/* Arm's "b ." */
static const u32 loop = 0xeafffffe;

/* At EL1, with the MMU off. */
static void at_el1(void)
{
	write_sysreg(spsr_el1, 0x1d0); /* User mode, A32, masked */
	write_sysreg(elr_el1, &loop);
	asm volatile("isb\n\teret");
}

static void el0(void)
{
	check(read_sysreg(CurrentEL) == 2 << 2, "CurrentEL is %lx", read_sysreg(CurrentEL));
	print("leaving EL2\n");
	write_sysreg(hcr_el2, (read_sysreg(hcr_el2) | HCR_RW) & ~HCR_TGE);
	write_sysreg(s3_5_c1_c0_0, 0x30d00800); /* SCTLR_EL12: its RES1 bits */
	write_sysreg(spsr_el2, 0x3c5);          /* EL1h, masked */
	write_sysreg(elr_el2, at_el1);
	asm volatile("isb\n\teret");
}

static const struct test tests[] = { { "el0", el0 } };

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
