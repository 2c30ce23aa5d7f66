/* SPDX-License-Identifier: GPL-2.0-only */
/* Broken virtio queues and requests: each ends in NEEDS_RESET or an error, and a reset mends it. */
#include "lib/virtio.h"

#define RAM_END (RAM_BASE + (256UL << 20)) /* the scenario's -m */
#define BROKEN  0x100                      /* NEEDS_RESET, rather than a request's status */

static struct blk blk;
static struct desc table[4];

/* A fresh start, and a sector written and read back. */
static void works(const char *after)
{
	static u8 generation;

	check(blk_start(&blk, 0), "%s: the device does not start again", after);
	memset(blk.data, ++generation, SECTOR);
	check(blk_request(&blk, BLK_OUT, 7) == BLK_OK, "%s: a good write fails", after);
	memset(blk.data, 0, SECTOR);
	check(blk_request(&blk, BLK_IN, 7) == BLK_OK, "%s: a good read fails", after);
	check(blk.data[0] == generation && blk.data[SECTOR - 1] == generation, "%s: wrong data",
	      after);
	check(!where_needs_reset(&blk.where), "%s: NEEDS_RESET", after);
}

static bool needs_reset(void)
{
	return where_needs_reset(&blk.where);
}

static void expect(unsigned int outcome, const char *name)
{
	if (outcome == BROKEN) {
		check(wait_for(needs_reset(), LONG), "%s: no NEEDS_RESET", name);
	} else {
		check(wait_for(blk_done(&blk), LONG), "%s: does not come back", name);
		check(*(volatile u8 *)&blk.status == outcome, "%s: status %u", name, blk.status);
		check(!needs_reset(), "%s: NEEDS_RESET", name);
	}
	works(name);
}

#define HEADER(to)                                    \
	{                                             \
		(u64) & blk.header, 16, DESC_NEXT, to \
	}
#define DATA(to)                                                   \
	{                                                          \
		(u64) blk.data, SECTOR, DESC_NEXT | DESC_WRITE, to \
	}
#define DATA_OUT(to)                                  \
	{                                             \
		(u64) blk.data, SECTOR, DESC_NEXT, to \
	}
#define STATUS_BYTE                                  \
	{                                            \
		(u64) & blk.status, 1, DESC_WRITE, 0 \
	}
#define TABLE(len)                                 \
	{                                          \
		(u64) table, len, DESC_INDIRECT, 0 \
	}
#define PIECE(at, len, to)                          \
	{                                           \
		at, len, DESC_NEXT | DESC_WRITE, to \
	}
#define GOOD                                    \
	{                                       \
		HEADER(1), DATA(2), STATUS_BYTE \
	}

