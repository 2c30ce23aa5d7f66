// SPDX-License-Identifier: GPL-2.0-only
/* A guest's control socket with no guest behind it, for a client of somebody else's: qmp-server
 * NAME serves a machine on the fake KVM until `quit`; `system_reset` makes another. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/fake_machine.h"
#include "vmm/arm64/gic.h"
#include "vmm/vcpu.h"

static int press_power(void *machine)
{
	(void)machine;
	return -ENODEV;
}

/* The guest waits for interrupts that never come. */
static int idle(struct kvm_run *run, unsigned int nth)
{
	(void)nth;
	while (!__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST))
		usleep(1000);
	return -EINTR;
}

static int serve(struct control *c)
{
	static const struct control_ops ops = { press_power,          fake_machine_devices,
		                                fake_machine_devices, fake_machine_walk,
		                                fake_machine_inject,  fake_machine_fault };
	static struct log log;
	const struct irqchip_config irqs = { .irqchip = irqchip_find("gicv3-its"), .nr_spis = 64 };
	const struct vm_config config = {
		.ops = &fake_kvm_ops,
		.log = &log,
		.ram_base = FAKE_RAM_BASE,
		.ram_size = FAKE_RAM_SIZE,
		.top = FAKE_RAM_BASE + FAKE_RAM_SIZE,
		.nr_cpus = 2,
		.irqs = &irqs,
	};
	struct vm vm;
	enum vm_step step;
	int err = vm_create(&vm, &config, &step);

	if (err)
		return err;
	control_attach(c, &vm, &ops, NULL);
	vcpus_start(&vm);
	loop_run(vm.loop);
	vcpus_stop(&vm);
	loop_drain(vm.loop);
	control_detach(c, vm.status == STATUS_RESET);
	vm_destroy(&vm);
	return vm.status;
}

int main(int argc, char **argv)
{
	struct control *c;
	int status;

	if (argc != 2 || control_create(&c, argv[1], NULL))
		return 1;
	fake.run = idle;
	printf("%s\n", control_path(c));
	fflush(stdout);
	do {
		fake.nr_attrs = fake.nr_devices = fake.nr_regs = 0;
		status = serve(c);
	} while (status == STATUS_RESET);
	control_destroy(c);
	return status;
}
