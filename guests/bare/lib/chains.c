/* SPDX-License-Identifier: GPL-2.0-only */
/* What no device may take, and how it says so. */
#include "chains.h"

u8 buffers[4][4096] __attribute__((aligned(4096)));
struct desc table[4];

const struct chain chains[] = {
	[NOTHING_AT_ALL] = { "nothing at all", BROKEN, { { 0, 0, 0, 0 } } },
	{ "a loop", BROKEN, { OUT(16, 1), OUT(16, 0) } },
	{ "a loop of what is written", BROKEN, { IN(16, 1), IN(16, 0) } },
	{ "a descriptor that follows itself", BROKEN, { OUT(16, 0) } },
	{ "a loop of nothing", BROKEN, { { 0, 0, DESC_NEXT, 0 } } },
	{ "next beyond the table", BROKEN, { OUT(16, QUEUE_SIZE) } },
	{ "next far beyond the table", BROKEN, { OUT(16, 0xffff) } },
	{ "a head beyond the table", BROKEN, { LAST_OUT(16) }, .head = QUEUE_SIZE },
	{ "a head far beyond the table", BROKEN, { LAST_OUT(16) }, .head = 0xffff },
	{ "readable after writable", BROKEN, { IN(16, 1), LAST_OUT(16) } },
	{ "a buffer outside RAM", BROKEN, { AT(UART_BASE, 16, 0) } },
	{ "a buffer to write outside RAM", BROKEN, { AT(UART_BASE, 16, DESC_WRITE) } },
	{ "a buffer across the end of RAM", BROKEN, { AT(RAM_END - 1, 16, 0) } },
	{ "a buffer across the end of addresses", BROKEN, { AT(-8UL, 16, DESC_WRITE) } },
	{ "4 GiB", BROKEN, { AT(RAM_BASE, ~0u, 0) } },
	{ "a table nobody agreed on", BROKEN, { INDIRECT(16) }, { LAST_OUT(16) } },
	{ "a table in itself", BROKEN, { INDIRECT(16) }, { INDIRECT(16) }, .indirect = true },
	{ "a table of no length", BROKEN, { INDIRECT(0) }, .indirect = true },
	{ "half a descriptor of a table", BROKEN, { INDIRECT(24) }, .indirect = true },
	{ "a table of 4 GiB", BROKEN, { INDIRECT(0xfffffff0) }, .indirect = true },
	{ "a loop in a table",
	  BROKEN,
	  { INDIRECT(32) },
	  { OUT(16, 1), OUT(16, 0) },
	  .indirect = true },
	{ "a table outside RAM", BROKEN, { AT(0x1000, 16, DESC_INDIRECT) }, .indirect = true },
};

const unsigned int nr_chains = ARRAY_SIZE(chains);

void expect_outcome(struct device *d, unsigned int queue, enum outcome outcome, const char *name)
{
	if (outcome == BROKEN) {
		check(wait_for(device_needs_reset(d), LONG), "%s: no NEEDS_RESET", name);
		return;
	}
	if (outcome == USED)
		check(wait_for(device_done(d, queue), LONG), "%s: does not come back", name);
	else
		wait_for(device_needs_reset(d), 10);
	check(outcome == ANYTHING || !device_needs_reset(d), "%s: NEEDS_RESET", name);
	check(outcome != HELD || !device_done(d, queue), "%s: comes back", name);
}

void offer_chain(struct device *d, unsigned int queue, const struct chain *c, u64 features)
{
	check(device_start(d, features | (c->indirect ? F_INDIRECT : 0)), "%s: no start", c->name);
	memcpy(d->ring[queue].desc, c->desc, sizeof(c->desc));
	memcpy(table, c->table, sizeof(c->table));
	device_offer(d, queue, c->head);
}

/* Places of rings that are none; 1: where it belongs. */
static const struct {
	const char *name;
	u64 desc, avail, used;
} places[] = {
	{ "descriptors at 0", 0, 1, 1 },
	{ "descriptors in a device", UART_BASE, 1, 1 },
	{ "descriptors past RAM", RAM_END, 1, 1 },
	{ "descriptors across the end of addresses", -16UL, 1, 1 },
	{ "available ring at 0", 1, 0, 1 },
	{ "available ring in a device", 1, UART_BASE, 1 },
	{ "available ring across the end of RAM", 1, RAM_END - 2, 1 },
	{ "available ring across the end of addresses", 1, -2UL, 1 },
	{ "available ring at an odd address", 1, RAM_END - 4095, 1 },
	{ "used ring at 0", 1, 1, 0 },
	{ "used ring in a device", 1, 1, UART_BASE },
	{ "used ring across the end of RAM", 1, 1, RAM_END - 4 },
	{ "used ring across the end of addresses", 1, 1, -4UL },
	{ "used ring at an odd address", 1, 1, RAM_END - 4095 },
};

const unsigned int nr_places = ARRAY_SIZE(places);

const char *place_name(unsigned int i)
{
	return places[i].name;
}

void misplace_rings(struct device *d, unsigned int queue, unsigned int i, u64 features,
                    struct desc first)
{
	struct ring *r = &d->ring[queue];
	u64 desc = places[i].desc == 1 ? (u64)r->desc : places[i].desc;
	u64 avail = places[i].avail == 1 ? (u64)&r->avail : places[i].avail;
	u64 used = places[i].used == 1 ? (u64)&r->used : places[i].used;

	check(device_negotiate(d, features), "%s: no start", places[i].name);
	for (unsigned int q = 0; q < d->nr_queues; q++)
		if (q != queue)
			device_set_queue(d, q);
	where_set_queue(&d->where, queue, desc, avail, used);
	where_go(&d->where);
	r->desc[0] = first;
	device_offer(d, queue, 0);
}
