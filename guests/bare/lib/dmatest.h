/* SPDX-License-Identifier: GPL-2.0-only */
/* The DMA endpoint (docs/dma-test.md): a slot's operations. */
#ifndef GUESTS_BARE_LIB_DMATEST_H
#define GUESTS_BARE_LIB_DMATEST_H

#include "pci.h"

enum {
	DMA_READ = 1,
	DMA_WRITE,
	DMA_FILL,
	DMA_COPY,
	DMA_CAS,
	DMA_TRANSLATE,
	DMA_PAGE_REQUEST,
	DMA_CHECK
};
enum {
	DMA_F_READ = 1 << 0,
	DMA_F_WRITE = 1 << 1,
	DMA_F_EXEC = 1 << 2,
	DMA_F_PASID = 1 << 4,
	DMA_F_HELD = 1 << 6,
	DMA_F_TRANSLATED = 1 << 7,
	DMA_F_LAST = 1 << 8,
};
enum { DMA_IDLE, DMA_RUNNING, DMA_STALLED, DMA_HOLDS, DMA_AWAITS, DMA_ENDED };
enum { DMA_DONE, DMA_FAULT, DMA_REFUSED, DMA_ABORTED };
enum { DMA_NO_REASON, DMA_NOT_ATTACHED, DMA_NOT_MAPPED, DMA_NOT_PERMITTED, DMA_NO_MEMORY };
enum { DMA_UNSUPPORTED = 7, DMA_COMPLETER_ABORT, DMA_NO_TRANSLATION };
enum { DMA_START = 1, DMA_RELEASE = 2, DMA_ABORT = 4 };
enum { EXT_PRI = 0x13, EXT_ATS = 0x0f, EXT_PASID = 0x1b };

struct dma_test {
	u32 rid;
	u64 regs; /* of BAR 1 */
};

struct dma_op {
	u32 op, flags;
	u64 iova, iova2, length, arg0, arg1;
	u32 pasid;
};

void dma_test_find(struct dma_test *d); /* the first one */
void dma_test_find_from(struct dma_test *d, u32 rid);
void dma_start(const struct dma_test *d, unsigned int slot, const struct dma_op *op);
/* All of it but its start; then as often as one likes, each at another IOVA: it ends; its outcome.
 */
void dma_prepare(const struct dma_test *d, unsigned int slot, const struct dma_op *op);
unsigned int dma_run_at(const struct dma_test *d, unsigned int slot, u64 iova);
void dma_control(const struct dma_test *d, unsigned int slot, u32 what);
unsigned int dma_state(const struct dma_test *d, unsigned int slot);
unsigned int dma_outcome(const struct dma_test *d, unsigned int slot);
u64 dma_fault_at(const struct dma_test *d, unsigned int slot);
unsigned int dma_reason(const struct dma_test *d, unsigned int slot);
u64 dma_done(const struct dma_test *d, unsigned int slot);
u64 dma_result(const struct dma_test *d, unsigned int slot);
/* Of DMA_TRANSLATE: how many bytes are translated alike, and what may be done to them. */
u64 dma_range(const struct dma_test *d, unsigned int slot);
u32 dma_granted(const struct dma_test *d, unsigned int slot);
u32 dma_invalidations(const struct dma_test *d);
void dma_enable_ats(const struct dma_test *d, bool enable);
/* Of 20 bits. */
void dma_enable_pasids(const struct dma_test *d);
/* It ends; its outcome. */
unsigned int dma_run(const struct dma_test *d, unsigned int slot, const struct dma_op *op);
/* docs/dma-test.md: word 0 of a pattern, and what RESULT is of 8 bytes. */
u64 dma_pattern(u64 seed);
u32 dma_checksum(u64 word);
/* An extended capability's address; 0: there is none. */
u64 pci_ext_capability(u32 rid, u16 id);

#endif
