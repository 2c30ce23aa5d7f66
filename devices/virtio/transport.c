// SPDX-License-Identifier: GPL-2.0-only
/* What virtio's transports have in common: the common configuration's registers, and kicks. */
#include "devices/virtio/transport.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void *virtio_selected_queue(void *regs)
{
	struct virtio_regs *r = regs;

	return r->queue_select < r->dev->nr_queues ? &r->dev->vq[r->queue_select] : NULL;
}

bool virtio_regs_guarded(const void *regs, u32 guard)
{
	const struct virtq *vq = virtio_selected_queue((void *)regs);

	(void)guard;
	return vq && vq->enabled;
}

/* 32 of the bits; a driver may ask for more of them than there are. */
static u32 word_of(u64 features, u32 select)
{
	return select < 2 ? features >> select * 32 : 0;
}

void virtio_device_feature_selected(void *regs, u64 old)
{
	struct virtio_regs *r = regs;

	(void)old;
	r->device_feature = word_of(r->dev->features, r->device_feature_select);
}

void virtio_driver_feature_selected(void *regs, u64 old)
{
	struct virtio_regs *r = regs;

	(void)old;
	r->driver_feature = word_of(r->dev->acked, r->driver_feature_select);
}

/* Settled once FEATURES_OK is set (3.1.1). */
void virtio_driver_feature_written(void *regs, u64 old)
{
	struct virtio_regs *r = regs;
	unsigned int shift = r->driver_feature_select * 32;

	(void)old;
	if (r->driver_feature_select > 1 || r->dev->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	r->dev->acked &= ~(0xffffffffULL << shift);
	r->dev->acked |= (u64)r->driver_feature << shift;
}

/* 4.1.4.3.2: a power of two within what was offered; anything else is not taken. */
void virtio_queue_size_written(void *regs, u64 old)
{
	struct virtq *vq = virtio_selected_queue(regs);

	if (!vq->size || vq->size > vq->max || vq->size & (vq->size - 1))
		vq->size = old;
}

/* 1 resets the queue, and reads back until that is done; nothing else is taken
 * (4.1.4.3.1, 4.2.2.1). */
void virtio_queue_reset_written(void *regs, u64 old)
{
	struct virtio_regs *r = regs;
	struct virtq *vq = virtio_selected_queue(r);
	bool asked = vq->resetting == 1 && virtio_has(r->dev, VIRTIO_F_RING_RESET);

	vq->resetting = old;
	if (asked)
		virtio_reset_queue(vq);
}

void virtio_regs_refresh(struct virtio_regs *r)
{
	r->status = r->dev->status; /* NEEDS_RESET, a reset that ended */
	r->config_generation = r->dev->config_generation;
	virtio_driver_feature_selected(r, 0);
}

void virtio_regs_reset(struct virtio_regs *r)
{
	r->queue_select = 0;
	r->device_feature_select = r->driver_feature_select = 0;
	virtio_device_feature_selected(r, 0);
	virtio_driver_feature_selected(r, 0);
}

u64 virtio_config_read(struct virtio_dev *dev, u64 offset, unsigned int size)
{
	u64 val = 0;

	if (offset + size <= dev->type->config_size)
		memcpy(&val, (const char *)dev->config + offset, size);
	return le64toh(val);
}

void virtio_config_write(struct virtio_dev *dev, u64 offset, unsigned int size, u64 val)
{
	if (dev->type->config_write && offset + size <= dev->type->config_size)
		dev->type->config_write(dev, offset, size, val);
}

void virtio_regs_notify(struct virtio_regs *r, u64 queue)
{
	if (queue < r->dev->nr_queues)
		virtio_notify(r->dev, queue);
}

void virtio_regs_again(struct virtio_regs *r, struct virtq *vq)
{
	u64 one = 1;
	ssize_t n = write(r->kicks[vq->index].fd, &one, sizeof(one));

	assert(n == sizeof(one)); /* the loop empties it long before it is full */
	(void)n;
}

static struct virtq *polled_queue(const struct virtio_kick *kick)
{
	return &kick->regs->dev->vq[kick->queue];
}

/* Without the lock: next_avail may be another thread's to change, and a wrong
 * guess does no harm. */
static bool poll_ready(struct poller *p)
{
	const struct virtio_kick *kick = container_of(p, struct virtio_kick, poller);
	u16 idx = le16toh(__atomic_load_n(kick->avail_idx, __ATOMIC_ACQUIRE));

	return idx != __atomic_load_n(&polled_queue(kick)->next_avail, __ATOMIC_RELAXED);
}

/* What is there stays there while the queue is not live, or nothing can be taken: it is not to be
 * looked at until a kick. */
static void poll_run(struct poller *p)
{
	struct virtio_kick *kick = container_of(p, struct virtio_kick, poller);
	struct virtq *vq = polled_queue(kick);

	const u16 before = vq->next_avail;

	if (vq->looked_at && virtq_is_live(vq)) {
		virtio_notify(kick->regs->dev, kick->queue);
		if (vq->next_avail != before)
			return;
	}
	vq->looked_at = false;
	loop_look_away(kick->regs->loop, p);
}

static bool poll_sleep(struct poller *p)
{
	return virtq_look_away(polled_queue(container_of(p, struct virtio_kick, poller)));
}

static void look(struct virtio_kick *kick)
{
	if (!loop_look(kick->regs->loop, &kick->poller))
		return;
	kick->avail_idx = virtq_look(polled_queue(kick));
	if (!kick->avail_idx)
		loop_look_away(kick->regs->loop, &kick->poller);
}

static void kicked(struct loop_op *op, int res)
{
	struct virtio_kick *kick = container_of(op, struct virtio_kick, op);

	if (res < 0)
		return;
	if (kick->regs->dev->type->polled & BIT(kick->queue))
		look(kick);
	virtio_notify(kick->regs->dev, kick->queue);
	loop_read(kick->regs->loop, &kick->op, kick->fd, &kick->count, sizeof(kick->count));
}

int virtio_regs_kick_fd(struct virtio_regs *r, const struct virtq *vq)
{
	return r->kicks[vq->index].fd;
}

void virtio_regs_start(struct virtio_regs *r)
{
	for (unsigned int i = 0; i < r->dev->nr_queues && !r->dev->type->external; i++)
		loop_read(r->loop, &r->kicks[i].op, r->kicks[i].fd, &r->kicks[i].count,
		          sizeof(r->kicks[i].count));
}

void virtio_regs_close(struct virtio_regs *r)
{
	for (unsigned int i = 0; i < r->dev->nr_queues; i++) {
		loop_look_away(r->loop, &r->kicks[i].poller);
		if (r->kicks[i].fd >= 0)
			close(r->kicks[i].fd);
		dma_cancel(r->dev->dma, &r->dev->vq[i].token);
	}
	free(r->kicks);
}

int virtio_regs_init(struct virtio_regs *r, struct virtio_dev *dev, struct loop *loop)
{
	int err = 0;

	r->dev = dev;
	r->loop = loop;
	r->kicks = calloc(dev->nr_queues, sizeof(*r->kicks));
	if (!r->kicks && dev->nr_queues)
		return -ENOMEM;
	for (unsigned int i = 0; i < dev->nr_queues; i++) {
		struct virtio_kick *kick = &r->kicks[i];

		*kick = (struct virtio_kick){ .regs = r, .queue = i };
		kick->op = (struct loop_op){ .done = kicked, .endless = true };
		kick->poller = (struct poller){ .ready = poll_ready,
			                        .run = poll_run,
			                        .sleep = poll_sleep };
		kick->fd = err ? -1 : eventfd(0, EFD_CLOEXEC);
		if (!err && kick->fd < 0)
			err = -errno;
	}
	if (err)
		virtio_regs_close(r);
	else
		virtio_regs_reset(r);
	return err;
}
