/* SPDX-License-Identifier: GPL-2.0-only */
/* The exit device: the parameter "status=N" is what the guest ends with; other
 * writes do nothing. */
#include "lib/guest.h"

static void status(void)
{
	finish(parameter_after("status=", 1));
}

/* It is a register of 32 bits at one address. */
static void narrow(void)
{
	write8(EXIT_BASE, 7);
	write16(EXIT_BASE, 7);
	write64(EXIT_BASE, 7);
	write32(EXIT_BASE + 4, 7);
	check(read32(EXIT_BASE) == 0, "the exit device reads %x", read32(EXIT_BASE));
}

static const struct test tests[] = { { "status", status }, { "narrow", narrow } };

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
