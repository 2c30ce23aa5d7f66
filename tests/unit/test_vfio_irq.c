// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts of an assigned function: which eventfd VFIO has for what, and where a signal goes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <linux/kvm.h>
#include <sys/eventfd.h>

#include "tests/unit/fake_assigned.h"
#include "tests/unit/said.h"

#define F        (&fake_functions[0])
#define P        (fake_at.pci)
#define TABLE    (MEM_CPU + 0x400000)
#define DOORBELL 0x8000040ULL

static void at_work(void)
{
	cfg_write(PCI_BASE_ADDRESS_5, 4, MEM_BUS + 0x400000);
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void make(void)
{
	fake_assigned_make();
	at_work();
}

TestSuite(vfio_irq, .init = make, .fini = fake_assigned_unmake);
TestSuite(vfio_irq_of, .init = fake_assigned_prepare, .fini = fake_assigned_unmake);

static void create(void)
{
	cr_assert(zero(int, fake_assigned_create(NULL, NULL)), "step %u", fake_at.step);
	at_work();
}

static void program(unsigned int vector, u32 data, bool masked)
{
	const gpa_t entry = TABLE + vector * PCI_MSIX_ENTRY_SIZE;

	fake_write(&fake_at.vm, entry + PCI_MSIX_ENTRY_LOWER_ADDR, 4, (u32)DOORBELL);
	fake_write(&fake_at.vm, entry + PCI_MSIX_ENTRY_UPPER_ADDR, 4, DOORBELL >> 32);
	fake_write(&fake_at.vm, entry + PCI_MSIX_ENTRY_DATA, 4, data);
	fake_write(&fake_at.vm, entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, masked);
}

static void mask(unsigned int vector, bool masked)
{
	fake_write(&fake_at.vm, TABLE + vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL,
	           4, masked);
}

static void msix(u16 flags)
{
	cfg_write(FAKE_CAP_MSIX + PCI_MSIX_FLAGS, 2, flags);
}

static void msi(unsigned int log2)
{
	cfg_write(FAKE_CAP_MSI + PCI_MSI_ADDRESS_LO, 4, (u32)DOORBELL);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_DATA_64, 2, 0x140);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | log2 << 4);
}

static u64 nr_sent(void)
{
	struct irq_counts c;

	irq_count(fake_at.vm.irq, &c);
	return c.routes + c.msis;
}

static u64 pending(void)
{
	return fake_read(&fake_at.vm, TABLE + FAKE_MSIX_PBA, 8);
}

/* Whether the vector's interrupts go to the guest without us, and with that data. */
static bool is_direct(unsigned int vector, u32 data)
{
	const int fd = pci_msix_fd(&P->func, vector);
	const struct kvm_irq_routing_msi *m;

	for (u32 gsi = 1024; (m = fake_route(gsi)); gsi++)
		if (m->data == data)
			return fd >= 0 && F->fds[vector] == fd && m->devid == DEVID_BASE;
	return false;
}

static bool is_direct_msi(unsigned int vector, u32 data)
{
	const int fd = pci_msi_fd(&P->func, vector);
	const struct kvm_irq_routing_msi *m;

	for (u32 gsi = 1024; (m = fake_route(gsi)); gsi++)
		if (m->data == data && m->address_lo == DOORBELL)
			return fd >= 0 && F->fds[vector] == fd && m->devid == DEVID_BASE;
	return false;
}

static bool is_late(unsigned int vector)
{
	return F->fds[vector] >= 0 && F->fds[vector] == P->vectors[vector].late.fd;
}

Test(vfio_irq, the_pin_is_kvms_to_raise_from_the_start)
{
	cr_assert(eq(int, F->mode, VFIO_PCI_INTX_IRQ_INDEX));
	cr_assert(eq(int, F->fds[0], P->level.raise));
	cr_assert(eq(u32, fake.irqfd.fd, P->level.raise));
	cr_assert(eq(u32, fake.irqfd.gsi, FIRST_INTX));
	cr_assert(eq(u32, fake.irqfd.flags, KVM_IRQFD_FLAG_RESAMPLE));
	cr_assert(eq(u32, fake.irqfd.resamplefd, P->level.resample));
}

