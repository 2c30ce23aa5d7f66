// SPDX-License-Identifier: GPL-2.0-only
/* --iommu, and which device is behind which: virtio-iommus, their endpoints, what the guest is
 * told. */
#include "machine/iommu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/pci/pci.h"
#include "devices/virtio/iommu.h"
#include "machine/keys.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "vmm/arm64/gic.h"

/* Endpoint IDs: a function's is its requester ID behind its segment's index. */
#define MMIO_ID_BASE (PLATFORM_SEGMENTS << 16)

/* Of every interrupt controller that has a doorbell. */
#define DOORBELL_PAGE ALIGN_DOWN(GIC_ITS_DOORBELL, 4096)
_Static_assert(DOORBELL_PAGE == ALIGN_DOWN(GIC_V2M_DOORBELL, 4096), "the same page");

int iommu_index(const struct options *o, const char *id)
{
	for (unsigned int i = 0; i < o->nr_iommus; i++)
		if (!strcmp(o->iommus[i].id, id))
			return i;
	return -1;
}

/* One of two words; false: neither. */
static bool choose(const char *word, const char *no, const char *yes, bool *choice)
{
	if (!word)
		return true;
	*choice = !strcmp(word, yes);
	return *choice || !strcmp(word, no);
}

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

/* FIRST-LAST:FIRST-LAST... */
static const char *parse_reserved(struct iommu_option *o, char *text)
{
	char *word;

	while ((word = strsep(&text, ":"))) {
		struct iommu_range *r = &o->reserved[o->nr_reserved];

		if (o->nr_reserved == MAX_RESERVED)
			return "reserved=, at most 8 ranges";
		if (parse_range(word, ~0ULL, &r->first, &r->last))
			return "reserved=FIRST-LAST[:FIRST-LAST...], both included";
		for (unsigned int i = 0; i < o->nr_reserved; i++)
			if (r->first <= o->reserved[i].last && o->reserved[i].first <= r->last)
				return "reserved= ranges that do not overlap";
		o->nr_reserved++;
	}
	return NULL;
}

/* 5.13.6.8.1.2: no two properties of an endpoint overlap, and the doorbell's page is one. */
static bool is_beside_doorbell(const struct iommu_option *o)
{
	for (unsigned int i = 0; i < o->nr_reserved && !o->msi_translate; i++)
		if (o->reserved[i].first <= (DOORBELL_PAGE | 4095) &&
		    o->reserved[i].last >= DOORBELL_PAGE)
			return false;
	return true;
}

/* The words of a --iommu, as they were given. */
struct words {
	const char *type, *msi, *bypass, *transport, *input, *domains, *reserved, *experimental;
};

struct parsed {
	struct iommu_option option;
	struct words words;
};

#define OPTION(name, kind, field, min, max)                                 \
	{                                                                   \
		name, kind, offsetof(struct parsed, option.field), min, max \
	}
#define WORD(name)                                                         \
	{                                                                  \
#name, KEY_TEXT, offsetof(struct parsed, words.name), 0, 0 \
	}
static const struct key keys[] = {
	WORD(type),
	OPTION("segment", KEY_NUMBER, place.segment, 0, 0xffff),
	WORD(transport),
	WORD(msi),
	WORD(bypass),
	OPTION("granule", KEY_NUMBER, granule, 1, 1 << 16),
	WORD(input),
	WORD(domains),
	WORD(reserved),
	WORD(experimental),
	OPTION("mappings", KEY_NUMBER, max_mappings, 1, 1ULL << 32),
};

static const char *check_words(struct parsed *p)
{
	struct iommu_option *o = &p->option;
	const struct words *w = &p->words;
	const char *expected;

	if (!w->type || strcmp(w->type, "virtio"))
		return "type=virtio";
	o->has_transport = w->transport;
	if (!choose(w->transport, "pci", "mmio", &o->mmio))
		return "transport=pci or transport=mmio";
	if (!choose(w->msi, "bypass", "translate", &o->msi_translate))
		return "msi=bypass or msi=translate";
	if (!choose(w->bypass, "off", "on", &o->bypass))
		return "bypass=on or bypass=off";
	o->page_requests = w->experimental;
	if (w->experimental && strcmp(w->experimental, "page-request"))
		return "experimental=page-request";
	if (o->granule & (o->granule - 1))
		return "granule=N, a power of two";
	expected = parse_range(w->input, ~0ULL, &o->input.first, &o->input.last);
	if (!expected)
		expected = parse_range(w->domains, ~0u, &o->domains.first, &o->domains.last);
	if (!expected && w->reserved)
		expected = parse_reserved(o, (char *)w->reserved);
	if (!expected && !is_beside_doorbell(o))
		return "reserved= ranges beside the doorbell's page at 0x8000000, or msi=translate";
	return expected;
}

