// SPDX-License-Identifier: GPL-2.0-only
/* What a host's SMMU does not do, or is not told: nothing stale is taken for invalidated. */
#include <errno.h>

#include "tests/unit/fake_vsmmu.h"
#include "tests/unit/said.h"
#include "vfio/vsmmu_private.h"

#define F (&fake_v.smmu)

static void make(void)
{
	fake_vsmmu_make(NULL);
	fake_vsmmu_put_stage1(0);
	fake_vsmmu_put_stage1(1);
	fake_vsmmu_enable();
	fake_slice.nr_commands = 0;
}

TestSuite(vsmmu_lost, .init = make, .fini = fake_vsmmu_unmake);

static void queue(unsigned int nr)
{
	for (u64 i = 0; i < nr; i++)
		fake_smmu_queue(F, TLBI_NH_ASID | i << 48, 0);
}

Test(vsmmu_lost, a_call_that_fails_for_want_of_something_is_made_again_as_a_whole)
{
	fake_slice.fails = 1;
	fake_slice.err = -ENOMEM;
	queue(130);
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_commands, 130));
	cr_assert(zero(u32, fake_smmu_read32(F, GERROR)));
}

/* 4.7.3, 7.1: CERROR_ATC_INV_SYNC */
Test(vsmmu_lost, what_is_never_known_to_be_done_is_an_error_of_cmd_sync)
{
	fake_slice.fails = 2;
	fake_slice.err = -ETIMEDOUT;
	queue(5);
	cr_assert(not(fake_smmu_sync(F)));
	cr_assert(eq(u32, FIELD_GET(CMDQ_CONS_ERR, fake_smmu_read32(F, CMDQ_CONS)),
	             CERROR_ATC_INV_SYNC));
}

/* As a driver does: what it has freed is used no more once it succeeds. */
Test(vsmmu_lost, the_cmd_sync_that_is_repeated_succeeds_when_everything_is_invalidated)
{
	fake_slice.fails = 4;
	fake_slice.err = -ETIMEDOUT;
	queue(5);
	cr_assert(not(fake_smmu_sync(F)));
	for (unsigned int left = 2; left--;) {
		fake_slice.nr_commands = 0;
		fake_smmu_write32(F, GERRORN, fake_smmu_read32(F, GERROR));
		fake_vm_run(&F->vm, 10);
		cr_assert(eq(u32, fake_smmu_cerror(F), left ? CERROR_ATC_INV_SYNC : CERROR_NONE));
	}
	cr_assert(was_issued(CMD_TLBI_NSNH_ALL));
	cr_assert(was_issued(CFGI_CD_ALL | SID(0x10)));
	cr_assert(was_issued(CFGI_CD_ALL | SID(0x11)));
	fake_slice.nr_commands = 0;
	cr_assert(fake_smmu_sync(F));
	cr_assert(zero(u32, fake_slice.nr_commands), "no more than once");
}

/* A driver skips it and goes on. */
Test(vsmmu_lost, a_command_that_is_said_to_be_illegal_reaches_the_host)
{
	cr_assert(zero(ptr, (void *)smmu_inject(F->smmu, "cerror-ill")));
	fake_smmu_command(F, TLBI_NH_ASID | 7ULL << 48, 0);
	cr_assert(eq(u32, FIELD_GET(CMDQ_CONS_ERR, fake_smmu_read32(F, CMDQ_CONS)), CERROR_ILL));
	fake_smmu_write32(F, GERRORN, fake_smmu_read32(F, GERROR));
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u64, fake_slice.commands[0][0], TLBI_NH_ASID | 7ULL << 48));
}

/* 4.3.1: what is cached of CDs goes with what is of the STE, though that is the same. */
Test(vsmmu_lost, an_ste_that_has_not_changed_has_its_cds_read_anew)
{
	fake_vsmmu_configure(0);
	cr_assert(eq(u32, fake_slice.nr_commands, 1));
	cr_assert(eq(u64, fake_slice.commands[0][0], CFGI_CD_ALL | SID(0x10)));
}

Test(vsmmu_lost, an_ste_that_changes_while_it_is_being_enabled_is_as_it_is_last)
{
	fake_smmu_write32(F, CR0, CR0_CMDQEN | CR0_EVENTQEN);
	fake_vsmmu_settle();
	fake_smmu_write32(F, CR0, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
	fake_smmu_ste(F, 0x10, (u64[8]){ 0 });
	fake_smmu_queue(F, CFGI_STE | SID(0x10), 0);
	fake_smmu_sync(F);
	fake_vsmmu_settle();
	cr_assert(eq(u32, fake_smmu_read32(F, CMDQ_CONS), F->prod));
	cr_assert(eq(u64, fake_ste_of(0)[0], 1), "it aborts");
}

Test(vsmmu_lost, in_service_failure_mode_nothing_passes_though_it_is_disabled)
{
	fake_smmu_write32(F, CR0, 0);
	fake_vsmmu_settle();
	cr_assert(zero(ptr, (void *)smmu_inject(F->smmu, "sfm")));
	fake_vsmmu_settle();
	cr_assert(eq(u64, fake_ste_of(0)[0], 1), "it aborts");
}

/* The host takes no page table so many times. */
static struct uapi_ops lacking;
static unsigned int nr_lacks;

static int lacks_tables(struct uapi *u, struct iommu_hwpt_alloc *arg)
{
	if (!nr_lacks)
		return fake_iommufd_ops.hwpt_alloc(u, arg);
	nr_lacks--;
	return -EBUSY;
}

static void lack(unsigned int nr)
{
	lacking = fake_iommufd_ops;
	lacking.hwpt_alloc = lacks_tables;
	fake_v.context.uapi.ops = &lacking;
	nr_lacks = nr;
}

static bool translates(unsigned int i)
{
	return (fake_ste_of(i)[0] & 0xf) == 0xb;
}

Test(vsmmu_lost, an_ste_that_the_host_does_not_take_now_is_said_once)
{
	listen_to(stderr);
	for (unsigned int i = 0; i < 3; i++) {
		lack(2);
		fake_vsmmu_configure(0);
		cr_assert(not(translates(0)));
	}
	cr_assert(eq(str, said(stderr),
	             "nestor: StreamID 0x10: its DMA aborts, since the host takes no STE now: "
	             "Device or resource busy\n"));
}

Test(vsmmu_lost, an_ste_that_the_host_does_not_take_for_a_moment_is_tried_again)
{
	listen_to(stderr);
	lack(1);
	fake_vsmmu_configure(0);
	cr_assert(translates(0));
	cr_assert(eq(str, said(stderr), ""));
}

Test(vsmmu_lost, one_that_it_did_not_take_is_tried_after_another_and_after_a_reset)
{
	listen_to(stderr);
	fake_vsmmu_put_stage1(1);
	for (unsigned int reset = 0; reset < 2; reset++) {
		lack(2);
		fake_vsmmu_configure(0);
		cr_assert(not(translates(0)));
		if (reset) {
			vsmmu_stream_resets(fake_v.streams[0], true);
			vsmmu_stream_resets(fake_v.streams[0], false);
			fake_vsmmu_settle();
		} else {
			fake_vsmmu_configure(1);
		}
		cr_assert(translates(0));
	}
	cr_assert(ne(ptr, strstr(said(stderr), "busy"), NULL));
}