Test(vfio_irq, an_interrupt_that_has_ended_may_come_again)
{
	for (unsigned int n = 1; n <= 3; n++) {
		eventfd_write(P->level.resample, 1);
		until(F->nr_unmasks == n);
	}
}

Test(vfio_irq, who_shares_the_line_has_it_back)
{
	unsigned int before;

	irq_set_line(fake_at.vm.irq, FIRST_INTX, true);
	before = fake.line_changes;
	eventfd_write(P->level.resample, 1); /* KVM has lowered it */
	until(fake.line_changes == before + 1);
	cr_assert(fake.lines[FIRST_INTX]);
	irq_set_line(fake_at.vm.irq, FIRST_INTX, false);
	until(F->nr_unmasks == 2); /* and it is asked to look again */
}

Test(vfio_irq, the_pin_stays_where_messages_are)
{
	unsigned int before;

	msi(0);
	irq_set_line(fake_at.vm.irq, FIRST_INTX, true);
	before = fake.line_changes;
	eventfd_write(P->level.resample, 1);
	until(fake.line_changes == before + 1);
	cr_assert(zero(u32, F->nr_unmasks));
}

Test(vfio_irq, interrupt_disable_is_the_functions)
{
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
	cr_assert(eq(u32, fake_get(F, PCI_COMMAND, 2),
	             PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE));
	cr_assert(eq(int, F->mode, VFIO_PCI_INTX_IRQ_INDEX));
}

/* Interrupt Status is the function's to show, and the line KVM's to raise. */
Test(vfio_irq, what_its_status_says_drives_no_line)
{
	const unsigned int before = fake.line_changes;

	fake_put16(F, PCI_STATUS, PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT);
	cr_assert(eq(u64, cfg_read(PCI_STATUS, 2), PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT));
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cr_assert(eq(u32, fake.line_changes, before));
}

ParameterizedTestParameters(vfio_irq_of, each_message_has_its_signal)
{
	static unsigned int logs[] = { 0, 1, 2, 3, 4, 5 };

	return cr_make_param_array(unsigned int, logs, ARRAY_SIZE(logs));
}

ParameterizedTest(unsigned int *log2, vfio_irq_of, each_message_has_its_signal)
{
	const unsigned int nr = 1u << *log2;

	fake_put16(F, FAKE_CAP_MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT | *log2 << 1);
	F->irqs[VFIO_PCI_MSI_IRQ_INDEX].count = nr;
	create();
	msi(5); /* more than there are: all of them */
	cr_assert(eq(int, F->mode, VFIO_PCI_MSI_IRQ_INDEX));
	cr_assert(eq(u32, F->nr_fds, nr));
	for (unsigned int i = 0; i < nr; i++)
		cr_assert(is_direct_msi(i, 0x140 + i));
}

/* 7.7.1: the layout with 32-bit addresses; what follows it is the function's. */
Test(vfio_irq_of, a_short_capability_ends_where_it_ends)
{
	const unsigned int data = FAKE_CAP_MSI + PCI_MSI_DATA_32;

	fake_put16(F, FAKE_CAP_MSI + PCI_MSI_FLAGS, 1 << 1);
	fake_put32(F, FAKE_CAP_MSI + PCI_MSI_MASK_32, 0x12345678);
	create();
	fake_noted();
	cfg_write(FAKE_CAP_MSI + PCI_MSI_ADDRESS_LO, 4, (u32)DOORBELL);
	cfg_write(data, 2, 0x60);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | 1 << 4);
	cr_assert(eq(str, fake_noted(), ""));
	cr_assert(eq(u32, F->nr_fds, 2));
	cr_assert(is_direct_msi(1, 0x61));
	cr_assert(eq(u64, cfg_read(FAKE_CAP_MSI + PCI_MSI_MASK_32, 4), 0x12345678));
}

