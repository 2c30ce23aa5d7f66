// SPDX-License-Identifier: GPL-2.0-only
/* Socket device (virtio 1.3, 5.10): the kernel's vhost works its data queues. */
#include "devices/virtio/vsock.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_vsock.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/virtio/vhost.h"

/* 5.10.2: rx and tx are the back end's; nothing ever happens that the event queue would tell. */
enum { RX, TX, EVENT, NR_QUEUES };
#define NR_VHOST_QUEUES EVENT

#define QUEUE_SIZE 128

struct vsock {
	struct virtio_dev dev;
	struct virtq vq[NR_QUEUES];
	struct virtio_vsock_config config;
	struct vhost vhost;
};

static struct vsock *vsock_of(struct virtio_dev *dev)
{
	return container_of(dev, struct vsock, dev);
}

static void notify(struct virtio_dev *dev, struct virtq *vq)
{
	if (vq->index < NR_VHOST_QUEUES)
		vhost_notify(&vsock_of(dev)->vhost, vq);
}

static void driver_ok(struct virtio_dev *dev)
{
	vhost_driver_ok(dev, &vsock_of(dev)->vhost);
}

static void reset(struct virtio_dev *dev)
{
	vhost_reset(&vsock_of(dev)->vhost);
}

static void queue_reset(struct virtio_dev *dev, struct virtq *vq)
{
	vhost_queue_reset(&vsock_of(dev)->vhost, vq);
}

static void call_changed(struct virtio_dev *dev, struct virtq *vq)
{
	vhost_call_changed(&vsock_of(dev)->vhost, vq);
}

static const struct virtio_type vsock_type = {
	.name = "vsock",
	.id = VIRTIO_ID_VSOCK,
	.pci_class = 0x028000, /* network controller, other */
	.queue_size = QUEUE_SIZE,
	.config_size = sizeof(struct virtio_vsock_config),
	.notify = notify,
	.reset = reset,
	.queue_reset = queue_reset,
	.driver_ok = driver_ok,
	.external = true,
	.call_changed = call_changed,
};

/* What the transports and the driver may agree on, if the back end can do it. */
#define FEATURES                                                      \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
	 BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_VSOCK_F_SEQPACKET))

static int open_backend(struct vsock *s, const struct vsock_config *c)
{
	const struct vhost_config vhost = {
		.ops = c->ops,
		.fd = c->fd,
		.dev = &s->dev,
		.nr_queues = NR_VHOST_QUEUES,
		.loop = c->loop,
		.work = c->work,
		.mem = c->dma->mem,
		.log = c->log,
		.watcher = c->watcher,
	};
	u64 features = 0;
	int err = vhost_init(&s->vhost, &vhost, &features);

	s->dev.features = features & FEATURES;
	return err;
}

int vsock_create(struct virtio_dev **dev, const struct vsock_config *c)
{
	struct vsock *s = calloc(1, sizeof(*s));
	int err;

	if (!s) {
		close(c->fd);
		return -ENOMEM;
	}
	s->dev.vq = s->vq;
	err = open_backend(s, c);
	if (err) {
		free(s);
		return err;
	}
	s->config.guest_cid = htole64(c->cid);
	s->dev.type = &vsock_type;
	s->dev.config = &s->config;
	s->dev.nr_queues = NR_QUEUES;
	virtio_init(&s->dev, c->dma, c->log);
	*dev = &s->dev;
	return 0;
}

void vsock_destroy(struct virtio_dev *dev)
{
	vhost_destroy(&vsock_of(dev)->vhost);
	free(vsock_of(dev));
}
