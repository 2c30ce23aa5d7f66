/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of a host's, driven by whoever means harm: configuration space, vectors and BARs with
 * every pattern, resets in between. Afterwards each of them answers as before. "seed=N" repeats
 * what is drawn, "all=1" is every byte. */
#include "lib/gic.h"
#include "lib/pci.h"
#include "lib/random.h"

/* Where messages may land, and transfers: the last 16 MiB of the scenario's 256 MiB. */
#define ARENA      0x8f000000UL
#define ARENA_SIZE 0x1000000UL
#define NO_ANSWER  0xffffffffu
#define CAP_EXP    0x10
#define CAP_AF     0x13
#define E1000E     0x10d38086
#define IGB        0x10c98086
#define NVME       0x00101b36
#define PORT       0x000c1b36

static struct function {
	u32 rid, id;
	u64 config;
	unsigned int msix_bar; /* 6: it has none */
	u16 nr_vectors;
} functions[8];
static unsigned int nr_functions;

/* Small, all ones, one bit, or anything. */
static u64 value(void)
{
	switch (random_below(4)) {
	case 0: return random_below(10);
	case 1: return ~0UL >> random_below(64);
	case 2: return 1UL << random_below(64);
	default: return random_bits();
	}
}

/* A reset that was asked for has ended. */
static void answers(const struct function *f)
{
	check(wait_for(read32(f->config) != NO_ANSWER, LONG), "function %x does not answer",
	      f->rid);
}

/* What it does at its first BAR that is not its vectors'. */
static u32 first_word(const struct function *f)
{
	for (unsigned int bar = 0; bar < 6; bar++) {
		const u32 size = pci_bar_size(f->rid, bar);

		if (size && bar != f->msix_bar)
			return read32(pci_bar(f->rid, bar));
		if (size && (read32(f->config + PCI_BAR0 + bar * 4) & 6) == 4)
			bar++;
	}
	return 0;
}

static bool is_whole(const struct function *f)
{
	answers(f);
	pci_enable(f->rid);
	return read32(f->config) == f->id && first_word(f) != NO_ANSWER;
}

static void works(const struct function *f, const char *after)
{
	check(wait_for(is_whole(f), LONG), "%s: function %x is not what it was: %x, %x", after,
	      f->rid, read32(f->config), first_word(f));
}

/* One alone: another's BARs may be where its own are put again. */
static void all_work(const char *after)
{
	for (unsigned int i = 0; i < nr_functions; i++) {
		answers(&functions[i]);
		write16(functions[i].config + PCI_COMMAND, 0);
	}
	for (unsigned int i = 0; i < nr_functions; i++) {
		works(&functions[i], after);
		write16(functions[i].config + PCI_COMMAND, 0);
	}
}

static void find(void)
{
	for (u32 rid = 0; rid < 256 && nr_functions < ARRAY_SIZE(functions); rid += 8) {
		struct function *f = &functions[nr_functions];
		const u32 id = read32(pci_config(rid));
		unsigned int msix;

		if (id == NO_ANSWER || id == PORT)
			continue;
		*f = (struct function){ rid, id, pci_config(rid), 6, 0 };
		msix = pci_capability(rid, PCI_CAP_MSIX, 0);
		if (msix) {
			f->msix_bar = read32(f->config + msix + 4) & 7;
			f->nr_vectors = (read16(f->config + msix + 2) & 0x7ff) + 1;
		}
		nr_functions++;
		works(f, "at the start");
		print("function %x: %x, %u vectors\n", rid, id, f->nr_vectors);
	}
	check(nr_functions, "no function");
}

static void put(const struct function *f, unsigned int at, unsigned int size, u64 val)
{
	write_sized(f->config + at, size, val);
	if (read32(f->config) == NO_ANSWER)
		answers(f);
}

/* Each place of [0, @end), as of @size bytes: ones, zeros, chance; with @walking each bit alone. */
static void fill(const struct function *f, unsigned int size, unsigned int end, bool walking)
{
	for (unsigned int at = 0; at < end; at += size) {
		put(f, at, size, ~0UL);
		put(f, at, size, random_bits());
		put(f, at, size, 0);
		for (unsigned int bit = 0; walking && bit < size * 8; bit++) {
			put(f, at, size, 1UL << bit);
			put(f, at, size, ~(1UL << bit));
		}
	}
}

static void config(void)
{
	const bool all = parameter_after("all=", 0);

	for (unsigned int i = 0; i < nr_functions; i++) {
		const struct function *f = &functions[i];

		fill(f, 4, 4096, false);
		works(f, "words");
		fill(f, 4, all ? 256 : 0, true);
		works(f, "walking bits");
		fill(f, 2, all ? 4096 : 256, false);
		works(f, "halfwords");
		fill(f, 1, all ? 4096 : 256, false);
		works(f, "bytes");
		expect_aborts();
		fill(f, 8, 256, false);
		expected_aborts();
		works(f, "doublewords");
	}
}

