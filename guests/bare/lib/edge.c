// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts that are edges of one INTID, counted. */
#include "edge.h"

#include "gic.h"

static volatile unsigned int came;
static u32 wanted;

static void took(u32 intid)
{
	check(intid == wanted, "interrupt %u", intid);
	came++;
}

void edge_start(u32 intid)
{
	wanted = intid;
	gic_init();
	irq_handler = took;
	gic_enable_edge(intid);
	irqs_on();
}

void edge_expect(unsigned int nr, const char *when)
{
	wait_for(came >= nr, nr ? LONG : 20);
	wait_for(false, 20);
	check(came == nr, "%s: %u interrupts", when, came);
	came = 0;
}
