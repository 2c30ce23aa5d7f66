/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_VIRTIO_H
#define DEVICES_VIRTIO_VIRTIO_H

#include <sys/uio.h>

#include "vmm/dma.h"
#include "vmm/log.h"

/*
 * The contract between a device type, its transport and the rings (virtio 1.3).
 * A type knows neither MMIO nor PCI; a transport knows no type; only virtq.c
 * and virtq_used.c see rings. Everything is called under the device lock.
 */
#define VIRTQ_MAX_QUEUES 16
#define VIRTQ_MAX_SIZE   256
/* Of a chain: behind an IOMMU a descriptor may be several mappings. */
#define VIRTQ_MAX_IOV (2 * (VIRTQ_MAX_SIZE + 2))

struct virtio_dev;

/* As in the used ring, little-endian. */
struct virtq_elem {
	u32 id, len;
};

struct virtq {
	struct virtio_dev *dev;
	u16 index;
	/* What a transport's registers show (transport.h): hence the widths. */
	u32 size; /* entries, a power of two, at most max */
	u32 max;
	u32 enabled;
	u32 resetting;         /* a reset of this queue waits for requests in flight */
	u32 vector;            /* the transport's */
	u32 notify_off;        /* the transport's */
	u64 desc, avail, used; /* IOVAs */
	u16 next_avail;        /* free-running, as in the rings */
	u16 next_used;
	u16 written;   /* elements: before this one they are in the used ring */
	u16 complete;  /* before this one the driver may see them, */
	u16 published; /* and does */
	u16 signalled; /* published when the driver was last interrupted */
	bool tell;     /* the driver is to be interrupted, if it wants to know */
	unsigned int in_flight;
	bool looked_at;         /* the driver need not kick */
	unsigned int budget;    /* how many more a notify may pop, and one; 0: any number */
	struct dma_token token; /* what an access waits on that takes */
	struct dma_token used_token;
	bool used_waits;
	struct virtq_elem elements[VIRTQ_MAX_SIZE]; /* from written on, as far as filled */
	/* Since the device was made: */
	u64 notified, popped, pushed, interrupts;
	u64 bytes_out, bytes_in; /* the driver's buffers of what was popped; what was written */
};

/* One request off a queue, checked and bounded: the first nr_out are the
 * driver's, then nr_in ours. */
struct virtq_chain {
	u16 head;
	unsigned int nr_out, nr_in;
	struct dma_use *attachment;
	struct iovec iov[VIRTQ_MAX_IOV];     /* most of it is never touched */
	struct dma_use *uses[VIRTQ_MAX_IOV]; /* of translated memory; what virtq_push ends */
};

/* What a device type is; const, shared by its instances, blind to the transport. */
struct virtio_type {
	const char *name;
	u16 id; /* virtio 1.3, 5 */
	u32 pci_class;
	u16 queue_size;
	u16 config_size; /* bytes of virtio_dev.config */
	/* BIT(queue): its driver waits with its CPU spinning, so the loop
	 * looks at the ring itself. */
	u32 polled;
	/* The driver has made buffers available; called only while DRIVER_OK. */
	void (*notify)(struct virtio_dev *dev, struct virtq *vq);
	/* The driver resets: take no more, finish what is in flight
	 * (virtio_finished). May be NULL. */
	void (*reset)(struct virtio_dev *dev);
	/* The driver resets one queue: finish what is in flight there. May be NULL. */
	void (*queue_reset)(struct virtio_dev *dev, struct virtq *vq);
	/* FEATURES_OK is set: dev->acked is final (3.1.1). May be NULL. */
	void (*negotiated)(struct virtio_dev *dev);
	/* The driver is ready: the queues that are enabled run (3.1.1). May be NULL. */
	void (*driver_ok)(struct virtio_dev *dev);
	/*
	 * Somebody else works the rings (vhost): kicks are theirs to read, from the
	 * transport's kick_fd, and notify is called only for a kick that was an exit.
	 */
	bool external;
	/* Of an external type: what call_fd says of the queue may have changed, or dev->held. */
	void (*call_changed)(struct virtio_dev *dev, struct virtq *vq);
	/* The driver writes to configuration space. NULL: all of it is read-only. */
	void (*config_write)(struct virtio_dev *dev, u64 offset, unsigned int size, u64 val);
};

/* What virtq.c can do, for a type whose rings it works. */
#define VIRTQ_FEATURES \
	(BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_F_RING_RESET))

