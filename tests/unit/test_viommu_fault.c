// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU device's event queue (virtio 1.3, 5.13.6.9): a record a fault, or none for want of
 * room. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/unit/fake_viommu.h"

#define RW   (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)
#define PAGE 0x1000ULL
#define SIZE sizeof(struct virtio_iommu_fault) /* 24 */

static struct fake_viommu f;

static void make(void)
{
	fake_viommu_make(&f, NULL, BIT(VIRTIO_RING_F_EVENT_IDX));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(zero(u8,
	               fake_viommu_map(&f, 1, 0, PAGE - 1, VIOMMU_DATA, VIRTIO_IOMMU_MAP_F_READ)));
	cr_assert(zero(u8, fake_viommu_map(&f, 1, 8 * PAGE, 9 * PAGE - 1, 0, RW)));
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_fault, .init = make, .fini = unmake);

static u8 *buffer(u16 nr)
{
	return fake_viommu_mem.host + (VIOMMU_EVENT - VIOMMU_BASE) + nr * 0x100;
}

/* Buffer @nr, in one piece or in two. */
static void give(u16 nr, u32 len, u32 split)
{
	const u64 at = VIOMMU_EVENT + nr * 0x100;

	memset(buffer(nr), VIOMMU_UNWRITTEN, 0x100);
	if (split)
		driver_desc(&f.events, 2 * nr, at, split, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT,
		            2 * nr + 1);
	driver_desc(&f.events, 2 * nr + !!split, at + split, len - split, VRING_DESC_F_WRITE, 0);
	driver_avail(&f.events, 2 * nr);
}

static enum dma_status touch(unsigned int i, u64 iova, u64 len, u32 perm)
{
	struct iovec iov[8];
	struct dma_sg sg = { .iov = iov, .max = 8 };
	struct dma_access a = dma_access_to(iova, len, perm);

	return dma_map(fake_viommu_dma(&f, i), &a, &sg, NULL);
}

struct fault_case {
	unsigned int endpoint;
	u64 iova, len;
	u32 perm;
	u8 reason, flags;
	u64 at;
};

