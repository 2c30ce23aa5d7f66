// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's transfers by cached translations, and invalidations that wait for them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "tests/unit/fake_dma_test.h"

#define DATA  (FAKE_RAM_BASE + 0x4000)
#define IOVA  0x5000000000ULL
#define PAGE  0x1000ULL
#define ATS   0x100
#define PASID 0x108
#define RW    (PERM_READ | PERM_WRITE)

static void ats(u16 control)
{
	fake_write(&vm, cfg(0, ATS + PCI_ATS_CTRL), 2, control);
}

static u32 translate_of(u64 iova, u64 len, gpa_t gpa, u32 perm, u32 flags, u32 pasid)
{
	struct slot s = { .op = TRANSLATE, .flags = RW | flags, .iova = iova, .pasid = pasid };

	iommu.translation = (struct dma_translation){ iova, len, gpa, perm };
	return start(15, s);
}

static void translate(u64 iova, u64 len, gpa_t gpa, u32 perm)
{
	cr_assert(eq(u32, translate_of(iova, len, gpa, perm, 0, 0), DONE));
}

/* IOVA is at DATA, for two pages, and the next page is elsewhere. */
static void make(void)
{
	fake_endpoint(fake_space(), (struct dma_test_config){ .ats = true, .pasid_bits = 8 });
	fake_endpoint_enable();
	fake_write(&vm, cfg(0, fake_cap(&vm, 0, PCI_CAP_ID_EXP, 0) + PCI_EXP_DEVCTL2), 2,
	           PCI_EXP_DEVCTL2_ATOMIC_REQ);
	fake_write(&vm, cfg(0, PASID + PCI_PASID_CTRL), 2, PCI_PASID_CTRL_ENABLE);
	ats(PCI_ATS_CTRL_ENABLE);
	translate(IOVA, 2 * PAGE, DATA, DMA_READ | DMA_WRITE);
	translate(IOVA + 2 * PAGE, PAGE, DATA + 0x8000, DMA_READ);
	for (u64 i = 0; i < 16 * PAGE; i++)
		*ram(DATA + i) = i * 7 >> 3;
}

TestSuite(dma_atc, .init = make, .fini = fake_endpoint_end, .timeout = 60);

static void invalidate(u32 pasid, u64 iova, u64 last, u32 tag)
{
	iommu.space.device->invalidate(iommu.space.device, pasid, iova, last, tag);
}

static struct slot check(u64 iova, u64 len)
{
	return (struct slot){ .op = CHECK, .flags = TRANSLATED, .iova = iova, .len = len };
}

static struct slot held(u64 iova, u64 len)
{
	struct slot s = check(iova, len);

	s.flags |= HOLD;
	return s;
}

Test(dma_atc, a_transfer_goes_to_where_its_addresses_were_translated)
{
	cr_assert(eq(u32, start(0, check(IOVA + 8, 64)), DONE));
	cr_assert(eq(u64, result(0), crc(DATA + 8, 64)));
	cr_assert(eq(u64, iommu.last.iova, DATA + 8));
	cr_assert(iommu.last.translated);
}

Test(dma_atc, it_may_go_by_several_translations)
{
	u8 copy[3 * 0x1000];

	memcpy(copy, ram(DATA), 2 * PAGE);
	memcpy(copy + 2 * PAGE, ram(DATA + 0x8000), PAGE);
	memcpy(ram(FAKE_RAM_BASE + 0x40000), copy, sizeof(copy));
	cr_assert(eq(u32, start(0, check(IOVA, 3 * PAGE)), DONE));
	cr_assert(eq(u64, done(0), 3 * PAGE));
	cr_assert(eq(u64, result(0), crc(FAKE_RAM_BASE + 0x40000, 3 * PAGE)));
}

Test(dma_atc, what_is_not_cached_is_a_fault_there)
{
	cr_assert(eq(u32, start(0, check(IOVA + PAGE, 4 * PAGE)), FAULT));
	cr_assert(eq(u64, done(0), 2 * PAGE));
	cr_assert(eq(u64, fault(0), IOVA + 3 * PAGE));
	cr_assert(eq(u32, reason(0), 9));
	cr_assert(eq(u32, start(0, check(IOVA - 1, 1)), FAULT));
	cr_assert(eq(u32, reason(0), 9));
}

