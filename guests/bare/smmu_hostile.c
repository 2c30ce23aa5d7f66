/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver of an SMMUv3 that misbehaves: registers, commands and tables of chance while the DMA
 * endpoint behind it transfers; queues of any size; tables in a ring. "seed=N" repeats what was
 * done, "count=N" of it. */
#include "lib/dmatest.h"
#include "lib/smmu.h"

/*
 * The last 16 MiB of the scenario's 256 MiB: all that may be written. So bytes 3 and 7 of whatever
 * can become an address, a message's data or an entry of a table end in 0xf. The two bits above are
 * any: they are RAM's in one case of four, and a block of 1 GiB keeps the rest. Tables, queues and
 * transfers keep that from then on: they move whole words.
 */
#define ARENA      0x8f000000UL
#define ARENA_SIZE 0x1000000UL
#define REGISTERS  0x20000
#define NR_SLOTS   16
#define WORKS      0x4000000000UL /* an address that is mapped when all is well */

static struct smmu s;
static struct dma_test d;
static struct tables t;
static struct cd cd;
static u8 memory[PAGE] __attribute__((aligned(4096)));
static u64 state[NR_CPUS]; /* of the generator, one a CPU (xorshift64*, never 0) */
static volatile bool over, pause, paused;

static u64 draw(void)
{
	u64 *x = &state[this_cpu()];

	*x ^= *x >> 12;
	*x ^= *x << 25;
	*x ^= *x >> 27;
	return *x * 0x2545f4914f6cdd1dUL >> 8;
}

static u32 below(u32 limit)
{
	return draw() % limit;
}

static u64 obey(u64 val)
{
	val &= ~0x3f0000003f000000UL;
	return val | 0x0f0000000f000000UL;
}

/* Where devices are, and doorbells: DMA reaches none of them, and what is written there is lost. */
static u64 device(void)
{
	static const u32 all[] = { UART_BASE, EXIT_BASE,  0x07ff0000, 0x08000000,
		                   SMMU_BASE, 0x3fff0000, ECAM_BASE,  0x50900000 };

	return all[below(ARRAY_SIZE(all))] + (draw() & 0x1ffff);
}

/* Small, one bit, a device, or anything: what finds edges. */
static u64 value(void)
{
	switch (below(5)) {
	case 3: return device();
	case 0: return obey(below(256));
	case 1: return obey(1UL << below(64));
	case 2: return obey(~0UL >> below(64));
	default: return obey(draw() ^ draw() << 32);
	}
}

static u64 place(unsigned int align)
{
	return ARENA + (draw() & (ARENA_SIZE - 1) & -(u64)align);
}

/* Few pages, so that they are found again. */
static u64 table(void)
{
	return ARENA + below(16) * PAGE;
}

static u64 iova(void)
{
	const u64 high = below(4) ? 0 : draw() << 32 & (below(2) ? 0xf00000000 : 0xffffff00000000);
	const u64 at = obey(high | (below(4) ? table() : place(8))) << 8 >> 8;

	if (!below(16))
		return device() & -8UL;
	return below(8) ? at : at | 0xffUL << 56;
}

static u32 flags(u32 op)
{
	if (op == DMA_TRANSLATE)
		return DMA_F_READ | below(2) * DMA_F_WRITE;
	return (below(4) ? below(2) * DMA_F_PASID : below(8) | DMA_F_HELD) |
	       below(2) * DMA_F_TRANSLATED;
}

static void fuzz_slot(void)
{
	static const u32 ops[] = { DMA_CHECK, DMA_COPY,      DMA_READ,      DMA_WRITE,
		                   DMA_CAS,   DMA_TRANSLATE, DMA_TRANSLATE, 99 };
	const unsigned int slot = below(NR_SLOTS);
	const u32 what = ops[below(ARRAY_SIZE(ops))];
	const struct dma_op op = {
		.op = what,
		.flags = flags(what),
		.iova = iova(),
		.iova2 = iova(),
		.length = below(4) ? 8 : below(0x4000) * 8,
		.arg1 = value(),
		.pasid = below(4),
	};

	if (dma_state(&d, slot) == DMA_HOLDS)
		dma_control(&d, slot, below(2) ? DMA_RELEASE : DMA_ABORT);
	else if ((dma_state(&d, slot) == DMA_STALLED || dma_state(&d, slot) == DMA_AWAITS) &&
	         below(2))
		dma_control(&d, slot, DMA_ABORT);
	else
		dma_start(&d, slot, &op);
}

