// SPDX-License-Identifier: GPL-2.0-only
/* What a host's SMMU has of streams of the guest's: by registers, by STEs, and when. */
#include <errno.h>

#include "tests/unit/fake_vsmmu.h"
#include "vfio/vsmmu_private.h"

#define F      (&fake_v.smmu)
#define ABORT  1ULL
#define BYPASS 9ULL
#define STAGE1 0xbULL

static void make(void)
{
	fake_vsmmu_make(NULL);
}

TestSuite(vsmmu, .init = make, .fini = fake_vsmmu_unmake);

/* By what function @i is attached. */
static u64 ste0(unsigned int i)
{
	const u64 *ste = fake_ste_of(i);

	return ste ? ste[0] : 0;
}

static void put_ste(unsigned int i, unsigned int config)
{
	u64 w[8];

	fake_smmu_ste_words(F, w, config, i, 0, 0);
	fake_smmu_ste(F, F->sids[i], w);
}

/* What bypasses is attached anew then: of events the host tells by the vDEVICE there was before. */
Test(vsmmu, what_bypasses_is_attached_again_as_it_has_its_stream_id)
{
	const u32 before = fake_v.devs[0].hwpt;
	u64 w[8];

	fake_smmu_ste_words(F, w, CONFIG_TRAFFIC, 0, 0, 0);
	fake_smmu_ste(F, 0x10, w);
	fake_vsmmu_enable();
	cr_assert(ne(u32, fake_v.devs[0].hwpt, before));
	cr_assert(eq(u32, fake_v.devs[0].hwpt, fake_v.vsmmu->bypass));
}

Test(vsmmu, before_it_is_enabled_streams_bypass_it_as_gbpa_says)
{
	cr_assert(eq(u64, ste0(0), BYPASS));
	cr_assert(eq(u32, fake_sid_of(0), ~0u), "nobody needs to know it yet");
	fake_smmu_write32(F, GBPA, GBPA_UPDATE | GBPA_ABORT);
	cr_assert(ne(u32, fake_smmu_read32(F, GBPA) & GBPA_UPDATE, 0), "not before the host is");
	fake_vsmmu_settle();
	cr_assert(eq(u32, fake_smmu_read32(F, GBPA), GBPA_ABORT));
	cr_assert(eq(u64, ste0(0), ABORT));
	cr_assert(eq(u64, ste0(1), ABORT));
	fake_smmu_write32(F, GBPA, GBPA_UPDATE);
	fake_vsmmu_settle();
	cr_assert(eq(u64, ste0(0), BYPASS));
}

Test(vsmmu, when_it_is_enabled_each_goes_by_its_ste)
{
	put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
	put_ste(1, CONFIG_TRAFFIC);
	fake_smmu_program(F);
	cr_assert(not(fake_smmu_read32(F, CR0ACK) & CR0_SMMUEN), "not complete before the host is");
	fake_vsmmu_settle();
	cr_assert(fake_smmu_read32(F, CR0ACK) & CR0_SMMUEN);
	cr_assert(eq(u64, ste0(0), STAGE1 | FAKE_SMMU_CDS));
	cr_assert(eq(u64, ste0(1), BYPASS));
	cr_assert(eq(u32, fake_sid_of(0), 0x10));
	cr_assert(eq(u32, fake_sid_of(1), 0x11));
	fake_smmu_write32(F, CR0, CR0_CMDQEN);
	cr_assert(fake_smmu_read32(F, CR0ACK) & CR0_SMMUEN);
	fake_vsmmu_settle();
	cr_assert(eq(u32, fake_smmu_read32(F, CR0ACK), CR0_CMDQEN));
	cr_assert(eq(u64, ste0(0), BYPASS));
}

Test(vsmmu, it_is_enabled_and_disabled_before_the_host_has_done_either)
{
	put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
	fake_smmu_program(F);
	fake_smmu_write32(F, CR0, CR0_CMDQEN);
	fake_vsmmu_settle();
	cr_assert(eq(u32, fake_smmu_read32(F, CR0ACK), CR0_CMDQEN));
	cr_assert(eq(u64, ste0(0), BYPASS));
}

