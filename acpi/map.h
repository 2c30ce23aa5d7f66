/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACPI_MAP_H
#define ACPI_MAP_H

#include "acpi/private.h"

/* What of a segment is behind which IOMMU, in ranges: what IORT and VIOT both tell. */
struct map_run {
	u32 rid, nr;
	const struct platform_iommu *iommu; /* NULL: behind none */
	unsigned int index;                 /* of the IOMMU */
	u32 id;                             /* by which it knows @rid; the next ones follow */
};

/*
 * The ranges of a segment in the order of their requester IDs, without a gap. @runs has room for
 * MAP_RUNS. Returns how many there are.
 */
#define MAP_RUNS (2 * PLATFORM_ENDPOINTS + 1)
unsigned int map_segment(const struct platform *p, unsigned int segment, struct map_run *runs);

#endif
