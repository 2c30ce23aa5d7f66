/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_BLK_H
#define DEVICES_VIRTIO_BLK_H

#include "vmm/types.h"

struct loop;
struct log;
struct dma_space;
struct virtio_dev;
struct work_queue;

#define BLK_MAX_QUEUES 16

struct blk_config {
	int fd;   /* open, a file or block device; the device's from now on */
	u64 size; /* bytes; what is beyond the last whole block is not seen */
	bool read_only;
	const char *serial;  /* at most 20 characters count (5.2.6); NULL: none */
	unsigned int queues; /* 1 to BLK_MAX_QUEUES; 0: 1 */
	/* Bytes, powers of two: what the guest is told; 0: 512 and the same. */
	u32 block, physical_block;
	/* fd is O_DIRECT: its memory begins at multiples of this, in whole blocks. 0: it is not. */
	u32 direct_align;
	bool discard, write_zeroes; /* the host can do that to fd */
	/* For discards of a block device; NULL: fd is a file, which holes are punched into. */
	struct work_queue *work;
};

/* A block device (virtio 1.3, 5.2) whose I/O goes through @loop. 0 or -ENOMEM. */
int blk_create(struct virtio_dev **dev, struct loop *loop, struct dma_space *dma, struct log *log,
               const struct blk_config *c);
/* When nothing is in flight any more. */
void blk_destroy(struct virtio_dev *dev);

#endif
