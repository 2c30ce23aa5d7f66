// SPDX-License-Identifier: GPL-2.0-only
/* A function's page-request mailbox, as the driver of a DMA endpoint sees it (docs/vpri.md). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>

#include "tests/unit/fake_mailbox.h"

static void make(void)
{
	fake_mailbox(0);
	enable(5);
}

TestSuite(mailbox, .init = make, .fini = fake_endpoint_end, .timeout = 60);

Test(mailbox, a_request_is_an_entry_a_message_and_has_its_answer)
{
	cr_assert(eq(u32, ask(0, 7, PERM_READ | LAST), AWAITING));
	cr_assert(eq(u64, entry(0, 0), PAGE | 7 << 3 | 1 << 2 | 1));
	cr_assert(eq(u64, entry(0, 1), 1ULL << 63 | 7 << 21));
	cr_assert(eq(u32, told(), 1));
	respond(7 << 21);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(zero(u64, result(0)));
	cr_assert(zero(u32, pri_status()));
	cr_assert(eq(u64, count().pages.answered, 1));
}

Test(mailbox, an_entry_says_what_is_asked_for)
{
	static const u32 perms[] = { PERM_READ, PERM_WRITE, PERM_READ | PERM_WRITE };

	for (unsigned int i = 0; i < ARRAY_SIZE(perms); i++) {
		cr_assert(eq(u32, ask(i, i, perms[i]), DONE), "it is not the last");
		cr_assert(eq(u64, entry(i, 0), PAGE | i << 3 | perms[i]));
		cr_assert(eq(u64, entry(i, 1), 1ULL << 63 | i << 21));
	}
	cr_assert(zero(u32, told()), "no message before the last of a group");
	with_pasids(0xfffff);
	cr_assert(eq(u32, ask(3, 511, PERM_EXEC | WITH_PASID | LAST), AWAITING));
	cr_assert(eq(u64, entry(3, 0), PAGE | 511 << 3 | 1 << 2));
	cr_assert(eq(u64, entry(3, 1), 1ULL << 63 | 1ULL << 32 | 511 << 21 | 1 << 20 | 0xfffff));
	respond(511 << 21);
	cr_assert(eq(u32, pri_status() & PCI_PRI_STATUS_UPRGI, PCI_PRI_STATUS_UPRGI), "no PASID");
	cr_assert(eq(u32, status(3), AWAITING));
	respond(entry(3, 1));
	cr_assert(eq(u32, status(3), DONE));
}

Test(mailbox, a_response_has_four_codes)
{
	static const u64 results[] = { 0, 1, 15, 15 };

	for (u32 code = 0; code < 4; code++) {
		cr_assert(eq(u32, ask(0, 1, PERM_READ | LAST), AWAITING));
		respond(code << 30 | 1 << 21);
		cr_assert(eq(u32, status(0), DONE));
		cr_assert(eq(u64, result(0), results[code]));
		cr_assert(eq(u32, pri_status() & PCI_PRI_STATUS_RF, code > 1));
		enable_pri();
	}
}

Test(mailbox, only_a_write_of_the_whole_register_is_a_response)
{
	ask(0, 0, PERM_READ | LAST);
	for (unsigned int i = 0; i < 4; i++)
		set(RESPONSE + i, 1, 0);
	set(RESPONSE, 2, 0);
	set(RESPONSE + 2, 2, 0xc000);
	cr_assert(eq(u32, status(0), AWAITING));
	cr_assert(zero(u32, reg(RESPONSE, 4)));
	respond(0);
	cr_assert(eq(u32, status(0), DONE));
}

/* Whatever is written: what is read-only stays, and what is reserved is 0. */
Test(mailbox, registers_keep_what_they_may)
{
	static const u32 patterns[] = { 0, ~0u, 0x55555555, 0xaaaaaaaa, 0x12345678, 0x87654321 };
	static const struct {
		unsigned int at;
		u32 value, writable;
	} rows[] = {
		{ 0x04, 0x1af4 | 1 << 16 | 0x2c << 20, 0 },
		{ 0x08, 0x7072 | 8 << 16, 0 },
		{ CONTROL, 0, 2 },
		{ RING, 0, 0xfffff00f },
		{ RING + 4, 0, ~0u },
		{ ADDR, 0, ~3u },
		{ ADDR + 4, 0, ~0u },
		{ DATA, 0, ~0u },
		{ RESPONSE, 0, 0 },
		{ NEXT, 0, 0 },
	};

	fake_endpoint_reset();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert(eq(u32, reg(rows[i].at, 4), rows[i].value), "%#x out of reset",
		          rows[i].at);
		for (unsigned int p = 0; p < ARRAY_SIZE(patterns); p++) {
			const u32 val = patterns[p] & (rows[i].at == CONTROL ? ~1u : ~0u);

			set(rows[i].at, 4, val);
			cr_assert(eq(u32, reg(rows[i].at, 4),
			             rows[i].value | (val & rows[i].writable)),
			          "%#x: %#x", rows[i].at, val);
		}
	}
	fake_endpoint_reset();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		cr_assert(eq(u32, reg(rows[i].at, 4), rows[i].value), "%#x: reset", rows[i].at);
}

