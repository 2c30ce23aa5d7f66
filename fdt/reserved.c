// SPDX-License-Identifier: GPL-2.0-only
/* Ranges of addresses that DMA finds at themselves, as a device tree has it (dt-schema,
 * reserved-memory.yaml; Linux, of_iommu_get_resv_regions()), and what their endpoints can do. */
#include "fdt/private.h"

/* A range at which a device's DMA is, in the words of the bus that it is on: for PCI that begins
 * with the space, memory (IEEE 1275 PCI binding). */
static u32 address(const struct platform_endpoint *e, const struct platform_reserved *r, u32 *cells)
{
	u32 nr = 0;

	if (e->is_pci)
		cells[nr++] = 0x02000000;
	cells[nr++] = HI(r->base);
	cells[nr++] = LO(r->base);
	cells[nr++] = HI(r->size);
	cells[nr++] = LO(r->size);
	return nr;
}

static void iommu_addresses(void *fdt, const struct platform *p, unsigned int range)
{
	u32 cells[FDT_CELLS], nr = 0;

	for (unsigned int i = 0; i < p->nr_endpoints; i++) {
		if (!(p->endpoints[i].reserved >> range & 1))
			continue;
		cells[nr++] = PHANDLE_ENDPOINT0 + i;
		nr += address(&p->endpoints[i], &p->reserved[range], &cells[nr]);
	}
	if (nr)
		fdt_prop_cells(fdt, "iommu-addresses", cells, nr);
}

/* The same range as reg and for a device: it is mapped there. */
void fdt_reserved(void *fdt, const struct platform *p)
{
	static const char *const names[] = {
		[PLATFORM_RESERVED_MSI] = "msi",
		[PLATFORM_RESERVED_MEMORY] = "memory",
	};

	if (!p->nr_reserved)
		return;
	fdt_begin_node(fdt, "reserved-memory");
	fdt_property_u32(fdt, "#address-cells", 2);
	fdt_property_u32(fdt, "#size-cells", 2);
	fdt_property(fdt, "ranges", NULL, 0);
	for (unsigned int i = 0; i < p->nr_reserved; i++) {
		const struct platform_reserved *r = &p->reserved[i];

		fdt_begin_at(fdt, names[r->kind], r->base);
		CELLS(fdt, "reg", REG(r->base, r->size));
		fdt_property(fdt, "no-map", NULL, 0);
		iommu_addresses(fdt, p, i);
		fdt_property_u32(fdt, "phandle", PHANDLE_RESERVED0 + i);
		fdt_end_node(fdt);
	}
	fdt_end_node(fdt);
}

void fdt_endpoint(void *fdt, const struct platform *p, unsigned int endpoint)
{
	const struct platform_endpoint *e = &p->endpoints[endpoint];
	u32 ranges[PLATFORM_RESERVED], nr = 0;

	fdt_prop_flag(fdt, "dma-can-stall", e->can_stall);
	if (e->pasid_bits)
		fdt_property_u32(fdt, "pasid-num-bits", e->pasid_bits);
	for (unsigned int i = 0; i < p->nr_reserved; i++)
		if (e->reserved >> i & 1)
			ranges[nr++] = PHANDLE_RESERVED0 + i;
	if (!nr)
		return;
	fdt_prop_cells(fdt, "memory-region", ranges, nr);
	fdt_property_u32(fdt, "phandle", PHANDLE_ENDPOINT0 + endpoint);
}
