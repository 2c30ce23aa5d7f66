// SPDX-License-Identifier: GPL-2.0-only
/* What each way to show a machine asks of it. */
#include "topology/topology.h"

#include <string.h>

#include "topology/private.h"

const struct topology_format *topology_find(const char *name)
{
	static const struct topology_format formats[] = {
		{ "text", topology_text },
		{ "json", topology_json },
		{ "dot", topology_dot },
	};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

const struct platform_function *topology_next(const struct platform *p, unsigned int pci, u8 bus,
                                              const struct platform_function *last)
{
	const struct platform_function *best = NULL;

	for (unsigned int i = 0; i < p->nr_functions; i++) {
		const struct platform_function *f = &p->functions[i];

		if (f->is_pci && f->pci == pci && f->rid >> 8 == bus &&
		    (!last || f->rid > last->rid) && (!best || f->rid < best->rid))
			best = f;
	}
	return best;
}

const struct platform_endpoint *topology_endpoint(const struct platform *p,
                                                  const struct platform_function *f)
{
	for (unsigned int i = 0; i < p->nr_endpoints; i++) {
		const struct platform_endpoint *e = &p->endpoints[i];

		if (e->is_pci == f->is_pci &&
		    (f->is_pci ? e->pci == f->pci && e->rid == f->rid : e->mmio == f->mmio))
			return e;
	}
	return NULL;
}

const struct platform_iommu *topology_iommu(const struct platform *p,
                                            const struct platform_function *f)
{
	for (unsigned int n = 0; n < p->nr_iommus; n++) {
		const struct platform_iommu *i = &p->iommus[n];

		if (i->kind == PLATFORM_IOMMU_VIRTIO && i->is_pci == f->is_pci &&
		    (f->is_pci ? i->pci == f->pci && i->rid == f->rid : i->mmio == f->mmio))
			return i;
	}
	return NULL;
}

const char *topology_id_name(const struct platform_iommu *i)
{
	return i->kind == PLATFORM_IOMMU_SMMUV3 ? "StreamID" : "endpoint";
}

const char *topology_kind(const struct platform_iommu *i)
{
	return i->kind == PLATFORM_IOMMU_SMMUV3 ? "smmuv3" : "virtio-iommu";
}

void topology_unmappable(const struct platform_iommu *i, const char *before, const char *after,
                         FILE *to)
{
	for (unsigned int r = 0; r < i->nr_unmappable; r++)
		fprintf(to, "%s0x%llx-0x%llx: %s%s", before, ull(i->unmappable[r].first),
		        ull(i->unmappable[r].last),
		        i->unmappable[r].is_msi ? "messages, untranslated" : "reserved", after);
}

const char *topology_reserved(const struct platform_reserved *r)
{
	return r->kind == PLATFORM_RESERVED_MSI ? "doorbells" : "memory";
}

u32 topology_devid(const struct platform *p, unsigned int pci, u16 rid)
{
	return p->pci[pci].devid_base + rid;
}

bool topology_has_its(const struct platform *p)
{
	return p->nr_msi_frames && p->msi_frames[0].kind == PLATFORM_MSI_ITS;
}

u8 topology_bus_behind(const struct platform *p, const struct platform_function *f)
{
	for (unsigned int i = 0; i < p->nr_bridges; i++)
		if (f->is_pci && p->bridges[i].pci == f->pci && p->bridges[i].rid == f->rid)
			return p->bridges[i].secondary;
	return 0;
}

void topology_place(const struct platform *p, const struct platform_function *f, char *text)
{
	if (f->is_pci)
		snprintf(text, TOPOLOGY_PLACE, "%04x:%02x:%02x.%x", p->pci[f->pci].segment,
		         f->rid >> 8, f->rid >> 3 & 0x1f, f->rid & 7);
	else
		snprintf(text, TOPOLOGY_PLACE, "0x%llx",
		         (unsigned long long)p->virtio_mmio[f->mmio].base);
}
