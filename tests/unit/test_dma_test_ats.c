// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's cache of translations, and its page requests. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "tests/unit/fake_dma_test.h"

#define PAGE FAKE_RAM_BASE
#define ATS  0x100
#define PRI  0x108

static void ats(u16 control)
{
	fake_write(&vm, cfg(0, ATS + PCI_ATS_CTRL), 2, control);
}

static void pri(u16 control)
{
	fake_write(&vm, cfg(0, PRI + PCI_PRI_CTRL), 2, control);
}

static u16 pri_status(void)
{
	return fake_read(&vm, cfg(0, PRI + PCI_PRI_STATUS), 2);
}

static void allocate(u32 nr)
{
	fake_write(&vm, cfg(0, PRI + PCI_PRI_ALLOC_REQ), 4, nr);
}

static void make(void)
{
	fake_endpoint(fake_space(), (struct dma_test_config){ .ats = true, .pri = true });
	fake_endpoint_enable();
	ats(PCI_ATS_CTRL_ENABLE);
	allocate(4);
	pri(PCI_PRI_CTRL_ENABLE);
	iommu.translation = (struct dma_translation){ PAGE, 0x1000, 0x90000000, DMA_READ };
}

TestSuite(dma_ats, .init = make, .fini = fake_endpoint_end, .timeout = 60);

static u32 translate(u64 iova)
{
	struct slot s = { .op = TRANSLATE, .flags = PERM_READ | PERM_WRITE, .iova = iova };

	return start(0, s);
}

/* The permission of the cached translation @i; 0: it is empty. */
static u32 cached(unsigned int i)
{
	return get(regs + 0x100 + i * 0x20 + 0x1c, 4);
}

static void invalidate(u32 pasid, u64 iova, u64 last, u32 tag)
{
	iommu.space.device->invalidate(iommu.space.device, pasid, iova, last, tag);
}

Test(dma_ats, a_translation_is_told_and_cached)
{
	gpa_t line = regs + 0x100;

	ats(PCI_ATS_CTRL_ENABLE | 2);
	cr_assert(eq(u32, translate(PAGE + 0x123), DONE));
	cr_assert(eq(u64, iommu.last.iova, PAGE));
	cr_assert(eq(u64, iommu.last.len, 4 * 4096));
	cr_assert(eq(u32, iommu.last.perm, DMA_READ | DMA_WRITE));
	cr_assert(eq(u64, result(0), 0x90000123));
	cr_assert(eq(u64, get(SLOT(0) + 0x58, 8), 0x1000));
	cr_assert(eq(u64, get(SLOT(0) + 0x60, 4), DMA_READ));
	cr_assert(eq(u64, get(line, 8), PAGE));
	cr_assert(eq(u64, get(line + 8, 8), 0x1000));
	cr_assert(eq(u64, get(line + 16, 8), 0x90000000));
	cr_assert(eq(u64, get(line + 24, 4), DMA_NO_PASID));
	cr_assert(eq(u32, cached(0), DMA_READ));
}

Test(dma_ats, no_permission_is_a_fault_and_is_not_cached)
{
	iommu.translation.perm = 0;
	cr_assert(eq(u32, translate(PAGE + 5), FAULT));
	cr_assert(eq(u64, fault(0), PAGE + 5));
	cr_assert(eq(u32, reason(0), 3));
	cr_assert(zero(u32, cached(0)));
	cr_assert(eq(u32, start(0, (struct slot){ .op = TRANSLATE, .iova = PAGE }), REFUSED));
}

Test(dma_ats, the_ninth_translation_replaces_the_first)
{
	for (unsigned int i = 0; i < 9; i++) {
		iommu.translation.iova = PAGE + i * 0x1000;
		translate(iommu.translation.iova);
	}
	cr_assert(eq(u64, get(regs + 0x100, 8), PAGE + 8 * 0x1000));
	cr_assert(eq(u64, get(regs + 0x120, 8), PAGE + 0x1000));
}

