// SPDX-License-Identifier: GPL-2.0-only
/* PCI functions, as a device tree has them where there is more to tell than config space does: each
 * below the bridges that it is behind (dt-schema, pci-device.yaml, pci-pci-bridge.yaml). */
#include <stdio.h>

#include "fdt/private.h"

struct bus {
	unsigned int segment;
	u8 first, last; /* it, and those behind its bridges */
	u32 shift;      /* of its interrupt pins */
};

static bool has_more(const struct platform_endpoint *e, const struct bus *b)
{
	return e->is_pci && e->pci == b->segment && e->rid >> 8 >= b->first &&
	       e->rid >> 8 <= b->last && (e->can_stall || e->pasid_bits || e->reserved);
}

static bool any_has_more(const struct platform *p, const struct bus *b)
{
	for (unsigned int i = 0; i < p->nr_endpoints; i++)
		if (has_more(&p->endpoints[i], b))
			return true;
	return false;
}

static void begin_function(void *fdt, const char *name, u16 rid)
{
	char full[32];

	snprintf(full, sizeof(full), "%s@%x,%x", name, rid >> 3 & 31, rid & 7);
	fdt_begin_node(fdt, full);
	CELLS(fdt, "reg", rid << 8, 0, 0, 0, 0);
}

static void functions(void *fdt, const struct platform *p, const struct bus *b);

/*
 * Where a bridge has a node, Linux looks for the pins of what is behind it in that, and for its own
 * there as well if it is not told of it (of_irq_parse_pci()).
 */
static void bridge(void *fdt, const struct platform *p, const struct platform_bridge *bridge,
                   const struct bus *on)
{
	const struct bus behind = { .segment = bridge->pci,
		                    .first = bridge->secondary,
		                    .last = bridge->subordinate,
		                    .shift = on->shift + (bridge->rid >> 3 & 31) };

	if (bridge->pci != on->segment || bridge->rid >> 8 != on->first ||
	    !any_has_more(p, &behind))
		return;
	begin_function(fdt, "pci", bridge->rid);
	fdt_property_string(fdt, "device_type", "pci");
	fdt_property_u32(fdt, "#address-cells", 3);
	fdt_property_u32(fdt, "#size-cells", 2);
	fdt_property_u32(fdt, "#interrupt-cells", 1);
	CELLS(fdt, "bus-range", bridge->secondary, bridge->subordinate);
	fdt_property(fdt, "ranges", NULL, 0);
	fdt_property_u32(fdt, "interrupts", 1); /* INTA */
	fdt_interrupt_map(fdt, &p->pci[on->segment], behind.shift);
	functions(fdt, p, &behind);
	fdt_end_node(fdt);
}

static void functions(void *fdt, const struct platform *p, const struct bus *b)
{
	for (unsigned int i = 0; i < p->nr_bridges; i++)
		bridge(fdt, p, &p->bridges[i], b);
	for (unsigned int i = 0; i < p->nr_endpoints; i++) {
		const struct platform_endpoint *e = &p->endpoints[i];

		if (!has_more(e, b) || e->rid >> 8 != b->first)
			continue;
		begin_function(fdt, "function", e->rid);
		fdt_endpoint(fdt, p, i);
		fdt_end_node(fdt);
	}
}

void fdt_functions(void *fdt, const struct platform *p, unsigned int segment)
{
	functions(fdt, p, &(struct bus){ .segment = segment, .last = 255 });
}