Test(vfio_irq_of, a_short_capability_may_have_masks)
{
	fake_put16(F, FAKE_CAP_MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_MASKBIT | 1 << 1);
	create();
	cfg_write(FAKE_CAP_MSI + PCI_MSI_ADDRESS_LO, 4, (u32)DOORBELL);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_DATA_32, 2, 0x60);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_MASK_32, 4, ~0u);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | 1 << 4);
	cr_assert(eq(u64, cfg_read(FAKE_CAP_MSI + PCI_MSI_MASK_32, 4), 3));
	eventfd_write(F->fds[1], 1);
	until(cfg_read(FAKE_CAP_MSI + PCI_MSI_PENDING_32, 4) == 2);
	cr_assert(zero(u64, nr_sent()));
	cfg_write(FAKE_CAP_MSI + PCI_MSI_MASK_32, 4, 1);
	cr_assert(eq(u64, nr_sent(), 1));
	cr_assert(zero(u64, cfg_read(FAKE_CAP_MSI + PCI_MSI_PENDING_32, 4)));
}

Test(vfio_irq, another_number_of_messages_is_said_anew)
{
	msi(3);
	cr_assert(eq(u32, F->nr_fds, 8));
	msi(1);
	cr_assert(eq(u32, F->nr_fds, 2));
	msi(2);
	cr_assert(eq(u32, F->nr_fds, 4));
}

Test(vfio_irq, a_masked_message_is_pending_until_it_is_not)
{
	msi(3);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_MASK_64, 4, 0x20);
	eventfd_write(F->fds[5], 1);
	until(cfg_read(FAKE_CAP_MSI + PCI_MSI_PENDING_64, 4) == 0x20);
	cr_assert(zero(u64, nr_sent()));
	cr_assert(is_late(5));
	cfg_write(FAKE_CAP_MSI + PCI_MSI_MASK_64, 4, 0);
	cr_assert(eq(u64, nr_sent(), 1));
	cr_assert(is_direct_msi(5, 0x145));
}

Test(vfio_irq, a_message_that_changes_is_sent_as_it_is_now)
{
	msi(1);
	cr_assert(is_direct_msi(1, 0x141));
	cfg_write(FAKE_CAP_MSI + PCI_MSI_DATA_64, 2, 0x150);
	cr_assert(is_direct_msi(1, 0x151));
	cfg_write(FAKE_CAP_MSI + PCI_MSI_ADDRESS_LO, 4, FAKE_RAM_BASE);
	cr_assert(is_late(1), "a write to RAM");
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_ADDRESS_LO, 4, (u32)DOORBELL);
	cr_assert(is_late(1), "no bus master");
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cr_assert(is_direct_msi(1, 0x151));
}

Test(vfio_irq, where_the_host_has_fewer_messages_those_are_sent)
{
	F->most_vectors = 2;
	msi(3);
	cr_assert(eq(int, F->mode, VFIO_PCI_MSI_IRQ_INDEX));
	cr_assert(eq(u32, F->nr_fds, 2));
	cr_assert(is_direct_msi(1, 0x141));
	cfg_write(FAKE_CAP_MSI + PCI_MSI_MASK_64, 4, ~0u);
	cr_assert(is_late(1));
	cr_assert(eq(u32, F->nr_fds, 2), "no more are asked for");
}