/* Asked for, if the endpoint can; a failure has turned that off. */
static void fuzz_page(void)
{
	const u64 pri = pci_ext_capability(d.rid, EXT_PRI);
	const struct dma_op op = {
		.op = DMA_PAGE_REQUEST,
		.flags = 1 + below(7) + below(2) * DMA_F_LAST + below(2) * DMA_F_PASID,
		.iova = iova(),
		.arg0 = below(4),
		.pasid = below(4),
	};

	if (!pri)
		return;
	write32(pri + 12, below(40));
	write16(pri + 4, below(8) ? 1 : below(4));
	dma_start(&d, below(NR_SLOTS), &op);
}

/* The other CPU's. */
static void transfer(void)
{
	expect_aborts();
	while (!over) {
		paused = pause;
		barrier();
		if (!pause && below(4))
			fuzz_slot();
		else if (!pause)
			fuzz_page();
	}
	psci_cpu_off();
}

/* Bases of tables and queues, and where messages go; others are no addresses, and have any value:
 * errors, overflows and indices too. */
static bool is_address(u32 at)
{
	static const u8 all[] = {
		0x68, SMMU_STRTAB_BASE, SMMU_CMDQ_BASE, SMMU_EVENTQ_BASE, 0xb0, 0xc0, 0xd0
	};

	for (unsigned int i = 0; i < sizeof(all); i++)
		if ((at & -8U) == all[i])
			return true;
	return false;
}

static u64 word_for(u32 at)
{
	return is_address(at) || below(2) ? value() >> (at & 7) * 8 : draw() ^ draw() << 32;
}

/* Registers that are there, of both pages, or anything. */
static void fuzz_register(void)
{
	static const u32 there[] = {
		SMMU_CR0,
		SMMU_CR1,
		SMMU_CR2,
		SMMU_GBPA,
		SMMU_IRQ_CTRL,
		SMMU_GERRORN,
		0x68,
		0x70,
		0x74,
		SMMU_STRTAB_BASE,
		SMMU_STRTAB_BASE_CFG,
		SMMU_CMDQ_BASE,
		SMMU_CMDQ_PROD,
		SMMU_CMDQ_CONS,
		SMMU_EVENTQ_BASE,
		SMMU_EVENTQ_PROD,
		SMMU_EVENTQ_CONS,
		SMMU_EVENTQ_IRQ_CFG0,
		SMMU_EVENTQ_IRQ_CFG1,
		0xbc,
		0xc0,
		0xd0,
		0xd8,
		0xdc,
		0x100c8,
		0x100cc,
		0x180,
	};
	const unsigned int size = below(4) ? 4 << below(2) : 1 << below(4);
	u32 at = below(4) ? there[below(ARRAY_SIZE(there))] : below(REGISTERS);

	at &= -size;
	if (below(4))
		write_sized(SMMU_BASE + at, size, word_for(at));
	else
		read_sized(SMMU_BASE + at, size);
}

