/* SPDX-License-Identifier: GPL-2.0-only */
/* Translation tables, of either stage: 4 KiB pages, addresses of 39 bits (at stage 2 of 36, which
 * an SMMU of any board has), levels 1 to 3 (Arm DDI 0487, D8). */
#ifndef GUESTS_BARE_LIB_TABLES_H
#define GUESTS_BARE_LIB_TABLES_H

#include "guest.h"

#define PAGE   0x1000UL
#define T0SZ   25
#define S2T0SZ 28
#define TABLE  3UL /* what an entry is */
#define BLOCK  1UL
#define LEAF   3UL /* at level 3: a page */

#define ENTRY_USER     (1UL << 6) /* stage 1 */
#define ENTRY_RO       (1UL << 7)
#define ENTRY_S2_READ  (1UL << 6)
#define ENTRY_S2_WRITE (1UL << 7)
#define ENTRY_INNER    (3UL << 8)
#define ENTRY_AF       (1UL << 10)
#define ENTRY_NG       (1UL << 11)
#define ENTRY_DBM      (1UL << 51)
#define ENTRY_PXN      (1UL << 53)
#define ENTRY_UXN      (1UL << 54)
#define S1_PAGE        (LEAF | ENTRY_AF | ENTRY_INNER | ENTRY_USER)
#define S2_PAGE        (LEAF | ENTRY_AF | ENTRY_INNER | ENTRY_S2_READ | ENTRY_S2_WRITE | 0xfUL << 2)

struct tables {
	u64 table[12][512] __attribute__((aligned(4096)));
	unsigned int used;
};

/* Nothing is mapped. */
void tables_clear(struct tables *t);
/* The entry of @addr at that level, with tables above it. */
u64 *tables_entry(struct tables *t, u64 addr, unsigned int level);
/* Pages, one after the other. */
void tables_map(struct tables *t, u64 addr, u64 to, unsigned int pages, u64 attributes);

#endif