Test(vsmmu, an_ste_that_changes_replaces_what_was_there_and_cmd_sync_waits)
{
	unsigned int live;

	fake_vsmmu_enable();
	cr_assert(eq(u64, ste0(0), ABORT), "V is 0");
	expect_no_event(F);
	put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
	fake_smmu_queue(F, CFGI_STE | SID(0x10), 0);
	cr_assert(not(fake_smmu_sync(F)));
	fake_vsmmu_settle();
	cr_assert(eq(u32, fake_smmu_read32(F, CMDQ_CONS), F->prod));
	cr_assert(eq(u64, ste0(0), STAGE1 | FAKE_SMMU_CDS));
	cr_assert(eq(u64, ste0(1), ABORT), "it is not this one's");
	live = fake_iommufd.live;
	put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
	fake_vsmmu_configure(0);
	cr_assert(eq(u32, fake_iommufd.live, live), "the one before it is destroyed");
	put_ste(0, CONFIG_TRAFFIC);
	fake_vsmmu_configure(0);
	cr_assert(eq(u64, ste0(0), BYPASS));
	cr_assert(eq(u32, fake_iommufd.live, live - 1));
}

Test(vsmmu, what_comes_while_the_host_is_at_it_is_what_is_there_in_the_end)
{
	fake_vsmmu_enable();
	put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
	fake_smmu_command(F, CFGI_STE | SID(0x10), 0);
	put_ste(0, CONFIG_TRAFFIC);
	fake_smmu_command(F, CFGI_STE | SID(0x10), 0);
	put_ste(0, 0);
	fake_smmu_queue(F, CFGI_STE | SID(0x10), 0);
	fake_smmu_sync(F);
	fake_vsmmu_settle();
	cr_assert(eq(u32, fake_smmu_read32(F, CMDQ_CONS), F->prod));
	cr_assert(eq(u64, ste0(0), ABORT));
}

Test(vsmmu, a_range_of_stes_is_each_of_them)
{
	fake_vsmmu_enable();
	put_ste(0, CONFIG_TRAFFIC);
	put_ste(1, CONFIG_TRAFFIC);
	fake_smmu_queue(F, CFGI_STE_RANGE | SID(0x12), 0);
	fake_smmu_sync(F);
	fake_vsmmu_settle();
	cr_assert(eq(u64, ste0(0), ABORT), "0x12 and 0x13");
	fake_smmu_queue(F, CFGI_STE_RANGE | SID(0x10), 0);
	fake_smmu_sync(F);
	fake_vsmmu_settle();
	cr_assert(eq(u64, ste0(0), BYPASS), "0x10 and 0x11");
	cr_assert(eq(u64, ste0(1), BYPASS));
	put_ste(1, 0);
	fake_smmu_queue(F, CFGI_STE_RANGE, 31);
	fake_smmu_sync(F);
	fake_vsmmu_settle();
	cr_assert(eq(u64, ste0(1), ABORT), "CMD_CFGI_ALL");
}

/* Whichever bit beside those of a legal one is set: what the host gets it never refuses. */
Test(vsmmu, an_ste_with_any_bit_is_taken_or_is_no_ste)
{
	u64 w[8];

	fake_vsmmu_enable();
	for (unsigned int bit = 0; bit < 512; bit++) {
		fake_smmu_ste_words(F, w, CONFIG_TRAFFIC | CONFIG_S1, 0, 0, 0);
		w[bit / 64] ^= BIT(bit % 64);
		fake_smmu_ste(F, 0x10, w);
		fake_vsmmu_configure(0);
		cr_assert(zero(u32, fake_slice.nr_illegal), "bit %u", bit);
		if (event_id(F) == C_BAD_STE)
			cr_assert(eq(u64, ste0(0), ABORT), "bit %u", bit);
	}
}

struct bad_case {
	const char *what;
	u64 word0, word1;
};

