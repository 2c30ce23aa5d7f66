/* SPDX-License-Identifier: GPL-2.0-only */
/* PSCI's SYSTEM_OFF and SYSTEM_RESET, and that a guest which is started again
 * finds a new machine. */
#include "lib/guest.h"

#define SCRATCH (UART_BASE + 0x1000 + 7) /* of the second UART */
#define FRESH   0x5a5a5a5a

static volatile u32 loaded = FRESH;

static void off(void)
{
	psci_system_off();
}

static void reset(void)
{
	psci_system_reset();
}

static void off_secondary(void)
{
	psci_cpu_on(1, psci_system_off);
	for (;;)
		;
}

static void reset_secondary(void)
{
	psci_cpu_on(1, psci_system_reset);
	for (;;)
		;
}

/* Memory as loaded, devices as made: nothing of the last time is there. */
static void again(void)
{
	print("boot\n");
	check(loaded == FRESH, "memory is not as it was loaded: %x", loaded);
	check(read8(SCRATCH) == 0, "a UART register was kept: %x", read8(SCRATCH));
	loaded = 1;
	write8(SCRATCH, 0x77);
	check(read8(SCRATCH) == 0x77, "the scratch register does not hold");
	psci_system_reset();
}

static const struct test tests[] = {
	{ "off", off },
	{ "reset", reset },
	{ "off-secondary", off_secondary },
	{ "reset-secondary", reset_secondary },
	{ "again", again },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
