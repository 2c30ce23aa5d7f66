// SPDX-License-Identifier: GPL-2.0-only
/* The machine as lines: the board, segments with their functions, ports with what is behind them,
 * IOMMUs, and ranges that are reserved. */
#include "topology/private.h"

#define NAME_WIDTH 36 /* of what a function is, with its indentation */

/* 512K, 96M, 32G: what divides it. */
static void print_size(u64 bytes, FILE *to)
{
	static const char units[] = "KMGT";
	unsigned int unit = 0;

	for (bytes >>= 10; bytes && !(bytes & 1023) && units[unit + 1]; bytes >>= 10)
		unit++;
	fprintf(to, "%llu%c", ull(bytes), units[unit]);
}

static void print_window(const char *name, gpa_t base, u64 size, FILE *to)
{
	if (!size)
		return;
	fprintf(to, ", %s 0x%llx +", name, ull(base));
	print_size(size, to);
}

static void print_behind(const struct platform *p, const struct platform_function *f, FILE *to)
{
	const struct platform_endpoint *e = topology_endpoint(p, f);
	const struct platform_iommu *i = e ? &p->iommus[e->iommu] : NULL;

	if (topology_iommu(p, f) || topology_bus_behind(p, f))
		fprintf(to, "-");
	else if (e)
		fprintf(to, "%s, %s 0x%x", i->name, topology_id_name(i), e->id);
	else
		fprintf(to, "no IOMMU");
	if (f->is_pci && topology_has_its(p))
		fprintf(to, ", DeviceID 0x%x", topology_devid(p, f->pci, f->rid));
	fprintf(to, "\n");
}

static void print_function(const struct platform *p, const struct platform_function *f,
                           unsigned int depth, FILE *to)
{
	char place[TOPOLOGY_PLACE];
	int n;

	topology_place(p, f, place);
	n = fprintf(to, "%*s%s %s%s", 2 * depth, "", place, f->is_virtio ? "virtio-" : "", f->name);
	if (f->value && *f->value)
		n += fprintf(to, " %s", f->value);
	fprintf(to, "%*s  ", n < NAME_WIDTH ? NAME_WIDTH - n : 0, "");
	print_behind(p, f, to);
}

/* One level of bridges is all there is. */
static void print_bus(const struct platform *p, unsigned int pci, u8 bus, unsigned int depth,
                      FILE *to)
{
	const struct platform_function *f = NULL;

	while ((f = topology_next(p, pci, bus, f))) {
		const u8 behind = topology_bus_behind(p, f);

		print_function(p, f, depth, to);
		if (!behind)
			continue;
		fprintf(to, "%*sbus %02x behind it\n", 2 * (depth + 1), "", behind);
		print_bus(p, pci, behind, depth + 2, to);
	}
}

static void print_segment(const struct platform *p, unsigned int pci, FILE *to)
{
	const struct platform_pci *s = &p->pci[pci];

	fprintf(to, "\nsegment %04x: buses 00-%02x", s->segment, s->last_bus);
	print_window("ECAM", s->ecam, (s->last_bus + 1ULL) << 20, to);
	print_window("memory", s->mem32.cpu, s->mem32.size, to);
	print_window("prefetchable", s->mem64.cpu, s->mem64.size, to);
	fprintf(to, ", INTx SPI %u-%u", s->intx_spi[0], s->intx_spi[3]);
	if (topology_has_its(p))
		fprintf(to, ", DeviceIDs from 0x%x", s->devid_base);
	fprintf(to, "\n");
	print_bus(p, pci, 0, 1, to);
}

static void print_mmio(const struct platform *p, FILE *to)
{
	bool any = false;

	for (unsigned int i = 0; i < p->nr_functions; i++) {
		if (p->functions[i].is_pci)
			continue;
		if (!any)
			fprintf(to, "\nvirtio over MMIO\n");
		any = true;
		print_function(p, &p->functions[i], 1, to);
	}
}

static void print_smmu(const struct platform_iommu *i, FILE *to)
{
	fprintf(to, " at 0x%llx, ", ull(i->base));
	if (i->sends_msis)
		fprintf(to, "messages as DeviceID 0x%x", i->devid);
	else
		fprintf(to, "SPI %u-%u", i->eventq_spi, i->gerror_spi);
}

static void print_iommu(const struct platform *p, unsigned int nr, FILE *to)
{
	const struct platform_iommu *i = &p->iommus[nr];
	const struct platform_function self = {
		.is_pci = i->is_pci, .pci = i->pci, .rid = i->rid, .mmio = i->mmio
	};
	char place[TOPOLOGY_PLACE];
	unsigned int behind = 0;

	for (unsigned int e = 0; e < p->nr_endpoints; e++)
		behind += p->endpoints[e].iommu == nr;
	fprintf(to, "  %s: %s", i->name, topology_kind(i));
	if (i->kind == PLATFORM_IOMMU_SMMUV3) {
		print_smmu(i, to);
		if (i->host)
			fprintf(to, ", by the host's %s", *i->host ? i->host : "SMMU");
	} else {
		topology_place(p, &self, place);
		fprintf(to, " at %s", place);
	}
	fprintf(to, "; %u behind it\n", behind);
	topology_unmappable(i, "    ", "\n", to);
}

/* Addresses that DMA finds at themselves, and who does. */
static void print_reserved(const struct platform *p, unsigned int nr, FILE *to)
{
	const struct platform_reserved *r = &p->reserved[nr];
	char place[TOPOLOGY_PLACE];

	fprintf(to, "  0x%llx-0x%llx: %s, as it is, of", ull(r->base), ull(r->base + r->size - 1),
	        topology_reserved(r));
	for (unsigned int i = 0; i < p->nr_functions; i++) {
		const struct platform_endpoint *e = topology_endpoint(p, &p->functions[i]);

		if (!e || !(e->reserved >> nr & 1))
			continue;
		topology_place(p, &p->functions[i], place);
		fprintf(to, " %s", place);
	}
	fprintf(to, "\n");
}

static void print_frame(const struct platform_msi_frame *f, FILE *to)
{
	fprintf(to, f->kind == PLATFORM_MSI_ITS ? "ITS" : "GICv2m frame");
	fprintf(to, " at 0x%llx, doorbell 0x%llx", ull(f->base), ull(f->doorbell));
	if (f->nr_spis)
		fprintf(to, ", SPI %u-%u", f->first_spi, f->first_spi + f->nr_spis - 1);
	fprintf(to, "\n");
}

static void print_board(const struct platform *p, FILE *to)
{
	fprintf(to, "%u CPU%s, ", p->nr_cpus, p->nr_cpus > 1 ? "s" : "");
	print_size(p->ram.size, to);
	fprintf(to, " of RAM at 0x%llx, GICv%u\n", ull(p->ram.base), p->gic.version);
	for (unsigned int i = 0; i < p->nr_msi_frames; i++)
		print_frame(&p->msi_frames[i], to);
	fprintf(to, "console: %s\n", p->no_uart_console ? "virtio" : "UART");
}

int topology_text(const struct platform *p, FILE *to)
{
	print_board(p, to);
	for (unsigned int i = 0; i < p->nr_pci; i++)
		print_segment(p, i, to);
	print_mmio(p, to);
	if (p->nr_iommus)
		fprintf(to, "\nIOMMUs\n");
	for (unsigned int i = 0; i < p->nr_iommus; i++)
		print_iommu(p, i, to);
	if (p->nr_reserved)
		fprintf(to, "\nreserved\n");
	for (unsigned int i = 0; i < p->nr_reserved; i++)
		print_reserved(p, i, to);
	return 0;
}
