// SPDX-License-Identifier: GPL-2.0-only
/* --iommu ID,type=virtio: virtio-iommus. */
#include <stdio.h>
#include <string.h>

#include "devices/virtio/iommu.h"
#include "machine/iommu_host.h"
#include "machine/iommu_kind.h"
#include "machine/machine.h"
#include "vmm/arm64/gic.h"

/* Of every interrupt controller that has a doorbell. */
#define DOORBELL_PAGE ALIGN_DOWN(GIC_ITS_DOORBELL, 4096)
_Static_assert(DOORBELL_PAGE == ALIGN_DOWN(GIC_V2M_DOORBELL, 4096), "the same page");

/* FIRST-LAST */
static const char *parse_range(const char *text, u64 max, u64 *first, u64 *last)
{
	const char *rest;

	if (!text)
		return NULL;
	if (parse_number(text, first, &rest) && *rest == '-' &&
	    parse_number(rest + 1, last, &rest) && !*rest && *first <= *last && *last <= max)
		return NULL;
	return "FIRST-LAST, both included";
}

static bool overlap(const struct iommu_range *a, const struct iommu_range *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static bool is_within(const struct iommu_range *a, const struct iommu_range *b)
{
	return a->first >= b->first && a->last <= b->last;
}

/* Two ranges that contradict each other. */
static const char *refuse(struct iommu_parsed *p, const char *format, const struct iommu_range *a,
                          const struct iommu_range *b)
{
	snprintf(p->why, p->why_len, format, (unsigned long long)a->first,
	         (unsigned long long)a->last, (unsigned long long)b->first,
	         (unsigned long long)b->last);
	return p->why;
}

/* FIRST-LAST:FIRST-LAST... */
static const char *parse_reserved(struct iommu_parsed *p, char *text)
{
	struct iommu_option *o = &p->option;
	char *word;

	while ((word = strsep(&text, ":"))) {
		struct iommu_range *r = &o->reserved[o->nr_reserved];

		if (o->nr_reserved == MAX_RESERVED)
			return "reserved=, at most 8 ranges";
		if (parse_range(word, ~0ULL, &r->first, &r->last))
			return "reserved=FIRST-LAST[:FIRST-LAST...], both included";
		for (unsigned int i = 0; i < o->nr_reserved; i++)
			if (overlap(r, &o->reserved[i]))
				return refuse(p,
				              "reserved= ranges that do not overlap, as "
				              "0x%llx-0x%llx and 0x%llx-0x%llx do",
				              &o->reserved[i], r);
		o->nr_reserved++;
	}
	return NULL;
}

/* 5.13.6.8.1.2: no two properties of an endpoint overlap, and the doorbell's page is one. */
static const char *check_reserved(struct iommu_parsed *p, const struct iommu_range *r)
{
	static const struct iommu_range doorbell = { DOORBELL_PAGE, DOORBELL_PAGE | 4095 };
	const struct iommu_option *o = &p->option;

	if (o->has_host_msi && overlap(r, &o->host_msi))
		return refuse(p, "reserved=0x%llx-0x%llx beside host-msi=0x%llx-0x%llx", r,
		              &o->host_msi);
	if (!o->msi_translate && overlap(r, &doorbell))
		return refuse(p,
		              "reserved=0x%llx-0x%llx beside the doorbell's page at "
		              "0x%llx-0x%llx, or msi=translate",
		              r, &doorbell);
	if (is_within(&o->input, r))
		return refuse(p,
		              "reserved=0x%llx-0x%llx to leave something of "
		              "input=0x%llx-0x%llx",
		              r, &o->input);
	return NULL;
}

/* Where the host's doorbells are to be mapped, a mapping must be possible. */
static const char *check_ranges(struct iommu_parsed *p)
{
	const struct iommu_option *o = &p->option;
	const char *expected = NULL;

	for (unsigned int i = 0; i < o->nr_reserved && !expected; i++)
		expected = check_reserved(p, &o->reserved[i]);
	if (!expected && o->has_host_msi && o->msi_translate && !is_within(&o->host_msi, &o->input))
		expected = refuse(p,
		                  "host-msi=0x%llx-0x%llx, where msi=translate maps, within "
		                  "input=0x%llx-0x%llx",
		                  &o->host_msi, &o->input);
	return expected;
}

/* NAME[:NAME...], as with reserved= */
static const char *parse_experimental(struct iommu_option *o, char *text)
{
	char *word;

	while ((word = strsep(&text, ":"))) {
		if (!strcmp(word, "page-request") && !o->page_requests)
			o->page_requests = true;
		else if (!strcmp(word, "attach-table") && !o->attach_table)
			o->attach_table = true;
		else
			return "experimental=page-request, attach-table or page-request:attach-table";
	}
	return NULL;
}

static const struct key keys[] = {
	IOMMU_WORD("type", type),
	IOMMU_WORD("buses", buses),
	IOMMU_NUMBER("segment", place.segment, 0, 0xffff),
	IOMMU_WORD("transport", transport),
	IOMMU_WORD("msi", msi),
	IOMMU_WORD("bypass", bypass),
	IOMMU_NUMBER("granule", granule, 1, 1 << 16),
	IOMMU_WORD("input", input),
	IOMMU_WORD("domains", domains),
	IOMMU_WORD("reserved", reserved),
	IOMMU_WORD("host-msi", host_msi),
	IOMMU_WORD("experimental", experimental),
	IOMMU_NUMBER("mappings", max_mappings, 1, 1ULL << 32),
};

static void init(struct iommu_option *o)
{
	o->bypass = true;
	o->granule = 4096;
	o->input.last = ~0ULL;
	o->domains.last = ~0u;
	o->max_mappings = 1 << 20;
}

static const char *finish(struct iommu_parsed *p)
{
	struct iommu_option *o = &p->option;
	const struct iommu_words *w = &p->words;
	const char *expected;

	o->has_transport = w->transport;
	if (!keys_choose(w->transport, "pci", "mmio", &o->mmio))
		return "transport=pci or transport=mmio";
	if (!keys_choose(w->msi, "bypass", "translate", &o->msi_translate))
		return "msi=bypass or msi=translate";
	if (!keys_choose(w->bypass, "off", "on", &o->bypass))
		return "bypass=on or bypass=off";
	expected = parse_experimental(o, (char *)w->experimental);
	if (expected)
		return expected;
	if (o->granule & (o->granule - 1))
		return "granule=N, a power of two";
	expected = parse_range(w->input, ~0ULL, &o->input.first, &o->input.last);
	if (!expected)
		expected = parse_range(w->domains, ~0u, &o->domains.first, &o->domains.last);
	if (!expected)
		expected = parse_range(w->host_msi, ~0ULL, &o->host_msi.first, &o->host_msi.last);
	o->has_host_msi = w->host_msi;
	if (!expected && w->reserved)
		expected = parse_reserved(p, (char *)w->reserved);
	if (!expected)
		expected = check_ranges(p);
	o->place.mmio = o->has_transport && o->mmio;
	o->place.pci = o->has_transport && !o->mmio;
	return expected;
}

static void destroy(void *dev)
{
	viommu_destroy(dev);
}

static struct viommu_range range(const struct iommu_range *r)
{
	return (struct viommu_range){ r->first, r->last };
}

static void reserve(struct viommu_config *c, u64 first, u64 last)
{
	if (first <= last)
		c->reserved[c->nr_reserved++] = (struct viommu_range){ first, last };
}

/* What devices of the host's cannot reach is reserved, but for the page that is a property already.
 */
static void reserve_host_msi(const struct iommu_range *r, struct viommu_config *c)
{
	const bool split = c->msi_window && r->first <= c->msi.last && c->msi.first <= r->last;

	if (!split) {
		reserve(c, r->first, r->last);
		return;
	}
	if (r->first < c->msi.first)
		reserve(c, r->first, c->msi.first - 1);
	if (r->last > c->msi.last)
		reserve(c, c->msi.last + 1, r->last);
}

/* The page with the doorbell; a machine without one needs no window. */
static void set_msi(const struct platform *p, const struct iommu_option *o, struct viommu_config *c)
{
	const struct platform_msi_frame *f = &p->msi_frames[0];
	const struct viommu_range doorbell = { ALIGN_DOWN(f->doorbell, 4096), f->doorbell | 4095 };

	c->msi_window = !o->msi_translate && p->nr_msi_frames;
	if (c->msi_window)
		c->msi = doorbell;
	if (p->nr_msi_frames) { /* what is mapped is whole granules */
		c->doorbell.first = ALIGN_DOWN(doorbell.first, o->granule);
		c->doorbell.last = doorbell.last | (o->granule - 1);
	}
	c->host_window = o->msi_translate && o->has_host_msi;
	c->host_msi = range(&o->host_msi);
	if (!o->msi_translate && o->has_host_msi)
		reserve_host_msi(&o->host_msi, c);
}

/*
 * The granule, and the blocks of a VMSAv8-64 table with it. Linux sends a MAP for each step from
 * one size to the next (__iommu_map), so a mask of all powers of two would cut a buffer of 28 KiB
 * into three.
 */
static u64 page_sizes(u64 granule)
{
	static const struct {
		u64 granule, blocks;
	} sizes[] = {
		{ 4 << 10, 2 << 20 | 1 << 30 },
		{ 16 << 10, 32 << 20 },
		{ 64 << 10, 512 << 20 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i].granule == granule)
			return granule | sizes[i].blocks;
	return granule;
}

/* What its driver is told that it cannot map. */
static void note(struct platform_iommu *p, const struct viommu_config *c)
{
	for (unsigned int r = 0; r < c->nr_reserved; r++) {
		p->unmappable[r].first = c->reserved[r].first;
		p->unmappable[r].last = c->reserved[r].last;
	}
	p->nr_unmappable = c->nr_reserved;
	if (!c->msi_window)
		return;
	p->unmappable[p->nr_unmappable].first = c->msi.first;
	p->unmappable[p->nr_unmappable].last = c->msi.last;
	p->unmappable[p->nr_unmappable++].is_msi = true;
}

static int create(struct machine *m, unsigned int i)
{
	const struct iommu_option *o = &m->options->iommus[i];
	struct viommu_config c = {
		.page_size_mask = page_sizes(o->granule),
		.input = range(&o->input),
		.first_domain = o->domains.first,
		.last_domain = o->domains.last,
		.bypass = o->bypass,
		.nr_reserved = o->nr_reserved,
		.max_mappings = o->max_mappings,
		.page_requests = o->page_requests,
		.attach_table = o->attach_table,
	};
	struct virtio_dev *dev;
	int err;

	for (unsigned int r = 0; r < o->nr_reserved; r++)
		c.reserved[r] = range(&o->reserved[r]);
	set_msi(&m->platform, o, &c);
	err = iommu_host_narrow(m, i, &c);
	if (err)
		return err;
	note(&m->platform.iommus[i], &c);
	err = viommu_create(&dev, &m->vm.dma, &m->log, &c);
	if (err)
		return err;
	m->iommus[i] = dev;
	machine_own(m, destroy, dev);
	return machine_add_viommu(m, dev, i);
}

static int add_endpoint(void *iommu, void **endpoint)
{
	struct viommu_endpoint *e;
	int err = viommu_add_endpoint(iommu, &e);

	*endpoint = e;
	return err;
}

static struct dma_space *endpoint_dma(void *endpoint)
{
	return viommu_endpoint_dma(endpoint);
}

static void identify(void *endpoint, u32 (*id)(const void *ctx), const void *ctx)
{
	viommu_identify(endpoint, id, ctx);
}

static unsigned int id_bits(const struct iommu_option *o)
{
	(void)o;
	return 32;
}

const struct iommu_kind iommu_virtio = {
	.type = "virtio",
	.keys = keys,
	.nr_keys = ARRAY_SIZE(keys),
	.has_place = true,
	.init = init,
	.finish = finish,
	.create = create,
	.add_endpoint = add_endpoint,
	.endpoint_dma = endpoint_dma,
	.identify = identify,
	.id_bits = id_bits,
};