const char *iommu_option_take(struct options *o, char *val)
{
	struct parsed p = {
		.option = {
			.id = val,
			.bypass = true,
			.granule = 4096,
			.input.last = ~0ULL,
			.domains.last = ~0u,
			.max_mappings = 1 << 20,
		},
	};
	struct iommu_option *slot = &o->iommus[o->nr_iommus];
	const char *expected;
	char *rest;

	if (o->nr_iommus == PLATFORM_IOMMUS)
		return "at most 16 IOMMUs";
	rest = keys_rest(val);
	if (!*val || !rest)
		return "ID,type=virtio[,KEY...]";
	if (!strcmp(val, "none") || !strcmp(val, "auto") || iommu_index(o, val) >= 0)
		return "an ID that no other IOMMU has, and neither none nor auto";
	expected = keys_parse(rest, keys, ARRAY_SIZE(keys), &p, o->why, sizeof(o->why));
	if (!expected)
		expected = check_words(&p);
	if (expected)
		return expected;
	*slot = p.option;
	slot->place.mmio = slot->has_transport && slot->mmio;
	slot->place.pci = slot->has_transport && !slot->mmio;
	o->nr_iommus++;
	return place_claim(o, "iommu", slot->id, &slot->place);
}

static void destroy(void *dev)
{
	viommu_destroy(dev);
}

static struct viommu_range range(const struct iommu_range *r)
{
	return (struct viommu_range){ r->first, r->last };
}

/* The page with the doorbell; a machine without one needs no window. */
static void set_msi(const struct platform *p, const struct iommu_option *o, struct viommu_config *c)
{
	const struct platform_msi_frame *f = &p->msi_frames[0];

	c->msi_window = !o->msi_translate && p->nr_msi_frames;
	if (c->msi_window)
		c->msi = (struct viommu_range){ ALIGN_DOWN(f->doorbell, 4096), f->doorbell | 4095 };
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
	};
	int err;

	for (unsigned int r = 0; r < o->nr_reserved; r++)
		c.reserved[r] = range(&o->reserved[r]);
	set_msi(&m->platform, o, &c);
	err = viommu_create(&m->iommus[i], &m->vm.dma, &m->log, &c);
	if (!err)
		err = machine_own(m, destroy, m->iommus[i]);
	return err ? err : machine_add_iommu(m, i);
}

int iommus_create(struct machine *m)
{
	int err = 0;

	for (unsigned int i = 0; i < m->options->nr_iommus && !err; i++)
		err = create(m, i);
	return err;
}

int machine_dma(struct machine *m, const struct place *place, struct dma_space **dma)
{
	struct endpoint *e = &m->endpoints[m->nr_endpoints];
	int err;

	*dma = &m->vm.dma;
	if (!place->iommu || !strcmp(place->iommu, "none"))
		return 0;
	*e = (struct endpoint){ .place = place, .iommu = iommu_index(m->options, place->iommu) };
	err = viommu_add_endpoint(m->iommus[e->iommu], &e->viommu);
	if (err)
		return err;
	m->nr_endpoints++;
	*dma = viommu_endpoint_dma(e->viommu);
	return 0;
}

static struct endpoint *endpoint_at(struct machine *m, const struct place *place)
{
	for (unsigned int i = 0; i < m->nr_endpoints; i++)
		if (m->endpoints[i].place == place)
			return &m->endpoints[i];
	return NULL;
}

/* The guest may number its buses anew, and then IDs follow. */
static u32 endpoint_id(const void *ctx)
{
	const struct endpoint *e = ctx;

	return e->func ? e->segment << 16 | pci_rid(e->func) : MMIO_ID_BASE + e->slot;
}

void machine_endpoint_is_pci(struct machine *m, const struct place *place, struct pci_func *f,
                             unsigned int segment)
{
	struct endpoint *e = endpoint_at(m, place);

	if (!e)
		return;
	e->func = f;
	e->segment = segment;
	viommu_identify(e->viommu, endpoint_id, e);
}

void machine_endpoint_is_mmio(struct machine *m, const struct place *place, unsigned int slot)
{
	struct endpoint *e = endpoint_at(m, place);

	if (!e)
		return;
	e->slot = slot;
	viommu_identify(e->viommu, endpoint_id, e);
}

void iommus_describe(struct machine *m)
{
	struct platform *p = &m->platform;

	for (unsigned int i = 0; i < m->nr_endpoints; i++) {
		const struct endpoint *e = &m->endpoints[i];

		p->endpoints[p->nr_endpoints++] = (struct platform_endpoint){
			.iommu = e->iommu,
			.id = endpoint_id(e),
			.is_pci = e->func,
			.pci = e->segment,
			.rid = e->func ? pci_rid(e->func) : 0,
			.mmio = e->slot,
		};
	}
}
