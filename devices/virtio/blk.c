// SPDX-License-Identifier: GPL-2.0-only
/* Block device (virtio 1.3, 5.2): requests become io_uring operations. */
#include "devices/virtio/blk.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/virtio/virtio.h"
#include "vmm/loop.h"

#define SECTOR     512
#define QUEUE_SIZE VIRTQ_MAX_SIZE
#define SEG_MAX    (QUEUE_SIZE - 2) /* a header and a status go with the data */

/* A request from pop to push. */
struct request {
	struct loop_op op;
	struct blk *blk;
	struct virtq *vq;
	struct request *next_free;
	struct virtq_chain chain;
	u8 *status;        /* the last byte of the device's part */
	struct iovec *iov; /* what is left to transfer */
	unsigned int nr;
	u64 offset;  /* bytes into the disk */
	u64 left;    /* bytes to go */
	u32 written; /* bytes of the device's part that are valid, less the status */
	bool is_write;
};

struct blk {
	struct virtio_dev dev;
	struct virtio_blk_config config;
	struct loop *loop;
	struct log *log;
	int fd;
	u64 size; /* whole sectors */
	char serial[VIRTIO_BLK_ID_BYTES];
	struct request *free;
	struct request requests[QUEUE_SIZE];
};

static void release(struct request *rq)
{
	rq->next_free = rq->blk->free;
	rq->blk->free = rq;
}

static void complete(struct request *rq, u8 status)
{
	trace(rq->blk->log, TRACE_VIRTIO, "blk: request at %#llx: status %u, %u bytes written",
	      (unsigned long long)rq->offset, status, rq->written);
	*rq->status = status;
	virtq_push(rq->vq, &rq->chain, rq->written + 1);
	release(rq);
}

/* A completion from the loop; a queue that ran out of requests goes on. */
static void complete_later(struct request *rq, u8 status)
{
	struct virtq *vq = rq->vq;
	bool starved = !rq->blk->free;

	complete(rq, status);
	virtq_interrupt(vq);
	if (starved)
		virtio_notify(vq->dev, vq->index);
}

static void transfer(struct request *rq)
{
	if (rq->is_write)
		loop_writev(rq->blk->loop, &rq->op, rq->blk->fd, rq->iov, rq->nr, rq->offset);
	else
		loop_readv(rq->blk->loop, &rq->op, rq->blk->fd, rq->iov, rq->nr, rq->offset);
}

/* A short transfer goes on where it stopped; nothing at all is the end of a file that shrank. */
static void transferred(struct loop_op *op, int res)
{
	struct request *rq = container_of(op, struct request, op);

	if (res == -EINTR || res == -EAGAIN) {
		transfer(rq);
		return;
	}
	if (res <= 0) {
		complete_later(rq, VIRTIO_BLK_S_IOERR);
		return;
	}
	rq->left -= res;
	rq->offset += res;
	if (!rq->is_write)
		rq->written += res;
	if (!rq->left) {
		complete_later(rq, VIRTIO_BLK_S_OK);
		return;
	}
	rq->iov = iov_skip(rq->iov, &rq->nr, res);
	transfer(rq);
}

static void flushed(struct loop_op *op, int res)
{
	struct request *rq = container_of(op, struct request, op);

	complete_later(rq, res ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK);
}

/*
 * 5.2.6.2: whole sectors, all of them on the disk; and no more than a used
 * ring's 32-bit length can say, since descriptors may name the same RAM again
 * and again.
 */
static bool in_range(const struct request *rq, u64 sector)
{
	u64 sectors = rq->blk->size / SECTOR;

	return rq->left && rq->left % SECTOR == 0 && rq->left < UINT32_MAX && sector <= sectors &&
	       rq->left / SECTOR <= sectors - sector;
}

static void start_transfer(struct request *rq, u64 sector)
{
	if (!in_range(rq, sector)) {
		complete(rq, VIRTIO_BLK_S_IOERR);
		return;
	}
	rq->offset = sector * SECTOR;
	rq->op.done = transferred;
	transfer(rq);
}

static void request_in(struct request *rq, u64 sector)
{
	rq->iov = &rq->chain.iov[rq->chain.nr_out];
	rq->nr = rq->chain.nr_in;
	rq->left = iov_bytes(rq->iov, rq->nr) - 1;
	iov_truncate(rq->iov, &rq->nr, rq->left);
	start_transfer(rq, sector);
}

static void request_out(struct request *rq, u64 sector)
{
	rq->nr = rq->chain.nr_out;
	rq->iov = iov_skip(rq->chain.iov, &rq->nr, sizeof(struct virtio_blk_outhdr));
	rq->left = iov_bytes(rq->iov, rq->nr);
	rq->is_write = true;
	if (rq->blk->dev.features & BIT(VIRTIO_BLK_F_RO))
		complete(rq, VIRTIO_BLK_S_IOERR); /* 5.2.6.2 */
	else
		start_transfer(rq, sector);
}

