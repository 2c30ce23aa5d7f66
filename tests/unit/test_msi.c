// SPDX-License-Identifier: GPL-2.0-only
/* MSI: how many vectors, the value that is sent, masks and pending bits. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <linux/pci_regs.h>
#include <unistd.h>

#include "tests/unit/fake_pci.h"
#include "vmm/mem.h"

#define DEV    1 /* its device number */
#define TARGET (FAKE_RAM_BASE + 0x800)
#define MASTER (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)

static struct vm vm;
static struct pci_host *host;
static struct pci_func other = { .name = "other" }, func = { .name = "func" };
static unsigned int cap;

static void make_with(unsigned int nr, bool maskable)
{
	fake_vm(&vm, 1);
	cr_assert(zero(int, pci_host_create(&host, &vm, &fake_pci)));
	pci_func_add(pci_host_bus(host), &other, &fake_pci_id);
	pci_func_add(pci_host_bus(host), &func, &fake_pci_id);
	cr_assert(zero(int, pci_msi_add(&func, nr, maskable)));
	pci_func_ready(&func);
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, MASTER);
	cap = fake_cap(&vm, DEV, PCI_CAP_ID_MSI, 0);
}

static void make(void)
{
	make_with(32, true);
}

static void unmake(void)
{
	pci_func_remove(&func);
	pci_msi_remove(&func);
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(msi, .init = make, .fini = unmake);
TestSuite(msi_few, .fini = unmake);

static void control(u16 val)
{
	fake_write(&vm, cfg(DEV, cap + PCI_MSI_FLAGS), 2, val);
}

/* On, with 1 << @log2 vectors, to @addr. */
static void enable(unsigned int log2, gpa_t addr, u16 data)
{
	fake_write(&vm, cfg(DEV, cap + PCI_MSI_ADDRESS_LO), 4, (u32)addr);
	fake_write(&vm, cfg(DEV, cap + PCI_MSI_ADDRESS_HI), 4, addr >> 32);
	fake_write(&vm, cfg(DEV, cap + PCI_MSI_DATA_64), 2, data);
	control(PCI_MSI_FLAGS_ENABLE | log2 << 4);
}

static void mask(u32 vectors)
{
	fake_write(&vm, cfg(DEV, cap + PCI_MSI_MASK_64), 4, vectors);
}

static u32 pending(void)
{
	return fake_read(&vm, cfg(DEV, cap + PCI_MSI_PENDING_64), 4);
}

/* What was sent to RAM last; 0: nothing. */
static u32 sent(void)
{
	u32 val = 0, none = 0;

	guest_read(&vm.mem, TARGET, &val, sizeof(val));
	guest_write(&vm.mem, TARGET, &none, sizeof(none));
	return val;
}

Test(msi, the_capability_says_what_there_is)
{
	const u16 has = PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | 5 << 1;

	cr_assert(eq(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSI_FLAGS), 2), has));
	control(0xffff);
	cr_assert(eq(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSI_FLAGS), 2), has | 0x71));
	enable(0, ~0ULL, 0xffff);
	cr_assert(eq(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSI_ADDRESS_LO), 4), ~3u));
	mask(~0u);
	cr_assert(eq(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSI_MASK_64), 4), ~0u));
	fake_write(&vm, cfg(DEV, cap + PCI_MSI_PENDING_64), 4, ~0u);
	cr_assert(zero(u32, pending()));
}

Test(msi, a_vector_is_the_low_bits_of_the_value)
{
	for (unsigned int log2 = 0; log2 <= 5; log2++) {
		enable(log2, TARGET, 0xabff);
		cr_assert(eq(u32, pci_msi_enabled(&func), 1u << log2));
		for (unsigned int v = 0; v < 34; v++) {
			u32 want = (0xabff & ~((1u << log2) - 1)) | v;

			pci_msi_raise(&func, v);
			cr_assert(eq(u32, sent(), v < 1u << log2 ? want : 0), "%u of %u", v,
			          1u << log2);
		}
	}
	cr_assert(zero(u32, pending()));
}

Test(msi, more_than_there_are_is_all_there_are)
{
	enable(7, TARGET, 0x40);
	cr_assert(eq(u32, pci_msi_enabled(&func), 32));
	pci_msi_raise(&func, 31);
	cr_assert(eq(u32, sent(), 0x5f));
}

Test(msi, nothing_is_sent_while_it_is_off)
{
	pci_msi_raise(&func, 0);
	enable(0, TARGET, 1);
	cr_assert(zero(u32, sent()));
	cr_assert(zero(u32, pending()));
	cr_assert(zero(u32, pci_msi_enabled(&other)));
}

Test(msi, a_message_goes_by_a_route_with_the_functions_device_id)
{
	const struct kvm_irq_routing_msi *m;
	u64 count;

	enable(1, 0x8000040 | 1ULL << 36, 0x32);
	pci_msi_raise(&func, 1);
	m = fake_route(fake.irqfd.gsi);
	cr_assert(ne(ptr, (void *)m, NULL));
	cr_assert(eq(u32, m->address_lo, 0x8000040));
	cr_assert(eq(u32, m->address_hi, 0x10));
	cr_assert(eq(u32, m->data, 0x33));
	cr_assert(eq(u32, m->devid, DEVID_BASE + (DEV << 3)));
	cr_assert(eq(int, read(fake.irqfd.fd, &count, sizeof(count)), sizeof(count)));
}

Test(msi, a_masked_vector_is_pending_until_it_is_unmasked)
{
	enable(5, TARGET, 0x100);
	mask(1 << 7);
	pci_msi_raise(&func, 7);
	pci_msi_raise(&func, 7);
	cr_assert(zero(u32, sent()));
	cr_assert(eq(u32, pending(), 1 << 7));
	pci_msi_raise(&func, 6);
	cr_assert(eq(u32, sent(), 0x106));
	mask(0);
	cr_assert(eq(u32, sent(), 0x107));
	cr_assert(zero(u32, pending()));
}

