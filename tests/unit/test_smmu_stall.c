// SPDX-License-Identifier: GPL-2.0-only
/* Stalls of an SMMUv3 (Arm IHI 0070, 3.12.2, 4.7.1, 4.7.2, 7.2.1): what stalls, how it is recorded,
 * and each way it ends. */
#include "tests/unit/held.h"
#include "tests/unit/smmu_expect.h"

#define AT     0x1000ULL
#define PAGE   0x1000ULL
#define IN     CLASS(2)
#define TT     CLASS(1)
#define STREAM 0x10
#define RETRY  BIT(12)

static struct fake_smmu f;
static gpa_t ttb0, s2ttb;
static u64 ste[8], cd[8];

/* A device's accesses: each runs again when it is resumed. */
struct access {
	struct dma_token token;
	unsigned int endpoint;
	u64 iova, len;
	u32 perm;
	enum dma_status status;
	u64 done;
	unsigned int resumed;
};
static struct access a, b, c;

static enum dma_status run(struct access *x)
{
	struct dma_space *dma = fake_smmu_dma(&f, x->endpoint);
	struct iovec iov[8];
	struct dma_use *uses[8];
	struct dma_sg sg = { .iov = iov, .uses = uses, .max = 8 };
	struct dma_access access = dma_access_to(x->iova, x->len, x->perm);

	access.partial = true;
	x->status = dma_map(dma, &access, &sg, &x->token);
	x->done = x->status == DMA_PENDING ? 0 : access.done;
	if (x->status == DMA_PENDING)
		cr_assert(zero(u32, sg.nr), "it has nothing");
	dma_unmap(dma, &sg);
	return x->status;
}

static void resumed(struct dma_token *token)
{
	struct access *x = container_of(token, struct access, token);

	x->resumed++;
	run(x);
}

static enum dma_status start(struct access *x, unsigned int endpoint, u64 iova, u32 perm)
{
	*x = (struct access){ { .resume = resumed }, endpoint, iova, 8, perm, 0, 0, 0 };
	return run(x);
}

static void put(void)
{
	fake_smmu_ste(&f, STREAM, ste);
	fake_smmu_cd(&f, 0, cd);
	fake_smmu_forget(&f);
}

/* Stages 1, 2 or both, all that can stalls; nothing is mapped of stage 1. */
static void make(const struct smmu_id *id, unsigned int config)
{
	make_afresh(&f, id);
	f.eventq_log2size = 2;
	fake_smmu_enable(&f);
	ttb0 = fake_smmu_table(&f);
	s2ttb = fake_smmu_table(&f);
	fake_smmu_cd_words(&f, cd, 1, ttb0);
	fake_smmu_ste_words(&f, ste, config, 0, 1, s2ttb);
	cd[0] |= CD0_S;
	ste[2] |= STE2_S2S;
	put();
	fake_smmu_ste(&f, STREAM + 1, ste);
	fake_smmu_forget(&f);
}

static void begin(void)
{
	make(NULL, 5);
}

static void end(void)
{
	fake_smmu_unmake(&f);
}

static void remake(const struct smmu_id *id, unsigned int config)
{
	end();
	make(id, config);
}

TestSuite(smmu_stall, .init = begin, .fini = end);

/* The STAG of the oldest event, which is a stall of @sid at @iova. */
static u64 stag(u32 sid, u64 iova, u64 w1, u64 ipa)
{
	u64 w[4];

	cr_assert(fake_smmu_event(&f, w));
	cr_assert(eq(u64, w[0], F_TRANSLATION | SID(sid)));
	cr_assert(eq(u64, w[1] & ~EVT1_STAG, w1 | EVT1_STALL));
	cr_assert(eq(u64, w[2], iova));
	cr_assert(eq(u64, w[3], ipa));
	return FIELD_GET(EVT1_STAG, w[1]);
}