Test(vfio_irq, a_vector_that_was_never_open_costs_nothing)
{
	msix(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(eq(int, F->mode, VFIO_PCI_MSIX_IRQ_INDEX));
	cr_assert(eq(u32, F->nr_fds, 1), "one is what that mode begins with");
	cr_assert(is_late(0));
}

Test(vfio_irq, an_open_vector_goes_to_the_guest_without_us)
{
	program(2, 0x52, false);
	msix(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(is_direct(2, 0x52));
	cr_assert(eq(int, F->fds[1], -1));
	program(1, 0x51, false); /* while it is enabled */
	cr_assert(is_direct(1, 0x51));
	program(1, 0x61, false);
	cr_assert(is_direct(1, 0x61));
}

Test(vfio_irq, a_masked_vector_becomes_pending_and_is_sent_once_open)
{
	program(1, 0x51, false);
	msix(PCI_MSIX_FLAGS_ENABLE);
	mask(1, true);
	cr_assert(is_late(1));
	eventfd_write(F->fds[1], 1);
	until(pending() == 2);
	cr_assert(zero(u64, nr_sent()));
	mask(1, false);
	cr_assert(eq(u64, nr_sent(), 1));
	cr_assert(zero(u64, pending()));
	cr_assert(is_direct(1, 0x51));
}

Test(vfio_irq, the_masks_of_the_function_and_of_its_bus_mastering_are_masks)
{
	program(1, 0x51, false);
	msix(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	cr_assert(eq(int, F->nr_fds, 1));
	msix(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(is_direct(1, 0x51));
	msix(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	cr_assert(is_late(1));
	msix(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(is_direct(1, 0x51));
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cr_assert(is_late(1));
	eventfd_write(F->fds[1], 1);
	until(pending() == 2);
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cr_assert(eq(u64, nr_sent(), 1));
}

Test(vfio_irq_of, where_none_can_be_added_all_are_there_at_once)
{
	F->irqs[VFIO_PCI_MSIX_IRQ_INDEX].flags |= VFIO_IRQ_INFO_NORESIZE;
	create();
	msix(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(eq(u32, F->nr_fds, FAKE_NR_MSIX));
	cr_assert(eq(int, F->fds[2], -1));
	program(2, 0x52, false);
	cr_assert(is_direct(2, 0x52));
	mask(2, true);
	cr_assert(is_late(2));
}

Test(vfio_irq_of, where_the_host_has_fewer_vectors_those_are_used)
{
	F->irqs[VFIO_PCI_MSIX_IRQ_INDEX].flags |= VFIO_IRQ_INFO_NORESIZE;
	F->most_vectors = 2;
	create();
	program(1, 0x51, false);
	program(2, 0x52, false);
	msix(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(eq(u32, F->nr_fds, 2));
	cr_assert(is_direct(1, 0x51));
	mask(2, true);
	mask(2, false);
	cr_assert(eq(u32, F->nr_fds, 2));
}

Test(vfio_irq, an_open_vector_that_kvm_has_no_route_for_is_sent_one_by_one)
{
	msix(PCI_MSIX_FLAGS_ENABLE);
	program(1, 0x51, true);
	fake.fail_at = fake.calls + 1;
	mask(1, false);
	cr_assert(is_late(1));
	eventfd_write(F->fds[1], 1);
	until(nr_sent() == 1);
	until(is_direct(1, 0x51)); /* KVM had one then */
}

Test(vfio_irq, a_vector_whose_message_is_a_write_to_ram_is_one)
{
	u32 *word = (void *)fake_at.vm.mem.host;
	const gpa_t entry = TABLE + PCI_MSIX_ENTRY_SIZE;

	msix(PCI_MSIX_FLAGS_ENABLE);
	fake_write(&fake_at.vm, entry + PCI_MSIX_ENTRY_LOWER_ADDR, 4, FAKE_RAM_BASE);
	fake_write(&fake_at.vm, entry + PCI_MSIX_ENTRY_DATA, 4, 0x1234);
	mask(1, false);
	cr_assert(is_late(1));
	eventfd_write(F->fds[1], 1);
	until(*(volatile u32 *)word == 0x1234);
}

Test(vfio_irq, one_kind_takes_the_place_of_another)
{
	program(0, 0x50, false);
	msi(3);
	cr_assert(eq(int, F->mode, VFIO_PCI_MSI_IRQ_INDEX));
	msix(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(eq(int, F->mode, VFIO_PCI_MSIX_IRQ_INDEX));
	cr_assert(is_direct(0, 0x50));
	msix(0);
	cr_assert(eq(int, F->mode, VFIO_PCI_MSI_IRQ_INDEX));
	cr_assert(eq(u32, F->nr_fds, 8));
	cr_assert(is_direct_msi(7, 0x147));
	cfg_write(FAKE_CAP_MSI + PCI_MSI_FLAGS, 2, 0);
	cr_assert(eq(int, F->mode, VFIO_PCI_INTX_IRQ_INDEX));
	cr_assert(eq(int, F->fds[0], P->level.raise));
	msix(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(is_direct(0, 0x50), "as it was before");
}

Test(vfio_irq, a_signal_that_comes_late_is_no_one_elses)
{
	int fd;

	program(1, 0x51, false);
	msix(PCI_MSIX_FLAGS_ENABLE);
	mask(1, true);
	fd = F->fds[1];
	msix(0);
	eventfd_write(fd, 1);
	fake_vm_run(&fake_at.vm, 1);
	msi(0);
	cr_assert(is_direct_msi(0, 0x140));
	cr_assert(zero(u64, pending()));
}

Test(vfio_irq, a_reset_takes_vectors_away)
{
	program(1, 0x51, false);
	msix(PCI_MSIX_FLAGS_ENABLE);
	pci_func_reset(&P->func);
	cr_assert(eq(int, F->mode, -1));
	work_wait(fake_at.vm.work, &P->reset);
	cr_assert(eq(int, F->mode, VFIO_PCI_INTX_IRQ_INDEX));
	at_work();
	msix(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(eq(u32, F->nr_fds, 1), "they are masked");
}

Test(vfio_irq, a_function_that_goes_has_none)
{
	msix(PCI_MSIX_FLAGS_ENABLE);
	fake_assigned_destroy();
	cr_assert(eq(int, F->mode, -1));
	fake_at.dev = (struct vfio_device){ .context = &fake_at.context, .fd = -1 };
	create();
}

Test(vfio_irq, what_vfio_refuses_is_tried_again_with_the_vector)
{
	program(0, 0x50, false);
	/* the pin goes, vectors come: that fails */
	fake_at.context.uapi.fail_at = fake_at.context.uapi.calls + 2;
	msix(PCI_MSIX_FLAGS_ENABLE);
	cr_assert(is_direct(0, 0x50));
}

Test(vfio_irq_of, fewer_vectors_than_the_capability_says_are_refused)
{
	F->irqs[VFIO_PCI_MSIX_IRQ_INDEX].count = FAKE_NR_MSIX - 1;
	cr_assert(eq(int, fake_assigned_create(NULL, NULL), -EINVAL));
	cr_assert(eq(u32, fake_at.step, VFIO_PCI_STEP_IRQS));
}

static int nr_left; /* what the host gives instead of vectors */

static int no_vectors(struct uapi *u, int fd, struct vfio_irq_set *arg)
{
	return arg->count && arg->index != VFIO_PCI_INTX_IRQ_INDEX
	               ? nr_left
	               : fake_iommufd_ops.set_irqs(u, fd, arg);
}

/* A guest that tries for ever fills no log. */
static void expect_said_once(int left, const char *line)
{
	struct uapi_ops ops = fake_iommufd_ops;

	ops.set_irqs = no_vectors;
	fake_at.context.uapi.ops = &ops;
	nr_left = left;
	listen_to(stderr);
	for (unsigned int i = 0; i < 3; i++) {
		msi(2);
		cfg_write(FAKE_CAP_MSI + PCI_MSI_FLAGS, 2, 0);
		msix(PCI_MSIX_FLAGS_ENABLE);
		msix(0);
	}
	cr_assert(eq(str, said(stderr), (char *)line));
	fake_at.context.uapi.ops = &fake_iommufd_ops;
}

Test(vfio_irq, that_the_host_has_no_room_for_its_doorbells_is_said_once)
{
	expect_said_once(-EOVERFLOW, "nestor: --vfio-pci 0000:01:00.0: its interrupts: the host "
	                             "has no more for it: Value too large for defined data type\n");
}

Test(vfio_irq, fewer_vectors_than_are_asked_for_are_none_and_that_is_said_once)
{
	expect_said_once(1, "nestor: --vfio-pci 0000:01:00.0: its interrupts: the host has no more "
	                    "for it: No space left on device\n");
}

Test(vfio_irq, what_a_guest_may_do_wrong_is_not_said)
{
	expect_said_once(-EINVAL, "");
}
