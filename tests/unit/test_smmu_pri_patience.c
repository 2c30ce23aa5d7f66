// SPDX-License-Identifier: GPL-2.0-only
/* fault-timeout= of groups in an emulated SMMUv3's PRI queue. */
#include "tests/unit/smmu_pri.h"

static void set_up(void)
{
	make();
	smmu_set_patience(f.endpoints[0], 1);
}

TestSuite(smmu_pri_patience, .init = set_up, .fini = unmake, .timeout = 60);

static void until_answered(unsigned int nr)
{
	for (unsigned int i = 0; i < 5000 && got.nr < nr; i++)
		fake_vm_run(&f.vm, 1);
	cr_assert(eq(u32, got.nr, nr));
}

Test(smmu_pri_patience, a_group_that_nobody_answers_is_invalid)
{
	cr_assert(pri_ask(0, 5, 3, true));
	until_answered(1);
	cr_assert(eq(u32, got.last.pasid, 5));
	cr_assert(eq(u16, got.last.group, 3));
	cr_assert(eq(int, got.last.code, DMA_PAGE_INVALID));
	cr_assert(eq(u64, fake_smmu_counts(&f).pages.timed_out, 1));
	cr_assert(zero(u64, fake_smmu_counts(&f).pages.waiting));
}

Test(smmu_pri_patience, an_answer_after_that_is_late_and_the_device_s_to_note)
{
	pri_ask(0, NONE, 3, true);
	until_answered(1);
	cr_assert(pri_respond(STREAM, NONE, 3, 2));
	cr_assert(eq(u32, got.nr, 2));
	cr_assert(eq(u64, fake_smmu_counts(&f).pages.late, 1));
	cr_assert(zero(u64, fake_smmu_counts(&f).pages.answered));
}

Test(smmu_pri_patience, of_many_each_ends_once)
{
	for (u16 i = 0; i < 8; i++)
		cr_assert(pri_ask(0, NONE, i, true));
	cr_assert(pri_respond(STREAM, NONE, 4, 2));
	until_answered(8);
	for (unsigned int i = 0; i < 20; i++)
		fake_vm_run(&f.vm, 1);
	cr_assert(eq(u32, got.nr, 8));
	cr_assert(eq(u64, fake_smmu_counts(&f).pages.timed_out, 7));
}
