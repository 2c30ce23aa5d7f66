// SPDX-License-Identifier: GPL-2.0-only
/* The mappings of an address space: what is found, what overlaps, what is taken away and when. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/leak.h"
#include "vmm/iova.h"

static struct iova_space space;
static struct dma_wait waits;
static unsigned int nr_done;
static bool doorbells;

static void done(struct dma_wait *w)
{
	(void)w;
	nr_done++;
}

static void make(void)
{
	iova_init(&space);
	waits = (struct dma_wait){ .done = done };
}

static void unmake(void)
{
	iova_clear(&space);
	cr_assert(zero(u64, space.nr));
	expect_no_leak();
}

TestSuite(iova, .init = make, .fini = unmake);

static int map(u64 first, u64 last)
{
	const struct iova_mapping m = {
		.iova = first, .last = last, .gpa = 0x1000 + first, .perm = DMA_READ
	};

	return iova_map(&space, &m);
}

static int unmap(u64 first, u64 last)
{
	return iova_unmap(&space, first, last, &waits, &doorbells);
}

/* Whether there is one of just that range. */
static bool has(u64 first, u64 last)
{
	const struct iova_mapping *m = iova_find(&space, first), *end = iova_find(&space, last);

	return m && m == end && m->iova == first && m->last == last;
}

Test(iova, a_mapping_is_found_by_every_address_in_it_and_no_other)
{
	const struct iova_mapping *m;

	cr_assert(zero(int, map(0x1000, 0x2fff)));
	m = iova_find(&space, 0x1000);
	cr_assert(ne(ptr, (void *)m, NULL));
	cr_assert(eq(u64, m->gpa, 0x2000));
	cr_assert(eq(u32, m->perm, DMA_READ));
	cr_assert(eq(ptr, iova_find(&space, 0x2fff), (void *)m));
	cr_assert(eq(ptr, iova_find(&space, 0xfff), NULL));
	cr_assert(eq(ptr, iova_find(&space, 0x3000), NULL));
	cr_assert(eq(u64, space.nr, 1));
}

struct range {
	u64 first, last;
	int err;
};

