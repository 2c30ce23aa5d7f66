// SPDX-License-Identifier: GPL-2.0-only
/* Tables that the driver owns: INVALIDATEs of a domain end in their order
 * (docs/virtio-iommu-experimental.md). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_guest_table.h"
#include "tests/unit/held.h"

#define PAGE GUEST_PAGE
#define TAIL 4

static struct fake_viommu f;

/* Pages 0 to 3 of domain 1, which endpoints 0 and 1 are attached to. */
static void make(void)
{
	struct viommu_config config = fake_viommu_config();
	struct guest_attach a = GUEST_ATTACH;

	config.attach_table = true;
	fake_viommu_make(&f, &config, BIT(VIRTIO_RING_F_EVENT_IDX));
	guest_clear();
	for (u64 i = 0; i < 4; i++)
		guest_map(IOVA + i * PAGE, GUEST_DATA + i * PAGE, G_RW);
	cr_assert(zero(u8, guest_attach(&f, a)));
	a.endpoint = 0x11;
	cr_assert(zero(u8, guest_attach(&f, a)));
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_inval_order, .init = make, .fini = unmake);

static void begin(struct held *h, unsigned int i, u64 page)
{
	cr_assert(
		eq(int, hold(h, fake_viommu_dma(&f, i), IOVA + page * PAGE, 8, DMA_WRITE), DMA_OK));
}

static void expect_pending(unsigned int slot)
{
	cr_assert(eq(int, fake_viommu_used(&f, slot), -1), "slot %u", slot);
}

static void expect_done(unsigned int slot)
{
	cr_assert(eq(int, fake_viommu_used(&f, slot), TAIL), "slot %u", slot);
	cr_assert(zero(u8, *fake_viommu_answer(slot)));
}

Test(viommu_inval_order, one_waits_for_what_another_took)
{
	struct held h;

	begin(&h, 0, 0);
	guest_begin_invalidate(&f, 1, guest_pages(0, 1));
	guest_begin_invalidate(&f, 2, guest_pages(0, 4));
	guest_begin_invalidate(&f, 3, guest_pages(0, 1));
	for (unsigned int i = 1; i <= 3; i++)
		expect_pending(i);
	let_go(&h);
	for (unsigned int i = 1; i <= 3; i++)
		expect_done(i);
	cr_assert(zero(u32, f.dev->in_flight));
	cr_assert(zero(u8, guest_invalidate(&f, guest_pages(0, 4))), "nothing is before it");
}

Test(viommu_inval_order, one_waits_for_its_own_transfers_as_well)
{
	struct held h[2];

	for (unsigned int first = 0; first < 2; first++) {
		begin(&h[0], 0, 0);
		begin(&h[1], 1, 1);
		guest_begin_invalidate(&f, 1, guest_pages(0, 1));
		guest_begin_invalidate(&f, 2, guest_pages(0, 2));
		let_go(&h[first]);
		if (first)
			expect_pending(1);
		else
			expect_done(1);
		expect_pending(2);
		let_go(&h[!first]);
		expect_done(1);
		expect_done(2);
	}
}

Test(viommu_inval_order, many_end_at_once)
{
	struct held h;

	begin(&h, 0, 0);
	for (unsigned int i = 1; i < VIOMMU_SLOTS; i++)
		guest_begin_invalidate(&f, i, guest_pages(0, 1));
	let_go(&h);
	for (unsigned int i = 1; i < VIOMMU_SLOTS; i++)
		expect_done(i);
}

Test(viommu_inval_order, another_domain_and_a_cache_of_pasids_wait_for_none)
{
	struct guest_attach a = GUEST_ATTACH;
	struct guest_inval other = guest_pages(0, 1), none = guest_pages(0, 1);
	struct held h;

	a.endpoint = 0x12;
	a.domain = other.domain = 2;
	none.caches = C_PASID;
	cr_assert(zero(u8, guest_attach(&f, a)));
	begin(&h, 0, 0);
	guest_begin_invalidate(&f, 1, guest_pages(0, 1));
	cr_assert(zero(u8, guest_invalidate(&f, other)));
	cr_assert(zero(u8, guest_invalidate(&f, none)));
	expect_pending(1);
	let_go(&h);
	expect_done(1);
}

/* Its number is that of another one meanwhile. */
Test(viommu_inval_order, those_of_a_domain_that_is_gone_end_all_the_same)
{
	struct held h;

	begin(&h, 0, 0);
	guest_begin_invalidate(&f, 1, guest_pages(0, 1));
	guest_begin_invalidate(&f, 2, guest_pages(0, 1));
	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x11)));
	fake_viommu_begin_detach(&f, 3, 1, 0x10);
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	cr_assert(zero(u8, guest_invalidate(&f, guest_pages(0, 1))), "of the new one");
	for (unsigned int i = 1; i <= 3; i++)
		expect_pending(i);
	let_go(&h);
	for (unsigned int i = 1; i <= 3; i++)
		expect_done(i);
	cr_assert(zero(u8, guest_invalidate(&f, guest_pages(0, 1))));
}

Test(viommu_inval_order, a_reset_waits_for_them)
{
	struct held h;

	begin(&h, 0, 0);
	guest_begin_invalidate(&f, 1, guest_pages(0, 1));
	guest_begin_invalidate(&f, 2, guest_pages(0, 1));
	virtio_set_status(f.dev, 0);
	cr_assert(ne(u32, f.dev->status, 0));
	let_go(&h);
	cr_assert(zero(u32, f.dev->status));
}
