// SPDX-License-Identifier: GPL-2.0-only
/* CMDQ_PROD's writes: how often they have to come to be looked for, and that none is lost. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/kvm.h>
#include <string.h>

#include "devices/smmuv3/private.h"
#include "tests/unit/fake_smmu.h"
#include "vmm/coalesce.h"

#define CMDQ_PROD 0x98
#define SYNC      0x46

static struct fake_smmu f;

/* A clock of the test's own, which stands still until it is to go: nobody else had the CPU, and
 * nothing has been idle for long. */
static bool clock_goes;

static u64 clock_of_test(void)
{
	static u64 ns = 1000000000;

	return clock_goes ? ns += 1000 : ns;
}

static void make(void)
{
	fake.caps[0] = KVM_CAP_COALESCED_MMIO;
	fake_smmu_make(&f, NULL);
	f.smmu->poller.clock = clock_of_test;
	fake_smmu_enable(&f);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_poll, .init = make, .fini = unmake, .timeout = 60);

/* Two in a row, and the loop has seen to it. */
static void often(void)
{
	for (unsigned int i = 0; i < 100 && !fake.zone.size; i++) {
		fake_smmu_command(&f, SYNC, 0);
		fake_smmu_command(&f, SYNC, 0);
		fake_vm_run(&f.vm, 1);
	}
	cr_assert(eq(u64, fake.zone.addr, FAKE_SMMU_BASE + CMDQ_PROD));
	cr_assert(eq(u32, fake.zone.size, 4));
}

/* CMDQ_PROD as KVM keeps it; the queue has 256 entries. */
static void write_without_exit(u32 prod)
{
	struct kvm_coalesced_mmio_ring *r = f.vm.coalesced;
	struct kvm_coalesced_mmio e = { .phys_addr = FAKE_SMMU_BASE + CMDQ_PROD, .len = 4 };

	memcpy(e.data, &prod, sizeof(prod));
	r->coalesced_mmio[r->last] = e;
	__atomic_store_n(&r->last, (r->last + 1) % f.vm.max_coalesced, __ATOMIC_RELEASE);
}

static struct smmu_counts counts(void)
{
	struct smmu_counts c;

	smmu_count(f.smmu, &c);
	return c;
}

Test(smmu_poll, one_write_is_not_often)
{
	fake_smmu_command(&f, SYNC, 0);
	fake_vm_run(&f.vm, 20);
	cr_assert(zero(u32, fake.zone.size));
}

Test(smmu_poll, what_does_not_leave_the_guest_is_consumed)
{
	u64 before;

	often();
	before = counts().syncs;
	fake_smmu_queue(&f, SYNC, 0);
	write_without_exit((fake_smmu_read32(&f, 0x9c) + 1) & 0x1ff);
	for (unsigned int i = 0; i < 100 && counts().syncs == before; i++)
		fake_vm_run(&f.vm, 1);
	cr_assert(eq(u64, counts().syncs, before + 1));
}

Test(smmu_poll, when_none_comes_writes_leave_the_guest_again)
{
	often();
	clock_goes = true;
	for (unsigned int i = 0; i < 1000 && fake.nr_zones; i++)
		fake_vm_run(&f.vm, 1);
	cr_assert(zero(int, fake.nr_zones));
	cr_assert(fake_smmu_command(&f, SYNC, 0));
}
