// SPDX-License-Identifier: GPL-2.0-only
/* An SMMU's PRI queue (Arm IHI 0070, chapter 8): records, interrupts, overflow and automatic
 * responses. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>

#include "tests/unit/smmu_pri.h"

TestSuite(smmu_pri, .init = make, .fini = unmake, .timeout = 20);

struct record_case {
	struct dma_page_request rq;
	u64 w0, w1;
};

ParameterizedTestParameters(smmu_pri, a_request_is_a_record_of_two_words)
{
	static struct record_case cases[] = {
		{ { 0x5000, DMA_READ, NONE, 0, false }, STREAM | PRI0_R, 0x5000 },
		{ { 0x5000, DMA_WRITE, NONE, 511, true },
		  STREAM | PRI0_W | PRI0_LAST,
		  0x5000 | 511 },
		{ { ~0xfffULL, DMA_READ | DMA_WRITE, 0, 1, false },
		  STREAM | PRI0_R | PRI0_W | PRI0_SSV,
		  ~0xfffULL | 1 },
		{ { 0, DMA_READ | DMA_EXEC, 0xfffff, 2, true },
		  STREAM | PRI0_R | PRI0_X | PRI0_SSV | PRI0_LAST | 0xfffffULL << 32,
		  2 },
		/* what is executed is read; without a PASID X is 0 */
		{ { 0, DMA_EXEC, 0x12345, 2, false },
		  STREAM | PRI0_R | PRI0_X | PRI0_SSV | 0x12345ULL << 32,
		  2 },
		{ { 0, DMA_EXEC, NONE, 3, false }, STREAM | PRI0_R, 3 },
		/* LWR 0b100: a request without a PASID, a Stop Marker with one */
		{ { 0x7000, 0, NONE, 4, true }, STREAM | PRI0_LAST, 0x7004 },
		{ { 0, 0, 5, 0, true }, STREAM | PRI0_LAST | PRI0_SSV | 5ULL << 32, 0 },
	};

	return cr_make_param_array(struct record_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct record_case *c, smmu_pri, a_request_is_a_record_of_two_words)
{
	cr_assert(dma_request_page(fake_smmu_dma(&f, 0), &c->rq));
	cr_assert(eq(u32, prod(), 1));
	expect_record(c->w0, c->w1);
	expect_empty();
	cr_assert(zero(u32, got.nr));
}

Test(smmu_pri, records_go_round_in_order)
{
	for (u16 i = 0; i < 50; i++) {
		cr_assert(pri_ask(i % 4, NONE, i, false));
		cr_assert(eq(u32, prod(), (i + 1) & 15), "with the wrap bit");
		expect_record((STREAM + i % 4) | PRI0_R, 0x5000 | i);
	}
	fill();
	for (u16 i = 0; i < 8; i++)
		expect_record(STREAM | PRI0_R, 0x5100 | i);
	expect_empty();
	cr_assert(zero(u32, got.nr));
}

Test(smmu_pri, a_queue_is_no_larger_than_priqs)
{
	remake("idr1.priqs", 1, 5);
	size = 1;
	cr_assert(eq(u64, fake_smmu_read64(&f, PRIQ_BASE) & 31, 5), "it reads as it was written");
	fill();
	cr_assert(eq(u32, prod(), 2));
	ask(NONE, 1, false);
	cr_assert(eq(u32, prod(), 2 | QUEUE_OVERFLOW));
}

Test(smmu_pri, its_base_is_aligned_to_its_size)
{
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_PRIQEN);
	fake_smmu_write64(&f, PRIQ_BASE, FAKE_SMMU_PRIQ | 0x60 | 3);
	fake_smmu_write32(&f, CR0, PRI_ON);
	ask(NONE, 1, false);
	expect_record(STREAM | PRI0_R, 0x5001);
	cr_assert(zero(u64, fake_smmu_get(&f, FAKE_SMMU_PRIQ + 0x60)));
}

Test(smmu_pri, a_queue_of_one_entry_has_one)
{
	unmake();
	make();
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_PRIQEN);
	size = 0;
	pri_enable(0);
	for (u16 i = 0; i < 3; i++) {
		cr_assert(ask(NONE, i, false));
		expect_record(STREAM | PRI0_R, 0x5000 | i);
	}
	fill();
	ask(NONE, 9, false);
	cr_assert(eq(u32, prod(), QUEUE_OVERFLOW));
}

