// SPDX-License-Identifier: GPL-2.0-only
/* Walks of translation tables: levels, what is at them, and where a walk begins. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/unit/fake_tables.h"

#define ADDR 0x654321fedcbaULL

static void init(void)
{
	tables_init(TABLES_BASE);
}

TestSuite(pgtable, .init = init);

struct level_case {
	unsigned int granule, input;
	int level;
	unsigned int shift, contig;
	bool stage2;
	int start;
};

/* Contiguous sets by D8.7.1: not in those blocks that only 52 bits have. */
#define LEVEL_CASES                                                                              \
	/* 4 KiB */                                                                              \
	{ 12, 48, 3, 12, 16, 0, 0 }, { 12, 48, 2, 21, 25, 0, 0 }, { 12, 48, 1, 30, 34, 0, 0 },   \
		{ 12, 52, 3, 12, 16, 0, -1 }, { 12, 52, 2, 21, 25, 0, -1 },                      \
		{ 12, 52, 1, 30, 34, 0, -1 }, { 12, 52, 0, 39, 39, 0, -1 },                      \
		{ 12, 49, 0, 39, 39, 0, -1 }, { 12, 39, 3, 12, 16, 0, 1 },                       \
		{ 12, 39, 1, 30, 34, 0, 1 }, { 12, 30, 2, 21, 25, 0, 2 },                        \
		{ 12, 21, 3, 12, 16, 0, 3 }, { 12, 16, 3, 12, 16, 0, 3 }, /* 16 KiB */           \
		{ 14, 48, 3, 14, 21, 0, 0 }, { 14, 48, 2, 25, 30, 0, 0 },                        \
		{ 14, 52, 3, 14, 21, 0, 0 }, { 14, 52, 2, 25, 30, 0, 0 },                        \
		{ 14, 52, 1, 36, 36, 0, 0 }, { 14, 47, 2, 25, 30, 0, 1 },                        \
		{ 14, 36, 2, 25, 30, 0, 2 }, { 14, 25, 3, 14, 21, 0, 3 },                        \
		{ 14, 16, 3, 14, 21, 0, 3 }, /* 64 KiB */                                        \
		{ 16, 48, 3, 16, 21, 0, 1 }, { 16, 48, 2, 29, 34, 0, 1 },                        \
		{ 16, 52, 3, 16, 21, 0, 1 }, { 16, 52, 2, 29, 34, 0, 1 },                        \
		{ 16, 52, 1, 42, 42, 0, 1 }, { 16, 42, 2, 29, 34, 0, 2 },                        \
		{ 16, 29, 3, 16, 21, 0, 3 }, { 16, 17, 3, 16, 21, 0, 3 }, /* stage 2 */          \
		{ 12, 48, 3, 12, 16, 1, 0 }, { 12, 52, 0, 39, 39, 1, -1 },                       \
		{ 14, 48, 2, 25, 30, 1, 1 },                                                     \
		{ 16, 44, 3, 16, 21, 1, 2 }, /* of concatenated tables: 16 of them, and fewer */ \
		{ 12, 52, 0, 39, 39, 1, 0 }, { 12, 43, 1, 30, 34, 1, 1 },                        \
		{ 12, 40, 1, 30, 34, 1, 1 }, { 12, 34, 2, 21, 25, 1, 2 },                        \
		{ 12, 25, 3, 12, 16, 1, 3 }, { 14, 40, 2, 25, 30, 1, 2 },                        \
		{ 14, 29, 3, 14, 21, 1, 3 }, { 16, 46, 2, 29, 34, 1, 2 },                        \
	{                                                                                        \
		16, 33, 3, 16, 21, 1, 3                                                          \
	}

ParameterizedTestParameters(pgtable, a_page_or_block_of_each_level_is_found)
{
	static struct level_case cases[] = { LEVEL_CASES };

	return cr_make_param_array(struct level_case, cases, ARRAY_SIZE(cases));
}

static void find(const struct pgtable *t, const struct level_case *c, u64 addr)
{
	const u64 in = BIT(c->shift) - 1, page = 0xfedcba9876543210 & (BIT(t->output) - 1) & ~in;
	const u64 entry = tables_address(t, page) | AF | CONTIG | (c->level == 3 ? PAGE : BLOCK) |
	                  0x14 | (t->ds ? 0 : 0x300);
	const u64 at = tables_map(t, addr, c->level, entry);
	struct pgtable_walk w = tables_walk(t, addr, 0);

	cr_assert(eq(int, w.fault, PGTABLE_OK));
	cr_assert(eq(int, w.level, c->level));
	cr_assert(eq(u64, w.output, page | (addr & in)));
	cr_assert(eq(u64, w.entry, entry));
	cr_assert(eq(u64, w.entry_addr, at));
	cr_assert(eq(u32, w.shift, c->shift));
	cr_assert(eq(u32, w.contig, c->contig));
	cr_assert(eq(u32, w.attr, 5));
	cr_assert(eq(u32, w.sh, t->ds ? 0 : 3));
	cr_assert(eq(int, w.global, t->stage == 1));
	cr_assert(not(w.wrote));
	tables_put(at, entry & ~CONTIG);
	w = tables_walk(t, addr, 0);
	cr_assert(eq(u32, w.contig, c->shift));
}

