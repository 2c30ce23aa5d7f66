/* SPDX-License-Identifier: GPL-2.0-only */
/* The DMA endpoint's page-request mailbox (docs/vpri.md). */
#ifndef GUESTS_BARE_LIB_MAILBOX_H
#define GUESTS_BARE_LIB_MAILBOX_H

#include "dmatest.h"

enum {
	MB_CONTROL = 0x0c,
	MB_STATUS = 0x0e,
	MB_RING = 0x10,
	MB_RING_HIGH = 0x14,
	MB_ADDR = 0x18,
	MB_ADDR_HIGH = 0x1c,
	MB_DATA = 0x20,
	MB_RESPONSE = 0x24,
	MB_NEXT = 0x28,
	MB_SIZE = 0x2c,
};
enum { MB_ENABLE = 1, MB_MESSAGES = 2 };
enum { MB_FAILED = 1, MB_FULL = 2 };
enum { MB_SUCCESS, MB_INVALID, MB_FAILURE = 3 };
enum { MB_ENTRIES = 256, MB_READ = 1, MB_WRITE = 2, MB_LAST = 4 };
#define MB_NO_PASID ~0u
#define MB_PHASE    (1UL << 63)

struct mailbox {
	u64 at, pri; /* the capabilities */
	u64 ring_at; /* where the function finds the ring */
	unsigned int entries;
	u64 read; /* entries */
	volatile u64 (*ring)[2];
};

/* Enables page requests, of 32 credits. */
void mailbox_find(struct mailbox *m, const struct dma_test *d);
/* Not enabled, nothing outstanding; then enabled. */
void mailbox_enable_pri(const struct mailbox *m);
/* A cleared ring of so many entries at @iova, which is where m->ring is. */
void mailbox_start(struct mailbox *m, u64 iova, unsigned int log2, u16 control);
/* The next entry; false: there is none yet. */
bool mailbox_take(struct mailbox *m, u64 *entry);
/* To the one of that name: an entry's second word. */
void mailbox_answer(const struct mailbox *m, u64 name, u32 code);
u32 mailbox_name(u32 pasid, u16 group);
u16 mailbox_pri_status(const struct mailbox *m); /* RF, UPRGI, Stopped */

#endif
