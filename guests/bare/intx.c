/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio-blk function and its command register: INTx, a level that reading ISR takes back; Bus
 * Master Enable. */
#include "lib/gic.h"
#include "lib/virtio.h"

#define PCI_STATUS_INTX (1u << 19) /* of the command and status registers as one */

static struct blk blk;
static volatile unsigned int interrupts;
static volatile u8 isr;

static void took(u32 intid)
{
	check(intid == SPI_INTX0 + blk.where.rid / 8 % 4, "interrupt %u", intid);
	check(!interrupts++, "the interrupt does not end");
	check(read32(pci_config(blk.where.rid) + PCI_COMMAND) & PCI_STATUS_INTX,
	      "no interrupt status");
	isr = read8(blk.where.isr);
}

static void start(void)
{
	gic_init();
	irq_handler = took;
	blk_find(&blk);
	gic_enable(SPI_INTX0 + blk.where.rid / 8 % 4);
	check(blk_start(&blk, 0), "the device refuses its driver");
}

static void level(void)
{
	start();
	check(blk_request(&blk, BLK_IN, 0) == BLK_OK, "the read failed");
	check(wait_for(gic_pending(SPI_INTX0 + blk.where.rid / 8 % 4), LONG), "the line stays low");
	irqs_on();
	check(wait_for(interrupts, LONG), "no interrupt");
	check(isr == 1, "ISR %x", isr);
	check(read8(blk.where.isr) == 0, "ISR is not cleared by reading");
	check(!gic_pending(SPI_INTX0 + blk.where.rid / 8 % 4),
	      "the line is high after ISR was read");
}

/* Held back while the function's command register says so, and not lost by it. */
static void disabled(void)
{
	u64 command;

	start();
	command = pci_config(blk.where.rid) + PCI_COMMAND;
	write16(command, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
	irqs_on();
	check(blk_request(&blk, BLK_IN, 0) == BLK_OK, "the read failed");
	check(wait_for(read32(command) & PCI_STATUS_INTX, LONG), "no interrupt status");
	check(!interrupts, "an interrupt that is disabled");
	write16(command, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	check(wait_for(interrupts, LONG), "no interrupt after it was enabled");
}

/* Not a byte of the ring is touched, however often the device is looked at meanwhile. */
static void master(void)
{
	u64 command;

	start();
	command = pci_config(blk.where.rid) + PCI_COMMAND;
	write16(command, PCI_COMMAND_MEMORY);
	blk_submit(&blk, BLK_IN, 0);
	for (unsigned int i = 0; i < 2000; i++)
		check(!blk_done(&blk) && read8(blk.where.isr) == 0, "a request is served");
	write16(command, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	check(wait_for(blk_done(&blk), LONG), "the request is lost");
	check(blk.status == BLK_OK, "the read failed");
}

static const struct test tests[] = {
	{ "level", level },
	{ "disabled", disabled },
	{ "master", master },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
