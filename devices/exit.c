// SPDX-License-Identifier: GPL-2.0-only
/* The exit device: how a test guest ends itself with a status. */
#include "devices/exit.h"

#include "vmm/vm.h"

static u64 exit_read(void *dev, u64 offset, unsigned int size)
{
	(void)dev, (void)offset, (void)size;
	return 0;
}

/* What does not fit an exit code is not taken for success. */
static void exit_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	if (offset || size != 4)
		return;
	if (val > EXIT_STATUS_MAX)
		val = EXIT_STATUS_MAX;
	vm_end(dev, val ? EXIT_STATUS_OFFSET + val : 0);
}

static const struct mmio_ops exit_ops = {
	.name = "exit",
	.read = exit_read,
	.write = exit_write,
};

int exit_device_create(struct vm *vm, gpa_t base)
{
	const struct mmio_region region = {
		.base = base,
		.size = EXIT_DEVICE_SIZE,
		.ops = &exit_ops,
		.dev = vm,
	};

	return mmio_add(&vm->mmio, &region);
}
