// SPDX-License-Identifier: GPL-2.0-only
/* What the board has of what segments take. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "machine/layout.h"
#include "machine/machine.h"
#include "vmm/arm64/gic.h"

struct spi_case {
	char irqchip[12];
	unsigned int nr_segments, nr_spis;
};

ParameterizedTestParameters(board, a_gic_has_no_more_spis_than_the_segments_take)
{
	static struct spi_case cases[] = {
		{ "gicv3-its", 1, 160 },  { "gicv3-its", 8, 160 }, { "gicv3-its", 9, 320 },
		{ "gicv3-its", 16, 320 }, { "gicv3", 17, 352 },    { "gicv3", 64, 512 },
		{ "gicv2m", 8, 288 },     { "gicv2m", 9, 320 },    { "gicv2", 64, 512 },
	};

	return cr_make_param_array(struct spi_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct spi_case *c, board, a_gic_has_no_more_spis_than_the_segments_take)
{
	const struct options o = {
		.irqchip = irqchip_find(c->irqchip),
		.nr_segments = c->nr_segments,
	};

	cr_assert(eq(u32, board_spis(&o), c->nr_spis), "%s, %u", c->irqchip, c->nr_segments);
}

Test(board, of_64_segments_the_last_ends_4_tib_above_ram)
{
	const struct options o = { .mem = 256 << 20, .nr_segments = PLATFORM_SEGMENTS };

	/* 32 GiB, 63 strides, the window, 4 buses */
	cr_assert(eq(u64, board_top(&o), (32 + 63 * 64 + 32ULL) << 30 | 4 << 20));
}
