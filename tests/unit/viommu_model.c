// SPDX-License-Identifier: GPL-2.0-only
/* Virtio 1.3, 5.13, rule by rule over arrays: which statuses it allows, and
 * what endpoints reach. */
#include "tests/unit/viommu_model.h"

#include <criterion/criterion.h>
#include <string.h>

#define OK     BIT(VIRTIO_IOMMU_S_OK)
#define INVAL  BIT(VIRTIO_IOMMU_S_INVAL)
#define RANGE  BIT(VIRTIO_IOMMU_S_RANGE)
#define NOENT  BIT(VIRTIO_IOMMU_S_NOENT)
#define NOMEM  BIT(VIRTIO_IOMMU_S_NOMEM)
#define NOBODY VIOMMU_ENDPOINTS

static bool has(const struct model *m, unsigned int feature)
{
	return !(m->without & BIT(feature));
}

void model_init(struct model *m, const struct viommu_config *c, u64 without)
{
	memset(m, 0, sizeof(*m));
	m->c = *c;
	m->bypass = c->bypass;
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++)
		m->endpoints[i].id = 0x10 + i;
	model_reset(m, without);
}

/* 5.13.5; bypass stays (5.13.4.2). */
void model_reset(struct model *m, u64 without)
{
	m->without = without;
	memset(m->domains, 0, sizeof(m->domains));
	memset(m->mappings, 0, sizeof(m->mappings));
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++) {
		m->endpoints[i].attached = false;
		m->endpoints[i].attachment = ++m->counter;
	}
}

/* 5.13.4: what an endpoint that is attached to nothing had begun is no one's to wait for. */
void model_write_bypass(struct model *m, u8 val)
{
	if (!has(m, VIRTIO_IOMMU_F_BYPASS_CONFIG) || val > 1 || val == m->bypass)
		return;
	m->bypass = val;
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++)
		if (!m->endpoints[i].attached)
			m->endpoints[i].attachment = ++m->counter;
}

static unsigned int find_endpoint(const struct model *m, u32 id)
{
	unsigned int i = 0;

	while (i < VIOMMU_ENDPOINTS && m->endpoints[i].id != id)
		i++;
	return i;
}

static int find_domain(const struct model *m, u32 id)
{
	for (int i = 0; i < MODEL_DOMAINS; i++)
		if (m->domains[i].there && m->domains[i].id == id)
			return i;
	return -1;
}

u64 model_nr_mappings(const struct model *m)
{
	u64 nr = 0;

	for (unsigned int i = 0; i < MODEL_MAPPINGS; i++)
		nr += m->mappings[i].there;
	return nr;
}

static u32 probe_size(const struct model *m)
{
	return (m->c.nr_reserved + m->c.msi_window) * 24;
}

/* 5.13.6.3 and on: the structs, without their tails. */
static u32 size_of(u8 type)
{
	static const u32 sizes[] = { 0, 20, 20, 36, 28, 72 };

	return type < ARRAY_SIZE(sizes) ? sizes[type] : 0;
}

void model_sizes(const struct model *m, struct model_request *rq)
{
	const u8 type = rq->body.head.type;

	rq->len = size_of(type) ? size_of(type) : sizeof(rq->body);
	rq->room = 4 + (type == VIRTIO_IOMMU_T_PROBE ? probe_size(m) : 0);
}

static bool is_known(const struct model *m, u8 type)
{
	if (type == VIRTIO_IOMMU_T_MAP || type == VIRTIO_IOMMU_T_UNMAP)
		return has(m, VIRTIO_IOMMU_F_MAP_UNMAP);
	if (type == VIRTIO_IOMMU_T_PROBE)
		return has(m, VIRTIO_IOMMU_F_PROBE);
	return size_of(type);
}

/* The transfers that use the attachment. */
static u64 users_of_attachment(u64 attachment, const struct model_transfer *const *t,
                               unsigned int nr)
{
	u64 users = 0;

	for (unsigned int i = 0; i < nr; i++)
		if (t[i] && t[i]->attachment == attachment)
			users |= BIT(i);
	return users;
}

static u64 users_of_mapping(u64 mapping, const struct model_transfer *const *t, unsigned int nr)
{
	u64 users = 0;

	for (unsigned int i = 0; i < nr; i++)
		for (unsigned int n = 0; t[i] && n < t[i]->nr; n++)
			if (t[i]->mappings[n] == mapping)
				users |= BIT(i);
	return users;
}

