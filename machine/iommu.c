// SPDX-License-Identifier: GPL-2.0-only
/* --iommu, and which device is behind which: IOMMUs of any kind, their endpoints, what the guest is
 * told. */
#include "machine/iommu.h"

#include <stdio.h>
#include <string.h>

#include "devices/pci/pci.h"
#include "machine/iommu_kind.h"
#include "machine/machine.h"
#include "machine/msi_window.h"
#include "machine/place.h"
#include "machine/status.h"
#include "vmm/log.h"

/*
 * Endpoint IDs: a function's is its requester ID behind its segment's index; a slot's is behind
 * those of all segments, where 0x80000 is.
 */
#define LEAST_MMIO_BASE 0x80000

static u32 mmio_id_base(const struct options *o)
{
	const u32 end = o->nr_segments << 16;

	return end > LEAST_MMIO_BASE ? end : LEAST_MMIO_BASE;
}

u32 iommus_last_id(const struct options *o)
{
	return mmio_id_base(o) + PLATFORM_VIRTIO_MMIO - 1;
}

static const struct iommu_kind *const kinds[] = { &iommu_virtio, &iommu_smmuv3 };

int iommu_index(const struct options *o, const char *id)
{
	for (unsigned int i = 0; i < o->nr_iommus; i++)
		if (!strcmp(o->iommus[i].id, id))
			return i;
	return -1;
}

bool iommu_can_assign(const struct options *o, unsigned int i)
{
	return o->iommus[i].kind == &iommu_virtio || o->iommus[i].accel != ACCEL_OFF;
}

static const struct iommu_kind *kind_of(const char *type, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i]->type) == len && !strncmp(kinds[i]->type, type, len))
			return kinds[i];
	return NULL;
}

/* By the first type=; what the other words mean depends on it. */
static const struct iommu_kind *find_kind(const char *words)
{
	static const char type[] = "type=";
	const size_t skip = strlen(type);

	while (strncmp(words, type, skip)) {
		words = strchr(words, ',');
		if (!words)
			return NULL;
		words++;
	}
	return kind_of(words + skip, strcspn(words + skip, ","));
}

static bool has_key(const struct iommu_kind *kind, const char *word, size_t len)
{
	for (size_t i = 0; i < kind->nr_keys; i++)
		if (strlen(kind->keys[i].name) == len && !strncmp(kind->keys[i].name, word, len))
			return true;
	return kind->take_field && memchr(word, '.', len);
}

/* A key that only another kind has is refused by name. */
static const char *refuse_other(struct options *o, const struct iommu_kind *kind, const char *word)
{
	const size_t len = strcspn(word, "=");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (has_key(kind, word, len) || !has_key(kinds[i], word, len))
			continue;
		snprintf(o->why, sizeof(o->why), "%.*s= with type=%s only", (int)len, word,
		         kinds[i]->type);
		return o->why;
	}
	return NULL;
}

/* A key that somebody may look for, by either name. */
static const char *refuse_vcmdq(const struct iommu_kind *kind, const char *word)
{
	const size_t len = strcspn(word, "=");

	if (kind != &iommu_smmuv3 || len != 5 ||
	    (strncmp(word, "vcmdq", 5) && strncmp(word, "cmdqv", 5)))
		return NULL;
	return "no vCMDQ, which is left out: no guest has a command queue of the host's";
}

static const char *take_word(struct options *o, struct iommu_parsed *p, char *word)
{
	const struct iommu_kind *kind = p->option.kind;
	const char *expected = refuse_other(o, kind, word);
	char *val = strchr(word, '=');

	if (!expected)
		expected = refuse_vcmdq(kind, word);
	if (expected)
		return expected;
	if (!kind->take_field || !memchr(word, '.', strcspn(word, "=")))
		return keys_parse(word, kind->keys, kind->nr_keys, p, o->why, sizeof(o->why));
	if (val)
		*val++ = 0;
	return kind->take_field(&p->option, word, val);
}

static const char *take_words(struct options *o, struct iommu_parsed *p, char *words)
{
	const char *expected = keys_contradiction(words, o->why, sizeof(o->why));
	char *word;

	while (!expected && (word = strsep(&words, ",")))
		expected = take_word(o, p, word);
	if (!expected)
		expected = iommu_buses_take(p);
	return expected ? expected : p->option.kind->finish(p);
}