Test(vsmmu, what_cannot_be_done_is_c_bad_ste_and_aborts)
{
	static const struct bad_case cases[] = {
		{ "stage 2", STE0_V | 6 << 1, 0 },
		{ "both stages", STE0_V | 7 << 1, 0 },
		{ "a context beyond OAS", STE0_V | 5 << 1 | BIT(44), 0 },
	};

	fake_vsmmu_enable();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const u64 w[8] = { cases[i].word0, cases[i].word1 };

		put_ste(0, CONFIG_TRAFFIC);
		fake_vsmmu_configure(0);
		cr_assert(eq(u64, ste0(0), BYPASS));
		fake_smmu_ste(F, 0x10, w);
		fake_vsmmu_configure(0);
		cr_assert(eq(u64, ste0(0), ABORT), "%s", cases[i].what);
		expect_event(F, C_BAD_STE | SID(0x10), 0, 0, 0);
	}
}

Test(vsmmu, a_stream_table_that_is_not_there_aborts)
{
	F->strtab_base = 0x40000000;
	fake_vsmmu_enable();
	cr_assert(eq(u64, ste0(0), ABORT));
	expect_event(F, F_STE_FETCH | SID(0x11), 0, 0, 0x40000000 + 0x11 * 64);
	expect_event(F, F_STE_FETCH | SID(0x10), 0, 0, 0x40000000 + 0x10 * 64);
}

/* Nobody would answer a device of the host's that stalls. */
Test(vsmmu, where_stalls_are_a_choice_a_stream_has_none)
{
	put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
	fake_vsmmu_enable();
	cr_assert(eq(u64, fake_ste_of(0)[1], STE1_S1STALLD));
}

static void make_without_stalls(void)
{
	fake_iommufd.idr[0] |= STALL_NEVER << 24;
	fake_vsmmu_make(NULL);
}

Test(vsmmu_never, where_nothing_stalls_that_is_not_said, .init = make_without_stalls,
     .fini = fake_vsmmu_unmake)
{
	const u64 w[8] = { STE0_V | 5 << 1, STE1_S1STALLD };

	put_ste(1, CONFIG_TRAFFIC | CONFIG_S1);
	fake_vsmmu_enable();
	cr_assert(zero(u64, fake_ste_of(1)[1]));
	fake_smmu_ste(F, 0x10, w);
	fake_vsmmu_configure(0);
	cr_assert(eq(u64, ste0(0), ABORT));
	expect_event(F, C_BAD_STE | SID(0x10), 0, 0, 0);
}

/* 12.3; by `nestor inject`. */
Test(vsmmu, in_service_failure_mode_all_abort)
{
	put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
	fake_vsmmu_enable();
	cr_assert(zero(ptr, (void *)smmu_inject(F->smmu, "sfm")));
	fake_vsmmu_settle();
	cr_assert(eq(u64, ste0(0), ABORT));
	cr_assert(zero(ptr, (void *)smmu_inject(F->smmu, "sfm-end")));
	fake_vsmmu_settle();
	cr_assert(eq(u64, ste0(0), STAGE1 | FAKE_SMMU_CDS));
}

/* As it numbers its buses. */
Test(vsmmu, a_stream_id_that_the_guest_changes_is_another_to_the_host)
{
	unsigned int live;

	put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
	fake_vsmmu_enable();
	live = fake_iommufd.live;
	F->sids[0] = 0x20;
	put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
	fake_vsmmu_configure(0);
	cr_assert(eq(u32, fake_sid_of(0), 0x20));
	cr_assert(eq(u64, ste0(0), STAGE1 | FAKE_SMMU_CDS));
	cr_assert(eq(u32, fake_iommufd.live, live));
	F->sids[0] = 0x11;
	fake_vsmmu_configure(0);
	cr_assert(eq(u64, ste0(0), ABORT), "that is another's");
	cr_assert(eq(u32, fake_sid_of(0), ~0u));
}

