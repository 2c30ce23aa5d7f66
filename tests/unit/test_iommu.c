// SPDX-License-Identifier: GPL-2.0-only
/* An endpoint behind an IOMMU: what it reaches, and what waits for its
 * transfers. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/unit/held.h"
#include "tests/unit/leak.h"
#include "tests/unit/space.h"
#include "vmm/iommu.h"
#include "vmm/mem.h"

#define BASE 0x80000000ULL
#define PAGE 0x1000ULL
#define SIZE (16 * PAGE)
#define RW   (DMA_READ | DMA_WRITE)

static u8 ram[SIZE] __attribute__((aligned(8)));
static struct guest_mem mem = { .base = BASE, .size = SIZE, .host = ram };
static struct iommu_endpoint e;
static struct iova_space space, other;
static struct dma_wait waits;
static unsigned int nr_done, nr_changed;

static struct {
	unsigned int nr;
	u64 at;
	u32 perm;
	enum dma_reason reason;
} faults;

static void fault(struct iommu_endpoint *from, const struct dma_access *a)
{
	cr_assert(eq(ptr, from, &e));
	faults.nr++;
	faults.at = a->iova + a->done;
	faults.perm = a->perm;
	faults.reason = a->reason;
}

static const struct iommu_ops ops = { .fault = fault };

static void done(struct dma_wait *w)
{
	cr_assert(eq(ptr, w, &waits));
	nr_done++;
}

static void unmap(u64 first, u64 last)
{
	space_unmap(&space, first, last, &waits);
}

/* Pages 0 and 1 are guest pages 4 and 2; page 3 is page 5, to read; page 5 is no RAM. */
static void make(void)
{
	waits = (struct dma_wait){ .done = done };
	iova_init(&space);
	iova_init(&other);
	space_map(&space, 0, PAGE - 1, BASE + 4 * PAGE, RW);
	space_map(&space, PAGE, 2 * PAGE - 1, BASE + 2 * PAGE, RW);
	space_map(&space, 3 * PAGE, 4 * PAGE - 1, BASE + 5 * PAGE, DMA_READ);
	space_map(&space, 4 * PAGE, 5 * PAGE - 1, BASE + 6 * PAGE, DMA_WRITE);
	space_map(&space, 5 * PAGE, 6 * PAGE - 1, BASE + SIZE, RW);
	space_map(&space, 8 * PAGE, 10 * PAGE - 1, BASE + SIZE - PAGE, RW);
	iommu_endpoint_init(&e, &ops, &mem);
	cr_assert(zero(int, iommu_attach(&e, &space, NULL)));
}

static void unmake(void)
{
	iommu_attach(&e, NULL, NULL);
	iova_clear(&space);
	iova_clear(&other);
	expect_no_leak();
}

TestSuite(iommu, .init = make, .fini = unmake);

static enum dma_status reach(u64 iova, u64 len, u32 perm, struct held *h)
{
	return hold(h, &e.dma, iova, len, perm);
}

Test(iommu, an_access_is_translated)
{
	struct held h;

	cr_assert(eq(int, reach(0x10, 0x20, RW, &h), DMA_OK));
	cr_assert(eq(u32, h.sg.nr, 1));
	cr_assert(eq(ptr, h.iov[0].iov_base, ram + 4 * PAGE + 0x10));
	cr_assert(eq(sz, h.iov[0].iov_len, 0x20));
	cr_assert(eq(u64, h.done, 0x20));
	let_go(&h);
	cr_assert(zero(u32, faults.nr));
}

Test(iommu, an_access_goes_on_in_the_next_mapping)
{
	struct held h;

	cr_assert(eq(int, reach(PAGE - 8, 0x18, RW, &h), DMA_OK));
	cr_assert(eq(u32, h.sg.nr, 2));
	cr_assert(eq(ptr, h.iov[0].iov_base, ram + 5 * PAGE - 8));
	cr_assert(eq(sz, h.iov[0].iov_len, 8));
	cr_assert(eq(ptr, h.iov[1].iov_base, ram + 2 * PAGE));
	cr_assert(eq(sz, h.iov[1].iov_len, 0x10));
	let_go(&h);
}

Test(iommu, a_copy_through_two_mappings_is_in_order)
{
	u64 val = 0x0807060504030201, got;

	cr_assert(eq(int, dma_write(&e.dma, PAGE - 4, &val, 8, NULL), DMA_OK));
	cr_assert(eq(u32, ram[5 * PAGE - 4], 1));
	cr_assert(eq(u32, ram[2 * PAGE], 5));
	cr_assert(eq(int, dma_read(&e.dma, PAGE - 4, &got, 8, NULL), DMA_OK));
	cr_assert(eq(u64, got, val));
}

