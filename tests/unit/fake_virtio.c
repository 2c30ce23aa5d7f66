// SPDX-License-Identifier: GPL-2.0-only
/* A virtio driver's rings, and what its device stands on. */
#include "tests/unit/fake_virtio.h"

#include <criterion/criterion.h>
#include <string.h>

static void *at(const struct driver *d, u64 offset)
{
	return d->mem->host + offset;
}

void driver_start(struct driver *d, const struct guest_mem *mem, struct virtq *vq, u16 size)
{
	*d = (struct driver){ .mem = mem, .vq = vq };
	vq->size = size;
	vq->desc = mem->base + RING_DESC;
	vq->avail = mem->base + RING_AVAIL;
	vq->used = mem->base + RING_USED;
	vq->enabled = 1;
}

void driver_table(struct driver *d, u64 table, u16 nr, struct vring_desc desc)
{
	memcpy(at(d, table + nr * sizeof(desc)), &desc, sizeof(desc));
}

static void set16(struct driver *d, u64 offset, u16 val)
{
	memcpy(at(d, offset), &val, sizeof(val));
}

static u16 get16(struct driver *d, u64 offset)
{
	u16 val;

	memcpy(&val, at(d, offset), sizeof(val));
	return val;
}

void driver_avail(struct driver *d, u16 head)
{
	set16(d, RING_AVAIL + 4 + d->avail++ % d->vq->size * 2, head);
	set16(d, RING_AVAIL + 2, d->avail);
}

void driver_set_avail_flags(struct driver *d, u16 flags)
{
	set16(d, RING_AVAIL, flags);
}

void driver_set_used_event(struct driver *d, u16 event)
{
	set16(d, RING_AVAIL + 4 + d->vq->size * 2, event);
}

u16 driver_avail_event(struct driver *d)
{
	return get16(d, RING_USED + 4 + d->vq->size * 8);
}

u16 driver_used_idx(struct driver *d)
{
	return get16(d, RING_USED + 2);
}

struct vring_used_elem driver_used(struct driver *d, u16 nr)
{
	struct vring_used_elem elem;

	memcpy(&elem, at(d, RING_USED + 4 + nr % d->vq->size * 8), sizeof(elem));
	return elem;
}

static void note_interrupt(struct virtio_transport *t, struct virtq *vq)
{
	(void)vq;
	container_of(t, struct fake_transport, transport)->interrupts++;
}

static void note_config(struct virtio_transport *t)
{
	container_of(t, struct fake_transport, transport)->config_changes++;
}

void fake_transport_init(struct fake_transport *t)
{
	*t = (struct fake_transport){ .transport = { note_interrupt, note_config } };
}

static void note_notify(struct virtio_dev *dev, struct virtq *vq)
{
	struct fake_dev *f = container_of(dev, struct fake_dev, dev);

	f->notified++;
	f->last_queue = vq->index;
}

static void note_reset(struct virtio_dev *dev)
{
	container_of(dev, struct fake_dev, dev)->resets++;
}

void fake_dev_init(struct fake_dev *f, struct dma_space *dma, u64 features)
{
	static const struct virtio_type type = {
		.name = "fake",
		.id = 42,
		.pci_class = 0xff0000,
		.queue_size = FAKE_QUEUE_SIZE,
		.config_size = sizeof(f->config),
		.notify = note_notify,
		.reset = note_reset,
	};
	static struct log log_off;

	*f = (struct fake_dev){ .dev = { .type = &type, .features = features, .nr_queues = 2 } };
	f->dev.config = f->config;
	f->dev.vq = f->vq;
	fake_transport_init(&f->transport);
	f->dev.transport = &f->transport.transport;
	virtio_init(&f->dev, dma, &log_off);
}

static enum dma_status stalling_map(struct dma_space *space, struct dma_access *a,
                                    struct dma_sg *sg, struct dma_token *token)
{
	struct stalling_space *s = container_of(space, struct stalling_space, space);
	unsigned int before = sg->nr;
	enum dma_status status;

	if (++s->accesses == s->stall_at) {
		s->token = token;
		return DMA_PENDING;
	}
	status = dma_map(&s->identity, a, sg, token);
	for (unsigned int i = before; sg->uses && i < sg->nr; i++)
		sg->uses[i] = dma_use_get(&s->use);
	return status;
}

void stalling_init(struct stalling_space *s, const struct guest_mem *mem)
{
	static const struct dma_ops ops = { .map = stalling_map };

	*s = (struct stalling_space){ .space = { .ops = &ops, .mem = mem, .translated = true } };
	dma_identity(&s->identity, mem);
}