const char *iommu_option_take(struct options *o, char *val)
{
	struct iommu_parsed p = { .option.id = val, .why = o->why, .why_len = sizeof(o->why) };
	struct iommu_option *slot = &o->iommus[o->nr_iommus];
	const char *expected;
	char *rest;

	if (o->nr_iommus == PLATFORM_IOMMUS)
		return "at most 16 IOMMUs";
	rest = keys_rest(val);
	if (!*val || !rest)
		return "ID,type=virtio|smmuv3[,KEY...]";
	if (!strcmp(val, "none") || !strcmp(val, "auto") || iommu_index(o, val) >= 0)
		return "an ID that no other IOMMU has, and neither none nor auto";
	p.option.kind = find_kind(rest);
	if (!p.option.kind)
		return "type=virtio or type=smmuv3";
	p.option.kind->init(&p.option);
	expected = take_words(o, &p, rest);
	if (expected)
		return expected;
	*slot = p.option;
	o->nr_iommus++;
	return slot->kind->has_place ? place_claim(o, "iommu", slot->id, &slot->place) : NULL;
}

bool iommus_check(struct options *o)
{
	for (unsigned int i = 0; i < o->nr_iommus; i++) {
		struct iommu_option *iommu = &o->iommus[i];

		if (iommu->kind->check && !iommu->kind->check(o, iommu))
			return false;
	}
	return true;
}

bool iommus_check_stalls(const struct options *o)
{
	for (unsigned int i = 0; i < o->nr_claims; i++) {
		const struct claim *c = &o->claims[i];
		const int n = iommu_of(o, c->place);
		const struct iommu_option *iommu = n < 0 ? NULL : &o->iommus[n];

		if (!c->place->stalls ||
		    (iommu && iommu->kind->stalls && iommu->kind->stalls(iommu)))
			continue;
		log_error("--%s stall,iommu=%s: expected an --iommu of type=smmuv3, with "
		          "idr0.stall_model=0 or 2",
		          c->option, iommu ? iommu->id : "none");
		return false;
	}
	return true;
}

int iommus_create(struct machine *m)
{
	int err = 0;

	memcpy(m->iommu_options, m->options->iommus, sizeof(m->iommu_options));
	for (unsigned int i = 0; i < m->options->nr_iommus && !err; i++)
		err = m->options->iommus[i].kind->create(m, i);
	return err;
}

static const struct iommu_kind *kind_behind(const struct machine *m, const struct endpoint *e)
{
	return m->options->iommus[e->iommu].kind;
}

int machine_dma(struct machine *m, const struct place *place, struct dma_space **dma)
{
	struct endpoint *e = &m->endpoints[m->nr_endpoints];
	const int iommu = iommu_of(m->options, place);
	int err;

	*dma = &m->vm.dma;
	if (iommu < 0)
		return 0;
	*e = (struct endpoint){ .place = place, .iommu = iommu };
	err = kind_behind(m, e)->add_endpoint(m->iommus[e->iommu], &e->behind);
	if (err)
		return err;
	m->nr_endpoints++;
	*dma = kind_behind(m, e)->endpoint_dma(e->behind);
	return 0;
}

static struct endpoint *endpoint_at(struct machine *m, const struct place *place)
{
	for (unsigned int i = 0; i < m->nr_endpoints; i++)
		if (m->endpoints[i].place == place)
			return &m->endpoints[i];
	return NULL;
}

void machine_set_patience(struct machine *m, const struct place *place, u64 ms)
{
	const struct endpoint *e = endpoint_at(m, place);

	if (e)
		kind_behind(m, e)->set_patience(m, e->behind, ms);
}

void *machine_behind(struct machine *m, const struct place *place)
{
	struct endpoint *e = endpoint_at(m, place);

	return e ? e->behind : NULL;
}

void machine_stalls(struct machine *m, const struct place *place)
{
	endpoint_at(m, place)->stalls = true;
}

/* The guest may number its buses anew, and then IDs follow. */
static u32 endpoint_id(const void *ctx)
{
	const struct endpoint *e = ctx;

	return e->func ? e->segment << 16 | pci_rid(e->func) : e->mmio_id;
}

