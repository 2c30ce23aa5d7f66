// SPDX-License-Identifier: GPL-2.0-only
/* Split virtqueues (virtio 1.3, 2.7): what drivers make available is taken. Beside virtq_used.c the
 * only reader and writer of guest rings. */
#include "devices/virtio/virtq_private.h"

#include <assert.h>
#include <endian.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "vmm/mem.h"

void virtq_reset(struct virtq *vq)
{
	vq->size = vq->max;
	vq->enabled = 0;
	vq->vector = 0xffff; /* VIRTIO_MSI_NO_VECTOR */
	vq->resetting = 0;
	vq->desc = vq->avail = vq->used = 0;
	vq->next_avail = 0;
	vq->looked_at = false;
	dma_cancel(vq->dev->dma, &vq->token);
	virtq_used_reset(vq);
}

/* What a step of a walk came to; a broken ring is the driver's mistake, a
 * stalled one is nobody's. */
enum walk { WALK_OK, WALK_STALLED, WALK_BROKEN };

static enum walk walk_of(enum dma_status status)
{
	static const enum walk of[] = {
		[DMA_OK] = WALK_OK,
		[DMA_PENDING] = WALK_STALLED,
		[DMA_FAULT] = WALK_BROKEN,
	};

	return of[status];
}

static enum walk load(struct virtq *vq, u64 iova, u16 *val)
{
	return walk_of(dma_load16(vq->dev->dma, iova, val, &vq->token));
}

/* A table of descriptors: the queue's own, or an indirect one. */
struct table {
	u64 iova;
	u32 nr;
};

/* A private copy: the guest may rewrite it while it is being decoded. */
static enum walk read_desc(struct virtq *vq, const struct table *t, u16 at, struct vring_desc *d)
{
	enum dma_status status;

	if (at >= t->nr)
		return WALK_BROKEN;
	status = dma_read(vq->dev->dma, t->iova + (u64)at * sizeof(*d), d, sizeof(*d), &vq->token);
	if (status != DMA_OK)
		return walk_of(status);
	d->addr = le64toh(d->addr);
	d->len = le32toh(d->len);
	d->flags = le16toh(d->flags);
	d->next = le16toh(d->next);
	return WALK_OK;
}

/* 2.7.5.3: one table, no table in a table, its length a whole number of descriptors. */
static enum walk enter_indirect(struct virtq *vq, struct table *t, const struct vring_desc *d)
{
	if (!virtio_has(vq->dev, VIRTIO_RING_F_INDIRECT_DESC) || t->iova != vq->desc ||
	    d->flags & VRING_DESC_F_NEXT || !d->len || d->len % sizeof(*d) ||
	    d->len / sizeof(*d) > VIRTQ_MAX_SIZE)
		return WALK_BROKEN;
	t->iova = d->addr;
	t->nr = d->len / sizeof(*d);
	return WALK_OK;
}

static struct dma_sg sg_of(const struct virtq *vq, struct virtq_chain *chain)
{
	return (struct dma_sg){
		.iov = chain->iov,
		.uses = vq->dev->dma->translated ? chain->uses : NULL,
		.nr = chain->nr_out + chain->nr_in,
		.max = VIRTQ_MAX_IOV,
		.attachment = chain->attachment,
	};
}

/* 2.7.4.2: what the device may write comes after what it may read. */
static enum walk map_desc(struct virtq *vq, struct virtq_chain *chain, const struct vring_desc *d)
{
	bool in = d->flags & VRING_DESC_F_WRITE;
	struct dma_access a = {
		.iova = d->addr,
		.len = d->len,
		.perm = in ? DMA_WRITE : DMA_READ,
		.pasid = DMA_NO_PASID,
	};
	struct dma_sg sg = sg_of(vq, chain);
	unsigned int before = sg.nr;
	enum dma_status status;

	if (!in && chain->nr_in)
		return WALK_BROKEN;
	status = dma_map(vq->dev->dma, &a, &sg, &vq->token);
	chain->attachment = sg.attachment;
	if (status != DMA_OK)
		return walk_of(status);
	if (in)
		chain->nr_in += sg.nr - before;
	else
		chain->nr_out += sg.nr - before;
	return WALK_OK;
}

void virtq_unmap(struct virtq *vq, struct virtq_chain *chain)
{
	struct dma_sg sg = sg_of(vq, chain);

	dma_unmap(vq->dev->dma, &sg);
	chain->nr_out = chain->nr_in = 0;
}

/* Bounded by the queue's size, or the table's: a longer chain has a loop in it (2.7.5.3.1). */
static enum walk walk_chain(struct virtq *vq, struct virtq_chain *chain)
{
	struct table t = { vq->desc, vq->size };
	u16 at = chain->head;