/* Both are told, in one go or one after the other; either first. */
Test(vsmmu, functions_that_swap_their_stream_ids_both_have_the_others)
{
	fake_vsmmu_enable();
	for (unsigned int n = 0; n < 4; n++) {
		const unsigned int first = n & 1;
		const u32 swap = F->sids[0];

		F->sids[0] = F->sids[1];
		F->sids[1] = swap;
		put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
		put_ste(1, CONFIG_TRAFFIC | CONFIG_S1);
		if (n & 2)
			fake_vsmmu_configure(first);
		else
			fake_smmu_queue(F, CFGI_STE | SID(F->sids[first]), 0);
		fake_vsmmu_configure(!first);
		for (unsigned int i = 0; i < 2; i++) {
			cr_assert(eq(u32, fake_sid_of(i), F->sids[i]), "%u", n);
			cr_assert(eq(u64, ste0(i) & 0xf, STAGE1), "%u", n);
		}
	}
}

/* As a guest has it that numbers buses anew, and configures those alone that it uses. */
Test(vsmmu, a_stream_id_that_its_function_no_longer_has_is_anothers)
{
	fake_vsmmu_enable();
	F->sids[0] = 0x20;
	F->sids[1] = 0x10;
	put_ste(1, CONFIG_TRAFFIC | CONFIG_S1);
	fake_vsmmu_configure(1);
	cr_assert(eq(u32, fake_sid_of(1), 0x10));
	cr_assert(eq(u64, ste0(1) & 0xf, STAGE1));
	cr_assert(eq(u32, fake_sid_of(0), 0x20));
}

Test(vsmmu, a_stream_id_that_leaves_with_its_function_goes_to_who_waits_for_it)
{
	fake_vsmmu_enable();
	F->sids[1] = 0x10;
	put_ste(1, CONFIG_TRAFFIC | CONFIG_S1);
	fake_vsmmu_configure(1);
	cr_assert(eq(u64, ste0(1), ABORT));
	vsmmu_stream_leave(fake_v.streams[0]);
	fake_v.streams[0] = NULL;
	fake_vsmmu_settle();
	cr_assert(eq(u32, fake_sid_of(1), 0x10));
	cr_assert(eq(u64, ste0(1) & 0xf, STAGE1));
}

Test(vsmmu, a_function_that_leaves_while_the_host_is_at_it_is_gone)
{
	put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
	put_ste(1, CONFIG_TRAFFIC | CONFIG_S1);
	fake_smmu_program(F);
	vsmmu_stream_destroy(fake_v.streams[0]);
	fake_v.streams[0] = NULL;
	fake_vsmmu_settle();
	cr_assert(fake_smmu_read32(F, CR0ACK) & CR0_SMMUEN);
	cr_assert(eq(u64, ste0(1), STAGE1 | (FAKE_SMMU_CDS + 64)));
	cr_assert(fake_smmu_command(F, CFGI_CD | SID(0x10), 0));
	cr_assert(fake_smmu_sync(F));
	cr_assert(zero(u32, fake_slice.nr_illegal));
}

static unsigned int each_call_fails(int err)
{
	struct uapi *u = &fake_v.context.uapi;
	unsigned int nr_failed = 0;

	u->fail_err = err;
	for (unsigned int n = 1; n < 12; n++) {
		put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
		F->sids[0] ^= 0x30;
		put_ste(0, CONFIG_TRAFFIC | CONFIG_S1);
		u->fail_at = u->calls + n;
		fake_vsmmu_configure(0);
		nr_failed += u->calls >= u->fail_at;
		u->fail_at = 0;
		cr_assert(ste0(0) != BYPASS);
		expect_no_event(F);
		fake_vsmmu_configure(0);
		cr_assert(eq(u64, ste0(0), STAGE1 | FAKE_SMMU_CDS), "the next one is well: %u, %d",
		          n, err);
	}
	return nr_failed;
}

/* Which of the calls fails, nothing of it is left, and DMA that should not be is not. */
Test(vsmmu, whichever_call_fails_a_stream_aborts_and_nothing_is_left)
{
	static const int errs[] = { -ENOMEM, -EBUSY, -ENOENT, -EOPNOTSUPP };

	fake_vsmmu_enable();
	for (unsigned int i = 0; i < ARRAY_SIZE(errs); i++)
		cr_assert(gt(u32, each_call_fails(errs[i]), 4));
	fake_v.leaks = true;
}
