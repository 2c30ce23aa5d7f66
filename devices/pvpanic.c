// SPDX-License-Identifier: GPL-2.0-only
/* pvpanic in memory: one register of events (QEMU, docs/specs/pvpanic.rst;
 * Linux, misc/pvpanic.h). */
#include "devices/pvpanic.h"

#include <errno.h>
#include <misc/pvpanic.h>
#include <stdlib.h>

#include "vmm/vcpu.h"
#include "vmm/vm.h"

struct pvpanic {
	struct vm *vm;
	struct pvpanic_config config;
	bool crash_loaded; /* has been told: a guest that repeats it floods nobody */
};

/* What can be told. A guest powers off by PSCI, so there is no PVPANIC_SHUTDOWN. */
static u64 pvpanic_read(void *dev, u64 offset, unsigned int size)
{
	(void)dev, (void)size;
	return offset ? 0 : PVPANIC_PANICKED | PVPANIC_CRASH_LOADED;
}

static void pvpanic_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct pvpanic *p = dev;

	(void)size;
	if (offset)
		return;
	if (val & PVPANIC_PANICKED)
		vm_end(p->vm, STATUS_PANIC);
	if (!(val & PVPANIC_CRASH_LOADED) || p->crash_loaded)
		return;
	p->crash_loaded = true;
	if (p->config.crash_loaded)
		p->config.crash_loaded(p->config.ctx);
}

static const struct mmio_ops pvpanic_ops = {
	.name = "pvpanic",
	.read = pvpanic_read,
	.write = pvpanic_write,
};

int pvpanic_create(struct pvpanic **pvpanic, struct vm *vm, const struct pvpanic_config *c)
{
	struct pvpanic *p = malloc(sizeof(*p));
	const struct mmio_region region = {
		.base = c->base,
		.size = PVPANIC_SIZE,
		.ops = &pvpanic_ops,
		.dev = p,
	};
	int err;

	if (!p)
		return -ENOMEM;
	*p = (struct pvpanic){ .vm = vm, .config = *c };
	err = mmio_add(&vm->mmio, &region);
	if (err) {
		free(p);
		return err;
	}
	*pvpanic = p;
	return 0;
}

void pvpanic_destroy(struct pvpanic *p)
{
	free(p);
}
