/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_BLK_H
#define TESTS_UNIT_FAKE_BLK_H

#include <linux/virtio_blk.h>

#include "devices/virtio/blk.h"
#include "tests/unit/fake_virtio.h"
#include "vmm/loop.h"

/*
 * A block device on a real loop, and the driver's side of its first queue. The
 * disk is whatever the test has to offer.
 */
#define BLK_BASE   0x80000000ULL
#define BLK_RAM    0x2000000
#define BLK_HEADER (BLK_BASE + RING_END)
#define BLK_STATUS (BLK_HEADER + 0x100)
#define BLK_DATA   (BLK_HEADER + 0x1000)

struct fake_blk {
	struct virtio_dev *dev;
	struct fake_transport transport;
	struct loop *loop;
	struct driver drv;
};

/* All but the device, which the test creates; unmake takes both away. */
void fake_blk_make(struct fake_blk *f);
void fake_blk_unmake(struct fake_blk *f);
/* A live device; features are those that the driver takes, of all it is offered. */
void fake_blk_create(struct fake_blk *f, const struct blk_config *c, u64 features);
u8 *fake_blk_at(gpa_t gpa);

/* A request begins with its header, descriptor 0, and ends with its status, descriptor @at, when it
 * is available; the test says what is between them. */
void fake_blk_begin(struct fake_blk *f, u32 type, u64 sector);
void fake_blk_end(struct fake_blk *f, u16 at);
/* A whole request: @data, if it has any, is the device's to write, or the driver's. */
void fake_blk_queue(struct fake_blk *f, u32 type, u64 sector, gpa_t data, u32 len, bool in);
/* Kicks and runs the loop, once in a test, until all that is available is used; the status. */
u8 fake_blk_finish(struct fake_blk *f);

#endif
