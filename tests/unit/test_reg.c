// SPDX-License-Identifier: GPL-2.0-only
/* Registers as a table: parts, masks, guards and callbacks. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "vmm/reg.h"

struct dev {
	u8 byte;
	u16 half;
	u32 word, masked, guarded;
	u64 wide;
	struct dev *other;
	u64 old;
	unsigned int written, read;
	bool guard;
};

static void written(void *dev, u64 old)
{
	struct dev *d = dev;

	d->written++;
	d->old = old;
}

static void was_read(void *dev)
{
	((struct dev *)dev)->read++;
}

static void *other(void *dev)
{
	return ((struct dev *)dev)->other;
}

static bool guarded(const void *dev, u32 guard)
{
	return guard == 5 && ((const struct dev *)dev)->guard;
}

#define FIELD(member)                                           \
	.name = #member, .field = offsetof(struct dev, member), \
	.size = sizeof(((struct dev *)0)->member)
static const struct reg regs[] = {
	{ FIELD(word), .offset = 0x00, .writable = ~0ULL, .written = written },
	{ FIELD(half), .offset = 0x04, .writable = ~0ULL },
	{ FIELD(byte), .offset = 0x06, .was_read = was_read },
	{ FIELD(wide), .offset = 0x08, .writable = ~0ULL, .written = written },
	{ FIELD(masked), .offset = 0x10, .writable = 0x00ff0ff0 },
	{ FIELD(guarded), .offset = 0x14, .writable = ~0ULL, .guard = 5, .written = written },
	{ FIELD(half), .offset = 0x18, .writable = ~0ULL, .where = other, .written = written },
};
static const struct reg_bank bank = { regs, ARRAY_SIZE(regs), guarded };

struct access_case {
	u64 offset;
	unsigned int size;
	u64 val;
};

ParameterizedTestParameters(reg, an_access_within_a_register_reads_its_part)
{
	static struct access_case cases[] = {
		{ 0x08, 8, 0x8877665544332211 },
		{ 0x08, 4, 0x44332211 },
		{ 0x0c, 4, 0x88776655 },
		{ 0x0e, 2, 0x8877 },
		{ 0x0f, 1, 0x88 },
		{ 0x00, 4, 0xddccbbaa },
		{ 0x02, 2, 0xddcc },
		{ 0x06, 1, 0x5a },
	};

	return cr_make_param_array(struct access_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct access_case *c, reg, an_access_within_a_register_reads_its_part)
{
	struct dev d = { .wide = 0x8877665544332211, .word = 0xddccbbaa, .byte = 0x5a };

	cr_assert(eq(u64, reg_read(&bank, &d, c->offset, c->size), c->val), "%#x/%u",
	          (unsigned int)c->offset, c->size);
}

ParameterizedTestParameters(reg, an_access_that_no_row_answers_reads_0_and_is_lost)
{
	static struct access_case cases[] = {
		{ 0x07, 1, 0 }, { 0x00, 8, 0 }, { 0x04, 4, 0 }, { 0x06, 2, 0 },
		{ 0x09, 2, 0 }, { 0x0a, 4, 0 }, { 0x1a, 1, 0 }, { ~0ULL, 1, 0 },
	};

	return cr_make_param_array(struct access_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct access_case *c, reg, an_access_that_no_row_answers_reads_0_and_is_lost)
{
	struct dev d, before;

	memset(&d, 0xee, sizeof(d));
	d.other = NULL;
	before = d;
	cr_assert(zero(u64, reg_read(&bank, &d, c->offset, c->size)));
	reg_write(&bank, &d, c->offset, c->size, 0);
	cr_assert(zero(int, memcmp(&d, &before, sizeof(d))), "%#llx/%u",
	          (unsigned long long)c->offset, c->size);
	cr_assert(zero(ptr, (void *)reg_find(&bank, c->offset, c->size)));
}

Test(reg, a_half_written_leaves_the_other_half)
{
	struct dev d = { .wide = 0x1111111122222222 };

	reg_write(&bank, &d, 0x0c, 4, 0xffffffffabcdef01);
	cr_assert(eq(u64, d.wide, 0xabcdef0122222222));
	cr_assert(eq(u64, d.old, 0x1111111122222222));
	reg_write(&bank, &d, 0x09, 1, 0x99);
	cr_assert(eq(u64, d.wide, 0xabcdef0122229922));
	cr_assert(eq(u32, d.written, 2));
}

Test(reg, bits_that_are_not_writable_stay)
{
	struct dev d = { .masked = 0xf000000f };

	reg_write(&bank, &d, 0x10, 4, 0x0fffffff);
	cr_assert(eq(u32, d.masked, 0xf0ff0fff));
	reg_write(&bank, &d, 0x10, 4, 0);
	cr_assert(eq(u32, d.masked, 0xf000000f));
}

Test(reg, a_read_only_register_is_not_written_and_tells_of_reads)
{
	struct dev d = { .byte = 3 };

	reg_write(&bank, &d, 0x06, 1, 9);
	cr_assert(eq(u32, d.byte, 3));
	cr_assert(eq(u64, reg_read(&bank, &d, 0x06, 1), 3));
	cr_assert(eq(u32, d.read, 1));
}

Test(reg, a_guard_that_holds_loses_the_write)
{
	struct dev d = { .guard = true };

	reg_write(&bank, &d, 0x14, 4, 1);
	cr_assert(zero(u32, d.guarded));
	cr_assert(zero(u32, d.written));
	d.guard = false;
	reg_write(&bank, &d, 0x14, 4, 1);
	cr_assert(eq(u32, d.guarded, 1));
}

Test(reg, a_field_can_lie_elsewhere_or_nowhere)
{
	struct dev there = { .half = 0x77 }, d = { 0 };

	reg_write(&bank, &d, 0x18, 2, 5);
	cr_assert(zero(u64, reg_read(&bank, &d, 0x18, 2)));
	cr_assert(zero(u32, d.written));
	d.other = &there;
	cr_assert(eq(u64, reg_read(&bank, &d, 0x18, 2), 0x77));
	reg_write(&bank, &d, 0x18, 2, 5);
	cr_assert(eq(u32, there.half, 5));
	cr_assert(eq(u32, d.written, 1));
}

Test(reg, a_row_is_found_by_name)
{
	cr_assert(eq(str, (char *)reg_find(&bank, 0x0c, 4)->name, "wide"));
}
