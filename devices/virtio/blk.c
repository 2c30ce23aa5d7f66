// SPDX-License-Identifier: GPL-2.0-only
/* Block device (virtio 1.3, 5.2): requests become io_uring operations. */
#include "devices/virtio/blk.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/virtio/blk_private.h"

#define QUEUE_SIZE VIRTQ_MAX_SIZE
#define SEG_MAX    (QUEUE_SIZE - 2) /* a header and a status go with the data */

/* Sectors of one segment of a discard or write zeroes request: 2 GiB less a block. */
#define MAX_ZERO_SECTORS ((1u << 22) - 8)

/* NULL: as many as there can be are in flight. */
static struct request *next_request(struct pool *p)
{
	if (p->free)
		return p->free;
	return p->nr_fresh < QUEUE_SIZE ? &p->requests[p->nr_fresh] : NULL;
}

static void take_request(struct pool *p)
{
	if (p->free)
		p->free = p->free->next_free;
	else
		p->nr_fresh++;
}

static void release(struct request *rq)
{
	struct pool *p = &rq->blk->pools[rq->vq->index];

	rq->next_free = p->free;
	p->free = rq;
}

void blk_complete(struct request *rq, u8 status)
{
	trace(rq->blk->log, TRACE_VIRTIO, "blk: request at %#llx: status %u, %u bytes written",
	      (unsigned long long)rq->offset, status, rq->written);
	*rq->status = status;
	virtq_push(rq->vq, &rq->chain, rq->written + 1);
	release(rq);
}

/* A queue that ran out of requests goes on. */
void blk_complete_later(struct request *rq, u8 status)
{
	struct virtq *vq = rq->vq;
	bool starved = !next_request(&rq->blk->pools[vq->index]);

	blk_complete(rq, status);
	virtq_interrupt(vq);
	if (starved)
		virtio_notify(vq->dev, vq->index);
}

/* 5.2.6.2, cases 1 and 2 of a stable write. */
bool blk_write_through(const struct blk *blk)
{
	if (virtio_has(&blk->dev, VIRTIO_BLK_F_CONFIG_WCE))
		return !blk->config.wce;
	return !virtio_has(&blk->dev, VIRTIO_BLK_F_FLUSH);
}

/*
 * 5.2.6.2: whole sectors, all of them on the disk; and no more than a used
 * ring's 32-bit length can say, since descriptors may name the same RAM again
 * and again. Of a disk with larger blocks whole ones only, a liberty: the guest
 * knows blk_size, and no common driver asks for less.
 */
static bool in_range(const struct request *rq, u64 sector)
{
	const struct blk *blk = rq->blk;
	u64 sectors = blk->size / SECTOR;

	return rq->left && rq->left % blk->host.block == 0 && rq->left < UINT32_MAX &&
	       sector <= sectors && rq->left / SECTOR <= sectors - sector &&
	       sector * SECTOR % blk->host.block == 0;
}

static void start_transfer(struct request *rq, u64 sector)
{
	if (!in_range(rq, sector)) {
		blk_complete(rq, VIRTIO_BLK_S_IOERR);
		return;
	}
	rq->offset = sector * SECTOR;
	blk_transfer(rq);
}

/* The driver's part behind the header. */
static void take_out(struct request *rq)
{
	rq->nr = rq->chain.nr_out;
	rq->iov = iov_skip(rq->chain.iov, &rq->nr, sizeof(struct virtio_blk_outhdr));
}

static void request_in(struct request *rq, u32 type, u64 sector)
{
	(void)type;
	rq->iov = &rq->chain.iov[rq->chain.nr_out];
	rq->nr = rq->chain.nr_in;
	rq->left = iov_bytes(rq->iov, rq->nr) - 1;
	iov_truncate(rq->iov, &rq->nr, rq->left);
	start_transfer(rq, sector);
}

static void request_out(struct request *rq, u32 type, u64 sector)
{
	(void)type;
	take_out(rq);
	rq->left = iov_bytes(rq->iov, rq->nr);
	rq->is_write = true;
	if (rq->blk->dev.features & BIT(VIRTIO_BLK_F_RO))
		blk_complete(rq, VIRTIO_BLK_S_IOERR); /* 5.2.6.2 */
	else
		start_transfer(rq, sector);
}

static void request_flush(struct request *rq, u32 type, u64 sector)
{
	(void)type, (void)sector;
	blk_flush(rq);
}

static void request_zero(struct request *rq, u32 type, u64 sector)
{
	(void)sector; /* the segments have their own */
	take_out(rq);
	if (rq->blk->dev.features & BIT(VIRTIO_BLK_F_RO))
		blk_complete(rq, VIRTIO_BLK_S_IOERR);
	else
		blk_zero(rq, type);
}

static void request_get_id(struct request *rq, u32 type, u64 sector)
{
	const struct iovec *in = &rq->chain.iov[rq->chain.nr_out];
	size_t room = iov_bytes(in, rq->chain.nr_in) - 1;
	size_t len = room < VIRTIO_BLK_ID_BYTES ? room : VIRTIO_BLK_ID_BYTES;

	(void)type, (void)sector;
	rq->written = iov_write(in, rq->chain.nr_in, 0, rq->blk->serial, len);
	blk_complete(rq, VIRTIO_BLK_S_OK);
}

/* A type with no row is not supported (5.2.6.1). */
static const struct {
	u32 type;
	void (*run)(struct request *rq, u32 type, u64 sector);
} types[] = {
	{ VIRTIO_BLK_T_IN, request_in },        { VIRTIO_BLK_T_OUT, request_out },
	{ VIRTIO_BLK_T_FLUSH, request_flush },  { VIRTIO_BLK_T_GET_ID, request_get_id },
	{ VIRTIO_BLK_T_DISCARD, request_zero }, { VIRTIO_BLK_T_WRITE_ZEROES, request_zero },
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
		types[i].run(rq, type, le64toh(header.sector));
		return true;
	}
	blk_complete(rq, VIRTIO_BLK_S_UNSUPP);
	return true;
}