/* Nearly right, so that it is followed: STEs, CDs, entries and commands lie in the same pages. */
static void fuzz_word(void)
{
	u64 *at = (u64 *)(table() + below(PAGE / 8) * 8);
	const u64 address = table();

	switch (below(7)) {
	case 0: at = (u64 *)((u64)at & -64UL), *at = obey(STE0(below(8)) | address); break;
	case 1:
		*at = obey(CD0_T0SZ(16 + below(24)) | CD0_TG0(below(4)) | CD0_V | CD0_AA64 |
		           CD0_IPS(below(7)) | draw() << 40);
		break;
	case 2: *at = obey(address | 0x7c0 | (below(4) ? TABLE : BLOCK) | (draw() & 0xc0)); break;
	case 3:
		*at = obey(STE2_S2T0SZ(16 + below(24)) | STE2_S2SL0(below(4)) | STE2_S2AA64 |
		           STE2_VMID(below(4)) | (u64)below(4) << 46);
		break;
	case 4: *at = obey(below(0x48) | draw() << 12); break;
	case 5: /* EATS leads out of the arena as an address: into no RAM */
		at = (u64 *)((u64)at & -64UL), at[1] = obey(below(3)) | STE1_EATS(below(3));
		break;
	default: *at = value(); break;
	}
}

/* One that could be one, wherever the queue is. */
static void fuzz_command(void)
{
	static const u8 opcodes[] = { 1,    2,        3,        4,           5,          6,
		                      0x10, 0x11,     0x12,     0x13,        0x20,       0x21,
		                      0x22, 0x23,     0x28,     0x2a,        0x30,       0x41,
		                      0x41, CMD_SYNC, CMD_SYNC, CMD_ATC_INV, CMD_ATC_INV };
	const u64 base = read64(SMMU_BASE + SMMU_CMDQ_BASE);
	const u32 prod = read32(SMMU_BASE + SMMU_CMDQ_PROD);
	u64 *at = (u64 *)((base & 0xfffffffffffe0) + (prod & 63) * 16);

	if ((u64)at - ARENA < ARENA_SIZE) {
		at[0] = obey(opcodes[below(sizeof(opcodes))] | (below(2) ? draw() << 8 : 0));
		at[1] = obey(below(2) ? value() : place(4));
		/* a StreamID alone, as an address, leads into no RAM */
		if ((at[0] & 0xff) == CMD_ATC_INV && below(4))
			at[0] = (at[0] & 0xffffffff) | CMD_SID(d.rid);
	}
	barrier();
	write32(SMMU_BASE + SMMU_CMDQ_PROD, below(8) ? prod + 1 : value());
}

/* As a driver would, but for what is in the tables. */
static void fuzz_enable(void)
{
	write32(SMMU_BASE + SMMU_GERRORN, read32(SMMU_BASE + SMMU_GERROR));
	if (!below(4)) {
		write32(SMMU_BASE + SMMU_CR0, 0);
		write64(SMMU_BASE + SMMU_STRTAB_BASE, table());
		write32(SMMU_BASE + SMMU_STRTAB_BASE_CFG,
		        below(2) ? SMMU_LOG2_STREAMS : STRTAB_2LVL | STRTAB_SPLIT_6 | below(20));
		write64(SMMU_BASE + SMMU_CMDQ_BASE, table() | below(20));
		write64(SMMU_BASE + SMMU_EVENTQ_BASE, place(0x10000) | below(20));
		write64(SMMU_BASE + 0xc0, place(0x10000) | below(20)); /* the PRI queue */
	}
	write32(SMMU_BASE + SMMU_CR0,
	        CR0_SMMUEN | 1 << 1 | CR0_EVENTQEN | CR0_CMDQEN | below(2) * CR0_ATSCHK);
	if (!below(4))
		dma_enable_ats(&d, below(4));
}

/* Tables that lead to one page, as works() left them: what is cached of it is used, whatever
 * becomes of the rest. */
static void fuzz_cache(void)
{
	const struct dma_op ask = { .op = DMA_TRANSLATE,
		                    .flags = DMA_F_READ | DMA_F_WRITE,
		                    .iova = WORKS };
	const struct dma_op use = { .op = DMA_FILL,
		                    .flags = DMA_F_TRANSLATED | below(2) * DMA_F_HELD,
		                    .iova = WORKS,
		                    .length = 64 };

	s.streams[d.rid].w[1] = STE1_EATS(below(3));
	write32(SMMU_BASE + SMMU_CR0, 0);
	write64(SMMU_BASE + SMMU_STRTAB_BASE, (u64)s.streams);
	write32(SMMU_BASE + SMMU_STRTAB_BASE_CFG, SMMU_LOG2_STREAMS);
	write32(SMMU_BASE + SMMU_CR0,
	        CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN | below(2) * CR0_ATSCHK);
	dma_enable_ats(&d, true);
	dma_start(&d, below(NR_SLOTS), &ask);
	dma_start(&d, below(NR_SLOTS), &use);
}

