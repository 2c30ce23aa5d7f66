// SPDX-License-Identifier: GPL-2.0-only
/* The IORT (Arm DEN0049; Linux, include/acpi/actbl2.h): ITS, SMMUv3s, PCI segments and platform
 * devices, whose IDs go where, and what DMA finds at its own address. */
#include <stdlib.h>
#include <string.h>

#include "acpi/map.h"

enum { ITS_GROUP, NAMED_COMPONENT, ROOT_COMPLEX, SMMUV3 = 4, RMR = 6 };
enum { MAPPING_SINGLE = 1 };
/* struct acpi_iort_smmu_v3: flags. */
enum { SMMU_COHACC = 1 << 0, SMMU_HTTU_SHIFT = 1, SMMU_DEVICEID_VALID = 1 << 4 };
/* struct acpi_iort_memory_access: coherent, as device attributes that are cacheable and inner
 * shareable, and (CANWBS) even where they are not. */
enum { MEMORY_CPM = 1 << 0, MEMORY_DACS = 1 << 1, MEMORY_CANWBS = 1 << 2 };
/* struct acpi_iort_named_component: flags. */
enum { NAMED_STALLS = 1 << 0, NAMED_PASID_SHIFT = 1 };
/* struct acpi_iort_root_complex: ats_attribute. */
enum { ROOT_ATS = 1 << 0, ROOT_PRI = 1 << 1, ROOT_PASIDS = 1 << 2 };
#define NODE_SIZE    16
#define MAPPING_SIZE 20

struct iort {
	struct out *o;
	const struct platform *p;
	size_t begin;
	u32 nr;
	u32 its; /* offsets in the table; 0: there is none */
	u32 smmus[PLATFORM_IOMMUS];
};

/* A node, to be ended; where it is in the table. */
static u32 node(struct iort *t, u8 type, u8 revision)
{
	const u32 at = t->o->used - t->begin;

	out8(t->o, type);
	out16(t->o, 0);
	out8(t->o, revision);
	out32(t->o, t->nr++);
	out32(t->o, 0);
	out32(t->o, 0);
	return at;
}

/* Behind what is the node's own come its mappings. */
static void begin_mappings(struct iort *t, u32 at)
{
	out_align(t->o, 4);
	out_set32(t->o, t->begin + at + 12, t->o->used - t->begin - at);
}

static void mapping(struct iort *t, u32 in, u32 nr, u32 out, u32 to, u32 flags)
{
	out32(t->o, in);
	out32(t->o, nr - 1);
	out32(t->o, out);
	out32(t->o, to);
	out32(t->o, flags);
}

static void end(struct iort *t, u32 at, u32 nr_mappings)
{
	const u32 len = t->o->used - t->begin - at;

	out_set16(t->o, t->begin + at + 1, len);
	out_set32(t->o, t->begin + at + 8, nr_mappings);
	if (!nr_mappings)
		out_set32(t->o, t->begin + at + 12, 0);
}

static void its_group(struct iort *t)
{
	if (!t->p->nr_msi_frames || t->p->msi_frames[0].kind != PLATFORM_MSI_ITS)
		return;
	t->its = node(t, ITS_GROUP, 1);
	out32(t->o, 1);
	out32(t->o, 0); /* the MADT's */
	end(t, t->its, 0);
}

/* Each stream's DeviceID, and the SMMU's own. */
static u32 smmu_mappings(struct iort *t, const struct platform_iommu *smmu)
{
	u32 nr = 0;

	if (!t->its)
		return 0;
	for (unsigned int segment = 0; segment < t->p->nr_pci; segment++) {
		struct map_run runs[MAP_RUNS];
		const unsigned int nr_runs = map_segment(t->p, segment, runs);

		for (unsigned int i = 0; i < nr_runs; i++) {
			if (runs[i].iommu != smmu)
				continue;
			mapping(t, runs[i].id, runs[i].nr,
			        t->p->pci[segment].devid_base + runs[i].rid, t->its, 0);
			nr++;
		}
	}
	if (smmu->sends_msis)
		mapping(t, 0, 1, smmu->devid, t->its, MAPPING_SINGLE);
	return nr + smmu->sends_msis;
}

