/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FDT_PRIVATE_H
#define FDT_PRIVATE_H

#include <libfdt.h>
#include <stddef.h>

#include "vmm/platform.h"

/* What the files that print the tree share: words of the tree, and parts of it. */

enum { PHANDLE_GIC = 1, PHANDLE_MSI, PHANDLE_CLOCK, PHANDLE_GPIO, PHANDLE_IOMMU0 };
#define PHANDLE_RESERVED0 (PHANDLE_IOMMU0 + PLATFORM_IOMMUS)
/* What no other cell of iommu-addresses is, which half of an address of whole pages may be: to find
 * a device, Linux looks at each cell of the others (of_iommu_get_resv_regions()). */
#define PHANDLE_ENDPOINT0 0x10000001

/* The interrupt specifier of the GIC: kind, number, trigger. */
enum { GIC_SPI, GIC_PPI };
enum { IRQ_EDGE = 1, IRQ_LEVEL_HIGH = 4, IRQ_LEVEL_LOW = 8 };

/* A property of cells, given as u32s: FDT_CELLS at most, which iommu-addresses has for all
 * endpoints. */
#define FDT_CELLS (6 * PLATFORM_ENDPOINTS)
void fdt_prop_cells(void *fdt, const char *name, const u32 *cells, size_t nr);
#define CELLS(fdt, name, ...)                                   \
	fdt_prop_cells(fdt, name, (const u32[]){ __VA_ARGS__ }, \
	               sizeof((const u32[]){ __VA_ARGS__ }) / sizeof(u32))

/* A property that is there or not. */
static inline void fdt_prop_flag(void *fdt, const char *name, bool is)
{
	if (is)
		fdt_property(fdt, name, NULL, 0);
}

#define HI(v)           ((u32)((u64)(v) >> 32))
#define LO(v)           ((u32)(v))
#define REG(base, size) HI(base), LO(base), HI(size), LO(size)

/* A node NAME@UNIT, to be ended. */
void fdt_begin_at(void *fdt, const char *name, u64 unit);

/* iommu.c: SMMUs; within its node, what a slot of virtio_mmio or a segment has of IOMMUs. */
void fdt_smmus(void *fdt, const struct platform *p);
void fdt_slot_iommu(void *fdt, const struct platform *p, unsigned int slot);
void fdt_segment_iommus(void *fdt, const struct platform *p, unsigned int segment);

/* The pins of devices on a bus, each wired @shift further than those of a root bus. */
void fdt_interrupt_map(void *fdt, const struct platform_pci *pci, u32 shift);

/* functions.c: functions of which there is more to tell, and the bridges on the way to them. */
void fdt_functions(void *fdt, const struct platform *p, unsigned int segment);

/* reserved.c: ranges that DMA finds at their own addresses; and within its node, what an endpoint
 * has of such and can do. */
void fdt_reserved(void *fdt, const struct platform *p);
void fdt_endpoint(void *fdt, const struct platform *p, unsigned int endpoint);

#endif
