/* SPDX-License-Identifier: GPL-2.0-only */
/* ATS of an SMMUv3: the DMA endpoint asks for translations and transfers by what it has cached;
 * invalidations wait for transfers in flight; "count=N" of pages that come and go. */
#include "lib/dmatest.h"
#include "lib/smmu.h"

#define IOVA  0x4000000000UL
#define IPA   0x500000000UL
#define PAGES 16
#define LARGE 0x200000UL
#define VMID  3
#define ON    (CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN)

#define EVENT1_SPAN (1UL << 0)
#define EVENT1_R    (1UL << 31)
#define EVENT1_W    (1UL << 30)
enum { SLOT_RUN = 0, SLOT_HELD, SLOT_ASK, SLOT_WRITERS, SLOT_END = 8 };
#define CERROR_ATC_INV_SYNC 3u /* 6.3.28 */

static struct smmu s;
static struct dma_test d;
static struct tables t1, t2;
static struct cd cds[64] __attribute__((aligned(4096)));
static u8 memory[PAGES * PAGE] __attribute__((aligned(4096)));
static u8 block[LARGE] __attribute__((aligned(LARGE))), was[LARGE];

static void map1(unsigned int page, unsigned int to, bool there)
{
	tables_map(&t1, IOVA + page * PAGE, IPA + to * PAGE, 1, there ? S1_PAGE | ENTRY_NG : 0);
	barrier();
}

static void map2(unsigned int ipa, unsigned int to)
{
	tables_map(&t2, IPA + ipa * PAGE, (u64)memory + to * PAGE, 1, S2_PAGE);
	barrier();
}

static void set(unsigned int eats)
{
	struct ste ste = smmu_nested((u64)cds, &t2, VMID);

	ste.w[1] |= STE1_EATS(eats);
	smmu_set_ste(&s, d.rid, &ste);
}

/* Both stages; stage 1's tables and the CD are at IPAs that are their addresses. */
static void begin(unsigned int eats)
{
	dma_test_find(&d);
	dma_enable_ats(&d, true);
	smmu_start(&s);
	tables_clear(&t1);
	tables_clear(&t2);
	memset(memory, 0, sizeof(memory));
	for (unsigned int i = 0; i < PAGES; i++) {
		map1(i, i, true);
		map2(i, i);
	}
	tables_map(&t2, (u64)&t1, (u64)&t1, sizeof(t1.table) / PAGE, S2_PAGE);
	tables_map(&t2, (u64)cds, (u64)cds, 1, S2_PAGE);
	cds[0] = smmu_cd(&t1, 1);
	smmu_set_cr0(ON | (eats == EATS_SPLIT ? CR0_ATSCHK : 0));
	set(eats);
}

static unsigned int ask(unsigned int page, u32 flags)
{
	const struct dma_op op = {
		.op = DMA_TRANSLATE, .flags = flags, .iova = IOVA + page * PAGE, .pasid = 1
	};

	return dma_run(&d, SLOT_ASK, &op);
}

static void granted_range(unsigned int page, u64 at, u64 range)
{
	check(ask(page, DMA_F_READ | DMA_F_WRITE) == DMA_DONE, "page %u: outcome %u, reason %u",
	      page, dma_outcome(&d, SLOT_ASK), dma_reason(&d, SLOT_ASK));
	check(dma_result(&d, SLOT_ASK) == at && dma_range(&d, SLOT_ASK) == range, "at %lx, for %lx",
	      dma_result(&d, SLOT_ASK), dma_range(&d, SLOT_ASK));
	check(dma_granted(&d, SLOT_ASK) == (DMA_F_READ | DMA_F_WRITE), "permission %x",
	      dma_granted(&d, SLOT_ASK));
}

static void granted(unsigned int page, u64 at)
{
	granted_range(page, at, PAGE);
}

static void not_granted(unsigned int page, unsigned int reason, const char *when)
{
	check(ask(page, DMA_F_READ | DMA_F_WRITE) == DMA_FAULT, "%s: outcome %u", when,
	      dma_outcome(&d, SLOT_ASK));
	check(dma_reason(&d, SLOT_ASK) == reason, "%s: reason %u", when, dma_reason(&d, SLOT_ASK));
}

static struct dma_op fill(unsigned int page, u32 flags)
{
	static u64 seed;

	return (struct dma_op){ .op = DMA_FILL,
		                .flags = DMA_F_TRANSLATED | flags,
		                .iova = IOVA + page * PAGE,
		                .length = 64,
		                .arg0 = ++seed,
		                .pasid = 1 };
}

