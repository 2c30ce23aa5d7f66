/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_TRANSPORT_H
#define DEVICES_VIRTIO_TRANSPORT_H

#include "devices/virtio/virtio.h"
#include "vmm/loop.h"
#include "vmm/poll.h"
#include "vmm/reg.h"

/*
 * What the transports have in common: the registers of the common
 * configuration, whatever their place and width (a transport's table has a row
 * for each), configuration space, and kicks by eventfd. Under the device lock.
 */
struct virtio_regs;

struct virtio_kick {
	struct loop_op op;
	struct virtio_regs *regs;
	u16 queue;
	int fd; /* an eventfd: each write to it kicks the queue */
	u64 count;
	struct poller poller; /* of a queue that is looked at */
	const u16 *avail_idx; /* where */
};

struct virtio_regs {
	struct virtio_dev *dev;
	struct loop *loop;
	u32 device_feature_select, device_feature;
	u32 driver_feature_select, driver_feature;
	u32 queue_select, status, config_generation;
	struct virtio_kick *kicks; /* one a queue */
};

/* @dev's registers as after reset, and its eventfds, one a queue. 0 or -errno. */
int virtio_regs_init(struct virtio_regs *r, struct virtio_dev *dev, struct loop *loop);
/* Kicks are taken from now on. */
void virtio_regs_start(struct virtio_regs *r);
/* After the loop has ended: nothing of the device waits for its IOMMU any more. */
void virtio_regs_close(struct virtio_regs *r);
/* A reset's part in the registers; queues and features are the device's own. */
void virtio_regs_reset(struct virtio_regs *r);
/* Before a read: what changes by itself. */
void virtio_regs_refresh(struct virtio_regs *r);
/* A kick that came as an exit. A queue that does not exist: nothing. */
void virtio_regs_notify(struct virtio_regs *r, u64 queue);
/* virtio_transport.again, of a transport with these registers. */
void virtio_regs_again(struct virtio_regs *r, struct virtq *vq);

/* virtio_transport.kick_fd, likewise. */
int virtio_regs_kick_fd(struct virtio_regs *r, const struct virtq *vq);

/* An access to device configuration; what is beyond its end reads 0 and is lost. */
u64 virtio_config_read(struct virtio_dev *dev, u64 offset, unsigned int size);
void virtio_config_write(struct virtio_dev *dev, u64 offset, unsigned int size, u64 val);

/* For the rows: @regs is the struct virtio_regs, which is the table's device. */
void virtio_device_feature_selected(void *regs, u64 old);
void virtio_driver_feature_selected(void *regs, u64 old);
void virtio_driver_feature_written(void *regs, u64 old);
void virtio_queue_size_written(void *regs, u64 old);
void virtio_queue_reset_written(void *regs, u64 old);
/* The selected queue: NULL, and its fields read 0, where there is none (4.1.4.3, 4.2.2). */
void *virtio_selected_queue(void *regs);
/* The only guard: the selected queue is live, and a driver leaves it as it is. */
enum { VIRTIO_QUEUE_ENABLED = 1 };
bool virtio_regs_guarded(const void *regs, u32 guard);

/* Rows: @bytes wide in the table, of a field that is 32 bits wide (an address: 64). */
#define VIRTIO_REG(off, bytes, member, ...)                                                    \
	{                                                                                      \
		.name = #member, .offset = off, .field = offsetof(struct virtio_regs, member), \
		.size = bytes, __VA_ARGS__                                                     \
	}
#define VIRTIO_QUEUE_REG(off, bytes, member, ...)                                                 \
	{                                                                                         \
		.name = "queue_" #member, .offset = off, .field = offsetof(struct virtq, member), \
		.size = bytes, .where = virtio_selected_queue, __VA_ARGS__                        \
	}
#define VIRTIO_WRITABLE       .writable = ~0ULL
#define VIRTIO_BEFORE_ENABLED .guard = VIRTIO_QUEUE_ENABLED, VIRTIO_WRITABLE

#endif
