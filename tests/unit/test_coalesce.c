// SPDX-License-Identifier: GPL-2.0-only
/* Writes that KVM keeps in its ring: who takes them, in which order. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "tests/unit/fake_kvm.h"
#include "vmm/coalesce.h"

#define REGISTER 0x5000000ULL

static struct vm vm;
static u64 taken[8];
static unsigned int nr_taken;

static void take(void *dev, u64 offset, unsigned int size, u64 val)
{
	(void)dev;
	cr_assert(eq(u32, size, 4));
	taken[nr_taken++ % 8] = offset << 32 | val;
}

static u64 none(void *dev, u64 offset, unsigned int size)
{
	(void)dev, (void)offset, (void)size;
	return 0;
}

static const struct mmio_ops ops = { .name = "device", .read = none, .write = take };

static void make(bool offered)
{
	const struct mmio_region region = { .base = REGISTER, .size = 0x1000, .ops = &ops };

	if (offered)
		fake.caps[0] = KVM_CAP_COALESCED_MMIO;
	fake_vm(&vm, 1);
	cr_assert(zero(int, mmio_add(&vm.mmio, &region)));
	if (offered)
		cr_assert(zero(int, coalesce_begin(&vm, REGISTER + 8, 4)));
}

static void unmake(void)
{
	fake_vm_destroy(&vm);
}

TestSuite(coalesce, .fini = unmake);

/* As KVM does it, in a write that does not leave the guest. */
static void guest_writes(u64 offset, u32 val)
{
	struct kvm_coalesced_mmio_ring *r = vm.coalesced;
	struct kvm_coalesced_mmio *e = &r->coalesced_mmio[r->last];

	*e = (struct kvm_coalesced_mmio){ .phys_addr = REGISTER + offset, .len = 4 };
	memcpy(e->data, &val, sizeof(val));
	r->last = (r->last + 1) % vm.max_coalesced;
}

Test(coalesce, without_a_ring_there_is_nothing_of_it)
{
	make(false);
	cr_assert(eq(int, coalesce_begin(&vm, REGISTER, 4), -EOPNOTSUPP));
	coalesce_end(&vm, REGISTER, 4);
	cr_assert(not(coalesce_pending(&vm)));
	coalesce_drain(&vm);
	cr_assert(zero(int, fake.nr_zones));
}

Test(coalesce, a_register_is_so_from_begin_to_end)
{
	make(true);
	cr_assert(eq(u64, fake.zone.addr, REGISTER + 8));
	cr_assert(eq(u32, fake.zone.size, 4));
	cr_assert(eq(int, fake.nr_zones, 1));
	coalesce_end(&vm, REGISTER + 8, 4);
	cr_assert(zero(int, fake.nr_zones));
}

Test(coalesce, devices_have_writes_once_and_in_order)
{
	make(true);
	guest_writes(0, 1);
	guest_writes(8, 2);
	guest_writes(0, 3);
	cr_assert(coalesce_pending(&vm));
	coalesce_drain(&vm);
	cr_assert(not(coalesce_pending(&vm)));
	coalesce_drain(&vm);
	cr_assert(eq(u32, nr_taken, 3));
	cr_assert(eq(u64, taken[0], 1));
	cr_assert(eq(u64, taken[1], 8ULL << 32 | 2));
	cr_assert(eq(u64, taken[2], 3));
}

Test(coalesce, the_ring_is_one)
{
	make(true);
	for (u32 i = 0; i < 3 * vm.max_coalesced; i++) {
		guest_writes(0, i);
		coalesce_drain(&vm);
		cr_assert(eq(u64, taken[i % 8], i));
	}
}
