/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_BARE_LIB_LEAVES_H
#define GUESTS_BARE_LIB_LEAVES_H

#include "lib/guest.h"

/* Ways to leave what waits for this guest's answer. */
#define LEAVES_PVPANIC 0x01011000UL

static inline void leave_waiting(void)
{
	print("it waits\n");
	for (;;)
		;
}

static inline void leave_in_panic(void)
{
	write8(LEAVES_PVPANIC, 1);
	fail("a panic, and the guest goes on");
}

/* Each time it comes up it says so. */
static inline void leave_by_reset(void (*works)(void), void (*begins)(void))
{
	print("boot\n");
	works();
	begins();
	psci_system_reset();
}

#endif
