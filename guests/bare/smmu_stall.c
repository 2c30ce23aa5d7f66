/* SPDX-License-Identifier: GPL-2.0-only */
/* Stalls of an SMMUv3: the DMA endpoint's transfers wait for a page, or for a word that there is
 * none; a full queue; answers to what is not, or no longer, stalled; and what goes meanwhile. */
#include "lib/dmatest.h"
#include "lib/leaves.h"
#include "lib/smmu.h"

#define IOVA  0x4000000000UL
#define PAGES 16
#define SLOTS 8 /* of the endpoint */

#define CAP_EXPRESS 0x10
#define FLR         (1 << 15) /* of Device Control */

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

/* Each of those slots waits for a page of its own. */
static void stall_all(u64 *stags, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		start(i, i);
	for (unsigned int i = 0; i < nr; i++)
		stags[i] = stall_of(i);
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
	stall_all(stags, SLOTS);
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

/* Two devices wait for the same page: neither is answered by the other's name. */
static void others(void)
{
	struct dma_test both[2];
	u64 stags[2];

	begin();
	both[0] = d;
	dma_test_find_from(&both[1], d.rid + 1);
	smmu_set_ste(&s, both[1].rid, &s.streams[d.rid]);
	for (unsigned int i = 0; i < 2; i++) {
		d = both[i];
		start(0, 0);
		stags[i] = stall_of(0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		d = both[i];
		answer(stags[!i], i ? RETRY : 0);
	}
	for (unsigned int i = 0; i < 2; i++)
		check(dma_state(&both[i], 0) == DMA_STALLED, "device %u does not wait", i);
	smmu_push(&s, CMD_STALL_TERM | CMD_SID(d.rid), 0);
	smmu_sync(&s);
	ends(0, DMA_FAULT);
	d = both[0];
	check(dma_state(&d, 0) == DMA_STALLED, "the first one has ended, too");
	map(0, true);
	answer(stags[0], RETRY);
	ends(0, DMA_DONE);
	smmu_expect_none(&s, "all were answered");
}

static void set_cd(u64 word0, u64 word1)
{
	cd.w[0] = word0;
	cd.w[1] = word1;
	barrier();
	smmu_push(&s, CMD_CFGI_CD | CMD_SID(d.rid), CMD_LEAF);
	smmu_push(&s, CMD_TLBI_NSNH_ALL, 0);
	smmu_sync(&s);
}

/* A retry that finds no more than that is told so, and ends. */
static void retry_ends(unsigned int slot, u64 stag, unsigned int event, const char *when)
{
	struct smmu_event e;

	answer(stag, RETRY);
	ends(slot, DMA_FAULT);
	check(smmu_event(&s, &e), "%s: no event", when);
	check((e.w[0] & 0xff) == event && !(e.w[1] & EVENT1_STALL), "%s: event %lx %lx", when,
	      e.w[0], e.w[1]);
	smmu_expect_none(&s, when);
}

/* Who is refused is told nothing else. */
static void refusal_ends(unsigned int slot, u64 stag, const char *when)
{
	answer(stag, 0);
	ends(slot, DMA_FAULT);
	smmu_expect_none(&s, when);
}

/* Its tables are taken away while it waits. */
static void torn(void)
{
	struct ste ste = { { 0 } };
	u64 stags[6];

	begin();
	stall_all(stags, ARRAY_SIZE(stags));
	set_cd(cd.w[0], (u64)t.table[0]);
	answer(stags[0], RETRY);
	stags[0] = stall_of(0);
	set_cd(cd.w[0], 0x10000000); /* where no RAM is */
	retry_ends(0, stags[0], F_WALK_EABT, "no tables");
	set_cd(cd.w[0] & ~CD0_V, 0);
	retry_ends(1, stags[1], C_BAD_CD, "no CD");
	refusal_ends(4, stags[4], "no CD");
	smmu_set_ste(&s, d.rid, &ste);
	retry_ends(2, stags[2], C_BAD_STE, "no STE");
	refusal_ends(5, stags[5], "no STE");
	smmu_set_cr0(CR0_CMDQEN | CR0_EVENTQEN);
	ends(3, DMA_FAULT);
	answer(stags[3], RETRY);
	smmu_expect_none(&s, "it has ended with translation");
}

/* The Event queue is another one, and what was recorded in the old one is answered. */
static void moved(void)
{
	static struct smmu_event elsewhere[1 << SMMU_LOG2_EVENTS]
		__attribute__((aligned(32 << SMMU_LOG2_EVENTS)));
	const volatile struct smmu_event *first = elsewhere;
	u64 stag;

	begin();
	start(0, 0);
	stag = stall_of(0);
	smmu_set_cr0(CR0_CMDQEN | CR0_SMMUEN);
	start(1, 1);
	write64(SMMU_BASE + SMMU_EVENTQ_BASE, (u64)elsewhere | SMMU_LOG2_EVENTS);
	write32(SMMU_BASE + SMMU_EVENTQ_PROD, 0);
	write32(SMMU_BASE + SMMU_EVENTQ_CONS, 0);
	smmu_set_cr0(CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
	check(wait_for(first->w[0] == EVENT0(F_TRANSLATION, d.rid) && first->w[2] == IOVA + PAGE,
	               LONG),
	      "it is not recorded there: %lx", first->w[0]);
	map(0, true);
	map(1, true);
	answer(stag, RETRY);
	ends(0, DMA_DONE);
	answer(first->w[1] & EVENT1_STAG, RETRY);
	ends(1, DMA_DONE);
}

static void reset_function(void)
{
	const u64 at = pci_config(d.rid) + pci_capability(d.rid, CAP_EXPRESS, 0) + 8;

	write16(at, read16(at) | FLR);
	dma_test_find(&d);
}

/* A reset ends what waits; its STAG stays taken, and an answer does nothing. */
static void function_reset(void)
{
	u64 stags[SLOTS];

	begin();
	stall_all(stags, SLOTS);
	reset_function();
	for (unsigned int i = 0; i < SLOTS; i++)
		ends(i, DMA_ABORTED);
	start(0, 0);
	map(0, true);
	for (unsigned int i = 0; i < SLOTS; i++)
		answer(stags[i], RETRY);
	check(dma_state(&d, 0) == DMA_STALLED, "an old answer is taken for a new stall's");
	answer(stall_of(0), RETRY);
	ends(0, DMA_DONE);
	smmu_expect_none(&s, "all were answered");
}

static u64 state;

static unsigned int below(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static void start_by_chance(void)
{
	const struct dma_op op = { .op = below(2) ? DMA_FILL : DMA_CHECK,
		                   .iova = IOVA + below(PAGES * PAGE / 8) * 8,
		                   .length = below(PAGES * PAGE / 8) * 8 };

	dma_start(&d, below(SLOTS), &op);
}

static void end_by_chance(void)
{
	if (below(8))
		dma_control(&d, below(SLOTS), DMA_ABORT);
	else
		reset_function();
}

/* Of what was recorded, or of anything. */
static void answer_by_chance(void)
{
	struct smmu_event e;

	if (below(4) && smmu_event(&s, &e))
		answer(e.w[1] & EVENT1_STAG, below(3) ? RETRY : 0);
	else
		smmu_push(&s,
		          (below(8) ? CMD_RESUME : CMD_STALL_TERM) | CMD_SID(d.rid + below(2)) |
		                  below(2) * RETRY,
		          below(0x10000));
}

static void map_by_chance(void)
{
	for (unsigned int n = below(PAGES); n--;)
		map(below(PAGES), below(2));
}

static void configure_by_chance(void)
{
	struct ste ste = smmu_s1(&cd);

	ste.w[0] &= below(4) ? ~0UL : ~1UL;
	cd.w[0] ^= CD0_S;
	smmu_set_ste(&s, d.rid, &ste);
	smmu_set_cr0(CR0_CMDQEN | below(4) % 2 * CR0_EVENTQEN | (below(4) ? CR0_SMMUEN : 0));
}

static bool waits_yet(unsigned int slot)
{
	return dma_state(&d, slot) == DMA_RUNNING || dma_state(&d, slot) == DMA_STALLED;
}

/* Anything in any order; but with translation goes whatever waits. */
static void chance(void)
{
	static void (*const steps[])(void) = { start_by_chance,    start_by_chance,  end_by_chance,
		                               answer_by_chance,   answer_by_chance, map_by_chance,
		                               configure_by_chance };
	const u64 count = parameter_after("count=", 1000);

	state = parameter_after("seed=", 1) * 2 + 1;
	for (u64 n = 0; n < count; n++) {
		if (n % 100 == 0)
			begin();
		steps[below(ARRAY_SIZE(steps))]();
		if (n % 100 != 99)
			continue;
		smmu_set_cr0(CR0_CMDQEN | CR0_EVENTQEN);
		for (unsigned int i = 0; i < SLOTS; i++)
			check(wait_for(!waits_yet(i), LONG), "step %lu: slot %u waits", n, i);
	}
	retried();
}

/* Never answered: the guest goes, and the stall with it. */
static void never(void)
{
	begin();
	for (unsigned int i = 0; i < SLOTS; i++)
		start(i, i);
}

static void waits(void)
{
	never();
	leave_waiting();
}

static void panics(void)
{
	never();
	leave_in_panic();
}

/* Of what waited when the machine was reset, nothing is there. */
static void again(void)
{
	leave_by_reset(retried, never);
}

/* fault-timeout=: each ends by itself, and an answer that comes then is to nothing; a name that has
 * had none is taken. */
static void late(void)
{
	u64 stags[SLOTS];

	begin();
	for (unsigned int round = 0; round < 3; round++) {
		stall_all(stags, SLOTS);
		for (unsigned int i = 0; i < SLOTS; i++)
			ends(i, DMA_FAULT);
		for (unsigned int i = 0; i < SLOTS; i++)
			answer(stags[i], i % 2 ? RETRY : 0);
		smmu_expect_none(&s, "they had ended");
	}
	start(0, 0);
	stags[0] = stall_of(0);
	map(0, true);
	answer(stags[0], RETRY);
	ends(0, DMA_DONE);
}

static const struct test tests[] = {
	{ "waits", waits },   { "panics", panics },   { "again", again },
	{ "late", late },     { "retried", retried }, { "terminated", terminated },
	{ "full", full },     { "wrong", wrong },     { "others", others },
	{ "torn", torn },     { "moved", moved },     { "reset", function_reset },
	{ "chance", chance }, { "never", never },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