static const struct chain {
	const char *name;
	unsigned int outcome;
	struct desc desc[4], table[4];
	u32 type;
	u64 sector;
	u16 head;
	bool no_indirect; /* the feature is not taken */
} chains[] = {
	{ "a good one", BLK_OK, GOOD },
	{ "a good indirect one", BLK_OK, { TABLE(48) }, GOOD },
	{ "a loop", BROKEN, { HEADER(1), DATA_OUT(0) } },
	{ "a loop of what is written", BROKEN, { HEADER(1), DATA(2), DATA(1) } },
	{ "a descriptor that follows itself", BROKEN, { HEADER(0) } },
	{ "a loop of nothing", BROKEN, { { 0, 0, DESC_NEXT, 0 } } },
	{ "next beyond the table", BROKEN, { HEADER(QUEUE_SIZE) } },
	{ "next far beyond the table", BROKEN, { HEADER(0xffff) } },
	{ "a head beyond the table", BROKEN, GOOD, .head = QUEUE_SIZE },
	{ "a head far beyond the table", BROKEN, GOOD, .head = 0xffff },
	{ "readable after writable", BROKEN, { DATA(1), HEADER(2), STATUS_BYTE } },
	{ "a writable header", BROKEN, { PIECE((u64)&blk.header, 16, 1), DATA(2), STATUS_BYTE } },
	{ "no status byte", BROKEN, { { (u64)&blk.header, 16, 0, 0 } } },
	{ "a short header", BROKEN, { { (u64)&blk.header, 15, DESC_NEXT, 1 }, STATUS_BYTE } },
	{ "a status byte of no length",
	  BROKEN,
	  { HEADER(1), { (u64)&blk.status, 0, DESC_WRITE, 0 } } },
	{ "nothing at all", BROKEN, { { 0, 0, 0, 0 } } },
	{ "4 GiB of data", BROKEN, { HEADER(1), PIECE((u64)blk.data, ~0u, 2), STATUS_BYTE } },
	{ "data outside RAM", BROKEN, { HEADER(1), PIECE(UART_BASE, SECTOR, 2), STATUS_BYTE } },
	{ "data across the end of RAM",
	  BROKEN,
	  { HEADER(1), PIECE(RAM_END - 1, SECTOR, 2), STATUS_BYTE } },
	{ "data across the end of addresses",
	  BROKEN,
	  { HEADER(1), PIECE(~0UL - 10, SECTOR, 2), STATUS_BYTE } },
	{ "a header outside RAM", BROKEN, { { 0x1000, 16, DESC_NEXT, 1 }, DATA(2), STATUS_BYTE } },
	{ "a status byte outside RAM",
	  BROKEN,
	  { HEADER(1), DATA(2), { RAM_END, 1, DESC_WRITE, 0 } } },
	{ "no data", BLK_IOERR, { HEADER(1), STATUS_BYTE } },
	{ "data of no length", BLK_IOERR, { HEADER(1), PIECE((u64)blk.data, 0, 2), STATUS_BYTE } },
	{ "half a sector", BLK_IOERR, { HEADER(1), PIECE((u64)blk.data, 256, 2), STATUS_BYTE } },
	{ "a write of nothing", BLK_IOERR, { HEADER(1), STATUS_BYTE }, .type = BLK_OUT },
	{ "a sector past the end", BLK_IOERR, GOOD, .sector = 1UL << 30 },
	{ "the last sector of all", BLK_IOERR, GOOD, .sector = ~0UL },
	{ "a sector whose offset wraps", BLK_IOERR, GOOD, .sector = 1UL << 55 },
	{ "an unknown type", BLK_UNSUPP, GOOD, .type = 0x12345678 },
	{ "an indirect table nobody agreed on", BROKEN, { TABLE(48) }, GOOD, .no_indirect = true },
	{ "an indirect table in a table",
	  BROKEN,
	  { TABLE(64) },
	  { { (u64)&table[1], 48, DESC_INDIRECT, 0 }, HEADER(1), DATA(2), STATUS_BYTE } },
	{ "an indirect table in itself", BROKEN, { TABLE(48) }, { TABLE(48) } },
	{ "an indirect table with a next",
	  BROKEN,
	  { { (u64)table, 48, DESC_INDIRECT | DESC_NEXT, 1 }, STATUS_BYTE },
	  GOOD },
	{ "an indirect table of no length", BROKEN, { TABLE(0) }, GOOD },
	{ "half a descriptor of a table", BROKEN, { TABLE(40) }, GOOD },
	{ "a table of 4 GiB", BROKEN, { TABLE(0xfffffff0) }, GOOD },
	{ "a table cut short", BROKEN, { TABLE(16) }, GOOD },
	{ "a loop in a table", BROKEN, { TABLE(48) }, { HEADER(1), DATA_OUT(0) } },
	{ "a table outside RAM", BROKEN, { { 0x1000, 48, DESC_INDIRECT, 0 } } },
	{ "a table across the end of RAM", BROKEN, { { RAM_END - 16, 48, DESC_INDIRECT, 0 } } },
};

static void requests(void)
{
	blk_find(&blk);
	for (unsigned int i = 0; i < ARRAY_SIZE(chains); i++) {
		const struct chain *c = &chains[i];

		check(blk_start(&blk, c->no_indirect ? 0 : F_INDIRECT), "%s: no start", c->name);
		memcpy(blk.ring.desc, c->desc, sizeof(c->desc));
		memcpy(table, c->table, sizeof(c->table));
		blk.header = (struct blk_header){ .type = c->type, .sector = c->sector };
		blk.status = NO_STATUS;
		blk_offer(&blk, c->head);
		expect(c->outcome, c->name);
	}
}

