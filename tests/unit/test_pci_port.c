// SPDX-License-Identifier: GPL-2.0-only
/* Root ports: bus numbers, what is forwarded, slot and link status, 64-bit BARs behind them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <linux/pci_regs.h>

#include "devices/pci/private.h"
#include "tests/unit/fake_pci.h"

#define HIGH      0x800000000ULL
#define HIGH_SIZE 0x800000000ULL

static struct vm vm;
static struct pci_host *host;
static struct pci_func *port, func, second;
static unsigned int nr_resets, nr_vectors_changed, nr_master_changes;
static bool busy;

static u64 bar_read(void *dev, u64 offset, unsigned int size)
{
	(void)dev, (void)offset, (void)size;
	return 0x1234;
}

static const struct mmio_ops bar_ops = { .name = "bar", .read = bar_read };

/* A configuration register of device 0 on that bus. */
static gpa_t on_bus(unsigned int bus, unsigned int reg)
{
	return ECAM + (bus << 20) + reg;
}

static void reset(struct pci_func *f)
{
	(void)f;
	nr_resets++;
}

static bool resetting(const struct pci_func *f)
{
	(void)f;
	return busy;
}

static void vector_changed(struct pci_func *f, unsigned int vector)
{
	(void)f, (void)vector;
	nr_vectors_changed++;
}

static void master_changed(struct pci_func *f)
{
	(void)f;
	nr_master_changes++;
}

static void make(void)
{
	struct platform_pci p = fake_pci;

	p.mem64 = (struct platform_window){ HIGH, HIGH, HIGH_SIZE };
	fake_vm(&vm, 1);
	cr_assert(zero(int, pci_host_create(&host, &vm, &p)));
	cr_assert(zero(int, pci_port_create(&port, host, 7)));
	cr_assert(zero(int, pci_func_add(port->secondary, &func, &fake_pci_id)));
	pci_express_add(&func);
	pci_bar_add(&func, 0,
	            &(struct pci_bar){
			    .size = 0x4000, .is_64 = true, .prefetch = true, .ops = &bar_ops });
	cr_assert(zero(int, pci_msix_add(&func, 2, 2)));
	func.reset = reset;
	func.resetting = resetting;
	func.vector_changed = vector_changed;
	func.master_changed = master_changed;
	pci_func_ready(&func);
	fake_write(&vm, on_bus(0, PCI_PRIMARY_BUS), 4, 0x020200);
}

