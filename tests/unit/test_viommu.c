// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU device (virtio 1.3, 5.13): features, configuration, bypass, reset, endpoints. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <linux/virtio_ids.h>

#include "devices/virtio/transport.h"
#include "tests/unit/fake_viommu.h"
#include "tests/unit/held.h"

#define RW     (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)
#define BYPASS offsetof(struct virtio_iommu_config, bypass)

static struct fake_viommu f;

static void make(void)
{
	fake_viommu_make(&f, NULL, 0);
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu, .init = make, .fini = unmake);

static struct virtio_iommu_config config(void)
{
	struct virtio_iommu_config c;

	for (unsigned int i = 0; i < sizeof(c); i++)
		((u8 *)&c)[i] = virtio_config_read(f.dev, i, 1);
	return c;
}

static bool offers(unsigned int feature)
{
	return f.dev->features & BIT(feature);
}

/* Whether endpoint @i reaches what it is not told of. */
static bool reaches_all(unsigned int i)
{
	gpa_t gpa = fake_viommu_reach(&f, i, VIOMMU_DATA, DMA_READ | DMA_WRITE);

	if (gpa)
		cr_assert(eq(u64, gpa, VIOMMU_DATA));
	return gpa;
}

Test(viommu, it_is_device_23_with_a_queue_for_requests_and_one_for_events)
{
	cr_assert(eq(u32, f.dev->type->id, 23));
	cr_assert(eq(u32, f.dev->nr_queues, 2));
	cr_assert(viommu_is(f.dev));
}

Test(viommu, it_offers_mappings_and_never_the_superseded_bypass)
{
	cr_assert(offers(VIRTIO_IOMMU_F_MAP_UNMAP));
	cr_assert(offers(VIRTIO_IOMMU_F_PROBE));
	cr_assert(offers(VIRTIO_IOMMU_F_MMIO));
	cr_assert(offers(VIRTIO_IOMMU_F_BYPASS_CONFIG));
	cr_assert(not(offers(VIRTIO_IOMMU_F_BYPASS)));
}

Test(viommu, ranges_are_features_where_there_are_limits)
{
	struct viommu_config c = fake_viommu_config();

	cr_assert(not(offers(VIRTIO_IOMMU_F_INPUT_RANGE)));
	cr_assert(not(offers(VIRTIO_IOMMU_F_DOMAIN_RANGE)));
	cr_assert(eq(u64, config().input_range.end, ~0ULL));
	cr_assert(eq(u32, config().domain_range.end, ~0u));
	c.input = (struct viommu_range){ 0x1000, 0xffffffff };
	c.first_domain = 1;
	c.last_domain = 9;
	fake_viommu_remake(&f, &c, 0);
	cr_assert(offers(VIRTIO_IOMMU_F_INPUT_RANGE));
	cr_assert(offers(VIRTIO_IOMMU_F_DOMAIN_RANGE));
	cr_assert(eq(u64, config().input_range.start, 0x1000));
	cr_assert(eq(u64, config().input_range.end, 0xffffffff));
	cr_assert(eq(u32, config().domain_range.start, 1));
	cr_assert(eq(u32, config().domain_range.end, 9));
}

Test(viommu, the_granule_is_the_lowest_bit_of_the_page_sizes)
{
	struct viommu_config c = fake_viommu_config();

	cr_assert(eq(u64, config().page_size_mask, ~0xfffULL));
	c.page_size_mask = ~0ULL;
	fake_viommu_remake(&f, &c, 0);
	cr_assert(eq(u64, config().page_size_mask, ~0ULL));
}

Test(viommu, the_probe_size_is_that_of_all_properties)
{
	struct viommu_config c = fake_viommu_config();

	cr_assert(zero(u32, config().probe_size));
	c.msi_window = true;
	c.nr_reserved = 2;
	fake_viommu_remake(&f, &c, 0);
	cr_assert(eq(u32, config().probe_size, 3 * sizeof(struct virtio_iommu_probe_resv_mem)));
}

Test(viommu, a_driver_changes_bypass_and_nothing_else)
{
	const struct virtio_iommu_config before = config();
	struct virtio_iommu_config after;

	for (unsigned int i = 0; i < sizeof(before) + 4; i++)
		if (i != BYPASS)
			for (unsigned int size = 1; size <= 8; size *= 2)
				virtio_config_write(f.dev, i, size, 1);
	virtio_config_write(f.dev, BYPASS, 2, 1);
	virtio_config_write(f.dev, BYPASS, 4, 1);
	after = config();
	cr_assert(zero(int, memcmp(&before, &after, sizeof(before))));
	virtio_config_write(f.dev, BYPASS, 1, 1);
	cr_assert(eq(u32, config().bypass, 1));
	virtio_config_write(f.dev, BYPASS, 1, 0);
	cr_assert(zero(u32, config().bypass));
}

Test(viommu, bypass_is_never_other_than_0_or_1)
{
	for (u64 val = 2; val < 256; val++) {
		virtio_config_write(f.dev, BYPASS, 1, val);
		cr_assert(zero(u32, config().bypass));
	}
	virtio_config_write(f.dev, BYPASS, 1, 1);
	virtio_config_write(f.dev, BYPASS, 1, 0xfe);
	cr_assert(eq(u32, config().bypass, 1));
}