Test(dma_ats, an_invalidation_takes_what_it_overlaps_and_is_answered)
{
	for (unsigned int i = 0; i < 3; i++) {
		iommu.translation.iova = PAGE + i * 0x1000;
		translate(iommu.translation.iova);
	}
	invalidate(DMA_NO_PASID, PAGE + 0x1fff, PAGE + 0x1fff, 77);
	cr_assert(eq(u32, iommu.invalidated, 77));
	cr_assert(cached(0) && !cached(1) && cached(2));
	invalidate(5, 0, ~0ULL, 78);
	cr_assert(cached(0) && cached(2), "of a PASID");
	invalidate(DMA_NO_PASID, 0, ~0ULL, 79);
	cr_assert(not(cached(0) || cached(2)));
	cr_assert(eq(u32, iommu.invalidated, 79));
	cr_assert(eq(u64, get(regs + 0x24, 4), 3));
}

Test(dma_ats, a_range_at_the_end_of_the_address_space_is_one_too)
{
	iommu.translation.iova = ~0ULL << 12;
	translate(~0ULL);
	invalidate(DMA_NO_PASID, 0, 0x1000, 1);
	cr_assert(cached(0));
	invalidate(DMA_NO_PASID, ~0ULL, ~0ULL, 2);
	cr_assert(zero(u32, cached(0)));
}

Test(dma_ats, what_is_disabled_caches_nothing)
{
	translate(PAGE);
	ats(0);
	cr_assert(zero(u32, cached(0)));
	cr_assert(eq(u32, translate(PAGE), REFUSED));
	ats(PCI_ATS_CTRL_ENABLE);
	translate(PAGE);
	fake_endpoint_reset();
	for (unsigned int i = 0; i < 8; i++)
		cr_assert(zero(u32, cached(i)));
	cr_assert(eq(u32, translate(PAGE), REFUSED), "and a reset disables it");
}

static u32 request(unsigned int slot, u16 group, u32 flags)
{
	struct slot s = { .op = PAGE_REQUEST, .flags = flags | PERM_WRITE, .iova = PAGE + 0x888 };

	s.arg[0] = group;
	return start(slot, s);
}

static void respond(u16 group, enum dma_page_code code)
{
	const struct dma_page_response r = { DMA_NO_PASID, group, code };

	iommu.space.device->page_response(iommu.space.device, &r);
}

static u32 outstanding(void)
{
	return get(regs + 0x20, 4);
}

Test(dma_ats, a_page_request_waits_for_its_response)
{
	cr_assert(eq(u32, request(0, 511, LAST), AWAITING));
	cr_assert(eq(u64, iommu.requests[0].iova, PAGE));
	cr_assert(eq(u32, iommu.requests[0].perm, DMA_WRITE));
	cr_assert(eq(u32, iommu.requests[0].group, 511));
	cr_assert(iommu.requests[0].last);
	cr_assert(eq(u32, outstanding(), 1));
	respond(511, DMA_PAGE_INVALID);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(eq(u64, result(0), 1));
	cr_assert(zero(u32, outstanding()));
	cr_assert(zero(u32, pri_status()));
	cr_assert(eq(u32, request(0, 512, LAST), REFUSED));
}

Test(dma_ats, a_group_has_one_response)
{
	cr_assert(eq(u32, request(0, 3, 0), DONE), "it is not the last");
	cr_assert(eq(u32, request(1, 3, 0), DONE));
	cr_assert(eq(u32, request(2, 4, LAST), AWAITING));
	cr_assert(eq(u32, request(3, 3, LAST), AWAITING));
	cr_assert(eq(u32, outstanding(), 4));
	respond(3, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, status(3), DONE));
	cr_assert(zero(u64, result(3)));
	cr_assert(eq(u32, outstanding(), 1));
	cr_assert(eq(u32, status(2), AWAITING));
	cr_assert(eq(u32, request(5, 4, LAST), REFUSED), "the group waits");
}

Test(dma_ats, credits_are_never_exceeded)
{
	for (unsigned int i = 0; i < 4; i++)
		cr_assert(eq(u32, request(i, i, LAST), AWAITING));
	cr_assert(eq(u32, request(4, 4, LAST), REFUSED));
	cr_assert(eq(u32, iommu.nr_requests, 4));
	respond(2, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, request(4, 4, LAST), AWAITING));
	cr_assert(eq(u32, request(5, 5, LAST), REFUSED));
	allocate(~0u);
	for (unsigned int i = 0; i < 28; i++)
		cr_assert(eq(u32, request(15, 100 + i, 0), DONE));
	cr_assert(eq(u32, request(15, 200, 0), REFUSED), "its capacity is 32");
	cr_assert(eq(u32, outstanding(), 32));
	allocate(0);
	respond(4, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, request(4, 4, LAST), REFUSED));
}

