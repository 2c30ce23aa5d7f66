/* SPDX-License-Identifier: GPL-2.0-only */
/* Two functions of the host's, an NVMe disk and an e1000e: the disk writes what it says of itself
 * into registers of the card, where the guest has that, and where it has it then. */
#include "lib/guest.h"
#include "lib/pci.h"

/* Registers and a command of an NVMe controller. */
enum { CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30, SQ0_TAIL = 0x1000 };
enum { CC_ENABLE = 1, CC_ENTRIES = 6 << 16 | 4 << 20, CSTS_READY = 1 };
enum { IDENTIFY = 6, IDENTIFY_CONTROLLER = 1 };
#define ENTRIES 16

/* The card's multicast table, 128 registers that hold what is written; in the page at 0x5000. */
#define PAGE   0x5000
#define TABLE  0x5200
#define NR     128
#define BEFORE 0x5a5a5a5a

struct command {
	u32 opcode, namespace, unused[4];
	u64 data, more;
	u32 cdw10, rest[5];
};
struct completion {
	u32 result, unused, queue, status;
};
static volatile struct command commands[ENTRIES] __attribute__((aligned(4096)));
static volatile struct completion completions[ENTRIES] __attribute__((aligned(4096)));
static volatile u32 identity[1024] __attribute__((aligned(4096)));

static u64 disk, card;
static unsigned int nr_done;

static void start(void)
{
	write32(disk + CC, 0);
	check(wait_for(!(read32(disk + CSTS) & CSTS_READY), LONG), "the disk does not stop");
	write32(disk + AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	write64(disk + ASQ, (u64)commands);
	write64(disk + ACQ, (u64)completions);
	write32(disk + CC, CC_ENABLE | CC_ENTRIES);
	check(wait_for(read32(disk + CSTS) & CSTS_READY, LONG), "the disk does not start");
}

/* Fewer than there are entries, so the phase is 1 throughout. */
static void identify(u64 to)
{
	volatile struct command *c = &commands[nr_done];
	const u32 phase = 1 << 16;

	c->opcode = IDENTIFY | nr_done << 16;
	c->data = to;
	c->cdw10 = IDENTIFY_CONTROLLER;
	barrier();
	write32(disk + SQ0_TAIL, nr_done + 1);
	check(wait_for(completions[nr_done].status & phase, LONG), "no answer, for %lx", to);
	check(!(completions[nr_done].status >> 17), "status %x, for %lx",
	      completions[nr_done].status >> 17, to);
	nr_done++;
}

static void reaches(const char *when)
{
	for (unsigned int i = 0; i < NR; i++)
		write32(card + TABLE + i * 4, BEFORE);
	identify(card + PAGE);
	check(wait_for(read32(card + TABLE) != BEFORE, LONG), "%s: nothing has arrived", when);
	for (unsigned int i = 0; i < NR; i++)
		check(read32(card + TABLE + i * 4) == identity[(TABLE - PAGE) / 4 + i],
		      "%s: register %u is %x, not %x", when, i, read32(card + TABLE + i * 4),
		      identity[(TABLE - PAGE) / 4 + i]);
}

static u64 find(u16 vendor, u16 device, u32 *rid)
{
	*rid = 0;
	check(pci_find(vendor, device, rid), "no %x:%x", vendor, device);
	pci_enable(*rid);
	return pci_bar(*rid, 0);
}

static void peer(void)
{
	u32 rid;

	disk = find(0x1b36, 0x0010, &rid);
	card = find(0x8086, 0x10d3, &rid);
	start();
	identify((u64)identity);
	check(identity[(TABLE - PAGE) / 4], "it says nothing of itself");
	reaches("where it was put first");
	card = PCI_WINDOW + PCI_WINDOW_SIZE / 2;
	write32(pci_config(rid) + PCI_BAR0, card);
	reaches("where it was moved to");
}

int main(void)
{
	static const struct test tests[] = { { "peer", peer } };

	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
