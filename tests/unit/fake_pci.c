// SPDX-License-Identifier: GPL-2.0-only
/* A PCI segment to put functions on, looked at as a guest does. */
#include "tests/unit/fake_pci.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>

const struct platform_pci fake_pci = {
	.last_bus = 3,
	.ecam = ECAM,
	.mem32 = { .cpu = MEM_CPU, .bus = MEM_BUS, .size = MEM_SIZE },
	.intx_spi = { FIRST_INTX, FIRST_INTX + 1, FIRST_INTX + 2, FIRST_INTX + 3 },
	.devid_base = DEVID_BASE,
};

const struct pci_id fake_pci_id = {
	.vendor = 0x1af4,
	.device = 0x1042,
	.subsystem_vendor = 0x1af5,
	.subsystem = 0x1043,
	.class = 0x018000,
	.revision = 1,
};

void fake_place(struct pci_host *host)
{
	struct pci_taken taken;

	cr_assert(zero(int, pci_host_place(host, &taken)));
}

unsigned int fake_cap(struct vm *vm, unsigned int dev, u8 id, unsigned int nth)
{
	unsigned int at = fake_read(vm, cfg(dev, PCI_CAPABILITY_LIST), 1), steps = 0;

	while (at) {
		cr_assert(zero(u32, at & 3));
		cr_assert(ge(u32, at, 0x40));
		cr_assert(lt(u32, steps++, 48), "the list has an end");
		if (fake_read(vm, cfg(dev, at), 1) == id && !nth--)
			return at;
		at = fake_read(vm, cfg(dev, at + 1), 1);
	}
	return 0;
}
