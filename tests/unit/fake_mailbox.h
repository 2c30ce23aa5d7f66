/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_MAILBOX_H
#define TESTS_UNIT_FAKE_MAILBOX_H

#include "fault/mailbox.h"
#include "tests/unit/fake_dma_test.h"

/* A DMA endpoint with a mailbox, behind an IOMMU of which everything is known, and its driver. */
#define PAGE FAKE_RAM_BASE
enum { CONTROL = 0x0c, STATUS = 0x0e, RING = 0x10, ADDR = 0x18, DATA = 0x20 };
enum { RESPONSE = 0x24, NEXT = 0x28 };

extern const u64 ring;

/* ATS, PRI with 32 credits and PASIDs are enabled, the mailbox is not. @timeout: ms, 0: none. */
void fake_mailbox(u64 timeout);
/* The mailbox, with a ring of so many entries that was cleared, and messages. */
void enable(unsigned int log2);
void pri(u16 control);
u16 pri_status(void);
/* Disabled and enabled again. */
void enable_pri(void);
/* What PASID is asked with from now on. */
void with_pasids(u32 pasid);

u32 reg(unsigned int at, unsigned int size);
void set(unsigned int at, unsigned int size, u32 val);
u64 entry(unsigned int i, unsigned int word);
/* How many messages came since this was asked last; no more than one is seen. */
unsigned int told(void);
/* STATUS afterwards. */
u32 ask(unsigned int slot, u16 group, u32 flags);
void respond(u32 word);
struct mailbox_counts count(void);

#endif
