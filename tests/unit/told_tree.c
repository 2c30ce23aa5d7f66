// SPDX-License-Identifier: GPL-2.0-only
/* A device tree read as Linux 7.2 reads it: of_map_id() of drivers/of/base.c, of drivers/iommu/
 * of_iommu.c and drivers/of/irq.c what they ask it for, and the PCI bus binding. */
#include <libfdt.h>
#include <string.h>

#include "tests/unit/told_private.h"

/* A property of whole cells, *nr of them; NULL: there is none. */
static const fdt32_t *cells_of(struct told_tables *t, int node, const char *name, int *nr)
{
	int len;
	const fdt32_t *cells = fdt_getprop(t->tree, node, name, &len);

	*nr = cells ? len / 4 : 0;
	if (cells && len % 4)
		told_broken(t, "a property is not of whole cells");
	return cells;
}

/* of_property_read_u32() */
static bool read_cell(struct told_tables *t, int node, const char *name, u32 *val)
{
	int nr;
	const fdt32_t *cells = cells_of(t, node, name, &nr);

	if (nr)
		*val = fdt32_ld(cells);
	return nr;
}

static bool is(struct told_tables *t, int node, const char *compatible)
{
	return !fdt_node_check_compatible(t->tree, node, compatible);
}

/* The first register, as the CPU sees it: buses here translate nothing. */
static u64 base_of(struct told_tables *t, int node)
{
	int nr, len, parent = fdt_parent_offset(t->tree, node);
	const fdt32_t *reg = cells_of(t, node, "reg", &nr);

	if (fdt_address_cells(t->tree, parent) != 2 || nr < 2) {
		told_broken(t, "a node's address is not of two cells");
		return 0;
	}
	if (parent && (!fdt_getprop(t->tree, parent, "ranges", &len) || len))
		told_broken(t, "a node is on a bus that translates");
	return (u64)fdt32_ld(reg) << 32 | fdt32_ld(reg + 1);
}

static bool is_pci(struct told_tables *t, int node)
{
	const char *type = fdt_getprop(t->tree, node, "device_type", NULL);

	return type && !strcmp(type, "pci");
}

/* The host bridge whose linux,pci-domain it is; -1: none. A bridge below one is a function. */
static int bridge_of(struct told_tables *t, u32 segment)
{
	int found = -1;
	u32 domain;

	for (int node = 0; node >= 0; node = fdt_next_node(t->tree, node, NULL)) {
		if (!is_pci(t, node) || is_pci(t, fdt_parent_offset(t->tree, node)))
			continue;
		if (!read_cell(t, node, "linux,pci-domain", &domain))
			told_broken(t, "a host bridge has no domain");
		else if (domain == segment && found >= 0)
			told_broken(t, "two host bridges have the same domain");
		else if (domain == segment)
			found = node;
	}
	if (found < 0)
		told_broken(t, "a segment has no host bridge");
	return found;
}

static int slot_of(struct told_tables *t, u64 base)
{
	int found = -1, node = -1;

	while ((node = fdt_node_offset_by_compatible(t->tree, node, "virtio,mmio")) >= 0)
		if (base_of(t, node) == base)
			found = node;
	if (found < 0)
		told_broken(t, "a slot has no node");
	return found;
}

/* A row of a map: a first ID, a phandle, as many cells as that node says, how many IDs. */
struct row {
	u32 first, nr, out;
	int node;
};

/* The row at cell *at, moved to the next one. False: there is no more. */
static bool next_row(struct told_tables *t, int bridge, const char *map, const char *cells_name,
                     int *at, struct row *row)
{
	int nr;
	const fdt32_t *cells = cells_of(t, bridge, map, &nr);
	u32 wide = 1;

	if (*at == nr || t->broken)
		return false;
	if (nr - *at < 4) {
		told_broken(t, "a map ends within a row");
		return false;
	}
	row->first = fdt32_ld(cells + *at);
	row->node = fdt_node_offset_by_phandle(t->tree, fdt32_ld(cells + *at + 1));
	if (row->node < 0 || !read_cell(t, row->node, cells_name, &wide) || wide != 1) {
		told_broken(t, "a map's row leads to no node that takes one cell");
		return false;
	}
	row->out = fdt32_ld(cells + *at + 2);
	row->nr = fdt32_ld(cells + *at + 3);
	*at += 4;
	return true;
}