static void unmake(void)
{
	pci_func_remove(&func);
	pci_msix_remove(&func);
	pci_port_destroy(port);
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(pci_port, .init = make, .fini = unmake);

Test(pci_port, what_is_behind_it_answers_at_its_secondary_bus)
{
	cr_assert(eq(u64, fake_read(&vm, on_bus(2, PCI_VENDOR_ID), 4), 0x10421af4));
	cr_assert(eq(u64, fake_read(&vm, on_bus(1, PCI_VENDOR_ID), 4), 0xffffffff));
	cr_assert(eq(u32, pci_rid(&func), 0x200));
	fake_write(&vm, on_bus(0, PCI_PRIMARY_BUS), 4, 0x010100);
	cr_assert(eq(u64, fake_read(&vm, on_bus(1, PCI_VENDOR_ID), 4), 0x10421af4));
	cr_assert(eq(u64, fake_read(&vm, on_bus(2, PCI_VENDOR_ID), 4), 0xffffffff));
	cr_assert(eq(u32, pci_rid(&func), 0x100));
}

Test(pci_port, buses_are_counted_by_segment_slots_over_the_machine)
{
	struct pci_func *next;

	cr_assert(zero(int, pci_port_create(&next, host, 30)));
	cr_assert(eq(u32, next->config[PCI_SECONDARY_BUS], 2));
	cr_assert(eq(u32, next->config[PCI_SUBORDINATE_BUS], 2));
	pci_port_destroy(next);
}

Test(pci_port, one_device_is_behind_it)
{
	cr_assert(eq(int, pci_func_add(port->secondary, &second, &fake_pci_id), -ENOSPC));
	cr_assert(eq(u64, fake_read(&vm, on_bus(2, 1 << 15), 4), 0xffffffff));
}

static bool decoded(u64 at)
{
	u64 val;

	return mmio_access(&vm.mmio, at, 4, false, &val) && val == 0x1234;
}

static void set_bar(u64 at)
{
	fake_write(&vm, on_bus(2, PCI_BASE_ADDRESS_0), 4, at);
	fake_write(&vm, on_bus(2, PCI_BASE_ADDRESS_1), 4, at >> 32);
}

static void set_pref(u64 base, u64 limit)
{
	fake_write(&vm, on_bus(0, PCI_PREF_MEMORY_BASE), 2, base >> 16);
	fake_write(&vm, on_bus(0, PCI_PREF_MEMORY_LIMIT), 2, limit >> 16);
	fake_write(&vm, on_bus(0, PCI_PREF_BASE_UPPER32), 4, base >> 32);
	fake_write(&vm, on_bus(0, PCI_PREF_LIMIT_UPPER32), 4, limit >> 32);
}

Test(pci_port, a_bar_behind_it_is_decoded_only_where_it_forwards)
{
	fake_write(&vm, on_bus(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	fake_write(&vm, on_bus(2, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	set_bar(HIGH + 0x100000);
	cr_assert(not(decoded(HIGH + 0x100000)), "no window yet");
	set_pref(HIGH + 0x100000, HIGH + 0x1fffff);
	cr_assert(decoded(HIGH + 0x100000));
	set_bar(HIGH + 0x1fc000);
	cr_assert(decoded(HIGH + 0x1fc000));
	cr_assert(not(decoded(HIGH + 0x100000)));
	set_bar(HIGH + 0x200000);
	cr_assert(not(decoded(HIGH + 0x200000)), "past the window's end");
	set_pref(HIGH + 0x200000, HIGH + 0x2fffff);
	cr_assert(decoded(HIGH + 0x200000), "the window has moved over it");
	fake_write(&vm, on_bus(0, PCI_COMMAND), 2, 0);
	cr_assert(not(decoded(HIGH + 0x200000)), "the port forwards nothing");
}

Test(pci_port, a_window_whose_limit_is_below_its_base_forwards_nothing)
{
	fake_write(&vm, on_bus(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	fake_write(&vm, on_bus(2, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	set_pref(HIGH + 0x300000, HIGH + 0x1fffff);
	set_bar(HIGH + 0x300000);
	cr_assert(not(decoded(HIGH + 0x300000)));
}

Test(pci_port, slot_and_link_tell_whether_a_device_is_there)
{
	gpa_t cap = on_bus(0, port->express);
	struct pci_func *empty;

	cr_assert(eq(u64, fake_read(&vm, cap + PCI_EXP_SLTSTA, 2), PCI_EXP_SLTSTA_PDS));
	cr_assert(ne(u64, fake_read(&vm, cap + PCI_EXP_LNKSTA, 2) & PCI_EXP_LNKSTA_DLLLA, 0));
	cr_assert(eq(u64, fake_read(&vm, cap + PCI_EXP_SLTCAP, 4) >> 19, 7));
	cr_assert(eq(u64, fake_read(&vm, cap + PCI_EXP_SLTCTL, 2),
	             PCI_EXP_SLTCTL_ATTN_IND_OFF | PCI_EXP_SLTCTL_PWR_IND_OFF));
	cr_assert(zero(int, pci_port_create(&empty, host, 8)));
	cap = on_bus(0, (1 << 15) + empty->express);
	cr_assert(zero(u64, fake_read(&vm, cap + PCI_EXP_SLTSTA, 2)));
	cr_assert(zero(u64, fake_read(&vm, cap + PCI_EXP_LNKSTA, 2) & PCI_EXP_LNKSTA_DLLLA));
	pci_port_destroy(empty);
}

Test(pci_port, acs_is_an_extended_capability_that_can_be_switched_on)
{
	gpa_t acs = on_bus(0, 0x100);

	cr_assert(eq(u64, fake_read(&vm, acs, 4), PCI_EXT_CAP_ID_ACS | 1 << 16));
	fake_write(&vm, acs + PCI_ACS_CTRL, 2, 0xffff);
	cr_assert(eq(u64, fake_read(&vm, acs + PCI_ACS_CTRL, 2),
	             fake_read(&vm, acs + PCI_ACS_CAP, 2)));
}

Test(pci_port, an_endpoint_behind_it_has_a_link_and_one_beside_it_has_none)
{
	unsigned int type = fake_read(&vm, on_bus(2, func.express + PCI_EXP_FLAGS), 2);

	cr_assert(eq(u32, (type & PCI_EXP_FLAGS_TYPE) >> 4, PCI_EXP_TYPE_ENDPOINT));
	cr_assert(zero(int, pci_func_add(pci_host_bus(host), &second, &fake_pci_id)));
	pci_express_add(&second);
	type = fake_read(&vm, cfg(1, second.express + PCI_EXP_FLAGS), 2);
	cr_assert(eq(u32, (type & PCI_EXP_FLAGS_TYPE) >> 4, PCI_EXP_TYPE_RC_END));
	pci_func_remove(&second);
}

Test(pci_port, a_pin_is_swizzled_once_by_the_port)
{
	pci_set_intx(&func, true);
	cr_assert(eq(u32, host->pins[0], 1), "device 0 behind device 0");
	pci_set_intx(&func, false);
}

/* The function behind the port, live: BAR decoded, memory reached, a vector open. */
static void go_live(void)
{
	fake_write(&vm, on_bus(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	set_pref(HIGH + 0x100000, HIGH + 0x1fffff);
	set_bar(HIGH + 0x100000);
	fake_write(&vm, on_bus(2, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	fake_write(&vm, on_bus(2, func.express + PCI_EXP_DEVCTL), 2, 0);
	cr_assert(decoded(HIGH + 0x100000));
}

static bool answers(void)
{
	return fake_read(&vm, on_bus(2, PCI_VENDOR_ID), 4) == 0x10421af4;
}

static bool has_link(void)
{
	return fake_read(&vm, on_bus(0, port->express + PCI_EXP_LNKSTA), 2) & PCI_EXP_LNKSTA_DLLLA;
}

struct hold_case {
	bool by_link;
	unsigned int bit;
};

ParameterizedTestParameters(pci_port, what_is_behind_it_is_reset_and_held)
{
	static struct hold_case cases[] = { { false, PCI_BRIDGE_CTL_BUS_RESET },
		                            { true, PCI_EXP_LNKCTL_LD } };

	return cr_make_param_array(struct hold_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct hold_case *c, pci_port, what_is_behind_it_is_reset_and_held)
{
	gpa_t control = on_bus(0, c->by_link ? port->express + PCI_EXP_LNKCTL : PCI_BRIDGE_CONTROL);
	gpa_t devctl = on_bus(2, func.express + PCI_EXP_DEVCTL);

	go_live();
	pci_set_intx(&func, true);
	fake_write(&vm, control, 2, c->bit);
	cr_assert(not(answers()));
	cr_assert(not(has_link()));
	cr_assert(not(decoded(HIGH + 0x100000)));
	cr_assert(not(pci_is_master(&func)));
	fake_write(&vm, control, 2, c->bit);
	cr_assert(eq(u32, nr_resets, 1), "it is held already");
	fake_write(&vm, control, 2, 0);
	cr_assert(eq(u32, nr_resets, 1));
	cr_assert(answers());
	cr_assert(has_link());
	cr_assert(zero(u64, fake_read(&vm, on_bus(2, PCI_COMMAND), 2)));
	cr_assert(eq(u64, fake_read(&vm, on_bus(2, PCI_BASE_ADDRESS_0), 4), 0xc), "no address");
	cr_assert(zero(u64, fake_read(&vm, on_bus(2, PCI_BASE_ADDRESS_1), 4)));
	cr_assert(eq(u64, fake_read(&vm, devctl, 2),
	             PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN));
	pci_set_intx(&func, false);
	go_live();
}

/* The port at the other end has not been reset: nor is the link. */
Test(pci_port, a_function_level_reset_behind_it_leaves_the_link)
{
	const unsigned int at = func.express;

	pci_flr_add(&func);
	go_live();
	fake_write(&vm, on_bus(2, at + PCI_EXP_LNKCTL), 2, PCI_EXP_LNKCTL_CCC);
	fake_write(&vm, on_bus(2, at + PCI_EXP_DEVCTL), 2, PCI_EXP_DEVCTL_BCR_FLR);
	cr_assert(eq(u32, nr_resets, 1));
	cr_assert(answers());
	cr_assert(has_link());
	cr_assert(not(decoded(HIGH + 0x100000)));
	cr_assert(not(pci_is_master(&func)));
	cr_assert(eq(u64, fake_read(&vm, on_bus(2, at + PCI_EXP_LNKCTL), 2), PCI_EXP_LNKCTL_CCC));
	go_live();
}

Test(pci_port, who_has_no_function_level_reset_takes_none)
{
	go_live();
	fake_write(&vm, on_bus(2, func.express + PCI_EXP_DEVCTL), 2, PCI_EXP_DEVCTL_BCR_FLR);
	cr_assert(zero(u32, nr_resets));
	cr_assert(zero(u64, fake_read(&vm, on_bus(2, func.express + PCI_EXP_DEVCTL), 2)));
}

Test(pci_port, a_link_comes_back_when_the_reset_behind_it_has_ended)
{
	busy = true;
	fake_write(&vm, on_bus(0, PCI_BRIDGE_CONTROL), 2, PCI_BRIDGE_CTL_BUS_RESET);
	fake_write(&vm, on_bus(0, PCI_BRIDGE_CONTROL), 2, 0);
	cr_assert(not(answers()));
	cr_assert(not(has_link()));
	busy = false;
	cr_assert(answers());
	cr_assert(has_link());
}

Test(pci_port, a_reset_of_the_device_alone_is_nothing_of_the_links)
{
	busy = true;
	cr_assert(answers());
	cr_assert(has_link());
	busy = false;
	fake_write(&vm, on_bus(0, PCI_BRIDGE_CONTROL), 2, PCI_BRIDGE_CTL_BUS_RESET);
	fake_write(&vm, on_bus(0, PCI_BRIDGE_CONTROL), 2, 0);
	cr_assert(answers());
	busy = true;
	cr_assert(answers(), "that reset has ended");
}

static void open_vector(unsigned int msix, u64 addr)
{
	gpa_t table = MEM_CPU + 0x400000;

	fake_write(&vm, on_bus(0, PCI_MEMORY_BASE), 2, (MEM_BUS + 0x400000) >> 16);
	fake_write(&vm, on_bus(0, PCI_MEMORY_LIMIT), 2, (MEM_BUS + 0x400000) >> 16);
	fake_write(&vm, on_bus(2, PCI_BASE_ADDRESS_2), 4, MEM_BUS + 0x400000);
	fake_write(&vm, table + PCI_MSIX_ENTRY_LOWER_ADDR, 4, addr);
	fake_write(&vm, table + PCI_MSIX_ENTRY_DATA, 4, 5);
	fake_write(&vm, table + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 0);
	fake_write(&vm, on_bus(2, msix + PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
}

static unsigned int msix_cap(void)
{
	return fake_read(&vm, on_bus(2, func.express + 1), 1);
}

Test(pci_port, a_reset_masks_vectors_and_forgets_what_was_pending)
{
	unsigned int msix = msix_cap();

	go_live();
	open_vector(msix, 0x08000040);
	pci_msix_raise(&func, 1); /* masked: pending */
	cr_assert(eq(u64, fake_read(&vm, MEM_CPU + 0x408000, 8), 2));
	fake_write(&vm, on_bus(0, PCI_BRIDGE_CONTROL), 2, PCI_BRIDGE_CTL_BUS_RESET);
	fake_write(&vm, on_bus(0, PCI_BRIDGE_CONTROL), 2, 0);
	cr_assert(not(pci_msix_enabled(&func)));
	go_live();
	fake_write(&vm, on_bus(2, PCI_BASE_ADDRESS_2), 4, MEM_BUS + 0x400000);
	cr_assert(zero(u64, fake_read(&vm, MEM_CPU + 0x408000, 8)));
	cr_assert(eq(u64, fake_read(&vm, MEM_CPU + 0x40000c, 4), PCI_MSIX_ENTRY_CTRL_MASKBIT));
}

Test(pci_port, without_its_bus_master_enable_nothing_behind_it_reaches_memory)
{
	go_live();
	open_vector(msix_cap(), FAKE_RAM_BASE);
	nr_master_changes = 0;
	cr_assert(pci_is_master(&func));
	fake_write(&vm, on_bus(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	cr_assert(not(pci_is_master(&func)));
	cr_assert(eq(u32, nr_master_changes, 1), "the function is told");
	pci_msix_raise(&func, 0);
	cr_assert(zero(u32, *(u32 *)vm.mem.host), "an interrupt is a request too");
	fake_write(&vm, on_bus(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cr_assert(eq(u32, nr_master_changes, 2));
	cr_assert(eq(u32, *(u32 *)vm.mem.host, 5), "it was pending");
}

Test(pci_port, another_bus_number_is_another_requester_for_every_vector)
{
	go_live();
	nr_vectors_changed = 0;
	fake_write(&vm, on_bus(0, PCI_PRIMARY_BUS), 4, 0x030300);
	cr_assert(eq(u32, nr_vectors_changed, 2));
	nr_vectors_changed = 0;
	fake_write(&vm, on_bus(0, PCI_PRIMARY_BUS), 1, 0);
	cr_assert(zero(u32, nr_vectors_changed));
}

/* PCIe 6.0, 7.8.5: no entries, and behind the first word the bus numbers of a bridge. */
Test(pci_port, enhanced_allocation_says_which_buses_it_has_before_a_guest_does)
{
	unsigned int ea = fake_cap(&vm, 0, PCI_CAP_ID_EA, 0);
	struct pci_func *next;

	cr_assert(ne(u32, ea, 0));
	cr_assert(zero(u64, fake_read(&vm, on_bus(0, ea + PCI_EA_NUM_ENT), 2)), "no entries");
	cr_assert(eq(u64, fake_read(&vm, on_bus(0, ea + PCI_EA_FIRST_ENT), 4), 0x0101));
	cr_assert(zero(int, pci_port_create(&next, host, 30)));
	ea = fake_cap(&vm, 1, PCI_CAP_ID_EA, 0);
	cr_assert(eq(u64, fake_read(&vm, cfg(1, ea + PCI_EA_FIRST_ENT), 4), 0x0202));
	pci_port_destroy(next);
}

Test(pci_port, enhanced_allocation_is_nobodys_to_change)
{
	unsigned int ea = fake_cap(&vm, 0, PCI_CAP_ID_EA, 0);

	fake_write(&vm, on_bus(0, PCI_PRIMARY_BUS), 4, 0x030300);
	fake_write(&vm, on_bus(0, ea), 4, ~0u);
	fake_write(&vm, on_bus(0, ea + PCI_EA_FIRST_ENT), 4, ~0u);
	cr_assert(zero(u64, fake_read(&vm, on_bus(0, ea + PCI_EA_NUM_ENT), 2)));
	cr_assert(eq(u64, fake_read(&vm, on_bus(0, ea + PCI_EA_FIRST_ENT), 4), 0x0101));
	cr_assert(zero(u32, fake_cap(&vm, 0, PCI_CAP_ID_EA, 1)), "there is one");
}
