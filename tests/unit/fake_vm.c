// SPDX-License-Identifier: GPL-2.0-only
/* A whole VM on the fake KVM, and accesses to its buses. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

#include "tests/unit/fake_kvm.h"
#include "tests/unit/leak.h"
#include "vmm/arm64/gic.h"

void fake_vm_with(struct vm *vm, unsigned int nr_cpus, const char *irqchip)
{
	static struct log log;
	const struct irqchip *chip = irqchip_find(irqchip);
	const struct irqchip_config irqs = {
		.irqchip = chip,
		.nr_spis = irqchip_takes_spis(chip) ? 96 : 160,
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

static pthread_t looper;
static bool looping;

static void *loop_thread(void *vm)
{
	loop_run(((struct vm *)vm)->loop);
	return NULL;
}

void fake_vm_run(struct vm *vm, unsigned int ms)
{
	if (looping) {
		loop_nudge(vm->loop);
		pthread_mutex_unlock(&vm->lock);
	} else {
		pthread_create(&looper, NULL, loop_thread, vm);
	}
	looping = true;
	usleep(ms * 1000);
	pthread_mutex_lock(&vm->lock);
}

void fake_vm_stop(struct vm *vm)
{
	if (!looping)
		return;
	loop_stop(vm->loop);
	pthread_mutex_unlock(&vm->lock);
	pthread_join(looper, NULL);
	looping = false;
}

void fake_vm_destroy(struct vm *vm)
{
	loop_drain(vm->loop);
	vm_destroy(vm);
	expect_no_leak();
}

static void access_bus(struct vm *vm, gpa_t gpa, unsigned int size, bool write, u64 *val)
{
	const struct mmio_ops *ops = mmio_access(&vm->mmio, gpa, size, write, val);

	cr_assert(ne(ptr, (void *)ops, NULL), "a hole at %#llx", (unsigned long long)gpa);
}

u64 fake_read(struct vm *vm, gpa_t gpa, unsigned int size)
{
	u64 val = 0;

	access_bus(vm, gpa, size, false, &val);
	return val;
}

void fake_write(struct vm *vm, gpa_t gpa, unsigned int size, u64 val)
{
	access_bus(vm, gpa, size, true, &val);
}
