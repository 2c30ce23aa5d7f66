/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FDT_PRIVATE_H
#define FDT_PRIVATE_H

#include <stddef.h>

#include "vmm/types.h"

/* What the files that print the tree share: words of the tree, and parts of it. */
struct platform;

enum { PHANDLE_GIC = 1, PHANDLE_MSI, PHANDLE_CLOCK, PHANDLE_GPIO, PHANDLE_IOMMU0 };

/* The interrupt specifier of the GIC: kind, number, trigger. */
enum { GIC_SPI, GIC_PPI };
enum { IRQ_EDGE = 1, IRQ_LEVEL_HIGH = 4, IRQ_LEVEL_LOW = 8 };

/* A property of cells, given as u32s. */
void fdt_prop_cells(void *fdt, const char *name, const u32 *cells, size_t nr);
#define CELLS(fdt, name, ...)                                   \
	fdt_prop_cells(fdt, name, (const u32[]){ __VA_ARGS__ }, \
	               sizeof((const u32[]){ __VA_ARGS__ }) / sizeof(u32))

#define HI(v)           ((u32)((u64)(v) >> 32))
#define LO(v)           ((u32)(v))
#define REG(base, size) HI(base), LO(base), HI(size), LO(size)

/* A node NAME@UNIT, to be ended. */
void fdt_begin_at(void *fdt, const char *name, u64 unit);

/* iommu.c: SMMUs; within its node, what a slot of virtio_mmio or a segment has of IOMMUs. */
void fdt_smmus(void *fdt, const struct platform *p);
void fdt_slot_iommu(void *fdt, const struct platform *p, unsigned int slot);
void fdt_segment_iommus(void *fdt, const struct platform *p, unsigned int segment);

#endif
