// SPDX-License-Identifier: GPL-2.0-only
/* Responses to an SMMU's page requests: CMD_PRI_RESP (Arm IHI 0070, 4.5.2), and each end. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "tests/unit/said.h"
#include "tests/unit/smmu_pri.h"

#define SUCCESS 2 /* as the command has it */

TestSuite(smmu_pri_resp, .init = make, .fini = unmake, .timeout = 20);

struct code_case {
	u32 pasid;
	u64 resp;
	enum dma_page_code told;
};

ParameterizedTestParameters(smmu_pri_resp, the_endpoint_is_told_the_groups_answer)
{
	static struct code_case cases[] = {
		{ NONE, 0, DMA_PAGE_FAILURE },    { NONE, 1, DMA_PAGE_INVALID },
		{ NONE, 2, DMA_PAGE_SUCCESS },    { 0, 0, DMA_PAGE_FAILURE },
		{ 0xfffff, 1, DMA_PAGE_INVALID }, { 0x12345, 2, DMA_PAGE_SUCCESS },
	};

	return cr_make_param_array(struct code_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct code_case *c, smmu_pri_resp, the_endpoint_is_told_the_groups_answer)
{
	ask(c->pasid, 0x1fe, false);
	ask(c->pasid, 0x1fe, true);
	cr_assert(pri_respond(STREAM, c->pasid, 0x1fe, c->resp));
	expect_answer(c->pasid, 0x1fe, c->told);
	cr_assert(eq(u64, counts().answered, 1));
}

/* A Root Complex knows of no groups: the endpoint notes what it did not expect. */
Test(smmu_pri_resp, what_answers_nothing_that_waits_goes_to_the_endpoint_all_the_same)
{
	ask(NONE, 1, true);
	cr_assert(pri_respond(STREAM, NONE, 2, SUCCESS));
	expect_answer(NONE, 2, DMA_PAGE_SUCCESS);
	cr_assert(pri_respond(STREAM, 7, 1, SUCCESS));
	expect_answer(7, 1, DMA_PAGE_SUCCESS);
	cr_assert(pri_respond(STREAM, NONE, 1, SUCCESS));
	expect_answer(NONE, 1, DMA_PAGE_SUCCESS);
	cr_assert(pri_respond(STREAM, NONE, 1, SUCCESS));
	expect_answer(NONE, 1, DMA_PAGE_SUCCESS);
	cr_assert(eq(u64, counts().answered, 1));
	cr_assert(eq(u64, counts().unknown, 2));
	cr_assert(eq(u64, counts().duplicate, 1));
}

Test(smmu_pri_resp, a_response_for_a_stream_of_nobodys_goes_nowhere)
{
	ask(NONE, 1, true);
	cr_assert(pri_respond(STREAM + 1, NONE, 1, SUCCESS), "its device takes none");
	cr_assert(pri_respond(0x99, NONE, 1, SUCCESS));
	cr_assert(pri_respond(~0u, NONE, 1, SUCCESS));
	cr_assert(zero(u32, got.nr));
	cr_assert(zero(u32, fake_smmu_cerror(&f)));
}

static unsigned int identified;

static u32 note_identified(const void *ctx)
{
	(void)ctx;
	identified++;
	return STREAM + 1;
}

/* As after the destruction of its device, which is its requester, too. */
Test(smmu_pri_resp, an_endpoint_without_a_device_is_not_asked_who_it_is)
{
	smmu_identify(f.endpoints[1], note_identified, NULL);
	cr_assert(pri_respond(STREAM + 1, NONE, 1, SUCCESS));
	cr_assert(pri_respond(0x99, NONE, 1, SUCCESS));
	cr_assert(zero(u32, identified));
}

Test(smmu_pri_resp, a_reserved_response_is_illegal)
{
	ask(NONE, 1, true);
	cr_assert(not(pri_respond(STREAM, NONE, 1, 3)));
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ILL));
	cr_assert(zero(u32, got.nr));
}

Test(smmu_pri_resp, a_response_is_ignored_while_translation_is_disabled)
{
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_SMMUEN);
	cr_assert(pri_respond(STREAM, NONE, 1, SUCCESS));
	cr_assert(zero(u32, got.nr));
	cr_assert(zero(u64, counts().unknown));
}

Test(smmu_pri_resp, without_the_queue_a_response_goes_out)
{
	ask(NONE, 1, true);
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_PRIQEN);
	cr_assert(zero(u32, got.nr));
	cr_assert(pri_respond(STREAM, NONE, 1, SUCCESS));
	expect_answer(NONE, 1, DMA_PAGE_SUCCESS);
}

Test(smmu_pri_resp, what_waits_when_translation_is_disabled_has_failed)
{
	ask(7, 1, true);
	ask(NONE, 2, false);
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_SMMUEN);
	expect_answer(NONE, 1, DMA_PAGE_FAILURE);
	fake_smmu_write32(&f, CR0, PRI_ON);
	cr_assert(zero(u32, got.nr), "once");
	cr_assert(pri_respond(STREAM, 7, 1, SUCCESS));
	cr_assert(eq(u64, counts().ended, 1));
	cr_assert(eq(u64, counts().late, 1));
}

