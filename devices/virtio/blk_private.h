/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_BLK_PRIVATE_H
#define DEVICES_VIRTIO_BLK_PRIVATE_H

#include <linux/virtio_blk.h>

#include "devices/virtio/blk.h"
#include "devices/virtio/virtio.h"
#include "vmm/loop.h"
#include "vmm/work.h"

/* What the block device's files share: blk.c, blk_io.c, blk_zero.c. */
#define SECTOR       512
#define MAX_SEGMENTS 16 /* of one discard or write zeroes request */

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
	void *bounce; /* or NULL */
	struct iovec bounced;
	/* discard and write zeroes */
	struct virtio_blk_discard_write_zeroes segments[MAX_SEGMENTS];
	unsigned int nr_segments, segment;
	u8 step;
	struct work work;
	int work_res;
};

/* A queue's requests: those that were used before are used again first. */
struct pool {
	struct request *requests, *free;
	unsigned int nr_fresh;
};

struct blk {
	struct virtio_dev dev;
	struct virtq vq[VIRTQ_MAX_QUEUES];
	struct virtio_blk_config config;
	struct loop *loop;
	struct log *log;
	struct blk_config host;
	u64 size; /* whole blocks */
	char serial[VIRTIO_BLK_ID_BYTES];
	struct pool pools[VIRTQ_MAX_QUEUES];
};

/* blk.c: an answer at once, and one from the loop. */
void blk_complete(struct request *rq, u8 status);
void blk_complete_later(struct request *rq, u8 status);
/* Whether what is written has to be on stable storage before its request is used (5.2.6.2). */
bool blk_write_through(const struct blk *blk);

/* blk_io.c: rq->iov to or from the disk; a flush. They complete the request. */
void blk_transfer(struct request *rq);
void blk_flush(struct request *rq);

/* blk_zero.c: a discard or write zeroes request; rq->iov holds its segments. */
void blk_zero(struct request *rq, u32 type);

#endif
