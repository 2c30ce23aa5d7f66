// SPDX-License-Identifier: GPL-2.0-only
/* The MMIO bus: who answers which access. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>

#include "vmm/mmio.h"

/* What the last access reached. */
static struct {
	void *dev;
	u64 offset, val;
	unsigned int size, calls;
} seen;

static u64 note_read(void *dev, u64 offset, unsigned int size)
{
	seen.dev = dev;
	seen.offset = offset;
	seen.size = size;
	seen.calls++;
	return 0x1234;
}

static void note_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	note_read(dev, offset, size);
	seen.val = val;
}

static const struct mmio_ops ops = { .name = "note", .read = note_read, .write = note_write };

static int add(struct mmio_bus *bus, gpa_t base, u64 size, void *dev)
{
	struct mmio_region r = { .base = base, .size = size, .ops = &ops, .dev = dev };

	return mmio_add(bus, &r);
}

Test(mmio, an_access_reaches_its_region_with_an_offset)
{
	struct mmio_bus bus = { 0 };
	u64 val = 0x55;
	int a, b;

	cr_assert(zero(int, add(&bus, 0x3000, 0x1000, &b)));
	cr_assert(zero(int, add(&bus, 0x1000, 0x1000, &a)));

	cr_assert(eq(ptr, (void *)mmio_access(&bus, 0x1ffc, 4, false, &val), (void *)&ops));
	cr_assert(eq(ptr, seen.dev, &a));
	cr_assert(eq(u64, val, 0x1234));
	cr_assert(eq(u64, seen.offset, 0xffc));

	val = 0x55;
	cr_assert(eq(ptr, (void *)mmio_access(&bus, 0x3000, 8, true, &val), (void *)&ops));
	cr_assert(eq(ptr, seen.dev, &b));
	cr_assert(eq(u64, seen.val, 0x55));
	cr_assert(eq(u32, seen.size, 8));
	mmio_destroy(&bus);
}

struct hole_case {
	gpa_t gpa;
	unsigned int size;
};

ParameterizedTestParameters(mmio, what_hits_no_region_calls_nothing)
{
	static struct hole_case cases[] = {
		{ 0xfff, 1 },  { 0xffc, 4 },  { 0x2000, 1 }, { 0x100c, 8 }, { 0x1002, 4 },
		{ 0x1001, 2 }, { 0x5010, 8 }, { ~0ULL, 1 },  { 0x5018, 1 }, { 0, 8 },
	};

	return cr_make_param_array(struct hole_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct hole_case *c, mmio, what_hits_no_region_calls_nothing)
{
	struct mmio_bus bus = { 0 };
	u64 val = 7;

	add(&bus, 0x1000, 0x10, NULL);
	add(&bus, 0x5000, 0x14, NULL); /* a size that no 8-byte access divides */
	cr_assert(zero(ptr, (void *)mmio_access(&bus, c->gpa, c->size, false, &val)), "%#llx %u",
	          (unsigned long long)c->gpa, c->size);
	cr_assert(eq(u64, val, 7));
	cr_assert(zero(u32, seen.calls));
	mmio_destroy(&bus);
}

Test(mmio, an_empty_bus_is_a_hole)
{
	struct mmio_bus bus = { 0 };
	u64 val;

	cr_assert(zero(ptr, (void *)mmio_access(&bus, 0, 4, false, &val)));
}

struct add_case {
	gpa_t base;
	u64 size;
	int ret;
};

ParameterizedTestParameters(mmio, regions_do_not_overlap)
{
	static struct add_case cases[] = {
		{ 0x2000, 0x1000, -EEXIST },    { 0x1fff, 2, -EEXIST },    { 0x2fff, 1, -EEXIST },
		{ 0x1000, 0x4000, -EEXIST },    { 0x2800, 0x10, -EEXIST }, { 0x1000, 0x1000, 0 },
		{ 0x3000, 0x1000, 0 },          { 0x5000, 0, -EINVAL },    { ~0xfffULL, 0x1000, 0 },
		{ ~0xfffULL, 0x1001, -EINVAL }, { 0, ~0ULL, -EEXIST },
	};

	return cr_make_param_array(struct add_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct add_case *c, mmio, regions_do_not_overlap)
{
	struct mmio_bus bus = { 0 };

	add(&bus, 0x2000, 0x1000, NULL);
	cr_assert(eq(int, add(&bus, c->base, c->size, NULL), c->ret), "%#llx %#llx",
	          (unsigned long long)c->base, (unsigned long long)c->size);
	mmio_destroy(&bus);
}

Test(mmio, the_last_byte_of_the_address_space_can_be_a_region)
{
	struct mmio_bus bus = { 0 };
	u64 val;

	add(&bus, ~0xfffULL, 0x1000, NULL);
	cr_assert(ne(ptr, (void *)mmio_access(&bus, ~0ULL, 1, false, &val), NULL));
	cr_assert(eq(u64, seen.offset, 0xfff));
	mmio_destroy(&bus);
}

Test(mmio, many_regions_stay_sorted_while_they_come_and_go)
{
	struct mmio_bus bus = { 0 };
	u64 val;

	for (u64 i = 0; i < 100; i++)
		cr_assert(zero(int, add(&bus, (i * 37 % 100) * 0x1000, 0x800, NULL)));
	for (u64 i = 0; i < 100; i += 2)
		mmio_remove(&bus, i * 0x1000);
	mmio_remove(&bus, 0x1004); /* not where one starts */
	for (u64 i = 0; i < 100; i++)
		cr_assert(eq(int, !!mmio_access(&bus, i * 0x1000 + 4, 4, false, &val), i % 2));
	cr_assert(eq(u32, bus.nr, 50));
	mmio_destroy(&bus);
}
