// SPDX-License-Identifier: GPL-2.0-only
/* Requests of the IOMMU device that take away what transfers in flight use:
 * they come back later. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_viommu.h"
#include "tests/unit/held.h"

#define RW   (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)
#define TAIL 4
#define PAGE 0x1000ULL
#define D    VIOMMU_DATA

static struct fake_viommu f;

/* Endpoints 0 and 1 are of domain 1, which has pages 0, 1 and 2 at as many guest pages. */
static void make(void)
{
	fake_viommu_make(&f, NULL, BIT(VIRTIO_RING_F_EVENT_IDX));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x11, 0)));
	for (u64 at = 0; at < 3 * PAGE; at += PAGE)
		cr_assert(zero(u8, fake_viommu_map(&f, 1, at, at + PAGE - 1, D + at, RW)));
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_flight, .init = make, .fini = unmake);

static void begin(struct held *h, unsigned int i, u64 iova, u64 len)
{
	cr_assert(eq(int, hold(h, fake_viommu_dma(&f, i), iova, len, DMA_WRITE), DMA_OK));
}

static void expect_pending(unsigned int slot)
{
	cr_assert(eq(int, fake_viommu_used(&f, slot), -1));
	cr_assert(eq(u8, *fake_viommu_answer(slot), VIOMMU_UNWRITTEN));
}

static void expect_done(unsigned int slot)
{
	cr_assert(eq(int, fake_viommu_used(&f, slot), TAIL));
	cr_assert(zero(u32, *(u32 *)fake_viommu_answer(slot)));
}

Test(viommu_flight, an_unmap_comes_back_when_no_transfer_uses_what_it_took)
{
	unsigned int interrupts;
	struct held h;

	begin(&h, 0, 0, 8);
	fake_viommu_begin_unmap(&f, 1, 1, 0, PAGE - 1);
	expect_pending(1);
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0, DMA_READ)), "but it is gone for others");
	cr_assert(zero(u64, fake_viommu_reach(&f, 1, 0, DMA_READ)));
	interrupts = f.transport.interrupts;
	let_go(&h);
	expect_done(1);
	cr_assert(eq(u32, f.transport.interrupts, interrupts + 1));
	cr_assert(zero(u32, f.dev->in_flight));
}

Test(viommu_flight, it_waits_for_all_of_them_of_any_endpoint)
{
	struct held h[3];

	begin(&h[0], 0, 0, 8);
	begin(&h[1], 1, PAGE - 4, 8);
	begin(&h[2], 0, PAGE, 8);
	fake_viommu_begin_unmap(&f, 1, 1, 0, 2 * PAGE - 1);
	for (int i = 0; i < 3; i++) {
		expect_pending(1);
		let_go(&h[i]);
	}
	expect_done(1);
}

Test(viommu_flight, it_waits_for_none_that_uses_something_else)
{
	struct held h;

	begin(&h, 0, 2 * PAGE, 8);
	cr_assert(zero(u8, fake_viommu_unmap(&f, 1, 0, 2 * PAGE - 1)));
	let_go(&h);
}

Test(viommu_flight, one_that_is_refused_does_not_wait)
{
	struct held h;

	begin(&h, 0, 0, 8);
	cr_assert(eq(u8, fake_viommu_unmap(&f, 1, 0, PAGE - 2), VIRTIO_IOMMU_S_RANGE));
	let_go(&h);
}

Test(viommu_flight, others_come_back_before_it)
{
	struct held h;

	begin(&h, 0, 0, 8);
	fake_viommu_begin_unmap(&f, 1, 1, 0, PAGE - 1);
	cr_assert(zero(u8, fake_viommu_map(&f, 1, 0, PAGE - 1, D + 5 * PAGE, RW)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 0, 0, DMA_READ), D + 5 * PAGE));
	cr_assert(zero(u8, fake_viommu_unmap(&f, 1, 0, 2 * PAGE - 1)));
	expect_pending(1);
	let_go(&h);
	expect_done(1);
}

Test(viommu_flight, many_can_be_pending)
{
	struct held h[3];

	for (u64 i = 0; i < 3; i++) {
		begin(&h[i], i % 2, i * PAGE, 8);
		fake_viommu_begin_unmap(&f, 1 + i, 1, i * PAGE, (i + 1) * PAGE - 1);
	}
	for (unsigned int i = 3; i-- > 0;) {
		expect_pending(1 + i);
		let_go(&h[i]);
		expect_done(1 + i);
	}
}

