/* SPDX-License-Identifier: GPL-2.0-only */
/* The ITS: its tables, its command queue, and the LPIs that it makes of messages. */
#include "gic.h"

#define GITS_CTLR    0x0
#define GITS_TYPER   0x8
#define GITS_CBASER  0x80
#define GITS_CWRITER 0x88
#define GITS_CREADR  0x90
#define GITS_BASER   0x100
#define NR_BASERS    8

#define GICR_CTLR      0x0
#define GICR_TYPER     0x8
#define GICR_PROPBASER 0x70
#define GICR_PENDBASER 0x78

#define VALID         (1UL << 63)
#define CACHEABLE     (7UL << 59 | 1UL << 10) /* write-back, inner shareable */
#define LPI_CACHEABLE (7UL << 7 | 1UL << 10)
#define PAGES_64K     (2UL << 8)
#define LPI_ID_BITS   14
#define LPI_ENABLED   (0xa0 | 1 << 1 | 1 << 0)
#define EVENT_BITS    5
#define COMMANDS_SIZE 0x1000 /* what CBASER says: one page */

/* Each aligned to 64 KiB, which is as fine as an ITS need take addresses (the
 * command queue's too). */
static struct {
	u8 device_table[0x10000], collection_table[0x10000], pending[0x10000];
	u64 commands[0x10000 / 8];
	u8 properties[1 << LPI_ID_BITS];
} tables __attribute__((aligned(0x10000)));

static u64 target;      /* RDbase of this CPU, as commands spell it */
static unsigned int at; /* of commands */

static void command(u64 a, u64 b, u64 c)
{
	const u64 words[4] = { a, b, c, 0 };

	memcpy(&tables.commands[at], words, sizeof(words));
	at = (at + 4) % (COMMANDS_SIZE / 8);
	barrier();
	write64(ITS_BASE + GITS_CWRITER, at * 8);
	check(wait_for(read64(ITS_BASE + GITS_CREADR) == at * 8, LONG), "ITS command %lx hangs",
	      a & 0xff);
}

static void sync(void)
{
	command(0x05, 0, target);
}

/* One page of 64 KiB for each table that is asked for: 1 devices, 4 collections. */
static void set_tables(void)
{
	for (u64 reg = ITS_BASE + GITS_BASER; reg < ITS_BASE + GITS_BASER + NR_BASERS * 8;
	     reg += 8) {
		u64 type = read64(reg) >> 56 & 7;
		u8 *table = type == 1   ? tables.device_table
		            : type == 4 ? tables.collection_table
		                        : NULL;

		if (table)
			write64(reg, VALID | CACHEABLE | PAGES_64K | (u64)table);
	}
}

static void enable_lpis(u64 rd)
{
	write64(rd + GICR_PROPBASER, (u64)tables.properties | LPI_CACHEABLE | (LPI_ID_BITS - 1));
	write64(rd + GICR_PENDBASER, (u64)tables.pending | LPI_CACHEABLE | 1UL << 62);
	write32(rd + GICR_CTLR, read32(rd + GICR_CTLR) | 1);
}

void its_init(void)
{
	u64 rd = gicv3_redistributor();
	bool by_address = read64(ITS_BASE + GITS_TYPER) >> 19 & 1; /* PTA */

	target = by_address ? rd : (read64(rd + GICR_TYPER) >> 8 & 0xffff) << 16;
	enable_lpis(rd);
	set_tables();
	write64(ITS_BASE + GITS_CBASER, VALID | CACHEABLE | (u64)tables.commands);
	write64(ITS_BASE + GITS_CWRITER, 0);
	write32(ITS_BASE + GITS_CTLR, 1);
	command(0x09, 0, VALID | target); /* MAPC: collection 0 */
	sync();
}

void its_map_device(u32 device, void *table)
{
	command(0x08 | (u64)device << 32, EVENT_BITS - 1, VALID | (u64)table); /* MAPD */
	sync();
}

void its_map_event(u32 device, u32 event, u32 lpi)
{
	tables.properties[lpi - FIRST_LPI] = LPI_ENABLED;
	command(0x0a | (u64)device << 32, event | (u64)lpi << 32, 0); /* MAPTI, collection 0 */
	command(0x0c | (u64)device << 32, event, 0);                  /* INV */
	sync();
}

void its_discard_event(u32 device, u32 event)
{
	command(0x0f | (u64)device << 32, event, 0);
	sync();
}
