// SPDX-License-Identifier: GPL-2.0-only
/* Page requests of a virtio-iommu's endpoints, and their answers
 * (docs/virtio-iommu-experimental.md). */
#include <endian.h>

#include "devices/virtio/iommu_private.h"

/* Who is attached for a request of @pasid: that process, or else the endpoint. */
static const struct viommu_seat *seat_for(struct viommu_endpoint *e, u32 pasid)
{
	const struct viommu_seat *seat = viommu_seat(e, pasid);

	return seat ? seat : &e->own;
}

struct leaving {
	struct viommu_endpoint *endpoint;
	const struct viommu_seat *seat;
};

static bool leaves(const void *ctx, u32 pasid)
{
	const struct leaving *l = ctx;

	return pasid == l->seat->pasid || seat_for(l->endpoint, pasid) == l->seat;
}

/*
 * It is attached to nothing. What it asks for again, as soon as it has an answer, is refused; of a
 * process, it is then the endpoint's to ask, if that is attached.
 */
void viommu_refuse_pages(struct viommu_endpoint *e, const struct viommu_seat *seat)
{
	const struct leaving l = { e, seat };

	fault_end_of(&e->port, DMA_PAGE_INVALID, true, leaves, &l);
}

void viommu_forget_pages(struct iommu_endpoint *iommu)
{
	fault_forget(&container_of(iommu, struct viommu_endpoint, iommu)->port);
}

void viommu_see_group(const struct fault_port *p, const char *group, const char *what)
{
	const struct viommu_endpoint *e = container_of(p, struct viommu_endpoint, port);

	trace(e->viommu->dev.log, TRACE_FAULT, "virtio-iommu: endpoint %#x: %s: %s",
	      e->id ? e->id(e->ctx) : 0, group, what);
}

static u32 flags_of(const struct dma_page_request *rq)
{
	return VIRTIO_IOMMU_FAULT_F_ADDRESS | VIOMMU_FAULT_F_PAGE_REQUEST |
	       (rq->perm & DMA_READ ? VIRTIO_IOMMU_FAULT_F_READ : 0) |
	       (rq->perm & DMA_WRITE ? VIRTIO_IOMMU_FAULT_F_WRITE : 0) |
	       (rq->perm & DMA_EXEC ? VIRTIO_IOMMU_FAULT_F_EXEC : 0) |
	       (rq->pasid != DMA_NO_PASID ? VIOMMU_FAULT_F_PASID : 0) |
	       (rq->last ? VIOMMU_FAULT_F_LAST : 0);
}

bool viommu_takes_pages(struct iommu_endpoint *iommu, u32 pasid)
{
	struct viommu_endpoint *e = container_of(iommu, struct viommu_endpoint, iommu);

	return virtio_has(&e->viommu->dev, VIOMMU_F_PAGE_REQUEST) && e->id &&
	       seat_for(e, pasid)->domain;
}

void viommu_pages_room(struct viommu *v)
{
	for (struct viommu_endpoint *e = v->endpoints; e; e = e->next)
		fault_room(&e->port);
}

static bool show(struct viommu_endpoint *e, const struct dma_page_request *rq)
{
	struct viommu *v = e->viommu;
	const struct viommu_page_request record = {
		.fault.reason = VIRTIO_IOMMU_FAULT_R_MAPPING,
		.fault.flags = htole32(flags_of(rq)),
		.fault.endpoint = htole32(e->id ? e->id(e->ctx) : 0),
		.fault.address = htole64(rq->iova),
		.pasid = htole32(rq->pasid == DMA_NO_PASID ? 0 : rq->pasid),
		.group = htole16(rq->group),
	};

	if (!viommu_takes_pages(&e->iommu, rq->pasid) || !fault_can_raise(&e->port, rq))
		return false;
	trace(v->dev.log, TRACE_IOMMU, "endpoint %#x: page request %#llx, group %u%s",
	      e->id(e->ctx), (unsigned long long)rq->iova, rq->group, rq->last ? ", last" : "");
	return viommu_report(v, &record, sizeof(record));
}

/* False where nobody would answer: the requester then knows at once. */
bool viommu_page_request(struct iommu_endpoint *iommu, const struct dma_page_request *rq)
{
	struct viommu_endpoint *e = container_of(iommu, struct viommu_endpoint, iommu);

	if (!show(e, rq)) {
		fault_refused(&e->port);
		return false;
	}
	fault_raised(&e->port, rq);
	return true;
}

/* A PASID has 20 bits (PCIe 6.20): all ones of 32 are none, and not DMA_NO_PASID. */
static bool is_named(const struct viommu_req_page_response *b, struct dma_page_response *r)
{
	const bool named = le32toh(b->flags) & VIOMMU_PAGE_F_PASID;

	r->pasid = named ? le32toh(b->pasid) : DMA_NO_PASID;
	r->group = le16toh(b->group);
	return !named || r->pasid <= VIOMMU_MAX_PASID;
}

u8 viommu_page_response(struct viommu_request *rq, const struct viommu_req_page_response *b)
{
	static const enum dma_page_code codes[] = {
		[VIOMMU_PAGE_SUCCESS] = DMA_PAGE_SUCCESS,
		[VIOMMU_PAGE_INVALID] = DMA_PAGE_INVALID,
		[VIOMMU_PAGE_FAILURE] = DMA_PAGE_FAILURE,
	};
	struct viommu_endpoint *e = viommu_find_endpoint(rq->viommu, le32toh(b->endpoint));
	struct dma_page_response r;
	enum fault_state was;

	if (b->code >= ARRAY_SIZE(codes) || b->reserved || le32toh(b->flags) & ~VIOMMU_PAGE_F_PASID)
		return VIRTIO_IOMMU_S_INVAL;
	if (!e || !is_named(b, &r))
		return VIRTIO_IOMMU_S_NOENT;
	r.code = codes[b->code];
	was = fault_answer(&e->port, &r);
	return was == FAULT_WAITS || was == FAULT_FORGOTTEN ? VIRTIO_IOMMU_S_OK
	                                                    : VIRTIO_IOMMU_S_NOENT;
}