static void step(void)
{
	const unsigned int kind = below(16);

	if (kind < 5)
		fuzz_register();
	else if (kind < 10)
		for (unsigned int i = 0; i < 20; i++)
			fuzz_word();
	else if (kind < 13)
		fuzz_command();
	else if (kind < 14)
		fuzz_enable();
	else if (kind < 15)
		fuzz_cache();
	else
		fuzz_slot();
}

static void settle(void)
{
	for (unsigned int i = 0; i < NR_SLOTS; i++) {
		dma_control(&d, i, DMA_ABORT);
		check(wait_for(dma_state(&d, i) == DMA_ENDED || dma_state(&d, i) == DMA_IDLE, LONG),
		      "slot %u does not end: state %u", i, dma_state(&d, i));
	}
	smmu_set_cr0(0);
	write32(SMMU_BASE + SMMU_IRQ_CTRL, 0);
	write32(SMMU_BASE + SMMU_GERRORN, read32(SMMU_BASE + SMMU_GERROR));
	write32(SMMU_BASE + SMMU_CR2, 0);
}

static void access(u64 at, unsigned int outcome, const char *after, u64 nr)
{
	const struct dma_op op = { .op = DMA_FILL, .iova = at, .length = 64, .arg0 = nr };

	check(dma_run(&d, 0, &op) == outcome, "%s %lu: at %lx outcome %u, reason %u", after, nr, at,
	      dma_outcome(&d, 0), dma_reason(&d, 0));
}

/* It translates, and faults, as if nothing had been. */
static void works(const char *after, u64 nr)
{
	const u64 at = WORKS;
	struct ste ste;

	settle();
	smmu_start(&s);
	tables_clear(&t);
	tables_map(&t, at, (u64)memory, 1, S1_PAGE);
	cd = smmu_cd(&t, 1);
	ste = smmu_s1(&cd);
	ste.w[1] |= STE1_EATS(below(2)); /* it is cached, for whatever comes next */
	smmu_set_ste(&s, d.rid, &ste);
	memset(memory, 0, sizeof(memory));
	access(at, DMA_DONE, after, nr);
	check(*(volatile u64 *)memory, "%s %lu: nothing is written", after, nr);
	smmu_expect_none(&s, after);
	access(at + PAGE, DMA_FAULT, after, nr);
	smmu_expect(&s,
	            &(struct smmu_event){ { EVENT0(F_TRANSLATION, d.rid), EVENT1_IN, at + PAGE } },
	            after);
	settle();
}

static void begin(void)
{
	state[0] = parameter_after("seed=", 1) * 2 + 1;
	state[1] = state[0] + 2;
	dma_test_find(&d);
	works("the beginning", 0);
}

static void fuzz(void)
{
	const u64 count = parameter_after("count=", 10000);

	begin();
	memset((void *)ARENA, 0, ARENA_SIZE);
	check(psci_cpu_on(1, transfer) == PSCI_OK, "CPU 1 does not start");
	for (u64 i = 1; i <= count; i++) {
		expect_aborts();
		step();
		expected_aborts();
		if (i % 500 && i != count)
			continue;
		pause = true;
		check(wait_for(paused, LONG), "CPU 1 does not pause");
		works("step", i);
		pause = false;
	}
	over = true;
	check(wait_for(psci_affinity_info(1) == AFFINITY_OFF, LONG), "CPU 1 stays");
}

