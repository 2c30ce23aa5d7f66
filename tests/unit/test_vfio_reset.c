// SPDX-License-Identifier: GPL-2.0-only
/* Resets of an assigned function: intercepted, done on the work thread, and what is there after. */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/fake_assigned.h"

#define F    (&fake_functions[0])
#define BAR0 (MEM_BUS + 0x100000)

static void make(void)
{
	fake_assigned_make();
	F->gate = eventfd(0, EFD_CLOEXEC);
	cfg_write(PCI_BASE_ADDRESS_0, 4, BAR0);
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	fake_noted();
}

static void unmake(void)
{
	eventfd_write(F->gate, 100);
	close(F->gate);
	fake_assigned_unmake();
}

TestSuite(vfio_reset, .init = make, .fini = unmake);

static void flr(void)
{
	cfg_write(FAKE_CAP_EXP + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR | 0x10);
}

static void finish(void)
{
	eventfd_write(F->gate, 1);
	work_wait(fake_at.vm.work, &fake_at.pci->reset);
}

Test(vfio_reset, the_guests_own_is_the_hosts_to_do)
{
	flr();
	cr_assert(eq(ptr, strstr(fake_noted(), "0x78/2"), NULL), "it is not passed on");
	finish();
	cr_assert(eq(u32, F->nr_resets, 1));
	cr_assert(zero(u32, F->nr_hot_resets));
	cr_assert(zero(u64, cfg_read(FAKE_CAP_EXP + PCI_EXP_DEVCTL, 2)));
}

Test(vfio_reset, other_controls_in_that_register_pass)
{
	cfg_write(FAKE_CAP_EXP + PCI_EXP_DEVCTL, 2, 0x2810);
	cr_assert(eq(str, fake_noted(), "config 0x78/2=0x2810;"));
	cr_assert(zero(u32, F->nr_resets));
	cr_assert(eq(u64, cfg_read(FAKE_CAP_EXP + PCI_EXP_DEVCTL, 2), 0x2810));
}

Test(vfio_reset, it_can_be_asked_for_by_the_byte_that_has_it)
{
	cfg_write(FAKE_CAP_EXP + PCI_EXP_DEVCTL, 1, 0xff);
	cr_assert(not(fake_at.pci->resetting));
	cfg_write(FAKE_CAP_EXP + PCI_EXP_DEVCTL + 1, 1, 0x80);
	cr_assert(fake_at.pci->resetting);
	finish();
	cfg_write(FAKE_CAP_EXP + PCI_EXP_DEVCAP, 4, ~0u); /* read-only, and another register */
	cr_assert(not(fake_at.pci->resetting));
}

Test(vfio_reset, that_of_advanced_features_is_one_too)
{
	cfg_write(FAKE_CAP_AF + PCI_AF_CTRL, 1, PCI_AF_CTRL_FLR);
	cr_assert(fake_at.pci->resetting);
	cr_assert(eq(ptr, strstr(fake_noted(), "config 0xc4"), NULL));
	finish();
	cr_assert(eq(u32, F->nr_resets, 1));
}

Test(vfio_reset, a_function_that_has_none_is_asked_for_none)
{
	fake_put32(F, FAKE_CAP_EXP + PCI_EXP_DEVCAP, 0);
	F->config[FAKE_CAP_AF + PCI_AF_CAP] = 0;
	cfg_read(FAKE_CAP_EXP + PCI_EXP_DEVCAP, 4);
	cfg_read(FAKE_CAP_AF + PCI_AF_CAP, 1);
	flr();
	cfg_write(FAKE_CAP_AF + PCI_AF_CTRL, 1, PCI_AF_CTRL_FLR);
	cr_assert(not(fake_at.pci->resetting));
}

Test(vfio_reset, until_it_has_ended_the_function_does_not_answer)
{
	flr();
	cr_assert(eq(u64, cfg_read(PCI_VENDOR_ID, 4), 0xffffffff));
	cr_assert(eq(u64, cfg_read(FAKE_CAP_EXP, 8), ~0ULL));
	fake_noted();
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cr_assert(eq(str, fake_noted(), ""));
	cr_assert(zero(u64, fake_at.pci->func.bars[0].at));
	finish();
	cr_assert(eq(u64, cfg_read(PCI_VENDOR_ID, 4), 0x10d38086));
	cr_assert(zero(u64, cfg_read(PCI_COMMAND, 2)), "what was written is lost");
}

