// SPDX-License-Identifier: GPL-2.0-only
/* Transactions with addresses that were translated before (Arm IHI 0070, 3.9.1.1, 3.9.1.3, 13.6.3):
 * which pass, where to, and what is recorded of the rest. */
#include "tests/unit/held.h"
#include "tests/unit/smmu_expect.h"

#define D      FAKE_SMMU_DATA
#define PAGE   0x1000ULL
#define IPA    0x40000000ULL
#define RW     (DMA_READ | DMA_WRITE)
#define IN     CLASS(CLASS_IN)
#define ON     (CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN)
#define OPEN   ON
#define CHECKS (ON | CR0_ATSCHK)

static struct fake_smmu f;
static gpa_t root2;
static u64 ste[8];

/* Stage 1 leads nowhere: it is not asked again. */
static void put(unsigned int config, unsigned int eats)
{
	fake_smmu_ste_words(&f, ste, config, 0, 3, root2);
	ste[1] = FIELD_PREP(STE1_EATS, (u64)eats);
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_forget(&f);
}

static void put_ste(void)
{
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_forget(&f);
}

static void start(const struct smmu_id *id)
{
	make_afresh(&f, id);
	root2 = fake_smmu_table(&f);
	fake_smmu_map(&f, root2, IPA, D + PAGE, FAKE_S2_RW);
	fake_smmu_enable(&f);
}

static void set_cr0(u32 cr0)
{
	fake_smmu_write32(&f, CR0, cr0);
}

static void make(void)
{
	start(NULL);
	set_cr0(CHECKS);
}

static void unmake(void)
{
	expect_no_event(&f);
	fake_smmu_unmake(&f);
}

TestSuite(smmu_translated, .init = make, .fini = unmake, .timeout = 20);

static struct fake_smmu_reached go(u64 addr, u32 perm)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = dma_access_to(addr, 4, perm);
	struct fake_smmu_reached got = { 0 };

	a.translated = true;
	got.status = dma_map(fake_smmu_dma(&f, 0), &a, &sg, NULL);
	got.reason = a.reason;
	if (got.status == DMA_OK)
		got.gpa = f.vm.mem.base + ((u8 *)iov.iov_base - f.vm.mem.host);
	dma_unmap(fake_smmu_dma(&f, 0), &sg);
	return got;
}

static void expect_at(u64 addr, gpa_t gpa)
{
	cr_assert(eq(u64, go(addr, RW).gpa, gpa));
	expect_no_event(&f);
}

static void expect_abort(u64 addr)
{
	cr_assert(eq(int, go(addr, RW).status, DMA_FAULT));
	expect_no_event(&f);
}

static void expect_forbidden(u64 addr, u32 perm)
{
	cr_assert(eq(int, go(addr, perm).status, DMA_FAULT));
	expect_event(&f, F_TRANSL_FORBIDDEN | SID(0x10), perm & DMA_WRITE ? 0 : EVT1_RNW, addr, 0);
	expect_no_event(&f);
}

Test(smmu_translated, unchecked_it_passes_whatever_the_ste_says)
{
	set_cr0(OPEN);
	put(0, EATS_NONE);
	expect_at(D + 0x10, D + 0x10);
	ste[0] = 0;
	put_ste();
	expect_at(D, D);
	f.sids[0] = 0x100000;
	expect_at(D, D);
}

/* 3.9.1.1: of the two, an abort. */
Test(smmu_translated, beyond_the_output_size_it_aborts_without_a_word)
{
	set_cr0(OPEN);
	expect_abort(BIT(44) | D);
	set_cr0(CHECKS);
	put(7, EATS_FULL);
	expect_abort(BIT(44) | D);
	expect_abort(BIT(63) | D);
	expect_at(D, D);
}

Test(smmu_translated, a_disabled_smmu_forbids_it)
{
	put(7, EATS_FULL);
	set_cr0(CR0_EVENTQEN | CR0_CMDQEN | CR0_ATSCHK);
	expect_forbidden(D, DMA_READ);
	set_cr0(CR0_EVENTQEN | CR0_CMDQEN);
	expect_forbidden(D, DMA_WRITE);
}

Test(smmu_translated, full_ats_passes_at_the_address_it_has)
{
	put(5, EATS_FULL);
	expect_at(D, D);
	put(6, EATS_FULL);
	expect_at(D, D);
	put(7, EATS_FULL);
	expect_at(D, D);
	cr_assert(zero(u64, fake_smmu_counts(&f).walks));
}

Test(smmu_translated, a_stream_without_ats_is_forbidden_it)
{
	put(7, EATS_NONE);
	expect_forbidden(D + 0x123, DMA_READ);
	expect_forbidden(D, RW);
	put(5, 3); /* reserved without DPT */
	expect_forbidden(D, DMA_WRITE);
	put(4, EATS_FULL);
	expect_forbidden(D, DMA_READ);
}

/* An instruction fetch is data, and nobody is privileged, here. */
Test(smmu_translated, the_event_has_no_attributes_and_no_pasid)
{
	struct dma_access a = { .iova = D, .len = 4, .perm = DMA_READ | DMA_EXEC, .pasid = 7 };
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };

	put(7, EATS_NONE);
	ste[1] |= FIELD_PREP(STE1_PRIVCFG, (u64)CFG_YES);
	put_ste();
	a.translated = true;
	cr_assert(eq(int, dma_map(fake_smmu_dma(&f, 0), &a, &sg, NULL), DMA_FAULT));
	expect_event(&f, F_TRANSL_FORBIDDEN | SID(0x10), EVT1_RNW, D, 0);
}

