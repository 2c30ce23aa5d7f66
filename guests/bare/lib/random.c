/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers by chance, for one CPU. */
#include "random.h"

static u64 state;

/* xorshift64*, never 0 */
void random_seed(u64 seed)
{
	state = seed * 2 + 1;
}

u64 random_bits(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dUL;
}

u32 random_below(u32 limit)
{
	return (random_bits() >> 16) % limit;
}
