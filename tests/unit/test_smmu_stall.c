// SPDX-License-Identifier: GPL-2.0-only
/* Stalls of an SMMUv3 (Arm IHI 0070, 3.12.2, 4.7.1, 4.7.2, 7.2.1): how they are recorded, and each
 * way one ends. */
#include "tests/unit/held.h"
#include "tests/unit/smmu_stall.h"

TestSuite(smmu_stall, .init = begin, .fini = end);

static struct access c;

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
	cr_assert(eq(u64, fake_smmu_counts(&f).resumed, 1));
	answer(STREAM, tag, RETRY);
	cr_assert(eq(u64, fake_smmu_counts(&f).resumed, 1), "of what has ended");
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
	answer(STREAM, stag(STREAM, AT, IN | EVT1_RNW, 0), RETRY | ABORT);
	stag(STREAM, AT, IN | EVT1_RNW, 0);
}

/* 4.7.1, IDR0.TERM_MODEL: with Ab, as Linux has it, and without. */
Test(smmu_stall, what_is_terminated_aborts_whether_that_is_said_or_not)
{
	static const u64 actions[] = { ABORT, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		start(&a, 0, AT, i ? DMA_READ : DMA_WRITE);
		answer(STREAM, stag(STREAM, AT, i ? IN | EVT1_RNW : IN, 0), actions[i]);
		cr_assert(eq(u32, a.resumed, 1));
		cr_assert(eq(int, a.status, DMA_FAULT));
		cr_assert(zero(u64, a.done));
		expect_no_event(&f);
	}
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
	cr_assert(eq(u64, fake_smmu_counts(&f).terminated, 2));
	cr_assert(eq(u64, fake_smmu_counts(&f).resumed, 1));
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

/* Stream + 1 has a CD of its own, without S. */
static void let_other_stream_fail(void)
{
	u64 other_ste[8], other_cd[8];

	fake_smmu_cd_words(&f, other_cd, 2, ttb0);
	fake_smmu_cd(&f, 1, other_cd);
	fake_smmu_ste_words(&f, other_ste, 5, 1, 1, 0);
	fake_smmu_ste(&f, STREAM + 1, other_ste);
	fake_smmu_forget(&f);
}

static void fail(u64 iova)
{
	cr_assert(eq(int, fake_smmu_reach(&f, 1, iova, DMA_READ, DMA_NO_PASID).status, DMA_FAULT));
}

static void expect_failure(u64 iova)
{
	expect_event(&f, F_TRANSLATION | SID(STREAM + 1), IN | EVT1_RNW, iova, 0);
}

static bool overflows(void)
{
	return (fake_smmu_read32(&f, EVENTQ_PROD) ^ fake_smmu_read32(&f, EVENTQ_CONS)) >> 31;
}

/* 7.2.1, 7.4: of either kind what belongs to it, in the order in which there was room. */
Test(smmu_stall, in_a_full_queue_stalls_wait_and_other_events_are_lost)
{
	let_other_stream_fail();
	start(&a, 0, AT, DMA_READ);
	fail(AT);
	start(&b, 0, AT + PAGE, DMA_READ);
	fail(AT + PAGE);
	start(&c, 0, AT + 2 * PAGE, DMA_READ);
	cr_assert(not(overflows()), "a stall that waits is no overflow");
	fail(AT + 2 * PAGE);
	cr_assert(overflows());
	stag(STREAM, AT, IN | EVT1_RNW, 0);
	cr_assert(eq(u32, c.resumed, 1), "before it is acknowledged");
	fail(AT + 3 * PAGE); /* it is full again */
	expect_failure(AT);
	stag(STREAM, AT + PAGE, IN | EVT1_RNW, 0);
	expect_failure(AT + PAGE);
	answer(STREAM, stag(STREAM, AT + 2 * PAGE, IN | EVT1_RNW, 0), 0);
	cr_assert(eq(int, c.status, DMA_FAULT));
	expect_no_event(&f);
	cr_assert(eq(u64, fake_smmu_counts(&f).lost, 2));
	cr_assert(overflows());
	fail(AT + 4 * PAGE);
	expect_failure(AT + 4 * PAGE);
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
