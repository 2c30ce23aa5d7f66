/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_VIRTIO_H
#define TESTS_UNIT_FAKE_VIRTIO_H

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "devices/virtio/virtio.h"
#include "vmm/mem.h"

/*
 * The driver's side of one queue, its rings at the start of guest memory, and
 * a device and a transport that remember what they are told.
 */
#define RING_DESC  0x0000
#define RING_AVAIL 0x1000
#define RING_USED  0x2000
#define RING_END   0x3000

struct driver {
	const struct guest_mem *mem;
	struct virtq *vq;
	u16 avail; /* the index as last published */
};

/* Sets the queue up, as a transport would, and enables it. */
void driver_start(struct driver *d, const struct guest_mem *mem, struct virtq *vq, u16 size);
/* Writes a descriptor into the table at @table, an offset into guest memory. */
void driver_table(struct driver *d, u64 table, u16 at, struct vring_desc desc);
static inline void driver_desc(struct driver *d, u16 at, u64 addr, u32 len, u16 flags, u16 next)
{
	driver_table(d, RING_DESC, at, (struct vring_desc){ addr, len, flags, next });
}
/* Makes a chain available. */
void driver_avail(struct driver *d, u16 head);
void driver_set_avail_flags(struct driver *d, u16 flags);
void driver_set_used_event(struct driver *d, u16 event);
u16 driver_avail_event(struct driver *d);
u16 driver_used_idx(struct driver *d);
struct vring_used_elem driver_used(struct driver *d, u16 at);

struct fake_transport {
	struct virtio_transport transport;
	unsigned int interrupts, config_changes;
};
void fake_transport_init(struct fake_transport *t);

/* A device of one type with nothing in it. */
struct fake_dev {
	struct virtio_dev dev;
	struct virtq vq[VIRTQ_MAX_QUEUES];
	struct fake_transport transport;
	u8 config[8];
	unsigned int notified, resets;
	u16 last_queue;
};
#define FAKE_QUEUE_SIZE 16
void fake_dev_init(struct fake_dev *f, struct dma_space *dma, u64 features);

/* A space where the access number stall_at waits and gives its token up; it
 * counts what is mapped. */
struct stalling_space {
	struct dma_space space, identity;
	unsigned int accesses, stall_at;
	struct dma_use use; /* of what is mapped beyond the lock */
	struct dma_token *token;
};
void stalling_init(struct stalling_space *s, const struct guest_mem *mem);

#endif
