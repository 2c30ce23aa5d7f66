/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_TOLD_PRIVATE_H
#define TESTS_UNIT_TOLD_PRIVATE_H

#include "tests/unit/told_reader.h"

static inline void told_broken(struct told_tables *t, const char *why)
{
	if (!t->broken)
		t->broken = why;
}

/* Of a table's own bytes, and of no others. */
static inline u64 told_get(struct told_tables *t, const u8 *table, u32 at, unsigned int len)
{
	const u32 size = table[4] | table[5] << 8 | table[6] << 16 | (u32)table[7] << 24;
	u64 val = 0;

	if (at > size || len > size - at) {
		told_broken(t, "a table ends before what it speaks of");
		return 0;
	}
	for (unsigned int i = 0; i < len; i++)
		val |= (u64)table[at + i] << 8 * i;
	return val;
}

/* told_dsdt.c */
u32 told_package_end(struct told_tables *t, u32 *at);

#endif