static void smmu(struct iort *t, unsigned int i)
{
	const struct platform_iommu *s = &t->p->iommus[i];
	const u32 at = node(t, SMMUV3, 5);
	size_t index;
	u32 nr;

	t->smmus[i] = at;
	out64(t->o, s->base);
	out32(t->o, (s->noncoherent ? 0 : SMMU_COHACC) | s->httu << SMMU_HTTU_SHIFT |
	                    (s->sends_msis && t->its ? SMMU_DEVICEID_VALID : 0));
	out32(t->o, 0);
	out64(t->o, 0); /* no VATOS */
	out32(t->o, 0); /* generic */
	out32(t->o, gsi(s->eventq_spi));
	out32(t->o, gsi(s->priq_spi));
	out32(t->o, gsi(s->gerror_spi));
	out32(t->o, gsi(s->sync_spi));
	out32(t->o, 0);
	index = t->o->used;
	out32(t->o, 0);
	begin_mappings(t, at);
	nr = smmu_mappings(t, s);
	if (s->sends_msis && t->its)
		out_set32(t->o, index, nr - 1);
	end(t, at, nr);
}

static void memory_properties(struct out *o, bool coherent, bool canwbs)
{
	out32(o, coherent); /* CCA */
	out8(o, 0);
	out16(o, 0);
	out8(o, (coherent ? MEMORY_CPM | MEMORY_DACS : 0) | (canwbs ? MEMORY_CANWBS : 0));
}

/* Behind an SMMU, or straight to the ITS, which a virtio-iommu's endpoints are for this table, too.
 */
static u32 segment_mappings(struct iort *t, unsigned int segment)
{
	const struct platform_pci *pci = &t->p->pci[segment];
	struct map_run runs[MAP_RUNS];
	const unsigned int nr_runs = map_segment(t->p, segment, runs);
	u32 nr = 0;

	for (unsigned int i = 0; i < nr_runs; i++) {
		const struct map_run *r = &runs[i];
		const bool is_smmu = r->iommu && r->iommu->kind == PLATFORM_IOMMU_SMMUV3;

		if (is_smmu)
			mapping(t, r->rid, r->nr, r->id, t->smmus[r->index], 0);
		else if (t->its)
			mapping(t, r->rid, r->nr, pci->devid_base + r->rid, t->its, 0);
		else
			continue;
		nr++;
	}
	return nr;
}

static void root_complex(struct iort *t, unsigned int segment)
{
	const struct platform_pci *pci = &t->p->pci[segment];
	const u32 at = node(t, ROOT_COMPLEX, 3); /* iasl does not know of 4's flags */

	memory_properties(t->o, !pci->noncoherent, pci->canwbs);
	out32(t->o, (pci->ats ? ROOT_ATS : 0) | (pci->pri ? ROOT_PRI : 0) |
	                    (pci->pasid_bits ? ROOT_PASIDS : 0));
	out32(t->o, pci->segment);
	out8(t->o, 64); /* address bits */
	out16(t->o, pci->pasid_bits);
	out8(t->o, 0);
	begin_mappings(t, at);
	end(t, at, segment_mappings(t, segment));
}

/* A slot of virtio_mmio behind an SMMU, by its name in the DSDT: all four characters of each
 * segment. */
