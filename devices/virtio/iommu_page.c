// SPDX-License-Identifier: GPL-2.0-only
/* Page requests of a virtio-iommu's endpoints, and their answers
 * (docs/virtio-iommu-experimental.md). */
#include <endian.h>

#include "devices/virtio/iommu_private.h"

static struct viommu_group *find(struct viommu_endpoint *e, u32 pasid, u16 group)
{
	for (unsigned int i = 0; i < e->nr_groups; i++)
		if (e->groups[i].pasid == pasid && e->groups[i].group == group)
			return &e->groups[i];
	return NULL;
}

static void answer(struct viommu_endpoint *e, struct viommu_group *g, enum dma_page_code code)
{
	const struct dma_page_response r = { g->pasid, g->group, code };
	struct dma_device *device = e->iommu.dma.device;

	*g = e->groups[--e->nr_groups];
	e->viommu->counts.answers++;
	if (device)
		device->page_response(device, &r);
}

/* A PASID has 20 bits (PCIe 6.20): all ones of 32 are none, and not DMA_NO_PASID. */
static struct viommu_group *find_named(struct viommu_endpoint *e,
                                       const struct viommu_req_page_response *b)
{
	const u32 pasid = le32toh(b->pasid), group = le16toh(b->group);

	if (!(le32toh(b->flags) & VIOMMU_PAGE_F_PASID))
		return find(e, DMA_NO_PASID, group);
	return pasid <= VIOMMU_MAX_PASID ? find(e, pasid, group) : NULL;
}

/* Who is attached for a request of @pasid: that process, or else the endpoint. */
static const struct viommu_seat *seat_for(struct viommu_endpoint *e, u32 pasid)
{
	const struct viommu_seat *seat = viommu_seat(e, pasid);

	return seat ? seat : &e->own;
}

static struct viommu_group *find_of_seat(struct viommu_endpoint *e, const struct viommu_seat *seat)
{
	for (unsigned int i = 0; i < e->nr_groups; i++)
		if (e->groups[i].pasid == seat->pasid || seat_for(e, e->groups[i].pasid) == seat)
			return &e->groups[i];
	return NULL;
}

/* It is attached to nothing: what it asks for again, as soon as it has an answer, is refused. */
void viommu_refuse_pages(struct viommu_endpoint *e, const struct viommu_seat *seat)
{
	struct viommu_group *g;

	while ((g = find_of_seat(e, seat)))
		answer(e, g, DMA_PAGE_INVALID);
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

/* False where nobody would answer: the requester then knows at once. */
bool viommu_page_request(struct iommu_endpoint *iommu, const struct dma_page_request *rq)
{
	struct viommu_endpoint *e = container_of(iommu, struct viommu_endpoint, iommu);
	struct viommu *v = e->viommu;
	const struct viommu_page_request record = {
		.fault.reason = VIRTIO_IOMMU_FAULT_R_MAPPING,
		.fault.flags = htole32(flags_of(rq)),
		.fault.endpoint = htole32(e->id ? e->id(e->ctx) : 0),
		.fault.address = htole64(rq->iova),
		.pasid = htole32(rq->pasid == DMA_NO_PASID ? 0 : rq->pasid),
		.group = htole16(rq->group),
	};

	if (!virtio_has(&v->dev, VIOMMU_F_PAGE_REQUEST) || !e->id ||
	    !seat_for(e, rq->pasid)->domain || (rq->last && e->nr_groups == VIOMMU_MAX_GROUPS) ||
	    find(e, rq->pasid, rq->group))
		return false;
	trace(v->dev.log, TRACE_IOMMU, "endpoint %#x: page request %#llx, group %u%s",
	      e->id(e->ctx), (unsigned long long)rq->iova, rq->group, rq->last ? ", last" : "");
	if (!viommu_report(v, &record, sizeof(record)))
		return false;
	if (rq->last)
		e->groups[e->nr_groups++] = (struct viommu_group){ rq->pasid, rq->group };
	return true;
}

u8 viommu_page_response(struct viommu_request *rq, const struct viommu_req_page_response *b)
{
	static const enum dma_page_code codes[] = {
		[VIOMMU_PAGE_SUCCESS] = DMA_PAGE_SUCCESS,
		[VIOMMU_PAGE_INVALID] = DMA_PAGE_INVALID,
		[VIOMMU_PAGE_FAILURE] = DMA_PAGE_FAILURE,
	};
	struct viommu_endpoint *e = viommu_find_endpoint(rq->viommu, le32toh(b->endpoint));
	struct viommu_group *g;

	if (b->code >= ARRAY_SIZE(codes) || b->reserved || le32toh(b->flags) & ~VIOMMU_PAGE_F_PASID)
		return VIRTIO_IOMMU_S_INVAL;
	g = e ? find_named(e, b) : NULL;
	if (!g)
		return VIRTIO_IOMMU_S_NOENT;
	answer(e, g, codes[b->code]);
	return VIRTIO_IOMMU_S_OK;
}