ParameterizedTest(struct level_case *c, pgtable, a_page_or_block_of_each_level_is_found)
{
	struct pgtable t = c->stage2 ? tables_stage2(c->granule, c->input, c->start)
	                             : tables_stage1(c->granule, c->input);
	const u64 low = BIT(c->input) - 1, addr = ADDR | 0x7000000000000;

	cr_assert(eq(int, t.start, c->start));
	find(&t, c, addr & low);
	if (c->granule == 12 && c->level == 0)
		cr_assert(t.ds);
	cr_assert(eq(u32, tables.reads, 2 * (c->level - c->start + 1)));
}

ParameterizedTestParameters(pgtable, addresses_at_the_top_have_tables_of_their_own)
{
	static struct level_case cases[] = { LEVEL_CASES };

	return cr_make_param_array(struct level_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct level_case *c, pgtable, addresses_at_the_top_have_tables_of_their_own)
{
	const u64 above = ~0ULL << c->input;
	struct pgtable t;

	if (c->stage2)
		return;
	t = tables_stage1(c->granule, c->input);
	t.upper = true;
	find(&t, c, above | ADDR);
	cr_assert(eq(int, tables_walk(&t, ADDR & ~above, 0).fault, PGTABLE_TRANSLATION));
}

struct block_case {
	unsigned int granule, input;
	int level;
	bool block;
};

#define YES true
#define NO  false
ParameterizedTestParameters(pgtable, a_block_where_there_is_none_is_a_translation_fault)
{
	static struct block_case cases[] = {
		/* 4 KiB */
		{ 12, 48, 0, NO },
		{ 12, 48, 1, YES },
		{ 12, 48, 2, YES },
		{ 12, 48, 3, NO },
		{ 12, 52, -1, NO },
		{ 12, 52, 0, YES },
		{ 12, 52, 1, YES },
		{ 12, 52, 2, YES },
		{ 12, 52, 3, NO },
		/* 16 KiB */
		{ 14, 48, 0, NO },
		{ 14, 48, 1, NO },
		{ 14, 48, 2, YES },
		{ 14, 48, 3, NO },
		{ 14, 52, 0, NO },
		{ 14, 52, 1, YES },
		{ 14, 52, 2, YES },
		{ 14, 52, 3, NO },
		/* 64 KiB */
		{ 16, 48, 1, NO },
		{ 16, 48, 2, YES },
		{ 16, 48, 3, NO },
		{ 16, 52, 1, YES },
		{ 16, 52, 2, YES },
		{ 16, 52, 3, NO },
	};

	return cr_make_param_array(struct block_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct block_case *c, pgtable, a_block_where_there_is_none_is_a_translation_fault)
{
	struct pgtable t = tables_stage1(c->granule, c->input);
	const u64 at = tables_map(&t, ADDR, c->level, BLOCK | AF);
	struct pgtable_walk w;

	for (t.stage = 1; t.stage <= 2; t.stage++) {
		w = tables_walk(&t, ADDR, 0);
		cr_assert(eq(int, w.fault, c->block ? PGTABLE_OK : PGTABLE_TRANSLATION));
		cr_assert(eq(int, w.level, c->level));
		cr_assert(eq(u64, w.entry_addr, at));
	}
}

ParameterizedTestParameters(pgtable, an_entry_that_is_not_valid_is_a_translation_fault)
{
	static struct block_case cases[] = {
		{ 12, 48, 0, 0 }, { 12, 52, -1, 0 }, { 12, 48, 1, 0 }, { 12, 48, 2, 0 },
		{ 12, 48, 3, 0 }, { 14, 48, 0, 0 },  { 14, 48, 1, 0 }, { 14, 48, 2, 0 },
		{ 14, 48, 3, 0 }, { 16, 48, 1, 0 },  { 16, 48, 2, 0 }, { 16, 48, 3, 0 },
	};

	return cr_make_param_array(struct block_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct block_case *c, pgtable, an_entry_that_is_not_valid_is_a_translation_fault)
{
	struct pgtable t = tables_stage1(c->granule, c->input);
	struct pgtable_walk w;

	t.ha = t.hd = true;
	for (int type = 0; type <= 2; type += 2) {
		const u64 entry = (~0ULL & ~3ULL) | type;

		tables_map(&t, ADDR, c->level, entry);
		w = tables_walk(&t, ADDR, DMA_WRITE);
		cr_assert(eq(int, w.fault, PGTABLE_TRANSLATION));
		cr_assert(eq(int, w.level, c->level));
		cr_assert(eq(u64, w.entry, entry));
	}
	cr_assert(zero(u32, tables.swaps));
}

struct input_case {
	u8 stage, input;
	bool upper, tbi;
	u64 addr;
	bool ok;
};

ParameterizedTestParameters(pgtable, an_address_out_of_reach_is_a_fault_of_the_first_level)
{
	static struct input_case cases[] = {
		/* the lower half */
		{ 1, 39, 0, 0, 0x7fffffffff, true },
		{ 1, 39, 0, 0, 0x8000000000, false },
		{ 1, 39, 0, 0, 0xffffff8000000000, false },
		{ 1, 39, 0, 0, BIT(63), false },
		{ 1, 39, 0, 0, BIT(56), false },
		{ 1, 39, 0, 1, 0xff00007fffffffff, true },
		{ 1, 39, 0, 1, 0xff80007fffffffff, false },
		{ 1, 39, 0, 1, 0xff00008000000000, false },
		/* the upper half */
		{ 1, 39, 1, 0, 0xffffff8000000000, true },
		{ 1, 39, 1, 0, 0xffffff7fffffffff, false },
		{ 1, 39, 1, 0, 0x7fffff8000000000, false },
		{ 1, 39, 1, 0, 0, false },
		{ 1, 39, 1, 1, 0x00ffff8000000000, true },
		{ 1, 39, 1, 1, 0x007fff8000000000, false },
		{ 1, 39, 1, 1, 0x00ffff7fffffffff, false },
		{ 1, 52, 1, 1, 0x5af0000000000000, true },
		{ 1, 52, 0, 1, 0x5a0fffffffffffff, true },
		{ 1, 52, 0, 1, 0x5a1fffffffffffff, false },
		/* stage 2 knows no halves and no tags */
		{ 2, 39, 0, 0, 0x7fffffffff, true },
		{ 2, 39, 0, 1, 0xff00000000000000, false },
		{ 2, 39, 1, 0, 0xffffff8000000000, false },
		{ 2, 39, 1, 0, 0x7fffffffff, true },
		{ 2, 39, 0, 0, 0x8000000000, false },
		{ 2, 39, 0, 0, BIT(63), false },
		{ 2, 52, 0, 0, 0xfffffffffffff, true },
		{ 2, 52, 0, 0, 0x10000000000000, false },
	};

	return cr_make_param_array(struct input_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct input_case *c, pgtable,
                  an_address_out_of_reach_is_a_fault_of_the_first_level)
{
	struct pgtable t = tables_stage1(12, c->input);
	struct pgtable_walk w;

	t.stage = c->stage;
	t.upper = c->upper;
	t.tbi = c->tbi;
	tables_map(&t, c->addr, 3, PAGE | AF);
	w = tables_walk(&t, c->addr, 0);
	if (c->ok) {
		cr_assert(eq(int, w.fault, PGTABLE_OK));
		return;
	}
	cr_assert(eq(int, w.fault, PGTABLE_TRANSLATION));
	cr_assert(eq(int, w.level, t.start));
	cr_assert(zero(u64, w.entry_addr));
	cr_assert(zero(u32, tables.reads));
}

struct base_case {
	unsigned int granule, input, output;
	u64 ignored; /* the bits of the base */
};

ParameterizedTestParameters(pgtable, the_first_table_is_aligned_to_its_size)
{
	static struct base_case cases[] = {
		/* as small as one entry, or two */
		{ 12, 30, 48, 0xfff },
		{ 12, 32, 48, 0x1f },
		{ 12, 31, 48, 0xf },
		{ 14, 48, 48, 0xf },
		{ 14, 37, 48, 0xf },
		{ 14, 47, 48, 0x3fff },
		{ 16, 42, 48, 0xffff },
		{ 16, 43, 48, 0xf },
		{ 16, 48, 48, 0x1ff },
		{ 16, 17, 48, 0xf },
		/* at least 64 bytes if output has 52 bits */
		{ 16, 43, 52, 0x3f },
		{ 16, 45, 52, 0x3f },
		{ 16, 46, 52, 0x7f },
		{ 12, 49, 52, 0x3f },
		{ 12, 52, 52, 0x7f },
		{ 14, 52, 52, 0xff },
	};

	return cr_make_param_array(struct base_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct base_case *c, pgtable, the_first_table_is_aligned_to_its_size)
{
	struct pgtable t = tables_stage1(c->granule, c->input);
	const u64 base = t.base + 0x20000;

	t.output = c->output;
	t.base = base | c->ignored;
	cr_assert(eq(u64, tables_walk(&t, 0, 0).entry_addr, base));
	t.base = base | (c->ignored + 1);
	cr_assert(eq(u64, tables_walk(&t, 0, 0).entry_addr, t.base));
}

Test(pgtable, concatenated_tables_are_aligned_to_the_size_of_all)
{
	struct pgtable t = tables_stage2(12, 43, 1);
	const u64 addr = 0x7ff00000000; /* in the last of 16 */
	u64 at = tables_map(&t, addr, 1, BLOCK | AF | S2R | 0x80000000);

	cr_assert(eq(u64, at, t.base + 0xffe0));
	t.base |= 0xffff;
	cr_assert(eq(u64, tables_walk(&t, addr, 0).entry_addr, at));
	cr_assert(eq(u64, tables_walk(&t, addr | 0x1234, DMA_READ).output, 0x80001234));
}