static void named_component(struct iort *t, const struct platform_endpoint *e)
{
	const u32 at = node(t, NAMED_COMPONENT, 4);

	out32(t->o, (e->can_stall ? NAMED_STALLS : 0) | e->pasid_bits << NAMED_PASID_SHIFT);
	memory_properties(t->o, true, false);
	out8(t->o, 64);
	out_text(t->o, "\\_SB_.", 6);
	out_text(t->o, acpi_name(NAME_SLOT, e->mmio).text, 5);
	out32(t->o, 0); /* needless padding, but where there is none iasl reads no further */
	begin_mappings(t, at);
	mapping(t, 0, 1, e->id, t->smmus[e->iommu], MAPPING_SINGLE);
	end(t, at, 1);
}

/* struct acpi_iort_rmr: flags; bits 9:2 are the attributes. */
enum { RMR_REMAP_PERMITTED = 1 << 0, RMR_DEVICE_NGNRE = 1 << 2, RMR_WRITE_BACK = 5 << 2 };
static const u32 rmr_flags[] = {
	[PLATFORM_RESERVED_MSI] = RMR_REMAP_PERMITTED | RMR_DEVICE_NGNRE,
	[PLATFORM_RESERVED_MEMORY] = RMR_WRITE_BACK,
};

static int by_id(const void *a, const void *b)
{
	const u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The StreamIDs, in order, that an SMMU knows those endpoints by for which the range is there. */
static unsigned int streams_of(const struct platform *p, unsigned int smmu, unsigned int range,
                               u32 *ids)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < p->nr_endpoints; i++)
		if (p->endpoints[i].iommu == smmu && p->endpoints[i].reserved >> range & 1)
			ids[nr++] = p->endpoints[i].id;
	qsort(ids, nr, sizeof(ids[0]), by_id);
	return nr;
}

/* A range of an SMMU's, and the streams for which it is there; those are what it puts out, and
 * nobody puts an ID in (iort_node_get_rmr_info()). */
static void rmr(struct iort *t, unsigned int smmu, unsigned int range)
{
	const struct platform_reserved *r = &t->p->reserved[range];
	u32 ids[PLATFORM_ENDPOINTS], at, nr_mappings = 0;
	const unsigned int nr = streams_of(t->p, smmu, range, ids);

	if (!nr)
		return;
	at = node(t, RMR, 3);
	out32(t->o, rmr_flags[r->kind]);
	out32(t->o, 1);
	out32(t->o, NODE_SIZE + 12); /* what follows */
	out64(t->o, r->base);
	out64(t->o, r->size);
	out32(t->o, 0);
	begin_mappings(t, at);
	for (unsigned int i = 0, run; i < nr; i += run, nr_mappings++) {
		for (run = 1; i + run < nr && ids[i + run] == ids[i] + run; run++)
			;
		mapping(t, i, run, ids[i], t->smmus[smmu], 0);
	}
	end(t, at, nr_mappings);
}

static void rmrs(struct iort *t)
{
	for (unsigned int i = 0; i < t->p->nr_iommus; i++)
		for (unsigned int r = 0; r < t->p->nr_reserved; r++)
			if (t->p->iommus[i].kind == PLATFORM_IOMMU_SMMUV3)
				rmr(t, i, r);
}

bool acpi_iort(struct out *o, const struct platform *p)
{
	struct iort t = { .o = o, .p = p, .begin = table_begin(o, "IORT", 6) };

	out32(o, 0);
	out32(o, 48);
	out32(o, 0);
	its_group(&t);
	for (unsigned int i = 0; i < p->nr_iommus; i++)
		if (p->iommus[i].kind == PLATFORM_IOMMU_SMMUV3)
			smmu(&t, i);
	for (unsigned int i = 0; i < p->nr_pci; i++)
		root_complex(&t, i);
	for (unsigned int i = 0; i < p->nr_endpoints; i++)
		if (!p->endpoints[i].is_pci &&
		    p->iommus[p->endpoints[i].iommu].kind == PLATFORM_IOMMU_SMMUV3)
			named_component(&t, &p->endpoints[i]);
	rmrs(&t);
	out_set32(o, t.begin + 36, t.nr);
	table_end(o, t.begin);
	return true;
}
