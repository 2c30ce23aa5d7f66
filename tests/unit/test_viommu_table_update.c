// SPDX-License-Identifier: GPL-2.0-only
/* Tables that the driver owns: what is refused makes nothing accessed or dirty
 * (docs/virtio-iommu-experimental.md). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_guest_table.h"
#include "tests/unit/held.h"

#define D        GUEST_DATA
#define PAGE     GUEST_PAGE
#define CLEAN    (G_RDONLY | G_DBM)
#define UNUSED   (CLEAN & ~G_AF)
#define WINDOW   0x8000000ULL
#define DOORBELL 0x8020000ULL

static struct fake_viommu f;

/* Hardware sets access flags and dirty states. */
static void make(void)
{
	struct viommu_config config = fake_viommu_config();
	struct guest_attach a = GUEST_ATTACH;

	config.attach_table = true;
	config.input = (struct viommu_range){ 0, IOVA + 4 * PAGE - 1 };
	config.reserved[0] = (struct viommu_range){ IOVA, IOVA + PAGE - 1 };
	config.nr_reserved = 1;
	config.msi_window = true;
	config.msi = (struct viommu_range){ IOVA + PAGE, IOVA + 2 * PAGE - 1 };
	config.host_window = true;
	config.host_msi = (struct viommu_range){ WINDOW, WINDOW + 0xfffff };
	config.doorbell = (struct viommu_range){ DOORBELL, DOORBELL + PAGE - 1 };
	fake_viommu_make(&f, &config, BIT(VIRTIO_RING_F_EVENT_IDX));
	guest_clear();
	a.tcr |= TCR_HA | TCR_HD;
	cr_assert(zero(u8, guest_attach(&f, a)));
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_update, .init = make, .fini = unmake);

static void expect_refused(u64 iova, u32 perm, u64 entry)
{
	*guest_entry(iova, 3) = entry;
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, iova, perm)));
	cr_assert(eq(u64, *guest_entry(iova, 3), entry));
}

Test(viommu_update, what_is_reached_is_accessed_and_dirty)
{
	guest_map(IOVA + 2 * PAGE, D, UNUSED);
	cr_assert(eq(u64, fake_viommu_reach(&f, 0, IOVA + 2 * PAGE, DMA_WRITE), D));
	cr_assert(eq(u64, *guest_entry(IOVA + 2 * PAGE, 3), D | G_RW | G_DBM));
}

Test(viommu_update, where_nothing_may_be_mapped_nothing_is_updated)
{
	expect_refused(IOVA, DMA_WRITE, D | UNUSED);
	expect_refused(IOVA + PAGE, DMA_WRITE, D | UNUSED);
	expect_refused(IOVA + 4 * PAGE, DMA_WRITE, D | UNUSED);
}

Test(viommu_update, in_the_hosts_window_nothing_is_but_doorbells)
{
	gpa_t to;

	expect_refused(WINDOW, DMA_WRITE, D | UNUSED);
	guest_map(WINDOW, DOORBELL, UNUSED);
	cr_assert(eq(int, dma_doorbell(fake_viommu_dma(&f, 0), WINDOW, &to), DMA_OK));
	cr_assert(eq(u64, *guest_entry(WINDOW, 3), DOORBELL | G_RW | G_DBM));
}

/* Where transfers use another page, with no INVALIDATE in between. */
Test(viommu_update, what_contradicts_a_transfer_is_not_updated)
{
	const u64 iova = IOVA + 2 * PAGE;
	struct held h;

	guest_map(iova, D, CLEAN);
	cr_assert(eq(int, hold(&h, fake_viommu_dma(&f, 0), iova, 8, DMA_READ), DMA_OK));
	expect_refused(iova, DMA_WRITE, (D + PAGE) | UNUSED);
	guest_map(iova, D, UNUSED);
	cr_assert(eq(u64, fake_viommu_reach(&f, 0, iova, DMA_WRITE), D), "as it was");
	cr_assert(eq(u64, *guest_entry(iova, 3), D | G_RW | G_DBM));
	let_go(&h);
}

Test(viommu_update, what_is_not_permitted_is_not_updated)
{
	expect_refused(IOVA + 2 * PAGE, DMA_WRITE, D | (G_RDONLY & ~G_AF));
	expect_refused(IOVA + 2 * PAGE, DMA_READ, D | (UNUSED & ~G_USER));
}