Test(mailbox, its_ring_stays_where_it_is_while_it_is_enabled)
{
	const u32 was = reg(RING, 4);

	set(RING, 4, ~0u);
	set(RING + 4, 4, ~0u);
	cr_assert(eq(u32, reg(RING, 4), was));
	cr_assert(zero(u32, reg(RING + 4, 4)));
	set(CONTROL, 2, 0);
	set(RING, 4, ~0u);
	cr_assert(eq(u32, reg(RING, 4), 0xfffff00f));
	set(CONTROL, 2, 1);
	cr_assert(zero(u32, reg(CONTROL, 2)), "more entries than there may be");
	set(RING, 4, was);
	set(CONTROL, 2, 1);
	cr_assert(eq(u32, reg(CONTROL, 2), 1));
}

Test(mailbox, rings_of_all_sizes_wrap_with_another_phase)
{
	for (unsigned int log2 = 0; log2 <= 8; log2++) {
		set(CONTROL, 2, 0);
		enable(log2);
		for (unsigned int i = 0; i < 4u << log2; i++) {
			const u64 phase = !(i >> log2 & 1);

			cr_assert(eq(u32, reg(NEXT, 4), (i & ((1 << log2) - 1)) | phase << 31));
			cr_assert(eq(u32, ask(0, i % 512, PERM_READ | LAST), AWAITING));
			cr_assert(eq(u64, entry(i & ((1 << log2) - 1), 1),
			             phase << 63 | (u64)(i % 512) << 21));
			respond((i % 512) << 21);
			cr_assert(eq(u32, status(0), DONE));
		}
	}
	cr_assert(zero(u32, pri_status()));
}

Test(mailbox, what_the_guest_has_not_answered_is_not_overwritten)
{
	set(CONTROL, 2, 0);
	enable(2);
	for (unsigned int i = 0; i < 4; i++)
		cr_assert(eq(u32, ask(i, i, PERM_READ | LAST), AWAITING));
	cr_assert(eq(u32, ask(4, 4, PERM_READ | LAST), REFUSED));
	cr_assert(eq(u32, reg(STATUS, 2), 2), "full");
	set(STATUS, 2, 2);
	cr_assert(zero(u32, reg(STATUS, 2)));
	respond(1 << 21);
	cr_assert(eq(u32, ask(4, 4, PERM_READ | LAST), AWAITING), "two have been read");
	cr_assert(eq(u32, ask(5, 5, PERM_READ | LAST), AWAITING));
	cr_assert(eq(u32, ask(6, 6, PERM_READ | LAST), REFUSED));
	respond(0 << 21);
	cr_assert(eq(u32, ask(6, 6, PERM_READ | LAST), REFUSED), "it was known to be read");
	cr_assert(eq(u64, count().full, 3));
	cr_assert(eq(u32, get(regs + 0x20, 4), 4), "no credit was lost");
}

Test(mailbox, a_group_of_many_pages_has_one_answer)
{
	for (unsigned int i = 0; i < 31; i++)
		cr_assert(eq(u32, ask(0, 9, PERM_READ), DONE));
	cr_assert(eq(u32, ask(1, 9, PERM_READ | LAST), AWAITING));
	cr_assert(eq(u32, ask(2, 8, PERM_READ | LAST), REFUSED), "no credit");
	cr_assert(eq(u32, told(), 1));
	respond(9 << 21);
	cr_assert(eq(u32, status(1), DONE));
	cr_assert(zero(u32, get(regs + 0x20, 4)));
	cr_assert(eq(u32, ask(2, 8, PERM_READ | LAST), AWAITING));
}

Test(mailbox, a_group_that_never_ends_takes_its_credits_and_no_more)
{
	for (unsigned int i = 0; i < 32; i++)
		cr_assert(eq(u32, ask(0, 9, PERM_READ), DONE));
	cr_assert(eq(u32, ask(0, 9, PERM_READ | LAST), REFUSED));
	respond(9 << 21);
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_UPRGI), "its last has not come");
	pri(0);
	pri(PCI_PRI_CTRL_RESET);
	cr_assert(zero(u32, reg(CONTROL, 2) & 1), "what it has forgotten disables it");
	enable(5);
	enable_pri();
	cr_assert(eq(u32, ask(0, 9, PERM_READ | LAST), AWAITING));
	respond(9 << 21);
	cr_assert(eq(u32, status(0), DONE));
}