/* Cards have causes that a driver may set: whatever vectors it says. */
static void raise(const struct function *f)
{
	const u64 regs = pci_bar(f->rid, 0);

	if (f->id == E1000E) {
		write32(regs + 0xc0, ~0u);     /* ICR: none yet */
		write32(regs + 0xe4, 0xcba98); /* IVAR */
		write32(regs + 0xd0, ~0u);     /* IMS */
		write32(regs + 0xc8, ~0u);     /* ICS */
	} else if (f->id == IGB) {
		write32(regs + 0x1514, 0x10); /* GPIE: many vectors */
		write32(regs + 0x1524, ~0u);  /* EIMS */
		write32(regs + 0x1520, ~0u);  /* EICS */
	}
}

/* Of what becomes an address, byte 3 is one that does no harm to this program. */
static u32 harmless(void)
{
	static const u32 tops[] = { ARENA, 0, 0xff000000, ITS_DOORBELL & 0xff000000 };

	return (value() & 0xffffff) | tops[random_below(ARRAY_SIZE(tops))];
}

static void write_entry(const struct msix *m, unsigned int vector, u64 val)
{
	const u64 entry = m->table + vector * 16;

	write32(entry, harmless());
	write32(entry + 4, random_below(2) ? 0 : val);
	write32(entry + 8, val);
	write32(entry + 12, val);
	write64(entry + 8, val);
	write16(entry + 2 * random_below(8), val);
	write8(entry + random_below(16), val);
}

static void table_of(const struct function *f, struct msix *m)
{
	static const u64 values[] = { ~0UL, 0, 1, 0xaaaaaaaaaaaaaaaa };
	static const u16 controls[] = { MSIX_ENABLE, MSIX_ENABLE | MSIX_MASK_ALL, 0, 0xffff };

	for (unsigned int i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(controls); i++) {
		msix_control(m, controls[i % ARRAY_SIZE(controls)]);
		for (unsigned int vector = 0; vector < m->nr; vector++)
			write_entry(m, vector, values[i / ARRAY_SIZE(controls)]);
		raise(f);
		for (u64 at = m->pending; at < m->pending + m->nr / 8; at++)
			write8(at, 0xff);
		write64(m->pending, i & 1 ? ~0UL : 0);
		msix_control(m, MSIX_ENABLE);
	}
}

/* Its vectors are words of memory: one that is raised arrives. */
static void sends(const struct function *f, const struct msix *m)
{
	volatile u32 *word = (volatile u32 *)ARENA;

	*word = 0;
	for (unsigned int vector = 0; vector < m->nr; vector++) {
		msix_set(m, vector, ARENA, 0x600d);
		msix_mask(m, vector, false);
	}
	msix_control(m, MSIX_ENABLE);
	raise(f);
	check(wait_for(*word == 0x600d, LONG), "function %x sends no message", f->rid);
	msix_control(m, 0);
}

static void table(void)
{
	for (unsigned int i = 0; i < nr_functions; i++) {
		const struct function *f = &functions[i];
		struct msix m;

		if (!f->nr_vectors)
			continue;
		works(f, "before its vectors");
		msix_find(&m, f->rid);
		table_of(f, &m);
		works(f, "its vectors");
		if (f->id == E1000E)
			sends(f, &m);
	}
}

/* By whatever of the two capabilities it has. */
static void reset(const struct function *f)
{
	const unsigned int exp = pci_capability(f->rid, CAP_EXP, 0);
	const unsigned int af = pci_capability(f->rid, CAP_AF, 0);

	if (exp)
		write16(f->config + exp + 8, 1 << 15);
	if (af)
		write8(f->config + af + 4, 1);
}

static void set_bar(const struct function *f, unsigned int bar, u64 at)
{
	write32(f->config + PCI_BAR0 + bar * 4, at);
	if (bar < 5 && (read32(f->config + PCI_BAR0 + bar * 4) & 6) == 4)
		write32(f->config + PCI_BAR0 + bar * 4 + 4, at >> 32);
}

/* Where one may be put: where others are, across the window's ends, at none of its multiples. */
static u64 place(void)
{
	static const u64 at[] = { 0,
		                  UART_BASE,
		                  EXIT_BASE,
		                  GICD_BASE,
		                  ITS_BASE,
		                  ECAM_BASE,
		                  RAM_BASE,
		                  ARENA,
		                  PCI_WINDOW - 0x1000,
		                  PCI_WINDOW,
		                  PCI_WINDOW + 0x1000,
		                  PCI_WINDOW + 0x12345678,
		                  PCI_WINDOW + PCI_WINDOW_SIZE - 0x1000,
		                  0x800000000,
		                  0xffff0000,
		                  1UL << 40,
		                  ~0UL };
	const struct function *other = &functions[random_below(nr_functions)];

	return random_below(2) ? at[random_below(ARRAY_SIZE(at))]
	                       : pci_bar(other->rid, random_below(6));
}

