/* SPDX-License-Identifier: GPL-2.0-only */
/* Random accesses to a virtio-blk function, its root port, its rings and the board's devices;
 * "seed=N" repeats them, "count=N" of them. */
#include "lib/port.h"
#include "lib/virtio.h"

/*
 * Where the device's transfers may land: the last 16 MiB of the scenario's
 * 256 MiB. So byte 3 of whatever can become an address is one of three.
 */
#define ARENA      0x8f000000UL
#define ARENA_SIZE 0x1000000UL
static const u8 top_bytes[] = { ARENA >> 24, 0x00, 0xff };

static struct blk blk;
static u64 state[NR_CPUS]; /* of the generator, one a CPU (xorshift64*, never 0) */
static u32 window; /* the data register of the window into BAR 0, which would evade the rule */
static volatile bool stop;
static bool behind_port; /* device 0 is a port, the disk behind it */

static u64 draw(void)
{
	u64 *s = &state[this_cpu()];

	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * 0x2545f4914f6cdd1dUL >> 8;
}

static u32 below(u32 limit)
{
	return draw() % limit;
}

/* Small, all ones, or anything: what finds edges. */
static u64 value(void)
{
	switch (below(4)) {
	case 0: return below(10);
	case 1: return ~0UL >> below(64);
	case 2: return 1UL << below(64);
	default: return draw() ^ draw() << 32;
	}
}

/* A value whose byte 3, counted from an address that is a multiple of 8, obeys the rule. */
static u64 harmless(unsigned int offset, unsigned int size)
{
	u64 val = value();

	if ((offset & 7) > 3 || (offset & 7) + size <= 3)
		return val;
	val &= ~(0xffUL << (3 - (offset & 7)) * 8);
	return val | (u64)top_bytes[below(sizeof(top_bytes))] << (3 - (offset & 7)) * 8;
}

static u64 address(void)
{
	return below(8) ? ARENA + below(0x1000) * 8 : harmless(0, 8);
}

static void fuzz_config(void)
{
	unsigned int size = 1 << below(4);
	unsigned int at = (below(4) ? below(256) : below(4096)) & -size;

	if (at <= window && at + size > window)
		return;
	if (below(4))
		write_sized(pci_config(blk.where.rid) + at, size, value());
	else
		read_sized(pci_config(blk.where.rid) + at, size);
}

/* Most of it where registers are. */
static void fuzz_bar(unsigned int bar, unsigned int size_of_bar)
{
	unsigned int size = 1 << below(4);
	unsigned int at = below(3) ? below(64) + below(size_of_bar >> 12) * 0x1000
	                           : below(size_of_bar);
	u64 base = pci_bar(blk.where.rid, bar);

	at &= -size;
	if (base - RAM_BASE < ARENA - RAM_BASE)
		return; /* a BAR may be put anywhere; this program is there */
	if (below(4))
		write_sized(base + at, size, harmless(at, size));
	else
		read_sized(base + at, size);
}

static void fuzz_uart(void)
{
	u64 at = UART_BASE + 0x1000 * (1 + below(3)) + below(16);

	if (below(2))
		write8(at, value());
	else
		read8(at);
}

/* The clock, the GPIO and pvpanic, but for what would be a panic. */
static void fuzz_onboard(void)
{
	static const u64 pages[] = { 0x01010000, 0x01030000 };
	unsigned int size = 1 << below(4);
	u64 at = pages[below(2)] + (below(0x1000) & -size);

	if (!below(8))
		write_sized(0x01011000, 1 + below(2), value() & ~1UL);
	else if (below(2))
		write_sized(at, size, value());
	else
		read_sized(at, size);
}

static void fuzz_memory(void)
{
	struct desc *d = (struct desc *)ARENA;

	for (unsigned int i = below(16); i < 16; i++)
		d[i] = (struct desc){ address(), below(4) ? below(4) * 256 + below(17) : value(),
			              below(8), below(9) };
	/* Any of these may be a descriptor's address. */
	*(volatile u64 *)(ARENA + below(0x1000) * 8) = harmless(0, 8);
}

