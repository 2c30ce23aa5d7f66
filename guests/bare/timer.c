/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual timer: its interrupt comes, at its time and not before, and a masked one does not. */
#include "lib/gic.h"

#define ENABLE  1
#define MASKED  2
#define ISTATUS 4

static volatile unsigned int fired;
static volatile u64 fired_at;

static void took(u32 intid)
{
	check(intid == PPI_VTIMER, "interrupt %u", intid);
	fired_at = now();
	write_sysreg(cntv_ctl_el0, ENABLE | MASKED);
	asm volatile("isb");
	fired++;
}

static void start(void)
{
	gic_init();
	irq_handler = took;
	gic_enable(PPI_VTIMER);
	irqs_on();
}

static void program(u64 at, u64 control)
{
	write_sysreg(cntv_cval_el0, at);
	write_sysreg(cntv_ctl_el0, control);
	asm volatile("isb");
}

/* The CPU sleeps meanwhile: nothing but the timer's interrupt wakes it. */
static void on_time(void)
{
	start();
	for (unsigned int i = 1; i <= 100; i++) {
		u64 at = now() + ms(1 + i % 7);

		irqs_off();
		program(at, ENABLE);
		while (fired < i) {
			asm volatile("wfi");
			irqs_on();
			irqs_off();
		}
		check(fired == i, "%u interrupts of %u", fired, i);
		check(fired_at >= at, "interrupt %u came %lu ticks early", i, at - fired_at);
		check(fired_at - at < ms(LONG), "interrupt %u came %lu ticks late", i,
		      fired_at - at);
	}
}

static void masked(void)
{
	u64 at;

	start();
	at = now() + ms(5);
	program(at, ENABLE | MASKED);
	while (now() < at + ms(20))
		;
	check(read_sysreg(cntv_ctl_el0) & ISTATUS, "the timer's condition is not met");
	check(!fired, "a masked timer interrupts");
	program(at, ENABLE);
	check(wait_for(fired == 1, LONG), "an unmasked timer does not interrupt");
}

static const struct test tests[] = { { "on-time", on_time }, { "masked", masked } };

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
