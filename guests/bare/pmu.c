/* SPDX-License-Identifier: GPL-2.0-only */
/* The PMU (DDI 0487, D13): a counter that overflows interrupts by its PPI, as long as the overflow
 * is not cleared. */
#include "lib/gic.h"

enum { PPI_PMU = 23, PMCR_ENABLE = 1, EVENT_SW_INCR = 0, COUNTER0 = 1 };

static volatile unsigned int fired;

static void took(u32 intid)
{
	check(intid == PPI_PMU, "interrupt %u", intid);
	check(read_sysreg(pmovsclr_el0) == COUNTER0, "overflows: %lx", read_sysreg(pmovsclr_el0));
	write_sysreg(pmovsclr_el0, COUNTER0);
	barrier();
	fired++;
}

/* What the program itself counts: how far it has come is exact. */
static void overflow(void)
{
	check((read_sysreg(id_aa64dfr0_el1) >> 8 & 0xf) != 0, "no PMU");
	gic_init();
	irq_handler = took;
	gic_enable(PPI_PMU);
	irqs_on();
	write_sysreg(pmovsclr_el0, ~0u);
	write_sysreg(pmevtyper0_el0, EVENT_SW_INCR);
	write_sysreg(pmevcntr0_el0, 0xfffffffe);
	write_sysreg(pmintenset_el1, COUNTER0);
	write_sysreg(pmcntenset_el0, COUNTER0);
	write_sysreg(pmcr_el0, PMCR_ENABLE);
	barrier();
	write_sysreg(pmswinc_el0, COUNTER0);
	barrier();
	check(read_sysreg(pmevcntr0_el0) == 0xffffffff && !fired, "the counter is %lx",
	      read_sysreg(pmevcntr0_el0));
	write_sysreg(pmswinc_el0, COUNTER0);
	barrier();
	check(wait_for(fired, LONG), "an overflow does not interrupt");
	check(!wait_for(fired > 1, 50), "%u interrupts of one overflow", fired);
}

static const struct test tests[] = { { "overflow", overflow } };

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