ParameterizedTestParameters(viommu_fault, a_fault_is_told_with_all_that_is_known_of_it)
{
	static struct fault_case cases[] = {
		{ 1, 0x123456789, 4, DMA_READ, VIRTIO_IOMMU_FAULT_R_DOMAIN, 1, 0x123456789 },
		{ 2, ~0ULL, 1, DMA_WRITE, VIRTIO_IOMMU_FAULT_R_DOMAIN, 2, ~0ULL },
		{ 0, PAGE, 4, DMA_READ, VIRTIO_IOMMU_FAULT_R_MAPPING, 1, PAGE },
		{ 0, PAGE - 2, 4, DMA_READ, VIRTIO_IOMMU_FAULT_R_MAPPING, 1, PAGE },
		{ 0, 4, 4, DMA_WRITE, VIRTIO_IOMMU_FAULT_R_MAPPING, 2, 4 },
		{ 0, 4, 4, DMA_READ | DMA_WRITE, VIRTIO_IOMMU_FAULT_R_MAPPING, 3, 4 },
		{ 0, 8 * PAGE + 8, 4, DMA_READ, VIRTIO_IOMMU_FAULT_R_UNKNOWN, 1, 8 * PAGE + 8 },
	};

	return cr_make_param_array(struct fault_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct fault_case *c, viommu_fault, a_fault_is_told_with_all_that_is_known_of_it)
{
	struct virtio_iommu_fault want = { 0 };

	want.reason = c->reason;
	want.flags = c->flags | VIRTIO_IOMMU_FAULT_F_ADDRESS;
	want.endpoint = 0x10 + c->endpoint;
	want.address = c->at;
	give(0, SIZE, 0);
	cr_assert(eq(int, touch(c->endpoint, c->iova, c->len, c->perm), DMA_FAULT));
	cr_assert(eq(u32, driver_used_idx(&f.events), 1));
	cr_assert(eq(u32, driver_used(&f.events, 0).len, SIZE));
	cr_assert(zero(int, memcmp(buffer(0), &want, SIZE)));
	cr_assert(eq(u8, buffer(0)[SIZE], VIOMMU_UNWRITTEN));
	cr_assert(eq(u64, fake_viommu_counts(&f).events, 1));
	cr_assert(zero(u64, fake_viommu_counts(&f).lost));
}

Test(viommu_fault, the_driver_is_interrupted_for_each)
{
	unsigned int before = f.transport.interrupts;

	give(0, SIZE, 0);
	give(1, SIZE, 0);
	touch(1, 0, 1, DMA_READ);
	cr_assert(eq(u32, f.transport.interrupts, before + 1));
	touch(2, 0, 1, DMA_READ);
	cr_assert(eq(u32, f.transport.interrupts, before + 2));
	cr_assert(eq(u8, buffer(0)[8], 0x11));
	cr_assert(eq(u8, buffer(1)[8], 0x12));
}

Test(viommu_fault, what_is_allowed_is_no_event)
{
	give(0, SIZE, 0);
	cr_assert(eq(int, touch(0, 0, 8, DMA_READ), DMA_OK));
	cr_assert(zero(u32, driver_used_idx(&f.events)));
}

Test(viommu_fault, without_a_buffer_it_is_lost_and_counted)
{
	touch(1, 0, 1, DMA_READ);
	touch(1, 0, 1, DMA_READ);
	cr_assert(zero(u64, fake_viommu_counts(&f).events));
	cr_assert(eq(u64, fake_viommu_counts(&f).lost, 2));
	give(0, SIZE, 0);
	virtio_notify(f.dev, 1);
	cr_assert(zero(u32, driver_used_idx(&f.events)), "it is not kept");
	touch(1, 0, 1, DMA_READ);
	cr_assert(eq(u32, driver_used_idx(&f.events), 1));
	touch(1, 0, 1, DMA_READ);
	cr_assert(eq(u64, fake_viommu_counts(&f).lost, 3));
	cr_assert(eq(u64, fake_viommu_counts(&f).faults, 4));
}

Test(viommu_fault, without_a_queue_it_is_lost_and_counted)
{
	give(0, SIZE, 0);
	f.dev->vq[1].enabled = 0;
	touch(1, 0, 1, DMA_READ);
	cr_assert(eq(u64, fake_viommu_counts(&f).lost, 1));
	f.dev->vq[1].enabled = 1;
	virtio_set_status(f.dev, 0);
	touch(1, 0, 1, DMA_READ);
	cr_assert(eq(u64, fake_viommu_counts(&f).lost, 2));
}

Test(viommu_fault, a_buffer_too_small_goes_back_empty_and_no_other_is_used)
{
	for (u32 len = 1; len < SIZE; len++)
		give(len - 1, len, 0);
	for (u32 len = 1; len < SIZE; len++) {
		touch(1, 0, 1, DMA_READ);
		cr_assert(eq(u32, driver_used_idx(&f.events), len));
		cr_assert(zero(u32, driver_used(&f.events, len - 1).len));
		cr_assert(eq(u8, buffer(len - 1)[0], VIOMMU_UNWRITTEN));
	}
	cr_assert(eq(u64, fake_viommu_counts(&f).lost, SIZE - 1));
}

Test(viommu_fault, a_buffer_may_be_larger_or_split)
{
	give(0, 100, 0);
	give(1, SIZE, 5);
	touch(1, 0x77, 1, DMA_READ);
	touch(1, 0x77, 1, DMA_READ);
	for (u16 i = 0; i < 2; i++) {
		cr_assert(eq(u32, driver_used(&f.events, i).len, SIZE));
		cr_assert(eq(u8, buffer(i)[16], 0x77));
		cr_assert(eq(u8, buffer(i)[SIZE], VIOMMU_UNWRITTEN));
	}
}

Test(viommu_fault, a_buffer_that_cannot_be_written_is_none)
{
	driver_desc(&f.events, 0, VIOMMU_EVENT, SIZE, 0, 0);
	driver_avail(&f.events, 0);
	touch(1, 0, 1, DMA_READ);
	cr_assert(zero(u32, driver_used(&f.events, 0).len));
	cr_assert(eq(u64, fake_viommu_counts(&f).lost, 1));
}

Test(viommu_fault, a_broken_ring_breaks_the_device_and_no_transfer)
{
	driver_avail(&f.events, 5000);
	cr_assert(eq(int, touch(1, 0, 1, DMA_READ), DMA_FAULT));
	cr_assert(ne(u32, f.dev->status & VIRTIO_CONFIG_S_NEEDS_RESET, 0));
	cr_assert(eq(int, touch(0, 0, 8, DMA_READ), DMA_OK));
	cr_assert(eq(u64, fake_viommu_counts(&f).lost, 1));
}

Test(viommu_fault, an_endpoint_is_told_by_the_id_that_it_has_now)
{
	f.ids[1] = 0xabcd1234;
	give(0, SIZE, 0);
	touch(1, 0, 1, DMA_READ);
	cr_assert(eq(u32, *(u32 *)(buffer(0) + 8), 0xabcd1234));
}

Test(viommu_fault, a_message_that_arrives_nowhere_is_a_write_that_is_told)
{
	gpa_t gpa;

	give(0, SIZE, 0);
	cr_assert(eq(int, dma_doorbell(fake_viommu_dma(&f, 0), 0x8020040, &gpa), DMA_FAULT));
	cr_assert(eq(u8, buffer(0)[0], VIRTIO_IOMMU_FAULT_R_MAPPING));
	cr_assert(eq(u32, *(u32 *)(buffer(0) + 4),
	             VIRTIO_IOMMU_FAULT_F_ADDRESS | VIRTIO_IOMMU_FAULT_F_WRITE));
	cr_assert(eq(u64, *(u64 *)(buffer(0) + 16), 0x8020040));
}
