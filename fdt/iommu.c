// SPDX-License-Identifier: GPL-2.0-only
/* IOMMUs, and which devices are behind them, as a device tree has it. */
#include <libfdt.h>
#include <stdio.h>

#include "fdt/private.h"
#include "vmm/platform.h"

/* An IOMMU's own part of its node. */
static void iommu_properties(void *fdt, unsigned int i)
{
	fdt_property_u32(fdt, "#iommu-cells", 1);
	fdt_property_u32(fdt, "phandle", PHANDLE_IOMMU0 + i);
}

static bool is_slot(const struct platform_iommu *iommu)
{
	return iommu->kind == PLATFORM_IOMMU_VIRTIO && !iommu->is_pci;
}

/* The slot is an IOMMU, or behind one. */
void fdt_slot_iommu(void *fdt, const struct platform *p, unsigned int slot)
{
	for (unsigned int i = 0; i < p->nr_iommus; i++)
		if (is_slot(&p->iommus[i]) && p->iommus[i].mmio == slot)
			iommu_properties(fdt, i);
	for (unsigned int i = 0; i < p->nr_endpoints; i++) {
		const struct platform_endpoint *e = &p->endpoints[i];

		if (e->is_pci || e->mmio != slot)
			continue;
		CELLS(fdt, "iommus", PHANDLE_IOMMU0 + e->iommu, e->id);
		fdt_endpoint(fdt, p, i);
	}
}

/* arm,smmu-v3.yaml; its messages, where it sends some, are by a DeviceID of its own. */
static void smmu(void *fdt, unsigned int i, const struct platform_iommu *iommu)
{
	static const char names[] = "eventq\0gerror\0priq\0cmdq-sync";

	fdt_begin_at(fdt, "iommu", iommu->base);
	fdt_property_string(fdt, "compatible", "arm,smmu-v3");
	CELLS(fdt, "reg", REG(iommu->base, iommu->size));
	CELLS(fdt, "interrupts", GIC_SPI, iommu->eventq_spi, IRQ_EDGE, GIC_SPI, iommu->gerror_spi,
	      IRQ_EDGE, GIC_SPI, iommu->priq_spi, IRQ_EDGE, GIC_SPI, iommu->sync_spi, IRQ_EDGE);
	fdt_property(fdt, "interrupt-names", names, sizeof(names));
	if (iommu->sends_msis)
		CELLS(fdt, "msi-parent", PHANDLE_MSI, iommu->devid);
	fdt_prop_flag(fdt, "dma-coherent", !iommu->noncoherent);
	iommu_properties(fdt, i);
	fdt_end_node(fdt);
}

void fdt_smmus(void *fdt, const struct platform *p)
{
	for (unsigned int i = 0; i < p->nr_iommus; i++)
		if (p->iommus[i].kind == PLATFORM_IOMMU_SMMUV3)
			smmu(fdt, i, &p->iommus[i]);
}

/* Whom a segment's requester IDs are behind; those that have no row are behind nothing. */
static void iommu_map(void *fdt, const struct platform *p, unsigned int segment)
{
	u32 cells[4 * PLATFORM_ENDPOINTS], nr = 0;

	for (unsigned int i = 0; i < p->nr_endpoints; i++) {
		const struct platform_endpoint *e = &p->endpoints[i];

		if (!e->is_pci || e->pci != segment)
			continue;
		cells[nr++] = e->rid;
		cells[nr++] = PHANDLE_IOMMU0 + e->iommu;
		cells[nr++] = e->id;
		cells[nr++] = 1;
	}
	if (nr)
		fdt_prop_cells(fdt, "iommu-map", cells, nr);
}

/* virtio,pci-iommu.yaml: the function, as others refer to it. */
static void pci_iommu(void *fdt, unsigned int i, const struct platform_iommu *iommu)
{
	static const char compatible[] = "virtio,pci-iommu\0pci1af4,1057";
	char name[32];

	snprintf(name, sizeof(name), "iommu@%x,%x", iommu->rid >> 3 & 31, iommu->rid & 7);
	fdt_begin_node(fdt, name);
	fdt_property(fdt, "compatible", compatible, sizeof(compatible));
	CELLS(fdt, "reg", iommu->rid << 8, 0, 0, 0, 0);
	iommu_properties(fdt, i);
	fdt_end_node(fdt);
}

void fdt_segment_iommus(void *fdt, const struct platform *p, unsigned int segment)
{
	iommu_map(fdt, p, segment);
	for (unsigned int i = 0; i < p->nr_iommus; i++)
		if (p->iommus[i].is_pci && p->iommus[i].pci == segment)
			pci_iommu(fdt, i, &p->iommus[i]);
}
