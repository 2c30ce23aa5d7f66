// SPDX-License-Identifier: GPL-2.0-only
/* The level that a walk starts at. */
#include "devices/pgtable/pgtable.h"

#define LAST_LEVEL 3
#define NONE       (-2)

int pgtable_start1(unsigned int granule, unsigned int input)
{
	const int stride = (int)granule - 3;

	return LAST_LEVEL - ((int)input - 1 - (int)granule) / stride;
}

/* By VTCR_EL2.{SL2, SL0}, which STE.{S2SL0_2, S2SL0} are encoded as (IHI 0070, 5.2); 3 with 4 KiB
 * is FEAT_TTST's, those of 52 bits FEAT_LPA2's. */
static int level_of(unsigned int granule, bool ds, unsigned int sl)
{
	static const s8 levels_4k[] = { 2, 1, 0, 3, -1, NONE, NONE, NONE };
	static const s8 levels_16k[] = { 3, 2, 1, 0 };
	static const s8 levels_64k[] = { 3, 2, 1, NONE };

	switch (granule) {
	case 12: return levels_4k[ds ? sl & 7 : sl & 3];
	case 14: return (sl & 3) == 3 && !ds ? NONE : levels_16k[sl & 3];
	case 16: return levels_64k[sl & 3];
	default: return NONE;
	}
}

bool pgtable_start2(unsigned int granule, unsigned int input, bool ds, unsigned int sl, s8 *level)
{
	const int start = level_of(granule, ds, sl);
	const unsigned int stride = granule - 3, most = granule == 16 || ds ? 52 : 48;
	unsigned int below;

	if (start == NONE)
		return false;
	/* The first level resolves a bit, at least, and at most four more than a table does. */
	below = granule + (LAST_LEVEL - start) * stride;
	if (input <= below || input > below + stride + 4 || input > most)
		return false;
	*level = start;
	return true;
}
