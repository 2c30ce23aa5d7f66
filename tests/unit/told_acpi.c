// SPDX-License-Identifier: GPL-2.0-only
/* IORT (Arm DEN0049) and VIOT read as drivers/acpi/arm64/iort.c and drivers/acpi/viot.c of Linux
 * 7.2 read them; the fields are those of ACPICA's actbl2.h and actbl3.h. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/told_reader.h"

static void broken(struct told_tables *t, const char *why)
{
	if (!t->broken)
		t->broken = why;
}

/* Of a table's own bytes, and of no others. */
static u64 get(struct told_tables *t, const u8 *table, u32 at, unsigned int len)
{
	const u32 size = table[4] | table[5] << 8 | table[6] << 16 | (u32)table[7] << 24;
	u64 val = 0;

	if (at > size || len > size - at) {
		broken(t, "a table ends before what it speaks of");
		return 0;
	}
	for (unsigned int i = 0; i < len; i++)
		val |= (u64)table[at + i] << 8 * i;
	return val;
}

int told_take(void *ctx, const void *bytes, u32 size)
{
	struct told_tables *t = ctx;
	const struct {
		const char *name;
		const u8 **at;
	} known[] = { { "DSDT", &t->dsdt },
		      { "APIC", &t->madt },
		      { "IORT", &t->iort },
		      { "VIOT", &t->viot } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (memcmp(bytes, known[i].name, 4))
			continue;
		*known[i].at = bytes;
		if (get(t, bytes, 4, 4) != size)
			broken(t, "a table has not its length");
	}
	return 0;
}

/* struct acpi_iort_node: type, length (1), revision (3), mapping_count (8), mapping_offset (12). */
enum { ITS_GROUP, NAMED_COMPONENT, ROOT_COMPLEX, SMMU_V3 = 4 };
#define NODE_DATA 16u

static u32 iort(struct told_tables *t, u32 node, u32 field)
{
	return get(t, t->iort, node + field, 4);
}

static unsigned int node_type(struct told_tables *t, u32 node)
{
	return get(t, t->iort, node, 1);
}

/* Node by node, the first with @node 0; *left of them are still to come. 0: that was all. */
static u32 next_node(struct told_tables *t, u32 node, u32 *left)
{
	u32 length;

	if (!node) {
		*left = t->iort ? get(t, t->iort, 36, 4) : 0;
		node = *left ? get(t, t->iort, 40, 4) : 0;
	} else {
		length = get(t, t->iort, node + 1, 2);
		if (length < NODE_DATA)
			broken(t, "an IORT node is shorter than its head");
		node += length;
	}
	return *left && !t->broken ? (--*left, node) : 0;
}

static bool is_node(struct told_tables *t, u32 at)
{
	u32 left, node = 0;

	while ((node = next_node(t, node, &left)))
		if (node == at)
			return true;
	return false;
}

/* The node of @type whose @len bytes at @field are @val; two would be one too many. */
static u32 find_node(struct told_tables *t, unsigned int type, u32 field, unsigned int len, u64 val)
{
	u32 left, node = 0, found = 0;

	while ((node = next_node(t, node, &left))) {
		if (node_type(t, node) != type || get(t, t->iort, node + field, len) != val)
			continue;
		if (found)
			broken(t, "two IORT nodes are of the same");
		found = node;
	}
	return found;
}

static u32 root_complex(struct told_tables *t, u32 segment)
{
	return find_node(t, ROOT_COMPLEX, NODE_DATA + 12, 4, segment); /* pci_segment_number */
}

/* struct acpi_iort_id_mapping; with the last ID, as the count is less one. */
struct mapping {
	u32 first, count, out, node;
	bool single;
};

static struct mapping mapping(struct told_tables *t, u32 node, u32 i)
{
	const u32 at = node + iort(t, node, 12) + i * 20;
	const struct mapping m = { get(t, t->iort, at, 4), get(t, t->iort, at + 4, 4),
		                   get(t, t->iort, at + 8, 4), get(t, t->iort, at + 12, 4),
		                   get(t, t->iort, at + 16, 4) & 1 };

	if (!is_node(t, m.node))
		broken(t, "an ID mapping leads to what is no node");
	if ((u64)m.first + m.count > ~0u || (u64)m.out + m.count > ~0u)
		broken(t, "an ID mapping has more than 32 bits");
	return m;
}

static u32 nr_mappings(struct told_tables *t, u32 node)
{
	return iort(t, node, 12) ? iort(t, node, 8) : 0;
}

