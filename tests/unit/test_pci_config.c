// SPDX-License-Identifier: GPL-2.0-only
/* Configuration space: the header, what a guest may write, BARs and capabilities. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <linux/pci_regs.h>

#include "tests/unit/fake_pci.h"

#define BAR(n) (PCI_BASE_ADDRESS_0 + (n)*4)

static struct vm vm;
static struct pci_host *host;
static struct pci_func func = { .name = "func" }, second = { .name = "second" };
static struct {
	gpa_t from, to;
	unsigned int times;
} moved;

static u64 bar_read(void *dev, u64 offset, unsigned int size)
{
	(void)size;
	return (unsigned long)dev + offset;
}

static void bar_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	(void)dev, (void)offset, (void)size, (void)val;
}

static const struct mmio_ops bar_ops = { "bar", bar_read, bar_write };

static void bar_moved(struct pci_func *f, gpa_t from, gpa_t to)
{
	(void)f;
	moved.from = from;
	moved.to = to;
	moved.times++;
}

/* func has BARs 0 and 2 of 16 KiB, second has BAR 0. Their devices are named
 * 1000, 2000 and 3000. */
static void make(void)
{
	fake_vm(&vm, 1);
	cr_assert(zero(int, pci_host_create(&host, &vm, &fake_pci)));
	pci_func_add(pci_host_bus(host), &func, &fake_pci_id);
	pci_func_add(pci_host_bus(host), &second, &fake_pci_id);
	pci_bar_add(
		&func, 0,
		&(struct pci_bar){
			.size = 0x4000, .ops = &bar_ops, .dev = (void *)1000, .moved = bar_moved });
	pci_bar_add(&func, 2,
	            &(struct pci_bar){ .size = 0x4000, .ops = &bar_ops, .dev = (void *)2000 });
	pci_bar_add(&second, 0,
	            &(struct pci_bar){ .size = 0x4000, .ops = &bar_ops, .dev = (void *)3000 });
	fake_place(host);
}