Test(msi, without_bus_master_a_vector_waits)
{
	enable(0, TARGET, 9);
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	pci_msi_raise(&func, 0);
	cr_assert(zero(u32, sent()));
	cr_assert(eq(u32, pending(), 1));
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, MASTER);
	cr_assert(eq(u32, sent(), 9));
}

Test(msi, what_waits_is_not_sent_once_it_is_not_enabled)
{
	enable(5, TARGET, 0x100);
	mask(~0u);
	pci_msi_raise(&func, 9);
	control(PCI_MSI_FLAGS_ENABLE | 3 << 4);
	mask(0);
	cr_assert(zero(u32, sent()));
	cr_assert(zero(u32, pending()));
}

Test(msi, a_reset_forgets)
{
	enable(5, TARGET, 0x100);
	mask(~0u);
	pci_msi_raise(&func, 9);
	pci_func_reset(&func);
	cr_assert(zero(u32, pending()));
	cr_assert(zero(u32, pci_msi_enabled(&func)));
	cr_assert(zero(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSI_MASK_64), 4)));
}

/* The eventfd that sends the vector by itself, if KVM has it for a message with that value. */
static bool has_fd(unsigned int vector, u32 data)
{
	const struct kvm_irq_routing_msi *m;
	const int fd = pci_msi_fd(&func, vector);

	for (u32 gsi = 1024; fd >= 0 && (m = fake_route(gsi)); gsi++)
		if (m->data == data)
			return true;
	return false;
}

static unsigned int nr_changes[32];

static void vector_changed(struct pci_func *f, unsigned int vector)
{
	cr_assert(eq(ptr, f, &func));
	nr_changes[vector]++;
}

Test(msi, an_open_vector_can_be_sent_by_anyone)
{
	cr_assert(eq(int, pci_msi_fd(&func, 0), -1), "it is off");
	enable(2, 0x8000040, 0x40);
	cr_assert(has_fd(3, 0x43));
	cr_assert(has_fd(0, 0x40));
	cr_assert(ne(int, pci_msi_fd(&func, 0), pci_msi_fd(&func, 3)));
	cr_assert(eq(int, pci_msi_fd(&func, 4), -1), "it is not enabled");
	mask(1 << 3);
	cr_assert(eq(int, pci_msi_fd(&func, 3), -1));
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	cr_assert(eq(int, pci_msi_fd(&func, 0), -1));
	enable(2, TARGET, 0x40);
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, MASTER);
	cr_assert(eq(int, pci_msi_fd(&func, 0), -1), "a write to RAM is ours to make");
}

Test(msi, whoever_sends_it_is_told_of_changes)
{
	enable(1, 0x8000040, 0x40);
	func.vector_changed = vector_changed;
	mask(1);
	cr_assert(eq(u32, nr_changes[0], 1));
	cr_assert(eq(u32, nr_changes[1], 1));
	cr_assert(zero(u32, nr_changes[2]));
	fake_write(&vm, cfg(DEV, cap + PCI_MSI_DATA_64), 2, 0x50);
	cr_assert(eq(u32, nr_changes[1], 2));
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	cr_assert(eq(u32, nr_changes[1], 3));
	func.vector_changed = NULL;
}

/* Each table that KVM is told costs it a grace period. */
Test(msi, vectors_that_change_together_are_one_table_of_kvms)
{
	unsigned int before;

	func.vector_changed = vector_changed;
	enable(5, 0x8000040, 0x40);
	before = fake.route_updates;
	cr_assert(has_fd(31, 0x5f));
	fake_write(&vm, cfg(DEV, cap + PCI_MSI_DATA_64), 2, 0x80);
	cr_assert(eq(u32, fake.route_updates, before + 1));
	for (unsigned int i = 0; i < 32; i++)
		cr_assert(has_fd(i, 0x80 + i), "%u", i);
	cr_assert(eq(u32, fake.route_updates, before + 1));
	mask(~0u);
	fake_write(&vm, cfg(DEV, cap + PCI_MSI_DATA_64), 2, 0xa0);
	cr_assert(eq(u32, fake.route_updates, before + 1), "none may be sent");
	func.vector_changed = NULL;
}

Test(msi, the_pin_is_not_driven_beside_it)
{
	pci_set_intx(&func, true);
	cr_assert(fake.lines[FIRST_INTX + 1]);
	enable(0, TARGET, 1);
	cr_assert(not(fake.lines[FIRST_INTX + 1]));
}

Test(msi_few, without_masks_the_capability_is_shorter)
{
	make_with(2, false);
	cr_assert(
		eq(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSI_FLAGS), 2), PCI_MSI_FLAGS_64BIT | 2));
	enable(5, TARGET, 0x101);
	cr_assert(eq(u32, pci_msi_enabled(&func), 2));
	fake_write(&vm, cfg(DEV, cap + PCI_MSI_MASK_64), 4, ~0u);
	cr_assert(zero(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSI_MASK_64), 4)));
	pci_msi_raise(&func, 1);
	cr_assert(eq(u32, sent(), 0x101));
	pci_msi_raise(&func, 2);
	cr_assert(zero(u32, sent()));
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, 0);
	pci_msi_raise(&func, 0);
	cr_assert(zero(u64, fake_read(&vm, cfg(DEV, cap + PCI_MSI_PENDING_64), 4)), "it has none");
	fake_write(&vm, cfg(DEV, PCI_COMMAND), 2, MASTER);
	cr_assert(eq(u32, sent(), 0x100));
}
