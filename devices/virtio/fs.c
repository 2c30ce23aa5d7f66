// SPDX-License-Identifier: GPL-2.0-only
/* File system device (virtio 1.3, 5.11): a program like virtiofsd works its queues. */
#include "devices/virtio/fs.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/virtio/vhost.h"

/* 5.11.2: without notifications, requests come right behind the high priority queue. */
enum { HIPRIO, REQUEST, NR_QUEUES };

#define QUEUE_SIZE 1024 /* bounds how much one read or write may be */

struct fs {
	struct virtio_dev dev;
	struct virtq vq[NR_QUEUES];
	struct virtio_fs_config config;
	struct vhost vhost;
};

static struct fs *fs_of(struct virtio_dev *dev)
{
	return container_of(dev, struct fs, dev);
}

static void notify(struct virtio_dev *dev, struct virtq *vq)
{
	vhost_notify(&fs_of(dev)->vhost, vq);
}

static void driver_ok(struct virtio_dev *dev)
{
	vhost_driver_ok(dev, &fs_of(dev)->vhost);
}

static void reset(struct virtio_dev *dev)
{
	vhost_reset(&fs_of(dev)->vhost);
}

static void queue_reset(struct virtio_dev *dev, struct virtq *vq)
{
	vhost_queue_reset(&fs_of(dev)->vhost, vq);
}

static void call_changed(struct virtio_dev *dev, struct virtq *vq)
{
	vhost_call_changed(&fs_of(dev)->vhost, vq);
}

static const struct virtio_type fs_type = {
	.name = "fs",
	.id = VIRTIO_ID_FS,
	.pci_class = 0x018000, /* mass storage, other */
	.queue_size = QUEUE_SIZE,
	.config_size = sizeof(struct virtio_fs_config),
	.notify = notify,
	.reset = reset,
	.queue_reset = queue_reset,
	.driver_ok = driver_ok,
	.external = true,
	.call_changed = call_changed,
};

/* What the transports and the driver may agree on, if the back end can do it. */
#define FEATURES \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX))

static int open_backend(struct fs *fs, const struct fs_config *c)
{
	const struct vhost_config vhost = {
		.ops = c->ops,
		.fd = c->fd,
		.dev = &fs->dev,
		.nr_queues = NR_QUEUES,
		.loop = c->loop,
		.work = c->work,
		.mem = c->dma->mem,
		.log = c->log,
		.watcher = c->watcher,
	};
	u64 features = 0;
	int err = vhost_init(&fs->vhost, &vhost, &features);

	fs->dev.features = features & FEATURES;
	return err;
}

int fs_create(struct virtio_dev **dev, const struct fs_config *c)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	int err;

	if (!fs) {
		close(c->fd);
		return -ENOMEM;
	}
	fs->dev.vq = fs->vq;
	err = open_backend(fs, c);
	if (err) {
		free(fs);
		return err;
	}
	memcpy(fs->config.tag, c->tag, strnlen(c->tag, FS_TAG_SIZE));
	fs->config.num_request_queues = htole32(NR_QUEUES - REQUEST);
	fs->dev.type = &fs_type;
	fs->dev.config = &fs->config;
	fs->dev.nr_queues = NR_QUEUES;
	virtio_init(&fs->dev, c->dma, c->log);
	*dev = &fs->dev;
	return 0;
}

void fs_lost(struct virtio_dev *dev, int err)
{
	vhost_lost(&fs_of(dev)->vhost, err);
}

void fs_destroy(struct virtio_dev *dev)
{
	vhost_destroy(&fs_of(dev)->vhost);
	free(fs_of(dev));
}
