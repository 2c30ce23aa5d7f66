// SPDX-License-Identifier: GPL-2.0-only
/* The machine as a picture, in graphviz's language: functions in their segments, the IOMMUs they
 * are behind, memory and the message frame behind those, and ranges that are reserved. */
#include "topology/private.h"

/* What has a quote or a backslash in it would end the text, or change it. */
static void print_escaped(const char *text, FILE *to)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, to);
	}
}

static unsigned int nr_of(const struct platform *p, const struct platform_function *f)
{
	return f - p->functions;
}

static void print_function(const struct platform *p, const struct platform_function *f, FILE *to)
{
	char place[TOPOLOGY_PLACE];

	topology_place(p, f, place);
	fprintf(to, "    f%u [label=\"%s%s", nr_of(p, f), f->is_virtio ? "virtio-" : "", f->name);
	if (f->value && *f->value) {
		fputc(' ', to);
		print_escaped(f->value, to);
	}
	fprintf(to, "\\n%s", place);
	if (f->is_pci && topology_has_its(p))
		fprintf(to, "\\nDeviceID 0x%x", topology_devid(p, f->pci, f->rid));
	fprintf(to, "\"%s];\n",
	        topology_bus_behind(p, f) ? ", style=filled, fillcolor=\"#eeeeee\"" : "");
}

static void print_segment(const struct platform *p, unsigned int pci, FILE *to)
{
	const struct platform_pci *s = &p->pci[pci];

	fprintf(to,
	        "  subgraph cluster_segment%u {\n"
	        "    label=\"segment %04x, buses 00-%02x\";\n"
	        "    segment%u [label=\"host bridge\\nECAM 0x%llx\", style=filled, fillcolor=\"#eeeeee\"];\n",
	        pci, s->segment, s->last_bus, pci, ull(s->ecam));
	for (unsigned int i = 0; i < p->nr_functions; i++)
		if (p->functions[i].is_pci && p->functions[i].pci == pci)
			print_function(p, &p->functions[i], to);
	fprintf(to, "  }\n");
}

static void print_mmio(const struct platform *p, FILE *to)
{
	if (!p->nr_virtio_mmio)
		return;
	fprintf(to, "  subgraph cluster_mmio {\n    label=\"virtio over MMIO\";\n");
	for (unsigned int i = 0; i < p->nr_functions; i++)
		if (!p->functions[i].is_pci)
			print_function(p, &p->functions[i], to);
	fprintf(to, "  }\n");
}

/* The bridge, or the port, that a function is below. */
static void print_above(const struct platform *p, const struct platform_function *f, FILE *to)
{
	for (unsigned int i = 0; i < p->nr_functions; i++) {
		const struct platform_function *port = &p->functions[i];

		const u8 bus = topology_bus_behind(p, port);

		if (bus && port->pci == f->pci && bus == f->rid >> 8) {
			fprintf(to, "  f%u -> f%u [dir=none];\n", i, nr_of(p, f));
			return;
		}
	}
	fprintf(to, "  segment%u -> f%u [dir=none];\n", f->pci, nr_of(p, f));
}

static void print_dma(const struct platform *p, const struct platform_function *f, FILE *to)
{
	const struct platform_endpoint *e = topology_endpoint(p, f);
	const struct platform_iommu *self = topology_iommu(p, f);

	if (self)
		fprintf(to, "  f%u -> iommu%u [dir=none, style=dotted];\n", nr_of(p, f),
		        (unsigned int)(self - p->iommus));
	else if (e)
		fprintf(to, "  f%u -> iommu%u [label=\"%s 0x%x\"];\n", nr_of(p, f), e->iommu,
		        topology_id_name(&p->iommus[e->iommu]), e->id);
	else if (!topology_bus_behind(p, f))
		fprintf(to, "  f%u -> memory [style=dashed];\n", nr_of(p, f));
}

static void print_iommu(const struct platform *p, unsigned int nr, FILE *to)
{
	const struct platform_iommu *i = &p->iommus[nr];

	fprintf(to, "  iommu%u [shape=box3d, style=filled, fillcolor=\"%s\", label=\"", nr,
	        i->kind == PLATFORM_IOMMU_SMMUV3 ? "#cfe2ff" : "#d8f3dc");
	print_escaped(i->name, to);
	fprintf(to, "\\n%s", topology_kind(i));
	if (i->kind == PLATFORM_IOMMU_SMMUV3)
		fprintf(to, "\\n0x%llx", ull(i->base));
	if (i->sends_msis)
		fprintf(to, "\\nDeviceID 0x%x", i->devid);
	topology_unmappable(i, "\\n", "", to);
	fprintf(to, "\"];\n  iommu%u -> memory;\n", nr);
}

/* Addresses that DMA finds at themselves, and who does. */
static void print_reserved(const struct platform *p, unsigned int nr, FILE *to)
{
	const struct platform_reserved *r = &p->reserved[nr];

	fprintf(to, "  reserved%u [shape=note, label=\"%s, as it is\\n0x%llx-0x%llx\"];\n", nr,
	        topology_reserved(r), ull(r->base), ull(r->base + r->size - 1));
	for (unsigned int i = 0; i < p->nr_functions; i++) {
		const struct platform_endpoint *e = topology_endpoint(p, &p->functions[i]);

		if (e && e->reserved >> nr & 1)
			fprintf(to, "  f%u -> reserved%u [style=dotted];\n", i, nr);
	}
}

static void print_memory(const struct platform *p, FILE *to)
{
	const struct platform_msi_frame *f = p->msi_frames;

	fprintf(to, "  memory [shape=cylinder, label=\"RAM\\n0x%llx, %lluM", ull(p->ram.base),
	        ull(p->ram.size >> 20));
	if (p->nr_msi_frames)
		fprintf(to, "\\n%s doorbell\\n0x%llx",
		        f->kind == PLATFORM_MSI_ITS ? "ITS" : "GICv2m", ull(f->doorbell));
	fprintf(to, "\"];\n");
}

int topology_dot(const struct platform *p, FILE *to)
{
	fprintf(to, "digraph machine {\n"
	            "  rankdir=LR;\n"
	            "  graph [fontname=\"sans-serif\", style=rounded];\n"
	            "  node [fontname=\"sans-serif\", shape=box];\n"
	            "  edge [fontname=\"sans-serif\"];\n");
	for (unsigned int i = 0; i < p->nr_pci; i++)
		print_segment(p, i, to);
	print_mmio(p, to);
	print_memory(p, to);
	for (unsigned int i = 0; i < p->nr_iommus; i++)
		print_iommu(p, i, to);
	for (unsigned int i = 0; i < p->nr_reserved; i++)
		print_reserved(p, i, to);
	for (unsigned int i = 0; i < p->nr_functions; i++) {
		if (p->functions[i].is_pci)
			print_above(p, &p->functions[i], to);
		print_dma(p, &p->functions[i], to);
	}
	fprintf(to, "}\n");
	return 0;
}
