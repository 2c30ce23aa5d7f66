// SPDX-License-Identifier: GPL-2.0-only
/* Translations by a table that the driver owns: walked where none is cached, and cached as the
 * domain's mappings (docs/virtio-iommu-experimental.md). */
#include "devices/virtio/iommu_private.h"

/* More only while transfers use all of them. */
#define MAX_CACHED 4096
#define MAX_LOOKS  64

static bool is_in(const struct viommu_range *r, u64 iova)
{
	return r->first <= iova && iova <= r->last;
}

/* The part of @m on @iova's side of @r. False: it is not on the side that it has to be. */
static bool keep(struct iova_mapping *m, u64 iova, const struct viommu_range *r, bool within)
{
	const bool is_within = is_in(r, iova);
	u64 first = 0, last = ~0ULL;

	if (is_within) {
		first = r->first;
		last = r->last;
	} else if (r->last < iova) {
		first = r->last + 1;
	} else {
		last = r->first - 1;
	}
	if (first > m->iova) {
		m->gpa += first - m->iova;
		m->iova = first;
	}
	m->last = last < m->last ? last : m->last;
	return is_within == within;
}

/* What leads to a doorbell is cut to it. */
static bool keep_to_doorbell(const struct viommu_config *c, u64 iova, struct iova_mapping *m)
{
	const u64 size = c->doorbell.last - c->doorbell.first;
	const u64 offset = iova - m->iova + m->gpa - c->doorbell.first;
	const struct viommu_range doorbell = {
		.first = iova > offset ? iova - offset : 0,
		.last = size - offset < ~iova ? iova + (size - offset) : ~0ULL,
	};

	return offset <= size && keep(m, iova, &doorbell, true);
}

/* 5.13.6.8.1.2: whether the driver may map anything there. */
static bool may_be_mapped(const struct viommu_config *c, u64 iova)
{
	if (!is_in(&c->input, iova) || (c->msi_window && is_in(&c->msi, iova)))
		return false;
	for (unsigned int i = 0; i < c->nr_reserved; i++)
		if (is_in(&c->reserved[i], iova))
			return false;
	return true;
}

/* The part of @m around @iova that may be; in the host's window, doorbells. */
static bool keep_to_what_may_be(const struct viommu_config *c, u64 iova, struct iova_mapping *m)
{
	if (!keep(m, iova, &c->input, true) || (c->msi_window && !keep(m, iova, &c->msi, false)))
		return false;
	for (unsigned int i = 0; i < c->nr_reserved; i++)
		if (!keep(m, iova, &c->reserved[i], false))
			return false;
	return !c->host_window || keep(m, iova, &c->host_msi, false) ||
	       keep_to_doorbell(c, iova, m);
}

/* One that goes to make room, or for another that says something else; nobody uses it. */
static void drop(struct viommu_domain *d, const struct iova_mapping *m)
{
	bool doorbell;

	iova_take(&d->space, m->iova, m->iova, IOVA_ALL, NULL, &doorbell);
	d->table.moved |= doorbell;
}

/* Those in use have to be found by an INVALIDATE. */
static void make_room(struct viommu_domain *d)
{
	struct viommu_table *t = &d->table;

	for (unsigned int i = 0; i < MAX_LOOKS && d->space.nr >= MAX_CACHED; i++) {
		struct iova_mapping *m = iova_next(&d->space, t->hand);

		t->hand = m ? m->last + 1 : 0;
		if (m && !m->use.users)
			drop(d, m);
	}
}

static const char *words(enum pgtable_fault fault)
{
	static const char *const all[] = {
		[PGTABLE_OK] = "ok",
		[PGTABLE_TRANSLATION] = "translation fault",
		[PGTABLE_ADDRESS_SIZE] = "address size fault",
		[PGTABLE_ACCESS_FLAG] = "access flag fault",
		[PGTABLE_PERMISSION] = "permission fault",
		[PGTABLE_ABORT] = "external abort",
	};

	return all[fault];
}

static enum dma_reason reason_of(enum pgtable_fault fault)
{
	switch (fault) {
	case PGTABLE_ACCESS_FLAG:
	case PGTABLE_PERMISSION: return DMA_NOT_PERMITTED;
	case PGTABLE_ABORT: return DMA_NO_MEMORY;
	default: return DMA_NOT_MAPPED;
	}
}

