// SPDX-License-Identifier: GPL-2.0-only
/* The PCI host: ECAM, slots and interrupt pins. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <linux/pci_regs.h>

#include "tests/unit/fake_pci.h"

static struct vm vm;
static struct pci_host *host;
static struct pci_func funcs[33];

static void make(void)
{
	fake_vm(&vm, 1);
	cr_assert(zero(int, pci_host_create(&host, &vm, &fake_pci)));
	for (unsigned int i = 0; i < 6; i++)
		cr_assert(zero(int, pci_func_add(pci_host_bus(host), &funcs[i], &fake_pci_id)));
}

static void unmake(void)
{
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(pci_host, .init = make, .fini = unmake);

Test(pci_host, a_function_is_read_at_its_own_address_in_every_width)
{
	cr_assert(eq(u64, fake_read(&vm, cfg(5, PCI_VENDOR_ID), 4), 0x10421af4));
	cr_assert(eq(u64, fake_read(&vm, cfg(5, PCI_DEVICE_ID), 2), 0x1042));
	cr_assert(eq(u64, fake_read(&vm, cfg(5, PCI_DEVICE_ID + 1), 1), 0x10));
	cr_assert(eq(u64, fake_read(&vm, cfg(5, PCI_CLASS_REVISION), 8), 0x01800001));
	cr_assert(eq(u32, pci_rid(&funcs[5]), 5 << 3));
}

struct absent_case {
	u64 offset;
	unsigned int size;
};

ParameterizedTestParameters(pci_host, what_is_absent_reads_all_ones_and_loses_writes)
{
	static struct absent_case cases[] = {
		{ 6 << 15, 4 }, /* no device 6 */
		{ 6 << 15, 8 },
		{ 31 << 15, 2 },
		{ 1 << 12, 1 }, /* function 1 of device 0 */
		{ (5 << 15) + (7 << 12), 4 },
		{ 1 << 20, 4 }, /* bus 1 */
		{ (3 << 20) + 0xffff8, 8 },
	};

	return cr_make_param_array(struct absent_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct absent_case *c, pci_host, what_is_absent_reads_all_ones_and_loses_writes)
{
	fake_write(&vm, ECAM + c->offset, c->size, 0);
	cr_assert(eq(u64, fake_read(&vm, ECAM + c->offset, c->size), ~0ULL >> (64 - c->size * 8)),
	          "%#llx", (unsigned long long)c->offset);
}

Test(pci_host, ecam_ends_after_the_last_bus)
{
	u64 val;

	cr_assert(zero(ptr, (void *)mmio_access(&vm.mmio, ECAM + (4 << 20), 4, false, &val)));
}

Test(pci_host, a_wide_write_is_two)
{
	fake_write(&vm, cfg(0, PCI_INTERRUPT_LINE - 4), 8, 0x55ULL << 32 | 0xffffffff);
	cr_assert(eq(u64, fake_read(&vm, cfg(0, PCI_INTERRUPT_LINE), 1), 0x55));
	fake_write(&vm, cfg(0, PCI_CACHE_LINE_SIZE - 4), 8, 0x11);
	cr_assert(zero(u64, fake_read(&vm, cfg(0, PCI_CACHE_LINE_SIZE), 1)));
}

Test(pci_host, there_is_room_for_32_devices)
{
	for (unsigned int i = 6; i < 32; i++)
		cr_assert(zero(int, pci_func_add(pci_host_bus(host), &funcs[i], &fake_pci_id)));
	cr_assert(eq(int, pci_func_add(pci_host_bus(host), &funcs[32], &fake_pci_id), -ENOSPC));
	pci_func_remove(&funcs[9]);
	cr_assert(eq(u64, fake_read(&vm, cfg(9, 0), 4), 0xffffffff));
	cr_assert(zero(int, pci_func_add(pci_host_bus(host), &funcs[32], &fake_pci_id)));
	cr_assert(eq(u32, pci_rid(&funcs[32]), 9 << 3));
}

Test(pci_host, pins_are_swizzled_by_device)
{
	for (unsigned int i = 0; i < 4; i++) {
		pci_set_intx(&funcs[i], true);
		for (unsigned int line = 0; line < 4; line++)
			cr_assert(eq(int, fake.lines[FIRST_INTX + line], line == i));
		pci_set_intx(&funcs[i], false);
	}
	pci_set_intx(&funcs[5], true);
	cr_assert(fake.lines[FIRST_INTX + 1]);
}

Test(pci_host, a_line_is_high_while_any_function_drives_it)
{
	pci_set_intx(&funcs[0], true);
	pci_set_intx(&funcs[4], true);
	pci_set_intx(&funcs[4], true);
	cr_assert(eq(u32, fake.line_changes, 1));
	pci_set_intx(&funcs[0], false);
	cr_assert(fake.lines[FIRST_INTX]);
	pci_set_intx(&funcs[4], false);
	cr_assert(not(fake.lines[FIRST_INTX]));
}

Test(pci_host, intx_disable_takes_the_function_off_the_line_and_back)
{
	gpa_t command = cfg(2, PCI_COMMAND), status = cfg(2, PCI_STATUS);

	pci_set_intx(&funcs[2], true);
	fake_write(&vm, command, 2, PCI_COMMAND_INTX_DISABLE);
	cr_assert(not(fake.lines[FIRST_INTX + 2]));
	cr_assert(eq(u64, fake_read(&vm, status, 2) & PCI_STATUS_INTERRUPT, PCI_STATUS_INTERRUPT));
	fake_write(&vm, command, 2, 0);
	cr_assert(fake.lines[FIRST_INTX + 2]);
	pci_set_intx(&funcs[2], false);
	cr_assert(zero(u64, fake_read(&vm, status, 2) & PCI_STATUS_INTERRUPT));
	cr_assert(not(fake.lines[FIRST_INTX + 2]));
}

Test(pci_host, a_disabled_function_raises_nothing_until_it_is_enabled)
{
	fake_write(&vm, cfg(3, PCI_COMMAND), 2, PCI_COMMAND_INTX_DISABLE);
	pci_set_intx(&funcs[3], true);
	cr_assert(not(fake.lines[FIRST_INTX + 3]));
	fake_write(&vm, cfg(3, PCI_COMMAND), 2, 0);
	cr_assert(fake.lines[FIRST_INTX + 3]);
}

Test(pci_host, a_function_that_goes_lets_its_line_go)
{
	pci_set_intx(&funcs[1], true);
	pci_func_remove(&funcs[1]);
	cr_assert(not(fake.lines[FIRST_INTX + 1]));
}

Test(pci_host, an_ecam_over_something_else_is_refused)
{
	struct pci_host *other;

	cr_assert(eq(int, pci_host_create(&other, &vm, &fake_pci), -EEXIST));
}