/* By its cached translation @page's write arrives in page @at of memory. */
static void arrives(unsigned int page, unsigned int at, u32 flags, const char *when)
{
	const struct dma_op op = fill(page, flags);

	check(dma_run(&d, SLOT_RUN, &op) == DMA_DONE, "%s: outcome %u, reason %u", when,
	      dma_outcome(&d, SLOT_RUN), dma_reason(&d, SLOT_RUN));
	check(*(volatile u64 *)(memory + at * PAGE) == dma_pattern(op.arg0), "%s: not in page %u",
	      when, at);
}

static void does_not(unsigned int page, unsigned int reason, const char *when)
{
	const struct dma_op op = fill(page, 0);

	check(dma_run(&d, SLOT_RUN, &op) == DMA_FAULT, "%s: outcome %u", when,
	      dma_outcome(&d, SLOT_RUN));
	check(dma_reason(&d, SLOT_RUN) == reason, "%s: reason %u", when, dma_reason(&d, SLOT_RUN));
}

static void tlbi(void)
{
	smmu_push(&s, CMD_TLBI_S12_VMALL | CMD_VMID(VMID), 0);
	smmu_sync(&s);
}

static void atc_inv(unsigned int page)
{
	smmu_push(&s, CMD_ATC_INV | CMD_SID(d.rid), IOVA + page * PAGE);
	smmu_sync(&s);
}

/* What an endpoint has cached it keeps until it is told. */
static void full(void)
{
	begin(EATS_FULL);
	does_not(0, DMA_NO_TRANSLATION, "nothing is cached");
	granted(0, (u64)memory);
	granted(1, (u64)memory + PAGE);
	arrives(0, 0, 0, "cached");
	map1(0, 5, true);
	tlbi();
	arrives(0, 0, 0, "the SMMU alone is told");
	atc_inv(1);
	arrives(0, 0, 0, "another page's is told");
	atc_inv(0);
	does_not(0, DMA_NO_TRANSLATION, "it is told");
	granted(0, (u64)memory + 5 * PAGE);
	arrives(0, 5, 0, "anew");
	check(dma_invalidations(&d) == 2, "%u invalidations", dma_invalidations(&d));
	smmu_expect_none(&s, "all is well");
}

/* 13.6.3: the endpoint has IPAs, and stage 2 is what it is when they are used. */
static void split(void)
{
	struct smmu_event e = { { 0, EVENT1_S2 | EVENT1_IN, IPA + 2 * PAGE, IPA + 2 * PAGE } };

	begin(EATS_SPLIT);
	e.w[0] = EVENT0(F_TRANSLATION, d.rid);
	granted(0, IPA);
	granted(2, IPA + 2 * PAGE);
	arrives(0, 0, 0, "cached");
	map2(0, 7);
	tlbi();
	arrives(0, 7, 0, "stage 2 is another");
	*tables_entry(&t2, IPA + 2 * PAGE, 3) = 0;
	barrier();
	tlbi();
	does_not(2, DMA_NOT_MAPPED, "stage 2 has it no more");
	smmu_expect(&s, &e, "a translated write");
	not_granted(2, DMA_NOT_PERMITTED, "nor is it granted");
	smmu_expect_none(&s, "a request");
}

static void bad_request(const char *when)
{
	const struct smmu_event e = { { EVENT0(F_BAD_ATS_TREQ, d.rid),
		                        EVENT1_R | EVENT1_W | EVENT1_SPAN, IOVA } };

	not_granted(0, DMA_UNSUPPORTED, when);
	smmu_expect(&s, &e, when);
}

/* 3.9.1.2 */
static void answers(void)
{
	begin(EATS_NONE);
	bad_request("no ATS");
	set(EATS_SPLIT);
	bad_request("split stages, unchecked");
	set(EATS_FULL);
	map1(0, 0, false);
	not_granted(0, DMA_NOT_PERMITTED, "nothing is there");
	map1(0, 0, true);
	cds[0].w[0] &= ~CD0_V;
	set(EATS_FULL);
	not_granted(0, DMA_COMPLETER_ABORT, "no CD");
	s.streams[d.rid] = (struct ste){ { STE0(STE_ABORT) } };
	smmu_set_ste(&s, d.rid, &s.streams[d.rid]);
	not_granted(0, DMA_UNSUPPORTED, "a stream that aborts");
	smmu_expect_none(&s, "what is recorded");
	smmu_set_cr0(CR0_EVENTQEN | CR0_CMDQEN);
	bad_request("disabled");
}

/* 3.9.1.3 */
static void checked(void)
{
	struct smmu_event e = { { 0, 0, (u64)memory } };

	begin(EATS_FULL);
	e.w[0] = EVENT0(F_TRANSL_FORBIDDEN, d.rid);
	granted(0, (u64)memory);
	set(EATS_NONE);
	arrives(0, 0, 0, "unchecked");
	smmu_set_cr0(ON | CR0_ATSCHK);
	does_not(0, DMA_NOT_ATTACHED, "checked");
	smmu_expect(&s, &e, "checked");
	set(EATS_FULL);
	arrives(0, 0, 0, "checked, and allowed");
	smmu_set_cr0(CR0_EVENTQEN | CR0_CMDQEN);
	does_not(0, DMA_NOT_ATTACHED, "disabled");
	smmu_expect(&s, &e, "disabled");
}

