// SPDX-License-Identifier: GPL-2.0-only
/* PCI functions in the DSDT, where there is more to tell than config space does: each within the
 * bridges that it is behind, found by its address, with device properties (Linux,
 * drivers/acpi/property.c). */
#include "acpi/dsdt.h"

#define PROPERTIES_UUID "daffd814-6eba-4d8c-8a91-bc9bbf4aa301"

struct buses {
	unsigned int segment;
	u8 first, last; /* a bus, and those behind its bridges */
};

static bool has_more(const struct platform_endpoint *e, const struct buses *b)
{
	return e->is_pci && e->pci == b->segment && e->rid >> 8 >= b->first &&
	       e->rid >> 8 <= b->last && (e->can_stall || e->pasid_bits);
}

static bool any_has_more(const struct platform *p, const struct buses *b)
{
	for (unsigned int i = 0; i < p->nr_endpoints; i++)
		if (has_more(&p->endpoints[i], b))
			return true;
	return false;
}

static void property(struct out *o, const char *name, u64 val)
{
	const size_t at = aml_package(o, 2);

	aml_text(o, name);
	aml_int(o, val);
	aml_end(o, at);
}

static void properties(struct out *o, const struct platform_endpoint *e)
{
	size_t all, list;

	aml_name(o, "_DSD");
	all = aml_package(o, 2);
	aml_uuid(o, PROPERTIES_UUID);
	list = aml_package(o, e->can_stall + !!e->pasid_bits);
	if (e->can_stall)
		property(o, "dma-can-stall", 1);
	if (e->pasid_bits)
		property(o, "pasid-num-bits", e->pasid_bits);
	aml_end(o, list);
	aml_end(o, all);
}

/* _ADR: device and function, 16 bits each. */
static size_t device_at(struct out *o, const char *name, u16 rid)
{
	const size_t at = aml_device(o, acpi_name(name, rid & 0xff).text);

	aml_name_int(o, "_ADR", (rid >> 3 & 31) << 16 | (rid & 7));
	return at;
}

static void functions(struct out *o, const struct platform *p, const struct buses *b);

/* It needs no _PRT: Linux then swizzles its pins itself (acpi_pci_irq_lookup()). */
static void bridge(struct out *o, const struct platform *p, const struct platform_bridge *bridge,
                   const struct buses *on)
{
	const struct buses behind = { bridge->pci, bridge->secondary, bridge->subordinate };
	size_t at;

	if (bridge->pci != on->segment || bridge->rid >> 8 != on->first ||
	    !any_has_more(p, &behind))
		return;
	at = device_at(o, NAME_BRIDGE, bridge->rid);
	functions(o, p, &behind);
	aml_end(o, at);
}

static void functions(struct out *o, const struct platform *p, const struct buses *b)
{
	size_t at;

	for (unsigned int i = 0; i < p->nr_bridges; i++)
		bridge(o, p, &p->bridges[i], b);
	for (unsigned int i = 0; i < p->nr_endpoints; i++) {
		const struct platform_endpoint *e = &p->endpoints[i];

		if (!has_more(e, b) || e->rid >> 8 != b->first)
			continue;
		at = device_at(o, NAME_FUNCTION, e->rid);
		properties(o, e);
		aml_end(o, at);
	}
}

void dsdt_functions(struct out *o, const struct platform *p, unsigned int segment)
{
	functions(o, p, &(struct buses){ segment, 0, 255 });
}
