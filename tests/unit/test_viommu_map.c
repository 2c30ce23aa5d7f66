// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU device's MAP and UNMAP (virtio 1.3, 5.13.6.5, 5.13.6.6). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/unit/fake_viommu.h"

#define R    VIRTIO_IOMMU_MAP_F_READ
#define W    VIRTIO_IOMMU_MAP_F_WRITE
#define RW   (R | W)
#define MMIO VIRTIO_IOMMU_MAP_F_MMIO
#define PAGE 0x1000ULL
#define D    VIOMMU_DATA

static struct fake_viommu f;

/* Domain 1 is endpoint 0's, domain 2 endpoint 1's and of bypass. */
static void attach(void)
{
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	if (virtio_has(f.dev, VIRTIO_IOMMU_F_BYPASS_CONFIG))
		cr_assert(zero(u8, fake_viommu_attach(&f, 2, 0x11, VIRTIO_IOMMU_ATTACH_F_BYPASS)));
}

static void make(void)
{
	fake_viommu_make(&f, NULL, 0);
	attach();
}

static void make_with(const struct viommu_config *c, u64 without)
{
	fake_viommu_remake(&f, c, without);
	attach();
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_map, .init = make, .fini = unmake);

static u8 map(u64 first, u64 last, gpa_t gpa, u32 flags)
{
	return fake_viommu_map(&f, 1, first, last, gpa, flags);
}

static u64 reach(u64 iova, u32 perm)
{
	return fake_viommu_reach(&f, 0, iova, perm);
}

static u64 nr_mappings(void)
{
	return fake_viommu_counts(&f).mappings;
}

Test(viommu_map, a_range_is_reached_from_its_first_byte_to_its_last)
{
	cr_assert(zero(u8, map(4 * PAGE, 7 * PAGE - 1, D, RW)));
	for (u64 at = 0; at < 3 * PAGE; at += 0xff)
		cr_assert(eq(u64, reach(4 * PAGE + at, DMA_READ | DMA_WRITE), D + at));
	cr_assert(eq(u64, reach(7 * PAGE - 1, DMA_READ), D + 3 * PAGE - 1));
	cr_assert(zero(u64, reach(4 * PAGE - 1, DMA_READ)));
	cr_assert(zero(u64, reach(7 * PAGE, DMA_READ)));
}

struct perm_case {
	u32 flags;
	bool may_read, may_write;
};

