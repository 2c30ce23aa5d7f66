// SPDX-License-Identifier: GPL-2.0-only
/* An assigned function of a fake host in a fake VM. */
#include "tests/unit/fake_assigned.h"

#include "vmm/assigned.h"

struct fake_assigned fake_at;
static struct log quiet;

void fake_assigned_prepare(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fake_functions); i++)
		fake_function_init(&fake_functions[i]);
	fake_vm(&fake_at.vm, 1);
	cr_assert(zero(int, pci_host_create(&fake_at.host, &fake_at.vm, &fake_pci)));
	fake_at.context = (struct vfio_context){
		.uapi = { .ops = &fake_iommufd_ops, .log = &quiet, .fail_err = -EIO }
	};
	cr_assert(zero(int, vfio_context_open(&fake_at.context)));
	cr_assert(zero(int, vfio_context_map(&fake_at.context, &fake_at.vm.mem)));
}

static int bind(void)
{
	int err = vfio_device_open(&fake_at.dev, &fake_at.context, "vfio0");

	if (!err)
		err = vm_vfio_add(&fake_at.vm, fake_at.dev.fd);
	if (!err)
		err = vfio_device_bind(&fake_at.dev);
	return err ? err : vfio_device_attach_all(&fake_at.dev);
}

int fake_assigned_create(struct pci_bus *bus, struct dma_space *dma)
{
	const struct vfio_pci_config c = { .at = "0000:01:00.0",
		                           .dma = dma,
		                           .ats = fake_at.ats,
		                           .pasid_bits = fake_at.pasid_bits,
		                           .faults = fake_at.faults };
	int err = bind();

	fake_at.pci = NULL;
	return err ? err
	           : vfio_pci_create(&fake_at.pci, &fake_at.dev,
	                             bus ? bus : pci_host_bus(fake_at.host), &c, &fake_at.step);
}

void fake_assigned_take(void)
{
	fake_vm_stop(&fake_at.vm);
	loop_drain(fake_at.vm.loop);
	work_drain(fake_at.vm.work);
	if (fake_at.pci)
		vfio_pci_destroy(fake_at.pci);
	fake_at.pci = NULL;
}

void fake_assigned_destroy(void)
{
	fake_assigned_take();
	vm_vfio_remove(&fake_at.vm, fake_at.dev.fd);
	vfio_device_close(&fake_at.dev);
}

void fake_assigned_make(void)
{
	fake_assigned_prepare();
	cr_assert(zero(int, fake_assigned_create(NULL, NULL)), "step %u", fake_at.step);
	fake_noted();
}

void fake_assigned_unmake(void)
{
	fake_assigned_destroy();
	vfio_context_close(&fake_at.context);
	cr_assert(zero(u32, fake_iommufd.live + fake_iommufd.left + fake_iommufd.refused));
	cr_assert(zero(u32, fake_functions[0].nr_mapped));
	pci_host_destroy(fake_at.host);
	fake_vm_destroy(&fake_at.vm);
}

bool fake_assigned_shows(unsigned int cap, u16 id)
{
	unsigned int at = 0x100;

	for (unsigned int left = 20; at && left--; at = cfg_read(at, 4) >> 20)
		if (at == cap)
			return (cfg_read(at, 4) & 0xffff) == id;
	return false;
}