/* iort_get_id_mapping_index(): which mapping is of an SMMU's own messages; -1: none. */
static int own_mapping(struct told_tables *t, u32 node)
{
	const u32 smmu = node + NODE_DATA, revision = get(t, t->iort, node + 3, 1);
	u32 index;

	if (node_type(t, node) != SMMU_V3 || !revision)
		return -1;
	if (revision < 5 && iort(t, smmu, 28) && iort(t, smmu, 32) && iort(t, smmu, 36) &&
	    iort(t, smmu, 40)) /* all four GSIVs */
		return -1;
	if (revision >= 5 && !(iort(t, smmu, 8) & 1 << 4)) /* DEVICEID_VALID */
		return -1;
	index = iort(t, smmu, 48);
	if (index < nr_mappings(t, node))
		return index;
	broken(t, "an SMMU's ID mapping index has no mapping");
	return -1;
}

/*
 * A step of iort_node_map_id(), with iort_id_map(): the node that *id goes to, and as what. An ID
 * at a range's end yields to a range that begins there. 0: it goes nowhere.
 */
static u32 map_step(struct told_tables *t, u32 node, u32 *id)
{
	const u32 in = *id, nr = nr_mappings(t, node);
	const int own = own_mapping(t, node);
	u32 weak = 0;

	for (u32 i = 0; i < nr && !t->broken; i++) {
		const struct mapping m = mapping(t, node, i);

		if ((int)i == own)
			continue;
		if (m.single && node_type(t, node) == SMMU_V3) {
			broken(t, "an SMMU has a single mapping that is not its own");
			continue;
		}
		if (m.single) {
			*id = m.out;
			return m.node;
		}
		if (in < m.first || in > m.first + m.count || (weak && in != m.first))
			continue;
		*id = m.out + (in - m.first);
		if (!m.count || in != m.first + m.count)
			return m.node;
		weak = m.node;
	}
	return weak;
}

/* iort_node_map_id() */
static u32 map_id(struct told_tables *t, u32 node, u32 *id, unsigned int type)
{
	for (unsigned int steps = 0; node && node_type(t, node) != type; steps++) {
		if (steps == 8) {
			broken(t, "ID mappings go in a circle");
			return 0;
		}
		node = map_step(t, node, id);
	}
	return node;
}

static struct told smmu(struct told_tables *t, u32 node, u32 id)
{
	if (!node)
		return (struct told){ 0 };
	return (struct told){ TOLD_SMMU, .base = get(t, t->iort, node + NODE_DATA, 8), .id = id };
}

/* The first of a group, and the GIC ITS structure (15) of the MADT that has its number. */
static struct told its(struct told_tables *t, u32 node, u32 id)
{
	const u32 size = get(t, t->madt, 4, 4);

	if (!node)
		return (struct told){ 0 };
	if (!iort(t, node, NODE_DATA))
		broken(t, "an ITS group has no ITS");
	for (u32 at = 44; at < size && !t->broken; at += get(t, t->madt, at + 1, 1)) {
		if (!get(t, t->madt, at + 1, 1))
			broken(t, "a MADT entry has no length");
		if (get(t, t->madt, at, 1) == 15 &&
		    get(t, t->madt, at + 4, 4) == iort(t, node, NODE_DATA + 4))
			return (struct told){ TOLD_ITS, .base = get(t, t->madt, at + 8, 8),
				              .id = id };
	}
	broken(t, "an ITS group has an ITS that the MADT has not");
	return (struct told){ 0 };
}

struct told iort_function(struct told_tables *t, u32 segment, u16 rid)
{
	u32 id = rid;
	const u32 node = map_id(t, root_complex(t, segment), &id, SMMU_V3);

	return smmu(t, node, id);
}

struct told iort_function_msi(struct told_tables *t, u32 segment, u16 rid)
{
	u32 id = rid;
	const u32 node = map_id(t, root_complex(t, segment), &id, ITS_GROUP);

	return its(t, node, id);
}

/* iort_pmsi_get_dev_id(), iort_set_device_domain() */
struct told iort_smmu_msi(struct told_tables *t, u64 base)
{
	const u32 node = find_node(t, SMMU_V3, NODE_DATA, 8, base);
	const int own = node ? own_mapping(t, node) : -1;
	struct mapping m;

	if (!node)
		broken(t, "an SMMU has no IORT node");
	if (own < 0)
		return (struct told){ 0 };
	m = mapping(t, node, own);
	if (!m.single || node_type(t, m.node) != ITS_GROUP)
		broken(t, "an SMMU's own mapping is no single one to an ITS");
	return its(t, m.node, m.out);
}

u64 iort_covered(struct told_tables *t, u32 segment)
{
	const u32 node = root_complex(t, segment), nr = node ? nr_mappings(t, node) : 0;
	u64 covered = 0;

	for (u32 i = 0; i < nr && !t->broken; i++) {
		const struct mapping m = mapping(t, node, i);

		if (m.single)
			broken(t, "a root complex has a single mapping");
		if (m.first + m.count > 0xffff)
			broken(t, "a root complex maps more than requester IDs");
		for (u32 other = 0; other < i; other++) {
			const struct mapping o = mapping(t, node, other);

			if (m.first <= o.first + o.count && o.first <= m.first + m.count)
				broken(t, "two ID mappings of a root complex overlap");
		}
		covered += node_type(t, m.node) == SMMU_V3 ? m.count + 1ULL : 0;
	}
	return covered;
}

