/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_PGTABLE_PGTABLE_PRIVATE_H
#define DEVICES_PGTABLE_PGTABLE_PRIVATE_H

#include "devices/pgtable/pgtable.h"

/* Descriptors: D8.3. */
#define ENTRY_VALID BIT(0)
#define ENTRY_TABLE BIT(1) /* at level 3: a page */

/* Of a page or block, at stage 1. */
#define ENTRY_ATTR GENMASK(4, 2)
#define ENTRY_USER BIT(6) /* AP[1] */
#define ENTRY_RO   BIT(7) /* AP[2] */
#define ENTRY_NG   BIT(11)
#define ENTRY_PXN  BIT(53)
#define ENTRY_UXN  BIT(54) /* of one privilege: XN */
/* At stage 2. */
#define ENTRY_S2_ATTR  GENMASK(5, 2)
#define ENTRY_S2_READ  BIT(6)
#define ENTRY_S2_WRITE BIT(7)
#define ENTRY_S2_XN    GENMASK(54, 53)
/* At both. */
#define ENTRY_SH     GENMASK(9, 8)
#define ENTRY_AF     BIT(10)
#define ENTRY_DBM    BIT(51)
#define ENTRY_CONTIG BIT(52)

/* Of a table, at stage 1: limits for all below it. */
#define TABLE_PXN     BIT(59)
#define TABLE_UXN     BIT(60)
#define TABLE_NO_USER BIT(61) /* APTable[0] */
#define TABLE_RO      BIT(62) /* APTable[1] */
#define TABLE_LIMITS  GENMASK(62, 59)

/*
 * May @a be done with the page or block @entry, below tables that have @limits in
 * them? *@to: what the entry becomes by it (FEAT_HAFDBS). Without permission,
 * @may[2] is what there is instead.
 */
enum pgtable_fault pgtable_check(const struct pgtable *t, const struct pgtable_access *a,
                                 u64 limits, u64 entry, u64 *to, u32 *may);
/* What else @entry says of its page or block, of level @w->level and size @w->shift. */
void pgtable_attributes(const struct pgtable *t, const struct pgtable_access *a, u64 limits,
                        u64 entry, struct pgtable_walk *w);

#endif
