// SPDX-License-Identifier: GPL-2.0-only
/* What stalls of an SMMUv3 by its configuration (Arm IHI 0070, 3.12, 5.5): which stage, which
 * fault, which access; and what is recorded of it. */
#include "tests/unit/smmu_stall.h"

TestSuite(smmu_stall_config, .init = begin, .fini = end);

/* 7.3: a stage-2 fault of each class stalls by S2S. */
Test(smmu_stall_config, stage_2_stalls_an_address)
{
	u64 tag;

	remake(NULL, 6);
	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW | EVT1_S2, AT);
	fake_smmu_map(&f, s2ttb, AT, FAKE_SMMU_DATA, FAKE_S2_RW);
	answer(STREAM, tag, RETRY);
	cr_assert(eq(int, a.status, DMA_OK));
}

Test(smmu_stall_config, stage_2_stalls_the_fetch_of_a_cd_and_of_a_table)
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
Test(smmu_stall_config, an_external_abort_is_terminated)
{
	u64 w[4];

	fake_smmu_put(&f, ttb0, 0x3 | 1ULL << 43);
	cr_assert(eq(int, start(&a, 0, AT, DMA_READ), DMA_FAULT));
	cr_assert(fake_smmu_event(&f, w));
	cr_assert(eq(u64, FIELD_GET(EVT0_ID, w[0]), F_WALK_EABT));
	cr_assert(zero(u64, w[1] & EVT1_STALL));
}

Test(smmu_stall_config, an_access_that_cannot_wait_is_terminated_and_recorded)
{
	cd[0] &= ~CD0_R;
	put();
	expect_fault(&f, AT, DMA_READ, DMA_NOT_MAPPED);
	expect_event(&f, F_TRANSLATION | SID(STREAM), IN | EVT1_RNW, AT, 0);
}

/* 7.3.1 */
Test(smmu_stall_config, stalls_are_not_merged)
{
	ste[1] |= STE1_MEV;
	put();
	start(&a, 0, AT, DMA_READ);
	start(&b, 0, AT, DMA_READ);
	cr_assert(ne(u64, stag(STREAM, AT, IN | EVT1_RNW, 0), stag(STREAM, AT, IN | EVT1_RNW, 0)));
}

/* 5.5 */
Test(smmu_stall_config, an_ste_that_disables_stalls_makes_a_cd_with_them_illegal)
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

/* 5.5, STALL_MODEL 0b10: each stage stalls, and nothing else is legal. */
Test(smmu_stall_config, where_all_faults_stall_both_stages_do_and_nothing_may_do_without)
{
	const struct smmu_id id = fake_smmu_id("idr0.stall_model", 2);

	remake(&id, 7);
	fake_smmu_map(&f, s2ttb, FAKE_SMMU_CDS & ~(PAGE - 1), FAKE_SMMU_CDS & ~(PAGE - 1),
	              FAKE_S2_RW);
	start(&a, 0, AT, DMA_READ);
	answer(STREAM, stag(STREAM, AT, TT | EVT1_RNW | EVT1_S2, ttb0), 0);
	fake_smmu_map(&f, s2ttb, ttb0, ttb0, FAKE_S2_RW);
	start(&a, 0, AT, DMA_READ);
	answer(STREAM, stag(STREAM, AT, IN | EVT1_RNW, 0), 0);
	cd[0] &= ~CD0_S;
	put();
	cr_assert(eq(int, start(&a, 0, AT, DMA_READ), DMA_FAULT));
	cr_assert(eq(u32, event_id(&f), C_BAD_CD));
	ste[2] &= ~STE2_S2S;
	put();
	cr_assert(eq(int, start(&a, 0, AT, DMA_READ), DMA_FAULT));
	cr_assert(eq(u32, event_id(&f), C_BAD_STE));
}

/* The configuration that it is retried under counts (3.12.2). */
Test(smmu_stall_config, a_retry_goes_by_the_configuration_there_is_then)
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

/* 32 bytes over two pages wait for the second one; its STAG. */
static u64 stalls_late(void)
{
	fake_smmu_map(&f, ttb0, AT, FAKE_SMMU_DATA, FAKE_S1_RW);
	a = (struct access){ { .resume = resumed }, 0, AT + PAGE - 16, 32, DMA_READ, 0, 0, 0 };
	cr_assert(eq(int, run(&a), DMA_PENDING));
	return stag(STREAM, AT + PAGE, IN | EVT1_RNW, 0);
}

static void has_no_cd(void)
{
	cd[0] &= ~CD0_V;
	put();
}

/* It has ended, and nothing is told of that; another access is. */
static void ended_without_a_record(unsigned int event)
{
	cr_assert(eq(u32, a.resumed, 1));
	cr_assert(eq(int, a.status, DMA_FAULT));
	expect_no_event(&f);
	cr_assert(eq(int, run(&a), DMA_FAULT));
	cr_assert(eq(u32, event_id(&f), event));
}

/* 4.7.1, 3.12.2.2: whatever is wrong with it by then, wherever it stalled. */
Test(smmu_stall_config, what_is_terminated_is_not_recorded_for_want_of_a_configuration)
{
	u64 tag;

	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	has_no_cd();
	answer(STREAM, tag, ABORT);
	ended_without_a_record(C_BAD_CD);
	remake(NULL, 5);
	tag = stalls_late();
	has_no_cd();
	answer(STREAM, tag, 0);
	ended_without_a_record(C_BAD_CD);
	remake(NULL, 5);
	tag = stalls_late();
	ste[0] &= ~STE0_V;
	put();
	answer(STREAM, tag, ABORT);
	ended_without_a_record(C_BAD_STE);
}

Test(smmu_stall_config, nor_is_what_stall_term_ends)
{
	start(&a, 0, AT, DMA_READ);
	stag(STREAM, AT, IN | EVT1_RNW, 0);
	has_no_cd();
	cr_assert(fake_smmu_command(&f, STALL_TERM | SID(STREAM), 0));
	ended_without_a_record(C_BAD_CD);
	remake(NULL, 5);
	stalls_late();
	has_no_cd();
	cr_assert(fake_smmu_command(&f, STALL_TERM | SID(STREAM), 0));
	ended_without_a_record(C_BAD_CD);
}

Test(smmu_stall_config, what_is_retried_is_recorded_for_want_of_one)
{
	u64 tag;

	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	has_no_cd();
	answer(STREAM, tag, RETRY);
	cr_assert(eq(int, a.status, DMA_FAULT));
	cr_assert(eq(u32, event_id(&f), C_BAD_CD));
	expect_no_event(&f);
}

/* Nobody runs a message again, so this goes beyond what 3.12 allows of such an SMMU. */
Test(smmu_stall_config, where_all_faults_stall_a_message_is_terminated_and_recorded_all_the_same)
{
	const struct smmu_id id = fake_smmu_id("idr0.stall_model", 2);
	gpa_t gpa;

	remake(&id, 5);
	cr_assert(eq(int, dma_doorbell(fake_smmu_dma(&f, 0), AT, &gpa), DMA_FAULT));
	expect_event(&f, F_TRANSLATION | SID(STREAM), IN, AT, 0);
	expect_no_event(&f);
}
