// SPDX-License-Identifier: GPL-2.0-only
/* The machine as JSON (docs/json/topology.json). Addresses are texts, as numbers of 64 bits are
 * none in JSON. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "topology/private.h"

static json_t *hex(u64 v)
{
	return json_sprintf("0x%llx", (unsigned long long)v);
}

/* A name is any bytes, and a text is UTF-8: where it is not, each byte beyond ASCII is \xNN. */
static json_t *text(const char *bytes)
{
	json_t *o = json_string(bytes);
	char *escaped, *to;

	if (o)
		return o;
	escaped = to = malloc(4 * strlen(bytes) + 1);
	if (!escaped)
		return NULL;
	for (; *bytes; bytes++)
		to += sprintf(to, *bytes & 0x80 ? "\\x%02x" : "%c", (unsigned char)*bytes);
	*to = 0;
	o = json_string(escaped);
	free(escaped);
	return o;
}

static json_t *window(gpa_t base, u64 size)
{
	return json_pack("{s:o, s:o}", "base", hex(base), "size", hex(size));
}

/* IOVAs that a driver does without. */
static json_t *range(u64 first, u64 last, bool is_msi)
{
	return json_pack("{s:o, s:o, s:s}", "first", hex(first), "last", hex(last), "kind",
	                 is_msi ? "msi" : "reserved");
}

static json_t *behind(const struct platform *p, const struct platform_endpoint *e)
{
	return json_pack("{s:o, s:i}", "iommu", text(p->iommus[e->iommu].name), "id", e->id);
}

/* Where its DMA finds what is at the same address in memory. */
static json_t *reserved_of(const struct platform *p, const struct platform_endpoint *e)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < p->nr_reserved; i++)
		if (e->reserved >> i & 1)
			json_array_append_new(list,
			                      range(p->reserved[i].base,
			                            p->reserved[i].base + (p->reserved[i].size - 1),
			                            p->reserved[i].kind == PLATFORM_RESERVED_MSI));
	return list;
}

static json_t *function(const struct platform *p, const struct platform_function *f)
{
	const struct platform_endpoint *e = topology_endpoint(p, f);
	const u8 bus = topology_bus_behind(p, f);
	char place[TOPOLOGY_PLACE];
	json_t *o;

	topology_place(p, f, place);
	o = json_pack("{s:s, s:s, s:s*, s:o*, s:o*}", "at", place, "name", f->name, "option",
	              f->option, "value", f->value ? text(f->value) : NULL, "behind",
	              e ? behind(p, e) : NULL);
	if (f->is_pci)
		json_object_set_new(o, "requester-id", json_integer(f->rid));
	if (f->is_pci && topology_has_its(p))
		json_object_set_new(o, "device-id",
		                    json_integer(topology_devid(p, f->pci, f->rid)));
	if (bus)
		json_object_set_new(o, "bus-behind", json_integer(bus));
	if (e && e->reserved)
		json_object_set_new(o, "reserved", reserved_of(p, e));
	return o;
}

static json_t *bus(const struct platform *p, unsigned int pci, u8 nr, json_t *list)
{
	const struct platform_function *f = NULL;

	while ((f = topology_next(p, pci, nr, f))) {
		json_array_append_new(list, function(p, f));
		if (topology_bus_behind(p, f))
			bus(p, pci, topology_bus_behind(p, f), list);
	}
	return list;
}

static json_t *segment(const struct platform *p, unsigned int pci)
{
	const struct platform_pci *s = &p->pci[pci];

	return json_pack(
		"{s:i, s:i, s:o, s:o, s:o, s:o, s:[iiii], s:o}", "segment", s->segment, "last-bus",
		s->last_bus, "ecam", window(s->ecam, (s->last_bus + 1ULL) << 20), "io",
		window(s->io.cpu, s->io.size), "memory", window(s->mem32.cpu, s->mem32.size),
		"prefetchable", window(s->mem64.cpu, s->mem64.size), "intx-spis", s->intx_spi[0],
		s->intx_spi[1], s->intx_spi[2], s->intx_spi[3], "functions",
		bus(p, pci, 0, json_array()));
}

static json_t *smmu(const struct platform_iommu *i)
{
	json_t *o = json_pack("{s:o, s:s, s:o}", "name", text(i->name), "kind", topology_kind(i),
	                      "at", hex(i->base));

	if (i->host)
		json_object_set_new(o, "host", text(i->host));
	if (i->sends_msis)
		json_object_set_new(o, "device-id", json_integer(i->devid));
	else
		json_object_set_new(o, "spis",
		                    json_pack("{s:i, s:i, s:i, s:i}", "eventq", i->eventq_spi,
		                              "priq", i->priq_spi, "cmdq-sync", i->sync_spi,
		                              "gerror", i->gerror_spi));
	return o;
}

static json_t *unmappable(const struct platform_iommu *i)
{
	json_t *list = json_array();

	for (unsigned int r = 0; r < i->nr_unmappable; r++)
		json_array_append_new(list, range(i->unmappable[r].first, i->unmappable[r].last,
		                                  i->unmappable[r].is_msi));
	return list;
}

static json_t *iommu(const struct platform *p, const struct platform_iommu *i)
{
	const struct platform_function self = {
		.is_pci = i->is_pci, .pci = i->pci, .rid = i->rid, .mmio = i->mmio
	};
	char place[TOPOLOGY_PLACE];

	if (i->kind == PLATFORM_IOMMU_SMMUV3)
		return smmu(i);
	topology_place(p, &self, place);
	return json_pack("{s:o, s:s, s:s, s:o}", "name", text(i->name), "kind", topology_kind(i),
	                 "at", place, "reserved", unmappable(i));
}

static json_t *frame(const struct platform_msi_frame *f)
{
	json_t *o = json_pack("{s:s, s:o, s:o}", "kind",
	                      f->kind == PLATFORM_MSI_ITS ? "its" : "gicv2m", "at", hex(f->base),
	                      "doorbell", hex(f->doorbell));

	if (f->nr_spis)
		json_object_set_new(o, "spis",
		                    json_pack("[ii]", f->first_spi, f->first_spi + f->nr_spis - 1));
	return o;
}

static json_t *machine(const struct platform *p)
{
	json_t *segments = json_array(), *mmio = json_array();
	json_t *iommus = json_array(), *frames = json_array();

	for (unsigned int i = 0; i < p->nr_pci; i++)
		json_array_append_new(segments, segment(p, i));
	for (unsigned int i = 0; i < p->nr_functions; i++)
		if (!p->functions[i].is_pci)
			json_array_append_new(mmio, function(p, &p->functions[i]));
	for (unsigned int i = 0; i < p->nr_iommus; i++)
		json_array_append_new(iommus, iommu(p, &p->iommus[i]));
	for (unsigned int i = 0; i < p->nr_msi_frames; i++)
		json_array_append_new(frames, frame(&p->msi_frames[i]));
	return json_pack("{s:i, s:i, s:i, s:o, s:s, s:o, s:o, s:o, s:o}", "schema", 1, "cpus",
	                 p->nr_cpus, "gic", p->gic.version, "ram", window(p->ram.base, p->ram.size),
	                 "console", p->no_uart_console ? "virtio" : "uart", "msi-frames", frames,
	                 "segments", segments, "virtio-mmio", mmio, "iommus", iommus);
}

int topology_json(const struct platform *p, FILE *to)
{
	json_t *m = machine(p);

	if (!m)
		return -ENOMEM;
	json_dumpf(m, to, JSON_INDENT(2));
	fputc('\n', to);
	json_decref(m);
	return 0;
}
