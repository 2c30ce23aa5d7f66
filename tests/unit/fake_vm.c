// SPDX-License-Identifier: GPL-2.0-only
/* A whole VM on the fake KVM, and accesses to its buses. */
#include <criterion/criterion.h>

#include "tests/unit/fake_kvm.h"
#include "tests/unit/leak.h"
#include "vmm/arm64/gic.h"

void fake_vm_with(struct vm *vm, unsigned int nr_cpus, const char *irqchip)
{
	static struct log log;
	const struct irqchip *chip = irqchip_find(irqchip);
	const struct irqchip_config irqs = {
		.irqchip = chip,
		.nr_spis = irqchip_takes_spis(chip) ? 96 : 64,
		.first_msi_spi = 64,
		.nr_msi_spis = irqchip_takes_spis(chip) ? 16 : 0,
	};
	const struct vm_config c = {
		.ops = &fake_kvm_ops,
		.log = &log,
		.ram_base = FAKE_RAM_BASE,
		.ram_size = FAKE_RAM_SIZE,
		.top = FAKE_RAM_BASE + FAKE_RAM_SIZE,
		.nr_cpus = nr_cpus,
		.irqs = &irqs,
	};
	enum vm_step step;

	cr_assert(zero(int, vm_create(vm, &c, &step)), "step %d", step);
}

void fake_vm(struct vm *vm, unsigned int nr_cpus)
{
	fake_vm_with(vm, nr_cpus, "gicv3-its");
}

void fake_vm_destroy(struct vm *vm)
{
	loop_drain(vm->loop);
	vm_destroy(vm);
	expect_no_leak();
}

static void access(struct vm *vm, gpa_t gpa, unsigned int size, bool write, u64 *val)
{
	const struct mmio_ops *ops = mmio_access(&vm->mmio, gpa, size, write, val);

	cr_assert(ne(ptr, (void *)ops, NULL), "a hole at %#llx", (unsigned long long)gpa);
}

u64 fake_read(struct vm *vm, gpa_t gpa, unsigned int size)
{
	u64 val = 0;

	access(vm, gpa, size, false, &val);
	return val;
}

void fake_write(struct vm *vm, gpa_t gpa, unsigned int size, u64 val)
{
	access(vm, gpa, size, true, &val);
}
