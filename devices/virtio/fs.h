/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_FS_H
#define DEVICES_VIRTIO_FS_H

#include "vmm/types.h"

struct dma_space;
struct log;
struct loop;
struct vhost_ops;
struct vhost_watcher;
struct virtio_dev;
struct work_queue;

#define FS_TAG_SIZE 36 /* bytes (5.11.4) */

struct fs_config {
	const struct vhost_ops *ops;
	int fd;          /* of the back end; the device's from now on */
	const char *tag; /* at most FS_TAG_SIZE bytes of UTF-8 */
	struct loop *loop;
	struct work_queue *work;
	struct dma_space *dma; /* identity: the back end knows no other */
	struct log *log;
	struct vhost_watcher *watcher; /* or NULL */
};

/* A file system device (virtio 1.3, 5.11) whose rings the back end works. 0 or -errno. */
int fs_create(struct virtio_dev **dev, const struct fs_config *c);
/* When loop and work have been drained. */
void fs_destroy(struct virtio_dev *dev);
/* The back end has ended: under the device lock. */
void fs_lost(struct virtio_dev *dev, int err);

#endif