static void fuzz_port(void)
{
	unsigned int size = 1 << below(3);
	unsigned int at = (below(8) ? below(128) : below(4096)) & -size;

	if (behind_port)
		write_sized(port_config(0) + at, size, value());
}

/* The disk, wherever it is, and whatever was done to what is before it. */
static void find(void)
{
	if (!behind_port) {
		blk_find(&blk);
		return;
	}
	blk.where.rid = port_open(0);
	blk.where.vector = NO_VECTOR;
	pci_enable(blk.where.rid);
	where_map(&blk.where);
}

/* A device that starts, on rings of the arena; what is in them is chance. */
static void fuzz_start(void)
{
	struct blk_header *header = (struct blk_header *)(ARENA + 0x800);
	u16 *avail = (u16 *)(ARENA + 0x400);

	find();
	if (!blk_negotiate(&blk, below(2) ? F_INDIRECT : 1UL << 29))
		return;
	blk.where.vector = below(3);
	blk_set_queue(&blk, ARENA, below(8) ? ARENA + 0x400 : address(),
	              below(8) ? ARENA + 0x600 : address());
	blk_go(&blk);
	fuzz_memory();
	*header = (struct blk_header){ below(5), 0, below(4) ? below(2000) : value() };
	if (below(2)) {
		((struct desc *)ARENA)[0] =
			(struct desc){ (u64)header, 16, DESC_NEXT, 1 + below(3) };
		avail[2] = 0;
	}
	avail[1] = below(3);
	blk_kick(&blk);
}

static void step(void)
{
	static void (*const others[])(void) = { fuzz_uart, fuzz_onboard, fuzz_memory, fuzz_start,
		                                fuzz_port };
	unsigned int kind = below(16);

	if (kind < 4)
		fuzz_config();
	else if (kind < 10)
		fuzz_bar(0, 0x4000);
	else if (kind < 12)
		fuzz_bar(2, 0x10000);
	else if (kind < 14)
		blk_kick(&blk);
	else
		others[below(ARRAY_SIZE(others))]();
}

/* The other CPU reads, and kicks. */
static void disturb(void)
{
	expect_aborts();
	while (!stop) {
		unsigned int size = 1 << below(4);
		u64 at = below(0x4000) & -size;

		read_sized(pci_bar(blk.where.rid, 0) + at, size);
		read_sized(pci_config(blk.where.rid) + at % 4096, size);
		write16(pci_bar(blk.where.rid, 0) + 0x3000, 0);
	}
	expected_aborts();
}

static void works(u64 after)
{
	find();
	msix_control(&blk.where.msix, 0);
	check(blk_start(&blk, 0), "after %lu: the device does not start", after);
	memset(blk.data, after, SECTOR);
	check(blk_request(&blk, BLK_OUT, 9) == BLK_OK, "after %lu: a write fails", after);
	memset(blk.data, ~after, SECTOR);
	check(blk_request(&blk, BLK_IN, 9) == BLK_OK, "after %lu: a read fails", after);
	check(blk.data[SECTOR - 1] == (u8)after, "after %lu: wrong data", after);
}

static void find_window(void)
{
	unsigned int cap = 0;

	do
		cap = pci_capability(blk.where.rid, PCI_CAP_VENDOR, cap);
	while (cap && read8(pci_config(blk.where.rid) + cap + 3) != 5);
	check(cap, "no window");
	window = cap + 16;
}

static void fuzz(void)
{
	u64 count = parameter_after("count=", 10000), seed = parameter_after("seed=", 1);
	unsigned int cpus = parameter_after("cpus=", 1);

	print("seed=%lu count=%lu\n", seed, count);
	state[0] = seed * 2 + 1;
	state[1] = seed * 2 + 3;
	behind_port = read32(pci_config(0)) == PORT_ID;
	find();
	find_window();
	if (cpus > 1)
		check(psci_cpu_on(1, disturb) == PSCI_OK, "CPU 1 does not start");
	for (u64 i = 1; i <= count; i++) {
		expect_aborts();
		step();
		expected_aborts();
		if (i % 1000 == 0 || i == count)
			works(i);
	}
	stop = true;
}

static const struct test tests[] = { { "fuzz", fuzz } };

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