/* What is there afterwards, if it is in the window: any answer will do. */
static void touch(u64 at)
{
	if (at < PCI_WINDOW || at >= PCI_WINDOW + PCI_WINDOW_SIZE - 8)
		return;
	read32(at & ~3UL);
	read64(at & ~7UL);
	read8(at);
}

static void board_is_there(void)
{
	write8(UART_BASE + 0x1007, 0x5a);
	check(read8(UART_BASE + 0x1007) == 0x5a, "the UART is gone");
	check(read32(EXIT_BASE) == 0, "the exit device is gone");
}

static void move(const struct function *f)
{
	const u64 at = place();

	set_bar(f, random_below(6), at);
	touch(at);
	if (!random_below(4))
		write16(f->config + PCI_COMMAND, value());
	if (!random_below(4))
		write16(f->config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	touch(at);
	board_is_there();
}

static void bars(void)
{
	const u64 count = parameter_after("count=", 200);

	for (u64 n = 1; n <= count; n++) {
		for (unsigned int i = 0; i < nr_functions; i++)
			move(&functions[i]);
		if (n % 16 == 0)
			reset(&functions[random_below(nr_functions)]);
		if (n % 32 == 0)
			all_work("BARs moved");
	}
}

/* A ring of what a card is to send: frames, and the ring itself, anywhere. */
static void send_from_anywhere(const struct function *f)
{
	const u64 regs = pci_bar(f->rid, 0), ring = random_below(2) ? ARENA : place();
	volatile u64 *desc = (volatile u64 *)ARENA;

	for (unsigned int i = 0; i < 16; i++) {
		desc[2 * i] = random_below(2) ? place() + value() % 0x1000 : value();
		desc[2 * i + 1] = 0x0b000000 | (value() & 0xffff); /* EOP, IFCS, RS */
	}
	write32(regs + 0x400, 0);     /* TCTL */
	write32(regs + 0x3800, ring); /* TDBAL */
	write32(regs + 0x3804, ring >> 32);
	write32(regs + 0x3808, 0x100); /* TDLEN */
	write32(regs + 0x3810, 0);     /* TDH */
	write32(regs + 0x400, 0xa);
	write32(regs + 0x3818, 15); /* TDT */
	wait_for(read32(regs + 0x3810) == 15, 100);
}

/* The queue of a disk's administrator is anywhere. */
static void command_from_anywhere(const struct function *f)
{
	const u64 regs = pci_bar(f->rid, 0), queue = place() & ~0xfffUL;

	write32(regs + 0x14, 0); /* CC */
	wait_for(!(read32(regs + 0x1c) & 1), LONG);
	write32(regs + 0x24, 0xf000f); /* AQA */
	write64(regs + 0x28, queue);   /* ASQ */
	write64(regs + 0x30, place() & ~0xfffUL);
	write32(regs + 0x14, 0x460001);
	wait_for(read32(regs + 0x1c) & 3, LONG);
	write32(regs + 0x1000, 3); /* its doorbell */
	wait_for(read32(regs + 0x1c) & 2, 100);
}

static void dma(void)
{
	const u64 count = parameter_after("count=", 20);

	for (unsigned int i = 0; i < nr_functions; i++) {
		const struct function *f = &functions[i];

		works(f, "before its DMA");
		for (u64 n = 0; n < count && f->id == E1000E; n++)
			send_from_anywhere(f);
		for (u64 n = 0; n < count && f->id == NVME; n++)
			command_from_anywhere(f);
		works(f, "DMA to anywhere");
		board_is_there();
	}
}

static void step(const struct function *f)
{
	const unsigned int size = 1 << random_below(3), kind = random_below(16);
	const unsigned int at = (random_below(4) ? random_below(256) : random_below(4096)) & -size;
	struct msix m;

	if (kind < 8) {
		write_sized(f->config + at, size, value());
	} else if (kind < 11) {
		move(f);
	} else if (kind < 14 && f->nr_vectors) {
		answers(f);
		pci_enable(f->rid);
		msix_find(&m, f->rid);
		msix_control(&m, MSIX_ENABLE | (random_below(4) ? 0 : MSIX_MASK_ALL));
		write_entry(&m, random_below(m.nr), value());
		raise(f);
	} else if (kind == 15) {
		reset(f);
	}
}

static void mixed(void)
{
	const u64 count = parameter_after("count=", 2000);

	for (u64 n = 1; n <= count; n++) {
		expect_aborts();
		step(&functions[random_below(nr_functions)]);
		expected_aborts();
		if (n % 500 == 0)
			all_work("all of it mixed");
	}
}

static const struct test tests[] = {
	{ "config", config }, { "table", table }, { "bars", bars },
	{ "mixed", mixed },   { "dma", dma },
};

int main(void)
{
	random_seed(parameter_after("seed=", 1));
	print("seed=%lu\n", parameter_after("seed=", 1));
	find();
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