Test(smmu_translated, what_is_wrong_with_the_ste_aborts_without_a_word)
{
	put(0, EATS_FULL);
	expect_abort(D);
	put(5, EATS_SPLIT); /* ILLEGAL */
	expect_abort(D);
	put(7, EATS_FULL);
	ste[0] &= ~STE0_V;
	put_ste();
	expect_abort(D);
	f.sids[0] = 0x100000;
	expect_abort(D);
}

/* IDR3.PASIDTT is 0: CDs are not looked at. */
Test(smmu_translated, what_is_wrong_with_the_cd_does_not_matter)
{
	put(5, EATS_FULL);
	ste[0] |= FIELD_PREP(STE0_S1CDMAX, 4ULL);
	put_ste();
	expect_at(D, D);
}

Test(smmu_translated, split_stages_lead_through_stage_2)
{
	put(7, EATS_SPLIT);
	expect_at(IPA + 0x20, D + PAGE + 0x20);
}

Test(smmu_translated, of_split_stages_faults_are_as_of_any_transaction)
{
	put(7, EATS_SPLIT);
	cr_assert(eq(int, go(IPA + PAGE, DMA_READ).reason, DMA_NOT_MAPPED));
	expect_event(&f, F_TRANSLATION | SID(0x10), EVT1_RNW | EVT1_S2 | IN, IPA + PAGE,
	             IPA + PAGE);
	fake_smmu_map(&f, root2, IPA + PAGE, D, FAKE_S2_RO);
	cr_assert(eq(int, go(IPA + PAGE, DMA_WRITE).reason, DMA_NOT_PERMITTED));
	expect_event(&f, F_PERMISSION | SID(0x10), EVT1_S2 | IN, IPA + PAGE, IPA + PAGE);
	expect_at(IPA, D + PAGE);
	ste[2] &= ~STE2_S2R;
	put_ste();
	expect_abort(IPA + PAGE);
}

/* 3.9.1.3, 10: it is stage 1's. */
Test(smmu_translated, of_split_stages_an_address_beyond_the_input_size_is_recorded)
{
	put(7, EATS_SPLIT);
	cr_assert(eq(int, go(BIT(44), DMA_READ).status, DMA_FAULT));
	expect_event(&f, F_ADDR_SIZE | SID(0x10), EVT1_RNW | IN, BIT(44), 0);
}

/* 13.7; XN is 0b11 of S2AP's neighbours: execution by who is privileged alone. */
Test(smmu_translated, of_split_stages_the_ste_overrides_who_it_is)
{
	const u64 xo_privileged = (FAKE_S2_RW & ~(3ULL << 6)) | 3ULL << 53;

	fake_smmu_map(&f, root2, IPA, D, xo_privileged);
	put(7, EATS_SPLIT);
	ste[1] |= FIELD_PREP(STE1_INSTCFG, (u64)CFG_YES);
	put_ste();
	cr_assert(eq(int, go(IPA, DMA_READ).reason, DMA_NOT_PERMITTED));
	expect_event(&f, F_PERMISSION | SID(0x10), EVT1_RNW | EVT1_IND | EVT1_S2 | IN, IPA, IPA);
	ste[1] |= FIELD_PREP(STE1_PRIVCFG, (u64)CFG_YES);
	put_ste();
	cr_assert(eq(u64, go(IPA, DMA_READ).gpa, D));
}

/* Entries of split stages are stage 2's: CMD_TLBI_S2_IPA takes them. */
Test(smmu_translated, of_split_stages_the_tlb_has_stage_2)
{
	put(7, EATS_SPLIT);
	expect_at(IPA, D + PAGE);
	fake_smmu_map(&f, root2, IPA, D, FAKE_S2_RW);
	expect_at(IPA, D + PAGE);
	cr_assert(fake_smmu_command(&f, TLBI_S2_IPA | 3ULL << 32, IPA));
	expect_at(IPA, D);
}

Test(smmu_translated, without_ats_none_passes)
{
	const struct smmu_id id = fake_smmu_id("idr0.ats", 0);

	fake_smmu_unmake(&f);
	start(&id);
	put(7, EATS_FULL);
	expect_abort(D);
}

Test(smmu_translated, who_is_under_way_is_waited_for_by_who_changes_the_ste)
{
	struct dma_access a = dma_access_to(D, 8, DMA_READ);
	struct held h = { .space = fake_smmu_dma(&f, 0) };

	put(5, EATS_FULL);
	h.sg = (struct dma_sg){ .iov = h.iov, .uses = h.uses, .max = HELD_MAX };
	a.translated = true;
	cr_assert(eq(int, dma_map(h.space, &a, &h.sg, NULL), DMA_OK));
	ste[1] = 0;
	fake_smmu_ste(&f, 0x10, ste);
	cr_assert(fake_smmu_command(&f, CFGI_STE | SID(0x10), 1));
	cr_assert(not(fake_smmu_sync(&f)));
	let_go(&h);
	cr_assert(fake_smmu_kick(&f));
	expect_forbidden(D, DMA_READ);
}

Test(smmu_translated, a_cd_that_is_invalidated_takes_nothing_of_it)
{
	put(5, EATS_FULL);
	expect_at(D, D);
	ste[1] = 0;
	fake_smmu_ste(&f, 0x10, ste);
	cr_assert(fake_smmu_command(&f, CFGI_CD | SID(0x10), 1));
	expect_at(D, D);
	cr_assert(fake_smmu_command(&f, CFGI_STE | SID(0x10), 1));
	expect_forbidden(D, DMA_READ);
}
