// SPDX-License-Identifier: GPL-2.0-only
/* Transfers in flight that use what the SMMU is told to forget: CMD_SYNC waits for them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_smmu.h"
#include "tests/unit/held.h"

#define PAGE 0x1000ULL
#define D    FAKE_SMMU_DATA

static struct fake_smmu f;
static gpa_t root, root2;

/* Endpoints 0 and 1 have ASID 1's pages 0 to 3 at as many guest pages, 2 has VMID 2's. */
static void make(void)
{
	fake_smmu_make(&f, NULL);
	root = fake_smmu_table(&f);
	root2 = fake_smmu_table(&f);
	for (u64 at = 0; at < 4 * PAGE; at += PAGE) {
		fake_smmu_map(&f, root, at, D + at, FAKE_S1_RW);
		fake_smmu_map(&f, root2, at, D + at, FAKE_S2_RW);
	}
	fake_smmu_stage1(&f, 0x10, 0, 1, root);
	fake_smmu_stage1(&f, 0x11, 0, 1, root);
	fake_smmu_stage2(&f, 0x12, 2, root2);
	fake_smmu_enable(&f);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_flight, .init = make, .fini = unmake, .timeout = 20);

Test(smmu_flight, what_is_reached)
{
	u64 w[4];

	cr_assert(eq(u64, fake_smmu_gpa(&f, PAGE + 5, DMA_WRITE), D + PAGE + 5));
	cr_assert(eq(u64, fake_smmu_reach(&f, 2, 5, DMA_WRITE, DMA_NO_PASID).gpa, D + 5));
	cr_assert(zero(u64, fake_smmu_gpa(&f, 4 * PAGE, DMA_WRITE)));
	cr_assert(fake_smmu_event(&f, w));
	cr_assert(eq(u64, w[0], F_TRANSLATION | 0x10ULL << 32));
	cr_assert(not(fake_smmu_event(&f, w)));
	fake_smmu_forget(&f);
}
