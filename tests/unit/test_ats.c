// SPDX-License-Identifier: GPL-2.0-only
/* The capabilities of ATS, page requests and PASIDs: what they say, what a guest may write. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "tests/unit/fake_pci.h"

#define ATS   0x100
#define PRI   0x108
#define PASID 0x118

static struct vm vm;
static struct pci_host *host;
static struct pci_func func = { .name = "func" };
static unsigned int changes;

static void changed(struct pci_func *f)
{
	(void)f;
	changes++;
}

static void make_with(unsigned int bits)
{
	fake_vm(&vm, 1);
	cr_assert(zero(int, pci_host_create(&host, &vm, &fake_pci)));
	pci_func_add(pci_host_bus(host), &func, &fake_pci_id);
	pci_express_add(&func);
	pci_ats_add(&func);
	pci_pri_add(&func, 3);
	if (bits)
		pci_pasid_add(&func, bits);
	func.ats_changed = changed;
	pci_func_ready(&func);
}

static void make(void)
{
	make_with(20);
}

static void unmake(void)
{
	pci_func_remove(&func);
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(ats, .init = make, .fini = unmake);
TestSuite(ats_alone, .fini = unmake);

static u16 get(unsigned int at)
{
	return fake_read(&vm, cfg(0, at), 2);
}

static void put(unsigned int at, u16 val)
{
	fake_write(&vm, cfg(0, at), 2, val);
}

static bool status_has(u16 bit)
{
	return get(PRI + PCI_PRI_STATUS) & bit;
}

Test(ats, the_list_names_all_three)
{
	static const u32 want[] = { PRI << 20 | 1 << 16 | PCI_EXT_CAP_ID_ATS,
		                    PASID << 20 | 1 << 16 | PCI_EXT_CAP_ID_PRI,
		                    1 << 16 | PCI_EXT_CAP_ID_PASID };

	cr_assert(eq(u64, fake_read(&vm, cfg(0, ATS), 4), want[0]));
	cr_assert(eq(u64, fake_read(&vm, cfg(0, PRI), 4), want[1]));
	cr_assert(eq(u64, fake_read(&vm, cfg(0, PASID), 4), want[2]));
}

Test(ats, registers_hold_what_they_have_and_no_more)
{
	static const struct {
		unsigned int at;
		u16 first, all;
	} regs[] = {
		{ ATS + PCI_ATS_CAP, 0x20, 0x20 },
		{ ATS + PCI_ATS_CTRL, 0, 0x801f },
		{ PRI + PCI_PRI_CTRL, 0, 1 },
		{ PRI + PCI_PRI_MAX_REQ, 3, 3 },
		{ PRI + PCI_PRI_MAX_REQ + 2, 0, 0 },
		{ PRI + PCI_PRI_ALLOC_REQ, 0, 0xffff },
		{ PRI + PCI_PRI_ALLOC_REQ + 2, 0, 0xffff },
		{ PASID + PCI_PASID_CAP, 0x1402, 0x1402 },
		{ PASID + PCI_PASID_CTRL, 0, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		cr_assert(eq(u32, get(regs[i].at), regs[i].first), "%#x", regs[i].at);
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		put(regs[i].at, 0xffff);
		cr_assert(eq(u32, get(regs[i].at), regs[i].all), "%#x", regs[i].at);
	}
	pci_func_reset(&func);
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		cr_assert(eq(u32, get(regs[i].at), regs[i].first), "%#x", regs[i].at);
}

Test(ats, a_pasid_is_an_end_end_prefix)
{
	unsigned int at = fake_cap(&vm, 0, PCI_CAP_ID_EXP, 0) + PCI_EXP_DEVCAP2;
	u32 devcap2 = fake_read(&vm, cfg(0, at), 4);

	cr_assert(ne(u32, devcap2 & PCI_EXP_DEVCAP2_EE_PREFIX, 0));
	cr_assert(eq(u32, FIELD_GET(PCI_EXP_DEVCAP2_EE_PREFIX_MAX, devcap2), 1));
	cr_assert(
		eq(u32, get(PRI + PCI_PRI_STATUS), PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID));
}

Test(ats, the_smallest_unit_is_4096_bytes_and_more)
{
	cr_assert(eq(u64, pci_ats_unit(&func), 4096));
	put(ATS + PCI_ATS_CTRL, 31);
	cr_assert(eq(u64, pci_ats_unit(&func), 1ULL << 43));
	cr_assert(not(pci_ats_enabled(&func)));
	put(ATS + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE);
	cr_assert(pci_ats_enabled(&func));
	cr_assert(eq(u32, changes, 2));
}

Test(ats, pasids_need_to_be_enabled_and_to_fit)
{
	cr_assert(not(pci_pasid_allowed(&func, 0, false)));
	put(PASID + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
	cr_assert(pci_pasid_allowed(&func, 0xfffff, false));
	cr_assert(not(pci_pasid_allowed(&func, 0x100000, false)));
	cr_assert(not(pci_pasid_allowed(&func, 0xffffffff, false)));
	cr_assert(not(pci_pasid_allowed(&func, 0, true)));
	put(PASID + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_EXEC);
	cr_assert(pci_pasid_allowed(&func, 0, true));
	put(PASID + PCI_PASID_CTRL, PCI_PASID_CTRL_EXEC);
	cr_assert(not(pci_pasid_allowed(&func, 0, true)));
}

Test(ats, credits_are_the_smaller_of_capacity_and_allocation)
{
	put(PRI + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE);
	cr_assert(eq(u32, get(PRI + PCI_PRI_STATUS), PCI_PRI_STATUS_PASID));
	cr_assert(not(pci_pri_begin(&func)));
	put(PRI + PCI_PRI_ALLOC_REQ, 1);
	cr_assert(pci_pri_begin(&func));
	cr_assert(not(pci_pri_begin(&func)));
	put(PRI + PCI_PRI_ALLOC_REQ, 100);
	cr_assert(pci_pri_begin(&func) && pci_pri_begin(&func));
	cr_assert(not(pci_pri_begin(&func)));
	pci_pri_end(&func, 2);
	put(PRI + PCI_PRI_CTRL, 0);
	cr_assert(not(pci_pri_begin(&func)));
	cr_assert(not(status_has(PCI_PRI_STATUS_STOPPED)));
	pci_pri_end(&func, 1);
	cr_assert(status_has(PCI_PRI_STATUS_STOPPED));
}

/* A write of four bytes hits control and status at once. */
Test(ats, status_is_cleared_by_ones_in_whatever_width)
{
	pci_pri_unexpected(&func);
	cr_assert(status_has(PCI_PRI_STATUS_UPRGI));
	fake_write(&vm, cfg(0, PRI + PCI_PRI_CTRL), 4, 0);
	cr_assert(status_has(PCI_PRI_STATUS_UPRGI));
	fake_write(&vm, cfg(0, PRI + PCI_PRI_CTRL), 4, 0xffff0000);
	cr_assert(
		eq(u32, get(PRI + PCI_PRI_STATUS), PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID));
}

Test(ats, hostile_writes_leave_credits_that_add_up)
{
	unsigned int mine = 0;

	srand(1);
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int size = 1 << rand() % 3;

		fake_write(&vm, cfg(0, ALIGN_DOWN(0xf8 + rand() % 0x30, size)), size, rand());
		if (!func.ats.outstanding)
			mine = 0;
		if (rand() % 2 && pci_pri_begin(&func))
			mine++;
		else if (mine && rand() % 2)
			pci_pri_end(&func, 1), mine--;
		cr_assert(eq(u32, func.ats.outstanding, mine));
		cr_assert(le(u32, mine, 3));
	}
}

Test(ats_alone, responses_need_no_pasid_where_there_is_none)
{
	make_with(0);
	cr_assert(eq(u32, get(PRI + PCI_PRI_STATUS), PCI_PRI_STATUS_STOPPED));
	cr_assert(not(pci_pasid_allowed(&func, 0, false)));
	cr_assert(zero(u64, fake_read(&vm, cfg(0, PASID), 4)));
}