Test(dma_ats, a_request_that_nobody_takes_gives_its_credit_back)
{
	iommu.refuses = true;
	cr_assert(eq(u32, request(0, 0, LAST), REFUSED));
	cr_assert(zero(u32, outstanding()));
}

Test(dma_ats, an_unexpected_response_is_noted)
{
	request(0, 1, 0);
	respond(1, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_UPRGI), "its last has not been sent");
	cr_assert(eq(u32, outstanding(), 1));
	fake_write(&vm, cfg(0, PRI + PCI_PRI_STATUS), 2, PCI_PRI_STATUS_UPRGI);
	cr_assert(zero(u32, pri_status()));
	respond(9, DMA_PAGE_FAILURE);
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_UPRGI));
	respond(65535, DMA_PAGE_SUCCESS);
}

Test(dma_ats, a_failure_disables_the_interface)
{
	request(0, 0, LAST);
	request(1, 1, LAST);
	respond(0, DMA_PAGE_FAILURE);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(eq(u64, result(0), 15));
	cr_assert(eq(u32, status(1), ABORTED));
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_RF | PCI_PRI_STATUS_STOPPED));
	cr_assert(zero(u64, fake_read(&vm, cfg(0, PRI + PCI_PRI_CTRL), 2)));
	respond(1, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_RF | PCI_PRI_STATUS_STOPPED), "ignored");
	cr_assert(eq(u32, request(0, 0, LAST), REFUSED));
	pri(PCI_PRI_CTRL_ENABLE);
	cr_assert(zero(u32, pri_status()));
	cr_assert(eq(u32, request(0, 0, LAST), AWAITING));
}

static void remake_with_pasids(void)
{
	const unsigned int pasid = PRI + PCI_EXT_CAP_PRI_SIZEOF;

	fake_endpoint_end();
	fake_endpoint(fake_space(),
	              (struct dma_test_config){ .ats = true, .pri = true, .pasid_bits = 20 });
	fake_endpoint_enable();
	ats(PCI_ATS_CTRL_ENABLE);
	fake_write(&vm, cfg(0, pasid + PCI_PASID_CTRL), 2, PCI_PASID_CTRL_ENABLE);
	allocate(4);
	pri(PCI_PRI_CTRL_ENABLE);
}

Test(dma_ats, a_failure_without_a_pasid_ends_each_that_waits)
{
	struct slot s = { .op = PAGE_REQUEST, .flags = PERM_READ | WITH_PASID | LAST };

	remake_with_pasids();
	for (s.pasid = 5; s.pasid < 8; s.pasid++)
		cr_assert(eq(u32, start(s.pasid, s), AWAITING));
	respond(0, DMA_PAGE_FAILURE);
	for (unsigned int i = 5; i < 8; i++) {
		cr_assert(eq(u32, status(i), DONE));
		cr_assert(eq(u64, result(i), 15));
	}
	cr_assert(zero(u32, outstanding()));
}

/* As an IOMMU sends it whose queue is not enabled. */
Test(dma_ats, a_failure_without_a_pasid_is_for_any_and_before_the_last_too)
{
	struct slot s = { .op = PAGE_REQUEST, .flags = PERM_READ | WITH_PASID | LAST, .pasid = 5 };

	remake_with_pasids();
	cr_assert(eq(u32, start(0, s), AWAITING));
	respond(0, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, status(0), AWAITING), "a success is for a PASID");
	respond(0, DMA_PAGE_FAILURE);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(eq(u64, result(0), 15));
	pri(PCI_PRI_CTRL_ENABLE);
	cr_assert(eq(u32, request(0, 3, 0), DONE));
	respond(3, DMA_PAGE_FAILURE);
	cr_assert(ne(u32, pri_status() & PCI_PRI_STATUS_RF, 0));
	cr_assert(zero(u32, outstanding()));
}

Test(dma_ats, it_stops_when_the_last_response_has_come)
{
	request(0, 0, LAST);
	pri(0);
	cr_assert(zero(u32, pri_status()));
	cr_assert(eq(u32, status(0), AWAITING));
	cr_assert(eq(u32, request(1, 1, LAST), REFUSED));
	respond(0, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_STOPPED));
}