Test(viommu, a_driver_that_did_not_take_bypass_cannot_change_it)
{
	const struct viommu_config c = fake_viommu_config();

	fake_viommu_remake(&f, &c, BIT(VIRTIO_IOMMU_F_BYPASS_CONFIG));
	virtio_config_write(f.dev, BYPASS, 1, 1);
	cr_assert(zero(u32, config().bypass));
}

Test(viommu, an_endpoint_attached_to_nothing_reaches_memory_only_with_bypass)
{
	cr_assert(not(reaches_all(0)));
	virtio_config_write(f.dev, BYPASS, 1, 1);
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++)
		cr_assert(reaches_all(i));
	virtio_config_write(f.dev, BYPASS, 1, 0);
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++)
		cr_assert(not(reaches_all(i)));
}

Test(viommu, bypass_before_there_is_a_driver_is_as_configured)
{
	struct viommu_config c = fake_viommu_config();

	c.bypass = true;
	fake_viommu_remake(&f, &c, BIT(VIRTIO_IOMMU_F_BYPASS_CONFIG));
	virtio_set_status(f.dev, 0);
	cr_assert(eq(u32, config().bypass, 1));
	cr_assert(reaches_all(0), "with no driver at all");
	fake_viommu_reset(&f, BIT(VIRTIO_IOMMU_F_BYPASS_CONFIG));
	cr_assert(reaches_all(0), "with one that did not take the feature");
}

Test(viommu, bypass_says_nothing_of_those_attached_to_a_domain)
{
	virtio_config_write(f.dev, BYPASS, 1, 1);
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(not(reaches_all(0)));
	cr_assert(reaches_all(1));
	virtio_config_write(f.dev, BYPASS, 1, 0);
	cr_assert(zero(u8, fake_viommu_attach(&f, 2, 0x11, VIRTIO_IOMMU_ATTACH_F_BYPASS)));
	cr_assert(reaches_all(1));
	virtio_config_write(f.dev, BYPASS, 1, 1);
	cr_assert(not(reaches_all(0)));
	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x10)));
	cr_assert(reaches_all(0));
}

/* What a process of endpoint @i's does with memory. */
static enum dma_reason process(unsigned int i, u64 iova, u32 perm)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = { .iova = iova, .len = 8, .perm = perm, .pasid = 5 };

	if (dma_map(fake_viommu_dma(&f, i), &a, &sg, NULL) != DMA_OK)
		return a.reason;
	cr_assert(eq(ptr, iov.iov_base, fake_viommu_mem.host + (iova - VIOMMU_BASE)));
	dma_unmap(fake_viommu_dma(&f, i), &sg);
	return DMA_NO_REASON;
}

Test(viommu, in_bypass_mode_processes_reach_all_memory_too)
{
	const u32 all = DMA_READ | DMA_WRITE | DMA_EXEC;

	cr_assert(eq(int, process(0, VIOMMU_DATA, DMA_READ), DMA_NOT_ATTACHED));
	virtio_config_write(f.dev, BYPASS, 1, 1);
	cr_assert(zero(int, process(0, VIOMMU_DATA, all)));
	cr_assert(eq(int, process(0, 0, DMA_READ), DMA_NO_MEMORY));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(zero(u8,
	               fake_viommu_map(&f, 1, VIOMMU_DATA, VIOMMU_DATA + 0xfff, VIOMMU_DATA, RW)));
	cr_assert(eq(int, process(0, VIOMMU_DATA, DMA_READ), DMA_NOT_ATTACHED), "in a domain");
	virtio_config_write(f.dev, BYPASS, 1, 0);
	cr_assert(zero(u8, fake_viommu_attach(&f, 2, 0x10, VIRTIO_IOMMU_ATTACH_F_BYPASS)));
	cr_assert(zero(int, process(0, VIOMMU_DATA, all)), "in a bypass domain");
}

Test(viommu, a_reset_detaches_every_endpoint_and_forgets_domains_and_mappings)
{
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x11, 0)));
	cr_assert(zero(u8, fake_viommu_attach(&f, 2, 0x12, VIRTIO_IOMMU_ATTACH_F_BYPASS)));
	cr_assert(zero(u8, fake_viommu_map(&f, 1, 0, 0xfff, VIOMMU_DATA, RW)));
	fake_viommu_reset(&f, 0);
	cr_assert(zero(u64, fake_viommu_counts(&f).domains));
	cr_assert(zero(u64, fake_viommu_counts(&f).mappings));
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0, DMA_READ)));
	cr_assert(not(reaches_all(2)));
	cr_assert(eq(u8, fake_viommu_detach(&f, 1, 0x10), VIRTIO_IOMMU_S_INVAL));
	cr_assert(eq(u8, fake_viommu_unmap(&f, 1, 0, 0xfff), VIRTIO_IOMMU_S_NOENT));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, VIRTIO_IOMMU_ATTACH_F_BYPASS)),
	          "another domain");
}

