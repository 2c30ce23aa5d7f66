// SPDX-License-Identifier: GPL-2.0-only
/* An endpoint's cache of translations: never other than the mappings are. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "tests/unit/held.h"
#include "tests/unit/leak.h"
#include "tests/unit/space.h"
#include "vmm/iommu.h"
#include "vmm/mem.h"

#define BASE 0x80000000ULL
#define PAGE 0x1000ULL
#define RW   (DMA_READ | DMA_WRITE)

static u8 ram[16 * PAGE] __attribute__((aligned(8)));
static struct guest_mem mem = { .base = BASE, .size = sizeof(ram), .host = ram };
static struct iommu_endpoint e;
static struct iova_space space, other;

static void fault(struct iommu_endpoint *from, const struct dma_access *a)
{
	(void)from, (void)a;
}

static const struct iommu_ops ops = { .fault = fault };

static void unmap(u64 first, u64 last)
{
	space_unmap(&space, first, last, NULL);
}

/* Page 0 is guest page 4, 1 is 2, 3 is 5. */
static void make(void)
{
	iova_init(&space);
	iova_init(&other);
	space_map(&space, 0, PAGE - 1, BASE + 4 * PAGE, RW);
	space_map(&space, PAGE, 2 * PAGE - 1, BASE + 2 * PAGE, RW);
	space_map(&space, 3 * PAGE, 4 * PAGE - 1, BASE + 5 * PAGE, DMA_READ);
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

TestSuite(iommu_cache, .init = make, .fini = unmake);

static u8 *at(u64 iova)
{
	struct held h;

	if (hold(&h, &e.dma, iova, 1, DMA_READ) != DMA_OK)
		return NULL;
	let_go(&h);
	return h.iov[0].iov_base;
}

Test(iommu_cache, what_is_unmapped_is_not_found_in_the_cache)
{
	cr_assert(eq(ptr, at(0), ram + 4 * PAGE));
	unmap(0, PAGE - 1);
	cr_assert(eq(ptr, at(0), NULL));
	space_map(&space, 0, PAGE - 1, BASE + 7 * PAGE, RW);
	cr_assert(eq(ptr, at(0), ram + 7 * PAGE));
}

Test(iommu_cache, what_is_mapped_otherwise_is_found_as_it_is_now)
{
	cr_assert(eq(ptr, at(0), ram + 4 * PAGE));
	cr_assert(eq(ptr, at(3 * PAGE), ram + 5 * PAGE));
	unmap(3 * PAGE, 4 * PAGE - 1);
	space_map(&space, 3 * PAGE, 4 * PAGE - 1, BASE, DMA_WRITE);
	cr_assert(eq(ptr, at(3 * PAGE), NULL), "not to read now");
	cr_assert(eq(ptr, at(0), ram + 4 * PAGE));
}

Test(iommu_cache, addresses_that_share_a_place_in_the_cache_are_told_apart)
{
	const u64 same = PAGE * IOMMU_CACHE;

	space_map(&space, same, same + PAGE - 1, BASE + 9 * PAGE, RW);
	for (int i = 0; i < 3; i++) {
		cr_assert(eq(ptr, at(0), ram + 4 * PAGE));
		cr_assert(eq(ptr, at(same), ram + 9 * PAGE));
		cr_assert(eq(ptr, at(2 * same), NULL));
	}
}

Test(iommu_cache, mappings_that_share_a_page_are_told_apart)
{
	space_map(&space, 0x20000, 0x2000f, BASE, RW);
	space_map(&space, 0x20020, 0x2002f, BASE + PAGE, RW);
	for (int i = 0; i < 2; i++) {
		cr_assert(eq(ptr, at(0x20000), ram));
		cr_assert(eq(ptr, at(0x20020), ram + PAGE));
		cr_assert(eq(ptr, at(0x20010), NULL));
	}
}

Test(iommu_cache, what_another_space_had_is_not_found_in_the_cache)
{
	space_map(&other, 0, PAGE - 1, BASE + 8 * PAGE, RW);
	cr_assert(eq(ptr, at(0), ram + 4 * PAGE));
	cr_assert(eq(ptr, at(PAGE), ram + 2 * PAGE));
	iommu_attach(&e, &other, NULL);
	cr_assert(eq(ptr, at(0), ram + 8 * PAGE));
	cr_assert(eq(ptr, at(PAGE), NULL));
	iommu_attach(&e, &space, NULL);
	cr_assert(eq(ptr, at(PAGE), ram + 2 * PAGE));
}

/* Random mappings against the tree itself, which nothing is cached in. */
Test(iommu_cache, the_cache_says_what_the_tree_says)
{
	unsigned int seed = 7;

	for (int n = 0; n < 20000; n++) {
		u64 page = 16 + rand_r(&seed) % 200;
		struct iova_mapping *m;
		u8 *want = NULL;

		m = iova_find(&space, page * PAGE);
		if (rand_r(&seed) % 4) {
			if (m)
				want = ram + (m->gpa - BASE) + (page * PAGE - m->iova);
			cr_assert(eq(ptr, at(page * PAGE), want), "step %d", n);
		} else if (m) {
			unmap(m->iova, m->last);
		} else {
			space_map(&space, page * PAGE, (page + 1) * PAGE - 1,
			          BASE + rand_r(&seed) % 16 * PAGE, DMA_READ);
		}
	}
}

static enum dma_reason reach(u64 iova, u32 perm, u32 pasid, u8 **to)
{
	struct iovec iov = { 0 };
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = dma_access_to(iova, 1, perm);

	a.pasid = pasid;
	dma_map(&e.dma, &a, &sg, NULL);
	*to = iov.iov_base;
	return a.reason;
}

static unsigned int nr_fetched;

/* Page 8 is guest page 1, to write as well when that is asked for; page 9 is not permitted. */
static struct iova_mapping *fetch(struct iova_space *s, u64 iova, u32 perm, enum dma_reason *reason)
{
	struct iova_mapping *m = iova_find(s, iova);

	nr_fetched++;
	*reason = DMA_NOT_PERMITTED;
	if (iova / PAGE == 9)
		return NULL;
	if (!m)
		space_map(s, 8 * PAGE, 9 * PAGE - 1, BASE + PAGE, perm);
	else
		m->perm |= perm;
	return iova_find(s, iova);
}

Test(iommu_cache, what_is_not_mapped_or_not_so_is_asked_for_once)
{
	u8 *to;

	space.fetch = fetch;
	nr_fetched = 0;
	cr_assert(zero(int, reach(8 * PAGE + 5, DMA_READ, DMA_NO_PASID, &to)));
	cr_assert(eq(ptr, to, ram + PAGE + 5));
	cr_assert(zero(int, reach(8 * PAGE, DMA_READ, DMA_NO_PASID, &to)));
	cr_assert(eq(u32, nr_fetched, 1));
	cr_assert(zero(int, reach(8 * PAGE, DMA_WRITE, DMA_NO_PASID, &to)));
	cr_assert(zero(int, reach(8 * PAGE, RW, DMA_NO_PASID, &to)));
	cr_assert(eq(u32, nr_fetched, 2));
	cr_assert(eq(int, reach(9 * PAGE, DMA_READ, DMA_NO_PASID, &to), DMA_NOT_PERMITTED));
}

/* Page 0 of the other space is guest page 7. */
Test(iommu_cache, a_process_has_the_space_that_it_is_attached_to)
{
	u8 *to;

	space_map(&other, 0, PAGE - 1, BASE + 7 * PAGE, DMA_READ);
	cr_assert(zero(int, iommu_attach_process(&e, 3, &other, NULL)));
	for (int i = 0; i < 2; i++) {
		cr_assert(zero(int, reach(0, DMA_READ, 3, &to)));
		cr_assert(eq(ptr, to, ram + 7 * PAGE));
		cr_assert(zero(int, reach(0, DMA_READ, DMA_NO_PASID, &to)));
		cr_assert(eq(ptr, to, ram + 4 * PAGE));
		cr_assert(eq(int, reach(0, DMA_READ, 4, &to), DMA_NOT_ATTACHED));
	}
	cr_assert(zero(int, iommu_attach_process(&e, 4, &space, NULL)));
	cr_assert(zero(int, iommu_attach_process(&e, 3, NULL, NULL)));
	cr_assert(eq(int, reach(0, DMA_READ, 3, &to), DMA_NOT_ATTACHED));
	cr_assert(zero(int, reach(0, DMA_READ, 4, &to)));
	space.any_pasid = true;
	cr_assert(zero(int, reach(0, DMA_READ, 3, &to)));
	cr_assert(zero(int, iommu_attach_process(&e, 4, NULL, NULL)));
	cr_assert(zero(int, iommu_attach_process(&e, 5, NULL, NULL)));
}
