// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU device's event queue: faults of its endpoints (virtio 1.3, 5.13.6.9). */
#include <endian.h>
#include <string.h>

#include "devices/virtio/iommu_private.h"

static const u8 reasons[] = {
	[DMA_NOT_ATTACHED] = VIRTIO_IOMMU_FAULT_R_DOMAIN,
	[DMA_NOT_MAPPED] = VIRTIO_IOMMU_FAULT_R_MAPPING,
	[DMA_NOT_PERMITTED] = VIRTIO_IOMMU_FAULT_R_MAPPING,
	[DMA_NO_MEMORY] = VIRTIO_IOMMU_FAULT_R_UNKNOWN,
};

/* 5.13.6.9.2: one buffer has all of it. Where it is too small a fault is lost and gives it
 * back empty; a page request leaves it for the next fault, and is refused. */
bool viommu_report(struct viommu *v, const void *record, size_t len)
{
	struct virtq *vq = &v->dev.vq[VIOMMU_EVENTQ];
	struct virtq_chain chain;
	bool fits;

	if (!virtq_is_live(vq) || !virtq_pop(vq, &chain))
		return false;
	fits = iov_bytes(&chain.iov[chain.nr_out], chain.nr_in) >= len;
	if (!fits && len > sizeof(struct virtio_iommu_fault)) {
		virtq_unpop(vq, &chain);
		return false;
	}
	if (fits)
		iov_write(&chain.iov[chain.nr_out], chain.nr_in, 0, record, len);
	virtq_push(vq, &chain, fits ? len : 0);
	virtq_interrupt(vq);
	v->counts.events += fits;
	return fits;
}

/* With no buffer there it is lost (5.13.6.9 allows it): DMA never waits for the driver. */
static void fault(struct iommu_endpoint *iommu, const struct dma_access *a)
{
	struct viommu_endpoint *e = container_of(iommu, struct viommu_endpoint, iommu);
	struct viommu *v = e->viommu;
	u32 id = e->id ? e->id(e->ctx) : 0;
	u64 address = a->iova + a->done;
	/* Only who can attach a process is told of it, and of EXEC: 5.13.6.9 has neither. */
	const bool tables = virtio_has(&v->dev, VIOMMU_F_ATTACH_TABLE);
	const bool process = tables && a->pasid != DMA_NO_PASID;
	const __le32 pasid = htole32(process ? a->pasid : 0);
	struct virtio_iommu_fault f = {
		.reason = reasons[a->reason],
		.flags = htole32(VIRTIO_IOMMU_FAULT_F_ADDRESS |
		                 (process ? VIOMMU_FAULT_F_PASID : 0) |
		                 (a->perm & DMA_READ ? VIRTIO_IOMMU_FAULT_F_READ : 0) |
		                 (a->perm & DMA_WRITE ? VIRTIO_IOMMU_FAULT_F_WRITE : 0) |
		                 (tables && a->perm & DMA_EXEC ? VIRTIO_IOMMU_FAULT_F_EXEC : 0)),
		.endpoint = htole32(id),
		.address = htole64(address),
	};

	trace(v->dev.log, TRACE_IOMMU, "endpoint %#x: fault at %#llx, %s%s%s: %s", id,
	      (unsigned long long)address, a->perm & DMA_READ ? "r" : "",
	      a->perm & DMA_WRITE ? "w" : "", a->perm & DMA_EXEC ? "x" : "",
	      dma_reason_words(a->reason));
	memcpy(f.reserved2, &pasid, sizeof(pasid));
	v->counts.lost += !viommu_report(v, &f, sizeof(f));
}

const struct iommu_ops viommu_endpoint_ops = {
	.fault = fault,
	.page_request = viommu_page_request,
	.takes_pages = viommu_takes_pages,
	.forget_pages = viommu_forget_pages,
};
