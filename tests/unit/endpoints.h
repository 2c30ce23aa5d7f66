/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_ENDPOINTS_H
#define TESTS_UNIT_ENDPOINTS_H

#include "tests/unit/tree.h"

/*
 * A platform with more to tell of its endpoints. Of its two segments the first has root ports
 * at 2.0 (buses 1 to 3, with a bridge at 1:4.0 before bus 2) and at 3.0 (bus 4). IOMMUs 0 and 1 are
 * SMMUv3s, 2 a virtio-iommu. Range 0 is for messages, 1 is memory.
 */
enum { STALLS, BEHIND_TWO, WITH_PASIDS, PLAIN, SECOND_SMMU, BEHIND_VIRTIO, SLOT };

static inline void fill_smmu(struct platform_iommu *smmu, gpa_t base, u32 spi)
{
	*smmu = (struct platform_iommu){ .kind = PLATFORM_IOMMU_SMMUV3,
		                         .base = base,
		                         .size = 0x20000,
		                         .eventq_spi = spi,
		                         .priq_spi = spi + 1,
		                         .sync_spi = spi + 2,
		                         .gerror_spi = spi + 3 };
}

static inline struct platform_endpoint function(unsigned int iommu, u32 id)
{
	return (struct platform_endpoint){
		.iommu = iommu, .id = id, .is_pci = true, .pci = id >> 16, .rid = id
	};
}

static inline void fill_endpoints(struct platform_endpoint *e)
{
	e[STALLS] = function(0, 0x8);
	e[BEHIND_TWO] = function(0, 0x200);
	e[WITH_PASIDS] = function(0, 0x401);
	e[PLAIN] = function(0, 0x400);
	e[SECOND_SMMU] = function(1, 0x10010);
	e[BEHIND_VIRTIO] = function(2, 0x10018);
	e[SLOT] = (struct platform_endpoint){ .id = 0x80000 };
	e[STALLS].can_stall = e[BEHIND_TWO].can_stall = e[SLOT].can_stall = true;
	e[WITH_PASIDS].pasid_bits = 20;
	e[SLOT].pasid_bits = 8;
	e[BEHIND_TWO].reserved = e[PLAIN].reserved = e[SECOND_SMMU].reserved = e[SLOT].reserved = 1;
	e[WITH_PASIDS].reserved = 3;
}

static inline struct platform with_endpoints(void)
{
	struct platform p = platform;

	p.nr_pci = 2;
	p.pci[1] = p.pci[0];
	p.pci[1].segment = 5;
	p.pci[1].ecam = 0x900000000;
	p.pci[1].last_bus = 31;
	p.nr_virtio_mmio = 1;
	p.virtio_mmio[0] = (struct platform_device){ 0x3000000, 0x200, 64 };
	p.nr_iommus = 3;
	fill_smmu(&p.iommus[0], 0x9000000, 96);
	fill_smmu(&p.iommus[1], 0x9020000, 100);
	p.iommus[2] = (struct platform_iommu){ .is_pci = true, .pci = 1, .rid = 0x20 };
	p.nr_endpoints = SLOT + 1;
	fill_endpoints(p.endpoints);
	p.nr_bridges = 3;
	p.bridges[0] = (struct platform_bridge){ 0, 0x120, 2, 2 };
	p.bridges[1] = (struct platform_bridge){ 0, 0x10, 1, 3 };
	p.bridges[2] = (struct platform_bridge){ 0, 0x18, 4, 4 };
	p.nr_reserved = 2;
	p.reserved[0] = (struct platform_reserved){ 0x8000000, 0x100000, PLATFORM_RESERVED_MSI };
	p.reserved[1] =
		(struct platform_reserved){ 0x810000000, 0x20000, PLATFORM_RESERVED_MEMORY };
	return p;
}

#endif