/* 4 GiB and a sector, by naming all of RAM 16 times: a length that does not fit 32 bits. */
static void too_long(void)
{
	static struct desc big[19];

	blk_find(&blk);
	for (u32 type = BLK_IN; type <= BLK_OUT; type++) {
		const u16 flags = DESC_NEXT | (type == BLK_IN ? DESC_WRITE : 0);

		check(blk_start(&blk, F_INDIRECT), "no start");
		blk.header = (struct blk_header){ .type = type, .sector = 1 };
		blk.status = NO_STATUS;
		big[0] = (struct desc)HEADER(1);
		for (u16 i = 1; i <= 16; i++)
			big[i] = (struct desc){ RAM_BASE, RAM_END - RAM_BASE, flags, i + 1 };
		big[17] = (struct desc){ (u64)blk.data, SECTOR, flags, 18 };
		big[18] = (struct desc)STATUS_BYTE;
		blk.ring.desc[0] = (struct desc){ (u64)big, sizeof(big), DESC_INDIRECT, 0 };
		blk_offer(&blk, 0);
		expect(BLK_IOERR, type == BLK_IN ? "a long read" : "a long write");
	}
}

#define DESC  ((u64)blk.ring.desc)
#define AVAIL ((u64)&blk.ring.avail)
#define USED  ((u64)&blk.ring.used)

static void rings(void)
{
	static const struct {
		const char *name;
		u64 desc, avail, used;
		u16 jump; /* of avail.idx, beyond the one request */
	} cases[] = {
		{ "descriptors at 0", 0, AVAIL, USED, 0 },
		{ "descriptors in a device", UART_BASE, AVAIL, USED, 0 },
		{ "descriptors past RAM", RAM_END, AVAIL, USED, 0 },
		{ "descriptors across the end of addresses", -16UL, AVAIL, USED, 0 },
		{ "available ring at 0", DESC, 0, USED, 0 },
		{ "available ring in a device", DESC, UART_BASE, USED, 0 },
		{ "available ring across the end of RAM", DESC, RAM_END - 4, USED, 0 },
		{ "available ring across the end of addresses", DESC, -2UL, USED, 0 },
		{ "available ring at an odd address", DESC, AVAIL + 1, USED, 0 },
		{ "used ring at 0", DESC, AVAIL, 0, 0 },
		{ "used ring in a device", DESC, AVAIL, UART_BASE, 0 },
		{ "used ring across the end of RAM", DESC, AVAIL, RAM_END - 4, 0 },
		{ "used ring across the end of addresses", DESC, AVAIL, -4UL, 0 },
		{ "used ring at an odd address", DESC, AVAIL, USED + 1, 0 },
		{ "an index that jumps past the queue", DESC, AVAIL, USED, QUEUE_SIZE },
		{ "an index that jumps far", DESC, AVAIL, USED, 0x8000 },
		{ "an index that goes back", DESC, AVAIL, USED, 0xfffe },
	};

	blk_find(&blk);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		check(blk_negotiate(&blk, 0), "%s: no start", cases[i].name);
		blk_set_queue(&blk, cases[i].desc, cases[i].avail, cases[i].used);
		blk_go(&blk);
		blk.ring.avail.idx = cases[i].jump;
		blk_submit(&blk, BLK_IN, 0);
		expect(BROKEN, cases[i].name);
	}
}

/* What may not be set is not, and a queue that runs is not changed under way. */
static void set_up(void)
{
	static const u16 sizes[] = { 0, 3, 12, 257, 512, 0x8000, 0xffff };

	blk_find(&blk);
	check(!blk_negotiate(&blk, 1UL << 63), "a feature that was not offered is taken");
	check(blk_negotiate(&blk, 0), "no start");
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		u16 size;

		write16(blk.where.common + COMMON_QUEUE_SIZE, sizes[i]);
		size = read16(blk.where.common + COMMON_QUEUE_SIZE);
		check(size && size <= 256 && !(size & (size - 1)), "queue size %u", size);
	}
	write16(blk.where.common + COMMON_QUEUE_VECTOR, 0x1234);
	check(read16(blk.where.common + COMMON_QUEUE_VECTOR) == NO_VECTOR, "a vector too many");
	write16(blk.where.common + COMMON_QUEUE_SELECT, 0xffff);
	write16(blk.where.common + COMMON_QUEUE_ENABLE, 1);
	check(read16(blk.where.common + COMMON_QUEUE_SIZE) == 0,
	      "a queue that is not there has a size");
	blk_set_queue(&blk, DESC, AVAIL, USED);
	blk_submit(&blk, BLK_IN, 0);
	wait_for(false, 20);
	check(!blk_done(&blk), "a request before DRIVER_OK");
	blk_go(&blk);
	write32(blk.where.common + COMMON_QUEUE_DESC, 0x1000);
	write16(blk.where.common + COMMON_QUEUE_SIZE, 1);
	blk_kick(&blk);
	check(wait_for(blk_done(&blk), LONG), "the request is lost");
	check(blk.status == BLK_OK, "status %u", blk.status);
	works("set-up");
}

