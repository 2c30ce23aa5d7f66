/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_MAILBOX_PRIVATE_H
#define FAULT_MAILBOX_PRIVATE_H

#include "fault/mailbox.h"
#include "vmm/log.h"

/* The mailbox's registers and entries, as docs/vpri.md has them. */
enum {
	MB_CAP = 0x0a,
	MB_CONTROL = 0x0c,
	MB_STATUS = 0x0e,
	MB_RING = 0x10, /* and its size */
	MB_RING_HIGH = 0x14,
	MB_ADDR = 0x18,
	MB_ADDR_HIGH = 0x1c,
	MB_DATA = 0x20,
	MB_RESPONSE = 0x24,
	MB_NEXT = 0x28,
};

#define MB_MAX_LOG2     8 /* entries */
#define MB_LOG2         GENMASK(3, 0)
#define MB_RING_ADDRESS GENMASK(31, 12)
enum { MB_ENABLE = BIT(0), MB_MESSAGES = BIT(1) };
enum { MB_FAILED = BIT(0), MB_FULL = BIT(1) };
#define MB_NEXT_PHASE BIT(31)

/* A name: an entry's, and with a code a response's. */
#define MB_PASID     GENMASK(19, 0)
#define MB_HAS_PASID BIT(20)
#define MB_INDEX     GENMASK(29, 21)
#define MB_CODE      GENMASK(31, 30)

/* An entry: two little-endian words. */
#define MB_ENTRY_SIZE 16
#define MB_READ       BIT(0)
#define MB_WRITE      BIT(1)
#define MB_LAST       BIT(2)
#define MB_EXEC       BIT(32) /* of the second word */
#define MB_PHASE      BIT(63)

/* mailbox_regs.c: the guest's registers. */
u32 mailbox_get32(const struct mailbox *m, unsigned int at);
void mailbox_set_status(struct mailbox *m, u16 bits);
/* Where the next entry goes, told to the guest. */
void mailbox_show_next(struct mailbox *m);
u16 mailbox_control(const struct mailbox *m);
/* Its Enable bit is cleared, and what is locked by it can be written. */
void mailbox_unlock(struct mailbox *m);

/* mailbox.c */
void mailbox_enable(struct mailbox *m, u64 ring, unsigned int log2);
/* Whatever waits is answered with @code. */
void mailbox_disable(struct mailbox *m, enum dma_page_code code);
void mailbox_respond(struct mailbox *m, u32 word);
void mailbox_message(struct mailbox *m);

/* mailbox_time.c: groups that nobody answers. */
void mailbox_time_init(struct mailbox *m);

#endif
