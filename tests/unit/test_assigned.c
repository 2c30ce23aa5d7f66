// SPDX-License-Identifier: GPL-2.0-only
/* What KVM knows of devices of the host's: slots beside RAM, and files. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/fake_kvm.h"
#include "vmm/assigned.h"

static struct vm vm;
static u8 page[4096];

static void make(void)
{
	fake_vm(&vm, 1);
}

static void unmake(void)
{
	fake_vm_destroy(&vm);
}

TestSuite(assigned, .init = make, .fini = unmake);

Test(assigned, memory_has_a_slot_that_is_none_of_rams)
{
	int slot = vm_slot_add(&vm, 0x50000000, page, sizeof(page));

	cr_assert(ge(int, slot, 32));
	cr_assert(eq(u32, fake.memory.slot, slot));
	cr_assert(eq(u64, fake.memory.guest_phys_addr, 0x50000000));
	cr_assert(eq(u64, fake.memory.memory_size, sizeof(page)));
	cr_assert(eq(u64, fake.memory.userspace_addr, (uintptr_t)page));
	cr_assert(zero(u32, fake.memory.flags));
	vm_slot_remove(&vm, slot);
	cr_assert(eq(u32, fake.memory.slot, slot));
	cr_assert(zero(u64, fake.memory.memory_size));
}

Test(assigned, a_slot_that_is_free_again_is_used_again)
{
	int a = vm_slot_add(&vm, 0x50000000, page, 4096);
	int b = vm_slot_add(&vm, 0x50001000, page, 4096);

	cr_assert(ne(int, a, b));
	vm_slot_remove(&vm, a);
	cr_assert(eq(int, vm_slot_add(&vm, 0x50002000, page, 4096), a));
}

Test(assigned, there_are_512)
{
	bool seen[600] = { 0 };
	int slot;

	for (unsigned int i = 0; i < 512; i++) {
		slot = vm_slot_add(&vm, 0x50000000 + i * 4096ULL, page, 4096);
		cr_assert(ge(int, slot, 32));
		cr_assert(lt(int, slot, 32 + 512));
		cr_assert(not(seen[slot]));
		seen[slot] = true;
	}
	cr_assert(eq(int, vm_slot_add(&vm, 0x60000000, page, 4096), -ENOSPC));
	vm_slot_remove(&vm, 32 + 300);
	cr_assert(eq(int, vm_slot_add(&vm, 0x60000000, page, 4096), 32 + 300));
}

Test(assigned, one_that_kvm_refuses_is_free)
{
	int slot;

	fake.fail_at = fake.calls + 1;
	cr_assert(eq(int, vm_slot_add(&vm, 0x50000000, page, 4096), -EIO));
	slot = vm_slot_add(&vm, 0x50000000, page, 4096);
	cr_assert(eq(int, slot, 32));
}

static const struct fake_attr *last(void)
{
	return &fake.attrs[fake.nr_attrs - 1];
}

Test(assigned, kvm_has_one_device_for_all_files)
{
	const unsigned int before = fake.nr_devices;

	cr_assert(zero(int, vm_vfio_add(&vm, 71)));
	cr_assert(eq(u32, fake.nr_devices, before + 1));
	cr_assert(eq(u32, fake.devices[before], KVM_DEV_TYPE_VFIO));
	cr_assert(eq(int, last()->fd, vm.vfio));
	cr_assert(eq(u32, last()->group, KVM_DEV_VFIO_FILE));
	cr_assert(eq(u64, last()->attr, KVM_DEV_VFIO_FILE_ADD));
	cr_assert(eq(u64, last()->val, 71));
	cr_assert(zero(int, vm_vfio_add(&vm, 72)));
	cr_assert(eq(u32, fake.nr_devices, before + 1));
	vm_vfio_remove(&vm, 71);
	cr_assert(eq(u64, last()->attr, KVM_DEV_VFIO_FILE_DEL));
	cr_assert(eq(u64, last()->val, 71));
}

Test(assigned, without_a_device_no_file_is_taken_away)
{
	const unsigned int before = fake.calls;

	vm_vfio_remove(&vm, 71);
	cr_assert(eq(u32, fake.calls, before));
	fake.lacks = BIT(KVM_DEV_TYPE_VFIO);
	cr_assert(eq(int, vm_vfio_add(&vm, 71), -ENODEV));
	cr_assert(eq(int, vm.vfio, -1));
}