static void answer(u32 sid, u64 tag, u64 action)
{
	cr_assert(fake_smmu_command(&f, RESUME | action | SID(sid), tag));
}

static void map(u64 iova)
{
	fake_smmu_map(&f, ttb0, iova, FAKE_SMMU_DATA, FAKE_S1_RW);
}

Test(smmu_stall, a_fault_waits_and_is_retried_when_that_is_said)
{
	u64 tag;

	cr_assert(eq(int, start(&a, 0, AT + 8, DMA_WRITE), DMA_PENDING));
	tag = stag(STREAM, AT + 8, IN, 0);
	map(AT);
	cr_assert(zero(u32, a.resumed), "not before it is answered");
	answer(STREAM, tag, RETRY);
	cr_assert(eq(u32, a.resumed, 1));
	cr_assert(eq(int, a.status, DMA_OK));
	expect_no_event(&f);
	cr_assert(eq(u64, fake_smmu_counts(&f).stalls, 1));
}

Test(smmu_stall, what_is_retried_in_vain_stalls_again_by_another_name)
{
	u64 tag, again;

	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	answer(STREAM, tag, RETRY);
	cr_assert(eq(int, a.status, DMA_PENDING));
	again = stag(STREAM, AT, IN | EVT1_RNW, 0);
	cr_assert(ne(u64, again, tag));
	answer(STREAM, tag, 0);
	cr_assert(eq(u32, a.resumed, 1), "the old name is nobody's");
	answer(STREAM, again, 0);
	cr_assert(eq(int, a.status, DMA_FAULT));
}

Test(smmu_stall, what_is_terminated_aborts_once_and_is_not_recorded_again)
{
	start(&a, 0, AT, DMA_READ);
	answer(STREAM, stag(STREAM, AT, IN | EVT1_RNW, 0), 0);
	cr_assert(eq(u32, a.resumed, 1));
	cr_assert(eq(int, a.status, DMA_FAULT));
	expect_no_event(&f);
	cr_assert(eq(int, run(&a), DMA_PENDING), "another access is another matter");
	answer(STREAM, stag(STREAM, AT, IN | EVT1_RNW, 0), RETRY | BIT(13));
	stag(STREAM, AT, IN | EVT1_RNW, 0);
}

/* What came before the byte that stalled, an access that may be partial has. */
Test(smmu_stall, an_access_is_terminated_at_the_byte_that_stalled)
{
	map(AT);
	a = (struct access){ { .resume = resumed }, 0, AT + PAGE - 16, 32, DMA_READ, 0, 0, 0 };
	cr_assert(eq(int, run(&a), DMA_PENDING));
	map(AT + PAGE); /* too late */
	answer(STREAM, stag(STREAM, AT + PAGE, IN | EVT1_RNW, 0), 0);
	cr_assert(eq(int, a.status, DMA_FAULT));
	cr_assert(eq(u64, a.done, 16));
	cr_assert(eq(int, run(&a), DMA_OK));
}

Test(smmu_stall, only_the_stream_and_the_name_together_find_it)
{
	u64 tag;

	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	answer(STREAM + 1, tag, 0);
	answer(STREAM, tag ^ 1, 0);
	answer(STREAM, tag ^ 0x100, 0);
	answer(STREAM, tag ^ 0x8000, 0);
	cr_assert(zero(u32, a.resumed));
	answer(STREAM, tag, 0);
	answer(STREAM, tag, 0);
	cr_assert(eq(u32, a.resumed, 1), "once");
}