/* With [0x1000, 0x1fff] and [0x4000, 0x4fff] there. */
ParameterizedTestParameters(iova, a_mapping_that_overlaps_another_is_refused)
{
	static struct range cases[] = {
		{ 0x1000, 0x1fff, -EEXIST }, { 0, 0x1000, -EEXIST }, { 0x1fff, 0x2fff, -EEXIST },
		{ 0x1800, 0x1801, -EEXIST }, { 0, ~0ULL, -EEXIST },  { 0x3000, 0x4fff, -EEXIST },
		{ 0x4fff, ~0ULL, -EEXIST },  { 0, 0xfff, 0 },        { 0x2000, 0x3fff, 0 },
		{ 0x5000, ~0ULL, 0 },
	};

	return cr_make_param_array(struct range, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct range *c, iova, a_mapping_that_overlaps_another_is_refused)
{
	map(0x1000, 0x1fff);
	map(0x4000, 0x4fff);
	cr_assert(eq(int, map(c->first, c->last), c->err));
	cr_assert(eq(u64, space.nr, c->err ? 2 : 3));
	cr_assert(has(0x1000, 0x1fff));
	cr_assert(has(0x4000, 0x4fff));
}

Test(iova, all_of_the_address_space_can_be_one_mapping)
{
	cr_assert(zero(int, map(0, ~0ULL)));
	cr_assert(has(0, ~0ULL));
	cr_assert(eq(int, unmap(0, ~0ULL - 1), -ERANGE));
	cr_assert(zero(int, unmap(0, ~0ULL)));
	cr_assert(zero(u64, space.nr));
}

/* Mappings of @before, in tens: which are there, and which are left; after a range is unmapped. */
struct unmap_case {
	unsigned int before, after;
	u64 first, last;
	int err;
};

ParameterizedTestParameters(iova, unmapping_takes_whole_mappings_or_nothing)
{
	static struct unmap_case cases[] = {
		{ 0x7, 0x5, 10, 19, 0 },       { 0x7, 0, 0, 29, 0 },
		{ 0x7, 0x1, 10, ~0ULL, 0 },    { 0x5, 0x5, 10, 19, 0 },
		{ 0x5, 0x1, 10, 29, 0 },       { 0x5, 0, 0, 100, 0 },
		{ 0, 0, 0, ~0ULL, 0 },         { 0x7, 0x7, 10, 18, -ERANGE },
		{ 0x7, 0x7, 11, 19, -ERANGE }, { 0x7, 0x7, 12, 15, -ERANGE },
		{ 0x7, 0x7, 0, 28, -ERANGE },  { 0x7, 0x7, 5, 29, -ERANGE },
		{ 0x5, 0x5, 5, 15, -ERANGE },  { 0x5, 0x5, 15, 25, -ERANGE },
	};

	return cr_make_param_array(struct unmap_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct unmap_case *c, iova, unmapping_takes_whole_mappings_or_nothing)
{
	for (u64 i = 0; i < 3; i++)
		if (c->before & BIT(i))
			map(i * 10, i * 10 + 9);
	cr_assert(eq(int, unmap(c->first, c->last), c->err));
	for (u64 i = 0; i < 3; i++)
		cr_assert(eq(int, has(i * 10, i * 10 + 9), !!(c->after & BIT(i))));
	cr_assert(zero(u32, waits.left), "nothing is in use");
}

Test(iova, what_is_in_use_is_waited_for_once_a_mapping)
{
	struct dma_use *uses[3];

	for (u64 i = 0; i < 3; i++)
		map(i * 10, i * 10 + 9);
	uses[0] = dma_use_get(&iova_find(&space, 0)->use);
	uses[1] = dma_use_get(&iova_find(&space, 0)->use);
	uses[2] = dma_use_get(&iova_find(&space, 20)->use);
	cr_assert(zero(int, unmap(0, 29)));
	cr_assert(eq(u32, waits.left, 2));
	cr_assert(eq(ptr, iova_find(&space, 0), NULL));
	for (int i = 0; i < 3; i++) {
		cr_assert(zero(u32, nr_done));
		dma_use_put(uses[i]);
	}
	cr_assert(eq(u32, nr_done, 1));
}

Test(iova, a_refused_unmap_waits_for_nothing)
{
	struct dma_use *use;

	map(0, 9);
	map(10, 19);
	use = dma_use_get(&iova_find(&space, 0)->use);
	cr_assert(eq(int, unmap(0, 15), -ERANGE));
	cr_assert(zero(u32, waits.left));
	dma_use_put(use);
	cr_assert(has(0, 9));
	cr_assert(zero(u32, nr_done));
}

Test(iova, the_same_range_can_be_mapped_while_the_old_one_is_in_use)
{
	struct iova_mapping *old;

	map(0, 9);
	old = iova_find(&space, 0);
	dma_use_get(&old->use);
	unmap(0, 9);
	cr_assert(zero(int, map(0, 9)));
	cr_assert(ne(ptr, iova_find(&space, 0), (void *)old));
	dma_use_put(&old->use);
	cr_assert(eq(u32, nr_done, 1));
	cr_assert(has(0, 9));
}

Test(iova, clearing_waits_for_none_and_frees_what_is_in_use_later)
{
	struct dma_use *use;

	map(0, 9);
	map(10, 19);
	use = dma_use_get(&iova_find(&space, 0)->use);
	iova_clear(&space);
	cr_assert(zero(u64, space.nr));
	dma_use_put(use);
	cr_assert(zero(u32, nr_done));
}

Test(iova, it_is_told_whether_messages_went_through_what_is_unmapped)
{
	map(0, 9);
	map(10, 19);
	iova_find(&space, 10)->doorbell = true;
	cr_assert(zero(int, unmap(0, 9)));
	cr_assert(not(doorbells));
	cr_assert(eq(int, unmap(0, 15), -ERANGE));
	cr_assert(not(doorbells));
	cr_assert(zero(int, unmap(0, 19)));
	cr_assert(doorbells);
}

Test(iova, a_mapping_that_goes_makes_another_generation)
{
	u64 before = space.generation;

	map(0, 9);
	cr_assert(eq(u64, space.generation, before));
	unmap(10, 19);
	cr_assert(eq(u64, space.generation, before));
	unmap(0, 9);
	cr_assert(ne(u64, space.generation, before));
}

/* As an array of who is mapped by which has it. */
Test(iova, random_ranges_are_as_an_array_has_them)
{
	static int owner[256]; /* 0: none; else the mapping's number */
	unsigned int seed = 1;

	for (int n = 1; n < 20000; n++) {
		u64 first = rand_r(&seed) % 256, last = first + rand_r(&seed) % 16;
		bool overlap = false, split = false;

		last = last < 256 ? last : 255;
		for (u64 i = first; i <= last; i++)
			overlap |= owner[i] != 0;
		split = (first && owner[first] && owner[first] == owner[first - 1]) ||
		        (last < 255 && owner[last] && owner[last] == owner[last + 1]);
		if (rand_r(&seed) % 2) {
			cr_assert(eq(int, map(first, last), overlap ? -EEXIST : 0));
			for (u64 i = first; i <= last && !overlap; i++)
				owner[i] = n;
		} else {
			cr_assert(eq(int, unmap(first, last), split ? -ERANGE : 0));
			for (u64 i = first; i <= last && !split; i++)
				owner[i] = 0;
		}
		for (u64 i = 0; i < 256; i += 1 + n % 7)
			cr_assert(eq(int, iova_find(&space, i) != NULL, owner[i] != 0), "%d", n);
	}
}

Test(iova, taking_a_range_takes_all_that_reaches_into_it)
{
	cr_assert(zero(int, map(0, 0xfff)));
	cr_assert(zero(int, map(0x1000, 0x2fff)));
	cr_assert(zero(int, map(0x4000, 0x4fff)));
	cr_assert(zero(int, map(0x6000, 0x6fff)));
	iova_take(&space, 0x2fff, 0x4000, IOVA_ALL, &waits, &doorbells);
	cr_assert(has(0, 0xfff));
	cr_assert(has(0x6000, 0x6fff));
	cr_assert(eq(u64, space.nr, 2));
	cr_assert(not(doorbells));
	iova_find(&space, 0)->doorbell = true;
	iova_take(&space, 0, ~0ULL, IOVA_ALL, &waits, &doorbells);
	cr_assert(zero(u64, space.nr));
	cr_assert(doorbells);
}

Test(iova, what_is_taken_is_of_the_kinds_that_were_said)
{
	struct iova_mapping global = { .iova = 0x1000, .last = 0x1fff, .global = true };

	cr_assert(zero(int, map(0, 0xfff)));
	cr_assert(zero(int, iova_map(&space, &global)));
	iova_take(&space, 0, ~0ULL, 0, &waits, &doorbells);
	cr_assert(eq(u64, space.nr, 2));
	iova_take(&space, 0, ~0ULL, IOVA_OWN, &waits, &doorbells);
	cr_assert(has(0x1000, 0x1fff));
	cr_assert(eq(u64, space.nr, 1));
	iova_take(&space, 0, ~0ULL, IOVA_GLOBAL, &waits, &doorbells);
	cr_assert(zero(u64, space.nr));
}

Test(iova, what_is_taken_in_use_is_waited_for)
{
	struct dma_use *use;

	cr_assert(zero(int, map(0, 0xfff)));
	use = dma_use_get(&iova_find(&space, 0)->use);
	iova_take(&space, 0x800, 0x800, IOVA_ALL, &waits, &doorbells);
	cr_assert(eq(u32, waits.left, 1));
	cr_assert(zero(ptr, iova_find(&space, 0)));
	dma_use_put(use);
	cr_assert(eq(u32, nr_done, 1));
}

static void expect_gap(u64 first, u64 last, u64 want_first, u64 want_last)
{
	iova_gap(&space, 0x3000, &first, &last);
	cr_assert(eq(u64, first, want_first));
	cr_assert(eq(u64, last, want_last));
}

Test(iova, a_gap_ends_where_mappings_are)
{
	expect_gap(0, ~0ULL, 0, ~0ULL);
	cr_assert(zero(int, map(0, 0xfff)));
	expect_gap(0, ~0ULL, 0x1000, ~0ULL);
	cr_assert(zero(int, map(0x5000, 0x5fff)));
	expect_gap(0, ~0ULL, 0x1000, 0x4fff);
	expect_gap(0x2000, 0x3fff, 0x2000, 0x3fff);
	expect_gap(0xfff, 0x5000, 0x1000, 0x4fff);
	cr_assert(eq(u64, iova_next(&space, 0x1000)->iova, 0x5000));
	cr_assert(eq(u64, iova_next(&space, 0x5fff)->iova, 0x5000));
	cr_assert(zero(ptr, iova_next(&space, 0x6000)));
}
