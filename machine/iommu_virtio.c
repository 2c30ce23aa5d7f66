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
static const struct iommu_range doorbell_page = { ALIGN_DOWN(GIC_ITS_DOORBELL, 4096),
	                                          GIC_ITS_DOORBELL | 4095 };
_Static_assert(GIC_ITS_DOORBELL == GIC_V2M_DOORBELL, "the same page");

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

/* 5.13.6.8.1.2: no two properties of an endpoint overlap. */
static const char *check_reserved(struct iommu_parsed *p, const struct iommu_range *r)
{
	const struct iommu_option *o = &p->option;

	if (o->has_host_msi && overlap(r, &o->host_msi))
		return refuse(p, "reserved=0x%llx-0x%llx beside host-msi=0x%llx-0x%llx", r,
		              &o->host_msi);
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

/* Where messages are not translated; without --msi-window no more than it takes. */
static const struct iommu_range *window(const struct options *o)
{
	return o->msi_window_said ? &o->msi_window : &doorbell_page;
}

/* @format: the IOMMU, its range, the other one. */
static bool say(const char *format, const struct iommu_option *i, const struct iommu_range *a,
                const struct iommu_range *b)
{
	log_error(format, i->id, (unsigned long long)a->first, (unsigned long long)a->last,
	          (unsigned long long)b->first, (unsigned long long)b->last);
	return false;
}

/* The window is a property too, or, where doorbells are mapped there, to be mapped. */
static bool check(const struct options *o, struct iommu_option *i)
{
	const struct iommu_range *w = window(o);

	if (o->msi_window_said && i->has_host_msi)
		return say("--iommu %s,host-msi=0x%llx-0x%llx: expected none beside --msi-window, "
		           "which is 0x%llx-0x%llx",
		           i, &i->host_msi, w);
	if (o->msi_window_said && i->msi_translate && !is_within(w, &i->input))
		return say("--iommu %s,input=0x%llx-0x%llx: expected --msi-window, where "
		           "msi=translate maps, within it: 0x%llx-0x%llx",
		           i, &i->input, w);
	for (unsigned int n = 0; n < i->nr_reserved; n++)
		if ((o->msi_window_said || !i->msi_translate) && overlap(&i->reserved[n], w))
			return say("--iommu %s,reserved=0x%llx-0x%llx: expected it beside "
			           "0x%llx-0x%llx, where doorbells are",
			           i, &i->reserved[n], w);
	return true;
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

/* The doorbell has a place in the window: its own, or the first that there is. */
static void set_window(const struct iommu_range *w, struct viommu_config *c)
{
	c->msi_window = true;
	c->msi = range(w);
	if (!is_within(&doorbell_page, w))
		c->msi_move = doorbell_page.first - w->first;
}

/* A machine without a doorbell needs no window. */
static void set_msi(const struct machine *m, const struct iommu_option *o, struct viommu_config *c)
{
	const bool has_doorbell = m->platform.nr_msi_frames;

	if (has_doorbell && !o->msi_translate)
		set_window(window(m->options), c);
	if (has_doorbell) { /* what is mapped is whole granules */
		c->doorbell.first = ALIGN_DOWN(doorbell_page.first, o->granule);
		c->doorbell.last = doorbell_page.last | (o->granule - 1);
	}
	c->host_window = o->msi_translate && (o->has_host_msi || m->options->msi_window_said);
	c->host_msi = range(o->has_host_msi ? &o->host_msi : &m->options->msi_window);
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
	set_msi(m, o, &c);
	if (!o->msi_translate && o->has_host_msi)
		reserve_host_msi(&o->host_msi, &c);
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

static void set_patience(struct machine *m, void *endpoint, u64 ms)
{
	viommu_set_patience(endpoint, m->vm.loop, &m->vm, ms);
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
	.check = check,
	.create = create,
	.add_endpoint = add_endpoint,
	.endpoint_dma = endpoint_dma,
	.identify = identify,
	.set_patience = set_patience,
	.id_bits = id_bits,
};
