/* SPDX-License-Identifier: GPL-2.0-only */
/* Making translation tables. */
#include "tables.h"

#define ADDRESS 0x0000fffffffff000UL

void tables_clear(struct tables *t)
{
	memset(t, 0, sizeof(*t));
	t->used = 1;
	barrier();
}

static u64 *below(struct tables *t, u64 *entry)
{
	if (!*entry) {
		check(t->used < ARRAY_SIZE(t->table), "too many tables");
		*(volatile u64 *)entry = (u64)t->table[t->used++] | TABLE;
	}
	return (u64 *)(*entry & ADDRESS);
}

u64 *tables_entry(struct tables *t, u64 addr, unsigned int level)
{
	u64 *table = t->table[0];

	for (unsigned int at = 1;; at++) {
		u64 *entry = &table[addr >> (12 + (3 - at) * 9) & 511];

		if (at == level)
			return entry;
		table = below(t, entry);
	}
}

void tables_map(struct tables *t, u64 addr, u64 to, unsigned int pages, u64 attributes)
{
	for (u64 i = 0; i < pages; i++)
		*(volatile u64 *)tables_entry(t, addr + i * PAGE, 3) = (to + i * PAGE) | attributes;
	barrier();
}
