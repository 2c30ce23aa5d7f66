// SPDX-License-Identifier: GPL-2.0-only
/* Which device came to be where: noted in the platform as it is made, and told to its IOMMU. */
#include <assert.h>

#include "devices/pci/pci.h"
#include "machine/iommu.h"
#include "machine/machine.h"

static const struct claim *claim_of(const struct options *o, const struct place *place)
{
	for (unsigned int i = 0; i < o->nr_claims; i++)
		if (o->claims[i].place == place)
			return &o->claims[i];
	return NULL;
}

static void note(struct machine *m, const struct claim *c, struct platform_function f)
{
	struct platform *p = &m->platform;

	assert(p->nr_functions < PLATFORM_FUNCTIONS); /* options end before it */
	f.option = c ? c->option : NULL;
	f.value = c ? c->value : NULL;
	p->functions[p->nr_functions++] = f;
}

void machine_is_pci(struct machine *m, const struct place *place, struct pci_func *f, bool virtio)
{
	const unsigned int segment = machine_segment(m, place);

	machine_endpoint_is_pci(m, place, f, segment);
	note(m, claim_of(m->options, place),
	     (struct platform_function){ .name = f->name,
	                                 .is_virtio = virtio,
	                                 .is_pci = true,
	                                 .pci = segment,
	                                 .rid = pci_rid(f) });
}

void machine_is_mmio(struct machine *m, const struct place *place, const char *name,
                     unsigned int slot)
{
	machine_endpoint_is_mmio(m, place, slot);
	note(m, claim_of(m->options, place),
	     (struct platform_function){ .name = name, .is_virtio = true, .mmio = slot });
}

void machine_is_port(struct machine *m, const struct port_option *o, const struct pci_func *port,
                     unsigned int segment)
{
	const struct claim c = { .option = "root-port", .value = o->id };
	struct platform *p = &m->platform;
	const u8 secondary = pci_bus_secondary(port);

	p->bridges[p->nr_bridges++] =
		(struct platform_bridge){ segment, pci_rid(port), secondary, secondary };

	note(m, &c,
	     (struct platform_function){
		     .name = port->name, .is_pci = true, .pci = segment, .rid = pci_rid(port) });
}