Test(smmu_pri, without_substreams_a_pasid_does_not_arrive)
{
	remake("idr1.ssidsize", 0, 3);
	cr_assert(ask(7, 1, true));
	expect_record(STREAM | PRI0_R | PRI0_LAST, 0x5001);
	cr_assert(pri_respond(STREAM, 7, 1, 2), "and SSV is ignored");
	expect_answer(NONE, 1, DMA_PAGE_SUCCESS);
}

Test(smmu_pri, of_a_pasid_so_many_bits_arrive_as_ssidsize)
{
	remake("idr1.ssidsize", 4, 3);
	cr_assert(ask(0x57, 1, false));
	expect_record(STREAM | PRI0_R | PRI0_SSV | 7ULL << 32, 0x5001);
}

Test(smmu_pri, configuration_of_the_stream_makes_no_difference)
{
	u64 ste[8];

	fake_smmu_ste_words(&f, ste, 0, 0, 0, 0); /* abort, EATS 0 */
	fake_smmu_ste(&f, STREAM, ste);
	cr_assert(ask(3, 1, false));
	ste[0] = 0; /* not valid */
	fake_smmu_ste(&f, STREAM, ste);
	cr_assert(ask(3, 2, false));
	cr_assert(eq(u32, prod(), 2));
	expect_no_event(&f);
}

Test(smmu_pri, the_interrupt_is_when_the_queue_ceases_to_be_empty)
{
	ask(NONE, 0, true);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_PRIQ);
	cr_assert(zero(u32, edges[FAKE_SMMU_PRIQ_SPI]), "none for what was before");
	ask(NONE, 1, true);
	cr_assert(zero(u32, edges[FAKE_SMMU_PRIQ_SPI]));
	acknowledge_overflow();
	ask(NONE, 2, false);
	cr_assert(eq(u32, edges[FAKE_SMMU_PRIQ_SPI], 1));
	ask(NONE, 3, true);
	cr_assert(eq(u32, edges[FAKE_SMMU_PRIQ_SPI], 1));
	cr_assert(zero(u32, fake.nr_msis));
}

Test(smmu_pri, with_lo_it_is_when_the_last_of_a_group_comes)
{
	fake_smmu_write32(&f, PRIQ_IRQ_CFG2, BIT(31));
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_PRIQ);
	ask(NONE, 0, false);
	cr_assert(zero(u32, edges[FAKE_SMMU_PRIQ_SPI]));
	ask(NONE, 0, true);
	ask(NONE, 1, true);
	cr_assert(eq(u32, edges[FAKE_SMMU_PRIQ_SPI], 2));
	fake_smmu_write32(&f, PRIQ_CONS, prod());
	fill();
	cr_assert(eq(u32, edges[FAKE_SMMU_PRIQ_SPI], 2));
	ask(NONE, 2, false);
	cr_assert(eq(u32, edges[FAKE_SMMU_PRIQ_SPI], 2));
	ask(NONE, 2, true);
	cr_assert(eq(u32, edges[FAKE_SMMU_PRIQ_SPI], 3), "discarded by an overflow, too");
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_PRIQEN);
	ask(NONE, 3, true);
	cr_assert(eq(u32, edges[FAKE_SMMU_PRIQ_SPI], 3), "for another reason, not");
}

Test(smmu_pri, no_interrupt_without_its_enable)
{
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_EVENTQ | IRQ_GERROR);
	ask(NONE, 0, true);
	cr_assert(zero(u32, fake.line_changes + fake.nr_msis));
}

static void program(u64 addr)
{
	fake_smmu_write64(&f, PRIQ_IRQ_CFG0, addr);
	fake_smmu_write32(&f, PRIQ_IRQ_CFG1, 0xcafe);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_PRIQ);
}

Test(smmu_pri, its_interrupt_as_a_message)
{
	program(FAKE_SMMU_DOORBELL);
	ask(NONE, 0, false);
	ask(NONE, 1, false);
	cr_assert(eq(u32, fake.nr_msis, 1));
	cr_assert(eq(u32, fake.msi.data, 0xcafe));
	cr_assert(zero(u32, fake.line_changes));
}

