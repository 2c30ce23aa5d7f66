/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_VMSA_TABLES_H
#define TESTS_UNIT_VMSA_TABLES_H

#include "tests/unit/vmsa_model.h"

/*
 * Random translation tables, mostly good ones, in two memories that are alike: they have no
 * entries at first, and get them along the addresses that vmsa_tables_grow() is told.
 */
#define VMSA_TABLES_RAM    BIT(22)
#define VMSA_TABLES_RECENT 16

struct vmsa_tables {
	u64 state;             /* of the random numbers */
	struct pgtable t1, t2; /* without spaces */
	struct vmsa v;         /* either of them, or the first under the second */
	u8 *ram, *model_ram;
	u64 rot; /* one entry in so many is bad, each way that it may be */
	u64 recent[VMSA_TABLES_RECENT];
};

u64 vmsa_tables_next(struct vmsa_tables *s);

static inline u64 below(struct vmsa_tables *s, u64 n)
{
	return vmsa_tables_next(s) % n;
}

static inline bool one_in(struct vmsa_tables *s, u64 n)
{
	return !below(s, n);
}

void vmsa_tables_configure(struct vmsa_tables *s);
/* Often one that has been before, or near it, or at an end of its range. */
u64 vmsa_tables_address(struct vmsa_tables *s);
/* Entries on the way that are 0 get a value, those that are bad sometimes another. */
void vmsa_tables_grow(struct vmsa_tables *s, u64 addr);
/* An entry on the way loses or gets a bit, mostly the last one and one of hardware updates. */
void vmsa_tables_spoil(struct vmsa_tables *s, u64 addr);

#endif