/* 5.13.6.4: and a domain that nobody is attached to ceases to exist. */
static void leave(struct model *m, unsigned int e)
{
	const u32 id = m->endpoints[e].domain;

	m->endpoints[e].attached = false;
	m->endpoints[e].attachment = ++m->counter;
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++)
		if (m->endpoints[i].attached && m->endpoints[i].domain == id)
			return;
	m->domains[find_domain(m, id)].there = false;
	for (unsigned int i = 0; i < MODEL_MAPPINGS; i++)
		if (m->mappings[i].domain == id)
			m->mappings[i].there = false;
}

static void join(struct model *m, unsigned int e, u32 id, bool bypass)
{
	int d = 0;

	if (find_domain(m, id) < 0) {
		while (m->domains[d].there)
			d++;
		m->domains[d].there = true;
		m->domains[d].id = id;
		m->domains[d].bypass = bypass;
	}
	m->endpoints[e].attached = true;
	m->endpoints[e].domain = id;
	m->endpoints[e].attachment = ++m->counter;
}

static bool all_zero(const u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* 5.13.6.3.2 */
static void attach(struct model *m, struct model_request *rq, const struct model_transfer *const *t,
                   unsigned int nr)
{
	const struct virtio_iommu_req_attach *b = &rq->body.attach;
	const unsigned int e = find_endpoint(m, b->endpoint);
	const u32 known = has(m, VIRTIO_IOMMU_F_BYPASS_CONFIG) ? VIRTIO_IOMMU_ATTACH_F_BYPASS : 0;
	const bool bypass = b->flags & VIRTIO_IOMMU_ATTACH_F_BYPASS;
	const int d = find_domain(m, b->domain);
	u64 must = 0, should = 0;

	if (!all_zero(b->reserved, sizeof(b->reserved)))
		must |= INVAL;
	if (b->flags & ~known)
		must |= INVAL;
	if (e == NOBODY)
		must |= NOENT;
	if (b->domain < m->c.first_domain || b->domain > m->c.last_domain)
		should |= RANGE;
	if (d >= 0 && m->domains[d].bypass != bypass)
		should |= INVAL;
	rq->answer.statuses = must ? must : should ? should : OK;
	if (rq->answer.statuses != OK)
		return;
	if (m->endpoints[e].attached && m->endpoints[e].domain == b->domain)
		return;
	rq->answer.waits_for = users_of_attachment(m->endpoints[e].attachment, t, nr);
	if (m->endpoints[e].attached)
		leave(m, e);
	join(m, e, b->domain, bypass);
}

/* 5.13.6.4.2 */
static void detach(struct model *m, struct model_request *rq, const struct model_transfer *const *t,
                   unsigned int nr)
{
	const struct virtio_iommu_req_detach *b = &rq->body.detach;
	const unsigned int e = find_endpoint(m, b->endpoint);

	if (e == NOBODY)
		rq->answer.statuses = NOENT;
	else if (!m->endpoints[e].attached || m->endpoints[e].domain != b->domain)
		rq->answer.statuses = INVAL;
	else
		rq->answer.statuses = OK;
	if (rq->answer.statuses != OK)
		return;
	rq->answer.waits_for = users_of_attachment(m->endpoints[e].attachment, t, nr);
	leave(m, e);
}

static bool meet(u64 first, u64 last, u64 other_first, u64 other_last)
{
	return first <= other_last && other_first <= last;
}

/* 5.13.6.5.2, and 5.13.6.8.1.2 */
static u64 wrong_in_map(const struct model *m, const struct virtio_iommu_req_map *b)
{
	const u64 granule = FIELD_LOW(m->c.page_size_mask), first = b->virt_start,
		  last = b->virt_end;
	const int d = find_domain(m, b->domain);
	u64 should = 0;

	if (first % granule || b->phys_start % granule || (last + 1) % granule)
		should |= RANGE;
	if (first < m->c.input.first || last > m->c.input.last || last < first)
		should |= RANGE;
	if (b->phys_start + (last - first) < b->phys_start)
		should |= RANGE;
	if (d < 0)
		should |= NOENT;
	else if (m->domains[d].bypass)
		should |= INVAL;
	for (unsigned int i = 0; i < MODEL_MAPPINGS; i++)
		if (m->mappings[i].there && m->mappings[i].domain == b->domain &&
		    meet(first, last, m->mappings[i].first, m->mappings[i].last))
			should |= INVAL;
	for (unsigned int i = 0; i < m->c.nr_reserved; i++)
		if (meet(first, last, m->c.reserved[i].first, m->c.reserved[i].last))
			should |= INVAL;
	if (m->c.msi_window && meet(first, last, m->c.msi.first, m->c.msi.last))
		should |= INVAL;
	return should;
}

static void map(struct model *m, struct model_request *rq)
{
	const struct virtio_iommu_req_map *b = &rq->body.map;
	const u32 known = VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE |
	                  (has(m, VIRTIO_IOMMU_F_MMIO) ? VIRTIO_IOMMU_MAP_F_MMIO : 0);
	u64 should = wrong_in_map(m, b);
	unsigned int i = 0;

	if (model_nr_mappings(m) >= m->c.max_mappings)
		should |= NOMEM;
	rq->answer.statuses = b->flags & ~known ? INVAL : should ? should : OK;
	if (rq->answer.statuses != OK)
		return;
	while (m->mappings[i].there)
		i++;
	m->mappings[i] = (struct model_mapping){
		.there = true,
		.nr = ++m->counter,
		.domain = b->domain,
		.first = b->virt_start,
		.last = b->virt_end,
		.gpa = b->phys_start,
		.flags = b->flags,
	};
}

/* 5.13.6.6.2 */
static void unmap(struct model *m, struct model_request *rq, const struct model_transfer *const *t,
                  unsigned int nr)
{
	const struct virtio_iommu_req_unmap *b = &rq->body.unmap;
	const int d = find_domain(m, b->domain);
	u64 should = 0;

	if (d < 0)
		should |= NOENT;
	else if (m->domains[d].bypass)
		should |= INVAL;
	if (b->virt_end < b->virt_start)
		should |= RANGE;
	for (unsigned int i = 0; i < MODEL_MAPPINGS && !should; i++) {
		const struct model_mapping *p = &m->mappings[i];

		if (p->there && p->domain == b->domain &&
		    meet(b->virt_start, b->virt_end, p->first, p->last) &&
		    (p->first < b->virt_start || p->last > b->virt_end))
			should |= RANGE;
	}
	rq->answer.statuses = should ? should : OK;
	for (unsigned int i = 0; i < MODEL_MAPPINGS && !should; i++) {
		struct model_mapping *p = &m->mappings[i];

		if (!p->there || p->domain != b->domain || p->first < b->virt_start ||
		    p->last > b->virt_end)
			continue;
		p->there = false;
		rq->answer.waits_for |= users_of_mapping(p->nr, t, nr);
	}
}

static void property(u8 *at, u8 subtype, const struct viommu_range *r)
{
	at[0] = 1;
	at[2] = 20;
	at[4] = subtype;
	memcpy(at + 8, &r->first, 8);
	memcpy(at + 16, &r->last, 8);
}

/* 5.13.6.7.2 */
static void probe(const struct model *m, struct model_request *rq)
{
	u8 *at = rq->answer.properties;
	u64 should = 0;

	if (find_endpoint(m, rq->body.probe.endpoint) == NOBODY)
		should |= NOENT;
	if (rq->room - 4 < probe_size(m))
		should |= INVAL;
	rq->answer.used = 4 + (rq->room - 4 < probe_size(m) ? rq->room - 4 : probe_size(m));
	rq->answer.statuses = should ? should : OK;
	if (should)
		return;
	for (unsigned int i = 0; i < m->c.nr_reserved; i++, at += 24)
		property(at, VIRTIO_IOMMU_RESV_MEM_T_RESERVED, &m->c.reserved[i]);
	if (m->c.msi_window)
		property(at, VIRTIO_IOMMU_RESV_MEM_T_MSI, &m->c.msi);
}

/* 5.13.6.2: what cannot be parsed, and what is of no known type, is not written. */
void model_run(struct model *m, struct model_request *rq, const struct model_transfer *const *t,
               unsigned int nr)
{
	const u8 type = rq->body.head.type;

	memset(&rq->answer, 0, sizeof(rq->answer));
	if (!rq->len || !is_known(m, type) || rq->len < size_of(type) || rq->room < 4)
		return;
	rq->answer.used = 4;
	if (type == VIRTIO_IOMMU_T_ATTACH)
		attach(m, rq, t, nr);
	else if (type == VIRTIO_IOMMU_T_DETACH)
		detach(m, rq, t, nr);
	else if (type == VIRTIO_IOMMU_T_MAP)
		map(m, rq);
	else if (type == VIRTIO_IOMMU_T_UNMAP)
		unmap(m, rq, t, nr);
	else
		probe(m, rq);
}

static const struct model_mapping *mapping_at(const struct model *m, u32 domain, u64 iova)
{
	for (unsigned int i = 0; i < MODEL_MAPPINGS; i++)
		if (m->mappings[i].there && m->mappings[i].domain == domain &&
		    iova >= m->mappings[i].first && iova <= m->mappings[i].last)
			return &m->mappings[i];
	return NULL;
}

/* 5.13.6: which endpoints are in bypass mode. */
static bool in_bypass(const struct model *m, unsigned int e)
{
	if (!m->endpoints[e].attached)
		return m->bypass;
	return m->domains[find_domain(m, m->endpoints[e].domain)].bypass;
}

/* False: there is no way for it. */
static bool translate(const struct model *m, unsigned int e, u64 iova, u32 perm, gpa_t *gpa)
{
	const struct model_mapping *p;

	*gpa = iova;
	if (in_bypass(m, e))
		return true;
	if (!m->endpoints[e].attached)
		return false;
	p = mapping_at(m, m->endpoints[e].domain, iova);
	if (!p || (perm & DMA_READ && !(p->flags & VIRTIO_IOMMU_MAP_F_READ)) ||
	    (perm & DMA_WRITE && !(p->flags & VIRTIO_IOMMU_MAP_F_WRITE)))
		return false;
	*gpa = p->gpa + (iova - p->first);
	return true;
}

gpa_t model_reach(const struct model *m, unsigned int e, u64 iova, u32 perm)
{
	gpa_t gpa;

	if (!translate(m, e, iova, perm, &gpa))
		return 0;
	return gpa >= VIOMMU_BASE && gpa < VIOMMU_BASE + VIOMMU_RAM ? gpa : 0;
}

/* A message is one write of 4 bytes: all of them are in one mapping. */
bool model_doorbell(const struct model *m, unsigned int e, u64 iova, gpa_t *gpa)
{
	const u64 last = iova + 3;

	*gpa = iova;
	if (m->c.msi_window && iova >= m->c.msi.first && iova <= m->c.msi.last)
		return true;
	if (last < iova || !translate(m, e, iova, DMA_WRITE, gpa))
		return false;
	return in_bypass(m, e) || mapping_at(m, m->endpoints[e].domain, iova) ==
	                                  mapping_at(m, m->endpoints[e].domain, last);
}

void model_begin(const struct model *m, struct model_transfer *t, unsigned int e, u64 iova, u64 len)
{
	*t = (struct model_transfer){ .endpoint = e, .attachment = m->endpoints[e].attachment };
	for (unsigned int i = 0; i < MODEL_MAPPINGS && !in_bypass(m, e); i++)
		if (m->mappings[i].there && m->mappings[i].domain == m->endpoints[e].domain &&
		    meet(iova, iova + len - 1, m->mappings[i].first, m->mappings[i].last))
			t->mappings[t->nr++] = m->mappings[i].nr;
}

u64 model_interesting(const struct model *m, unsigned int e, u64 random)
{
	static const u64 ends[] = { VIOMMU_BASE - 1, VIOMMU_BASE, VIOMMU_DATA + 0x123,
		                    VIOMMU_BASE + VIOMMU_RAM - 8, VIOMMU_BASE + VIOMMU_RAM };
	const u64 which = random >> 32;
	const struct model_mapping *p;

	if (in_bypass(m, e) || random % 16 == 0)
		return ends[which % ARRAY_SIZE(ends)];
	for (unsigned int i = 0; i < MODEL_MAPPINGS; i++) {
		p = &m->mappings[(i + random) % MODEL_MAPPINGS];
		if (!p->there || p->domain != m->endpoints[e].domain)
			continue;
		switch (which % 6) {
		case 0: return p->first - 1;
		case 1: return p->first;
		case 2: return p->last;
		case 3: return p->last + 1;
		case 4: return p->first + (which >> 3) % (p->last - p->first + 1);
		default: return p->last - 7;
		}
	}
	return which;
}

struct viommu_range model_some_range(const struct model *m, u64 random, u32 domain)
{
	for (unsigned int i = 0; i < MODEL_MAPPINGS; i++) {
		const struct model_mapping *p = &m->mappings[(i + random) % MODEL_MAPPINGS];

		if (p->there && p->domain == domain)
			return (struct viommu_range){ p->first, p->last };
	}
	return (struct viommu_range){ 0, 0 };
}