/* A write to page 0 is under way. */
static struct dma_op hold_page_0(void)
{
	const struct dma_op op = fill(0, DMA_F_HELD);

	dma_start(&d, SLOT_HELD, &op);
	check(wait_for(dma_state(&d, SLOT_HELD) == DMA_HOLDS, LONG), "nothing is held");
	return op;
}

/* 4.5.1: an invalidation is complete when what it took is no longer used. */
static void hold(void)
{
	struct dma_op op;

	begin(EATS_FULL);
	granted(0, (u64)memory);
	granted(1, (u64)memory + PAGE);
	op = hold_page_0();
	atc_inv(1);
	map1(0, 5, true);
	tlbi();
	smmu_push(&s, CMD_ATC_INV | CMD_SID(d.rid), IOVA);
	check(wait_for(smmu_consumed(&s), LONG), "CMD_ATC_INV waits by itself");
	smmu_push(&s, CMD_SYNC, 0);
	check(!smmu_consumed(&s), "CMD_SYNC does not wait");
	does_not(0, DMA_NO_TRANSLATION, "while it waits");
	check(!smmu_consumed(&s), "CMD_SYNC waits no longer");
	dma_control(&d, SLOT_HELD, DMA_RELEASE);
	check(wait_for(smmu_consumed(&s), LONG), "CMD_SYNC does not end");
	check(*(volatile u64 *)memory == dma_pattern(op.arg0), "it ends before the transfer");
}

/* Whoever runs this changes how long devices have, and then has EVENTQ_ABT_ERR become active. */
static void await_limit(void)
{
	print("how long\n");
	check(wait_for(read32(SMMU_BASE + SMMU_GERROR) & GERROR_EVENTQ_ABT, 6 * LONG),
	      "nobody says");
	write32(SMMU_BASE + SMMU_GERRORN, GERROR_EVENTQ_ABT);
}

static u32 active_errors(void)
{
	return read32(SMMU_BASE + SMMU_GERROR) ^ read32(SMMU_BASE + SMMU_GERRORN);
}

/* 3.9.1.4, 7.1: CMD_SYNC at that index ends with CERROR_ATC_INV_SYNC, and nothing behind it is
 * consumed. */
static void expect_timeout(u32 at)
{
	const u32 errors = read32(SMMU_BASE + SMMU_GERRORN);

	check(wait_for(active_errors(), 10 * LONG), "it takes as long as it likes");
	check(active_errors() == GERROR_CMDQ, "GERROR %x", active_errors());
	check(read32(SMMU_BASE + SMMU_CMDQ_CONS) == (CERROR_ATC_INV_SYNC << 24 | at),
	      "CONS %x, expected the command at %x", read32(SMMU_BASE + SMMU_CMDQ_CONS), at);
	check(dma_state(&d, SLOT_HELD) == DMA_HOLDS, "what is held is not");
	check(*(volatile u32 *)&s.message == 0, "a command behind it is consumed");
	write32(SMMU_BASE + SMMU_GERRORN, errors ^ GERROR_CMDQ);
}

/*
 * An answer that does not come: "by-hand=1": in the time that await_limit() gives, else in a
 * minute. When the error is acknowledged CMD_SYNC is well (7.1), and what comes of the answer later
 * is nothing.
 */
static void late(void)
{
	struct dma_op op;
	u32 at;

	begin(EATS_FULL);
	granted(0, (u64)memory);
	op = hold_page_0();
	if (parameter_after("by-hand=", 0))
		await_limit();
	smmu_push(&s, CMD_ATC_INV | CMD_SID(d.rid), IOVA);
	at = s.prod;
	smmu_push(&s, CMD_SYNC, 0);
	smmu_push(&s, CMD_SYNC | 1 << 12 | 1UL << 32, (u64)&s.message);
	expect_timeout(at);
	check(wait_for(smmu_consumed(&s), LONG), "the queue does not go on");
	check(*(volatile u32 *)&s.message == 1, "not to its end");
	does_not(0, DMA_NO_TRANSLATION, "it is told all the same");
	dma_control(&d, SLOT_HELD, DMA_RELEASE);
	check(wait_for(dma_state(&d, SLOT_HELD) == DMA_ENDED, LONG), "it stays held");
	check(*(volatile u64 *)memory == dma_pattern(op.arg0), "it went elsewhere");
	granted(0, (u64)memory);
	atc_inv(0);
	does_not(0, DMA_NO_TRANSLATION, "as ever");
	check(!active_errors(), "GERROR %x", active_errors());
}