Test(smmu_stall, stall_term_ends_all_of_one_stream)
{
	start(&a, 0, AT, DMA_READ);
	start(&b, 0, AT + PAGE, DMA_READ);
	start(&c, 1, AT, DMA_READ);
	cr_assert(fake_smmu_command(&f, STALL_TERM | SID(STREAM), 0));
	cr_assert(eq(int, a.status, DMA_FAULT));
	cr_assert(eq(int, b.status, DMA_FAULT));
	cr_assert(eq(int, c.status, DMA_PENDING));
	stag(STREAM, AT, IN | EVT1_RNW, 0);
	stag(STREAM, AT + PAGE, IN | EVT1_RNW, 0);
	answer(STREAM + 1, stag(STREAM + 1, AT, IN | EVT1_RNW, 0), 0);
	cr_assert(eq(int, c.status, DMA_FAULT));
}

/* 7.2.1, 7.4 */
Test(smmu_stall, a_full_queue_holds_it_back_without_an_overflow)
{
	struct access others[4];
	u64 tag;

	for (unsigned int i = 0; i < 4; i++)
		start(&others[i], 0, AT + i * PAGE, DMA_READ);
	cr_assert(eq(int, start(&a, 0, AT + 4 * PAGE, DMA_READ), DMA_PENDING));
	cr_assert(zero(u32, fake_smmu_read32(&f, EVENTQ_PROD) & BIT(31)));
	cr_assert(eq(u64, fake_smmu_counts(&f).held, 1));
	cr_assert(zero(u32, a.resumed));
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	cr_assert(eq(u32, a.resumed, 1), "there is room, and it is as though it had just come");
	for (unsigned int i = 1; i < 4; i++)
		stag(STREAM, AT + i * PAGE, IN | EVT1_RNW, 0);
	answer(STREAM, stag(STREAM, AT + 4 * PAGE, IN | EVT1_RNW, 0), 0);
	cr_assert(eq(int, a.status, DMA_FAULT));
	answer(STREAM, tag, 0);
	cr_assert(eq(int, others[0].status, DMA_FAULT));
	expect_no_event(&f);
}

Test(smmu_stall, what_is_held_and_then_mapped_is_never_recorded)
{
	struct access others[4];

	for (unsigned int i = 0; i < 4; i++)
		start(&others[i], 0, AT + i * PAGE, DMA_READ);
	start(&a, 0, AT + 4 * PAGE, DMA_READ);
	map(AT + 4 * PAGE);
	stag(STREAM, AT, IN | EVT1_RNW, 0);
	cr_assert(eq(int, a.status, DMA_OK));
	for (unsigned int i = 1; i < 4; i++)
		stag(STREAM, AT + i * PAGE, IN | EVT1_RNW, 0);
	expect_no_event(&f);
}

Test(smmu_stall, stall_term_ends_what_is_held_without_a_record)
{
	struct access others[4];

	for (unsigned int i = 0; i < 4; i++)
		start(&others[i], 1, AT + i * PAGE, DMA_READ);
	start(&a, 0, AT, DMA_READ);
	start(&b, 1, AT + 4 * PAGE, DMA_READ);
	cr_assert(fake_smmu_command(&f, STALL_TERM | SID(STREAM), 0));
	cr_assert(eq(int, a.status, DMA_FAULT));
	cr_assert(eq(int, b.status, DMA_PENDING));
	for (unsigned int i = 0; i < 5; i++)
		stag(STREAM + 1, AT + i * PAGE, IN | EVT1_RNW, 0);
	expect_no_event(&f);
}

Test(smmu_stall, without_an_enabled_queue_it_is_held)
{
	fake_smmu_write32(&f, CR0, CR0_SMMUEN | CR0_CMDQEN);
	cr_assert(eq(int, start(&a, 0, AT, DMA_READ), DMA_PENDING));
	fake_smmu_write32(&f, CR0, CR0_SMMUEN | CR0_CMDQEN | CR0_EVENTQEN);
	answer(STREAM, stag(STREAM, AT, IN | EVT1_RNW, 0), 0);
	cr_assert(eq(int, a.status, DMA_FAULT));
}

