// SPDX-License-Identifier: GPL-2.0-only
/* The IORT (Arm DEN0049) read as drivers/acpi/arm64/iort.c of Linux 7.2 reads it, with the MADT and
 * the DSDT where it does; the fields are those of ACPICA's actbl2.h. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/told_private.h"

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
		if (told_get(t, bytes, 4, 4) != size)
			told_broken(t, "a table has not its length");
	}
	return 0;
}

/* struct acpi_iort_node: type, length (1), revision (3), mapping_count (8), mapping_offset (12). */
enum { ITS_GROUP, NAMED_COMPONENT, ROOT_COMPLEX, SMMU_V3 = 4, RMR = 6 };
#define NODE_DATA 16u

static u32 iort(struct told_tables *t, u32 node, u32 field)
{
	return told_get(t, t->iort, node + field, 4);
}

static unsigned int node_type(struct told_tables *t, u32 node)
{
	return told_get(t, t->iort, node, 1);
}

/* Node by node, the first with @node 0; *left of them are still to come. 0: that was all. */
static u32 next_node(struct told_tables *t, u32 node, u32 *left)
{
	u32 length;

	if (!node) {
		*left = t->iort ? told_get(t, t->iort, 36, 4) : 0;
		node = *left ? told_get(t, t->iort, 40, 4) : 0;
	} else {
		length = told_get(t, t->iort, node + 1, 2);
		if (length < NODE_DATA)
			told_broken(t, "an IORT node is shorter than its head");
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
		if (node_type(t, node) != type || told_get(t, t->iort, node + field, len) != val)
			continue;
		if (found)
			told_broken(t, "two IORT nodes are of the same");
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
	const struct mapping m = { told_get(t, t->iort, at, 4), told_get(t, t->iort, at + 4, 4),
		                   told_get(t, t->iort, at + 8, 4),
		                   told_get(t, t->iort, at + 12, 4),
		                   told_get(t, t->iort, at + 16, 4) & 1 };

	if (!is_node(t, m.node))
		told_broken(t, "an ID mapping leads to what is no node");
	if ((u64)m.first + m.count > ~0u || (u64)m.out + m.count > ~0u)
		told_broken(t, "an ID mapping has more than 32 bits");
	return m;
}

static u32 nr_mappings(struct told_tables *t, u32 node)
{
	return iort(t, node, 12) ? iort(t, node, 8) : 0;
}

/* iort_get_id_mapping_index(): which mapping is of an SMMU's own messages; -1: none. */
static int own_mapping(struct told_tables *t, u32 node)
{
	const u32 smmu = node + NODE_DATA, revision = told_get(t, t->iort, node + 3, 1);
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
	told_broken(t, "an SMMU's ID mapping index has no mapping");
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
			told_broken(t, "an SMMU has a single mapping that is not its own");
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
			told_broken(t, "ID mappings go in a circle");
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
	return (struct told){ TOLD_SMMU, .base = told_get(t, t->iort, node + NODE_DATA, 8),
		              .id = id };
}

/* The first of a group, and the GIC ITS structure (15) of the MADT that has its number. */
static struct told its(struct told_tables *t, u32 node, u32 id)
{
	const u32 size = told_get(t, t->madt, 4, 4);

	if (!node)
		return (struct told){ 0 };
	if (!iort(t, node, NODE_DATA))
		told_broken(t, "an ITS group has no ITS");
	for (u32 at = 44; at < size && !t->broken; at += told_get(t, t->madt, at + 1, 1)) {
		if (!told_get(t, t->madt, at + 1, 1))
			told_broken(t, "a MADT entry has no length");
		if (told_get(t, t->madt, at, 1) == 15 &&
		    told_get(t, t->madt, at + 4, 4) == iort(t, node, NODE_DATA + 4))
			return (struct told){ TOLD_ITS, .base = told_get(t, t->madt, at + 8, 8),
				              .id = id };
	}
	told_broken(t, "an ITS group has an ITS that the MADT has not");
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
		told_broken(t, "an SMMU has no IORT node");
	if (own < 0)
		return (struct told){ 0 };
	m = mapping(t, node, own);
	if (!m.single || node_type(t, m.node) != ITS_GROUP)
		told_broken(t, "an SMMU's own mapping is no single one to an ITS");
	return its(t, m.node, m.out);
}

/* That no ID that comes to a node is in two of its mappings, but for @own. */
static void expect_alone(struct told_tables *t, u32 node, u32 nr, int own)
{
	const struct mapping m = mapping(t, node, nr);

	if (m.single)
		told_broken(t, "a mapping of IDs is a single one");
	for (u32 i = 0; i < nr && !t->broken; i++) {
		const struct mapping o = mapping(t, node, i);

		if ((int)i != own && m.first <= o.first + o.count && o.first <= m.first + m.count)
			told_broken(t, "two ID mappings of a node overlap");
	}
}

/* How many IDs of a node go to nodes of @type. */
static u64 covered(struct told_tables *t, u32 node, unsigned int type)
{
	const u32 nr = node ? nr_mappings(t, node) : 0;
	const int own = node ? own_mapping(t, node) : -1;
	u64 ids = 0;

	for (u32 i = 0; i < nr && !t->broken; i++) {
		const struct mapping m = mapping(t, node, i);

		if ((int)i == own)
			continue;
		expect_alone(t, node, i, own);
		if (node_type(t, node) == ROOT_COMPLEX && m.first + m.count > 0xffff)
			told_broken(t, "a root complex maps more than requester IDs");
		ids += node_type(t, m.node) == type ? m.count + 1ULL : 0;
	}
	return ids;
}

u64 iort_covered(struct told_tables *t, u32 segment)
{
	return covered(t, root_complex(t, segment), SMMU_V3);
}

u64 iort_streams(struct told_tables *t, u64 base)
{
	return covered(t, find_node(t, SMMU_V3, NODE_DATA, 8, base), ITS_GROUP);
}

/* A Memory32Fixed (0x86) of @base, for virtio over MMIO. */
static bool is_slot(struct told_tables *t, u32 at, u32 end, u64 base)
{
	const u8 *bytes = t->dsdt;

	if (!memmem(bytes + at, end - at, "LNRO0005", 8))
		return false;
	for (; at + 12 <= end; at++)
		if (!memcmp(bytes + at, "\x86\x09\x00", 3) && told_get(t, bytes, at + 4, 4) == base)
			return true;
	return false;
}

/* The full path of the namespace's device that has @base: of those in a scope of the root, as this
 * machine's are. False: there is none. */
static bool path_of(struct told_tables *t, u64 base, char path[16])
{
	u32 at = 37, scope = told_package_end(t, &at);
	bool found = false;

	if (told_get(t, t->dsdt, 36, 1) != 0x10 || told_get(t, t->dsdt, at, 1) != '\\' ||
	    scope > told_get(t, t->dsdt, 4, 4)) {
		told_broken(t, "the DSDT does not begin with a scope of the root");
		return false;
	}
	for (u32 dev = at + 5; dev + 8 < scope; dev++) {
		u32 name = dev + 2, end;

		if (told_get(t, t->dsdt, dev, 2) != 0x825b) /* DeviceOp */
			continue;
		end = told_package_end(t, &name);
		if (end < name || end > scope || !is_slot(t, name, end, base))
			continue;
		if (found)
			told_broken(t, "two devices of the namespace have the same registers");
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
		told_broken(t, "the namespace has no device of a slot");
		return by;
	}
	while ((node = next_node(t, node, &left))) {
		struct mapping m;
		u32 id;

		if (node_type(t, node) != NAMED_COMPONENT ||
		    strcmp((const char *)t->iort + node + NODE_DATA + 13, path))
			continue;
		if (by.kind || nr_mappings(t, node) != 1)
			told_broken(t, "a slot has more than one mapping");
		m = mapping(t, node, 0);
		id = m.out;
		if (!m.single)
			told_broken(t, "a component's mapping is no single one");
		node = map_id(t, m.node, &id, SMMU_V3);
		return smmu(t, node, id);
	}
	return by;
}

/* struct acpi_iort_root_complex: ats_attribute, pasid_capabilities. */
u32 iort_pasids(struct told_tables *t, u32 segment)
{
	const u32 node = root_complex(t, segment);
	u32 bits;

	if (!node)
		return 0;
	bits = told_get(t, t->iort, node + NODE_DATA + 17, 2);
	if (!bits == !!(iort(t, node, NODE_DATA + 8) & 4))
		told_broken(t, "a root complex passes PASIDs on, and has none, or does not");
	return bits;
}

bool iort_ats(struct told_tables *t, u32 segment)
{
	return iort(t, root_complex(t, segment), NODE_DATA + 8) & 1;
}

u32 iort_memory(struct told_tables *t, u32 segment)
{
	const u32 node = root_complex(t, segment);

	if (iort(t, node, NODE_DATA) != 1) /* CCA */
		told_broken(t, "a root complex is not coherent");
	return told_get(t, t->iort, node + NODE_DATA + 7, 1);
}

/* iort_node_get_rmr_info(), and iort_rmr_has_dev() but for what the DSDT says */
static void take_rmr(struct told_tables *t, u32 node, u32 smmu, u32 id, struct told_range *r)
{
	const u32 nr = nr_mappings(t, node), count = iort(t, node, NODE_DATA + 4);
	const u32 ranges = node + iort(t, node, NODE_DATA + 8);
	bool has = false;

	if (!nr || !count || ranges == node)
		told_broken(t, "an RMR is nobody's, or of no range");
	if (!(iort(t, node, NODE_DATA) & 1))
		told_broken(t, "an RMR for messages is not to be mapped otherwise");
	for (u32 i = 0; i < nr; i++) {
		const struct mapping m = mapping(t, node, i);

		has |= m.node == smmu && id >= m.out && id - m.out <= m.count;
	}
	for (u32 i = 0; has && i < count && !t->broken; i++) {
		r->nr++;
		r->base = told_get(t, t->iort, ranges + i * 20, 8);
		r->size = told_get(t, t->iort, ranges + i * 20 + 8, 8);
	}
}

struct told_range iort_reserved(struct told_tables *t, u32 segment, u16 rid)
{
	u32 id = rid, left, node = 0;
	const u32 smmu = map_id(t, root_complex(t, segment), &id, SMMU_V3);
	struct told_range r = { 0 };

	while (smmu && (node = next_node(t, node, &left)))
		if (node_type(t, node) == RMR)
			take_rmr(t, node, smmu, id, &r);
	return r;
}