Test(mailbox, answers_to_nothing_are_noted)
{
	respond(3 << 21);
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_UPRGI));
	enable_pri();
	ask(0, 3, PERM_READ | LAST);
	for (u32 group = 0; group < 512; group++)
		if (group != 3)
			respond((group % 4) << 30 | group << 21);
	respond(1 << 20 | 3 << 21);
	cr_assert(eq(u32, status(0), AWAITING));
	respond(3 << 21);
	respond(3 << 21);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(eq(u64, count().pages.duplicate, 1));
	cr_assert(eq(u64, count().pages.unknown, 513));
	cr_assert(eq(u64, count().pages.answered, 1));
}

Test(mailbox, an_iommu_that_was_not_asked_does_not_answer)
{
	const struct dma_page_response r = { DMA_NO_PASID, 3, DMA_PAGE_SUCCESS };

	ask(0, 3, PERM_READ | LAST);
	iommu.space.device->page_response(iommu.space.device, &r);
	cr_assert(eq(u32, status(0), AWAITING));
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_UPRGI));
}

Test(mailbox, what_waits_as_it_is_disabled_is_invalid)
{
	ask(0, 0, PERM_READ | LAST);
	ask(1, 1, PERM_READ | LAST);
	set(CONTROL, 2, 0);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert(eq(u32, status(i), DONE));
		cr_assert(eq(u64, result(i), 1));
	}
	cr_assert(eq(u64, count().pages.ended, 2));
	cr_assert(zero(u32, pri_status()), "the interface is as it was");
	cr_assert(eq(u32, ask(0, 0, PERM_READ | LAST), DONE));
	cr_assert(eq(u64, result(0), 15), "without one, it fails");
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_RF | PCI_PRI_STATUS_STOPPED));
	respond(0);
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_RF | PCI_PRI_STATUS_STOPPED), "lost");
}

Test(mailbox, a_ring_that_cannot_be_written_fails_the_interface)
{
	ask(1, 1, PERM_READ | LAST);
	iommu.hole = ring;
	iommu.hole_len = 0x1000;
	cr_assert(eq(u32, ask(0, 0, PERM_READ | LAST), DONE));
	cr_assert(eq(u64, result(0), 15));
	cr_assert(eq(u32, status(1), ABORTED), "as it is of any failure");
	cr_assert(eq(u32, reg(STATUS, 2), 1));
	cr_assert(zero(u32, reg(CONTROL, 2) & 1));
	cr_assert(eq(u64, count().failed, 1));
	iommu.hole_len = 0;
	enable(5);
	enable_pri();
	cr_assert(zero(u32, reg(STATUS, 2)));
	cr_assert(eq(u32, ask(0, 0, PERM_READ | LAST), AWAITING));
}

Test(mailbox, a_ring_that_stalls_is_one_that_cannot_be_written)
{
	iommu.stalls = iommu.accesses + 1;
	cr_assert(eq(u32, ask(0, 0, PERM_READ | LAST), DONE));
	cr_assert(eq(u64, result(0), 15));
	cr_assert(zero(ptr, iommu.token), "it waits for nothing");
}

Test(mailbox, messages_that_were_held_back_come_when_they_are_enabled)
{
	set(CONTROL, 2, 1);
	ask(0, 0, PERM_READ | LAST);
	cr_assert(zero(u32, told()));
	set(CONTROL, 2, 3);
	cr_assert(eq(u32, told(), 1));
	set(CONTROL, 2, 3);
	cr_assert(zero(u32, told()));
	respond(0);
	set(CONTROL, 2, 1);
	set(CONTROL, 2, 3);
	cr_assert(zero(u32, told()), "there is nothing to tell");
}

Test(mailbox, a_function_reset_leaves_nothing)
{
	ask(0, 0, PERM_READ | LAST);
	ask(1, 1, PERM_READ);
	fake_endpoint_reset();
	cr_assert(eq(u32, status(0), ABORTED));
	cr_assert(zero(u32, reg(CONTROL, 2)));
	cr_assert(zero(u32, reg(RING, 4)));
	cr_assert(zero(u32, reg(NEXT, 4)));
	cr_assert(eq(u64, count().pages.forgotten, 1));
	respond(0);
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_STOPPED));
	enable(5);
	enable_pri();
	cr_assert(eq(u32, ask(0, 0, PERM_READ | LAST), AWAITING));
	cr_assert(eq(u64, entry(0, 1), 1ULL << 63));
}