/* 6.3.6, STALL_MAX */
Test(smmu_stall, no_more_are_outstanding_than_there_can_be)
{
	const struct smmu_id id = fake_smmu_id("idr5.stall_max", 2);
	u64 tag;

	remake(&id, 5);
	start(&a, 0, AT, DMA_READ);
	start(&b, 0, AT + PAGE, DMA_READ);
	start(&c, 0, AT + 2 * PAGE, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	stag(STREAM, AT + PAGE, IN | EVT1_RNW, 0);
	expect_no_event(&f);
	answer(STREAM, tag, 0);
	cr_assert(eq(int, a.status, DMA_FAULT));
	answer(STREAM, stag(STREAM, AT + 2 * PAGE, IN | EVT1_RNW, 0), 0);
	cr_assert(eq(int, c.status, DMA_FAULT));
	cr_assert(eq(int, b.status, DMA_PENDING));
}

/* 3.12.2: a name is not used again until it was answered; and one that was, finds nothing. */
Test(smmu_stall, the_name_of_a_slot_that_is_used_again_is_another)
{
	const struct smmu_id id = fake_smmu_id("idr5.stall_max", 1);
	u64 tag, again;

	remake(&id, 5);
	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	answer(STREAM, tag, RETRY);
	again = stag(STREAM, AT, IN | EVT1_RNW, 0);
	cr_assert(ne(u64, tag, again));
	answer(STREAM, tag, 0);
	cr_assert(eq(int, a.status, DMA_PENDING));
	answer(STREAM, again, 0);
	cr_assert(eq(int, a.status, DMA_FAULT));
}

/* 6.3.9.6: whatever GBPA says of what comes then. */
Test(smmu_stall, all_are_terminated_when_translation_is_disabled)
{
	struct access others[4];

	for (unsigned int i = 0; i < 4; i++)
		start(&others[i], 0, AT + i * PAGE, DMA_READ);
	start(&a, 0, FAKE_SMMU_DATA, DMA_READ);
	fake_smmu_write32(&f, CR0, CR0_CMDQEN | CR0_EVENTQEN);
	for (unsigned int i = 0; i < 4; i++)
		cr_assert(eq(int, others[i].status, DMA_FAULT));
	cr_assert(eq(int, a.status, DMA_FAULT));
	cr_assert(eq(int, run(&a), DMA_OK), "bypass");
}

/* 7.3: a stage-2 fault of each class stalls by S2S. */
Test(smmu_stall, stage_2_stalls_an_address)
{
	u64 tag;

	remake(NULL, 6);
	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW | EVT1_S2, AT);
	fake_smmu_map(&f, s2ttb, AT, FAKE_SMMU_DATA, FAKE_S2_RW);
	answer(STREAM, tag, RETRY);
	cr_assert(eq(int, a.status, DMA_OK));
}

Test(smmu_stall, stage_2_stalls_the_fetch_of_a_cd_and_of_a_table)
{
	const u64 cds = FAKE_SMMU_CDS & ~(PAGE - 1);
	u64 tag;

	remake(NULL, 7);
	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, EVT1_RNW | EVT1_S2, cds);
	answer(STREAM, tag, 0);
	cr_assert(eq(int, a.status, DMA_FAULT), "before there is a CD");
	cr_assert(eq(int, run(&a), DMA_PENDING));
	tag = stag(STREAM, AT, EVT1_RNW | EVT1_S2, cds);
	fake_smmu_map(&f, s2ttb, cds, cds, FAKE_S2_RW);
	answer(STREAM, tag, RETRY);
	tag = stag(STREAM, AT, TT | EVT1_RNW | EVT1_S2, ttb0);
	fake_smmu_map(&f, s2ttb, ttb0, ttb0, FAKE_S2_RW);
	answer(STREAM, tag, RETRY);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	answer(STREAM, tag, 0);
	cr_assert(eq(int, a.status, DMA_FAULT));
}

