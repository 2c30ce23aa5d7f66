// SPDX-License-Identifier: GPL-2.0-only
/* The used side of split virtqueues (virtio 1.3, 2.7.8): chains are given back, the driver sees
 * them, and is interrupted. An access that stalls is waited for with nothing of the guest's mapped,
 * and the rest behind it. */
#include <endian.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "devices/virtio/virtq_private.h"

_Static_assert(sizeof(struct virtq_elem) == sizeof(struct vring_used_elem), "as in the ring");

static bool is_gone(const struct virtq *vq)
{
	return vq->dev->resetting || vq->resetting || !vq->enabled;
}

/* A driver that takes its used ring away has broken the queue. False: it waits. */
static bool ended(struct virtq *vq, enum dma_status status)
{
	vq->used_waits = status == DMA_PENDING;
	if (status == DMA_FAULT)
		virtio_needs_reset(vq->dev);
	return !vq->used_waits;
}

static bool write_elements(struct virtq *vq)
{
	for (; vq->written != vq->next_used; vq->written++) {
		const struct virtq_elem *e = &vq->elements[vq->written % VIRTQ_MAX_SIZE];

		if (!ended(vq, dma_write(vq->dev->dma, USED_RING(vq, vq->written), e, sizeof(*e),
		                         &vq->used_token)))
			return false;
	}
	return true;
}

static bool write_index(struct virtq *vq)
{
	if (vq->published != vq->complete &&
	    !ended(vq, dma_store16(vq->dev->dma, USED_IDX(vq), vq->complete, &vq->used_token)))
		return false;
	vq->published = vq->complete;
	return true;
}

/* 2.7.7: interrupt unless the driver's flag, or its event index, says it is not waiting for this.
 */
static bool wanted(struct virtq *vq, enum dma_status status, u16 event, u16 from)
{
	if (status == DMA_FAULT)
		return true;
	if (!virtio_has(vq->dev, VIRTIO_RING_F_EVENT_IDX))
		return !(event & VRING_AVAIL_F_NO_INTERRUPT);
	return vring_need_event(event, vq->published, from);
}

static void tell(struct virtq *vq)
{
	const bool by_index = virtio_has(vq->dev, VIRTIO_RING_F_EVENT_IDX);
	const u16 from = vq->signalled;
	enum dma_status status;
	u16 event = 0;

	/* What was pushed is published before the driver's wish is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	status = dma_load16(vq->dev->dma, by_index ? AVAIL_USED_EVENT(vq) : AVAIL_FLAGS(vq), &event,
	                    &vq->used_token);
	vq->used_waits = status == DMA_PENDING;
	if (vq->used_waits)
		return;
	vq->tell = false;
	vq->signalled = vq->published;
	if (!wanted(vq, status, event, from))
		return;
	vq->interrupts++;
	vq->dev->transport->interrupt(vq->dev->transport, vq);
}

/* As far as it comes: each step is made once, and one that waits is made again. */
static void go_on(struct virtq *vq)
{
	if (vq->used_waits || is_gone(vq))
		return;
	if (!write_elements(vq) || !write_index(vq))
		return;
	if (vq->signalled == vq->published)
		vq->tell = false;
	if (vq->tell)
		tell(vq);
}

void virtq_used_resumed(struct dma_token *token)
{
	struct virtq *vq = container_of(token, struct virtq, used_token);

	vq->used_waits = false;
	go_on(vq);
	if (!vq->used_waits)
		virtio_notify(vq->dev, vq->index); /* it may have had all that there can be */
}

void virtq_used_reset(struct virtq *vq)
{
	vq->next_used = vq->signalled = vq->written = vq->complete = vq->published = 0;
	vq->tell = vq->used_waits = false;
	dma_cancel(vq->dev->dma, &vq->used_token);
}

void virtq_fill(struct virtq *vq, struct virtq_chain *chain, u32 written)
{
	struct virtio_dev *dev = vq->dev;

	vq->pushed++;
	vq->bytes_in += written;
	virtq_unmap(vq, chain);
	if (!is_gone(vq)) {
		vq->elements[vq->next_used++ % VIRTQ_MAX_SIZE] =
			(struct virtq_elem){ htole32(chain->head), htole32(written) };
		if (!vq->used_waits)
			write_elements(vq);
	}
	if (!--vq->in_flight && vq->resetting)
		virtq_reset(vq);
	virtio_finished(dev);
}

void virtq_publish(struct virtq *vq)
{
	vq->complete = vq->next_used;
	go_on(vq);
}

void virtq_push(struct virtq *vq, struct virtq_chain *chain, u32 written)
{
	virtq_fill(vq, chain, written);
	virtq_publish(vq);
}

void virtq_interrupt(struct virtq *vq)
{
	if (is_gone(vq))
		return;
	vq->tell = true;
	go_on(vq);
}