/* of_map_id(): the first row that has it. The node, or -1. */
static int map_id(struct told_tables *t, int bridge, const char *map, const char *cells_name,
                  u32 *id)
{
	char mask_name[32];
	u32 mask = ~0u;
	struct row row;
	int at = 0;

	strcat(strcpy(mask_name, map), "-mask");
	read_cell(t, bridge, mask_name, &mask);
	while (next_row(t, bridge, map, cells_name, &at, &row)) {
		if (row.first & ~mask)
			told_broken(t, "a map's mask cuts off a row");
		if ((*id & mask) - row.first >= row.nr)
			continue;
		*id = row.out + ((*id & mask) - row.first);
		return row.node;
	}
	return -1;
}

/* Its function: a child of a host bridge, with phys.hi of the PCI bus binding. */
static struct told viommu_function(struct told_tables *t, int node, u32 id)
{
	struct told by = { TOLD_VIOMMU_PCI, .id = id };
	int nr;
	const fdt32_t *reg = cells_of(t, node, "reg", &nr);

	if (nr != 5 || fdt32_ld(reg) & ~0xffff00u)
		told_broken(t, "a function's node has no place in configuration space");
	else
		by.rid = fdt32_ld(reg) >> 8;
	if (!read_cell(t, fdt_parent_offset(t->tree, node), "linux,pci-domain", &by.segment))
		told_broken(t, "a function's node is on no host bridge");
	return by;
}

static struct told iommu(struct told_tables *t, int node, u32 id)
{
	u32 cells;

	if (node < 0)
		return (struct told){ 0 };
	if (!read_cell(t, node, "#iommu-cells", &cells) || cells != 1)
		told_broken(t, "an IOMMU's node is none: it has no #iommu-cells of 1");
	if (fdt_getprop(t->tree, node, "status", NULL))
		told_broken(t, "an IOMMU's node has a status");
	if (is(t, node, "arm,smmu-v3"))
		return (struct told){ TOLD_SMMU, .base = base_of(t, node), .id = id };
	if (is(t, node, "virtio,mmio"))
		return (struct told){ TOLD_VIOMMU_MMIO, .base = base_of(t, node), .id = id };
	if (!is(t, node, "pci1af4,1057"))
		told_broken(t, "an iommu-map leads to no IOMMU");
	return viommu_function(t, node, id);
}

static struct told msi_controller(struct told_tables *t, int node, u32 id)
{
	if (node < 0 || !is(t, node, "arm,gic-v3-its"))
		return (struct told){ 0 };
	return (struct told){ TOLD_ITS, .base = base_of(t, node), .id = id };
}

struct told tree_function(struct told_tables *t, u32 segment, u16 rid)
{
	u32 id = rid;
	const int bridge = bridge_of(t, segment);
	const int node = map_id(t, bridge, "iommu-map", "#iommu-cells", &id);

	return iommu(t, node, id);
}

struct told tree_function_msi(struct told_tables *t, u32 segment, u16 rid)
{
	u32 id = rid;
	const int bridge = bridge_of(t, segment);
	const int node = map_id(t, bridge, "msi-map", "#msi-cells", &id);

	return msi_controller(t, node, id);
}

/* A list of one phandle with one cell, where it is. The node, or -1. */
static int phandle_and_cell(struct told_tables *t, int node, const char *name, u32 *cell)
{
	int nr;
	const fdt32_t *cells = cells_of(t, node, name, &nr);

	if (!cells)
		return -1;
	if (nr != 2) {
		told_broken(t, "a list is not of one phandle and its cell");
		return -1;
	}
	*cell = fdt32_ld(cells + 1);
	node = fdt_node_offset_by_phandle(t->tree, fdt32_ld(cells));
	if (node < 0)
		told_broken(t, "a phandle is nobody's");
	return node;
}

struct told tree_slot(struct told_tables *t, u64 base)
{
	const int slot = slot_of(t, base);
	u32 id = 0;
	const int node = phandle_and_cell(t, slot, "iommus", &id);

	return iommu(t, node, id);
}

struct told tree_smmu_msi(struct told_tables *t, u64 base)
{
	int node = -1;
	u32 id = 0;