/* A PkgLength (ACPI, 20.2.4), which counts itself: where what it spans ends. *at is behind it. */
static u32 package_end(struct told_tables *t, u32 *at)
{
	const u32 first = *at, lead = get(t, t->dsdt, first, 1), more = lead >> 6;
	const u32 low = more ? lead & 15 : lead & 63;

	*at += 1 + more;
	return first + (low | get(t, t->dsdt, first + 1, more) << 4);
}

/* A Memory32Fixed (0x86) of @base, for virtio over MMIO. */
static bool is_slot(struct told_tables *t, u32 at, u32 end, u64 base)
{
	const u8 *bytes = t->dsdt;

	if (!memmem(bytes + at, end - at, "LNRO0005", 8))
		return false;
	for (; at + 12 <= end; at++)
		if (!memcmp(bytes + at, "\x86\x09\x00", 3) && get(t, bytes, at + 4, 4) == base)
			return true;
	return false;
}

/* The full path of the namespace's device that has @base: of those in a scope of the root, as this
 * machine's are. False: there is none. */
static bool path_of(struct told_tables *t, u64 base, char path[16])
{
	u32 at = 37, scope = package_end(t, &at);
	bool found = false;

	if (get(t, t->dsdt, 36, 1) != 0x10 || get(t, t->dsdt, at, 1) != '\\' ||
	    scope > get(t, t->dsdt, 4, 4)) {
		broken(t, "the DSDT does not begin with a scope of the root");
		return false;
	}
	for (u32 dev = at + 5; dev + 8 < scope; dev++) {
		u32 name = dev + 2, end;

		if (get(t, t->dsdt, dev, 2) != 0x825b) /* DeviceOp */
			continue;
		end = package_end(t, &name);
		if (end < name || end > scope || !is_slot(t, name, end, base))
			continue;
		if (found)
			broken(t, "two devices of the namespace have the same registers");
		found = true;
		snprintf(path, 16, "%.5s.%.4s", t->dsdt + at, t->dsdt + name);
	}
	return found;
}

/* iort_nc_iommu_map(), whose mappings are single ones; iort_match_node_callback() */
struct told iort_slot(struct told_tables *t, u64 base)
{
	char path[16];
	struct told by = { 0 };
	u32 left, node = 0;

	if (!path_of(t, base, path)) {
		broken(t, "the namespace has no device of a slot");
		return by;
	}
	while ((node = next_node(t, node, &left))) {
		struct mapping m;
		u32 id;

		if (node_type(t, node) != NAMED_COMPONENT ||
		    strcmp((const char *)t->iort + node + NODE_DATA + 13, path))
			continue;
		if (by.kind || nr_mappings(t, node) != 1)
			broken(t, "a slot has more than one mapping");
		m = mapping(t, node, 0);
		id = m.out;
		if (!m.single)
			broken(t, "a component's mapping is no single one");
		node = map_id(t, m.node, &id, SMMU_V3);
		return smmu(t, node, id);
	}
	return by;
}

/* struct acpi_viot_header: type, length (2). */
enum { PCI_RANGE = 1, MMIO_ENDPOINT, VIOMMU_PCI, VIOMMU_MMIO };

static u32 viot(struct told_tables *t, u32 node, u32 field, unsigned int len)
{
	return get(t, t->viot, node + field, len);
}

static u32 next_viot(struct told_tables *t, u32 node, u32 *left)
{
	static const u32 least[] = { 0, 24, 24, 16, 16 };
	u32 length, type;

	if (!node) {
		*left = t->viot ? get(t, t->viot, 36, 2) : 0;
		node = *left ? get(t, t->viot, 38, 2) : 0;
	} else {
		node += viot(t, node, 2, 2);
	}
	if (!*left || t->broken)
		return 0;
	length = viot(t, node, 2, 2);
	type = viot(t, node, 0, 1);
	if (!type || type >= ARRAY_SIZE(least) || length < least[type])
		broken(t, "a VIOT node is of no known type, or too short");
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
		return (struct told){ TOLD_VIOMMU_MMIO, .base = get(t, t->viot, node + 8, 8),
			              .id = id };
	broken(t, "a VIOT endpoint is behind no virtio-iommu");
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
		broken(t, "a virtio-iommu is behind itself");
	return by;
}

struct told viot_slot(struct told_tables *t, u64 base)
{
	struct told by = { 0 };
	u32 left, node = 0;

	while ((node = next_viot(t, node, &left))) {
		if (viot(t, node, 0, 1) != MMIO_ENDPOINT || get(t, t->viot, node + 8, 8) != base)
			continue;
		if (by.kind)
			broken(t, "a slot has two VIOT nodes");
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
			broken(t, "two VIOT ranges overlap");
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
