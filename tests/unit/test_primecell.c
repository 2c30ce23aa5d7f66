// SPDX-License-Identifier: GPL-2.0-only
/* The identification registers that end every PrimeCell. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "devices/primecell.h"

struct part_case {
	unsigned int part;
	u8 ids[8]; /* PeriphID0 to 3, PCellID0 to 3 */
};

/* DDI 0224, table 3-1; DDI 0190, table 3-1; DDI 0183, table 3-1. */
ParameterizedTestParameters(primecell, each_part_is_known_by_its_digits)
{
	static struct part_case cases[] = {
		{ 0x031, { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 } },
		{ 0x061, { 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 } },
		{ 0x011, { 0x11, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 } },
		{ 0xabc, { 0xbc, 0x1a, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 } },
	};

	return cr_make_param_array(struct part_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct part_case *c, primecell, each_part_is_known_by_its_digits)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(c->ids); i++)
		cr_assert(eq(u64, primecell_read(c->part, PRIMECELL_IDS + 4 * i), c->ids[i]),
		          "part %#x, register %u", c->part, i);
}

Test(primecell, a_register_is_one_byte_of_its_word)
{
	for (u64 offset = PRIMECELL_IDS; offset < 0x1000; offset++)
		if (offset % 4)
			cr_assert(zero(u64, primecell_read(0xfff, offset)), "%#llx",
			          (unsigned long long)offset);
}
