// SPDX-License-Identifier: GPL-2.0-only
/* A whole VM on the fake KVM, and accesses to its buses. */
#include <criterion/criterion.h>

#include "tests/unit/fake_kvm.h"

void fake_vm(struct vm *vm, unsigned int nr_cpus)
{
	static struct log log;
	const struct vm_config c = {
		.ops = &fake_kvm_ops,
		.log = &log,
		.ram_base = FAKE_RAM_BASE,
		.ram_size = FAKE_RAM_SIZE,
		.top = FAKE_RAM_BASE + FAKE_RAM_SIZE,
		.nr_cpus = nr_cpus,
		.nr_spis = 64,
	};
	enum vm_step step;

	cr_assert(!vm_create(vm, &c, &step), "step %d", step);
}

void fake_vm_destroy(struct vm *vm)
{
	loop_drain(vm->loop);
	vm_destroy(vm);
}

u64 fake_read(struct vm *vm, gpa_t gpa, unsigned int size)
{
	u64 val = 0;

	cr_assert(mmio_access(&vm->mmio, gpa, size, false, &val), "a hole at %#llx",
	          (unsigned long long)gpa);
	return val;
}

void fake_write(struct vm *vm, gpa_t gpa, unsigned int size, u64 val)
{
	cr_assert(mmio_access(&vm->mmio, gpa, size, true, &val), "a hole at %#llx",
	          (unsigned long long)gpa);
}