Test(dma_atc, a_translation_is_of_its_pasid)
{
	struct slot s = check(IOVA, 8);

	s.flags |= WITH_PASID;
	s.pasid = 4;
	cr_assert(eq(u32, start(0, s), FAULT));
	cr_assert(eq(u32, translate_of(IOVA, PAGE, DATA + PAGE, DMA_READ, WITH_PASID, 4), DONE));
	cr_assert(eq(u32, start(0, s), DONE));
	cr_assert(eq(u64, result(0), crc(DATA + PAGE, 8)));
	s.flags = TRANSLATED;
	cr_assert(eq(u32, start(0, s), DONE));
	cr_assert(eq(u64, result(0), crc(DATA, 8)));
}

Test(dma_atc, it_does_no_more_than_was_granted)
{
	struct slot s = check(IOVA + PAGE, 2 * PAGE);

	s.op = FILL;
	cr_assert(eq(u32, start(0, s), FAULT));
	cr_assert(eq(u64, fault(0), IOVA + 2 * PAGE));
	cr_assert(eq(u32, reason(0), 3));
	cr_assert(eq(u64, done(0), PAGE));
}

Test(dma_atc, an_atomic_access_goes_by_it_too)
{
	struct slot s = check(IOVA, 8);
	u64 word = 5;

	memcpy(ram(DATA), &word, sizeof(word));
	s.op = CAS;
	s.arg[0] = 5;
	s.arg[1] = 6;
	cr_assert(eq(u32, start(0, s), DONE));
	cr_assert(eq(u64, result(0), 5));
	memcpy(&word, ram(DATA), sizeof(word));
	cr_assert(eq(u64, word, 6));
	s.iova = IOVA + 2 * PAGE;
	cr_assert(eq(u32, start(0, s), FAULT), "it writes");
	cr_assert(eq(u32, reason(0), 3));
}

Test(dma_atc, both_sides_of_a_copy_go_by_it)
{
	struct slot s = {
		.op = COPY, .flags = TRANSLATED, .iova = IOVA + 2 * PAGE, .iova2 = IOVA, .len = PAGE
	};

	cr_assert(eq(u32, start(0, s), DONE));
	cr_assert(zero(int, memcmp(ram(DATA), ram(DATA + 0x8000), PAGE)));
	s.iova2 = IOVA + 3 * PAGE;
	cr_assert(eq(u32, start(0, s), FAULT | 1 << 8));
	cr_assert(eq(u64, fault(0), IOVA + 3 * PAGE));
}

Test(dma_atc, a_newer_translation_is_the_one)
{
	translate(IOVA + PAGE, PAGE, DATA + 0x5000, DMA_READ);
	cr_assert(eq(u32, start(0, check(IOVA + PAGE, 8)), DONE));
	cr_assert(eq(u64, result(0), crc(DATA + 0x5000, 8)));
	cr_assert(eq(u32, start(0, check(IOVA, 8)), FAULT), "the one that it overlaps is gone");
}

Test(dma_atc, what_was_invalidated_is_not_used)
{
	invalidate(DMA_NO_PASID, IOVA, IOVA, 1);
	cr_assert(eq(u32, iommu.invalidated, 1));
	cr_assert(eq(u32, start(0, check(IOVA + PAGE, 8)), FAULT));
	cr_assert(eq(u32, reason(0), 9));
	cr_assert(eq(u32, start(0, check(IOVA + 2 * PAGE, 8)), DONE));
}

Test(dma_atc, an_invalidation_waits_for_transfers_that_use_it)
{
	cr_assert(eq(u32, start(0, held(IOVA, 64)), HELD));
	cr_assert(eq(u32, start(1, held(IOVA + PAGE, 64)), HELD));
	invalidate(DMA_NO_PASID, IOVA, IOVA + 2 * PAGE - 1, 7);
	cr_assert(zero(u32, iommu.invalidated));
	cr_assert(eq(u32, start(2, check(IOVA, 8)), FAULT), "new ones do not use it");
	control(0, 2);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(zero(u32, iommu.invalidated));
	control(1, 2);
	cr_assert(eq(u32, iommu.invalidated, 7));
}