Test(vfio_reset, interrupts_are_off_meanwhile_and_are_the_pins_afterwards)
{
	cfg_write(FAKE_CAP_MSI + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
	cr_assert(eq(int, F->mode, VFIO_PCI_MSI_IRQ_INDEX));
	flr();
	cr_assert(eq(int, F->mode, -1));
	finish();
	cr_assert(eq(int, F->mode, VFIO_PCI_INTX_IRQ_INDEX));
	cr_assert(zero(u32, pci_msi_enabled(&fake_at.pci->func)));
}

/* VFIO puts back what there was before. */
Test(vfio_reset, afterwards_the_function_is_as_the_guest_has_it)
{
	cr_assert(eq(u32, fake_get(F, PCI_COMMAND, 2), 6));
	flr();
	finish();
	cr_assert(zero(u32, fake_get(F, PCI_COMMAND, 2)));
	cr_assert(zero(u64, cfg_read(PCI_BASE_ADDRESS_0, 4)));
	cfg_write(PCI_BASE_ADDRESS_0, 4, BAR0);
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cr_assert(eq(u32, fake_get(F, PCI_COMMAND, 2), 2));
	cr_assert(ne(u64, fake_at.pci->func.bars[0].at, 0));
}

Test(vfio_reset, one_that_sleeps_is_awake_afterwards)
{
	cfg_write(FAKE_CAP_PM + PCI_PM_CTRL, 2, 3);
	cr_assert(eq(u32, fake_get(F, FAKE_CAP_PM + PCI_PM_CTRL, 2), 3));
	flr();
	finish();
	cr_assert(zero(u32, fake_get(F, FAKE_CAP_PM + PCI_PM_CTRL, 2)));
	cr_assert(zero(u64, cfg_read(FAKE_CAP_PM + PCI_PM_CTRL, 2)));
}

Test(vfio_reset, a_second_one_meanwhile_is_the_same)
{
	flr();
	pci_func_reset(&fake_at.pci->func); /* its port's */
	finish();
	cr_assert(eq(u32, F->nr_resets, 1));
	flr();
	finish();
	cr_assert(eq(u32, F->nr_resets, 2));
}

Test(vfio_reset, the_loop_ends_one_that_nobody_waits_for)
{
	flr();
	eventfd_write(F->gate, 1);
	until(!fake_at.pci->resetting);
	cr_assert(eq(u64, cfg_read(PCI_VENDOR_ID, 4), 0x10d38086));
}

Test(vfio_reset, a_function_without_one_of_its_own_is_reset_with_its_bus)
{
	fake_at.pci->can_reset = false;
	flr();
	finish();
	cr_assert(zero(u32, F->nr_resets));
	cr_assert(eq(u32, F->nr_hot_resets, 1));
}

/* As it is while another function there is used. */
Test(vfio_reset, a_bus_that_is_busy_is_reset_when_it_is_not)
{
	static const int whys[] = { -EBUSY, -EAGAIN };

	fake_at.pci->can_reset = false;
	for (u32 i = 0; i < ARRAY_SIZE(whys); i++) {
		fake_at.context.uapi.fail_at = fake_at.context.uapi.calls + 2; /* as below */
		fake_at.context.uapi.fail_err = whys[i];
		flr();
		finish();
		cr_assert(eq(u32, F->nr_hot_resets, i + 1));
	}
}

Test(vfio_reset, a_bus_that_is_not_all_ours_is_asked_for_once)
{
	fake_at.pci->can_reset = false;
	fake_at.context.uapi.fail_at = fake_at.context.uapi.calls + 2;
	fake_at.context.uapi.fail_err = -EINVAL;
	flr();
	finish();
	cr_assert(zero(u32, F->nr_hot_resets));
}

Test(vfio_reset, a_function_that_somebody_holds_is_reset_when_it_is_let_go)
{
	static const int whys[] = { -EBUSY, -EAGAIN };

	for (unsigned int i = 0; i < ARRAY_SIZE(whys); i++) {
		fake_at.context.uapi.fail_at = fake_at.context.uapi.calls + 2;
		fake_at.context.uapi.fail_err = whys[i];
		flr();
		finish();
		cr_assert(eq(u32, F->nr_resets, i + 1));
	}
}

Test(vfio_reset, one_that_the_host_refuses_ends_too)
{
	fake_at.context.uapi.fail_at = fake_at.context.uapi.calls + 2; /* interrupts, and it */
	flr();
	work_wait(fake_at.vm.work, &fake_at.pci->reset);
	cr_assert(zero(u32, F->nr_resets));
	cr_assert(eq(u64, cfg_read(PCI_VENDOR_ID, 4), 0x10d38086));
}

/* Nothing else calls what ends it: the loop does not run. */
Test(vfio_reset, an_attachment_waits_for_it)
{
	struct iova_space everything = { .identity = true };

	flr();
	eventfd_write(F->gate, 1);
	cr_assert(zero(int, fake_at.pci->assigned.attach(&fake_at.pci->assigned, &everything)));
	cr_assert(not(fake_at.pci->resetting));
	cr_assert(eq(u32, fake_ioas_of(0), fake_at.context.ioas));
}

/* It answers not, so what is taken down with it in flight is not waited for by a guest. */
Test(vfio_reset, a_machine_that_ends_meanwhile_waits_for_it)
{
	flr();
	eventfd_write(F->gate, 1);
}

Test(vfio_reset, memory_is_taken_away_while_another_function_maps)
{
	struct pci_func other = { .name = "other" };

	cr_assert(zero(int, pci_func_add(pci_host_bus(fake_at.host), &other, &fake_pci_id)));
	flr();
	pci_config_write(&other, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cr_assert(zero(u64, fake_at.pci->func.bars[0].at));
	finish();
	pci_func_remove(&other);
}
