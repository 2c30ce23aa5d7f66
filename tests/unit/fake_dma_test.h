/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_DMA_TEST_H
#define TESTS_UNIT_FAKE_DMA_TEST_H

#include "devices/dma_test.h"
#include "tests/unit/fake_pci.h"

/* An IOMMU: IOVA is GPA but for a hole, an access may stall, and it remembers what it was told. */
struct fake_space {
	struct dma_space space, identity;
	u64 hole, hole_len;  /* what is there faults; length 0: nothing */
	u64 chunk;           /* mappings are no longer than this; 0: as long as they may be */
	unsigned int stalls; /* that access is stalled; 0: none */
	unsigned int accesses;
	struct dma_access last; /* the last access */
	struct dma_token *token;
	struct dma_use use;                  /* of all that is mapped beyond the lock */
	struct dma_translation translation;  /* what translations are answered by */
	enum dma_reason refuses_translation; /* 0: it does not */
	bool refuses;                        /* page requests */
	struct dma_page_request requests[64];
	unsigned int nr_requests;
	unsigned int forgotten; /* dma_forget_pages() */
	u32 invalidated;        /* the last tag */
	gpa_t doorbell;         /* the last message */
};

/* A DMA endpoint, device 0 of a host. Its registers, once the guest has enabled it. */
extern struct vm vm;
extern struct fake_space iommu;
extern struct dma_test *endpoint;
extern gpa_t epf, regs, memory, msix; /* BARs */

/* The IOMMU's, as new. */
struct dma_space *fake_space(void);
/* With that space, or (NULL) that of functions behind no IOMMU, before the guest looks at it. The
 * other ends it. */
void fake_endpoint(struct dma_space *dma, struct dma_test_config c);
void fake_endpoint_end(void);
/* Memory and bus master enabled, and MSI-X with vector n's message n. */
void fake_endpoint_enable(void);
void fake_endpoint_command(u16 command);
/* The guest writes a function-level reset to Device Control, with @control. */
void fake_endpoint_flr(u16 control);
/* That, and its BARs are where they were, and it is enabled again. */
void fake_endpoint_reset(void);

/* Registers. */
u64 get(gpa_t at, unsigned int size);
void put(gpa_t at, unsigned int size, u64 val);
#define SLOT(n)  (regs + 0x1000 + 0x80 * (n))
#define BUFFER   (regs + 0x2000)
#define STATE(n) (get(SLOT(n) + 0x3c, 4) & 0xf)
enum { IDLE, RUNNING, STALLED, HELD, AWAITING, ENDED };
enum { DONE = ENDED, FAULT = ENDED | 1 << 4, REFUSED = ENDED | 2 << 4, ABORTED = ENDED | 3 << 4 };
enum { READ = 1, WRITE, FILL, COPY, CAS, TRANSLATE, PAGE_REQUEST, CHECK };
enum { PERM_READ = 1, PERM_WRITE = 2, PERM_EXEC = 4, WITH_PASID = 16, INTERRUPT = 32, HOLD = 64 };
enum { TRANSLATED = 128, LAST = 256 };

struct slot {
	u32 op, flags, pasid, vector;
	u64 iova, iova2, len, arg[2];
};
/* Starts it: STATUS after that. */
u32 start(unsigned int n, struct slot slot);
void control(unsigned int n, u32 control);
u32 status(unsigned int n);
u64 done(unsigned int n);
u64 fault(unsigned int n);
u32 reason(unsigned int n);
u64 result(unsigned int n);
/* Lets the loop run until the slot has left DT_RUNNING: STATUS then. */
u32 wait_for(unsigned int n);

/* Guest memory. */
u8 *ram(gpa_t at);
u32 crc(gpa_t at, u64 len);
/* How many messages were sent, by route or one by one, since this was asked last. */
unsigned int messages(void);

#endif
