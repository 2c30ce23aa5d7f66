// SPDX-License-Identifier: GPL-2.0-only
/* What an assigned function leaves behind that the host takes back while its guest runs. */
#include <linux/kvm.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/fake_assigned.h"
#include "tests/unit/said.h"

#define TABLE (MEM_CPU + 0x400000)

static void make(void)
{
	fake_assigned_make();
	cfg_write(PCI_BASE_ADDRESS_5, 4, MEM_BUS + 0x400000);
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	listen_to(stderr);
}

TestSuite(vfio_leave, .init = make, .fini = fake_assigned_unmake);

static void leave(void)
{
	vfio_pci_leave(fake_at.pci, "a test");
	cr_assert(ne(ptr, strstr(said(stderr), "a test"), NULL));
}

static unsigned int nr_routes(void)
{
	struct irq_counts c;

	irq_count(fake_at.vm.irq, &c);
	return c.nr_routes;
}

Test(vfio_leave, kvm_has_no_routes_of_its_vectors)
{
	unsigned int before;

	for (unsigned int i = 0; i < 2; i++) {
		fake_write(&fake_at.vm, TABLE + i * PCI_MSIX_ENTRY_SIZE, 8, 0x8000040);
		fake_write(&fake_at.vm, TABLE + i * PCI_MSIX_ENTRY_SIZE + 8, 8, 0x50 + i);
	}
	cfg_write(FAKE_CAP_MSIX + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	cr_assert(eq(u32, nr_routes(), 2));
	before = fake.nr_routes;
	leave();
	cr_assert(zero(u32, nr_routes()));
	cr_assert(eq(u32, fake.nr_routes, before - 2));
}

Test(vfio_leave, kvm_has_no_routes_of_its_messages)
{
	unsigned int before;

	cfg_write(FAKE_CAP_MSI + PCI_MSI_ADDRESS_LO, 4, 0x8000040);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | 3 << 4);
	cr_assert(eq(u32, nr_routes(), 8));
	before = fake.nr_routes;
	leave();
	cr_assert(zero(u32, nr_routes()));
	cr_assert(eq(u32, fake.nr_routes, before - 8));
}

/* As the kernel tells of it: vfio_pci_aer_err_detected(), vfio_pci_core_request(). */
static void is_told(unsigned int nth, const char *why)
{
	const u64 one = 1;

	cr_assert(eq(i64, write(fake_functions[0].events[nth], &one, sizeof(one)), sizeof(one)));
	until(fake_at.pci->lost);
	cr_assert(ne(ptr, strstr(said(stderr), why), NULL));
	cr_assert(eq(u64, cfg_read(PCI_VENDOR_ID, 2), 0xffff));
}

Test(vfio_leave, an_error_that_it_does_not_recover_from)
{
	is_told(0, "it had an error that it does not recover from: the guest has it no longer");
}

Test(vfio_leave, the_host_wants_it_back)
{
	is_told(1, "the host wants it back: the guest has it no longer");
}

/* KVM has no irqfd any more that would lower the line as another's interrupt ends. */
Test(vfio_leave, who_shares_its_line_has_it_alone)
{
	const unsigned int spi = fake_at.pci->level.spi;
	const unsigned int before = fake.nr_irqfds;

	cr_assert(ge(u32, before, 1));
	irq_set_line(fake_at.vm.irq, spi, true);
	leave();
	cr_assert(eq(u32, fake.nr_irqfds, before - 1));
}
