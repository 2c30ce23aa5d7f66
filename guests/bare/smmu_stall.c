/* SPDX-License-Identifier: GPL-2.0-only */
/* Stalls of an SMMUv3: the DMA endpoint's transfers wait for a page, or for a word that there is
 * none; a full queue; and answers to what is not, or no longer, stalled. */
#include "lib/dmatest.h"
#include "lib/smmu.h"

#define IOVA  0x4000000000UL
#define PAGES 16
#define SLOTS 8 /* of the endpoint */

#define CD0_S          (1UL << 44)
#define CMD_RESUME     0x44UL
#define CMD_STALL_TERM 0x45UL
#define RETRY          (1UL << 12)
#define EVENT1_STALL   (1UL << 31)
#define EVENT1_STAG    0xffffUL

static struct smmu s;
static struct dma_test d;
static struct tables t;
static struct cd cd __attribute__((aligned(64)));
static u8 memory[PAGES * PAGE] __attribute__((aligned(4096)));

/* Nothing is mapped, and whoever finds that out waits. */
static void begin(void)
{
	struct ste ste;

	dma_test_find(&d);
	smmu_start(&s);
	tables_clear(&t);
	for (unsigned int i = 0; i < PAGES; i++)
		tables_map(&t, IOVA + i * PAGE, 0, 1, 0);
	cd = smmu_cd(&t, 1);
	cd.w[0] = (cd.w[0] & ~CD0_R) | CD0_S;
	ste = smmu_s1(&cd);
	smmu_set_ste(&s, d.rid, &ste);
}

static void start(unsigned int slot, unsigned int page)
{
	const struct dma_op op = {
		.op = DMA_FILL, .iova = IOVA + page * PAGE, .length = 64, .arg0 = 1
	};

	dma_start(&d, slot, &op);
	check(wait_for(dma_state(&d, slot) == DMA_STALLED, LONG), "slot %u: state %u, not stalled",
	      slot, dma_state(&d, slot));
}

static void map(unsigned int page, bool there)
{
	tables_map(&t, IOVA + page * PAGE, (u64)memory + page * PAGE, 1,
	           there ? S1_PAGE | ENTRY_NG : 0);
	barrier();
	smmu_push(&s, CMD_TLBI_NSNH_ALL, 0);
	smmu_sync(&s);
}

/* The oldest record is of a stall of that page; its STAG. */
static u64 stall_of(unsigned int page)
{
	struct smmu_event e;

	check(wait_for(smmu_event(&s, &e), LONG), "page %u: no event", page);
	check(e.w[0] == EVENT0(F_TRANSLATION, d.rid), "event %lx", e.w[0]);
	check((e.w[1] & ~EVENT1_STAG) == (EVENT1_STALL | EVENT1_IN), "word 1: %lx", e.w[1]);
	check(e.w[2] == IOVA + page * PAGE, "at %lx", e.w[2]);
	return e.w[1] & EVENT1_STAG;
}

static void answer(u64 stag, u64 action)
{
	smmu_push(&s, CMD_RESUME | action | CMD_SID(d.rid), stag);
	smmu_sync(&s);
}

static void ends(unsigned int slot, unsigned int outcome)
{
	check(wait_for(dma_state(&d, slot) == DMA_ENDED, LONG), "slot %u: state %u", slot,
	      dma_state(&d, slot));
	check(dma_outcome(&d, slot) == outcome, "slot %u: outcome %u", slot, dma_outcome(&d, slot));
}

/* A page comes, and the transfer goes on; in any order, and each once. */
static void retried(void)
{
	u64 stags[SLOTS];

	begin();
	for (unsigned int i = 0; i < SLOTS; i++)
		start(i, i);
	for (unsigned int i = 0; i < SLOTS; i++)
		stags[i] = stall_of(i);
	for (unsigned int i = SLOTS; i--;) {
		map(i, true);
		check(dma_state(&d, i) == DMA_STALLED, "slot %u does not wait", i);
		answer(stags[i], RETRY);
		ends(i, DMA_DONE);
		check(*(u64 *)(memory + i * PAGE) == dma_pattern(1), "slot %u wrote nothing", i);
	}
	smmu_expect_none(&s, "all were answered");
}

static void terminated(void)
{
	u64 stag;

	begin();
	start(0, 0);
	stag = stall_of(0);
	answer(stag, 0);
	ends(0, DMA_FAULT);
	smmu_expect_none(&s, "it has ended");
	start(0, 0);
	start(1, 1);
	smmu_push(&s, CMD_STALL_TERM | CMD_SID(d.rid), 0);
	smmu_sync(&s);
	ends(0, DMA_FAULT);
	ends(1, DMA_FAULT);
	stall_of(0);
	stall_of(1);
	start(0, 0);
	smmu_set_cr0(CR0_CMDQEN | CR0_EVENTQEN);
	ends(0, DMA_FAULT);
}

/* More stalls than the queue has room for: none is lost, none overflows it. */
static void full(void)
{
	u64 stags[1 << SMMU_LOG2_EVENTS];

	begin();
	for (unsigned int n = 0; n < 1 << SMMU_LOG2_EVENTS; n++) {
		start(0, 0);
		dma_control(&d, 0, DMA_ABORT);
		ends(0, DMA_ABORTED);
	}
	start(1, 1);
	check(!(read32(SMMU_BASE + SMMU_EVENTQ_PROD) & QUEUE_OVERFLOW), "it overflows");
	for (unsigned int n = 0; n < 1 << SMMU_LOG2_EVENTS; n++)
		stags[n] = stall_of(0);
	for (unsigned int n = 0; n < 1 << SMMU_LOG2_EVENTS; n++)
		answer(stags[n], RETRY);
	check(dma_state(&d, 1) == DMA_STALLED, "slot 1: state %u", dma_state(&d, 1));
	map(1, true);
	answer(stall_of(1), RETRY);
	ends(1, DMA_DONE);
	smmu_expect_none(&s, "all were answered");
}

/* Answers to what is not stalled, to what was answered, for another's stream. */
static void wrong(void)
{
	u64 stag;

	begin();
	for (u64 n = 0; n < 0x10000; n += 0x101)
		answer(n, n & 1 ? RETRY : 0);
	start(0, 0);
	stag = stall_of(0);
	for (u64 n = 0; n < 0x10000; n += 0x101)
		if (n != stag)
			answer(n, 0);
	smmu_push(&s, CMD_RESUME | CMD_SID(d.rid + 1), stag);
	smmu_push(&s, CMD_STALL_TERM | CMD_SID(d.rid + 1), 0);
	smmu_sync(&s);
	check(dma_state(&d, 0) == DMA_STALLED, "state %u", dma_state(&d, 0));
	answer(stag, 0);
	answer(stag, 0);
	ends(0, DMA_FAULT);
	smmu_expect_none(&s, "it was answered");
}

/* Never answered: the guest goes, and the stall with it. */
static void never(void)
{
	begin();
	for (unsigned int i = 0; i < SLOTS; i++)
		start(i, i);
}

static const struct test tests[] = {
	{ "retried", retried }, { "terminated", terminated }, { "full", full },
	{ "wrong", wrong },     { "never", never },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