Test(smmu_pri, a_message_that_is_aborted_is_a_global_error_of_its_own)
{
	program(FAKE_SMMU_BASE);
	fake.msi_ret = -EINVAL;
	ask(NONE, 0, true);
	cr_assert(eq(u32, active(), GERROR_MSI_PRIQ_ABT));
	expect_record(STREAM | PRI0_R | PRI0_LAST, 0x5000);
	cr_assert(zero(u32, got.nr), "the request is there");
}

Test(smmu_pri, an_overflow_is_told_once_and_nothing_is_written_until_it_is_acknowledged)
{
	fill();
	cr_assert(ask(NONE, 1, false));
	cr_assert(eq(u32, prod(), 8 | QUEUE_OVERFLOW));
	cr_assert(zero(u32, got.nr), "what is not the last has no response");
	for (u16 i = 0; i < 8; i++)
		expect_record(STREAM | PRI0_R, 0x5100 | i);
	cr_assert(ask(NONE, 1, true), "there is room, but for the overflow");
	expect_empty();
	expect_answer(NONE, 1, DMA_PAGE_SUCCESS);
	acknowledge_overflow();
	cr_assert(ask(NONE, 2, true));
	expect_record(STREAM | PRI0_R | PRI0_LAST, 0x5002);
	cr_assert(zero(u32, got.nr));
	cr_assert(eq(u64, counts().raised, 9));
	cr_assert(eq(u64, counts().refused, 2));
	cr_assert(eq(u64, counts().automatic, 1));
	fill();
	ask(NONE, 3, false);
	cr_assert(zero(u32, prod() & QUEUE_OVERFLOW), "the next one toggles it back");
}

enum stream { PLAIN, PPAR, INVALID, ILLEGAL, ABORTED, OUTSIDE };
struct overflow_case {
	u32 pasid;
	bool pps;
	enum stream stream;
	u32 with; /* the response's PASID */
	enum dma_page_code code;
};

/* The STE of STREAM. */
static void set_stream(enum stream stream)
{
	u64 ste[8];

	fake_smmu_ste_words(&f, ste, stream == ILLEGAL ? 5 : 4, 0, 0, 0);
	ste[1] |= stream == PPAR ? STE1_PPAR : 0;
	if (stream == INVALID)
		ste[0] &= ~STE0_V;
	if (stream == ILLEGAL)
		ste[0] |= 30ULL << 59; /* S1CDMax */
	fake_smmu_ste(&f, STREAM, ste);
	if (stream == OUTSIDE)
		f.sids[0] = 0x50;
	if (stream != ABORTED)
		return;
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_SMMUEN);
	fake_smmu_write64(&f, STRTAB_BASE, FAKE_SMMU_BASE);
	fake_smmu_write32(&f, CR0, PRI_ON);
}