/* What the table says of @a's page or block: in *m, and in *shift the size of it. */
static bool walk(const struct viommu_domain *d, const struct pgtable_access *a,
                 struct iova_mapping *m, u8 *shift, enum dma_reason *reason)
{
	const struct viommu_table *t = &d->table;
	const u64 iova = a->addr;
	const bool upper = iova & BIT(55);
	struct pgtable_walk w = { .fault = PGTABLE_TRANSLATION };

	if (!t->disabled[upper])
		pgtable_walk(&t->half[upper], a, &w);
	trace(t->viommu->dev.log, TRACE_IOMMU,
	      "domain %u: walk of %#llx: %s, level %d, entry %#llx at %#llx", d->id,
	      (unsigned long long)iova, words(w.fault), w.level, (unsigned long long)w.entry,
	      (unsigned long long)w.entry_addr);
	*reason = reason_of(w.fault);
	if (w.fault != PGTABLE_OK)
		return false;
	*shift = w.shift;
	*m = (struct iova_mapping){
		.iova = ALIGN_DOWN(iova, BIT(w.shift)),
		.last = iova | (BIT(w.shift) - 1),
		.gpa = ALIGN_DOWN(w.output, BIT(w.shift)),
		.perm = w.allowed[0],
		.global = w.global,
	};
	return true;
}

/* It is part of @found, and there leads to the same place. */
static bool agrees(const struct iova_mapping *m, const struct iova_mapping *found)
{
	return m->iova >= found->iova && m->last <= found->last &&
	       m->gpa - m->iova == found->gpa - found->iova && m->global == found->global;
}

/* @found as far as nothing else is cached there. */
static struct iova_mapping *cache(struct viommu_domain *d, u64 iova, struct iova_mapping *found,
                                  u8 shift)
{
	const u64 size = found->last - found->iova, iova0 = found->iova;

	make_room(d);
	iova_gap(&d->space, iova, &found->iova, &found->last);
	found->gpa += found->iova - iova0;
	if ((size != BIT(shift) - 1 || found->last - found->iova != size) && d->table.cut < shift)
		d->table.cut = shift;
	return iova_map(&d->space, found) ? NULL : iova_find(&d->space, iova);
}

/* Whether it may be reached; and is not something else than transfers use, with no INVALIDATE in
 * between: they go on with it. */
static bool is_reached(const struct viommu_domain *d, u64 iova, const struct iova_mapping *old,
                       struct iova_mapping *found, enum dma_reason *reason)
{
	*reason = DMA_NOT_MAPPED;
	if (!keep_to_what_may_be(&d->table.viommu->host, iova, found))
		return false;
	*reason = DMA_NOT_PERMITTED;
	return !old || !old->use.users || agrees(old, found);
}

/*
 * The access goes on, as far as the table leads somewhere. Where that depends on what it leads to,
 * it is looked at first: what is refused makes nothing accessed or dirty.
 */
static bool goes_on(const struct viommu_domain *d, u64 iova, const struct iova_mapping *old,
                    enum dma_reason *reason)
{
	const struct viommu_config *c = &d->table.viommu->host;
	const struct pgtable_access look = { .addr = iova, .speculative = true };
	struct iova_mapping found;
	u8 shift;

	*reason = DMA_NOT_MAPPED;
	if (!may_be_mapped(c, iova))
		return false;
	if (!(old && old->use.users) && !(c->host_window && is_in(&c->host_msi, iova)))
		return true;
	return walk(d, &look, &found, &shift, reason) && is_reached(d, iova, old, &found, reason);
}

struct iova_mapping *viommu_walk(struct iova_space *s, u64 iova, u32 perm, enum dma_reason *reason)
{
	struct viommu_domain *d = container_of(s, struct viommu_domain, space);
	const struct pgtable_access a = { .addr = iova, .perm = perm };
	struct iova_mapping found, *old = iova_find(s, iova);
	u8 shift;

	/* The second time, the table may have changed since. */
	if (!goes_on(d, iova, old, reason) || !walk(d, &a, &found, &shift, reason) ||
	    !is_reached(d, iova, old, &found, reason))
		return NULL;
	if (old && agrees(old, &found)) { /* it has become dirty, or the table allows more */
		old->perm = found.perm;
		return old;
	}
	if (old)
		drop(d, old);
	return cache(d, iova, &found, shift);
}