Test(viommu_flight, a_detach_waits_for_the_endpoints_own_transfers)
{
	struct held mine, its;

	begin(&mine, 0, 0, 8);
	begin(&its, 1, 0, 8);
	fake_viommu_begin_detach(&f, 1, 1, 0x10);
	expect_pending(1);
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0, DMA_READ)));
	let_go(&mine);
	expect_done(1);
	let_go(&its);
}

Test(viommu_flight, a_detach_that_ends_the_domain_waits_too)
{
	struct held h;

	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x11)));
	begin(&h, 0, 0, 3 * PAGE);
	fake_viommu_begin_detach(&f, 1, 1, 0x10);
	expect_pending(1);
	cr_assert(zero(u64, fake_viommu_counts(&f).mappings));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)), "a domain anew");
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0, DMA_READ)));
	expect_pending(1);
	let_go(&h);
	expect_done(1);
}

Test(viommu_flight, an_attach_to_another_domain_waits_as_its_detach_would)
{
	const struct virtio_iommu_req_attach rq = { .head.type = VIRTIO_IOMMU_T_ATTACH,
		                                    .domain = 2,
		                                    .endpoint = 0x10 };
	struct held h;

	begin(&h, 0, 0, 8);
	fake_viommu_queue(&f, 1, &rq, 20, TAIL);
	fake_viommu_kick(&f);
	expect_pending(1);
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0, DMA_READ)));
	let_go(&h);
	expect_done(1);
}

Test(viommu_flight, an_unmap_and_a_detach_wait_for_the_same_transfer)
{
	struct held h;

	begin(&h, 0, 0, 8);
	fake_viommu_begin_unmap(&f, 1, 1, 0, PAGE - 1);
	fake_viommu_begin_detach(&f, 2, 1, 0x10);
	expect_pending(1);
	expect_pending(2);
	let_go(&h);
	expect_done(1);
	expect_done(2);
}

Test(viommu_flight, a_reset_waits_for_transfers_and_for_a_pending_request)
{
	struct held h;
	u16 used;

	begin(&h, 0, 0, 8);
	fake_viommu_begin_unmap(&f, 1, 1, 0, PAGE - 1);
	used = driver_used_idx(&f.requests);
	virtio_set_status(f.dev, 0);
	cr_assert(ne(u32, f.dev->status, 0));
	let_go(&h);
	cr_assert(zero(u32, f.dev->status));
	cr_assert(eq(u32, driver_used_idx(&f.requests), used),
	          "a ring that is reset is left alone");
	cr_assert(zero(u32, f.dev->in_flight));
	fake_viommu_reset(&f, 0);
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
}

Test(viommu_flight, a_reset_waits_for_transfers_of_every_endpoint)
{
	struct held h[2];

	begin(&h[0], 0, 0, 8);
	begin(&h[1], 1, PAGE, 8);
	virtio_set_status(f.dev, 0);
	let_go(&h[1]);
	cr_assert(ne(u32, f.dev->status, 0));
	let_go(&h[0]);
	cr_assert(zero(u32, f.dev->status));
}

Test(viommu_flight, a_reset_of_the_queue_waits_for_a_pending_request)
{
	struct virtq *vq = &f.dev->vq[0];
	struct held h;

	begin(&h, 0, 0, 8);
	fake_viommu_begin_unmap(&f, 1, 1, 0, PAGE - 1);
	virtio_reset_queue(vq);
	cr_assert(eq(u32, vq->resetting, 1));
	let_go(&h);
	cr_assert(zero(u32, vq->resetting));
	cr_assert(zero(u32, vq->enabled));
	cr_assert(zero(u32, f.dev->in_flight));
}

Test(viommu_flight, a_config_write_that_ends_bypass_lets_transfers_end)
{
	struct held h;

	f.dev->type->config_write(f.dev, offsetof(struct virtio_iommu_config, bypass), 1, 1);
	begin(&h, 2, D, 8);
	f.dev->type->config_write(f.dev, offsetof(struct virtio_iommu_config, bypass), 1, 0);
	cr_assert(zero(u64, fake_viommu_reach(&f, 2, D, DMA_READ)));
	let_go(&h);
	cr_assert(zero(u32, f.dev->in_flight));
}