static void request_flush(struct request *rq, u64 sector)
{
	(void)sector;
	rq->op.done = flushed;
	loop_fdatasync(rq->blk->loop, &rq->op, rq->blk->fd);
}

static void request_get_id(struct request *rq, u64 sector)
{
	const struct iovec *in = &rq->chain.iov[rq->chain.nr_out];
	size_t room = iov_bytes(in, rq->chain.nr_in) - 1;
	size_t len = room < VIRTIO_BLK_ID_BYTES ? room : VIRTIO_BLK_ID_BYTES;

	(void)sector;
	rq->written = iov_write(in, rq->chain.nr_in, 0, rq->blk->serial, len);
	complete(rq, VIRTIO_BLK_S_OK);
}

/* A type with no row is not supported (5.2.6.1). */
static const struct {
	u32 type;
	void (*run)(struct request *rq, u64 sector);
} types[] = {
	{ VIRTIO_BLK_T_IN, request_in },
	{ VIRTIO_BLK_T_OUT, request_out },
	{ VIRTIO_BLK_T_FLUSH, request_flush },
	{ VIRTIO_BLK_T_GET_ID, request_get_id },
};

/* The last byte that we may write is the status. NULL: there is none. */
static u8 *status_byte(struct virtq_chain *chain)
{
	for (unsigned int i = chain->nr_out + chain->nr_in; i-- > chain->nr_out;)
		if (chain->iov[i].iov_len)
			return (u8 *)chain->iov[i].iov_base + chain->iov[i].iov_len - 1;
	return NULL;
}

/* False: without a header or a status byte it is no request, and the ring is broken. */
static bool start(struct request *rq)
{
	struct virtio_blk_outhdr header;
	u32 type;

	rq->status = status_byte(&rq->chain);
	rq->written = rq->left = 0;
	rq->offset = 0;
	rq->is_write = false;
	if (iov_read(rq->chain.iov, rq->chain.nr_out, 0, &header, sizeof(header)) <
	            sizeof(header) ||
	    !rq->status)
		return false;
	type = le32toh(header.type);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].type != type)
			continue;
		types[i].run(rq, le64toh(header.sector));
		return true;
	}
	complete(rq, VIRTIO_BLK_S_UNSUPP);
	return true;
}

static void blk_notify(struct virtio_dev *dev, struct virtq *vq)
{
	struct blk *blk = container_of(dev, struct blk, dev);

	while (blk->free && virtq_pop(vq, &blk->free->chain)) {
		struct request *rq = blk->free;

		blk->free = rq->next_free;
		rq->vq = vq;
		if (start(rq))
			continue;
		virtio_needs_reset(dev);
		virtq_push(vq, &rq->chain, 0);
		release(rq);
	}
	virtq_interrupt(vq);
}

static const struct virtio_type blk_type = {
	.name = "blk",
	.id = VIRTIO_ID_BLOCK,
	.pci_class = 0x018000, /* mass storage, other */
	.queue_size = QUEUE_SIZE,
	.config_size = sizeof(struct virtio_blk_config),
	.notify = blk_notify,
};

int blk_create(struct virtio_dev **dev, struct loop *loop, struct dma_space *dma, struct log *log,
               const struct blk_config *c)
{
	struct blk *blk = calloc(1, sizeof(*blk));

	if (!blk)
		return -ENOMEM;
	blk->loop = loop;
	blk->log = log;
	blk->fd = c->fd;
	blk->size = ALIGN_DOWN(c->size, SECTOR);
	if (c->serial)
		memcpy(blk->serial, c->serial, strnlen(c->serial, sizeof(blk->serial)));
	blk->config.capacity = htole64(blk->size / SECTOR);
	blk->config.seg_max = htole32(SEG_MAX);
	blk->config.blk_size = htole32(SECTOR);
	blk->dev.type = &blk_type;
	blk->dev.config = &blk->config;
	blk->dev.nr_queues = 1;
	blk->dev.features = BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_BLK_SIZE) |
	                    BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_RING_F_INDIRECT_DESC) |
	                    BIT(VIRTIO_RING_F_EVENT_IDX) |
	                    (c->read_only ? BIT(VIRTIO_BLK_F_RO) : 0);
	for (unsigned int i = 0; i < QUEUE_SIZE; i++) {
		blk->requests[i].blk = blk;
		blk->requests[i].next_free = blk->free;
		blk->free = &blk->requests[i];
	}
	virtio_init(&blk->dev, dma, log);
	*dev = &blk->dev;
	return 0;
}

void blk_destroy(struct virtio_dev *dev)
{
	struct blk *blk = container_of(dev, struct blk, dev);

	close(blk->fd);
	free(blk);
}
