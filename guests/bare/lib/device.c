/* SPDX-License-Identifier: GPL-2.0-only */
/* Driving any virtio device's queues: nothing here knows what is in them. */
#include "device.h"

void device_find(struct device *d, u16 type, unsigned int nr_queues)
{
	d->nr_queues = nr_queues;
	where_find(&d->where, type);
}

bool device_negotiate(struct device *d, u64 features)
{
	bool taken = where_negotiate(&d->where, features);

	memset(d->ring, 0, sizeof(d->ring));
	return taken;
}

void device_set_queue(struct device *d, unsigned int queue)
{
	where_set_queue(&d->where, queue, (u64)d->ring[queue].desc, (u64)&d->ring[queue].avail,
	                (u64)&d->ring[queue].used);
}

bool device_start(struct device *d, u64 features)
{
	if (!device_negotiate(d, features))
		return false;
	for (unsigned int i = 0; i < d->nr_queues; i++)
		device_set_queue(d, i);
	where_go(&d->where);
	return true;
}

void device_offer(struct device *d, unsigned int queue, u16 head)
{
	struct ring *r = &d->ring[queue];

	r->avail.ring[r->avail.idx % QUEUE_SIZE] = head;
	barrier();
	r->avail.idx++;
	where_kick(&d->where, queue);
}

bool device_done(const struct device *d, unsigned int queue)
{
	u16 used = *(const volatile u16 *)&d->ring[queue].used.idx;

	barrier();
	return used == d->ring[queue].avail.idx;
}

bool device_needs_reset(const struct device *d)
{
	return where_needs_reset(&d->where);
}
