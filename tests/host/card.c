/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine with a card as vfio would have one: its interrupt is a level that nobody in this
 * process drives, an irqfd with a resample. card IMAGE runs the bare-metal guest "card" on it, and
 * says how often it was raised. */
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "devices/exit.h"
#include "machine/layout.h"
#include "vmm/arch.h"
#include "vmm/arm64/gic.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define CARD_BASE 0x01010000
#define CARD_SPI  40

/* One register: a write says how much there is to do, a read does one. The line is high while there
 * is any. */
struct card {
	struct vm *vm;
	struct irq_level irq;
	u64 todo, raised, resampled;
	eventfd_t count;
	struct loop_op op;
};

static void raise_line(struct card *c)
{
	if (!c->todo)
		return;
	c->raised++;
	eventfd_write(c->irq.raise, 1);
}

static u64 card_read(void *dev, u64 offset, unsigned int size)
{
	struct card *c = dev;

	(void)offset, (void)size;
	return c->todo ? c->todo-- : 0;
}

static void card_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct card *c = dev;

	(void)offset, (void)size;
	c->todo = val;
	raise_line(c);
}

static const struct mmio_ops card_ops = { .name = "card", .read = card_read, .write = card_write };

static void wait_for_resample(struct card *c)
{
	loop_read(c->vm->loop, &c->op, c->irq.resample, &c->count, sizeof(c->count));
}

static void resampled(struct loop_op *op, int res)
{
	struct card *c = container_of(op, struct card, op);

	if (res != sizeof(c->count))
		return;
	c->resampled++;
	irq_level_resampled(c->vm->irq, &c->irq);
	raise_line(c);
	wait_for_resample(c);
}

static int run(struct vm *vm, struct card *c, const char *image)
{
	const struct mmio_region region = {
		.base = CARD_BASE, .size = 0x1000, .ops = &card_ops, .dev = c
	};
	FILE *f = fopen(image, "r");
	int err = !f || !fread(guest_ptr(&vm->mem, RAM_BASE, 1 << 20), 1, 1 << 20, f);

	if (f)
		fclose(f);
	if (!err)
		err = mmio_add(&vm->mmio, &region);
	if (!err)
		err = exit_device_create(vm, EXIT_BASE);
	if (!err)
		err = irq_level_open(vm->irq, &c->irq, CARD_SPI);
	if (!err)
		err = arch_vcpu_boot(&vm->vcpus[0], RAM_BASE, 0);
	if (err)
		return 1;
	c->op = (struct loop_op){ .done = resampled, .endless = true };
	wait_for_resample(c);
	err = vcpus_start(vm);
	if (!err)
		err = loop_run(vm->loop);
	vcpus_stop(vm);
	loop_drain(vm->loop);
	irq_level_close(vm->irq, &c->irq);
	printf("card: raised %llu, resampled %llu, left %llu\n", (unsigned long long)c->raised,
	       (unsigned long long)c->resampled, (unsigned long long)c->todo);
	return err ? 1 : vm->status;
}

int main(int argc, char **argv)
{
	struct log log = { 0 };
	const struct irqchip_config irqs = { .irqchip = irqchip_find(argc > 2 ? argv[2] : "gicv3"),
		                             .nr_spis = 64 };
	const struct vm_config config = {
		.ops = &kvm_host,
		.log = &log,
		.ram_base = RAM_BASE,
		.ram_size = 16 << 20,
		.top = RAM_BASE + (16 << 20),
		.nr_cpus = 1,
		.irqs = &irqs,
	};
	struct vm vm;
	struct card card = { .vm = &vm };
	enum vm_step step;
	int status;

	if (argc < 2 || vm_create(&vm, &config, &step))
		return 1;
	status = run(&vm, &card, argv[1]);
	vm_destroy(&vm);
	return status;
}
