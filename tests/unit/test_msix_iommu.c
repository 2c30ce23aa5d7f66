// SPDX-License-Identifier: GPL-2.0-only
/* MSI-X of a function behind an IOMMU: where its messages arrive. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <unistd.h>

#include "tests/unit/fake_pci.h"
#include "tests/unit/space.h"
#include "vmm/iommu.h"

#define TABLE    MEM_CPU
#define NR       2
#define DOORBELL 0x8000040ULL
#define IOVA     0xfee00040ULL

static struct vm vm;
static struct pci_host *host;
static struct pci_func func = { .name = "func" };
static struct iommu_endpoint e;
static struct iova_space space;
static unsigned int cap, nr_faults, nr_changes;

static void fault(struct iommu_endpoint *from, const struct dma_access *a)
{
	(void)from, (void)a;
	nr_faults++;
}

static void vector_changed(struct pci_func *f, unsigned int vector)
{
	(void)f;
	nr_changes += vector == 0;
}

static void map(u64 iova, gpa_t gpa)
{
	space_map(&space, iova & ~0xfffULL, iova | 0xfff, gpa & ~0xfffULL, DMA_WRITE);
}

static void unmap(u64 iova)
{
	if (space_unmap(&space, iova & ~0xfffULL, iova | 0xfff, NULL))
		iommu_messages_changed(&e);
}

static void program(u64 addr)
{
	fake_write(&vm, TABLE + PCI_MSIX_ENTRY_LOWER_ADDR, 4, (u32)addr);
	fake_write(&vm, TABLE + PCI_MSIX_ENTRY_UPPER_ADDR, 4, addr >> 32);
	fake_write(&vm, TABLE + PCI_MSIX_ENTRY_DATA, 4, 0x55);
	fake_write(&vm, TABLE + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 0);
}

static void make(void)
{
	static const struct iommu_ops ops = { .fault = fault };

	fake_vm(&vm, 1);
	iova_init(&space);
	iommu_endpoint_init(&e, &ops, &vm.mem);
	cr_assert(zero(int, iommu_attach(&e, &space, NULL)));
	func.dma = &e.dma;
	func.vector_changed = vector_changed;
	cr_assert(zero(int, pci_host_create(&host, &vm, &fake_pci)));
	cr_assert(zero(int, pci_func_add(pci_host_bus(host), &func, &fake_pci_id)));
	cr_assert(zero(int, pci_msix_add(&func, 1, NR)));
	fake_place(host);
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cap = fake_cap(&vm, 0, PCI_CAP_ID_MSIX, 0);
	fake_write(&vm, cfg(0, cap + PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
	program(IOVA);
	nr_changes = nr_faults = 0;
}

static void unmake(void)
{
	pci_func_remove(&func);
	pci_msix_remove(&func);
	cr_assert(eq(ptr, e.dma.messages, NULL));
	iommu_attach(&e, NULL, NULL);
	iova_clear(&space);
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(msix_iommu, .init = make, .fini = unmake, .timeout = 20);

/* How often the eventfd that KVM last got was written. */
static u64 fired(void)
{
	struct pollfd p = { .fd = fake.irqfd.fd, .events = POLLIN };
	u64 count;

	if (!fake.nr_irqfds || poll(&p, 1, 0) != 1)
		return 0;
	cr_assert(eq(int, read(p.fd, &count, sizeof(count)), sizeof(count)));
	return count;
}

Test(msix_iommu, a_message_arrives_where_its_address_is_mapped)
{
	const struct kvm_irq_routing_msi *m;

	map(IOVA, DOORBELL);
	pci_msix_raise(&func, 0);
	m = fake_route(fake.irqfd.gsi);
	cr_assert(ne(ptr, (void *)m, NULL));
	cr_assert(eq(u32, m->address_lo, DOORBELL));
	cr_assert(eq(u32, m->data, 0x55));
	cr_assert(eq(u32, m->devid, DEVID_BASE));
	cr_assert(eq(u64, fired(), 1));
	cr_assert(zero(u32, nr_faults));
}

