// SPDX-License-Identifier: GPL-2.0-only
/* Entropy device (virtio 1.3, 5.4): one queue of buffers to fill, one at a time. */
#include "devices/virtio/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/virtio/virtio.h"
#include "vmm/loop.h"

#define QUEUE_SIZE 64
#define MAX_BYTES  4096 /* for one buffer: a device may fill less than all of it (5.4.6.1) */

struct rng {
	struct virtio_dev dev;
	struct virtq vq;
	struct loop *loop;
	struct loop_op op;
	struct virtq_chain chain; /* while busy */
	bool busy;
	int fd;
};

static void fill(struct rng *rng)
{
	struct iovec *in = &rng->chain.iov[rng->chain.nr_out];
	unsigned int nr = rng->chain.nr_in;

	iov_truncate(in, &nr, MAX_BYTES);
	loop_readv(rng->loop, &rng->op, rng->fd, in, nr, 0);
}

/* 5.4.6.1: at least one byte goes into a buffer; one that has no room for it breaks the queue. */
static void rng_notify(struct virtio_dev *dev, struct virtq *vq)
{
	struct rng *rng = container_of(dev, struct rng, dev);

	if (rng->busy || !virtq_pop(vq, &rng->chain))
		return;
	if (!iov_bytes(&rng->chain.iov[rng->chain.nr_out], rng->chain.nr_in)) {
		virtio_needs_reset(dev);
		virtq_push(vq, &rng->chain, 0);
		return;
	}
	rng->busy = true;
	fill(rng);
}

static void filled(struct loop_op *op, int res)
{
	struct rng *rng = container_of(op, struct rng, op);
	struct virtq *vq = &rng->dev.vq[0];

	if (res == -EINTR || res == -EAGAIN) {
		fill(rng);
		return;
	}
	rng->busy = false;
	virtq_push(vq, &rng->chain, res > 0 ? res : 0);
	virtq_interrupt(vq);
	virtio_notify(&rng->dev, vq->index);
}

static const struct virtio_type rng_type = {
	.name = "rng",
	.id = VIRTIO_ID_RNG,
	.pci_class = 0x00ff00, /* of no class */
	.queue_size = QUEUE_SIZE,
	.notify = rng_notify,
};

int rng_create(struct virtio_dev **dev, struct loop *loop, struct dma_space *dma, struct log *log)
{
	struct rng *rng = calloc(1, sizeof(*rng));
	int err;

	if (!rng)
		return -ENOMEM;
	rng->fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	if (rng->fd < 0) {
		err = -errno;
		free(rng);
		return err;
	}
	rng->loop = loop;
	rng->op.done = filled;
	rng->dev.type = &rng_type;
	rng->dev.vq = &rng->vq;
	rng->dev.nr_queues = 1;
	rng->dev.features = VIRTQ_FEATURES;
	virtio_init(&rng->dev, dma, log);
	*dev = &rng->dev;
	return 0;
}

void rng_destroy(struct virtio_dev *dev)
{
	struct rng *rng = container_of(dev, struct rng, dev);

	close(rng->fd);
	free(rng);
}
