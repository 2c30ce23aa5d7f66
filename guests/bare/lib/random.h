/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers by chance, for one CPU. */
#ifndef GUESTS_BARE_LIB_RANDOM_H
#define GUESTS_BARE_LIB_RANDOM_H

#include "guest.h"

/* From a seed; the same again from the same one. */
void random_seed(u64 seed);
u64 random_bits(void);
u32 random_below(u32 limit);
static inline bool one_in(u32 n)
{
	return !random_below(n);
}

#endif