Test(msix_iommu, one_whose_address_is_not_mapped_is_a_fault_and_no_interrupt)
{
	pci_msix_raise(&func, 0);
	cr_assert(eq(u32, nr_faults, 1));
	cr_assert(zero(u64, fired()));
	cr_assert(zero(u32, fake.nr_msis));
	cr_assert(eq(int, pci_msix_fd(&func, 0), -1));
	cr_assert(eq(u32, nr_faults, 1), "nothing was sent for that");
}

Test(msix_iommu, the_doorbells_own_address_is_none_here)
{
	program(DOORBELL);
	nr_faults = 0;
	pci_msix_raise(&func, 0);
	cr_assert(eq(u32, nr_faults, 1));
	cr_assert(zero(u64, fired()));
}

Test(msix_iommu, in_the_window_an_address_is_what_it_says)
{
	e.msi_first = DOORBELL & ~0xfffULL;
	e.msi_last = DOORBELL | 0xfff;
	iommu_attach(&e, NULL, NULL);
	program(DOORBELL);
	pci_msix_raise(&func, 0);
	cr_assert(eq(u32, fake_route(fake.irqfd.gsi)->address_lo, DOORBELL));
	cr_assert(eq(u64, fired(), 1));
}

Test(msix_iommu, a_window_that_has_not_the_doorbells_address_begins_with_the_doorbell)
{
	static const struct {
		u64 iova, gpa;
	} to[] = {
		{ 0x20000040, DOORBELL },
		{ 0x2000fffc, DOORBELL + 0xffbc },
		{ 0x20010040, 0x20010040 }, /* where nothing is */
	};
	gpa_t gpa;

	e.msi_first = 0x20000000;
	e.msi_last = 0x200fffff;
	e.msi_move = (DOORBELL & ~0xfffULL) - e.msi_first;
	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		cr_assert(eq(int, dma_doorbell(&e.dma, to[i].iova, &gpa), DMA_OK));
		cr_assert(eq(u64, gpa, to[i].gpa));
	}
	program(0x20000040);
	pci_msix_raise(&func, 0);
	cr_assert(eq(u32, fake_route(fake.irqfd.gsi)->address_lo, DOORBELL));
	cr_assert(eq(u64, fired(), 1));
	cr_assert(zero(u32, nr_faults));
	program(DOORBELL);
	pci_msix_raise(&func, 0);
	cr_assert(eq(u32, nr_faults, 1), "it is not in the window");
}

Test(msix_iommu, a_message_to_mapped_memory_is_a_write)
{
	u32 val = 0;

	map(IOVA, FAKE_RAM_BASE + 0x1000);
	pci_msix_raise(&func, 0);
	guest_read(&vm.mem, FAKE_RAM_BASE + 0x1040, &val, sizeof(val));
	cr_assert(eq(u32, val, 0x55));
	cr_assert(zero(u32, fake.nr_irqfds));
}

Test(msix_iommu, unmapping_a_doorbell_in_use_stops_the_vector)
{
	int fd;

	map(IOVA, DOORBELL);
	fd = pci_msix_fd(&func, 0);
	cr_assert(ge(int, fd, 0));
	unmap(IOVA);
	cr_assert(eq(u32, nr_changes, 1), "whoever raises it by that descriptor is told");
	cr_assert(eq(int, pci_msix_fd(&func, 0), -1));
	pci_msix_raise(&func, 0);
	cr_assert(zero(u64, fired()));
}

Test(msix_iommu, unmapping_what_no_message_went_through_tells_nobody)
{
	map(IOVA, DOORBELL);
	map(0x10000, FAKE_RAM_BASE);
	cr_assert(ge(int, pci_msix_fd(&func, 0), 0));
	unmap(0x10000);
	cr_assert(zero(u32, nr_changes));
}

