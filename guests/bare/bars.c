/* SPDX-License-Identifier: GPL-2.0-only */
/* BARs, the window into them and MSI-X messages, put where they do not belong: nothing else is
 * disturbed. */
#include "lib/gic.h"
#include "lib/virtio.h"

#define BAR0_SIZE  0x4000u
#define MSIX_BAR   2
#define WINDOW_END (PCI_WINDOW + PCI_WINDOW_SIZE)

static struct blk blk, other;

static void set_bar(const struct blk *b, unsigned int bar, u32 at)
{
	write32(pci_config(b->where.rid) + PCI_BAR0 + bar * 4, at);
}

static void works(struct blk *b, const char *after)
{
	where_map(&b->where);
	check(blk_start(b, 0), "%s: the device does not start", after);
	check(blk_request(b, BLK_IN, 0) == BLK_OK, "%s: a read fails", after);
}

/* All ones, where a host bridge answers for nobody. */
static bool is_hole(u64 at)
{
	u32 val;

	expect_aborts();
	val = read32(at);
	return expected_aborts().count || val == ~0u;
}

/* Outside its window a BAR is decoded nowhere, whatever is there already. */
static void misplaced(void)
{
	static volatile u32 word __attribute__((aligned(BAR0_SIZE))) = 0x600df00d;
	static const u64 at[] = { UART_BASE,  EXIT_BASE,  GICD_BASE,
		                  ITS_BASE,   ECAM_BASE,  0,
		                  0x02000000, (u64)&word, PCI_WINDOW - BAR0_SIZE,
		                  WINDOW_END, 0xffffc000 };
	u64 old;

	blk_find(&blk);
	old = pci_bar(blk.where.rid, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		bool hole = is_hole(at[i]);

		set_bar(&blk, 0, at[i]);
		check(pci_bar(blk.where.rid, 0) == at[i], "BAR 0 does not hold %lx", at[i]);
		check(is_hole(old + COMMON_STATUS), "BAR 0 is still where it was");
		check(is_hole(at[i]) == hole, "BAR 0 is decoded at %lx", at[i]);
		check(word == 0x600df00d, "memory is gone from under BAR 0: %x", word);
		write8(UART_BASE + 0x1007, i);
		check(read8(UART_BASE + 0x1007) == i, "the UART is gone");
		check(read32(EXIT_BASE) == 0, "the exit device is gone");
		check(read32(pci_config(blk.where.rid)) == 0x10421af4,
		      "the configuration space is gone");
		set_bar(&blk, 0, old);
		works(&blk, "a BAR that came back");
	}
}

/* Up to its last byte the window is a BAR's. */
static void edges(void)
{
	static const u64 at[] = { PCI_WINDOW, PCI_WINDOW + BAR0_SIZE, WINDOW_END - BAR0_SIZE };

	blk_find(&blk);
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		set_bar(&blk, 0, at[i]);
		works(&blk, "a BAR at the window's edge");
		check(blk.where.common == at[i], "BAR 0 is elsewhere");
	}
}

/* Two on one place: either may answer, and after that each answers on its own. */
static void overlaps(void)
{
	u64 first, msix, second;

	blk_find(&blk);
	other.where.rid = blk.where.rid + 1;
	other.where.vector = NO_VECTOR;
	check(pci_find(0x1af4, 0x1042, &other.where.rid), "no second disk");
	pci_enable(other.where.rid);
	works(&other, "the second disk");
	first = pci_bar(blk.where.rid, 0);
	msix = pci_bar(blk.where.rid, MSIX_BAR);
	second = pci_bar(other.where.rid, 0);
	set_bar(&blk, MSIX_BAR, first);
	read32(first);
	set_bar(&blk, MSIX_BAR, msix);
	works(&blk, "MSI-X's BAR over the other");
	set_bar(&blk, 0, msix);
	read32(msix);
	set_bar(&blk, 0, first);
	works(&blk, "a BAR over MSI-X's");
	set_bar(&blk, 0, second);
	read32(second);
	set_bar(&blk, 0, first);
	works(&other, "the second disk's BAR covered");
	works(&blk, "the BAR that covered it");
	set_bar(&other, 0, first);
	set_bar(&blk, 0, second); /* they have changed places */
	works(&other, "BARs that changed places, second disk");
	works(&blk, "BARs that changed places");
}