void machine_endpoint_is_pci(struct machine *m, const struct place *place, struct pci_func *f,
                             unsigned int segment)
{
	struct endpoint *e = endpoint_at(m, place);

	if (!e)
		return;
	e->func = f;
	e->segment = segment;
	kind_behind(m, e)->identify(e->behind, endpoint_id, e);
}

void machine_endpoint_is_mmio(struct machine *m, const struct place *place, unsigned int slot)
{
	struct endpoint *e = endpoint_at(m, place);

	if (!e)
		return;
	e->slot = slot;
	e->mmio_id = mmio_id_base(m->options) + slot;
	kind_behind(m, e)->identify(e->behind, endpoint_id, e);
}

/* Of an --iommu, one that knows no IDs of so many bits; whose it is, as the user said it. */
static bool id_fits(const struct machine *m, const struct endpoint *e)
{
	const struct options *o = m->options;
	const struct iommu_option *i = &m->iommu_options[e->iommu];
	const struct claim *c = o->claims;
	const u32 id = endpoint_id(e);

	if (!((u64)id >> i->kind->id_bits(i)))
		return true;
	while (c < &o->claims[o->nr_claims - 1] && c->place != e->place)
		c++;
	log_error("--iommu %s,idr1.sidsize=%u: expected at least %u, for the StreamID 0x%x of "
	          "--%s%s%s",
	          i->id, i->kind->id_bits(i), 32 - __builtin_clz(id), id, c->option,
	          *c->value ? " " : "", c->value);
	return false;
}

/* A host bridge passes on to an IOMMU what that answers, translation and page requests, and PASIDs
 * that it knows. */
static void pass_requests_on(struct machine *m, const struct endpoint *e)
{
	const struct iommu_kind *kind = kind_behind(m, e);
	const struct iommu_option *o = &m->iommu_options[e->iommu];
	struct platform_pci *p = &m->platform.pci[e->segment];

	if (e->func && kind->translates && kind->translates(o))
		p->ats = true;
	if (e->func && kind->takes_pages && kind->takes_pages(o))
		p->pri = true;
	if (e->func && kind->pasid_bits && kind->pasid_bits(o) > p->pasid_bits)
		p->pasid_bits = kind->pasid_bits(o);
}

/* A bit for each range that is there for it. */
static u32 reserved_for(struct machine *m, const struct endpoint *e)
{
	const struct iommu_kind *kind = kind_behind(m, e);
	const struct iommu_option *o = &m->options->iommus[e->iommu];

	if (!e->func || !kind->tells_msi_window || !kind->tells_msi_window(m->options, o))
		return 0;
	return msi_window_reserved(m);
}

/* What is emulated has no accesses that are past the caches; of what is assigned the host's
 * firmware says it. That is told of segments with something behind an SMMU, which is who may be
 * asked. */
static void describe_canwbs(struct machine *m)
{
	struct platform *p = &m->platform;

	for (unsigned int i = 0; i < p->nr_endpoints; i++) {
		const struct platform_endpoint *e = &p->endpoints[i];

		if (e->is_pci && p->iommus[e->iommu].kind == PLATFORM_IOMMU_SMMUV3)
			p->pci[e->pci].canwbs = !p->pci[e->pci].noncoherent;
	}
	for (unsigned int i = 0; i < m->options->nr_vfio; i++)
		if (!m->host_canwbs)
			p->pci[machine_segment(m, &m->options->vfio[i].place)].canwbs = false;
}

int iommus_describe(struct machine *m)
{
	struct platform *p = &m->platform;

	for (unsigned int i = 0; i < m->nr_endpoints; i++) {
		const struct endpoint *e = &m->endpoints[i];

		if (!id_fits(m, e))
			return STATUS_USAGE;
		pass_requests_on(m, e);
		p->endpoints[p->nr_endpoints++] = (struct platform_endpoint){
			.iommu = e->iommu,
			.id = endpoint_id(e),
			.is_pci = e->func,
			.pci = e->segment,
			.rid = e->func ? pci_rid(e->func) : 0,
			.mmio = e->slot,
			.can_stall = e->place->stalls || e->stalls,
			.pasid_bits = e->place->pasid,
			.reserved = reserved_for(m, e),
		};
	}
	describe_canwbs(m);
	return 0;
}
