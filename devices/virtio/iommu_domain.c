// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU device's endpoints and domains: attach, detach, map, unmap. Requests are decoded
 * elsewhere. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/iommu_private.h"

struct viommu_endpoint *viommu_find_endpoint(const struct viommu *v, u32 id)
{
	struct viommu_endpoint *e = v->endpoints;

	while (e && (!e->id || e->id(e->ctx) != id))
		e = e->next;
	return e;
}

struct viommu_domain *viommu_find_domain(const struct viommu *v, u32 id)
{
	struct viommu_domain *d = v->domains;

	while (d && d->id != id)
		d = d->next;
	return d;
}

/* Bypass, a table that was given in the same words, or mappings. */
static bool is_alike(const struct viommu_domain *d, bool bypass, const struct viommu_table *t)
{
	if (d->bypass != bypass || !d->table.viommu != !t)
		return false;
	return !t || !memcmp(&d->table.given, &t->given, sizeof(t->given));
}

static struct viommu_domain *create_domain(struct viommu *v, u32 id, bool bypass,
                                           const struct viommu_table *table)
{
	struct viommu_domain *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->id = id;
	d->bypass = bypass;
	iova_init(&d->space);
	if (table) {
		d->table = *table;
		d->space.fetch = viommu_walk;
	}
	d->next = v->domains;
	v->domains = d;
	v->counts.domains++;
	return d;
}

static void free_domain(struct viommu *v, struct viommu_domain *d)
{
	struct viommu_domain **at = &v->domains;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	v->counts.domains--;
	v->counts.mappings -= d->table.viommu ? 0 : d->space.nr;
	if (d->pending)
		d->pending->last_of = NULL;
	iova_clear(&d->space);
	free(d);
}

/* 5.13.6.4: without an endpoint it ceases to exist. What was asked of its driver is answered. */
static void leave_domain(struct viommu *v, struct viommu_endpoint *e, struct viommu_seat *seat)
{
	struct viommu_domain *d = seat->domain;

	if (!d) /* what a process asked before is its endpoint's, and goes on */
		return;
	seat->domain = NULL;
	viommu_refuse_pages(e, seat);
	if (!--d->nr_endpoints)
		free_domain(v, d);
}

/* What has no domain; without PASID: what the configuration's bypass says. */
static struct iova_space *reach(struct viommu *v, const struct viommu_seat *seat,
                                const struct viommu_domain *d)
{
	if (d ? d->bypass : v->config.bypass && seat->pasid == DMA_NO_PASID)
		return &v->everything;
	return d ? (struct iova_space *)&d->space : NULL;
}

static int sit(struct viommu_endpoint *e, const struct viommu_seat *seat, struct iova_space *space,
               struct dma_wait *wait)
{
	if (seat->pasid == DMA_NO_PASID)
		return iommu_attach(&e->iommu, space, wait);
	return iommu_attach_process(&e->iommu, seat->pasid, space, wait);
}

struct viommu_seat *viommu_seat(struct viommu_endpoint *e, u32 pasid)
{
	if (pasid == DMA_NO_PASID)
		return &e->own;
	for (unsigned int i = 0; i < VIOMMU_MAX_PROCESSES; i++)
		if (e->processes[i].domain && e->processes[i].pasid == pasid)
			return &e->processes[i];
	return NULL;
}

/* NULL: all are taken. */
static struct viommu_seat *take_seat(struct viommu_endpoint *e, u32 pasid)
{
	struct viommu_seat *seat = viommu_seat(e, pasid);

	for (unsigned int i = 0; i < VIOMMU_MAX_PROCESSES && !seat; i++)
		if (!e->processes[i].domain)
			seat = &e->processes[i];
	if (seat)
		seat->pasid = pasid;
	return seat;
}

/* Of a host's IOMMU: it has no such address, or something else is there for a device of its; or it
 * walks no table of the driver's. */
static u8 status_of(int err)
{
	switch (-err) {
	case 0: return VIRTIO_IOMMU_S_OK;
	case ENOMEM: return VIRTIO_IOMMU_S_NOMEM;
	case EEXIST:
	case EINVAL:
	case EADDRINUSE: return VIRTIO_IOMMU_S_INVAL;
	case EOPNOTSUPP: return VIRTIO_IOMMU_S_UNSUPP;
	default: return VIRTIO_IOMMU_S_DEVERR;
	}
}

