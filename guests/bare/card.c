/* SPDX-License-Identifier: GPL-2.0-only */
/* The card of tests/host/card.c: a level that stays, or comes back, until there is nothing left to
 * do. */
#include "lib/gic.h"

#define CARD 0x01010000UL
#define SPI  (32 + 40)
#define WORK 100

static volatile unsigned int interrupts;

/* One piece at a time; each end of an interrupt lowers the line, and the card raises it again. */
static void took(u32 intid)
{
	if (intid != SPI)
		finish(2);
	interrupts++;
	read32(CARD);
}

int main(void)
{
	gic_init();
	gic_enable(SPI);
	irq_handler = took;
	irqs_on();
	write32(CARD, WORK);
	if (!wait_for(interrupts == WORK, LONG))
		finish(3);
	wait_for(false, 50);
	finish(interrupts == WORK && !gic_pending(SPI) ? 0 : 4);
}
