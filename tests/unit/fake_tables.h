/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_TABLES_H
#define TESTS_UNIT_FAKE_TABLES_H

#include "devices/pgtable/pgtable.h"
#include "vmm/mem.h"

/* Translation tables in a RAM of their own, which can be anywhere and may misbehave. */
#define TABLES_BASE 0x40000000ULL
#define TABLES_SIZE 0x200000ULL

/* What descriptors are made of. */
#define VALID   BIT(0)
#define TABLE   (BIT(0) | BIT(1))
#define PAGE    (BIT(0) | BIT(1))
#define BLOCK   BIT(0)
#define USER    BIT(6)
#define RO      BIT(7)
#define S2R     BIT(6)
#define S2W     BIT(7)
#define AF      BIT(10)
#define NG      BIT(11)
#define DBM     BIT(51)
#define CONTIG  BIT(52)
#define PXN     BIT(53)
#define UXN     BIT(54)
#define PXNT    BIT(59)
#define UXNT    BIT(60)
#define NO_USER BIT(61)
#define ALL_RO  BIT(62)

struct tables {
	struct guest_mem mem;
	struct dma_space ram, space;
	/* NULL, or asked before each access: what it comes to. */
	enum dma_status (*before)(u64 at, u32 perm);
	struct dma_token *token; /* of the last access */
	unsigned int reads, swaps;
	u64 used;
};
extern struct tables tables;

/* Everything is 0, and RAM begins at @base. */
void tables_init(u64 base);
u64 tables_get(u64 at);
void tables_put(u64 at, u64 entry);

/* With 48 bits of output, 52 if more than 48 of input; an empty first table. */
struct pgtable tables_stage1(unsigned int granule, unsigned int input);
struct pgtable tables_stage2(unsigned int granule, unsigned int input, int start);

/* As @t's descriptors have it. */
u64 tables_address(const struct pgtable *t, u64 addr);
/* At @addr, through new tables where there are none, at @level: @entry. Where that is. */
u64 tables_map(const struct pgtable *t, u64 addr, int level, u64 entry);
/* All that @limits has is set in the entry of @level that leads to @addr. */
void tables_limit(const struct pgtable *t, u64 addr, int level, u64 limits);

struct pgtable_walk tables_walk(const struct pgtable *t, u64 addr, u32 perm);

#endif
