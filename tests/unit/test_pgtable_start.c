// SPDX-License-Identifier: GPL-2.0-only
/* The level that a walk starts at. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "devices/pgtable/pgtable.h"

struct span {
	unsigned int granule, first, last; /* bits of input */
	int level;
};

ParameterizedTestParameters(pgtable_start, a_stage_1_starts_where_one_table_is_enough)
{
	static struct span spans[] = {
		/* 4 KiB */
		{ 12, 16, 21, 3 },
		{ 12, 22, 30, 2 },
		{ 12, 31, 39, 1 },
		{ 12, 40, 48, 0 },
		{ 12, 49, 52, -1 },
		/* 16 KiB */
		{ 14, 16, 25, 3 },
		{ 14, 26, 36, 2 },
		{ 14, 37, 47, 1 },
		{ 14, 48, 52, 0 },
		/* 64 KiB */
		{ 16, 17, 29, 3 },
		{ 16, 30, 42, 2 },
		{ 16, 43, 52, 1 },
	};

	return cr_make_param_array(struct span, spans, ARRAY_SIZE(spans));
}

ParameterizedTest(struct span *s, pgtable_start, a_stage_1_starts_where_one_table_is_enough)
{
	for (unsigned int input = s->first; input <= s->last; input++)
		cr_assert(eq(int, pgtable_start1(s->granule, input), s->level));
}

struct sl_case {
	unsigned int granule;
	bool ds;
	unsigned int sl, first, last; /* none: 0, 0 */
	int level;
};

ParameterizedTestParameters(pgtable_start, a_stage_2_starts_where_it_says_if_that_fits)
{
	static struct sl_case cases[] = {
		/* 4 KiB: 1 bit at the first level, to 9 and 4 of concatenation */
		{ 12, 0, 0, 22, 34, 2 },
		{ 12, 0, 1, 31, 43, 1 },
		{ 12, 0, 2, 40, 48, 0 },
		{ 12, 0, 3, 13, 25, 3 },
		{ 12, 1, 0, 22, 34, 2 },
		{ 12, 1, 1, 31, 43, 1 },
		{ 12, 1, 2, 40, 52, 0 },
		{ 12, 1, 3, 13, 25, 3 },
		/* SL2 */
		{ 12, 1, 4, 49, 52, -1 },
		{ 12, 1, 5, 0, 0, 0 },
		{ 12, 1, 6, 0, 0, 0 },
		{ 12, 1, 7, 0, 0, 0 },
		/* counts with 52 bits and 4 KiB only */
		{ 12, 0, 4, 22, 34, 2 },
		{ 12, 0, 7, 13, 25, 3 },
		{ 14, 1, 4, 15, 29, 3 },
		{ 16, 1, 4, 17, 33, 3 },
		/* 16 KiB: 11 and 4 */
		{ 14, 0, 0, 15, 29, 3 },
		{ 14, 0, 1, 26, 40, 2 },
		{ 14, 0, 2, 37, 48, 1 },
		{ 14, 0, 3, 0, 0, 0 },
		{ 14, 1, 0, 15, 29, 3 },
		{ 14, 1, 1, 26, 40, 2 },
		{ 14, 1, 2, 37, 51, 1 },
		{ 14, 1, 3, 48, 52, 0 },
		/* 64 KiB: 13 and 4 */
		{ 16, 0, 0, 17, 33, 3 },
		{ 16, 0, 1, 30, 46, 2 },
		{ 16, 0, 2, 43, 52, 1 },
		{ 16, 0, 3, 0, 0, 0 },
		{ 16, 1, 3, 0, 0, 0 },
		/* no granule */
		{ 13, 0, 0, 0, 0, 0 },
	};

	return cr_make_param_array(struct sl_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct sl_case *c, pgtable_start, a_stage_2_starts_where_it_says_if_that_fits)
{
	for (unsigned int input = 0; input <= 64; input++) {
		const bool fits = c->last && c->first <= input && input <= c->last;
		s8 level = 42;

		cr_assert(eq(int, pgtable_start2(c->granule, input, c->ds, c->sl, &level), fits),
		          "%u bits", input);
		cr_assert(eq(int, level, fits ? c->level : 42));
	}
}
