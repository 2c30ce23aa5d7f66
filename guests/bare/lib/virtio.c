/* SPDX-License-Identifier: GPL-2.0-only */
/* Driving virtio-blk: discovery, initialisation, and requests of one sector. */
#include "virtio.h"

void blk_find(struct blk *b)
{
	where_find(&b->where, 2);
}

bool blk_negotiate(struct blk *b, u64 features)
{
	bool taken = where_negotiate(&b->where, features);

	memset(&b->ring, 0, sizeof(b->ring));
	return taken;
}

void blk_set_queue(struct blk *b, u64 desc, u64 avail, u64 used)
{
	where_set_queue(&b->where, 0, desc, avail, used);
}

void blk_go(struct blk *b)
{
	where_go(&b->where);
}

bool blk_start(struct blk *b, u64 features)
{
	if (!blk_negotiate(b, features))
		return false;
	blk_set_queue(b, (u64)b->ring.desc, (u64)&b->ring.avail, (u64)&b->ring.used);
	blk_go(b);
	return true;
}

void blk_kick(struct blk *b)
{
	where_kick(&b->where, 0);
}

void blk_offer(struct blk *b, u16 head)
{
	b->ring.avail.ring[b->ring.avail.idx % QUEUE_SIZE] = head;
	barrier();
	b->ring.avail.idx++;
	blk_kick(b);
}

void blk_submit(struct blk *b, u32 type, u64 sector)
{
	const u16 data_flags = DESC_NEXT | (type == BLK_IN ? DESC_WRITE : 0);

	b->header = (struct blk_header){ .type = type, .sector = sector };
	b->status = NO_STATUS;
	b->ring.desc[0] = (struct desc){ (u64)&b->header, sizeof(b->header), DESC_NEXT, 1 };
	b->ring.desc[1] = (struct desc){ (u64)b->data, sizeof(b->data), data_flags, 2 };
	b->ring.desc[2] = (struct desc){ (u64)&b->status, 1, DESC_WRITE, 0 };
	blk_offer(b, 0);
}

bool blk_done(const struct blk *b)
{
	u16 used = *(const volatile u16 *)&b->ring.used.idx;

	barrier();
	return used == b->ring.avail.idx;
}

u8 blk_request(struct blk *b, u32 type, u64 sector)
{
	blk_submit(b, type, sector);
	check(wait_for(blk_done(b), LONG), "a request does not come back");
	return *(volatile u8 *)&b->status;
}
