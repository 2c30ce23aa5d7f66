// SPDX-License-Identifier: GPL-2.0-only
/* Walks that end in a fault, which of several it is, and addresses of 52 bits. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/unit/fake_tables.h"

#define ADDR 0x123456789000ULL
#define PA   0x80001000ULL

static u64 bad;
static enum dma_status ends_in;

static void init(void)
{
	tables_init(TABLES_BASE);
}

TestSuite(pgtable_fault, .init = init);

static enum dma_status at_bad(u64 at, u32 perm)
{
	(void)perm;
	return at == bad ? ends_in : DMA_OK;
}

Test(pgtable_fault, a_table_that_is_not_memory_aborts_at_its_level)
{
	struct pgtable t = tables_stage1(12, 48);

	for (int level = 0; level < 3; level++) {
		const u64 at = tables_map(&t, ADDR, level, TABLE | 0x7f000000);
		struct pgtable_walk w = tables_walk(&t, ADDR, DMA_READ);

		cr_assert(eq(int, w.fault, PGTABLE_ABORT));
		cr_assert(eq(int, w.level, level + 1));
		cr_assert(eq(u64, w.entry_addr & ~0xfffULL, 0x7f000000));
		cr_assert(zero(u64, w.entry));
		cr_assert(not(w.wrote));
		tables_put(at, 0);
	}
	t.base = 0x7f000000;
	cr_assert(eq(int, tables_walk(&t, ADDR, DMA_READ).fault, PGTABLE_ABORT));
	cr_assert(zero(int, tables_walk(&t, ADDR, DMA_READ).level));
}

Test(pgtable_fault, a_space_that_stalls_or_faults_ends_the_walk_where_it_does)
{
	struct pgtable t = tables_stage1(12, 52);
	struct dma_token token;
	const struct pgtable_access a = { .addr = ADDR, .perm = DMA_READ, .token = &token };
	struct pgtable_walk w;

	tables.before = at_bad;
	for (int level = -1; level <= 3; level++) {
		bad = tables_map(&t, ADDR, level, level == 3 ? PAGE | USER : 0);
		ends_in = DMA_PENDING;
		tables.token = NULL;
		pgtable_walk(&t, &a, &w);
		cr_assert(eq(int, w.fault, PGTABLE_PENDING));
		cr_assert(eq(int, w.level, level));
		cr_assert(eq(u64, w.entry_addr, bad));
		cr_assert(eq(ptr, tables.token, &token));
		cr_assert(not(w.wrote));
		ends_in = DMA_FAULT;
		pgtable_walk(&t, &a, &w);
		cr_assert(eq(int, w.fault, PGTABLE_ABORT));
		cr_assert(eq(int, w.level, level));
		bad = 0;
		pgtable_walk(&t, &a, &w);
		cr_assert(eq(int, w.fault, level == 3 ? PGTABLE_ACCESS_FLAG : PGTABLE_TRANSLATION));
	}
}

struct order_case {
	u64 entry;
	enum pgtable_fault fault;
};

/* With an output of 40 bits, to write, at each stage. */
ParameterizedTestParameters(pgtable_fault, of_several_faults_the_first_is_it)
{
	static struct order_case cases[] = {
		{ 0, PGTABLE_TRANSLATION },
		{ BIT(40), PGTABLE_TRANSLATION },
		{ BLOCK | BIT(40), PGTABLE_TRANSLATION }, /* there is none at level 3 */
		{ PAGE | BIT(40), PGTABLE_ADDRESS_SIZE },
		{ PAGE | BIT(47) | AF, PGTABLE_ADDRESS_SIZE },
		{ PAGE | BIT(39), PGTABLE_ACCESS_FLAG },
		{ PAGE | AF, PGTABLE_PERMISSION },
	};

	return cr_make_param_array(struct order_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct order_case *c, pgtable_fault, of_several_faults_the_first_is_it)
{
	struct pgtable t = tables_stage1(12, 48);
	struct pgtable_walk w;

	t.output = 40;
	tables_map(&t, ADDR, 3, c->entry | RO);
	w = tables_walk(&t, ADDR, DMA_WRITE);
	cr_assert(eq(int, w.fault, c->fault));
	cr_assert(eq(int, w.level, 3));
	tables_map(&t, ADDR, 3, c->entry | S2R);
	t.stage = 2;
	cr_assert(eq(int, tables_walk(&t, ADDR, DMA_WRITE).fault, c->fault));
}

struct size_case {
	unsigned int granule, input, output;
	u64 entry; /* with an address that is too large */
	bool ok;
};

ParameterizedTestParameters(pgtable_fault, addresses_are_as_large_as_the_output)
{
	static struct size_case cases[] = {
		{ 12, 48, 32, 0x80000000, true },
		{ 12, 48, 32, 0x100000000, false },
		{ 12, 48, 44, BIT(44), false },
		{ 14, 48, 36, BIT(36), false },
		{ 16, 48, 42, BIT(42), false },
		{ 16, 48, 42, BIT(41), true },
		/* what has no bits above 47 */
		{ 12, 48, 48, BIT(48) | BIT(49) | 0x300, true },
		{ 14, 48, 48, BIT(48) | BIT(49) | 0x300, true },
		{ 12, 48, 52, BIT(48) | BIT(49) | 0x300, true },
		{ 16, 48, 48, 0xf000, true },
		{ 16, 48, 40, 0xf000, true },
		{ 16, 52, 52, 0xf000, true },
		{ 16, 52, 52, BIT(48) | BIT(49) | 0x300, true },
		/* FEAT_LPA2 */
		{ 12, 52, 52, BIT(48) | BIT(49) | 0x300, true },
		{ 12, 52, 48, BIT(48), false },
		{ 12, 52, 48, BIT(49), false },
		{ 12, 52, 48, BIT(8), false },
		{ 12, 52, 48, BIT(9), false },
		{ 14, 52, 48, BIT(9), false },
		{ 14, 52, 48, BIT(47), true },
	};

	return cr_make_param_array(struct size_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct size_case *c, pgtable_fault, addresses_are_as_large_as_the_output)
{
	struct pgtable t = tables_stage1(c->granule, c->input);
	struct pgtable_walk w;

	t.output = c->output;
	tables_map(&t, ADDR, 3, PAGE | AF | c->entry);
	w = tables_walk(&t, ADDR, DMA_READ);
	cr_assert(eq(int, w.fault, c->ok ? PGTABLE_OK : PGTABLE_ADDRESS_SIZE));
	cr_assert(eq(int, w.level, 3));
	if (c->ok)
		return;
	/* So are those of tables: the fault is where the address is. */
	t.output = 48;
	tables_map(&t, ADDR, 2, TABLE | c->entry);
	t.output = c->output;
	tables.reads = 0;
	w = tables_walk(&t, ADDR, DMA_READ);
	cr_assert(eq(int, w.fault, PGTABLE_ADDRESS_SIZE));
	cr_assert(eq(int, w.level, 2));
	cr_assert(eq(u32, tables.reads, 3 - t.start));
}

Test(pgtable_fault, tables_and_pages_are_anywhere_in_52_bits)
{
	static const u64 bases[] = { 0x8000000000000, 0x4000000000000, 0x2000000000000,
		                     0x1000000000000, 0xffffffff00000 - 0xfff00000 };
	static const u8 granules[] = { 12, 14, 16 };

	for (size_t i = 0; i < ARRAY_SIZE(bases) * 3; i++) {
		const u64 base = bases[i / 3], page = base + 0x7770000;
		struct pgtable_walk w;
		struct pgtable t;

		tables_init(base);
		t = tables_stage1(granules[i % 3], 52);
		tables_map(&t, ADDR, 3, PAGE | AF | tables_address(&t, page));
		w = tables_walk(&t, ADDR, DMA_READ);
		cr_assert(eq(int, w.fault, PGTABLE_OK));
		cr_assert(eq(u64, w.output, page | (ADDR & (BIT(w.shift) - 1))));
		t.output = 51;
		w = tables_walk(&t, ADDR, DMA_READ);
		if (t.ds && base >= BIT(51))
			cr_assert(eq(int, w.fault, PGTABLE_ADDRESS_SIZE));
	}
}

/* nT of FEAT_BBM, and what a table's address has no bits for. */
Test(pgtable_fault, bits_of_a_block_below_its_size_are_ignored)
{
	struct pgtable t = tables_stage1(12, 48);

	tables_map(&t, ADDR, 2, BLOCK | AF | 0x801ff000);
	cr_assert(eq(u64, tables_walk(&t, ADDR, 0).output, 0x80000000 | (ADDR & 0x1fffff)));
	tables_map(&t, ADDR + BIT(30), 1, BLOCK | AF | 0xbffff000);
	cr_assert(eq(u64, tables_walk(&t, ADDR + BIT(30), 0).output,
	             0x80000000 | (ADDR & 0x3fffffff)));
}

static struct {
	int level;
	u64 addr, entry;
} steps[8];
static unsigned int nr_steps;

static void step(void *ctx, int level, u64 addr, u64 entry)
{
	cr_assert(eq(ptr, ctx, steps));
	cr_assert(lt(u32, nr_steps, 8));
	steps[nr_steps].level = level;
	steps[nr_steps].addr = addr;
	steps[nr_steps++].entry = entry;
}

Test(pgtable_fault, each_entry_that_was_read_is_told_of)
{
	struct pgtable t = tables_stage1(12, 48);
	const struct pgtable_access a = { .addr = ADDR, .step = step, .ctx = steps };
	struct pgtable_walk w;
	u64 at = tables_map(&t, ADDR, 3, PAGE | AF);

	pgtable_walk(&t, &a, &w);
	cr_assert(eq(u32, nr_steps, 4));
	for (int i = 0; i < 4; i++) {
		cr_assert(eq(int, steps[i].level, i));
		cr_assert(eq(u64, steps[i].entry, tables_get(steps[i].addr)));
	}
	cr_assert(eq(u64, steps[3].addr, at));
	nr_steps = 0;
	tables_map(&t, ADDR, 1, 0);
	pgtable_walk(&t, &a, &w);
	cr_assert(eq(u32, nr_steps, 2));
	cr_assert(zero(u64, steps[1].entry));
}

Test(pgtable_fault, a_big_endian_table_is_one_of_swapped_entries)
{
	struct pgtable t = tables_stage1(12, 48);
	struct pgtable_walk w;
	u64 at;

	t.big_endian = true;
	at = tables_map(&t, ADDR, 3, PAGE | AF | PA);
	w = tables_walk(&t, ADDR, DMA_WRITE);
	cr_assert(eq(int, w.fault, PGTABLE_OK));
	cr_assert(eq(u64, w.output, PA));
	cr_assert(eq(u64, w.entry, PAGE | AF | PA));
	cr_assert(eq(u64, tables_get(at), 0x0314008000000000), "%#llx",
	          (unsigned long long)tables_get(at));
	t.big_endian = false;
	cr_assert(eq(int, tables_walk(&t, ADDR, DMA_WRITE).fault, PGTABLE_TRANSLATION));
}
