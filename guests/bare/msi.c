/* SPDX-License-Identifier: GPL-2.0-only */
/* MSI-X of a virtio-blk function, through the ITS or a v2m frame: completions are interrupts, or
 * pending bits while masked. */
#include "lib/gic.h"
#include "lib/virtio.h"

#define VECTOR 1

static struct blk blk;
static struct message message;
static volatile unsigned int interrupts;

static void took(u32 intid)
{
	check(intid == message.intid, "interrupt %u", intid);
	interrupts++;
}

static void start(void)
{
	gic_init();
	irq_handler = took;
	blk_find(&blk);
	messages_init(blk.where.rid);
	message = message_map(0);
	msix_set(&blk.where.msix, VECTOR, message.addr, message.data);
	msix_mask(&blk.where.msix, VECTOR, false);
	msix_control(&blk.where.msix, MSIX_ENABLE);
	blk.where.vector = VECTOR;
	check(blk_start(&blk, 0), "the device refuses its driver");
	irqs_on();
}

/* One request, which comes back; its interrupt may not have. */
static void request(u32 type, u64 sector)
{
	u8 status = blk_request(&blk, type, sector);

	check(status == BLK_OK, "request on sector %lu: status %u", sector, status);
}

static void expect_interrupts(unsigned int nr, const char *when)
{
	check(wait_for(interrupts >= nr, nr ? LONG : 0), "%s: no interrupt", when);
	wait_for(false, 20);
	check(interrupts == nr, "%s: %u interrupts instead of %u", when, interrupts, nr);
}

/* The scenario wrote sector 0, and looks at sector 1. */
static void disk(void)
{
	start();
	request(BLK_IN, 0);
	expect_interrupts(1, "a read");
	for (unsigned int i = 0; i < SECTOR; i += 16)
		check(!memcmp(&blk.data[i], "nestor-sector-0\n", 16), "sector 0, byte %u", i);
	for (unsigned int i = 0; i < SECTOR; i += 16)
		memcpy(&blk.data[i], "guest-sector--1\n", 16);
	request(BLK_OUT, 1);
	expect_interrupts(2, "a write");
}

static void vector_mask(void)
{
	start();
	msix_mask(&blk.where.msix, VECTOR, true);
	check(!msix_pending(&blk.where.msix, VECTOR), "pending before anything happened");
	request(BLK_IN, 0);
	expect_interrupts(0, "the vector is masked");
	check(msix_pending(&blk.where.msix, VECTOR), "masked, and not pending");
	check(!msix_pending(&blk.where.msix, 0), "another vector is pending");
	msix_mask(&blk.where.msix, VECTOR, false);
	expect_interrupts(1, "the vector is unmasked");
	check(!msix_pending(&blk.where.msix, VECTOR), "sent, and still pending");
	request(BLK_IN, 0);
	expect_interrupts(2, "after that");
}

static void function_mask(void)
{
	start();
	msix_control(&blk.where.msix, MSIX_ENABLE | MSIX_MASK_ALL);
	request(BLK_IN, 0);
	expect_interrupts(0, "the function is masked");
	check(msix_pending(&blk.where.msix, VECTOR), "masked, and not pending");
	msix_control(&blk.where.msix, MSIX_ENABLE);
	expect_interrupts(1, "the function is unmasked");
	check(!msix_pending(&blk.where.msix, VECTOR), "sent, and still pending");
}

/* A message is what the table holds when it is sent, not when it was first used. */
static void retarget(void)
{
	static volatile u32 word;
	struct message first;

	start();
	first = message;
	request(BLK_IN, 0);
	expect_interrupts(1, "the first message");
	msix_mask(&blk.where.msix, VECTOR, true);
	message_unmap(0);
	message = message_map(1);
	msix_set(&blk.where.msix, VECTOR, message.addr, message.data);
	msix_mask(&blk.where.msix, VECTOR, false);
	request(BLK_IN, 0);
	expect_interrupts(2, "the next message");
	msix_set(&blk.where.msix, VECTOR, (u64)&word, 0x12345678);
	request(BLK_IN, 0);
	check(wait_for(word == 0x12345678, LONG), "a message to memory wrote %x", word);
	expect_interrupts(2, "a message to memory");
	msix_set(&blk.where.msix, VECTOR, first.addr, first.data);
	request(BLK_IN, 0);
	expect_interrupts(2, "a message that is not mapped");
}

/* What the table holds, and what is pending, goes along with its BAR. */
static void moved(void)
{
	const u64 bar = pci_config(blk.where.rid) + PCI_BAR0 + 2 * 4;

	start();
	msix_mask(&blk.where.msix, VECTOR, true);
	request(BLK_IN, 0);
	write32(bar, PCI_WINDOW + PCI_WINDOW_SIZE - 0x10000);
	msix_find(&blk.where.msix, blk.where.rid);
	check(blk.where.msix.table == PCI_WINDOW + PCI_WINDOW_SIZE - 0x10000, "it did not move");
	check(msix_pending(&blk.where.msix, VECTOR), "nothing is pending any more");
	msix_mask(&blk.where.msix, VECTOR, false);
	expect_interrupts(1, "the vector is unmasked elsewhere");
	request(BLK_IN, 0);
	expect_interrupts(2, "after that");
}

static const struct test tests[] = {
	{ "disk", disk },
	{ "vector-mask", vector_mask },
	{ "function-mask", function_mask },
	{ "retarget", retarget },
	{ "moved", moved },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