Test(msix_iommu, another_mapping_is_another_route)
{
	map(IOVA, DOORBELL);
	pci_msix_raise(&func, 0);
	cr_assert(eq(u64, fired(), 1));
	unmap(IOVA);
	map(IOVA, DOORBELL + 0x10000);
	pci_msix_raise(&func, 0);
	cr_assert(eq(u32, fake_route(fake.irqfd.gsi)->address_lo, DOORBELL + 0x10000));
	cr_assert(eq(u64, fired(), 1));
	cr_assert(eq(u32, fake.nr_irqfds, 1));
}

Test(msix_iommu, another_attachment_tells_whoever_raises_a_vector)
{
	map(IOVA, DOORBELL);
	cr_assert(ge(int, pci_msix_fd(&func, 0), 0));
	iommu_attach(&e, NULL, NULL);
	cr_assert(eq(u32, nr_changes, 1));
	cr_assert(eq(int, pci_msix_fd(&func, 0), -1));
}

Test(msix_iommu, one_pending_when_attachments_change_is_not_lost)
{
	map(IOVA, DOORBELL);
	fake_write(&vm, TABLE + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 1);
	pci_msix_raise(&func, 0);
	iommu_attach(&e, &space, NULL);
	cr_assert(zero(u64, fired()), "it is masked");
	fake_write(&vm, TABLE + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 0);
	cr_assert(eq(u64, fired(), 1));
}

/* A mapping that ends 2 bytes into the message. */
Test(msix_iommu, a_message_across_the_end_of_a_mapping_is_a_fault_and_writes_nothing)
{
	const gpa_t at = FAKE_RAM_BASE + 0x1040;
	u64 val = ~0ULL;

	space_map(&space, IOVA, IOVA + 1, at, DMA_WRITE);
	space_map(&space, IOVA + 2, IOVA | 0xfff, at + 2, DMA_WRITE);
	guest_write(&vm.mem, at, &val, sizeof(val));
	pci_msix_raise(&func, 0);
	cr_assert(eq(u32, nr_faults, 1));
	guest_read(&vm.mem, at, &val, sizeof(val));
	cr_assert(eq(u64, val, ~0ULL));
	cr_assert(zero(u64, fired()));
	cr_assert(zero(u32, fake.nr_msis));
}

Test(msix_iommu, an_addresss_low_two_bits_are_ignored)
{
	u64 val = ~0ULL;

	map(IOVA, FAKE_RAM_BASE + 0x1000);
	program(IOVA | 3);
	guest_write(&vm.mem, FAKE_RAM_BASE + 0x1040, &val, sizeof(val));
	pci_msix_raise(&func, 0);
	guest_read(&vm.mem, FAKE_RAM_BASE + 0x1040, &val, sizeof(val));
	cr_assert(eq(u64, val, 0xffffffff00000055));
	cr_assert(zero(u32, nr_faults));
}

Test(msix_iommu, a_look_at_where_messages_go_is_no_access)
{
	gpa_t gpa;

	map(IOVA, DOORBELL);
	map(0x10000, FAKE_RAM_BASE);
	iova_find(&space, 0x10000)->perm = DMA_READ;
	cr_assert(eq(int, dma_doorbell_look(&e.dma, IOVA, &gpa), DMA_OK));
	cr_assert(eq(u64, gpa, DOORBELL));
	cr_assert(iova_find(&space, IOVA)->doorbell, "that it goes is told");
	cr_assert(eq(int, dma_doorbell_look(&e.dma, 0x10000, &gpa), DMA_FAULT));
	cr_assert(eq(int, dma_doorbell_look(&e.dma, 0x20000, &gpa), DMA_FAULT));
	cr_assert(eq(int, dma_doorbell_look(&e.dma, IOVA | 0xffe, &gpa), DMA_FAULT));
	iommu_attach(&e, NULL, NULL);
	cr_assert(eq(int, dma_doorbell_look(&e.dma, IOVA, &gpa), DMA_FAULT));
	cr_assert(zero(u32, nr_faults));
	cr_assert(zero(u64, e.faults));
}
