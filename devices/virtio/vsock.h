/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_VSOCK_H
#define DEVICES_VIRTIO_VSOCK_H

#include "vmm/types.h"

struct dma_space;
struct log;
struct loop;
struct vhost_ops;
struct vhost_watcher;
struct virtio_dev;
struct work_queue;

struct vsock_config {
	const struct vhost_ops *ops;
	int fd; /* of the back end, which has this context ID; the device's from now on */
	u64 cid;
	struct loop *loop;
	struct work_queue *work;
	struct dma_space *dma; /* identity: the back end knows no other */
	struct log *log;
	struct vhost_watcher *watcher; /* or NULL */
};

/* A socket device (virtio 1.3, 5.10) whose rings the back end works. 0 or -errno. */
int vsock_create(struct virtio_dev **dev, const struct vsock_config *c);
/* When loop and work have been drained. */
void vsock_destroy(struct virtio_dev *dev);

#endif
