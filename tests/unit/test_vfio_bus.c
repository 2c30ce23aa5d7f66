// SPDX-License-Identifier: GPL-2.0-only
/* An assigned function behind a port whose bus gets another number. */
#include "tests/unit/fake_assigned.h"
#include "tests/unit/fake_kvm.h"

#define DOORBELL 0x8000040ULL

TestSuite(vfio_bus, .init = fake_assigned_prepare, .fini = fake_assigned_unmake);

/* The message's devid follows the number of the bus. */
Test(vfio_bus, a_bus_that_has_another_number_has_its_messages_sent_anew)
{
	const gpa_t on_2 = ECAM + (2 << 20) + FAKE_CAP_MSI;
	const struct kvm_irq_routing_msi *m = NULL;
	struct pci_func *port;

	fake_put_cap(&fake_functions[0], FAKE_CAP_EXP, PCI_CAP_ID_EXP, FAKE_CAP_AF); /* no MSI-X */
	cr_assert(zero(int, pci_port_create(&port, fake_at.host, 1)));
	cr_assert(zero(int, fake_assigned_create(port->secondary, NULL)));
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cfg_write(PCI_PRIMARY_BUS, 4, 0x020200);
	fake_write(&fake_at.vm, ECAM + (2 << 20) + PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	fake_write(&fake_at.vm, on_2 + PCI_MSI_ADDRESS_LO, 4, (u32)DOORBELL);
	fake_write(&fake_at.vm, on_2 + PCI_MSI_DATA_64, 2, 0x140);
	fake_write(&fake_at.vm, on_2 + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
	cr_assert(ne(ptr, (void *)(m = fake_route(1024)), NULL));
	cr_assert(eq(u32, m->devid, DEVID_BASE + 0x200));
	cfg_write(PCI_PRIMARY_BUS, 4, 0x030300);
	cr_assert(eq(u32, fake_route(1024)->devid, DEVID_BASE + 0x300));
	fake_assigned_destroy();
	pci_port_destroy(port);
	fake_at.dev = (struct vfio_device){ .context = &fake_at.context, .fd = -1 };
	cr_assert(zero(int, fake_assigned_create(NULL, NULL)), "step %u", fake_at.step);
}