static void unmake(void)
{
	pci_func_remove(&func);
	pci_func_remove(&second);
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(pci_config, .init = make, .fini = unmake);

static u64 in(unsigned int reg, unsigned int size)
{
	return fake_read(&vm, cfg(0, reg), size);
}

static void out(unsigned int reg, unsigned int size, u64 val)
{
	fake_write(&vm, cfg(0, reg), size, val);
}

static void decode(unsigned int dev)
{
	fake_write(&vm, cfg(dev, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
}

/* Which device answers a read at an address: 0 where none does. */
#define NOBODY 0xffffffffu /* answers in a window */

static u64 at(gpa_t gpa)
{
	u64 val = 0;

	mmio_access(&vm.mmio, gpa, 4, false, &val);
	return val;
}

struct header_case {
	unsigned int reg, size;
	u64 val, writable;
};

ParameterizedTestParameters(pci_config, the_header_says_what_it_is_and_takes_what_it_may)
{
	static struct header_case cases[] = {
		{ PCI_VENDOR_ID, 2, 0x1af4, 0 },
		{ PCI_DEVICE_ID, 2, 0x1042, 0 },
		{ PCI_COMMAND, 2, 0, 0x0406 },
		{ PCI_STATUS, 2, 0, 0 },
		{ PCI_CLASS_REVISION, 4, 0x01800001, 0 },
		{ PCI_CACHE_LINE_SIZE, 1, 0, 0xff },
		{ PCI_LATENCY_TIMER, 1, 0, 0 },
		{ PCI_HEADER_TYPE, 1, 0, 0 },
		{ PCI_BIST, 1, 0, 0 },
		{ BAR(1), 4, 0, 0 },
		{ BAR(5), 4, 0, 0 },
		{ PCI_SUBSYSTEM_VENDOR_ID, 2, 0x1af5, 0 },
		{ PCI_SUBSYSTEM_ID, 2, 0x1043, 0 },
		{ PCI_ROM_ADDRESS, 4, 0, 0 },
		{ PCI_CAPABILITY_LIST, 1, 0, 0 },
		{ PCI_INTERRUPT_LINE, 1, 0, 0xff },
		{ PCI_INTERRUPT_PIN, 1, 1, 0 },
		{ 0x100, 4, 0, 0 },
		{ 0xffc, 4, 0, 0 },
	};

	return cr_make_param_array(struct header_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct header_case *c, pci_config,
                  the_header_says_what_it_is_and_takes_what_it_may)
{
	cr_assert(eq(u64, in(c->reg, c->size), c->val), "register %#x", c->reg);
	out(c->reg, c->size, ~0ULL);
	cr_assert(eq(u64, in(c->reg, c->size), c->val | c->writable), "register %#x", c->reg);
	out(c->reg, c->size, 0);
	cr_assert(eq(u64, in(c->reg, c->size), c->val & ~c->writable), "register %#x", c->reg);
}

Test(pci_config, bars_are_placed_in_the_window_from_the_start)
{
	cr_assert(eq(u64, in(BAR(0), 4), MEM_BUS));
	cr_assert(eq(u64, in(BAR(2), 4), MEM_BUS + 0x4000));
	cr_assert(eq(u64, at(MEM_CPU), NOBODY), "and decoded once the guest says so");
	decode(0);
	cr_assert(eq(u64, at(MEM_CPU + 4), 1004));
	cr_assert(eq(u64, at(MEM_CPU + 0x4000), 2000));
	cr_assert(eq(u64, moved.to, MEM_CPU));
}

Test(pci_config, all_ones_in_a_bar_read_back_as_its_size)
{
	decode(0);
	out(BAR(0), 4, 0xffffffff);
	cr_assert(eq(u64, in(BAR(0), 4), 0xffffc000));
	cr_assert(eq(u64, at(MEM_CPU), NOBODY));
	out(BAR(0), 4, MEM_BUS);
	cr_assert(eq(u64, at(MEM_CPU), 1000));
}

Test(pci_config, a_bar_moves_when_it_is_written)
{
	decode(0);
	out(BAR(0), 4, MEM_BUS + 0x10000);
	cr_assert(eq(u64, at(MEM_CPU + 0x10000), 1000));
	cr_assert(eq(u64, at(MEM_CPU), NOBODY));
	cr_assert(eq(u32, moved.times, 3)); /* there, gone, there */
	out(PCI_COMMAND, 2, 0);
	cr_assert(eq(u64, at(MEM_CPU + 0x10000), NOBODY));
	cr_assert(eq(u64, moved.from, MEM_CPU + 0x10000));
	cr_assert(zero(u64, moved.to));
}

struct place_case {
	u64 bus;
	gpa_t at; /* 0: not decoded */
};

ParameterizedTestParameters(pci_config, a_bar_is_decoded_only_within_the_window)
{
	static struct place_case cases[] = {
		{ MEM_BUS + MEM_SIZE - 0x4000, MEM_CPU + MEM_SIZE - 0x4000 },
		{ MEM_BUS + MEM_SIZE, 0 },
		{ MEM_BUS - 0x4000, 0 },
		{ 0, 0 },
		{ MEM_CPU, 0 },
		{ MEM_BUS + 0x9000, MEM_CPU + 0x8000 }, /* the low bits are not there */
	};

	return cr_make_param_array(struct place_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct place_case *c, pci_config, a_bar_is_decoded_only_within_the_window)
{
	decode(0);
	out(BAR(0), 4, c->bus);
	cr_assert(eq(u64, func.bars[0].at, c->at), "bus %#llx", (unsigned long long)c->bus);
	cr_assert(eq(u64, c->at ? at(c->at) : 1000, 1000));
}

Test(pci_config, a_bar_over_another_leaves_the_first)
{
	decode(0);
	out(BAR(2), 4, MEM_BUS);
	cr_assert(eq(u64, at(MEM_CPU), 1000));
	cr_assert(eq(u64, at(MEM_CPU + 0x4000), NOBODY));
	out(BAR(0), 4, MEM_BUS + 0x8000);
	cr_assert(eq(u64, at(MEM_CPU + 0x8000), 1000));
	cr_assert(eq(u64, at(MEM_CPU), 2000), "who waited for the place has it");
}

Test(pci_config, two_bars_can_be_swapped_while_they_are_decoded)
{
	decode(0);
	out(BAR(0), 4, MEM_BUS + 0x4000);
	out(BAR(2), 4, MEM_BUS);
	cr_assert(eq(u64, at(MEM_CPU + 0x4000), 1000));
	cr_assert(eq(u64, at(MEM_CPU), 2000));
}

Test(pci_config, a_bar_takes_the_place_that_another_function_left)
{
	decode(0);
	decode(1);
	fake_write(&vm, cfg(1, BAR(0)), 4, MEM_BUS);
	cr_assert(eq(u64, at(MEM_CPU), 1000));
	out(PCI_COMMAND, 2, 0);
	cr_assert(eq(u64, at(MEM_CPU), 3000));
}

Test(pci_config, capabilities_form_a_list_without_overlap)
{
	unsigned int a = pci_cap_add(&func, PCI_CAP_ID_VNDR, 7);
	unsigned int b = pci_cap_add(&func, PCI_CAP_ID_MSIX, 12);

	cr_assert(eq(u64, in(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST, PCI_STATUS_CAP_LIST));
	cr_assert(eq(u32, fake_cap(&vm, 0, PCI_CAP_ID_VNDR, 0), a));
	cr_assert(eq(u32, fake_cap(&vm, 0, PCI_CAP_ID_MSIX, 0), b));
	cr_assert(ge(u32, b, a + 7));
	cr_assert(zero(u32, fake_cap(&vm, 0, PCI_CAP_ID_EXP, 0)));
}

Test(pci_config, express_is_an_integrated_endpoint_with_all_its_registers)
{
	unsigned int exp, next;

	pci_express_add(&func);
	next = pci_cap_add(&func, PCI_CAP_ID_VNDR, 4);
	exp = fake_cap(&vm, 0, PCI_CAP_ID_EXP, 0);
	cr_assert(eq(u64, in(exp + PCI_EXP_FLAGS, 2), PCI_EXP_TYPE_RC_END << 4 | 2));
	cr_assert(ge(u32, next - exp, PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V2));
}

Test(pci_config, express_starts_as_its_section_says)
{
	unsigned int exp;

	pci_express_add(&func);
	exp = fake_cap(&vm, 0, PCI_CAP_ID_EXP, 0);
	cr_assert(eq(u64, in(exp + PCI_EXP_DEVCTL, 2),
	             PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN));
	cr_assert(eq(u64, in(exp + PCI_EXP_DEVCAP2, 4), PCI_EXP_DEVCAP2_COMP_TMOUT_DIS));
	out(exp + PCI_EXP_DEVCTL2, 2, 0xffff);
	cr_assert(eq(u64, in(exp + PCI_EXP_DEVCTL2, 2), PCI_EXP_DEVCTL2_COMP_TMOUT_DIS));
}

static unsigned int hook_offset;

static void config_read(struct pci_func *f, unsigned int offset, unsigned int size)
{
	(void)size;
	pci_set32(f, 0x80, offset);
}

static void config_written(struct pci_func *f, unsigned int offset, unsigned int size)
{
	(void)f;
	hook_offset = offset + size;
}

Test(pci_config, a_function_can_follow_its_own_space)
{
	func.config_read = config_read;
	func.config_written = config_written;
	cr_assert(eq(u64, in(0x80, 4), 0x80));
	pci_allow32(&func, 0x84, 0x00ffff00);
	out(0x84, 4, 0x12345678);
	cr_assert(eq(u32, hook_offset, 0x88));
	cr_assert(eq(u32, pci_get32(&func, 0x84), 0x00345600));
	cr_assert(eq(u32, pci_get16(&func, 0x85), 0x3456));
}

Test(pci_config, asleep_it_decodes_nothing_reaches_nothing_and_drives_no_pin)
{
	gpa_t pmcsr;

	pci_pm_add(&func);
	pmcsr = cfg(0, func.pm + PCI_PM_CTRL);
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_set_intx(&func, true);
	fake_write(&vm, pmcsr, 2, 3);
	cr_assert(eq(u64, fake_read(&vm, pmcsr, 2), 3 | PCI_PM_CTRL_NO_SOFT_RESET));
	cr_assert(zero(u64, func.bars[0].at));
	cr_assert(not(pci_is_master(&func)));
	cr_assert(not(func.intx));
	fake_write(&vm, pmcsr, 2, 1);
	cr_assert(eq(u64, fake_read(&vm, pmcsr, 2) & 3, 3), "there is no D1");
	fake_write(&vm, pmcsr, 2, 0);
	cr_assert(eq(u64, func.bars[0].at, MEM_CPU));
	cr_assert(pci_is_master(&func));
	cr_assert(func.intx, "nothing was lost");
	fake_write(&vm, pmcsr, 2, 2);
	cr_assert(zero(u64, fake_read(&vm, pmcsr, 2) & 3), "there is no D2");
	pci_set_intx(&func, false);
}

/* Between its last register and the next function's first there is nothing, to the last byte. */
Test(pci_config, what_is_behind_its_registers_reads_as_0_and_takes_no_write)
{
	for (unsigned int reg = PCI_CONFIG_OURS; reg < PCI_CONFIG_SIZE; reg += 4) {
		out(reg, 4, ~0u);
		cr_assert(zero(u64, in(reg, 4)), "register %#x", reg);
	}
	out(PCI_CONFIG_SIZE - 1, 1, 0xff);
	cr_assert(zero(u64, in(PCI_CONFIG_SIZE - 1, 1)));
	cr_assert(eq(u64, in(PCI_VENDOR_ID, 2), fake_pci_id.vendor));
}