/* Requests in flight when the device is reset. */
static void in_flight(void)
{
	blk_find(&blk);
	for (unsigned int i = 0; i < 100; i++) {
		check(blk_start(&blk, 0), "no start");
		for (unsigned int n = 0; n < QUEUE_SIZE; n++)
			blk_submit(&blk, BLK_IN, 0);
		check(where_reset(&blk.where), "the reset does not end");
	}
	works("resets in flight");
}

/* The queue alone is reset, with requests in flight; the device stays as it is (2.6.1). */
static void queue_reset(void)
{
	blk_find(&blk);
	check(blk_start(&blk, F_RING_RESET), "no queue reset");
	for (unsigned int i = 0; i < 100; i++) {
		u16 used;

		for (unsigned int n = 0; n < QUEUE_SIZE; n++)
			blk_submit(&blk, BLK_IN, 0);
		check(where_reset_queue(&blk.where, 0), "it does not end");
		used = *(volatile u16 *)&blk.ring.used.idx;
		blk_kick(&blk);
		wait_for(false, 1);
		check(*(volatile u16 *)&blk.ring.used.idx == used,
		      "a queue that was reset is used");
		memset(&blk.ring, 0, sizeof(blk.ring));
		blk_set_queue(&blk, DESC, AVAIL, USED);
		check(blk_request(&blk, BLK_IN, 7) == BLK_OK, "a read after the reset fails");
	}
	works("queue resets");
}

static volatile bool stop;
static u8 landing[3][8192]; /* what each descriptor may point at */

static void spoil(struct desc *d, unsigned int field, unsigned int how)
{
	static const u32 lengths[] = { ~0u, 0, 1, 4096 };
	static const u64 addresses[] = { 0, RAM_END - 256, -1UL, (u64)landing[0] };

	switch (field) {
	case 0: d->len = lengths[how % 4]; break;
	case 1: d->addr = addresses[how % 4]; break;
	case 2: d->flags = how % 8; break;
	case 3: d->next = how % 11; break;
	}
}

/* The other CPU: one field of one descriptor changes to and fro while the device reads it. */
static void change(void)
{
	for (unsigned int i = 0; !stop; i++) {
		volatile struct desc *d = &blk.ring.desc[i % 3];
		const struct desc good = *d;

		for (unsigned int n = 0; n < 1000 && !stop; n++) {
			struct desc now = good;

			if (n & 8) /* as long as not, so that it is seen */
				spoil(&now, i / 3 % 4, i / 12);
			d->addr = now.addr;
			d->len = now.len;
			d->flags = now.flags;
			d->next = now.next;
		}
		*d = good;
	}
}

static void race(void)
{
	const u64 count = parameter_after("count=", 300);

	blk_find(&blk);
	check(psci_cpu_on(1, change) == PSCI_OK, "CPU 1 does not start");
	for (u64 i = 0; i < count; i++) {
		check(blk_start(&blk, F_INDIRECT), "no start");
		memset(landing[0], 0, 16);
		blk.ring.desc[0] = (struct desc){ (u64)landing[0], 16, DESC_NEXT, 1 };
		blk.ring.desc[1] =
			(struct desc){ (u64)landing[1], SECTOR, DESC_NEXT | DESC_WRITE, 2 };
		blk.ring.desc[2] = (struct desc){ (u64)landing[2], 1, DESC_WRITE, 0 };
		for (unsigned int n = 0; n < 4; n++)
			blk_offer(&blk, 0);
		check(wait_for(blk_done(&blk) || needs_reset(), LONG), "no outcome");
	}
	stop = true;
	check(wait_for(psci_affinity_info(1) == AFFINITY_OFF, LONG), "CPU 1 does not end");
	works("the race");
}

static const struct test tests[] = {
	{ "requests", requests }, { "too-long", too_long },   { "rings", rings },
	{ "set-up", set_up },     { "in-flight", in_flight }, { "queue-reset", queue_reset },
	{ "race", race },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
