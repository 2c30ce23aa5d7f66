// SPDX-License-Identifier: GPL-2.0-only
/* Memory slots beside RAM, and KVM's VFIO device. */
#include "vmm/assigned.h"

#include <errno.h>
#include <linux/kvm.h>

#define FIRST_SLOT 32 /* below are RAM's */

static int set_slot(struct vm *vm, int slot, gpa_t gpa, void *host, u64 size)
{
	const struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (unsigned long)host,
	};

	return vm->kvm.ops->set_memory(&vm->kvm, &region);
}

int vm_slot_add(struct vm *vm, gpa_t gpa, void *host, u64 size)
{
	size_t word = 0;
	int bit, err;

	while (word < ARRAY_SIZE(vm->slots) && !~vm->slots[word])
		word++;
	if (word == ARRAY_SIZE(vm->slots))
		return -ENOSPC;
	bit = __builtin_ctzll(~vm->slots[word]);
	err = set_slot(vm, FIRST_SLOT + word * 64 + bit, gpa, host, size);
	if (err)
		return err;
	vm->slots[word] |= BIT(bit);
	return FIRST_SLOT + word * 64 + bit;
}

void vm_slot_remove(struct vm *vm, int slot)
{
	const unsigned int nth = slot - FIRST_SLOT;

	set_slot(vm, slot, 0, NULL, 0);
	vm->slots[nth / 64] &= ~BIT(nth % 64);
}

static int set_file(struct vm *vm, u64 attr, int fd)
{
	const struct kvm_device_attr file = {
		.group = KVM_DEV_VFIO_FILE,
		.attr = attr,
		.addr = (unsigned long)&fd,
	};

	return vm->kvm.ops->set_device_attr(&vm->kvm, vm->vfio, &file);
}

int vm_vfio_add(struct vm *vm, int fd)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	int err;

	if (vm->vfio < 0) {
		err = vm->kvm.ops->create_device(&vm->kvm, &device);
		if (err)
			return err;
		vm->vfio = device.fd;
	}
	return set_file(vm, KVM_DEV_VFIO_FILE_ADD, fd);
}

void vm_vfio_remove(struct vm *vm, int fd)
{
	if (vm->vfio >= 0)
		set_file(vm, KVM_DEV_VFIO_FILE_DEL, fd);
}
