// SPDX-License-Identifier: GPL-2.0-only
/* MSI-X: masks, pending bits, and where messages go. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <linux/pci_regs.h>
#include <unistd.h>

#include "tests/unit/fake_pci.h"

#define TABLE    MEM_CPU
#define NR       3
#define DOORBELL 0x8000040ULL
#define DEV      1 /* its device number */

static struct vm vm;
static struct pci_host *host;
static struct pci_func other = { .name = "other" }, func = { .name = "func" };
static unsigned int cap;

static void make(void)
{
	fake_vm(&vm, 1);
	cr_assert(zero(int, pci_host_create(&host, &vm, &fake_pci)));
	pci_func_add(pci_host_bus(host), &other, &fake_pci_id);
	pci_func_add(pci_host_bus(host), &func, &fake_pci_id);
	cr_assert(zero(int, pci_msix_add(&func, 1, NR)));
	fake_place(host);
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cap = fake_cap(&vm, DEV, PCI_CAP_ID_MSIX, 0);
}

static void unmake(void)
{
	pci_func_remove(&func);
	pci_msix_remove(&func);
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(msix, .init = make, .fini = unmake);

static void control(u16 val)
{
	fake_write(&vm, cfg(DEV, cap + PCI_MSIX_FLAGS), 2, val);
}

static void program(unsigned int vector, gpa_t addr, u32 data, bool masked)
{
	gpa_t entry = TABLE + vector * PCI_MSIX_ENTRY_SIZE;

	fake_write(&vm, entry + PCI_MSIX_ENTRY_LOWER_ADDR, 4, (u32)addr);
	fake_write(&vm, entry + PCI_MSIX_ENTRY_UPPER_ADDR, 4, addr >> 32);
	fake_write(&vm, entry + PCI_MSIX_ENTRY_DATA, 4, data);
	fake_write(&vm, entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, masked);
}

static u64 pending(void)
{
	u32 pba = fake_read(&vm, cfg(DEV, cap + PCI_MSIX_PBA), 4);

	return fake_read(&vm, TABLE + (pba & PCI_MSIX_PBA_OFFSET), 8);
}

/* How often the eventfd that KVM last got was written. */
static u64 fired(void)
{
	u64 count;

	if (!fake.nr_irqfds || read(fake.irqfd.fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

Test(msix, without_bus_master_a_vector_is_pending_until_it_is_set)
{
	control(PCI_MSIX_FLAGS_ENABLE);
	program(2, 0x8010040, 7, false);
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	pci_msix_raise(&func, 2);
	cr_assert(zero(u64, fired()));
	cr_assert(eq(u64, pending(), 1 << 2));
	cr_assert(eq(int, pci_msix_fd(&func, 2), -1));
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cr_assert(eq(u64, fired(), 1));
	cr_assert(zero(u64, pending()));
}

Test(msix, the_capability_says_how_many_and_where)
{
	cr_assert(eq(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSIX_FLAGS), 2), NR - 1));
	cr_assert(eq(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSIX_TABLE), 4), 1));
	cr_assert(eq(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSIX_PBA), 4) & PCI_MSIX_PBA_BIR, 1));
	control(0xffff);
	cr_assert(eq(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSIX_FLAGS), 2), 0xc000 | (NR - 1)));
	cr_assert(pci_msix_enabled(&func));
	cr_assert(not(pci_msix_enabled(&other)));
}

Test(msix, vectors_start_masked)
{
	for (unsigned int i = 0; i < NR; i++)
		cr_assert(
			eq(u64, fake_read(&vm, TABLE + i * 16 + PCI_MSIX_ENTRY_VECTOR_CTRL, 4), 1));
}

Test(msix, a_message_goes_by_a_route_with_the_functions_device_id)
{
	const struct kvm_irq_routing_msi *m;

	control(PCI_MSIX_FLAGS_ENABLE);
	program(1, DOORBELL | 1ULL << 36, 0x33, false);
	pci_msix_raise(&func, 1);
	m = fake_route(fake.irqfd.gsi);
	cr_assert(ne(ptr, (void *)m, NULL));
	cr_assert(eq(u32, m->address_lo, DOORBELL));
	cr_assert(eq(u32, m->address_hi, 0x10));
	cr_assert(eq(u32, m->data, 0x33));
	cr_assert(eq(u32, m->devid, DEVID_BASE + (DEV << 3)));
	cr_assert(eq(u64, fired(), 1));
	cr_assert(zero(u64, pending()));
}

Test(msix, without_a_route_the_message_is_signalled)
{
	control(PCI_MSIX_FLAGS_ENABLE);
	program(0, DOORBELL, 0x44, false);
	fake.fail_at = fake.calls + 1;
	pci_msix_raise(&func, 0);
	cr_assert(eq(u32, fake.nr_msis, 1));
	cr_assert(eq(u32, fake.msi.data, 0x44));
	cr_assert(eq(u32, fake.msi.devid, DEVID_BASE + (DEV << 3)));
}