Test(dma_atc, it_waits_for_those_bytes_only)
{
	cr_assert(eq(u32, start(0, held(IOVA, 64)), HELD));
	invalidate(DMA_NO_PASID, IOVA + PAGE, IOVA + 2 * PAGE - 1, 7);
	cr_assert(eq(u32, iommu.invalidated, 7), "of the range, another page");
	invalidate(4, 0, ~0ULL, 8);
	cr_assert(eq(u32, iommu.invalidated, 8), "of a PASID");
	invalidate(DMA_NO_PASID, IOVA + 63, IOVA + 63, 9);
	cr_assert(eq(u32, iommu.invalidated, 8));
	control(0, 4);
	cr_assert(eq(u32, status(0), ABORTED));
	cr_assert(eq(u32, iommu.invalidated, 9));
}

Test(dma_atc, a_transfer_that_is_not_translated_is_waited_for_by_nobody)
{
	struct slot s = held(DATA, 64);

	s.flags = HOLD;
	cr_assert(eq(u32, start(0, s), HELD));
	invalidate(DMA_NO_PASID, 0, ~0ULL, 7);
	cr_assert(eq(u32, iommu.invalidated, 7));
	control(0, 2);
}

/* Depth 0 of the capability is 32. */
Test(dma_atc, as_many_wait_as_there_are_tags)
{
	cr_assert(eq(u32, start(0, held(IOVA, 64)), HELD));
	for (u32 tag = 0; tag < 32; tag++)
		invalidate(DMA_NO_PASID, IOVA, IOVA, tag);
	cr_assert(zero(u32, iommu.invalidated));
	cr_assert(eq(u64, get(regs + 0x24, 4), 32));
	control(0, 2);
	cr_assert(eq(u32, iommu.invalidated, 31), "all were answered, in order");
}

Test(dma_atc, a_piece_that_has_been_moved_is_waited_for_no_more)
{
	iommu.chunk = 0;
	translate(IOVA, 0x20000, DATA, DMA_READ);
	cr_assert(eq(u32, start(0, held(IOVA, 0x10000 + 64)), HELD));
	control(0, 2);
	cr_assert(eq(u32, wait_for(0), HELD));
	invalidate(DMA_NO_PASID, IOVA, IOVA + 0xffff, 5);
	cr_assert(eq(u32, iommu.invalidated, 5), "the first piece");
	invalidate(DMA_NO_PASID, IOVA + 0x10000, IOVA + 0x10000, 6);
	cr_assert(eq(u32, iommu.invalidated, 5));
	control(0, 2);
	cr_assert(eq(u32, iommu.invalidated, 6));
}

Test(dma_atc, a_reset_and_the_end_of_bus_mastering_let_invalidations_go)
{
	cr_assert(eq(u32, start(0, held(IOVA, 64)), HELD));
	invalidate(DMA_NO_PASID, IOVA, IOVA, 3);
	cr_assert(zero(u32, iommu.invalidated));
	fake_endpoint_command(PCI_COMMAND_MEMORY);
	cr_assert(eq(u32, iommu.invalidated, 3));
	fake_endpoint_command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	translate(IOVA, PAGE, DATA, DMA_READ);
	cr_assert(eq(u32, start(0, held(IOVA, 64)), HELD));
	invalidate(DMA_NO_PASID, IOVA, IOVA, 4);
	cr_assert(eq(u32, iommu.invalidated, 3));
	fake_endpoint_reset();
	cr_assert(eq(u32, iommu.invalidated, 4));
}

Test(dma_atc, without_ats_nothing_is_translated)
{
	struct slot s = { .op = TRANSLATE, .flags = RW | TRANSLATED, .iova = IOVA };

	cr_assert(eq(u32, start(0, s), REFUSED), "nor is a request");
	cr_assert(eq(u32, start(0, held(IOVA, 64)), HELD));
	ats(0);
	cr_assert(eq(u32, start(1, check(IOVA, 8)), REFUSED));
	control(0, 2);
	cr_assert(eq(u32, status(0), DONE), "what was under way goes on");
	ats(PCI_ATS_CTRL_ENABLE);
	cr_assert(eq(u32, start(1, check(IOVA, 8)), FAULT));
}

/* What a device is told: not why a page is denied, but why there is no answer. */
Test(dma_atc, why_there_is_no_translation)
{
	struct slot s = { .op = TRANSLATE, .flags = RW, .iova = IOVA };

	iommu.translation = (struct dma_translation){ IOVA, PAGE, DATA, 0 };
	cr_assert(eq(u32, start(0, s), FAULT));
	cr_assert(eq(u32, reason(0), 3));
	iommu.refuses_translation = DMA_ABORTED;
	cr_assert(eq(u32, start(0, s), FAULT));
	cr_assert(eq(u32, reason(0), 8));
}
