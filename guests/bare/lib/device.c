/* SPDX-License-Identifier: GPL-2.0-only */
/* Driving any virtio device's queues: nothing here knows what is in them. */
#include "device.h"

void device_find(struct device *d, u16 type, unsigned int nr_queues)
{
	struct blk *w = &d->where;

	d->nr_queues = nr_queues;
	w->rid = 0;
	w->vector = NO_VECTOR;
	check(pci_find(0x1af4, 0x1040 + type, &w->rid), "no virtio function of type %u", type);
	pci_enable(w->rid);
	blk_map(w);
	check(w->common && w->notify && w->isr && w->config, "a virtio structure is missing");
}

bool device_negotiate(struct device *d, u64 features)
{
	memset(d->ring, 0, sizeof(d->ring));
	return blk_negotiate(&d->where, features);
}

static void write_field64(u64 at, u64 val)
{
	write32(at, val);
	write32(at + 4, val >> 32);
}

void device_set_queue(struct device *d, unsigned int queue, u64 desc, u64 avail, u64 used)
{
	const u64 common = d->where.common;

	write16(common + COMMON_QUEUE_SELECT, queue);
	write16(common + COMMON_QUEUE_SIZE, QUEUE_SIZE);
	write_field64(common + COMMON_QUEUE_DESC, desc);
	write_field64(common + COMMON_QUEUE_AVAIL, avail);
	write_field64(common + COMMON_QUEUE_USED, used);
	write16(common + COMMON_QUEUE_VECTOR, NO_VECTOR);
	write16(common + COMMON_QUEUE_ENABLE, 1);
}

bool device_start(struct device *d, u64 features)
{
	if (!device_negotiate(d, features))
		return false;
	for (unsigned int i = 0; i < d->nr_queues; i++)
		device_set_queue(d, i, (u64)d->ring[i].desc, (u64)&d->ring[i].avail,
		                 (u64)&d->ring[i].used);
	blk_go(&d->where);
	return true;
}

/* notify_off_multiplier is 4 here, and a queue's offset its index. */
void device_kick(struct device *d, unsigned int queue)
{
	barrier();
	write16(d->where.notify + 4 * queue, queue);
}

void device_offer(struct device *d, unsigned int queue, u16 head)
{
	struct ring *r = &d->ring[queue];

	r->avail.ring[r->avail.idx % QUEUE_SIZE] = head;
	barrier();
	r->avail.idx++;
	device_kick(d, queue);
}

bool device_done(const struct device *d, unsigned int queue)
{
	u16 used = *(const volatile u16 *)&d->ring[queue].used.idx;

	barrier();
	return used == d->ring[queue].avail.idx;
}

bool device_needs_reset(const struct device *d)
{
	return read8(d->where.common + COMMON_STATUS) & STATUS_NEEDS_RESET;
}