static void blk_notify(struct virtio_dev *dev, struct virtq *vq)
{
	struct blk *blk = container_of(dev, struct blk, dev);
	struct pool *pool = &blk->pools[vq->index];
	struct request *rq;

	while ((rq = next_request(pool)) && virtq_pop(vq, &rq->chain)) {
		take_request(pool);
		rq->blk = blk;
		rq->vq = vq;
		if (start(rq))
			continue;
		virtio_needs_reset(dev);
		virtq_push(vq, &rq->chain, 0);
		release(rq);
	}
	virtq_interrupt(vq);
}

/* 5.2.5.2: without FLUSH the cache must write through; else it starts as a write-back cache. */
static void blk_negotiated(struct virtio_dev *dev)
{
	container_of(dev, struct blk, dev)->config.wce = virtio_has(dev, VIRTIO_BLK_F_FLUSH);
}

/* Of the configuration, a driver writes only the cache's mode. */
static void blk_config_write(struct virtio_dev *dev, u64 offset, unsigned int size, u64 val)
{
	struct blk *blk = container_of(dev, struct blk, dev);

	if (offset == offsetof(struct virtio_blk_config, wce) && size == 1 && val <= 1 &&
	    virtio_has(dev, VIRTIO_BLK_F_CONFIG_WCE))
		blk->config.wce = val;
}

static const struct virtio_type blk_type = {
	.name = "blk",
	.id = VIRTIO_ID_BLOCK,
	.pci_class = 0x018000, /* mass storage, other */
	.queue_size = QUEUE_SIZE,
	.config_size = sizeof(struct virtio_blk_config),
	.notify = blk_notify,
	.negotiated = blk_negotiated,
	.config_write = blk_config_write,
};

static u64 features(const struct blk_config *c)
{
	u64 f = BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_BLK_SIZE) |
	        BIT(VIRTIO_BLK_F_TOPOLOGY) | BIT(VIRTIO_BLK_F_FLUSH) |
	        BIT(VIRTIO_BLK_F_CONFIG_WCE) | VIRTQ_FEATURES;

	if (c->queues > 1)
		f |= BIT(VIRTIO_BLK_F_MQ);
	if (c->read_only)
		return f | BIT(VIRTIO_BLK_F_RO);
	if (c->discard)
		f |= BIT(VIRTIO_BLK_F_DISCARD);
	if (c->write_zeroes)
		f |= BIT(VIRTIO_BLK_F_WRITE_ZEROES);
	return f;
}

static struct virtio_blk_config configuration(const struct blk *blk)
{
	const struct blk_config *c = &blk->host;

	return (struct virtio_blk_config){
		.capacity = htole64(blk->size / SECTOR),
		.seg_max = htole32(SEG_MAX),
		.blk_size = htole32(c->block),
		.physical_block_exp = __builtin_ctz(c->physical_block / c->block),
		.min_io_size = htole16(c->physical_block / c->block),
		.wce = 1,
		.num_queues = htole16(c->queues),
		.max_discard_sectors = htole32(MAX_ZERO_SECTORS),
		.max_discard_seg = htole32(MAX_SEGMENTS),
		.discard_sector_alignment = htole32(c->physical_block / SECTOR),
		.max_write_zeroes_sectors = htole32(MAX_ZERO_SECTORS),
		.max_write_zeroes_seg = htole32(MAX_SEGMENTS),
		.write_zeroes_may_unmap = 1,
	};
}

/* What was left out; a power of two, and blocks no larger than what they lie in. */
static void fill_in(struct blk_config *c)
{
	if (!c->queues)
		c->queues = 1;
	if (!c->block)
		c->block = SECTOR;
	if (c->physical_block < c->block)
		c->physical_block = c->block;
}

/* The requests are touched as they are needed: a disk that is read one by one has few. */
static int create_pools(struct blk *blk)
{
	for (unsigned int i = 0; i < blk->host.queues; i++) {
		blk->pools[i].requests = calloc(QUEUE_SIZE, sizeof(struct request));
		if (!blk->pools[i].requests)
			return -ENOMEM;
	}
	return 0;
}

static void destroy(struct blk *blk)
{
	for (unsigned int i = 0; i < VIRTQ_MAX_QUEUES; i++)
		free(blk->pools[i].requests);
	free(blk);
}

int blk_create(struct virtio_dev **dev, struct loop *loop, struct dma_space *dma, struct log *log,
               const struct blk_config *c)
{
	struct blk *blk = calloc(1, sizeof(*blk));

	if (!blk)
		return -ENOMEM;
	blk->loop = loop;
	blk->log = log;
	blk->host = *c;
	fill_in(&blk->host);
	if (create_pools(blk)) {
		destroy(blk);
		return -ENOMEM;
	}
	blk->size = ALIGN_DOWN(c->size, blk->host.block);
	if (c->serial)
		memcpy(blk->serial, c->serial, strnlen(c->serial, sizeof(blk->serial)));
	blk->config = configuration(blk);
	blk->dev.type = &blk_type;
	blk->dev.config = &blk->config;
	blk->dev.vq = blk->vq;
	blk->dev.nr_queues = blk->host.queues;
	blk->dev.features = features(&blk->host);
	virtio_init(&blk->dev, dma, log);
	*dev = &blk->dev;
	return 0;
}

void blk_destroy(struct virtio_dev *dev)
{
	struct blk *blk = container_of(dev, struct blk, dev);

	close(blk->host.fd);
	destroy(blk);
}