	for (unsigned int steps = 0; steps < VIRTQ_MAX_SIZE + 1; steps++) {
		struct vring_desc d;
		enum walk walk = read_desc(vq, &t, at, &d);

		if (walk != WALK_OK)
			return walk;
		if (d.flags & VRING_DESC_F_INDIRECT) {
			walk = enter_indirect(vq, &t, &d);
			at = 0;
			if (walk != WALK_OK)
				return walk;
			continue;
		}
		walk = map_desc(vq, chain, &d);
		if (walk != WALK_OK || !(d.flags & VRING_DESC_F_NEXT))
			return walk;
		at = d.next;
	}
	return WALK_BROKEN;
}

/* How many entries are there. With event index on, asks to be kicked for the next one (2.7.10). */
static enum walk available(struct virtq *vq, u16 *nr)
{
	u16 idx;
	enum walk walk = load(vq, AVAIL_IDX(vq), &idx);

	if (walk != WALK_OK)
		return walk;
	if (idx == vq->next_avail && !vq->looked_at &&
	    virtio_has(vq->dev, VIRTIO_RING_F_EVENT_IDX)) {
		walk = walk_of(dma_store16(vq->dev->dma, USED_AVAIL_EVENT(vq), vq->next_avail,
		                           &vq->token));
		if (walk != WALK_OK)
			return walk;
		/* The driver publishes idx, then looks at the event: so the
		 * other way round here. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		walk = load(vq, AVAIL_IDX(vq), &idx);
		if (walk != WALK_OK)
			return walk;
	}
	*nr = idx - vq->next_avail;
	return *nr > vq->size ? WALK_BROKEN : WALK_OK;
}

const u16 *virtq_look(struct virtq *vq)
{
	struct dma_space *dma = vq->dev->dma;
	const u16 *idx;

	vq->looked_at = false;
	if (dma->translated || !virtq_is_live(vq) || AVAIL_IDX(vq) % sizeof(u16))
		return NULL;
	idx = guest_ptr(dma->mem, AVAIL_IDX(vq), sizeof(u16));
	vq->looked_at = idx;
	return idx;
}

bool virtq_look_away(struct virtq *vq)
{
	u16 nr;

	vq->looked_at = false; /* so an empty ring asks to be kicked */
	if (!virtq_is_live(vq) || available(vq, &nr) != WALK_OK || !nr)
		return true;
	vq->looked_at = true;
	return false;
}

static enum walk pop(struct virtq *vq, struct virtq_chain *chain, bool *empty)
{
	u16 nr;
	enum walk walk = available(vq, &nr);

	chain->nr_out = chain->nr_in = 0;
	chain->attachment = NULL;
	*empty = walk == WALK_OK && !nr;
	if (walk != WALK_OK || *empty)
		return walk;
	walk = load(vq, AVAIL_RING(vq, vq->next_avail), &chain->head);
	if (walk != WALK_OK)
		return walk;
	walk = walk_chain(vq, chain);
	if (walk != WALK_OK)
		virtq_unmap(vq, chain);
	return walk;
}

/* A driver that offers what it has not got back could have any number in flight; none has more than
 * descriptors. */
static bool may_pop(struct virtq *vq)
{
	if (vq->dev->resetting || vq->resetting || vq->in_flight + virtq_unseen(vq) >= vq->size ||
	    vq->dev->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return false;
	if (vq->budget > 1)
		vq->budget--;
	return vq->budget != 1;
}

/* Who looks at the ring reads it without the lock. */
static void move_to(struct virtq *vq, u16 avail)
{
	__atomic_store_n(&vq->next_avail, avail, __ATOMIC_RELAXED);
}

bool virtq_pop(struct virtq *vq, struct virtq_chain *chain)
{
	bool empty;
	enum walk walk;

	if (!may_pop(vq))
		return false;
	walk = pop(vq, chain, &empty);
	if (walk == WALK_BROKEN)
		virtio_needs_reset(vq->dev);
	if (walk != WALK_OK || empty)
		return false;
	move_to(vq, vq->next_avail + 1);
	vq->popped++;
	vq->bytes_out += iov_bytes(chain->iov, chain->nr_out);
	vq->in_flight++;
	vq->dev->in_flight++;
	return true;
}

void virtq_unpop(struct virtq *vq, struct virtq_chain *chain)
{
	move_to(vq, vq->next_avail - 1);
	vq->popped--;
	vq->bytes_out -= iov_bytes(chain->iov, chain->nr_out);
	vq->in_flight--;
	vq->dev->in_flight--;
	virtq_unmap(vq, chain);
}
