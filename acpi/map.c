// SPDX-License-Identifier: GPL-2.0-only
/* Requester IDs in ranges that are behind the same. */
#include "acpi/map.h"

#include <stdlib.h>

static int by_rid(const void *a, const void *b)
{
	const struct map_run *x = a, *y = b;

	return x->rid < y->rid ? -1 : x->rid > y->rid;
}

/* Those that the platform has: one a function. */
static unsigned int functions(const struct platform *p, unsigned int segment, struct map_run *runs)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < p->nr_endpoints; i++) {
		const struct platform_endpoint *e = &p->endpoints[i];

		if (e->is_pci && e->pci == segment)
			runs[nr++] = (struct map_run){
				.rid = e->rid,
				.nr = 1,
				.iommu = &p->iommus[e->iommu],
				.index = e->iommu,
				.id = e->id,
			};
	}
	qsort(runs, nr, sizeof(runs[0]), by_rid);
	return nr;
}

static bool follows(const struct map_run *last, const struct map_run *next)
{
	return last->rid + last->nr == next->rid && last->iommu == next->iommu &&
	       (!next->iommu || last->id + last->nr == next->id);
}

static unsigned int append(struct map_run *runs, unsigned int nr, const struct map_run *next)
{
	if (!next->nr)
		return nr;
	if (nr && follows(&runs[nr - 1], next)) {
		runs[nr - 1].nr += next->nr;
		return nr;
	}
	runs[nr] = *next;
	return nr + 1;
}

unsigned int map_segment(const struct platform *p, unsigned int segment, struct map_run *runs)
{
	const u32 end = (p->pci[segment].last_bus + 1u) << 8;
	struct map_run all[PLATFORM_ENDPOINTS];
	const unsigned int nr_all = functions(p, segment, all);
	unsigned int nr = 0;
	u32 rid = 0;

	for (unsigned int i = 0; i < nr_all; i++) {
		const struct map_run gap = { .rid = rid, .nr = all[i].rid - rid };

		nr = append(runs, nr, &gap);
		nr = append(runs, nr, &all[i]);
		rid = all[i].rid + 1;
	}
	return append(runs, nr, &(struct map_run){ .rid = rid, .nr = end - rid });
}