static void toggled(void)
{
	u64 command;

	blk_find(&blk);
	command = pci_config(blk.where.rid) + PCI_COMMAND;
	for (unsigned int i = 0; i < 200; i++) {
		write16(command, PCI_COMMAND_MASTER);
		check(is_hole(blk.where.common), "a BAR that is not enabled is decoded");
		write16(command, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
		blk_kick(&blk);
	}
	works(&blk, "decoding switched off and on");
}

/* The window of configuration space into BAR 0 (4.1.4.9). */
static void window(void)
{
	static const struct {
		u8 bar;
		u32 offset, len;
	} bad[] = { { 0, 1, 4 },   { 0, 2, 4 },          { 0, 0, 3 },   { 0, 0, 0 },
		    { 0, 0, 8 },   { 0, BAR0_SIZE, 4 },  { 1, 0, 4 },   { 6, 0, 4 },
		    { 255, 0, 4 }, { 0, 0xfffffffc, 4 }, { 0, 0, ~0u }, { 0, BAR0_SIZE - 2, 4 } };
	unsigned int cap = 0;
	u64 at;

	blk_find(&blk);
	do
		cap = pci_capability(blk.where.rid, PCI_CAP_VENDOR, cap);
	while (cap && read8(pci_config(blk.where.rid) + cap + 3) != 5);
	check(cap, "no window");
	at = pci_config(blk.where.rid) + cap;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		write8(at + 4, bad[i].bar);
		write32(at + 8, bad[i].offset);
		write32(at + 12, bad[i].len);
		write32(at + 16, ~0u);
		read32(at + 16);
	}
	works(&blk, "a window onto nothing");
	write8(at + 4, 0);
	write32(at + 8, COMMON_STATUS);
	write32(at + 12, 1);
	check((read32(at + 16) & 0xff) == read8(blk.where.common + COMMON_STATUS),
	      "not the status");
	write32(at + 16, 0);
	check(wait_for(read8(blk.where.common + COMMON_STATUS) == 0, LONG),
	      "no reset through the window");
	works(&blk, "a window onto the status");
}

/* Messages to where no interrupt controller is: they are lost, or words of memory. */
static void messages(void)
{
	static volatile u32 word;
	static const u64 to[] = { 0,
		                  ~3UL,
		                  ITS_DOORBELL,
		                  ITS_DOORBELL + 4,
		                  ITS_BASE,
		                  GICD_BASE,
		                  UART_BASE,
		                  EXIT_BASE,
		                  ECAM_BASE,
		                  PCI_WINDOW,
		                  ITS_DOORBELL | 1UL << 32,
		                  (u64)&word + 1,
		                  0x8ffffffe };

	blk_find(&blk);
	blk.where.vector = 1;
	msix_mask(&blk.where.msix, 1, false);
	msix_control(&blk.where.msix, MSIX_ENABLE);
	for (unsigned int i = 0; i < ARRAY_SIZE(to); i++) {
		for (u32 data = 1; data; data *= 0x10000) {
			msix_set(&blk.where.msix, 1, to[i], data);
			works(&blk, "a message to nowhere");
		}
	}
	word = 0;
	msix_set(&blk.where.msix, 1, (u64)&word, 0xcafe);
	works(&blk, "a message to memory");
	check(wait_for(word == 0xcafe, LONG), "the message did not arrive: %x", word);
	write8(blk.where.msix.table + 16 + 8, 0xff);
	write16(blk.where.msix.table + 16 + 8, 0xffff);
	check(read32(blk.where.msix.table + 16 + 8) == 0xcafe, "part of a word is written");
	write32(blk.where.msix.pending, ~0u);
	check(!read32(blk.where.msix.pending), "the pending bits can be written");
	for (u32 at = 0; at < 0x10000; at += 0x7f8)
		for (unsigned int size = 1; size <= 8; size *= 2)
			read_sized(pci_bar(blk.where.rid, MSIX_BAR) + at, size);
}

static const struct test tests[] = {
	{ "misplaced", misplaced }, { "edges", edges },   { "overlaps", overlaps },
	{ "toggled", toggled },     { "window", window }, { "messages", messages },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
