/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_VHOST_H
#define DEVICES_VIRTIO_VHOST_H

#include "devices/virtio/virtio.h"
#include "vmm/loop.h"
#include "vmm/work.h"

struct guest_mem;
struct vhost;

/* Where the rings of a queue are, in this process. */
struct vhost_rings {
	void *desc, *avail, *used;
};

/*
 * Every call on a back end that works rings, one function each: the kernel's
 * ioctls (linux/vhost.h) or vhost-user's messages (its specification names them
 * alike). Each returns 0 or -errno, is traced (topic virtio), and may take long:
 * the host-work thread makes them, but for the first two.
 */
struct vhost_ops {
	int (*set_owner)(struct vhost *v);
	int (*get_features)(struct vhost *v, u64 *features);
	int (*set_features)(struct vhost *v, u64 features);
	int (*set_mem_table)(struct vhost *v, const struct guest_mem *mem);
	int (*set_vring_num)(struct vhost *v, unsigned int queue, u32 num);
	int (*set_vring_base)(struct vhost *v, unsigned int queue, u16 base);
	int (*get_vring_base)(struct vhost *v, unsigned int queue, u16 *base);
	int (*set_vring_addr)(struct vhost *v, unsigned int queue, const struct vhost_rings *r);
	int (*set_vring_kick)(struct vhost *v, unsigned int queue, int fd);
	int (*set_vring_call)(struct vhost *v, unsigned int queue, int fd);
	/* Written when a ring is none. */
	int (*set_vring_err)(struct vhost *v, unsigned int queue, int fd);
	/* All of the queues that were set up, at once. */
	int (*set_running)(struct vhost *v, bool running);
	/* The calls that follow belong together, and have one time-out. */
	void (*begin)(struct vhost *v);
	/* set_running runs the other queues too: each is set up before. */
	bool runs_all;
};

/* Told once, under the device lock, when a back end can do no more; its device
 * needs a reset then. */
struct vhost_watcher {
	void (*failed)(struct vhost_watcher *w, int err);
};

/* What one queue of it is to be; decided under the lock, done by the work thread. */
struct vhost_queue {
	bool enabled;
	u32 num;
	struct vhost_rings rings;
	int kick, call; /* -1: none */
	u16 base;       /* the available ring's index that is next */
};

/* A queue's own eventfd for calls, read by the loop where nothing raises the interrupt directly;
 * and kicks that are ours. */
struct vhost_call {
	struct vhost *v;
	struct virtq *vq;
	int fd;
	u64 count;
	struct loop_op op, kick_op;
	bool kicking, kick_again;
};

/* Embedded in the device; dev->type is external, and its hooks call the functions below. */
struct vhost {
	const struct vhost_ops *ops;
	int fd;
	struct { /* vhost_user.c's */
		bool has_protocol;
		u64 protocol; /* features that both have */
		u32 queues;   /* BIT(index): set up since it last stopped */
		u64 deadline; /* of what began; 0: each answer has its own */
	} user;
	struct log *log;
	struct virtio_dev *dev;
	unsigned int nr_queues; /* the first of the device's that the back end works */
	struct loop *loop;
	struct work_queue *work;
	const struct guest_mem *mem;
	struct vhost_watcher *watcher; /* or NULL */
	struct vhost_call calls[VIRTQ_MAX_QUEUES];
	struct {
		int fd;
		u64 count;
		struct loop_op op;
	} error; /* of any queue */
	struct { /* rings of one entry that nobody fills */
		_Alignas(16) u8 desc[16], avail[16], used[16];
	} empty;
	/* What the driver wants, and what is. */
	bool wanted, running, failed;
	bool goes_on; /* a start takes each queue up where it was stopped */
	u32 held; /* queues whose reset waits until it has stopped: BIT(index); and the device's */
	/* One task at a time. */
	bool busy;
	struct work job;
	struct vhost_task {
		bool start, stop;
		u64 features;
		u32 queues; /* BIT(index): whose call is set */
		struct vhost_queue queue[VIRTQ_MAX_QUEUES];
		int err;
	} task;
};

/* What one vhost_init needs. */
struct vhost_config {
	const struct vhost_ops *ops;
	int fd; /* the back end's, open; the device's from now on */
	struct virtio_dev *dev;
	unsigned int nr_queues;
	struct loop *loop;
	struct work_queue *work;
	const struct guest_mem *mem;
	struct log *log;
	struct vhost_watcher *watcher;
};

/*
 * Becomes the back end's owner, and asks what it can. 0 or -errno, and then
 * nothing is left but c->fd, closed; else *v is where it stays.
 */
int vhost_init(struct vhost *v, const struct vhost_config *c, u64 *features);
/* After the loop and the work have been drained: stops it, and closes its descriptor. */
void vhost_destroy(struct vhost *v);

/* For a type's hooks. A reset is complete, like those of other types, when its work has ended. */
void vhost_driver_ok(struct virtio_dev *dev, struct vhost *v);
void vhost_reset(struct vhost *v);
/* Stopping one queue stops them all: only over MMIO can a driver ask for it, and none does. */
void vhost_queue_reset(struct vhost *v, struct virtq *vq);
void vhost_notify(struct vhost *v, struct virtq *vq);
/* Or the device is held, or no longer: then the back end works none of its rings. */
void vhost_call_changed(struct vhost *v, struct virtq *vq);
/* The back end has gone: the device needs a reset, and will not start again. */
void vhost_lost(struct vhost *v, int err);

#endif