static void pasid(void)
{
	struct ste ste;
	u64 cap;

	begin(EATS_FULL);
	cap = pci_ext_capability(d.rid, EXT_PASID);
	check(cap, "no PASIDs");
	write16(cap + 6, 3);
	cds[1] = cds[0];
	ste = smmu_nested((u64)cds, &t2, VMID);
	ste.w[0] |= STE0_CDMAX(6);
	ste.w[1] |= STE1_EATS(EATS_FULL) | STE1_S1DSS(S1DSS_BYPASS);
	smmu_set_ste(&s, d.rid, &ste);
	smmu_set_cr0(ON | CR0_ATSCHK);
	check(ask(0, DMA_F_PASID | DMA_F_READ | DMA_F_WRITE) == DMA_DONE, "PASID 1: reason %u",
	      dma_reason(&d, SLOT_ASK));
	arrives(0, 0, DMA_F_PASID, "by PASID 1");
	does_not(0, DMA_NO_TRANSLATION, "without a PASID");
	atc_inv(0);
	arrives(0, 0, DMA_F_PASID, "without a PASID it is told");
	smmu_push(&s, CMD_ATC_INV | CMD_SID(d.rid) | CMD_SSID(2), IOVA);
	smmu_sync(&s);
	arrives(0, 0, DMA_F_PASID, "of another it is told");
	smmu_push(&s, CMD_ATC_INV | CMD_SID(d.rid) | CMD_SSID(1), IOVA | 52);
	smmu_sync(&s);
	check(ask(0, DMA_F_PASID | DMA_F_READ) == DMA_DONE, "PASID 1 again");
}

/* Pages come and go: what was invalidated is never reached again. */
static void churn(void)
{
	const u64 count = parameter_after("count=", 500);

	begin(EATS_FULL);
	for (u64 i = 0; i < count; i++) {
		const unsigned int page = i % PAGES, at = i * 7 % PAGES;

		map1(page, at, true);
		tlbi();
		granted(page, (u64)memory + at * PAGE);
		arrives(page, at, 0, "while it is there");
		map1(page, at, false);
		tlbi();
		atc_inv(page);
		does_not(page, DMA_NO_TRANSLATION, "when it is gone");
		not_granted(page, DMA_NOT_PERMITTED, "nor is it asked for");
	}
	check(dma_invalidations(&d) == count, "%u invalidations", dma_invalidations(&d));
	smmu_expect_none(&s, "all of it");
}

/* A block, of both stages. */
static void map_block(bool there)
{
	*(volatile u64 *)tables_entry(&t2, IPA + LARGE, 2) = (u64)block | (S2_PAGE & ~2UL);
	*(volatile u64 *)tables_entry(&t1, IOVA + LARGE, 2) =
		there ? (IPA + LARGE) | (S1_PAGE & ~2UL) | ENTRY_NG : 0;
	barrier();
	tlbi();
}

/* Several slots write it, each in many turns. */
static void start_writers(void)
{
	for (unsigned int slot = SLOT_WRITERS; slot < SLOT_END; slot++) {
		struct dma_op op = fill(LARGE / PAGE, 0);

		op.length = LARGE;
		dma_start(&d, slot, &op);
	}
}

/* How many were cut short. */
static unsigned int writers_end(void)
{
	unsigned int cut = 0;

	for (unsigned int slot = SLOT_WRITERS; slot < SLOT_END; slot++) {
		check(wait_for(dma_state(&d, slot) == DMA_ENDED, 10 * LONG), "slot %u", slot);
		if (dma_outcome(&d, slot) == DMA_DONE)
			continue;
		check(dma_reason(&d, slot) == DMA_NO_TRANSLATION, "slot %u: reason %u", slot,
		      dma_reason(&d, slot));
		cut++;
	}
	return cut;
}

/* What slots have not written by when a block is gone they never do. */
static void in_flight(void)
{
	unsigned int cut = 0;

	begin(EATS_FULL);
	for (u64 n = parameter_after("count=", 10); n--;) {
		map_block(true);
		granted_range(LARGE / PAGE, (u64)block, LARGE);
		start_writers();
		map_block(false);
		atc_inv(LARGE / PAGE);
		memcpy(was, block, LARGE);
		cut += writers_end();
		check(!memcmp(was, block, LARGE), "%lu more: it is written when it is gone", n);
	}
	check(cut, "no write is cut short");
	smmu_expect_none(&s, "all of it");
}

static const struct test tests[] = {
	{ "full", full },       { "split", split }, { "answers", answers },
	{ "checked", checked }, { "hold", hold },   { "late", late },
	{ "pasid", pasid },     { "churn", churn }, { "in-flight", in_flight },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
