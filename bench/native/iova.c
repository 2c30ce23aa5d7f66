// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IOMMU's mappings on this machine: ns to map, to translate, to unmap one of a thousand or of a
 * million random ones, and bytes each takes. RUNS=5 repetitions; a line a figure: name, median,
 * unit.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/native/figures.h"
#include "vmm/iommu.h"
#include "vmm/mem.h"

#define PAGE     4096ULL
#define BASE     0x80000000ULL
#define RAM      (1ULL << 20)
#define ACCESSES 1000000

enum figure { MAP, HIT, MISS, UNMAP, BYTES, NR_FIGURES };
static const struct {
	const char *name, *unit;
} figures[NR_FIGURES] = {
	[MAP] = { "map", "ns" },
	[HIT] = { "translate-hit", "ns" },
	[MISS] = { "translate-miss", "ns" },
	[UNMAP] = { "unmap", "ns" },
	[BYTES] = { "mapping", "bytes" },
};
static double results[NR_FIGURES][MAX_RUNS];

static u64 state = 1; /* of next() */

static void shuffle(u64 *pages, u64 nr)
{
	for (u64 i = nr; i-- > 1;) {
		u64 j = next(&state) % (i + 1), page = pages[i];

		pages[i] = pages[j];
		pages[j] = page;
	}
}

static void fault(struct iommu_endpoint *e, const struct dma_access *a)
{
	(void)e, (void)a;
	abort();
}

static void map_all(struct iova_space *s, const u64 *pages, u64 nr)
{
	for (u64 i = 0; i < nr; i++) {
		const struct iova_mapping m = { .iova = pages[i] * PAGE,
			                        .last = pages[i] * PAGE + PAGE - 1,
			                        .gpa = BASE + pages[i] * PAGE % RAM,
			                        .perm = DMA_READ | DMA_WRITE };

		if (iova_map(s, &m))
			abort();
	}
}

static void unmap_all(struct iova_space *s, const u64 *pages, u64 nr)
{
	struct dma_wait wait = { .left = 1 };
	bool doorbells;

	for (u64 i = 0; i < nr; i++)
		if (iova_unmap(s, pages[i] * PAGE, pages[i] * PAGE + PAGE - 1, &wait, &doorbells))
			abort();
}

/* As a device does: of a page at random, counted, and let go of. */
static double translate(struct iommu_endpoint *e, const u64 *pages, u64 nr)
{
	const double start = now();

	for (u64 i = 0; i < ACCESSES; i++) {
		struct iovec iov[1];
		struct dma_use *uses[1];
		struct dma_sg sg = { .iov = iov, .uses = uses, .max = 1 };
		struct dma_access a =
			dma_access_to(pages[next(&state) % nr] * PAGE, PAGE, DMA_READ);

		if (dma_map(&e->dma, &a, &sg, NULL) != DMA_OK)
			abort();
		dma_unmap(&e->dma, &sg);
	}
	return (now() - start) / ACCESSES;
}

static void measure(const struct guest_mem *mem, u64 *pages, u64 nr, unsigned int run)
{
	static const struct iommu_ops ops = { .fault = fault };
	struct iommu_endpoint e;
	struct iova_space s;
	size_t before;
	double start;

	iova_init(&s);
	iommu_endpoint_init(&e, &ops, mem);
	if (iommu_attach(&e, &s, NULL))
		abort();
	shuffle(pages, nr);
	before = mallinfo2().uordblks;
	start = now();
	map_all(&s, pages, nr);
	results[MAP][run] = (now() - start) / nr;
	results[BYTES][run] = (mallinfo2().uordblks - before) / (double)nr;
	results[HIT][run] = translate(&e, pages, 1);
	results[MISS][run] = translate(&e, pages, nr);
	shuffle(pages, nr);
	start = now();
	unmap_all(&s, pages, nr);
	results[UNMAP][run] = (now() - start) / nr;
	iommu_attach(&e, NULL, NULL);
}

int main(void)
{
	static const u64 sizes[] = { 1000, 1000000 };
	static const char *const names[] = { "1e3", "1e6" };
	static u8 ram[RAM];
	const struct guest_mem mem = { .base = BASE, .size = RAM, .host = ram };
	const unsigned int runs = repetitions();

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 *pages = malloc(sizes[i] * sizeof(*pages));

		for (u64 n = 0; n < sizes[i]; n++)
			pages[n] = n * 2; /* none beside another */
		for (unsigned int run = 0; run < runs; run++)
			measure(&mem, pages, sizes[i], run);
		for (unsigned int f = 0; f < NR_FIGURES; f++)
			printf("iova-%s-%s %.0f %s\n", figures[f].name, names[i],
			       median(results[f], runs), figures[f].unit);
		free(pages);
	}
	return 0;
}
