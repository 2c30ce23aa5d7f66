// SPDX-License-Identifier: GPL-2.0-only
/* The ring of writes that leave the guest late (linux/kvm.h, struct kvm_coalesced_mmio_ring). */
#include "vmm/coalesce.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <unistd.h>

#include "vmm/vcpu.h"

/* Where the ring is: behind the first vCPU's struct kvm_run. */
static void find_ring(struct vm *vm)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const int at = vm->kvm.ops->check_extension(&vm->kvm, KVM_CAP_COALESCED_MMIO);

	if (at <= 0 || vm->vcpus[0].run_size < (at + 1) * page)
		return;
	vm->coalesced = (void *)((char *)vm->vcpus[0].run + at * page);
	vm->max_coalesced = (page - sizeof(*vm->coalesced)) / sizeof(struct kvm_coalesced_mmio);
}

static struct kvm_coalesced_mmio_zone zone(gpa_t gpa, u32 size)
{
	return (struct kvm_coalesced_mmio_zone){ .addr = gpa, .size = size };
}

int coalesce_begin(struct vm *vm, gpa_t gpa, u32 size)
{
	const struct kvm_coalesced_mmio_zone z = zone(gpa, size);

	if (!vm->coalesced)
		find_ring(vm);
	return vm->coalesced ? vm->kvm.ops->register_coalesced_mmio(&vm->kvm, &z) : -EOPNOTSUPP;
}

void coalesce_end(struct vm *vm, gpa_t gpa, u32 size)
{
	const struct kvm_coalesced_mmio_zone z = zone(gpa, size);

	if (vm->coalesced)
		vm->kvm.ops->unregister_coalesced_mmio(&vm->kvm, &z);
}

/* KVM writes last when an entry is complete; first is ours alone. */
bool coalesce_pending(const struct vm *vm)
{
	const struct kvm_coalesced_mmio_ring *r = vm->coalesced;

	return r && __atomic_load_n(&r->last, __ATOMIC_ACQUIRE) !=
	                    __atomic_load_n(&r->first, __ATOMIC_RELAXED);
}

void coalesce_drain(struct vm *vm)
{
	struct kvm_coalesced_mmio_ring *r = vm->coalesced;
	struct kvm_coalesced_mmio e;
	u64 val;

	while (coalesce_pending(vm)) {
		e = r->coalesced_mmio[r->first % vm->max_coalesced];
		val = 0;
		memcpy(&val, e.data, e.len < sizeof(val) ? e.len : sizeof(val));
		__atomic_store_n(&r->first, (r->first + 1) % vm->max_coalesced, __ATOMIC_RELEASE);
		mmio_access(&vm->mmio, e.phys_addr, e.len, true, &val);
	}
}