Test(msix, a_new_message_changes_the_route)
{
	control(PCI_MSIX_FLAGS_ENABLE);
	program(0, DOORBELL, 1, false);
	pci_msix_raise(&func, 0);
	program(0, DOORBELL, 2, false);
	pci_msix_raise(&func, 0);
	cr_assert(eq(u32, fake.nr_irqfds, 1));
	cr_assert(eq(u32, fake_route(fake.irqfd.gsi)->data, 2));
}

Test(msix, a_message_to_ram_is_a_write)
{
	u32 val = 0;

	control(PCI_MSIX_FLAGS_ENABLE);
	program(2, FAKE_RAM_BASE + 0x100, 0xcafe, false);
	pci_msix_raise(&func, 2);
	guest_read(&vm.mem, FAKE_RAM_BASE + 0x100, &val, sizeof(val));
	cr_assert(eq(u32, val, 0xcafe));
	cr_assert(zero(u32, fake.nr_irqfds));
}

struct mask_case {
	u16 control, unmasked;
	bool masked;
};

ParameterizedTestParameters(msix, a_masked_vector_is_pending_until_it_is_not)
{
	static struct mask_case cases[] = {
		{ PCI_MSIX_FLAGS_ENABLE, PCI_MSIX_FLAGS_ENABLE, true },
		{ PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, PCI_MSIX_FLAGS_ENABLE, false },
		{ 0, PCI_MSIX_FLAGS_ENABLE, false },
	};

	return cr_make_param_array(struct mask_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct mask_case *c, msix, a_masked_vector_is_pending_until_it_is_not)
{
	control(c->control);
	program(2, DOORBELL, 5, c->masked);
	pci_msix_raise(&func, 2);
	pci_msix_raise(&func, 2);
	cr_assert(eq(u64, pending(), 1 << 2));
	cr_assert(zero(u32, fake.nr_irqfds));
	if (c->masked)
		program(2, DOORBELL, 6, false);
	else
		control(c->unmasked);
	cr_assert(zero(u64, pending()));
	cr_assert(eq(u64, fired(), 1));
	cr_assert(eq(u32, fake_route(fake.irqfd.gsi)->data, c->masked ? 6 : 5));
}

Test(msix, unmasking_one_vector_sends_no_other)
{
	control(PCI_MSIX_FLAGS_ENABLE);
	pci_msix_raise(&func, 0);
	pci_msix_raise(&func, 1);
	program(1, DOORBELL, 1, false);
	cr_assert(eq(u64, pending(), 1 << 0));
}

Test(msix, the_function_mask_lifted_leaves_masked_vectors_pending)
{
	control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_msix_raise(&func, 0);
	control(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(eq(u64, pending(), 1 << 0));
	cr_assert(zero(u32, fake.nr_irqfds));
}

Test(msix, a_vector_out_of_range_is_none)
{
	control(PCI_MSIX_FLAGS_ENABLE);
	pci_msix_raise(&func, NR);
	pci_msix_raise(&func, 0xffff);
	cr_assert(zero(u64, pending()));
}

Test(msix, the_table_takes_whole_words_and_the_pending_bits_none)
{
	fake_write(&vm, TABLE, 8, 0x1122334455667788);
	cr_assert(eq(u64, fake_read(&vm, TABLE + 4, 4), 0x11223344));
	cr_assert(eq(u64, fake_read(&vm, TABLE, 8), 0x1122334455667788));
	fake_write(&vm, TABLE, 2, 0);
	fake_write(&vm, TABLE + 1, 1, 0);
	cr_assert(eq(u64, fake_read(&vm, TABLE, 4), 0x55667788));
	fake_write(&vm, TABLE + NR * 16, 4, 1);
	cr_assert(zero(u64, fake_read(&vm, TABLE + NR * 16, 4)));
	fake_write(&vm, TABLE + 0x8000, 8, ~0ULL);
	cr_assert(zero(u64, pending()));
	cr_assert(zero(u64, fake_read(&vm, TABLE + 0x8008, 8)));
}

Test(msix, removing_it_closes_its_routes)
{
	unsigned int fds = open_fds();

	control(PCI_MSIX_FLAGS_ENABLE);
	for (unsigned int i = 0; i < NR; i++) {
		program(i, DOORBELL, i, false);
		pci_msix_raise(&func, i);
	}
	cr_assert(eq(u32, fake.nr_irqfds, NR));
	cr_assert(eq(u32, open_fds(), fds + NR));
	pci_msix_remove(&func);
	cr_assert(zero(u32, fake.nr_irqfds));
	cr_assert(eq(u32, open_fds(), fds));
}