ParameterizedTestParameters(viommu_map, an_access_needs_the_flag_for_it)
{
	static struct perm_case cases[] = {
		{ 0, false, false },       { R, true, false },        { W, false, true },
		{ RW, true, true },        { MMIO, false, false },    { MMIO | R, true, false },
		{ MMIO | W, false, true }, { MMIO | RW, true, true },
	};

	return cr_make_param_array(struct perm_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct perm_case *c, viommu_map, an_access_needs_the_flag_for_it)
{
	cr_assert(zero(u8, map(0, PAGE - 1, D, c->flags)));
	cr_assert(eq(int, reach(0, DMA_READ) != 0, c->may_read));
	cr_assert(eq(int, reach(0, DMA_WRITE) != 0, c->may_write));
	cr_assert(eq(int, reach(0, DMA_READ | DMA_WRITE) != 0, c->may_read && c->may_write));
}

struct map_case {
	u64 first, last;
	gpa_t gpa;
	u32 flags, domain;
	u8 status;
};

/* With [10, 11] pages mapped, pages 20 to 29 reserved, IOVAs from page 1 to 2^40. */
ParameterizedTestParameters(viommu_map, what_cannot_be_mapped_is_refused)
{
	static struct map_case cases[] = {
		{ PAGE, 2 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_OK },
		{ PAGE, BIT(40) - 1, D, RW, 3, VIRTIO_IOMMU_S_NOENT },
		/* granules */
		{ PAGE + 1, 2 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_RANGE },
		{ PAGE, 2 * PAGE - 2, D, RW, 1, VIRTIO_IOMMU_S_RANGE },
		{ PAGE, 2 * PAGE, D, RW, 1, VIRTIO_IOMMU_S_RANGE },
		{ PAGE, 2 * PAGE - 1, D + 0x800, RW, 1, VIRTIO_IOMMU_S_RANGE },
		/* the order of the ends */
		{ 3 * PAGE, 2 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_RANGE },
		{ 2 * PAGE, 2 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_RANGE },
		{ 2 * PAGE, 2 * PAGE, D, RW, 1, VIRTIO_IOMMU_S_RANGE },
		/* the input range */
		{ 0, PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_RANGE },
		{ 0, 2 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_RANGE },
		{ BIT(40) - PAGE, BIT(40) - 1, D, RW, 1, VIRTIO_IOMMU_S_OK },
		{ BIT(40) - PAGE, BIT(40) + PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_RANGE },
		{ -PAGE, ~0ULL, D, RW, 1, VIRTIO_IOMMU_S_RANGE },
		/* GPAs that are none */
		{ PAGE, 2 * PAGE - 1, -PAGE, RW, 1, VIRTIO_IOMMU_S_OK },
		{ PAGE, 3 * PAGE - 1, -PAGE, RW, 1, VIRTIO_IOMMU_S_RANGE },
		/* what is there */
		{ 10 * PAGE, 12 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_INVAL },
		{ 10 * PAGE, 11 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_INVAL },
		{ 9 * PAGE, 11 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_INVAL },
		{ 11 * PAGE, 13 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_INVAL },
		{ 9 * PAGE, 13 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_INVAL },
		{ 9 * PAGE, 10 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_OK },
		{ 12 * PAGE, 13 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_OK },
		/* what is reserved */
		{ 20 * PAGE, 21 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_INVAL },
		{ 15 * PAGE, 21 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_INVAL },
		{ 29 * PAGE, 31 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_INVAL },
		{ 15 * PAGE, 40 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_INVAL },
		{ 19 * PAGE, 20 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_OK },
		{ 30 * PAGE, 31 * PAGE - 1, D, RW, 1, VIRTIO_IOMMU_S_OK },
		/* flags: whatever else is wrong */
		{ PAGE, 2 * PAGE - 1, D, RW | 8, 1, VIRTIO_IOMMU_S_INVAL },
		{ PAGE, 2 * PAGE - 1, D, 1u << 31, 1, VIRTIO_IOMMU_S_INVAL },
		{ PAGE + 1, 2 * PAGE - 1, D, RW | 8, 1, VIRTIO_IOMMU_S_INVAL },
		{ PAGE, 2 * PAGE - 1, D, RW | 8, 3, VIRTIO_IOMMU_S_INVAL },
		/* domains */
		{ PAGE, 2 * PAGE - 1, D, RW, 0, VIRTIO_IOMMU_S_NOENT },
		{ PAGE, 2 * PAGE - 1, D, RW, 2, VIRTIO_IOMMU_S_INVAL },
	};

	return cr_make_param_array(struct map_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct map_case *c, viommu_map, what_cannot_be_mapped_is_refused)
{
	struct viommu_config config = fake_viommu_config();

	config.input = (struct viommu_range){ PAGE, BIT(40) - 1 };
	config.reserved[0] = (struct viommu_range){ 20 * PAGE, 30 * PAGE - 1 };
	config.nr_reserved = 1;
	make_with(&config, 0);
	cr_assert(zero(u8, map(10 * PAGE, 12 * PAGE - 1, D, RW)));
	cr_assert(eq(u8, fake_viommu_map(&f, c->domain, c->first, c->last, c->gpa, c->flags),
	             c->status));
	cr_assert(eq(u64, nr_mappings(), c->status ? 1 : 2));
	cr_assert(eq(u64, reach(10 * PAGE, DMA_READ), D), "what was there is there");
}

Test(viommu_map, all_of_the_address_space_can_be_mapped)
{
	cr_assert(zero(u8, map(0, ~0ULL, 0, RW)));
	cr_assert(eq(u64, reach(D + 5, DMA_WRITE), D + 5));
	cr_assert(eq(u8, map(0, PAGE - 1, D, RW), VIRTIO_IOMMU_S_INVAL));
	cr_assert(zero(u8, fake_viommu_unmap(&f, 1, 0, ~0ULL)));
	cr_assert(zero(u64, reach(D + 5, DMA_WRITE)));
}

Test(viommu_map, the_window_of_messages_cannot_be_mapped)
{
	struct viommu_config c = fake_viommu_config();

	c.msi_window = true;
	c.msi = (struct viommu_range){ 0x8020000, 0x8020fff };
	make_with(&c, 0);
	cr_assert(eq(u8, map(0x8020000, 0x8020fff, D, RW), VIRTIO_IOMMU_S_INVAL));
	cr_assert(eq(u8, map(0x8000000, 0x80fffff, D, RW), VIRTIO_IOMMU_S_INVAL));
	cr_assert(zero(u8, map(0x8021000, 0x8021fff, D, RW)));
	cr_assert(zero(u8, map(0x801f000, 0x801ffff, D, RW)));
}

struct window_case {
	u64 first, last;
	gpa_t gpa;
	u32 flags;
	u8 status;
};

/* The host's window is [0x8000000, 0x80fffff], the guest's doorbell at 0x8000040. */
ParameterizedTestParameters(viommu_map, in_the_hosts_window_only_doorbells_are_mapped)
{
	static struct window_case cases[] = {
		{ 0x8000000, 0x8000fff, 0x8000000, RW | MMIO, VIRTIO_IOMMU_S_OK },
		{ 0x80ff000, 0x80fffff, 0x8000000, MMIO, VIRTIO_IOMMU_S_OK },
		{ 0x8000000, 0x8000fff, 0x8000000, RW, VIRTIO_IOMMU_S_INVAL },
		{ 0x8000000, 0x8000fff, D, RW, VIRTIO_IOMMU_S_INVAL },
		{ 0x8000000, 0x8000fff, D, RW | MMIO, VIRTIO_IOMMU_S_INVAL },
		{ 0x8000000, 0x8000fff, 0x7fff000, RW | MMIO, VIRTIO_IOMMU_S_INVAL },
		{ 0x8000000, 0x8001fff, 0x8000000, RW | MMIO, VIRTIO_IOMMU_S_INVAL },
		{ 0x80ff000, 0x8100fff, 0x8000000, RW | MMIO, VIRTIO_IOMMU_S_INVAL },
		{ 0, ~0ULL, 0, RW, VIRTIO_IOMMU_S_INVAL },
		{ 0x8100000, 0x8100fff, D, RW, VIRTIO_IOMMU_S_OK },
		{ 0x7fff000, 0x7ffffff, D, RW, VIRTIO_IOMMU_S_OK },
	};

	return cr_make_param_array(struct window_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct window_case *c, viommu_map, in_the_hosts_window_only_doorbells_are_mapped)
{
	struct viommu_config config = fake_viommu_config();

	config.host_window = true;
	config.host_msi = (struct viommu_range){ 0x8000000, 0x80fffff };
	config.doorbell = (struct viommu_range){ 0x8000000, 0x8000fff };
	make_with(&config, 0);
	cr_assert(eq(u8, map(c->first, c->last, c->gpa, c->flags), c->status));
	cr_assert(eq(u64, nr_mappings(), !c->status));
}

Test(viommu_map, mmio_is_an_unknown_flag_without_its_feature)
{
	const struct viommu_config c = fake_viommu_config();

	make_with(&c, BIT(VIRTIO_IOMMU_F_MMIO));
	cr_assert(eq(u8, map(0, PAGE - 1, D, RW | MMIO), VIRTIO_IOMMU_S_INVAL));
	cr_assert(zero(u8, map(0, PAGE - 1, D, RW)));
}

Test(viommu_map, a_granule_of_a_byte_is_one)
{
	struct viommu_config c = fake_viommu_config();

	c.page_size_mask = ~0ULL;
	make_with(&c, 0);
	cr_assert(zero(u8, map(3, 5, D + 1, RW)));
	cr_assert(eq(u64, reach(3, DMA_READ), D + 1));
	cr_assert(eq(u64, reach(5, DMA_READ), D + 3));
	cr_assert(zero(u64, reach(2, DMA_READ)));
	cr_assert(zero(u64, reach(6, DMA_READ)));
	cr_assert(zero(u8, map(6, 6, D, RW)), "one byte at a time");
	cr_assert(eq(u64, reach(6, DMA_READ), D));
	cr_assert(eq(u8, map(7, 6, D, RW), VIRTIO_IOMMU_S_RANGE));
}

Test(viommu_map, larger_granules_are_held_to)
{
	struct viommu_config c = fake_viommu_config();

	c.page_size_mask = ~0xffffULL;
	make_with(&c, 0);
	cr_assert(eq(u8, map(0x1000, 0xffff, D, RW), VIRTIO_IOMMU_S_RANGE));
	cr_assert(eq(u8, map(0, 0xffff, D + 0x1000, RW), VIRTIO_IOMMU_S_RANGE));
	cr_assert(zero(u8, map(0, 0xffff, D, RW)));
}

Test(viommu_map, there_are_no_more_mappings_than_the_limit_over_all_domains)
{
	struct viommu_config c = fake_viommu_config();

	c.max_mappings = 3;
	make_with(&c, 0);
	cr_assert(zero(u8, fake_viommu_attach(&f, 5, 0x12, 0)));
	cr_assert(zero(u8, map(0, PAGE - 1, D, RW)));
	cr_assert(zero(u8, map(PAGE, 2 * PAGE - 1, D, RW)));
	cr_assert(zero(u8, fake_viommu_map(&f, 5, 0, PAGE - 1, D, RW)));
	cr_assert(eq(u8, map(2 * PAGE, 3 * PAGE - 1, D, RW), VIRTIO_IOMMU_S_NOMEM));
	cr_assert(zero(u64, reach(2 * PAGE, DMA_READ)));
	cr_assert(zero(u8, fake_viommu_detach(&f, 5, 0x12)), "which takes its mapping along");
	cr_assert(zero(u8, map(2 * PAGE, 3 * PAGE - 1, D, RW)));
	cr_assert(eq(u8, map(3 * PAGE, 4 * PAGE - 1, D, RW), VIRTIO_IOMMU_S_NOMEM));
	cr_assert(zero(u8, fake_viommu_unmap(&f, 1, 0, PAGE - 1)));
	cr_assert(zero(u8, map(3 * PAGE, 4 * PAGE - 1, D, RW)));
}

Test(viommu_map, what_is_mapped_to_no_memory_is_not_reached)
{
	cr_assert(zero(u8, map(0, 2 * PAGE - 1, VIOMMU_BASE + VIOMMU_RAM - PAGE, RW)));
	cr_assert(ne(u64, reach(PAGE - 1, DMA_READ), 0));
	cr_assert(zero(u64, reach(PAGE, DMA_READ)));
}

/* 5.13.6.6: UNMAP. The specification's own examples, in pages; which of three mappings are left. */
struct unmap_case {
	u64 maps[2][2]; /* [first, last]; 0, 0: none */
	u64 first, last;
	u8 status, left;
};

ParameterizedTestParameters(viommu_map, unmap_is_as_the_specifications_examples)
{
	static struct unmap_case cases[] = {
		{ {}, 0, 4, VIRTIO_IOMMU_S_OK, 0 },
		{ { { 0, 9 } }, 0, 9, VIRTIO_IOMMU_S_OK, 0 },
		{ { { 0, 4 }, { 5, 9 } }, 0, 9, VIRTIO_IOMMU_S_OK, 0 },
		{ { { 0, 9 } }, 0, 4, VIRTIO_IOMMU_S_RANGE, 1 },
		{ { { 0, 4 }, { 5, 9 } }, 0, 4, VIRTIO_IOMMU_S_OK, 2 },
		{ { { 0, 4 } }, 0, 9, VIRTIO_IOMMU_S_OK, 0 },
		{ { { 0, 4 }, { 10, 14 } }, 0, 14, VIRTIO_IOMMU_S_OK, 0 },
		/* and some of their like */
		{ { { 0, 4 }, { 5, 9 } }, 0, 7, VIRTIO_IOMMU_S_RANGE, 3 },
		{ { { 0, 4 }, { 5, 9 } }, 2, 9, VIRTIO_IOMMU_S_RANGE, 3 },
		{ { { 5, 9 } }, 6, 8, VIRTIO_IOMMU_S_RANGE, 1 },
		{ { { 5, 9 } }, 9, 20, VIRTIO_IOMMU_S_RANGE, 1 },
		{ { { 5, 9 } }, 10, 20, VIRTIO_IOMMU_S_OK, 1 },
	};

	return cr_make_param_array(struct unmap_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct unmap_case *c, viommu_map, unmap_is_as_the_specifications_examples)
{
	for (int i = 0; i < 2; i++)
		if (c->maps[i][1])
			cr_assert(zero(u8, map(c->maps[i][0] * PAGE, (c->maps[i][1] + 1) * PAGE - 1,
			                       D, RW)));
	cr_assert(eq(u8, fake_viommu_unmap(&f, 1, c->first * PAGE, (c->last + 1) * PAGE - 1),
	             c->status));
	for (int i = 0; i < 2; i++)
		for (int end = 0; end < 2; end++)
			if (c->maps[i][1])
				cr_assert(eq(int, reach(c->maps[i][end] * PAGE, DMA_READ) != 0,
				             !!(c->left & 1 << i)));
}

Test(viommu_map, unmap_ignores_what_is_reserved)
{
	struct virtio_iommu_req_unmap rq = { .head.type = VIRTIO_IOMMU_T_UNMAP,
		                             .domain = 1,
		                             .virt_end = PAGE - 1 };

	memset(rq.reserved, 0xff, sizeof(rq.reserved));
	cr_assert(zero(u8, map(0, PAGE - 1, D, RW)));
	cr_assert(zero(u8, fake_viommu_send(&f, &rq, 28)));
	cr_assert(zero(u64, nr_mappings()));
}

Test(viommu_map, unmap_in_a_domain_there_is_not_or_of_bypass_is_refused)
{
	cr_assert(eq(u8, fake_viommu_unmap(&f, 3, 0, PAGE - 1), VIRTIO_IOMMU_S_NOENT));
	cr_assert(eq(u8, fake_viommu_unmap(&f, 2, 0, ~0ULL), VIRTIO_IOMMU_S_INVAL));
	cr_assert(eq(u64, fake_viommu_reach(&f, 1, D, DMA_READ), D), "bypass still is");
}

Test(viommu_map, unmap_of_a_range_that_ends_before_it_begins_takes_nothing)
{
	cr_assert(zero(u8, map(0, PAGE - 1, D, RW)));
	cr_assert(eq(u8, fake_viommu_unmap(&f, 1, PAGE, 0), VIRTIO_IOMMU_S_RANGE));
	cr_assert(eq(u8, fake_viommu_unmap(&f, 1, ~0ULL, 0), VIRTIO_IOMMU_S_RANGE));
	cr_assert(eq(u64, nr_mappings(), 1));
}

Test(viommu_map, unmap_needs_no_granules_and_no_input_range)
{
	struct viommu_config c = fake_viommu_config();

	c.input = (struct viommu_range){ PAGE, BIT(40) - 1 };
	make_with(&c, 0);
	cr_assert(zero(u8, map(PAGE, 2 * PAGE - 1, D, RW)));
	cr_assert(zero(u8, fake_viommu_unmap(&f, 1, 1, ~0ULL - 7)));
	cr_assert(zero(u64, nr_mappings()));
}

Test(viommu_map, unmap_touches_no_other_domain)
{
	cr_assert(zero(u8, fake_viommu_attach(&f, 5, 0x12, 0)));
	cr_assert(zero(u8, map(0, PAGE - 1, D, RW)));
	cr_assert(zero(u8, fake_viommu_map(&f, 5, 0, PAGE - 1, D + PAGE, RW)));
	cr_assert(zero(u8, fake_viommu_unmap(&f, 1, 0, ~0ULL)));
	cr_assert(zero(u64, reach(0, DMA_READ)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 2, 0, DMA_READ), D + PAGE));
}

Test(viommu_map, what_is_unmapped_can_be_mapped_to_something_else)
{
	cr_assert(zero(u8, map(0, PAGE - 1, D, RW)));
	cr_assert(eq(u64, reach(0, DMA_READ), D));
	cr_assert(zero(u8, fake_viommu_unmap(&f, 1, 0, PAGE - 1)));
	cr_assert(zero(u8, map(0, PAGE - 1, D + PAGE, R)));
	cr_assert(eq(u64, reach(0, DMA_READ), D + PAGE));
	cr_assert(zero(u64, reach(0, DMA_WRITE)));
}
