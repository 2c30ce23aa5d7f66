// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU device's requests (virtio 1.3, 5.13.6): checked here, done in iommu_domain.c. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/iommu_private.h"

/* What a driver may send; the tail apart, which the device writes. */
union body {
	struct virtio_iommu_req_head head;
	struct virtio_iommu_req_attach attach;
	struct viommu_req_detach detach;
	struct virtio_iommu_req_map map;
	struct virtio_iommu_req_unmap unmap;
	struct virtio_iommu_req_probe probe;
	struct viommu_req_page_response page_response;
	struct viommu_req_attach_table attach_table;
	struct viommu_req_invalidate invalidate;
};

bool viommu_is_zero(const u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* 5.13.6: with DOMAIN_RANGE the driver knows which there are. */
bool viommu_in_domain_range(const struct viommu *v, u32 domain)
{
	return domain >= v->host.first_domain && domain <= v->host.last_domain;
}

/* 5.13.6.3.2 */
static u8 attach(struct viommu_request *rq, const union body *b)
{
	struct viommu *v = rq->viommu;
	const bool knows_bypass = virtio_has(&v->dev, VIRTIO_IOMMU_F_BYPASS_CONFIG);
	const u32 known = knows_bypass ? VIRTIO_IOMMU_ATTACH_F_BYPASS : 0;
	const u32 flags = le32toh(b->attach.flags), domain = le32toh(b->attach.domain);
	struct viommu_endpoint *e = viommu_find_endpoint(v, le32toh(b->attach.endpoint));

	if (!viommu_is_zero(b->attach.reserved, sizeof(b->attach.reserved)) || flags & ~known)
		return VIRTIO_IOMMU_S_INVAL;
	if (!e)
		return VIRTIO_IOMMU_S_NOENT;
	if (!viommu_in_domain_range(v, domain))
		return VIRTIO_IOMMU_S_RANGE;
	return viommu_attach(v, e, DMA_NO_PASID, domain, flags & VIRTIO_IOMMU_ATTACH_F_BYPASS, NULL,
	                     &rq->wait);
}

/* 5.13.6.4.2; without the experiment what is behind it is reserved, and ignored. */
static u8 detach(struct viommu_request *rq, const union body *b)
{
	struct viommu_endpoint *e = viommu_find_endpoint(rq->viommu, le32toh(b->detach.endpoint));
	const u32 flags =
		virtio_has(&rq->viommu->dev, VIOMMU_F_ATTACH_TABLE) ? le32toh(b->detach.flags) : 0;
	const bool process = flags & VIOMMU_DETACH_F_PASID;

	if (flags & ~VIOMMU_DETACH_F_PASID)
		return VIRTIO_IOMMU_S_INVAL;
	if (!e)
		return VIRTIO_IOMMU_S_NOENT;
	if (process && le32toh(b->detach.pasid) > VIOMMU_MAX_PASID)
		return VIRTIO_IOMMU_S_INVAL;
	return viommu_detach(rq->viommu, e, process ? le32toh(b->detach.pasid) : DMA_NO_PASID,
	                     le32toh(b->detach.domain), &rq->wait);
}

static bool overlaps(const struct viommu_range *r, const struct iova_mapping *m)
{
	return r->first <= m->last && m->iova <= r->last;
}

/* 5.13.6.8.1.2: what is reserved is not to be mapped. */
static bool is_reserved(const struct viommu *v, const struct iova_mapping *m)
{
	if (v->host.msi_window && overlaps(&v->host.msi, m))
		return true;
	for (unsigned int i = 0; i < v->host.nr_reserved; i++)
		if (overlaps(&v->host.reserved[i], m))
			return true;
	return false;
}

/* In the host's own message window, and no doorbell of the guest's: that cannot be mapped there. */
static bool clashes(const struct viommu *v, const struct iova_mapping *m, u32 flags)
{
	const struct viommu_range *d = &v->host.doorbell;

	if (!v->host.host_window || !overlaps(&v->host.host_msi, m))
		return false;
	return !(flags & VIRTIO_IOMMU_MAP_F_MMIO) || m->gpa < d->first ||
	       m->gpa + (m->last - m->iova) > d->last;
}

/*
 * 5.13.6.5: whole granules, IOVAs that there are, and GPAs that do not wrap around. Where a granule
 * is a byte, one alone can be mapped (5.13.6), whatever 5.13.6.5.1 says of a range's ends.
 */
static bool in_map_range(const struct viommu *v, const struct iova_mapping *m)
{
	const u64 granule = FIELD_LOW(v->host.page_size_mask);

	return !((m->iova | m->gpa | (m->last + 1)) & (granule - 1)) && m->last >= m->iova &&
	       m->iova >= v->host.input.first && m->last <= v->host.input.last &&
	       m->gpa + (m->last - m->iova) >= m->gpa;
}

/* READ and WRITE are what endpoints may do; MMIO says what is there, and here
 * means nothing more. */
static u8 map(struct viommu_request *rq, const union body *b)
{
	struct viommu *v = rq->viommu;
	const u32 flags = le32toh(b->map.flags);
	const u32 known = VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE |
	                  (virtio_has(&v->dev, VIRTIO_IOMMU_F_MMIO) ? VIRTIO_IOMMU_MAP_F_MMIO : 0);
	struct viommu_domain *d = viommu_find_domain(v, le32toh(b->map.domain));
	const struct iova_mapping m = {
		.iova = le64toh(b->map.virt_start),
		.last = le64toh(b->map.virt_end),
		.gpa = le64toh(b->map.phys_start),
		.perm = (flags & VIRTIO_IOMMU_MAP_F_READ ? DMA_READ : 0) |
		        (flags & VIRTIO_IOMMU_MAP_F_WRITE ? DMA_WRITE : 0),
	};

	if (flags & ~known) /* a MUST, and so before what are not */
		return VIRTIO_IOMMU_S_INVAL;
	if (!in_map_range(v, &m))
		return VIRTIO_IOMMU_S_RANGE;
	if (!d)
		return VIRTIO_IOMMU_S_NOENT;
	if (d->bypass || d->table.viommu || is_reserved(v, &m) || clashes(v, &m, flags))
		return VIRTIO_IOMMU_S_INVAL;
	return viommu_map(v, d, &m);
}

/* 5.13.6.6.2 */
static u8 unmap(struct viommu_request *rq, const union body *b)
{
	struct viommu *v = rq->viommu;
	const u64 first = le64toh(b->unmap.virt_start), last = le64toh(b->unmap.virt_end);
	struct viommu_domain *d = viommu_find_domain(v, le32toh(b->unmap.domain));

	if (!d)
		return VIRTIO_IOMMU_S_NOENT;
	if (d->bypass || d->table.viommu)
		return VIRTIO_IOMMU_S_INVAL;
	if (last < first)
		return VIRTIO_IOMMU_S_RANGE;
	return viommu_unmap(v, d, first, last, &rq->wait);
}

/* How a RESV_MEM property lies in the buffer (5.13.6.8.1). */
static struct virtio_iommu_probe_resv_mem resv_mem(const struct viommu_range *r, u8 subtype)
{
	return (struct virtio_iommu_probe_resv_mem){
		.head.type = htole16(VIRTIO_IOMMU_PROBE_T_RESV_MEM),
		.head.length = htole16(sizeof(struct virtio_iommu_probe_resv_mem) -
		                       sizeof(struct virtio_iommu_probe_property)),
		.subtype = subtype,
		.start = htole64(r->first),
		.end = htole64(r->last),
	};
}

size_t viommu_probe_size(const struct viommu *v)
{
	return (v->host.nr_reserved + v->host.msi_window) *
	               sizeof(struct virtio_iommu_probe_resv_mem) +
	       (v->host.attach_table ? sizeof(struct viommu_probe_tables) : 0);
}

/* 5.13.6.7.2. A list that is too short gets no property, but zeroes: what is
 * used has been written. */
static u8 probe(struct viommu_request *rq, const union body *b)
{
	static const u8
		zeroes[(VIOMMU_MAX_RESERVED + 1) * sizeof(struct virtio_iommu_probe_resv_mem) +
	               sizeof(struct viommu_probe_tables)];
	const struct viommu_config *c = &rq->viommu->host;
	const struct iovec *in = &rq->chain.iov[rq->chain.nr_out];
	const struct viommu_probe_tables tables = viommu_table_properties();
	struct virtio_iommu_probe_resv_mem all[VIOMMU_MAX_RESERVED + 1];
	unsigned int nr = 0;

	iov_write(in, rq->chain.nr_in, 0, zeroes, rq->tail);
	if (!viommu_find_endpoint(rq->viommu, le32toh(b->probe.endpoint)))
		return VIRTIO_IOMMU_S_NOENT;
	if (rq->tail < viommu_probe_size(rq->viommu))
		return VIRTIO_IOMMU_S_INVAL;
	for (unsigned int i = 0; i < c->nr_reserved; i++)
		all[nr++] = resv_mem(&c->reserved[i], VIRTIO_IOMMU_RESV_MEM_T_RESERVED);
	if (c->msi_window)
		all[nr++] = resv_mem(&c->msi, VIRTIO_IOMMU_RESV_MEM_T_MSI);
	iov_write(in, rq->chain.nr_in, 0, all, nr * sizeof(all[0]));
	if (virtio_has(&rq->viommu->dev, VIOMMU_F_ATTACH_TABLE))
		iov_write(in, rq->chain.nr_in, nr * sizeof(all[0]), &tables, sizeof(tables));
	return VIRTIO_IOMMU_S_OK;
}

static u8 page_response(struct viommu_request *rq, const union body *b)
{
	return viommu_page_response(rq, &b->page_response);
}

static u8 attach_table(struct viommu_request *rq, const union body *b)
{
	return viommu_attach_table(rq, &b->attach_table);
}

static u8 invalidate(struct viommu_request *rq, const union body *b)
{
	return viommu_invalidate(rq, &b->invalidate);
}

/* A row a request: the bytes before what the device writes. A type with no row is none. */
static const struct {
	size_t size;
	u64 feature; /* that must be negotiated */
	u8 (*run)(struct viommu_request *rq, const union body *b);
} requests[] = {
	[VIRTIO_IOMMU_T_ATTACH] = { offsetof(struct virtio_iommu_req_attach, tail), 0, attach },
	[VIRTIO_IOMMU_T_DETACH] = { offsetof(struct virtio_iommu_req_detach, tail), 0, detach },
	[VIRTIO_IOMMU_T_MAP] = { offsetof(struct virtio_iommu_req_map, tail),
	                         BIT(VIRTIO_IOMMU_F_MAP_UNMAP), map },
	[VIRTIO_IOMMU_T_UNMAP] = { offsetof(struct virtio_iommu_req_unmap, tail),
	                           BIT(VIRTIO_IOMMU_F_MAP_UNMAP), unmap },
	[VIRTIO_IOMMU_T_PROBE] = { sizeof(struct virtio_iommu_req_probe), BIT(VIRTIO_IOMMU_F_PROBE),
	                           probe },
	[VIOMMU_T_PAGE_RESPONSE] = { offsetof(struct viommu_req_page_response, tail),
	                             BIT(VIOMMU_F_PAGE_REQUEST), page_response },
	[VIOMMU_T_ATTACH_TABLE] = { offsetof(struct viommu_req_attach_table, tail),
	                            BIT(VIOMMU_F_ATTACH_TABLE), attach_table },
	[VIOMMU_T_INVALIDATE] = { offsetof(struct viommu_req_invalidate, tail),
	                          BIT(VIOMMU_F_ATTACH_TABLE), invalidate },
};

/*
 * Where the tail goes: behind the properties, if there are any. 0 to SIZE_MAX - 1; a driver that
 * leaves less room for them gets it at the end of what there is.
 */
static bool find_tail(struct viommu_request *rq, u8 type)
{
	size_t room = iov_bytes(&rq->chain.iov[rq->chain.nr_out], rq->chain.nr_in);
	size_t before = type == VIRTIO_IOMMU_T_PROBE ? viommu_probe_size(rq->viommu) : 0;

	if (room < sizeof(struct virtio_iommu_req_tail))
		return false;
	room -= sizeof(struct virtio_iommu_req_tail);
	rq->tail = before < room ? before : room;
	return true;
}

/* False: it cannot be parsed, or is of no type that there is: its buffer is left alone (5.13.6). */
static bool start(struct viommu_request *rq)
{
	struct viommu *v = rq->viommu;
	union body b = { 0 };
	size_t n = iov_read(rq->chain.iov, rq->chain.nr_out, 0, &b, sizeof(b));
	u8 type = n ? b.head.type : 0;

	if (type >= ARRAY_SIZE(requests) || !requests[type].run || n < requests[type].size ||
	    requests[type].feature & ~v->dev.acked || !find_tail(rq, type)) {
		v->counts.requests[0]++;
		return false;
	}
	v->counts.requests[type < ARRAY_SIZE(v->counts.requests) ? type : 0]++;
	rq->status = requests[type].run(rq, &b);
	v->counts.failed += rq->status != VIRTIO_IOMMU_S_OK;
	trace(v->dev.log, TRACE_IOMMU, "request %u: status %u%s", type, rq->status,
	      rq->wait.left > 1 ? ", when transfers have ended" : "");
	return true;
}

static void complete(struct viommu_request *rq)
{
	const struct virtio_iommu_req_tail tail = { .status = rq->status };
	struct virtq *vq = &rq->viommu->dev.vq[VIOMMU_REQUESTQ];

	iov_write(&rq->chain.iov[rq->chain.nr_out], rq->chain.nr_in, rq->tail, &tail, sizeof(tail));
	virtq_push(vq, &rq->chain, rq->tail + sizeof(tail));
}

/* What it took away is no longer in use, and so those behind it wait for less. */
static void waited(struct dma_wait *w)
{
	struct viommu_request *rq = container_of(w, struct viommu_request, wait), *behind;
	struct virtq *vq = &rq->viommu->dev.vq[VIOMMU_REQUESTQ];

	do {
		behind = rq->behind;
		if (rq->last_of)
			rq->last_of->pending = NULL;
		complete(rq);
		free(rq);
		rq = behind;
	} while (rq && !--rq->wait.left);
	virtq_interrupt(vq);
	virtio_notify(vq->dev, vq->index); /* there may be more than there was room for */
}

static bool have_spare(struct viommu *v)
{
	if (!v->spare)
		v->spare = malloc(sizeof(*v->spare));
	if (!v->spare)
		return false;
	v->spare->viommu = v;
	v->spare->last_of = NULL;
	v->spare->behind = NULL;
	v->spare->wait = (struct dma_wait){ .left = 1, .done = waited };
	return true;
}

/* Short of memory, requests wait for the next kick. */
void viommu_run(struct viommu *v, struct virtq *vq)
{
	while (have_spare(v) && virtq_pop(vq, &v->spare->chain)) {
		struct viommu_request *rq = v->spare;

		if (!start(rq))
			virtq_push(vq, &rq->chain, 0);
		else if (!--rq->wait.left)
			complete(rq);
		else
			v->spare = NULL; /* it completes later */
	}
	virtq_interrupt(vq);
}
