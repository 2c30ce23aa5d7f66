// SPDX-License-Identifier: GPL-2.0-only
/* The VIOT: virtio-iommus and their endpoints (Linux, include/acpi/actbl3.h). */
#include "acpi/map.h"

enum { PCI_RANGE = 1, MMIO_ENDPOINT, IOMMU_PCI, IOMMU_MMIO };

struct viot {
	struct out *o;
	const struct platform *p;
	size_t begin;
	u16 nr;
	u16 iommus[PLATFORM_IOMMUS]; /* offsets in the table; 0: an SMMU's */
};

static void node(struct viot *t, u8 type, u16 len)
{
	out8(t->o, type);
	out8(t->o, 0);
	out16(t->o, len);
	t->nr++;
}

static void iommu(struct viot *t, unsigned int i)
{
	const struct platform_iommu *v = &t->p->iommus[i];

	if (v->kind != PLATFORM_IOMMU_VIRTIO)
		return;
	t->iommus[i] = t->o->used - t->begin;
	if (v->is_pci) {
		node(t, IOMMU_PCI, 16);
		out16(t->o, t->p->pci[v->pci].segment);
		out16(t->o, v->rid);
		out64(t->o, 0);
	} else {
		node(t, IOMMU_MMIO, 16);
		out32(t->o, 0);
		out64(t->o, t->p->virtio_mmio[v->mmio].base);
	}
}

static void output(struct viot *t, unsigned int i)
{
	out16(t->o, t->iommus[i]);
	out_zeros(t->o, 6);
}

static void ranges(struct viot *t, unsigned int segment)
{
	const u16 number = t->p->pci[segment].segment;
	struct map_run runs[MAP_RUNS];
	const unsigned int nr = map_segment(t->p, segment, runs);

	for (unsigned int i = 0; i < nr; i++) {
		if (!runs[i].iommu || !t->iommus[runs[i].index])
			continue;
		node(t, PCI_RANGE, 24);
		out32(t->o, runs[i].id);
		out16(t->o, number);
		out16(t->o, number);
		out16(t->o, runs[i].rid);
		out16(t->o, runs[i].rid + runs[i].nr - 1);
		output(t, runs[i].index);
	}
}

static void slot(struct viot *t, const struct platform_endpoint *e)
{
	if (e->is_pci || !t->iommus[e->iommu])
		return;
	node(t, MMIO_ENDPOINT, 24);
	out32(t->o, e->id);
	out64(t->o, t->p->virtio_mmio[e->mmio].base);
	output(t, e->iommu);
}

static bool has_virtio_iommu(const struct platform *p)
{
	for (unsigned int i = 0; i < p->nr_iommus; i++)
		if (p->iommus[i].kind == PLATFORM_IOMMU_VIRTIO)
			return true;
	return false;
}

bool acpi_viot(struct out *o, const struct platform *p)
{
	struct viot t = { .o = o, .p = p };

	if (!has_virtio_iommu(p))
		return false;
	t.begin = table_begin(o, "VIOT", 0);
	out16(o, 0);
	out16(o, 48);
	out64(o, 0);
	for (unsigned int i = 0; i < p->nr_iommus; i++)
		iommu(&t, i);
	for (unsigned int i = 0; i < p->nr_pci; i++)
		ranges(&t, i);
	for (unsigned int i = 0; i < p->nr_endpoints; i++)
		slot(&t, &p->endpoints[i]);
	out_set16(o, t.begin + 36, t.nr);
	table_end(o, t.begin);
	return true;
}