/* What a device asks of its transport, which embeds this. */
struct virtio_transport {
	void (*interrupt)(struct virtio_transport *t, struct virtq *vq);
	void (*config_changed)(struct virtio_transport *t);
	/* Kicks the queue again from the loop, after what else is waiting there. NULL: cannot. */
	void (*again)(struct virtio_transport *t, struct virtq *vq);
	/* An eventfd that each kick of the queue adds to; the transport's. */
	int (*kick_fd)(struct virtio_transport *t, struct virtq *vq);
	/*
	 * An eventfd whose every write interrupts for the queue, without anyone here:
	 * as long as call_changed does not say otherwise. -1: only interrupt() does.
	 */
	int (*call_fd)(struct virtio_transport *t, struct virtq *vq);
};

struct virtio_dev {
	const struct virtio_type *type;
	struct virtio_transport *transport;
	struct log *log;
	struct dma_space *dma;
	u64 features; /* offered */
	u64 acked;    /* taken by the driver */
	u8 status;
	u8 config_generation;
	bool resetting; /* a reset waits for requests in flight */
	bool held;      /* its transport has it take no requests for now */
	unsigned int in_flight;
	void *config; /* little-endian, type->config_size bytes */
	u16 nr_queues;
	struct virtq *vq; /* the device's own, nr_queues of them */
};

/* Sets up what every device has. The caller has set type, features, config, vq and
 * nr_queues. */
void virtio_init(struct virtio_dev *dev, struct dma_space *dma, struct log *log);

/* status.c: the driver writes device status (2.1, 3.1). 0 resets. */
void virtio_set_status(struct virtio_dev *dev, u8 status);
/* A malformed ring: the driver must reset (2.1.2). */
void virtio_needs_reset(struct virtio_dev *dev);
/* A request that was popped has ended; the last one lets a pending reset complete. */
void virtio_finished(struct virtio_dev *dev);
/*
 * A kick for queue @index, already known to exist. A ring's worth is popped at
 * most: a driver that adds as fast as the device takes cannot hold the lock.
 */
void virtio_notify(struct virtio_dev *dev, unsigned int index);
/* The driver has the queue running: what a device begins by itself asks this first. */
bool virtq_is_live(const struct virtq *vq);
/* 2.6.1: the queue is as after a device reset, once nothing of it is in flight. */
void virtio_reset_queue(struct virtq *vq);
/* The device has changed its configuration space: the driver is told (2.5). */
void virtio_config_changed(struct virtio_dev *dev);

static inline bool virtio_has(const struct virtio_dev *dev, unsigned int feature)
{
	return dev->acked & BIT(feature);
}

/*
 * The next request. False: none is there, or the ring is stalled or broken (and
 * then DEVICE_NEEDS_RESET is set). A chain popped counts as in flight until
 * virtq_push, and its memory stays mapped until then.
 */
bool virtq_pop(struct virtq *vq, struct virtq_chain *chain);
/*
 * It was the last one popped, and is to be popped again later: what waits for the world keeps no
 * memory of the guest's mapped meanwhile, since whoever takes that away would wait as long.
 */
void virtq_unpop(struct virtq *vq, struct virtq_chain *chain);
/* Gives it back: @written bytes of the device's part are valid (2.7.8). */
void virtq_push(struct virtq *vq, struct virtq_chain *chain, u32 written);
/* The same in two steps, for chains that the driver is to see all at once: fill each, publish. */
void virtq_fill(struct virtq *vq, struct virtq_chain *chain, u32 written);
void virtq_publish(struct virtq *vq);
/* Interrupts the driver, if it wants to know about what was pushed (2.7.10). */
void virtq_interrupt(struct virtq *vq);
void virtq_reset(struct virtq *vq);

/*
 * For who looks at the ring itself: where the driver's index is, a little-endian word in RAM that
 * is there as long as the VM is; NULL: it cannot be looked at. The driver is told not to kick.
 */
const u16 *virtq_look(struct virtq *vq);
/* The driver is to kick again. False: something is there already. */
bool virtq_look_away(struct virtq *vq);

/* Helpers over an iovec array. */
size_t iov_bytes(const struct iovec *iov, unsigned int nr);
/* Copies up to @len bytes at @offset; how many there were. */
size_t iov_read(const struct iovec *iov, unsigned int nr, size_t offset, void *to, size_t len);
size_t iov_write(const struct iovec *iov, unsigned int nr, size_t offset, const void *from,
                 size_t len);
/* Drops @len bytes at the front, in place; the first entry still used, *nr entries of it. */
struct iovec *iov_skip(struct iovec *iov, unsigned int *nr, size_t len);
/* Keeps the first @len bytes, in place. */
void iov_truncate(struct iovec *iov, unsigned int *nr, size_t len);

#endif