/* 5.13.6.3.2: from one domain to another is a DETACH and an ATTACH. */
u8 viommu_attach(struct viommu *v, struct viommu_endpoint *e, u32 pasid, u32 domain, bool bypass,
                 const struct viommu_table *table, struct dma_wait *wait)
{
	struct viommu_domain *d = viommu_find_domain(v, domain);
	struct viommu_seat *seat = take_seat(e, pasid);
	int err;

	if (d && !is_alike(d, bypass, table))
		return VIRTIO_IOMMU_S_INVAL;
	if (!seat)
		return VIRTIO_IOMMU_S_NOMEM;
	if (d && d == seat->domain)
		return VIRTIO_IOMMU_S_OK;
	if (!d)
		d = create_domain(v, domain, bypass, table);
	err = d ? sit(e, seat, reach(v, seat, d), wait) : -ENOMEM;
	if (err) {
		if (d && !d->nr_endpoints)
			free_domain(v, d);
		return status_of(err);
	}
	leave_domain(v, e, seat);
	seat->domain = d;
	d->nr_endpoints++;
	return VIRTIO_IOMMU_S_OK;
}

u8 viommu_detach(struct viommu *v, struct viommu_endpoint *e, u32 pasid, u32 domain,
                 struct dma_wait *wait)
{
	struct viommu_seat *seat = viommu_seat(e, pasid);
	int err;

	if (!seat || !seat->domain || seat->domain->id != domain)
		return VIRTIO_IOMMU_S_INVAL;
	err = sit(e, seat, reach(v, seat, NULL), wait);
	if (!err)
		leave_domain(v, e, seat);
	return status_of(err);
}

u8 viommu_map(struct viommu *v, struct viommu_domain *d, const struct iova_mapping *m)
{
	int err;

	if (v->counts.mappings >= v->host.max_mappings)
		return VIRTIO_IOMMU_S_NOMEM;
	err = iova_map(&d->space, m);
	if (!err)
		v->counts.mappings++;
	return status_of(err);
}

static void tell_of_messages(struct viommu *v, const struct viommu_domain *d)
{
	for (struct viommu_endpoint *e = v->endpoints; e; e = e->next)
		if (e->own.domain == d)
			iommu_messages_changed(&e->iommu);
}

u8 viommu_unmap(struct viommu *v, struct viommu_domain *d, u64 first, u64 last,
                struct dma_wait *wait)
{
	u64 before = d->space.nr;
	bool doorbells;

	if (iova_unmap(&d->space, first, last, wait, &doorbells))
		return VIRTIO_IOMMU_S_RANGE;
	v->counts.mappings -= before - d->space.nr;
	if (doorbells)
		tell_of_messages(v, d);
	return VIRTIO_IOMMU_S_OK;
}

/* Of a page or block that is in pieces any address takes them all. */
void viommu_forget(struct viommu *v, struct viommu_domain *d, u64 first, u64 last, u32 kinds,
                   struct dma_wait *wait)
{
	const u64 piece = BIT(d->table.cut) - 1;
	bool doorbells;

	iova_take(&d->space, first & ~piece, last | piece, kinds, wait, &doorbells);
	if (!d->space.nr)
		d->table.cut = 0;
	doorbells |= d->table.moved;
	d->table.moved = false;
	if (doorbells)
		tell_of_messages(v, d);
}

/* Short of memory it reaches nothing: an attachment to nothing needs none. */
static void attach_to_nothing(struct viommu *v, struct viommu_endpoint *e, struct viommu_seat *seat,
                              struct dma_wait *wait)
{
	if (sit(e, seat, reach(v, seat, NULL), wait))
		sit(e, seat, NULL, wait);
}

static void detach_endpoint(struct viommu *v, struct viommu_endpoint *e, struct dma_wait *wait)
{
	for (unsigned int i = 0; i < VIOMMU_MAX_PROCESSES; i++) {
		struct viommu_seat *seat = &e->processes[i];

		if (!seat->domain)
			continue;
		attach_to_nothing(v, e, seat, wait);
		leave_domain(v, e, seat);
	}
	attach_to_nothing(v, e, &e->own, wait);
	leave_domain(v, e, &e->own);
}

void viommu_detach_all(struct viommu *v, struct dma_wait *wait)
{
	for (struct viommu_endpoint *e = v->endpoints; e; e = e->next)
		detach_endpoint(v, e, wait);
}

void viommu_bypass_changed(struct viommu *v)
{
	for (struct viommu_endpoint *e = v->endpoints; e; e = e->next)
		if (!e->own.domain)
			attach_to_nothing(v, e, &e->own, NULL);
}