Test(dma_ats, a_reset_of_the_interface_gives_the_credits_back)
{
	request(0, 0, LAST);
	pri(PCI_PRI_CTRL_ENABLE | PCI_PRI_CTRL_RESET);
	cr_assert(eq(u32, outstanding(), 1), "not while it is enabled");
	cr_assert(eq(u64, fake_read(&vm, cfg(0, PRI + PCI_PRI_CTRL), 2), PCI_PRI_CTRL_ENABLE));
	iommu.forgotten = 0;
	pri(PCI_PRI_CTRL_RESET);
	cr_assert(zero(u32, outstanding()));
	cr_assert(zero(u64, fake_read(&vm, cfg(0, PRI + PCI_PRI_CTRL), 2)));
	cr_assert(eq(u32, status(0), ABORTED));
	cr_assert(ne(u32, iommu.forgotten, 0));
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_STOPPED));
}

Test(dma_ats, an_aborted_request_keeps_its_credit_until_the_response)
{
	request(0, 0, LAST);
	control(0, 4);
	cr_assert(eq(u32, status(0), ABORTED));
	cr_assert(eq(u32, outstanding(), 1));
	cr_assert(eq(u32, request(0, 0, LAST), REFUSED));
	respond(0, DMA_PAGE_SUCCESS);
	cr_assert(zero(u32, outstanding()));
	cr_assert(eq(u32, status(0), REFUSED));
	cr_assert(zero(u32, pri_status()));
}

Test(dma_ats, a_function_reset_forgets_all_requests)
{
	request(0, 0, LAST);
	request(1, 1, 0);
	iommu.forgotten = 0;
	fake_endpoint_reset();
	cr_assert(eq(u32, status(0), ABORTED));
	cr_assert(zero(u32, outstanding()));
	cr_assert(ne(u32, iommu.forgotten, 0), "its IOMMU is told");
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_STOPPED));
	respond(0, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, status(0), ABORTED));
}

Test(dma_ats, a_function_level_reset_disables_both)
{
	translate(PAGE);
	request(0, 0, LAST);
	cr_assert(ne(u32, cached(0), 0));
	fake_endpoint_reset();
	cr_assert(zero(u64, fake_read(&vm, cfg(0, ATS + PCI_ATS_CTRL), 2)));
	cr_assert(zero(u64, fake_read(&vm, cfg(0, PRI + PCI_PRI_CTRL), 2)));
	cr_assert(zero(u64, fake_read(&vm, cfg(0, PRI + PCI_PRI_ALLOC_REQ), 4)));
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_STOPPED));
	cr_assert(zero(u32, cached(0)));
	cr_assert(zero(u32, outstanding()));
}

/* What the guest, the IOMMU and configuration space do, in any order. */
Test(dma_ats, hostile_writes_do_no_harm)
{
	const unsigned int pm = fake_cap(&vm, 0, PCI_CAP_ID_PM, 0) + PCI_PM_CTRL;

	srand(2);
	for (unsigned int i = 0; i < 60000; i++) {
		unsigned int size = 1 << rand() % 3, slot = rand() % 16;

		switch (rand() % 8) {
		case 0:
			fake_write(&vm, cfg(0, 0xf8 + ALIGN_DOWN(rand() % 0x30, size)), size,
			           rand());
			break;
		case 1: respond(rand() % 16, rand() % 20 ? rand() % 2 : DMA_PAGE_FAILURE); break;
		case 2: invalidate(DMA_NO_PASID, rand(), ~0ULL >> rand() % 64, i); break;
		case 3: fake_endpoint_command(rand() % 8 | PCI_COMMAND_MEMORY); break;
		case 4:
			ats(rand() % 4 ? PCI_ATS_CTRL_ENABLE | rand() % 32 : 0);
			pri(rand() % 4 ? PCI_PRI_CTRL_ENABLE : rand() % 4);
			allocate(rand() % 40);
			break;
		case 5:
			control(slot, 4);
			fake_write(&vm, cfg(0, pm), 2, rand() % 16 ? 0 : 3);
			fake_write(&vm, cfg(0, pm), 2, 0);
			break;
		default:
			if (STATE(slot) != AWAITING)
				start(slot, (struct slot){ .op = 6 + rand() % 3,
				                           .flags = rand() % 512,
				                           .iova = PAGE + rand() % 0x100000,
				                           .len = rand() % 64,
				                           .arg = { rand() % 20 } });
		}
		iommu.nr_requests = 0;
		cr_assert(le(u32, outstanding(), 32));
	}
}
