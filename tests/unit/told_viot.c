// SPDX-License-Identifier: GPL-2.0-only
/* The VIOT read as drivers/acpi/viot.c of Linux 7.2 reads it; the fields are those of ACPICA's
 * actbl3.h. */
#include "tests/unit/told_private.h"

/* struct acpi_viot_header: type, length (2). */
enum { PCI_RANGE = 1, MMIO_ENDPOINT, VIOMMU_PCI, VIOMMU_MMIO };

static u32 viot(struct told_tables *t, u32 node, u32 field, unsigned int len)
{
	return told_get(t, t->viot, node + field, len);
}

static u32 next_viot(struct told_tables *t, u32 node, u32 *left)
{
	static const u32 least[] = { 0, 24, 24, 16, 16 };
	u32 length, type;

	if (!node) {
		*left = t->viot ? told_get(t, t->viot, 36, 2) : 0;
		node = *left ? told_get(t, t->viot, 38, 2) : 0;
	} else {
		node += viot(t, node, 2, 2);
	}
	if (!*left || t->broken)
		return 0;
	length = viot(t, node, 2, 2);
	type = viot(t, node, 0, 1);
	if (!type || type >= ARRAY_SIZE(least) || length < least[type])
		told_broken(t, "a VIOT node is of no known type, or too short");
	--*left;
	return t->broken ? 0 : node;
}

static struct told viommu(struct told_tables *t, u32 output, u32 id)
{
	u32 left, node = 0;

	while ((node = next_viot(t, node, &left)) && node != output)
		;
	if (node && viot(t, node, 0, 1) == VIOMMU_PCI)
		return (struct told){ TOLD_VIOMMU_PCI, .segment = viot(t, node, 4, 2),
			              .rid = viot(t, node, 6, 2), .id = id };
	if (node && viot(t, node, 0, 1) == VIOMMU_MMIO)
		return (struct told){ TOLD_VIOMMU_MMIO, .base = told_get(t, t->viot, node + 8, 8),
			              .id = id };
	told_broken(t, "a VIOT endpoint is behind no virtio-iommu");
	return (struct told){ 0 };
}

static bool has_segment(struct told_tables *t, u32 range, u32 segment)
{
	return viot(t, range, 0, 1) == PCI_RANGE && segment >= viot(t, range, 8, 2) &&
	       segment <= viot(t, range, 10, 2);
}

/* viot_pci_dev_iommu_init(), and viot_dev_iommu_init(): none translates itself. */
struct told viot_function(struct told_tables *t, u32 segment, u16 rid)
{
	struct told by = { 0 };
	u32 left, node = 0;

	while ((node = next_viot(t, node, &left))) {
		const u32 first = viot(t, node, 12, 2);
		u32 id;

		if (!has_segment(t, node, segment) || rid < first || rid > viot(t, node, 14, 2))
			continue;
		id = (segment - viot(t, node, 8, 2)) << 16;
		by = viommu(t, viot(t, node, 16, 2), id + rid - first + viot(t, node, 4, 4));
	}
	if (by.kind == TOLD_VIOMMU_PCI && by.segment == segment && by.rid == rid)
		told_broken(t, "a virtio-iommu is behind itself");
	return by;
}

struct told viot_slot(struct told_tables *t, u64 base)
{
	struct told by = { 0 };
	u32 left, node = 0;

	while ((node = next_viot(t, node, &left))) {
		if (viot(t, node, 0, 1) != MMIO_ENDPOINT ||
		    told_get(t, t->viot, node + 8, 8) != base)
			continue;
		if (by.kind)
			told_broken(t, "a slot has two VIOT nodes");
		by = viommu(t, viot(t, node, 16, 2), viot(t, node, 4, 4));
	}
	return by;
}

static void expect_alone(struct told_tables *t, u32 range, u32 segment)
{
	u32 left, node = 0;

	while ((node = next_viot(t, node, &left)) && node != range)
		if (has_segment(t, node, segment) &&
		    viot(t, node, 12, 2) <= viot(t, range, 14, 2) &&
		    viot(t, range, 12, 2) <= viot(t, node, 14, 2))
			told_broken(t, "two VIOT ranges overlap");
}

u64 viot_covered(struct told_tables *t, u32 segment)
{
	u32 left, node = 0;
	u64 covered = 0;

	while ((node = next_viot(t, node, &left))) {
		if (!has_segment(t, node, segment))
			continue;
		expect_alone(t, node, segment);
		covered += viot(t, node, 14, 2) - viot(t, node, 12, 2) + 1;
	}
	return covered;
}
