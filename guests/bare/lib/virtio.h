/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio-blk device with one request at a time (virtio 1.3, 2.7, 5.2). */
#ifndef GUESTS_BARE_LIB_VIRTIO_H
#define GUESTS_BARE_LIB_VIRTIO_H

#include "transport.h"

#define SECTOR 512

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { BLK_IN = 0, BLK_OUT = 1, BLK_OK = 0, BLK_IOERR = 1, BLK_UNSUPP = 2 };
enum {
	STATUS_ACKNOWLEDGE = 1,
	STATUS_DRIVER = 2,
	STATUS_DRIVER_OK = 4,
	STATUS_FEATURES_OK = 8,
	STATUS_NEEDS_RESET = 0x40,
};
#define F_INDIRECT   (1UL << 28)
#define F_VERSION_1  (1UL << 32)
#define F_RING_RESET (1UL << 40)

/* struct virtio_pci_common_cfg (4.1.4.3) */
enum {
	COMMON_DFSELECT = 0,
	COMMON_DF = 4,
	COMMON_GFSELECT = 8,
	COMMON_GF = 12,
	COMMON_CONFIG_VECTOR = 16,
	COMMON_STATUS = 20,
	COMMON_QUEUE_SELECT = 22,
	COMMON_QUEUE_SIZE = 24,
	COMMON_QUEUE_VECTOR = 26,
	COMMON_QUEUE_ENABLE = 28,
	COMMON_QUEUE_DESC = 32,
	COMMON_QUEUE_AVAIL = 40,
	COMMON_QUEUE_USED = 48,
	COMMON_QUEUE_RESET = 58,
};

struct desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};

struct ring {
	struct desc desc[QUEUE_SIZE];
	struct {
		u16 flags, idx, ring[QUEUE_SIZE], used_event;
	} avail;
	struct {
		_Alignas(4) u16 flags;
		u16 idx;
		struct {
			u32 id, len;
		} ring[QUEUE_SIZE];
		u16 avail_event;
	} used;
} __attribute__((aligned(64)));

struct blk_header {
	u32 type, reserved;
	u64 sector;
};

struct blk {
	struct where where;
	struct ring ring;
	struct blk_header header;
	u8 data[SECTOR], status;
};
#define NO_STATUS 0xee /* what the status byte is before the device writes it */

void blk_find(struct blk *b); /* the first one; placed and enabled, not started */
/* Reset, features, and the queue as it is in b->ring; false: the device refuses. */
bool blk_start(struct blk *b, u64 features);
/* The two halves of blk_start, for who wants to set the queue up otherwise. */
bool blk_negotiate(struct blk *b, u64 features);
void blk_set_queue(struct blk *b, u64 desc, u64 avail, u64 used);
void blk_go(struct blk *b); /* DRIVER_OK */
void blk_kick(struct blk *b);
/* Descriptor @head is made available, and the device told. */
void blk_offer(struct blk *b, u16 head);
void blk_submit(struct blk *b, u32 type, u64 sector);
bool blk_done(const struct blk *b); /* everything offered has come back */
/* A whole request, by polling; its status. */
u8 blk_request(struct blk *b, u32 type, u64 sector);

#endif
