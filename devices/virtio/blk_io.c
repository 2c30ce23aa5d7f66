// SPDX-License-Identifier: GPL-2.0-only
/* The block device's reads, writes and flushes, as io_uring operations on guest memory itself. */
#include "devices/virtio/blk_private.h"

#include <errno.h>
#include <stdlib.h>

/*
 * O_DIRECT takes aligned memory only, and a guest need not have any: then its
 * request goes through a buffer, piece by piece, so that what a guest can make
 * us hold is bounded. A multiple of any block size.
 */
#define BOUNCE_SIZE  (64u << 10)
#define BOUNCE_ALIGN 4096

static bool is_aligned(const struct request *rq)
{
	const struct blk_config *host = &rq->blk->host;
	u64 addresses = 0, lengths = 0;

	if (!host->direct_align)
		return true;
	for (unsigned int i = 0; i < rq->nr; i++) {
		addresses |= (uintptr_t)rq->iov[i].iov_base;
		lengths |= rq->iov[i].iov_len;
	}
	return !(addresses & (host->direct_align - 1)) && !(lengths & (host->block - 1));
}

/* False: no memory. */
static bool bounce(struct request *rq)
{
	size_t len = rq->left < BOUNCE_SIZE ? rq->left : BOUNCE_SIZE;

	if (!rq->bounce)
		rq->bounce = aligned_alloc(BOUNCE_ALIGN, BOUNCE_SIZE);
	if (!rq->bounce)
		return false;
	rq->bounced = (struct iovec){ rq->bounce, len };
	if (rq->is_write)
		iov_read(rq->iov, rq->nr, 0, rq->bounce, len);
	return true;
}

static void submit(struct request *rq)
{
	struct blk *blk = rq->blk;
	const struct iovec *iov = rq->bounce ? &rq->bounced : rq->iov;
	unsigned int nr = rq->bounce ? 1 : rq->nr;

	if (!rq->is_write)
		loop_readv(blk->loop, &rq->op, blk->host.fd, iov, nr, rq->offset);
	else if (blk_write_through(blk))
		loop_writev_stable(blk->loop, &rq->op, blk->host.fd, iov, nr, rq->offset);
	else
		loop_writev(blk->loop, &rq->op, blk->host.fd, iov, nr, rq->offset);
}

static void finish(struct request *rq, u8 status)
{
	free(rq->bounce);
	rq->bounce = NULL;
	blk_complete_later(rq, status);
}

/* A short transfer goes on where it stopped; nothing at all is the end of a file that shrank. */
static void transferred(struct loop_op *op, int res)
{
	struct request *rq = container_of(op, struct request, op);

	if (res == -EINTR || res == -EAGAIN) {
		submit(rq);
		return;
	}
	if (res <= 0) {
		finish(rq, VIRTIO_BLK_S_IOERR);
		return;
	}
	if (rq->bounce && !rq->is_write)
		iov_write(rq->iov, rq->nr, 0, rq->bounce, res);
	rq->left -= res;
	rq->offset += res;
	if (!rq->is_write)
		rq->written += res;
	if (!rq->left) {
		finish(rq, VIRTIO_BLK_S_OK);
		return;
	}
	rq->iov = iov_skip(rq->iov, &rq->nr, res);
	if (rq->bounce)
		bounce(rq); /* it has its buffer */
	submit(rq);
}

void blk_transfer(struct request *rq)
{
	rq->op.done = transferred;
	if (is_aligned(rq) || bounce(rq))
		submit(rq);
	else
		blk_complete(rq, VIRTIO_BLK_S_IOERR);
}

static void flushed(struct loop_op *op, int res)
{
	struct request *rq = container_of(op, struct request, op);

	blk_complete_later(rq, res ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK);
}

void blk_flush(struct request *rq)
{
	rq->op.done = flushed;
	loop_fdatasync(rq->blk->loop, &rq->op, rq->blk->host.fd);
}
