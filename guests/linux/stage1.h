/* SPDX-License-Identifier: GPL-2.0-only */
/* A stage 1 of SMMUv3 in memory that a stage 2 maps: a CD, and tables of 4 KiB for 39 bits. */
#ifndef GUESTS_LINUX_STAGE1_H
#define GUESTS_LINUX_STAGE1_H

#include "guests/linux/endpoint.h"

/* What is mapped in stage 2: the IPAs of memory, of a page of it read-only, of more that goes. */
#define IPA     0x100000000ULL
#define RO_IPA  0x180000000ULL
#define NO_IPA  0x140000000ULL
#define BAD_IPA 0x2000000000ULL /* beyond the CD's 36 bits */
#define TMP_IPA 0x1c0000000ULL
#define SIZE    (4ULL << 20)
#define NR_DATA 256 /* pages; behind them CD and tables, and a block in the upper half */
#define TABLES  (NR_DATA * PAGE)
#define BLOCK   (2ULL << 20)

/* Virtual addresses: 39 bits, and so tables of three levels; NR of them, across the end of a GiB */
#define NR       16
#define VA       (0x5a40000000ULL - NR / 2 * PAGE)
#define BLOCK_VA 0x1200000000ULL
#define TEST_VA  0x3300000000ULL

enum { ASID = 5, OTHER_ASID = 6 };

/* Of a descriptor: nG, AF, inner shareable, and for whom (AP). */
#define TABLE    3ULL
#define LEAF     (1ULL << 11 | 1ULL << 10 | 3ULL << 8)
#define ALL_RW   (1ULL << 6)
#define ALL_RO   (3ULL << 6)
#define NO_FLAG  (~(1ULL << 10))
#define IS_PAGE  3ULL
#define IS_BLOCK 1ULL
#define ADDRESS  0x0000fffffffff000ULL

static uint8_t *memory;
static uint64_t root, next_table;

static inline volatile uint64_t *at(uint64_t ipa)
{
	return (volatile uint64_t *)(memory + (ipa - IPA));
}

static inline uint64_t new_table(void)
{
	next_table += PAGE;
	check(next_table <= IPA + BLOCK, "room for tables");
	return next_table - PAGE;
}

/* The descriptor of @va in level @level of the tables at @root. */
static inline volatile uint64_t *entry(uint64_t va, int level)
{
	volatile uint64_t *e = at(root) + (va >> 30 & 511);

	for (int l = 2; l <= level; l++) {
		if (!*e)
			*e = new_table() | TABLE;
		e = at(*e & ADDRESS) + (va >> (39 - 9 * l) & 511);
	}
	return e;
}

/* IPAs that follow each other no more than guests' do. */
static inline uint64_t page(uint64_t i)
{
	return (i * 37 + 5) % NR_DATA * PAGE;
}

#define CD_S (1ULL << 44)

/* The CD of that substream. */
static inline volatile uint64_t *cd(unsigned int ssid)
{
	return at(IPA + TABLES) + 8 * ssid;
}

/* A CD for tables at @root; V is bit 31, of its first word. */
static inline void write_cd(unsigned int ssid, uint64_t asid)
{
	const uint64_t t0sz = 25, wb = 1ULL << 8 | 1ULL << 10, inner = 3ULL << 12,
		       epd1 = 1ULL << 30;
	const uint64_t ips = 1ULL << 32, aa64 = 1ULL << 41, ra = 3ULL << 45, aset = 1ULL << 47;

	cd(ssid)[1] = root;
	cd(ssid)[3] = 0xff; /* MAIR: 0 is write-back */
	cd(ssid)[0] = t0sz | wb | inner | epd1 | 1ULL << 31 | ips | aa64 | ra | aset | asid << 48;
}

static inline void write_tables(void)
{
	memset(memory + TABLES, 0, BLOCK - TABLES);
	next_table = IPA + TABLES + PAGE;
	root = new_table();
	for (uint64_t i = 0; i < NR; i++)
		*entry(VA + i * PAGE, 3) = (IPA + page(i)) | LEAF | ALL_RW | IS_PAGE;
	*entry(BLOCK_VA, 2) = (IPA + BLOCK) | LEAF | ALL_RW | IS_BLOCK;
	write_cd(0, ASID);
}

#endif