ParameterizedTestParameters(smmu_pri, an_overflows_response_has_the_pasid_that_ppar_or_pps_say)
{
	static struct overflow_case cases[] = {
		{ NONE, false, PLAIN, NONE, DMA_PAGE_SUCCESS },
		{ NONE, false, PPAR, NONE, DMA_PAGE_SUCCESS },
		{ NONE, false, INVALID, NONE, DMA_PAGE_SUCCESS },
		{ NONE, true, PPAR, NONE, DMA_PAGE_SUCCESS },
		{ 7, false, PLAIN, NONE, DMA_PAGE_SUCCESS },
		{ 7, false, PPAR, 7, DMA_PAGE_SUCCESS },
		{ 7, false, INVALID, NONE, DMA_PAGE_FAILURE },
		{ 7, false, ILLEGAL, NONE, DMA_PAGE_FAILURE },
		{ 7, false, ABORTED, NONE, DMA_PAGE_FAILURE },
		{ 7, false, OUTSIDE, NONE, DMA_PAGE_FAILURE },
		{ 7, true, PLAIN, 7, DMA_PAGE_SUCCESS },
		{ 7, true, INVALID, 7, DMA_PAGE_SUCCESS },
		{ 0xfffff, true, OUTSIDE, 0xfffff, DMA_PAGE_SUCCESS },
	};

	return cr_make_param_array(struct overflow_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct overflow_case *c, smmu_pri,
                  an_overflows_response_has_the_pasid_that_ppar_or_pps_say)
{
	remake("idr3.pps", c->pps, 3);
	set_stream(c->stream);
	fill();
	cr_assert(ask(c->pasid, 5, true));
	expect_answer(c->with, 5, c->code);
	cr_assert(eq(u32, prod(), 8 | QUEUE_OVERFLOW));
	expect_no_event(&f);
	cr_assert(zero(u32, active()));
}

enum obstacle { NO_PRIQEN, NO_SMMUEN, ABT_ACTIVE, SFM };

ParameterizedTestParameters(smmu_pri, what_cannot_be_recorded_fails_each_without_a_pasid)
{
	static enum obstacle cases[] = { NO_PRIQEN, NO_SMMUEN, ABT_ACTIVE, SFM };

	return cr_make_param_array(enum obstacle, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(enum obstacle *o, smmu_pri, what_cannot_be_recorded_fails_each_without_a_pasid)
{
	if (*o == NO_PRIQEN)
		fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_PRIQEN);
	else if (*o == NO_SMMUEN)
		fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_SMMUEN);
	else if (*o == ABT_ACTIVE)
		fake_smmu_write32(&f, GERRORN, GERROR_PRIQ_ABT);
	else
		cr_assert(zero(ptr, (void *)smmu_inject(f.smmu, "sfm")));
	cr_assert(ask(7, 5, false));
	expect_answer(NONE, 5, DMA_PAGE_FAILURE);
	cr_assert(ask(7, 5, true));
	expect_answer(NONE, 5, DMA_PAGE_FAILURE);
	cr_assert(zero(u32, prod()));
	cr_assert(eq(u64, counts().automatic, 2));
}

Test(smmu_pri, a_record_that_is_aborted_is_a_global_error_and_fails_its_request)
{
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_PRIQEN);
	fake_smmu_write64(&f, PRIQ_BASE, FAKE_SMMU_BASE | 3);
	fake_smmu_write32(&f, CR0, PRI_ON);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_PRIQ);
	cr_assert(ask(7, 5, false));
	expect_answer(NONE, 5, DMA_PAGE_FAILURE);
	cr_assert(eq(u32, active(), GERROR_PRIQ_ABT));
	cr_assert(zero(u32, got.prod), "PROD stays");
	cr_assert(zero(u32, fake.line_changes), "there is nothing in the queue");
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_PRIQEN);
	fake_smmu_write64(&f, PRIQ_BASE, FAKE_SMMU_PRIQ | 3);
	fake_smmu_write32(&f, CR0, PRI_ON);
	fake_smmu_write32(&f, GERRORN, fake_smmu_read32(&f, GERROR));
	cr_assert(ask(7, 5, false));
	cr_assert(eq(u32, prod(), 1), "acknowledged, it goes on");
}

Test(smmu_pri, errors_of_page_requests_can_be_asked_for)
{
	cr_assert(zero(ptr, (void *)smmu_inject(f.smmu, "gerror=priq-abt")));
	cr_assert(eq(u32, active(), GERROR_PRIQ_ABT));
	ask(NONE, 5, true);
	expect_answer(NONE, 5, DMA_PAGE_FAILURE);
	cr_assert(zero(ptr, (void *)smmu_inject(f.smmu, "gerror=msi-priq-abt")));
	cr_assert(eq(u32, active(), GERROR_PRIQ_ABT | GERROR_MSI_PRIQ_ABT));
	remake("idr0.pri", 0, 3);
	cr_assert(eq(str, (char *)smmu_inject(f.smmu, "gerror=priq-abt"),
	             "idr0.pri=1 with an error of page requests"));
}

static void stop_marker(void)
{
	const struct dma_page_request marker = { 0, 0, 7, 0, true };

	cr_assert(dma_request_page(fake_smmu_dma(&f, 0), &marker));
}

Test(smmu_pri, a_stop_marker_is_never_answered)
{
	stop_marker();
	cr_assert(eq(u32, prod(), 1));
	stop_marker(); /* it is no group that waits */
	cr_assert(eq(u32, prod(), 2));
	for (unsigned int i = 0; i < 7; i++)
		stop_marker();
	cr_assert(eq(u32, prod(), 8 | QUEUE_OVERFLOW));
	fake_smmu_write32(&f, CR0, PRI_ON & ~CR0_SMMUEN);
	stop_marker();
	cr_assert(zero(u32, got.nr));
	cr_assert(zero(u64, counts().raised + counts().ended));
}