Test(viommu, bypass_stays_as_it_is_over_a_reset)
{
	virtio_config_write(f.dev, BYPASS, 1, 1);
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	fake_viommu_reset(&f, 0);
	cr_assert(eq(u32, config().bypass, 1));
	cr_assert(reaches_all(0));
}

Test(viommu, a_reset_ends_when_transfers_have)
{
	struct held h;

	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(zero(u8, fake_viommu_map(&f, 1, 0, 0xfff, VIOMMU_DATA, RW)));
	cr_assert(eq(int, hold(&h, fake_viommu_dma(&f, 0), 0, 8, DMA_WRITE), DMA_OK));
	virtio_set_status(f.dev, 0);
	cr_assert(ne(u32, f.dev->status, 0));
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0, DMA_READ)), "no other begins");
	let_go(&h);
	cr_assert(zero(u32, f.dev->status));
	fake_viommu_reset(&f, 0);
}

Test(viommu, with_bypass_a_reset_waits_for_transfers_of_those_attached_to_nothing_too)
{
	struct held h;

	virtio_config_write(f.dev, BYPASS, 1, 1);
	cr_assert(eq(int, hold(&h, fake_viommu_dma(&f, 0), VIOMMU_DATA, 8, DMA_WRITE), DMA_OK));
	virtio_set_status(f.dev, 0);
	let_go(&h);
	cr_assert(zero(u32, f.dev->status));
	fake_viommu_reset(&f, 0);
}

Test(viommu, an_endpoint_exists_for_the_driver_when_it_is_known_by_an_id)
{
	struct viommu_endpoint *e;

	cr_assert(zero(int, viommu_add_endpoint(f.dev, &e)));
	cr_assert(eq(u8, fake_viommu_attach(&f, 1, 0, 0), VIRTIO_IOMMU_S_NOENT));
	cr_assert(eq(u8, fake_viommu_attach(&f, 1, 0x99, 0), VIRTIO_IOMMU_S_NOENT));
	f.ids[1] = 0x99;
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x99, 0)), "as it has it now");
	cr_assert(eq(u8, fake_viommu_attach(&f, 1, 0x11, 0), VIRTIO_IOMMU_S_NOENT));
}

Test(viommu, an_endpoint_that_is_added_reaches_what_bypass_says)
{
	struct viommu_endpoint *e;
	struct held h;

	virtio_config_write(f.dev, BYPASS, 1, 1);
	cr_assert(zero(int, viommu_add_endpoint(f.dev, &e)));
	cr_assert(eq(int, hold(&h, viommu_endpoint_dma(e), VIOMMU_DATA, 8, DMA_READ), DMA_OK));
	let_go(&h);
}

Test(viommu, an_endpoints_space_is_one_that_is_translated)
{
	cr_assert(fake_viommu_dma(&f, 0)->translated);
	cr_assert(not(f.dev->dma->translated), "the device's own is not");
}

Test(viommu, messages_to_the_window_are_not_translated)
{
	struct viommu_config c = fake_viommu_config();
	gpa_t gpa;

	c.msi_window = true;
	c.msi = (struct viommu_range){ 0x8020000, 0x8020fff };
	fake_viommu_remake(&f, &c, 0);
	cr_assert(eq(int, dma_doorbell(fake_viommu_dma(&f, 0), 0x8020040, &gpa), DMA_OK));
	cr_assert(eq(u64, gpa, 0x8020040));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(eq(int, dma_doorbell(fake_viommu_dma(&f, 0), 0x8020040, &gpa), DMA_OK));
	cr_assert(eq(int, dma_doorbell(fake_viommu_dma(&f, 0), 0x8021000, &gpa), DMA_FAULT));
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0x8020040, DMA_WRITE)), "no other write");
}

Test(viommu, it_counts_what_it_does)
{
	struct viommu_counts c;

	fake_viommu_attach(&f, 1, 0x10, 0);
	fake_viommu_attach(&f, 1, 0x77, 0);
	fake_viommu_map(&f, 1, 0, 0xfff, VIOMMU_DATA, RW);
	fake_viommu_reach(&f, 0, 0, DMA_READ);
	fake_viommu_reach(&f, 0, 0x1000, DMA_READ);
	c = fake_viommu_counts(&f);
	cr_assert(eq(u64, c.requests[VIRTIO_IOMMU_T_ATTACH], 2));
	cr_assert(eq(u64, c.requests[VIRTIO_IOMMU_T_MAP], 1));
	cr_assert(eq(u64, c.failed, 1));
	cr_assert(eq(u64, c.mappings, 1));
	cr_assert(eq(u64, c.domains, 1));
	cr_assert(eq(u64, c.accesses, 2));
	cr_assert(eq(u64, c.faults, 1));
	cr_assert(eq(u64, c.lost, 1));
	fake_viommu_detach(&f, 1, 0x10);
	c = fake_viommu_counts(&f);
	cr_assert(zero(u64, c.mappings));
	cr_assert(zero(u64, c.domains));
}
