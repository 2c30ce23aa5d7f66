// SPDX-License-Identifier: GPL-2.0-only
/* Discard and write zeroes (virtio 1.3, 5.2.6): segments checked, then done one after the other. */
#include "devices/virtio/blk_private.h"

#include <endian.h>
#include <errno.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#define FREE_MODE     (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO_MODE     (FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE)
#define ALLOCATE_MODE FALLOC_FL_KEEP_SIZE

enum step {
	DONE,
	UNSUPPORTED,
	DISCARD,      /* BLKDISCARD, of a block device */
	FREE,         /* the range may go, or is zeroes */
	FREE_OR_ZERO, /* reads zeroes from now on; may go */
	ZERO_ONLY,
	ZERO, /* reads zeroes, and stays allocated */
	FREE_TO_ALLOCATE,
	ALLOCATE,
};

/* How a range is treated by fallocate, and what comes next; not every file
 * system has every mode. */
static const struct {
	int mode;
	enum step next, otherwise;
} steps[] = {
	[DISCARD] = { 0, DONE, UNSUPPORTED },
	[FREE] = { FREE_MODE, DONE, UNSUPPORTED },
	[FREE_OR_ZERO] = { FREE_MODE, DONE, ZERO_ONLY },
	[ZERO_ONLY] = { ZERO_MODE, DONE, UNSUPPORTED },
	[ZERO] = { ZERO_MODE, DONE, FREE_TO_ALLOCATE },
	[FREE_TO_ALLOCATE] = { FREE_MODE, ALLOCATE, UNSUPPORTED },
	[ALLOCATE] = { ALLOCATE_MODE, DONE, DONE },
};

static void run_step(struct request *rq);

static const struct virtio_blk_discard_write_zeroes *segment(const struct request *rq)
{
	return &rq->segments[rq->segment];
}

static enum step first_step(const struct request *rq)
{
	if (!segment(rq)->num_sectors)
		return DONE;
	if (rq->is_write)
		return segment(rq)->flags ? FREE_OR_ZERO : ZERO;
	return rq->blk->host.work ? DISCARD : FREE;
}

/* The next segment with anything to do, from the one rq->segment names; its step, or DONE. */
static void find_step(struct request *rq)
{
	rq->step = DONE;
	for (; rq->segment < rq->nr_segments; rq->segment++) {
		rq->step = first_step(rq);
		if (rq->step != DONE)
			return;
	}
}

/* The last segment is done. What was zeroed is a write like any other (5.2.6.2). */
static void finish(struct request *rq)
{
	if (rq->is_write && blk_write_through(rq->blk))
		blk_flush(rq);
	else
		blk_complete_later(rq, VIRTIO_BLK_S_OK);
}

static void step_done(struct request *rq, int res)
{
	if (res == -EINTR || res == -EAGAIN) {
		run_step(rq);
		return;
	}
	if (res && res != -EOPNOTSUPP) {
		blk_complete_later(rq, VIRTIO_BLK_S_IOERR);
		return;
	}
	rq->step = res ? steps[rq->step].otherwise : steps[rq->step].next;
	if (rq->step == UNSUPPORTED) {
		blk_complete_later(rq, VIRTIO_BLK_S_UNSUPP);
		return;
	}
	if (rq->step == DONE) {
		rq->segment++;
		find_step(rq);
	}
	if (rq->step == DONE)
		finish(rq);
	else
		run_step(rq);
}

static void allocated(struct loop_op *op, int res)
{
	step_done(container_of(op, struct request, op), res);
}

/* On the host-work thread: it takes as long as the device takes. */
static void discard(struct work *w)
{
	struct request *rq = container_of(w, struct request, work);
	u64 range[2] = { segment(rq)->sector * SECTOR, (u64)segment(rq)->num_sectors * SECTOR };

	rq->work_res = ioctl(rq->blk->host.fd, BLKDISCARD, range) ? -errno : 0;
}

static void discarded(struct work *w)
{
	struct request *rq = container_of(w, struct request, work);

	step_done(rq, rq->work_res);
}

static void run_step(struct request *rq)
{
	if (rq->step == DISCARD) {
		rq->work = (struct work){ .run = discard, .done = discarded };
		work_submit(rq->blk->host.work, &rq->work);
		return;
	}
	rq->op.done = allocated;
	loop_fallocate(rq->blk->loop, &rq->op, rq->blk->host.fd, steps[rq->step].mode,
	               segment(rq)->sector * SECTOR, (u64)segment(rq)->num_sectors * SECTOR);
}

/* 5.2.6.2: no flag that we do not know, and on a discard not even unmap. */
static bool are_flags_known(const struct request *rq)
{
	u32 known = rq->is_write ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;

	for (unsigned int i = 0; i < rq->nr_segments; i++)
		if (rq->segments[i].flags & ~known)
			return false;
	return true;
}

static bool are_in_range(const struct request *rq)
{
	const struct blk *blk = rq->blk;
	u64 sectors = blk->size / SECTOR;
	u32 max = le32toh(rq->is_write ? blk->config.max_write_zeroes_sectors
	                               : blk->config.max_discard_sectors);

	for (unsigned int i = 0; i < rq->nr_segments; i++) {
		const struct virtio_blk_discard_write_zeroes *s = &rq->segments[i];

		if (s->sector > sectors || s->num_sectors > sectors - s->sector ||
		    s->num_sectors > max)
			return false;
	}
	return true;
}

/* A private copy of the segments, decoded. False: none, too many, or not a whole number. */
static bool read_segments(struct request *rq)
{
	size_t len = iov_bytes(rq->iov, rq->nr);

	if (!len || len > sizeof(rq->segments) || len % sizeof(rq->segments[0]))
		return false;
	iov_read(rq->iov, rq->nr, 0, rq->segments, len);
	rq->nr_segments = len / sizeof(rq->segments[0]);
	for (unsigned int i = 0; i < rq->nr_segments; i++) {
		struct virtio_blk_discard_write_zeroes *s = &rq->segments[i];

		s->sector = le64toh(s->sector);
		s->num_sectors = le32toh(s->num_sectors);
		s->flags = le32toh(s->flags);
	}
	return true;
}

void blk_zero(struct request *rq, u32 type)
{
	bool is_zeroes = type == VIRTIO_BLK_T_WRITE_ZEROES;

	rq->is_write = is_zeroes;
	if (!virtio_has(&rq->blk->dev,
	                is_zeroes ? VIRTIO_BLK_F_WRITE_ZEROES : VIRTIO_BLK_F_DISCARD)) {
		blk_complete(rq, VIRTIO_BLK_S_UNSUPP);
		return;
	}
	if (!read_segments(rq)) {
		blk_complete(rq, VIRTIO_BLK_S_IOERR);
		return;
	}
	if (!are_flags_known(rq) || !are_in_range(rq)) {
		blk_complete(rq, are_flags_known(rq) ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_UNSUPP);
		return;
	}
	rq->segment = 0;
	find_step(rq);
	if (rq->step == DONE)
		blk_complete(rq, VIRTIO_BLK_S_OK);
	else
		run_step(rq);
}
