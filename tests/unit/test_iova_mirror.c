// SPDX-License-Identifier: GPL-2.0-only
/* Who keeps the mappings of a space elsewhere too: what it is told, and when; and a device that
 * follows an endpoint. */
#include <errno.h>

#include "tests/unit/leak.h"
#include "tests/unit/space.h"
#include "vmm/iommu.h"

#define PAGE 0x1000ULL

static struct iova_space space, other;
static struct iommu_endpoint e;
static unsigned int nr_maps, nr_unmaps, nr_gone, nr_attached;
static u64 unmapped[2], mapped[2];
static struct iova_space *attached_to;
static int answer;

static int map(struct iova_mirror *m, const struct iova_mapping *mapping)
{
	cr_assert(eq(ptr, m, space.mirror));
	cr_assert(ne(ptr, iova_find(&space, mapping->iova), NULL), "it is in the space by then");
	nr_maps++;
	mapped[0] = mapping->iova;
	mapped[1] = mapping->gpa;
	return answer;
}

static void unmap(struct iova_mirror *m, u64 first, u64 last)
{
	(void)m;
	cr_assert(eq(ptr, iova_find(&space, first), NULL), "it has left the space by then");
	nr_unmaps++;
	unmapped[0] = first;
	unmapped[1] = last;
}

static void gone(struct iova_mirror *m)
{
	(void)m;
	cr_assert(zero(u64, space.nr));
	nr_gone++;
}

static struct iova_mirror mirror = { map, unmap, gone };

static int attach(struct iommu_assigned *a, struct iova_space *to)
{
	(void)a;
	nr_attached++;
	if (!answer)
		attached_to = to;
	return answer;
}

static struct iommu_assigned device = { attach };

static void fault(struct iommu_endpoint *from, const struct dma_access *a)
{
	(void)from, (void)a;
}

static void make(void)
{
	static const struct iommu_ops ops = { .fault = fault };

	iova_init(&space);
	iova_init(&other);
	space.mirror = &mirror;
	iommu_endpoint_init(&e, &ops, NULL);
}

static void unmake(void)
{
	e.assigned = NULL;
	iommu_attach(&e, NULL, NULL);
	iova_clear(&space);
	iova_clear(&other);
	expect_no_leak();
}

TestSuite(iova_mirror, .init = make, .fini = unmake);

Test(iova_mirror, it_is_told_of_each_mapping)
{
	space_map(&space, PAGE, 2 * PAGE - 1, 8 * PAGE, DMA_READ);
	cr_assert(eq(u32, nr_maps, 1));
	cr_assert(eq(u64, mapped[0], PAGE));
	cr_assert(eq(u64, mapped[1], 8 * PAGE));
}

Test(iova_mirror, one_that_overlaps_is_not_told)
{
	const struct iova_mapping m = { .iova = PAGE, .last = 2 * PAGE - 1, .perm = DMA_READ };

	space_map(&space, 0, 4 * PAGE - 1, 8 * PAGE, DMA_READ);
	cr_assert(eq(int, iova_map(&space, &m), -EEXIST));
	cr_assert(eq(u32, nr_maps, 1));
}

Test(iova_mirror, what_it_refuses_is_not_mapped)
{
	const struct iova_mapping m = { .iova = PAGE, .last = 2 * PAGE - 1, .perm = DMA_READ };

	answer = -ENOMEM;
	cr_assert(eq(int, iova_map(&space, &m), -ENOMEM));
	cr_assert(zero(u64, space.nr));
	cr_assert(eq(ptr, iova_find(&space, PAGE), NULL));
}

Test(iova_mirror, an_unmap_is_told_whole_and_one_that_would_split_is_not)
{
	space_map(&space, 0, 2 * PAGE - 1, 0, DMA_READ);
	space_map(&space, 2 * PAGE, 3 * PAGE - 1, 0, DMA_READ);
	bool doorbells;

	cr_assert(eq(int, iova_unmap(&space, PAGE, 4 * PAGE - 1, NULL, &doorbells), -ERANGE));
	cr_assert(zero(u32, nr_unmaps));
	space_unmap(&space, 0, 4 * PAGE - 1, NULL);
	cr_assert(eq(u32, nr_unmaps, 1));
	cr_assert(zero(u64, unmapped[0]));
	cr_assert(eq(u64, unmapped[1], 4 * PAGE - 1));
}

Test(iova_mirror, it_goes_once_with_the_space)
{
	space_map(&space, 0, PAGE - 1, 0, DMA_READ);
	iova_clear(&space);
	cr_assert(eq(u32, nr_gone, 1));
	iova_clear(&space);
	cr_assert(eq(u32, nr_gone, 1));
	cr_assert(zero(u32, nr_unmaps), "it knows what that means");
}

Test(iova_mirror, a_device_follows_its_endpoint)
{
	cr_assert(zero(int, iommu_attach(&e, &space, NULL)));
	cr_assert(zero(u32, nr_attached));
	cr_assert(zero(int, iommu_assign(&e.dma, &device)));
	cr_assert(eq(ptr, attached_to, &space));
	cr_assert(zero(int, iommu_attach(&e, &other, NULL)));
	cr_assert(eq(ptr, attached_to, &other));
	cr_assert(zero(int, iommu_attach(&e, NULL, NULL)));
	cr_assert(eq(ptr, attached_to, NULL));
	cr_assert(zero(int, iommu_assign(&e.dma, NULL)));
	cr_assert(zero(int, iommu_attach(&e, &space, NULL)));
	cr_assert(eq(u32, nr_attached, 3));
}

Test(iova_mirror, where_it_cannot_the_endpoint_does_not_either)
{
	cr_assert(zero(int, iommu_attach(&e, &space, NULL)));
	cr_assert(zero(int, iommu_assign(&e.dma, &device)));
	answer = -EINVAL;
	cr_assert(eq(int, iommu_attach(&e, &other, NULL), -EINVAL));
	cr_assert(eq(ptr, e.attachment->space, &space));
	cr_assert(eq(ptr, attached_to, &space));
}

Test(iova_mirror, a_device_that_cannot_come_is_not_asked_again)
{
	answer = -EINVAL;
	cr_assert(eq(int, iommu_assign(&e.dma, &device), -EINVAL));
	cr_assert(zero(int, iommu_attach(&e, &space, NULL)));
	cr_assert(eq(u32, nr_attached, 1));
}