struct fault_case {
	u64 iova, len;
	u32 perm;
	enum dma_reason reason;
	u64 done;
};

ParameterizedTestParameters(iommu, what_cannot_be_faults_at_its_first_such_byte)
{
	static struct fault_case cases[] = {
		{ 2 * PAGE, 1, DMA_READ, DMA_NOT_MAPPED, 0 },
		{ ~0ULL, 1, DMA_READ, DMA_NOT_MAPPED, 0 },
		{ PAGE, PAGE + 1, DMA_READ, DMA_NOT_MAPPED, PAGE },
		{ 0x10, 4 * PAGE, DMA_READ, DMA_NOT_MAPPED, 2 * PAGE - 0x10 },
		{ 3 * PAGE, 4, DMA_WRITE, DMA_NOT_PERMITTED, 0 },
		{ 3 * PAGE, 4, RW, DMA_NOT_PERMITTED, 0 },
		{ 4 * PAGE, 4, DMA_READ, DMA_NOT_PERMITTED, 0 },
		{ 4 * PAGE - 4, 8, DMA_READ, DMA_NOT_PERMITTED, 4 },
		{ 0, 4, DMA_EXEC, DMA_NOT_PERMITTED, 0 },
		{ 5 * PAGE, 4, DMA_READ, DMA_NO_MEMORY, 0 },
		{ 9 * PAGE - 4, 8, DMA_READ, DMA_NO_MEMORY, 4 },
	};

	return cr_make_param_array(struct fault_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct fault_case *c, iommu, what_cannot_be_faults_at_its_first_such_byte)
{
	struct held h;

	cr_assert(eq(int, reach(c->iova, c->len, c->perm, &h), DMA_FAULT));
	cr_assert(zero(u32, h.sg.nr));
	cr_assert(eq(ptr, h.sg.attachment, NULL));
	cr_assert(eq(u64, h.done, c->done));
	cr_assert(eq(u32, faults.nr, 1));
	cr_assert(eq(u64, faults.at, c->iova + c->done));
	cr_assert(eq(u32, faults.perm, c->perm));
	cr_assert(eq(int, faults.reason, c->reason));
	cr_assert(eq(u64, e.faults, 1));
	cr_assert(eq(u64, e.accesses, 1));
}

Test(iommu, an_access_does_not_wrap_around_to_address_0)
{
	struct held h;

	space_map(&space, -PAGE, ~0ULL, BASE + 7 * PAGE, RW);
	cr_assert(eq(int, reach(-PAGE, PAGE, RW, &h), DMA_OK));
	let_go(&h);
	cr_assert(eq(int, reach(-PAGE, PAGE + 4, RW, &h), DMA_FAULT));
	cr_assert(eq(u64, h.done, PAGE));
	cr_assert(eq(int, faults.reason, DMA_NOT_MAPPED));
	cr_assert(eq(int, reach(-4ULL, ~0ULL, RW, &h), DMA_FAULT));
}

Test(iommu, an_access_that_may_be_partial_keeps_what_comes_before_the_fault)
{
	struct held h = { .space = &e.dma };
	struct dma_access a = { .iova = PAGE - 4,
		                .len = 2 * PAGE,
		                .perm = DMA_READ,
		                .pasid = DMA_NO_PASID,
		                .partial = true };

	h.sg = (struct dma_sg){ .iov = h.iov, .uses = h.uses, .max = HELD_MAX };
	cr_assert(eq(int, dma_map(&e.dma, &a, &h.sg, NULL), DMA_FAULT));
	cr_assert(eq(u64, a.done, PAGE + 4));
	cr_assert(eq(u32, h.sg.nr, 2));
	cr_assert(ne(ptr, h.sg.attachment, NULL));
	cr_assert(eq(u32, faults.nr, 1));
	unmap(0, PAGE - 1);
	cr_assert(eq(u32, waits.left, 1));
	let_go(&h);
	cr_assert(eq(u32, nr_done, 1));
}

Test(iommu, a_partial_one_that_reaches_nothing_holds_nothing)
{
	struct held h = { .space = &e.dma };
	struct dma_access a = {
		.iova = 2 * PAGE, .len = 8, .perm = DMA_READ, .pasid = DMA_NO_PASID, .partial = true
	};

	h.sg = (struct dma_sg){ .iov = h.iov, .uses = h.uses, .max = HELD_MAX };
	cr_assert(eq(int, dma_map(&e.dma, &a, &h.sg, NULL), DMA_FAULT));
	cr_assert(zero(u64, a.done));
	cr_assert(eq(ptr, h.sg.attachment, NULL));
}

Test(iommu, where_there_is_no_room_left_the_access_ends_and_that_is_no_fault_of_the_guests)
{
	struct iovec iov[1];
	struct dma_sg sg = { .iov = iov, .max = 1 };
	struct dma_access a = {
		.iova = PAGE - 4, .len = 8, .perm = DMA_READ, .pasid = DMA_NO_PASID, .partial = true
	};

	cr_assert(eq(int, dma_map(&e.dma, &a, &sg, NULL), DMA_OK));
	cr_assert(eq(u64, a.done, 4));
	sg.nr = 0;
	a.partial = false;
	cr_assert(eq(int, dma_map(&e.dma, &a, &sg, NULL), DMA_FAULT));
	cr_assert(eq(int, a.reason, DMA_NO_ROOM));
	cr_assert(zero(u32, sg.nr));
	cr_assert(zero(u32, faults.nr));
}

Test(iommu, no_bytes_are_reached_anywhere)
{
	struct held h;

	cr_assert(eq(int, reach(2 * PAGE, 0, RW, &h), DMA_OK));
	cr_assert(zero(u32, h.sg.nr));
	let_go(&h);
}

Test(iommu, a_fault_leaves_what_was_mapped_before_it)
{
	struct held h;
	struct dma_access bad = dma_access_to(PAGE, 2 * PAGE, DMA_READ);

	cr_assert(eq(int, reach(0, 8, RW, &h), DMA_OK));
	cr_assert(eq(int, dma_map(&e.dma, &bad, &h.sg, NULL), DMA_FAULT));
	cr_assert(eq(u32, h.sg.nr, 1));
	unmap(PAGE, 2 * PAGE - 1);
	cr_assert(zero(u32, waits.left), "what was undone is not in use");
	unmap(0, PAGE - 1);
	cr_assert(eq(u32, waits.left, 1));
	let_go(&h);
}

Test(iommu, an_endpoint_attached_to_nothing_reaches_nothing)
{
	struct held h;

	iommu_attach(&e, NULL, NULL);
	cr_assert(eq(int, reach(0, 1, DMA_READ, &h), DMA_FAULT));
	cr_assert(eq(int, faults.reason, DMA_NOT_ATTACHED));
}

Test(iommu, a_process_of_the_endpoints_has_no_address_space)
{
	struct dma_access a = {
		.iova = 0, .len = 1, .perm = DMA_READ, .pasid = 5, .partial = false
	};
	struct held h = { .sg = { .iov = h.iov, .max = HELD_MAX } };

	cr_assert(eq(int, dma_map(&e.dma, &a, &h.sg, NULL), DMA_FAULT));
	cr_assert(eq(int, faults.reason, DMA_NOT_ATTACHED));
}

static u8 *at(u64 iova)
{
	struct held h;

	if (reach(iova, 1, DMA_READ, &h) != DMA_OK)
		return NULL;
	let_go(&h);
	return h.iov[0].iov_base;
}

Test(iommu, an_unmap_waits_for_a_transfer_that_uses_it)
{
	struct held h;

	reach(0, 8, RW, &h);
	memset(ram + 4 * PAGE, 0, 8);
	unmap(0, PAGE - 1);
	cr_assert(eq(u32, waits.left, 1));
	cr_assert(eq(ptr, at(0), NULL), "but no other begins");
	*(u64 *)h.iov[0].iov_base = 5;
	cr_assert(zero(u32, nr_done));
	let_go(&h);
	cr_assert(eq(u32, nr_done, 1));
	cr_assert(zero(u32, waits.left));
}

Test(iommu, an_unmap_waits_for_none_that_uses_another_mapping)
{
	struct held h;

	reach(PAGE, 8, RW, &h);
	unmap(0, PAGE - 1);
	cr_assert(zero(u32, waits.left));
	let_go(&h);
}

Test(iommu, a_mapping_is_waited_for_until_the_last_of_its_transfers_ends)
{
	struct held h[3];

	for (int i = 0; i < 3; i++)
		reach(PAGE - 8, 16, RW, &h[i]); /* both pages */
	unmap(0, 2 * PAGE - 1);
	cr_assert(eq(u32, waits.left, 2));
	for (int i = 0; i < 3; i++) {
		cr_assert(zero(u32, nr_done));
		let_go(&h[i]);
	}
	cr_assert(eq(u32, nr_done, 1));
}

Test(iommu, an_attachment_ends_when_the_transfers_begun_in_it_have)
{
	struct held h[2], later;

	reach(0, 8, RW, &h[0]);
	reach(PAGE, 8, RW, &h[1]);
	space_map(&other, 0, PAGE - 1, BASE, RW);
	cr_assert(zero(int, iommu_attach(&e, &other, &waits)));
	cr_assert(eq(u32, waits.left, 1));
	cr_assert(eq(int, reach(0, 8, RW, &later), DMA_OK), "one of the new one's");
	let_go(&h[0]);
	cr_assert(zero(u32, nr_done));
	let_go(&h[1]);
	cr_assert(eq(u32, nr_done, 1));
	let_go(&later);
	cr_assert(eq(u32, nr_done, 1));
}

Test(iommu, an_attachment_without_transfers_ends_at_once)
{
	cr_assert(zero(int, iommu_attach(&e, NULL, &waits)));
	cr_assert(zero(u32, waits.left));
}

Test(iommu, a_space_can_go_while_a_transfer_in_it_is_in_flight)
{
	struct held h;

	reach(0, 8, RW, &h);
	iommu_attach(&e, NULL, &waits);
	iova_clear(&space);
	*(u64 *)h.iov[0].iov_base = 5;
	let_go(&h);
	cr_assert(eq(u32, nr_done, 1));
}

Test(iommu, transfers_that_end_under_the_lock_are_not_counted)
{
	struct iovec iov[2];
	struct dma_sg sg = { .iov = iov, .max = 2 };
	struct dma_access a = dma_access_to(0, 8, RW);

	cr_assert(eq(int, dma_map(&e.dma, &a, &sg, NULL), DMA_OK));
	cr_assert(eq(ptr, sg.attachment, NULL));
	dma_unmap(&e.dma, &sg);
	unmap(0, PAGE - 1);
	cr_assert(zero(u32, waits.left));
}

Test(iommu, identity_is_all_of_ram_and_nothing_else)
{
	struct held h;

	space_map(&other, 0, ~0ULL, 0, RW);
	iommu_attach(&e, &other, NULL);
	cr_assert(eq(int, reach(BASE, SIZE, RW, &h), DMA_OK));
	cr_assert(eq(u32, h.sg.nr, 1));
	cr_assert(eq(ptr, h.iov[0].iov_base, ram));
	let_go(&h);
	cr_assert(eq(int, reach(BASE + SIZE - 4, 8, RW, &h), DMA_FAULT));
	cr_assert(eq(u64, faults.at, BASE + SIZE));
	cr_assert(eq(int, faults.reason, DMA_NO_MEMORY));
	cr_assert(eq(int, reach(0, 1, RW, &h), DMA_FAULT));
	cr_assert(eq(int, reach(~0ULL, 1, RW, &h), DMA_FAULT));
}

static void changed(struct dma_messages *m)
{
	(void)m;
	nr_changed++;
}

Test(iommu, a_message_is_a_write_that_is_translated)
{
	gpa_t gpa;

	space_map(&space, 0x10000, 0x10fff, 0x8000000, DMA_WRITE);
	cr_assert(eq(int, dma_doorbell(&e.dma, 0x10040, &gpa), DMA_OK));
	cr_assert(eq(u64, gpa, 0x8000040));
	cr_assert(iova_find(&space, 0x10000)->doorbell);
	cr_assert(not(iova_find(&space, 0)->doorbell));
	cr_assert(eq(int, dma_doorbell(&e.dma, 3 * PAGE, &gpa), DMA_FAULT), "not to write");
	cr_assert(eq(u32, faults.perm, DMA_WRITE));
	cr_assert(eq(int, dma_doorbell(&e.dma, 2 * PAGE, &gpa), DMA_FAULT));
	cr_assert(eq(u64, faults.at, 2 * PAGE));
	iommu_attach(&e, NULL, NULL);
	cr_assert(eq(int, dma_doorbell(&e.dma, 0x10040, &gpa), DMA_FAULT));
	cr_assert(eq(int, faults.reason, DMA_NOT_ATTACHED));
}

Test(iommu, a_window_for_messages_is_not_translated)
{
	gpa_t gpa;

	e.msi_first = 0x8000000;
	e.msi_last = 0x8000fff;
	iommu_attach(&e, NULL, NULL);
	cr_assert(eq(int, dma_doorbell(&e.dma, 0x8000000, &gpa), DMA_OK));
	cr_assert(eq(u64, gpa, 0x8000000));
	cr_assert(eq(int, dma_doorbell(&e.dma, 0x8000fff, &gpa), DMA_OK));
	cr_assert(eq(int, dma_doorbell(&e.dma, 0x8001000, &gpa), DMA_FAULT));
	cr_assert(eq(int, dma_doorbell(&e.dma, 0x7ffffff, &gpa), DMA_FAULT));
}

Test(iommu, who_sends_messages_is_told_of_another_attachment)
{
	struct dma_messages messages = { changed };

	e.dma.messages = &messages;
	iommu_attach(&e, &other, NULL);
	cr_assert(eq(u32, nr_changed, 1));
	iommu_messages_changed(&e);
	cr_assert(eq(u32, nr_changed, 2));
	e.dma.messages = NULL;
	iommu_messages_changed(&e);
}

/* Byte for byte: the last two of what is mapped in one piece, and the next two elsewhere. */
Test(iommu, a_message_across_the_end_of_a_mapping_is_a_fault_there)
{
	gpa_t gpa;

	space_map(&space, 0x10000, 0x10041, 0x8000000, DMA_WRITE);
	space_map(&space, 0x10042, 0x10fff, 0x8000042, DMA_WRITE);
	for (u64 at = 0x1003f; at <= 0x10041; at++) {
		cr_assert(eq(int, dma_doorbell(&e.dma, at, &gpa), DMA_FAULT));
		cr_assert(eq(u64, faults.at, 0x10042));
		cr_assert(eq(int, faults.reason, DMA_NOT_MAPPED));
		cr_assert(eq(u32, faults.perm, DMA_WRITE));
	}
	cr_assert(eq(u32, faults.nr, 3));
	cr_assert(not(iova_find(&space, 0x10000)->doorbell));
	cr_assert(eq(int, dma_doorbell(&e.dma, 0x1003e, &gpa), DMA_OK));
	cr_assert(eq(u64, gpa, 0x800003e));
	cr_assert(eq(int, dma_doorbell(&e.dma, 0x10042, &gpa), DMA_OK));
}

/* A mapping of bytes, to an odd address. */
Test(iommu, a_word_that_is_not_aligned_where_it_is_faults)
{
	struct dma_access a = dma_access_to(0, 4, 0);
	u16 word = 0x5a5a;
	u64 old = 0x5a5a;

	space_map(&other, 0x10000, 0x10fff, BASE + 8 * PAGE + 1, RW);
	space_map(&other, 0x20000, 0x20fff, BASE + 8 * PAGE + 4, RW);
	iommu_attach(&e, &other, NULL);
	memset(ram + 8 * PAGE, 0x77, 0x20);
	cr_assert(eq(int, dma_load16(&e.dma, 0x10000, &word, NULL), DMA_FAULT));
	cr_assert(eq(u32, word, 0x5a5a));
	cr_assert(eq(int, dma_store16(&e.dma, 0x10000, 0, NULL), DMA_FAULT));
	for (a.len = 4; a.len <= 8; a.len += 4) {
		a.iova = 0x10000;
		cr_assert(eq(int, dma_cas(&e.dma, &a, ~0ULL, 0, &old, NULL), DMA_FAULT));
		cr_assert(zero(u64, a.done), "it is the first byte that cannot be");
	}
	cr_assert(eq(int, a.reason, DMA_MISALIGNED));
	a = dma_access_to(0x20000, 8, 0);
	cr_assert(eq(int, dma_cas(&e.dma, &a, ~0ULL, 0, &old, NULL), DMA_FAULT));
	cr_assert(eq(u64, old, 0x5a5a));
	for (int i = 0; i < 0x20; i++)
		cr_assert(eq(u8, ram[8 * PAGE + i], 0x77));
	a.len = 4;
	cr_assert(eq(int, dma_cas(&e.dma, &a, 0x77777777, 5, &old, NULL), DMA_OK));
	cr_assert(eq(u64, old, 0x77777777));
	cr_assert(eq(int, dma_store16(&e.dma, 0x10001, 9, NULL), DMA_FAULT), "nor here");
	cr_assert(eq(int, dma_load16(&e.dma, 0x20000, &word, NULL), DMA_OK));
	cr_assert(eq(u32, word, 5));
}