/* 6.3.14, 6.3.26: of all sizes, with indices of all kinds, and while it is enabled. */
static void sizes(void)
{
	static const u32 indices[] = { 0, 1, 63, 64, 0x7ffff, 0x80000, 0xfffff, 0x7fffffff, ~0u };

	begin();
	for (u32 i = 0; i < 32 * ARRAY_SIZE(indices); i++) {
		const u32 index = indices[i / 32];

		write64(SMMU_BASE + SMMU_CMDQ_BASE, ARENA | i % 32);
		write32(SMMU_BASE + SMMU_CMDQ_PROD, index);
		write32(SMMU_BASE + SMMU_CMDQ_CONS, indices[i % ARRAY_SIZE(indices)]);
		write64(SMMU_BASE + SMMU_EVENTQ_BASE, ARENA | i % 32);
		write32(SMMU_BASE + SMMU_EVENTQ_PROD, ~index);
		write32(SMMU_BASE + SMMU_EVENTQ_CONS, index);
		write64(SMMU_BASE + SMMU_STRTAB_BASE, (u64)s.streams);
		smmu_set_cr0(CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN);
		write64(SMMU_BASE + SMMU_CMDQ_BASE, table() | below(32));
		write64(SMMU_BASE + SMMU_EVENTQ_BASE, table() | below(32));
		check(read64(SMMU_BASE + SMMU_CMDQ_BASE) >> 5 << 5 == ARENA,
		      "a queue that is enabled moves to %lx", read64(SMMU_BASE + SMMU_CMDQ_BASE));
		access(PAGE, DMA_FAULT, "size", i % 32);
		write32(SMMU_BASE + SMMU_CMDQ_PROD, ~index);
		works("size", i % 32);
	}
}

static u64 ring[512] __attribute__((aligned(4096)));

/* Each level's table is the same, and so is the last one's page. */
static void fill_ring(u64 entry)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ring); i++)
		ring[i] = entry;
	barrier();
}

static void ends(const struct ste *ste, u64 at, u32 pasid, const char *what)
{
	const struct dma_op op = {
		.op = DMA_CHECK,
		.flags = pasid ? DMA_F_PASID : 0,
		.iova = at,
		.length = 3 * PAGE,
		.pasid = pasid,
	};

	if (ste)
		smmu_set_ste(&s, d.rid, ste);
	print("%s: outcome %u\n", what, dma_run(&d, 0, &op));
	works(what, 0);
	smmu_start(&s);
}

/* Tables that are their own. What comes of it is chance, but it comes. */
static void rings(void)
{
	const u64 at = 0x12345000;
	struct ste ste;

	begin();
	smmu_start(&s);
	for (u32 tsz = 16; tsz < 40; tsz++) {
		fill_ring((u64)ring | S1_PAGE);
		cd = smmu_cd(&t, 1);
		cd.w[0] = (cd.w[0] & ~0x3fUL) | CD0_T0SZ(tsz);
		cd.w[1] = (u64)ring;
		ste = smmu_s1(&cd);
		ends(&ste, at, 0, "stage 1");
		fill_ring((u64)ring | S2_PAGE);
		ste = smmu_s2(&t, 3);
		ste.w[2] = (ste.w[2] & ~(0x3fUL << 32)) | STE2_S2T0SZ(tsz);
		ste.w[3] = (u64)ring;
		ends(&ste, at, 0, "stage 2");
		cd.w[1] = at;
		ste.w[0] = STE0(STE_NESTED) | (u64)&cd;
		ends(&ste, at, 0, "both stages");
	}
	fill_ring((u64)ring | STE0(STE_S1));
	ste = (struct ste){ { STE0(STE_S1) | STE0_2LVL_4K | STE0_CDMAX(10) | (u64)ring } };
	ends(&ste, at, 65, "a CD table that is its own leaf");
	ste = (struct ste){ { STE0(STE_S1) | (u64)&s.streams[d.rid] } };
	ends(&ste, at, 0, "an STE that is its CD");
	fill_ring((u64)ring | 7);
	smmu_set_streams(&s, (u64)ring, STRTAB_2LVL | STRTAB_SPLIT_6 | 16);
	ends(NULL, at, 0, "a Stream table that is its own leaf");
}

static const struct test tests[] = { { "fuzz", fuzz }, { "sizes", sizes }, { "rings", rings } };

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
