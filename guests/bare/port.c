/* SPDX-License-Identifier: GPL-2.0-only */
/* Root ports (PCIe 6.0, 7.5.1.3), set up in every wrong way: what is behind them comes back. The
 * first two devices of bus 0 are ports with a disk behind each. */
#include "lib/port.h"
#include "lib/virtio.h"

enum { DISK_ID = 0x10421af4, NOT_THERE = 0xffffffff };

static struct blk disk[2];

static bool present(u8 bus)
{
	return read32(pci_config(bus << 8)) == DISK_ID;
}

static void place(unsigned int nr)
{
	disk[nr].where.rid = port_open(nr);
	disk[nr].where.vector = NO_VECTOR;
}

static void works(unsigned int nr, const char *after)
{
	struct blk *b = &disk[nr];

	check(present(nr + 1), "%s: the disk behind port %u is gone", after, nr);
	pci_enable(b->where.rid);
	where_map(&b->where);
	check(blk_start(b, 0), "%s: the disk behind port %u does not start", after, nr);
	check(blk_request(b, BLK_IN, 0) == BLK_OK, "%s: a read fails", after);
}

static void both_work(const char *after)
{
	for (unsigned int nr = 0; nr < 2; nr++)
		place(nr);
	for (unsigned int nr = 0; nr < 2; nr++)
		works(nr, after);
}

static unsigned int disks(void)
{
	unsigned int n = 0;

	for (unsigned int bus = 1; bus < 256; bus++)
		n += present(bus);
	return n;
}

static void numbers(void)
{
	both_work("at first");
	port_set_bus(0, 0, 0);
	check(read32(port_config(0)) == read32(port_config(1)), "the root bus is gone");
	check(disks() == 1, "%u disks, one port has bus 0", disks());
	port_set_bus(0, 2, 2);
	check(disks() == 1, "%u disks, both ports have bus 2", disks());
	port_set_bus(0, 255, 0);
	check(present(255) && disks() == 2, "a subordinate number below the secondary hides it");
	for (unsigned int i = 0; i < 256; i += 5) {
		unsigned int found;

		port_set_bus(0, i, 255 - i);
		port_set_bus(1, 255 - i, i);
		found = disks();
		check(found == (i == 0 || i == 255 ? 1 : 2), "%u disks on buses %u and %u", found,
		      i, 255 - i);
	}
	both_work("numbered anew");
}

/* Both, and the BARs behind them, on one place; and windows on all that is not PCI's. */
static void windows(void)
{
	static const u32 at[] = { 0x00000000, 0xfff0fff0, 0xfff00000, 0x0000fff0, 0x01000100,
		                  0x3ff03ff0, 0x40004000, 0x80008000, 0x50007ff0, 0xffffffff };

	both_work("at first");
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		for (unsigned int nr = 0; nr < 2; nr++) {
			write32(port_config(nr) + MEMORY_BASE, at[i]);
			write32(port_config(nr) + PREF_BASE, at[ARRAY_SIZE(at) - 1 - i]);
			write32(port_config(nr) + PREF_BASE_UPPER, i);
			write32(port_config(nr) + PREF_LIMIT_UPPER, i);
			write32(pci_config(disk[nr].where.rid) + PCI_BAR0, at[i] << 16);
		}
		check(disks() == 2, "%u disks with windows of %x", disks(), at[i]);
		check(read32(EXIT_BASE) == 0, "the exit device is gone");
	}
	both_work("with windows of its own");
	port_set_window(1, 1);
	for (unsigned int bar = 0; bar < 6; bar++)
		write32(pci_config(0x200) + PCI_BAR0 + bar * 4,
		        read32(pci_config(0x100) + PCI_BAR0 + bar * 4));
	check(blk_request(&disk[0], BLK_IN, 0) == BLK_OK, "a BAR that came later took the place");
	both_work("on one place");
}

static void hold(unsigned int nr, bool by_link)
{
	u64 at = by_link ? port_link_control(nr) : port_config(nr) + BRIDGE_CONTROL;
	u64 common = disk[nr].where.common;
	u8 status;

	write16(at, by_link ? LINK_DISABLE : BUS_RESET);
	check(read32(pci_config(disk[nr].where.rid)) == NOT_THERE, "it answers while it is held");
	check(!(read16(port_link_control(nr) + 2) & LINK_ACTIVE),
	      "the link is there while it is held");
	status = read8(common + COMMON_STATUS);
	check(status == 0xff, "its BAR is decoded while it is held: %x", status);
	write16(at, 0);
	check(wait_for(read16(port_link_control(nr) + 2) & LINK_ACTIVE, LONG),
	      "the link stays away");
	check(!read16(pci_config(disk[nr].where.rid) + PCI_COMMAND),
	      "the command register was kept");
	check(!pci_bar(disk[nr].where.rid, 0), "BAR 0 is at %lx after a reset",
	      pci_bar(disk[nr].where.rid, 0));
}

/* With requests in flight, which end or are forgotten. */
static void resets(void)
{
	both_work("at first");
	for (unsigned int i = 0; i < 200; i++) {
		struct blk *b = &disk[i % 2];

		blk_submit(b, BLK_IN, i % 8);
		hold(i % 2, i & 2);
		check(!blk_done(b) || b->status == BLK_OK, "a request failed: %u", b->status);
		works(i % 2, "after a reset");
	}
	both_work("after all resets");
}

/* Nothing behind a port reaches memory without the port's own leave. */
static void master(void)
{
	both_work("at first");
	write16(port_config(0) + PCI_COMMAND, PCI_COMMAND_MEMORY);
	blk_submit(&disk[0], BLK_IN, 0);
	check(blk_request(&disk[1], BLK_IN, 0) == BLK_OK, "the other port is held too");
	check(!wait_for(blk_done(&disk[0]), 100), "a request is served without the port");
	write16(port_config(0) + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	check(wait_for(blk_done(&disk[0]), LONG), "a request is lost");
}

static volatile bool stop;

static void resetter(void)
{
	for (unsigned int i = 0; !stop; i++)
		write16(port_config(0) + BRIDGE_CONTROL, i & 1 ? BUS_RESET : 0);
	write16(port_config(0) + BRIDGE_CONTROL, 0);
	stop = false;
	psci_cpu_off();
}

/* Another CPU resets the bus all the time, while this one sets the disk up and uses it. */
static void race(void)
{
	u64 end;

	both_work("at first");
	check(psci_cpu_on(1, resetter) == PSCI_OK, "no second CPU");
	end = now() + ms(1000);
	expect_aborts();
	while (now() < end) {
		u64 config = pci_config(disk[0].where.rid);

		write32(config + PCI_BAR0, disk[0].where.common);
		write16(config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
		blk_set_queue(&disk[0], (u64)disk[0].ring.desc, (u64)&disk[0].ring.avail,
		              (u64)&disk[0].ring.used);
		blk_go(&disk[0]);
		blk_offer(&disk[0], 0);
		write8(disk[0].where.common + COMMON_STATUS, 0);
	}
	expected_aborts();
	stop = true;
	check(wait_for(!stop, LONG), "the other CPU does not stop");
	check(wait_for(present(1), LONG), "the disk does not come back");
	both_work("after a race");
}

static const struct test tests[] = { { "numbers", numbers },
	                             { "windows", windows },
	                             { "resets", resets },
	                             { "master", master },
	                             { "race", race } };

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