Test(smmu_pri_resp, an_endpoint_that_was_reset_begins_anew)
{
	for (u16 i = 0; i < 8; i++)
		ask(NONE, i, true);
	dma_forget_pages(fake_smmu_dma(&f, 0));
	fake_smmu_write32(&f, PRIQ_CONS, prod());
	ask(NONE, 3, true);
	cr_assert(eq(u32, prod(), 9), "by a name that it had used");
	cr_assert(pri_respond(STREAM, NONE, 3, SUCCESS));
	expect_answer(NONE, 3, DMA_PAGE_SUCCESS);
	cr_assert(eq(u64, counts().forgotten, 8));
	cr_assert(eq(u64, counts().answered, 1));
}

Test(smmu_pri_resp, more_groups_than_are_kept_are_told_to_ask_again)
{
	remake("idr1.priqs", 10, 7);
	for (u16 i = 0; i < FAULT_MAX_WAITING; i++)
		ask(NONE, i, true);
	cr_assert(zero(u32, got.nr));
	ask(NONE, 400, true);
	expect_answer(NONE, 400, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, prod(), FAULT_MAX_WAITING), "it is no overflow");
	cr_assert(pri_ask(1, NONE, 400, true), "another endpoint has its own");
	cr_assert(eq(u32, prod(), FAULT_MAX_WAITING + 1));
}

/* 3.9: PASIDs that are cut off may be the same: what is asked for has one answer nevertheless. */
Test(smmu_pri_resp, what_arrives_as_a_group_that_waits_is_recorded_and_not_answered_by_itself)
{
	remake("idr1.ssidsize", 4, 3);
	ask(0x17, 1, true);
	ask(0x27, 1, false);
	ask(0x27, 1, true);
	cr_assert(eq(u32, prod(), 3));
	cr_assert(zero(u32, got.nr));
	cr_assert(eq(u64, counts().raised, 3));
	cr_assert(pri_respond(STREAM, 7, 1, SUCCESS));
	expect_answer(7, 1, DMA_PAGE_SUCCESS);
	cr_assert(pri_respond(STREAM, 7, 1, SUCCESS), "a driver answers both");
	expect_answer(7, 1, DMA_PAGE_SUCCESS);
	cr_assert(eq(u64, counts().answered, 1));
	cr_assert(eq(u64, counts().duplicate, 1));
	cr_assert(zero(u64, counts().automatic));
}

/* 6.3.36: nothing was written, and no overflow begins. */
Test(smmu_pri_resp, a_group_more_than_are_kept_does_not_interrupt)
{
	remake("idr1.priqs", 10, 7);
	fake_smmu_write32(&f, PRIQ_IRQ_CFG2, BIT(31));
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_PRIQ);
	for (u16 i = 0; i < FAULT_MAX_WAITING; i++)
		ask(NONE, i, true);
	cr_assert(eq(u32, edges[FAKE_SMMU_PRIQ_SPI], FAULT_MAX_WAITING));
	ask(NONE, 400, true);
	expect_answer(NONE, 400, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, edges[FAKE_SMMU_PRIQ_SPI], FAULT_MAX_WAITING));
}

Test(smmu_pri_resp, a_stop_marker_is_recorded_whatever_waits)
{
	const struct dma_page_request marker = { .pasid = 7, .last = true };

	remake("idr1.priqs", 10, 7);
	for (u16 i = 0; i < FAULT_MAX_WAITING; i++)
		ask(7, i, true);
	cr_assert(dma_request_page(fake_smmu_dma(&f, 0), &marker), "of a group that waits");
	cr_assert(eq(u32, prod(), FAULT_MAX_WAITING + 1));
	pri_respond(STREAM, 7, 0, SUCCESS);
	ask(7, 100, true);
	cr_assert(dma_request_page(fake_smmu_dma(&f, 0), &marker), "and as many wait as can");
	cr_assert(eq(u32, prod(), FAULT_MAX_WAITING + 3));
}

Test(smmu_pri_resp, without_idr0_pri_there_is_nothing)
{
	unmake();
	make_afresh(&f, NULL);
	fake_smmu_enable(&f);
	fake_smmu_dma(&f, 0)->device = &device;
	cr_assert(not(ask(NONE, 1, true)));
	cr_assert(zero(u32, got.nr), "it knows at once");
	cr_assert(not(pri_respond(STREAM, NONE, 1, SUCCESS)));
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ILL));
}

Test(smmu_pri_resp, who_has_no_stream_is_refused)
{
	const struct dma_page_request rq = { 0x5000, DMA_READ, NONE, 0, true };
	struct smmu_endpoint *e;

	cr_assert(zero(int, smmu_add_endpoint(f.smmu, &e)));
	cr_assert(not(dma_request_page(smmu_endpoint_dma(e), &rq)));
	cr_assert(zero(u32, prod()));
}

Test(smmu_pri_resp, a_trace_tells_of_requests_and_responses, .init = listen_to_errors)
{
	const char *text;

	f.vm.log->topics = BIT(TRACE_SMMU);
	ask(7, 5, true);
	pri_respond(STREAM, 7, 5, 1);
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_PRIQEN);
	ask(7, 6, true);
	text = said(stderr);
	cr_assert(strstr(text, "page request: StreamID=0x10 SSV=1 SubstreamID=0x7 Address=0x5000 "
	                       "PRGIndex=0x5 Last=1 W=0 R=1 X=0 Priv=0\n") != NULL);
	cr_assert(strstr(text, "CMD_PRI_RESP: StreamID=0x10 SSV=1 SubstreamID=0x7 PRGIndex=0x5 "
	                       "Resp=1\n") != NULL);
	cr_assert(strstr(text, "automatic PRG Response: StreamID=0x10 SSV=0 SubstreamID=0x0 "
	                       "PRGIndex=0x6 Response Failure\n") != NULL);
}