/* 3.12: only Translation-related faults stall. */
Test(smmu_stall, an_external_abort_is_terminated)
{
	u64 w[4];

	fake_smmu_put(&f, ttb0, 0x3 | 1ULL << 43);
	cr_assert(eq(int, start(&a, 0, AT, DMA_READ), DMA_FAULT));
	cr_assert(fake_smmu_event(&f, w));
	cr_assert(eq(u64, FIELD_GET(EVT0_ID, w[0]), F_WALK_EABT));
	cr_assert(zero(u64, w[1] & EVT1_STALL));
}

Test(smmu_stall, an_access_that_cannot_wait_is_terminated_and_recorded)
{
	cd[0] &= ~CD0_R;
	put();
	expect_fault(&f, AT, DMA_READ, DMA_NOT_MAPPED);
	expect_event(&f, F_TRANSLATION | SID(STREAM), IN | EVT1_RNW, AT, 0);
}

/* 7.3.1 */
Test(smmu_stall, stalls_are_not_merged)
{
	ste[1] |= STE1_MEV;
	put();
	start(&a, 0, AT, DMA_READ);
	start(&b, 0, AT, DMA_READ);
	cr_assert(ne(u64, stag(STREAM, AT, IN | EVT1_RNW, 0), stag(STREAM, AT, IN | EVT1_RNW, 0)));
}

/* 3.12.2: its STAG is not used again until it is answered. */
Test(smmu_stall, what_is_not_wanted_any_more_is_not_run_again)
{
	u64 tag;

	start(&a, 0, AT, DMA_READ);
	dma_cancel(fake_smmu_dma(&f, 0), &a.token);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	answer(STREAM, tag, RETRY);
	cr_assert(zero(u32, a.resumed));
	map(AT);
	cr_assert(eq(int, run(&a), DMA_OK));
	expect_no_event(&f);
}

Test(smmu_stall, what_was_terminated_and_not_run_again_is_forgotten_by_a_cancel)
{
	start(&a, 0, AT, DMA_READ);
	a.token.refused = true;
	dma_cancel(fake_smmu_dma(&f, 0), &a.token);
	map(AT);
	cr_assert(eq(int, run(&a), DMA_OK));
}

/* 5.5 */
Test(smmu_stall, an_ste_that_disables_stalls_makes_a_cd_with_them_illegal)
{
	ste[1] |= STE1_S1STALLD;
	put();
	cr_assert(eq(int, start(&a, 0, AT, DMA_READ), DMA_FAULT));
	cr_assert(eq(u32, event_id(&f), C_BAD_CD));
	cd[0] &= ~CD0_S;
	put();
	cr_assert(eq(int, start(&a, 0, AT, DMA_READ), DMA_FAULT));
	expect_event(&f, F_TRANSLATION | SID(STREAM), IN | EVT1_RNW, AT, 0);
}

/* The configuration that it is retried under counts (3.12.2). */
Test(smmu_stall, a_retry_goes_by_the_configuration_there_is_then)
{
	u64 tag;

	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	ste[0] = STE0_V;
	put();
	answer(STREAM, tag, RETRY);
	cr_assert(eq(int, a.status, DMA_FAULT));
	expect_no_event(&f);
}

/* Whoever is to be told of a command's effects may be freed by then. */
Test(smmu_stall, once_the_machine_is_taken_down_no_command_is_run)
{
	struct held h;

	start(&a, 0, AT, DMA_READ);
	map(AT + PAGE);
	cr_assert(eq(int, hold(&h, fake_smmu_dma(&f, 1), AT + PAGE, 8, DMA_READ), DMA_OK));
	fake_smmu_queue(&f, TLBI_NSNH_ALL, 0);
	fake_smmu_queue(&f, SYNC, 0);
	cr_assert(not(fake_smmu_command(&f, STALL_TERM | SID(STREAM), 0)),
	          "the transfer is waited for");
	loop_drain(f.vm.loop);
	let_go(&h);
	cr_assert(zero(u32, a.resumed));
}