	do
		node = fdt_node_offset_by_compatible(t->tree, node, "arm,smmu-v3");
	while (node >= 0 && base_of(t, node) != base);
	if (node < 0)
		told_broken(t, "an SMMU has no node");
	node = phandle_and_cell(t, node, "msi-parent", &id);
	return msi_controller(t, node, id);
}

static void expect_alone(struct told_tables *t, int bridge, const struct row *row, int before)
{
	struct row other;
	int at = 0;

	while (at < before && next_row(t, bridge, "iommu-map", "#iommu-cells", &at, &other))
		if (row->first < other.first + other.nr && other.first < row->first + row->nr)
			told_broken(t, "two rows of an iommu-map overlap");
}

u64 tree_covered(struct told_tables *t, u32 segment)
{
	const int bridge = bridge_of(t, segment);
	u64 covered = 0;
	struct row row;
	int at = 0;

	while (next_row(t, bridge, "iommu-map", "#iommu-cells", &at, &row)) {
		if ((u64)row.first + row.nr > 0x10000)
			told_broken(t, "an iommu-map has more than requester IDs");
		expect_alone(t, bridge, &row, at - 4);
		covered += row.nr;
	}
	return covered;
}

/* Below the nodes of the bridges that it is behind, if there is anything of it; or -1. */
static int function_node(struct told_tables *t, u32 segment, u16 rid)
{
	int nr, depth = 0, node = bridge_of(t, segment), found = -1;

	while ((node = fdt_next_node(t->tree, node, &depth)) >= 0 && depth > 0) {
		const fdt32_t *reg = cells_of(t, node, "reg", &nr);

		if (nr == 5 && fdt32_ld(reg) == (u32)rid << 8)
			found = node;
	}
	return found;
}

u32 tree_pasids(struct told_tables *t, u32 segment, u16 rid)
{
	const int node = function_node(t, segment, rid);
	u32 bits = 0;

	if (node >= 0)
		read_cell(t, node, "pasid-num-bits", &bits);
	return bits;
}

static bool has(struct told_tables *t, int node, const char *name)
{
	return node >= 0 && fdt_getprop(t->tree, node, name, NULL);
}

bool tree_stalls(struct told_tables *t, u32 segment, u16 rid)
{
	return has(t, function_node(t, segment, rid), "dma-can-stall");
}

bool tree_ats(struct told_tables *t, u32 segment)
{
	return has(t, bridge_of(t, segment), "ats-supported");
}

bool tree_coherent(struct told_tables *t, u32 segment)
{
	return has(t, bridge_of(t, segment), "dma-coherent");
}

/* A function's rows of a region's: its phandle, three cells of address, of memory space, and two
 * of size. What is not where its reg says is no direct mapping. */
static void take_region(struct told_tables *t, int region, u32 phandle, struct told_range *r)
{
	int nr;
	const fdt32_t *row = cells_of(t, region, "iommu-addresses", &nr);

	if (nr % 6)
		told_broken(t, "addresses for IOMMUs are not of six cells each");
	for (; nr >= 6; nr -= 6, row += 6) {
		if (fdt32_ld(row) != phandle)
			continue;
		if (fdt32_ld(row + 1) != 0x02000000)
			told_broken(t, "addresses for IOMMUs are of no memory space");
		r->nr++;
		r->base = (u64)fdt32_ld(row + 2) << 32 | fdt32_ld(row + 3);
		r->size = (u64)fdt32_ld(row + 4) << 32 | fdt32_ld(row + 5);
		if (r->base != base_of(t, region))
			told_broken(t, "a reserved range is not mapped where it is");
	}
}

/* of_iommu_get_resv_regions() */
struct told_range tree_reserved(struct told_tables *t, u32 segment, u16 rid)
{
	const int node = function_node(t, segment, rid);
	struct told_range r = { 0 };
	int nr = 0;
	const fdt32_t *regions = node < 0 ? NULL : cells_of(t, node, "memory-region", &nr);

	for (int i = 0; i < nr; i++) {
		const int region = fdt_node_offset_by_phandle(t->tree, fdt32_ld(regions + i));

		if (region < 0)
			told_broken(t, "a memory-region is no node");
		else
			take_region(t, region, fdt_get_phandle(t->tree, node), &r);
	}
	return r;
}
