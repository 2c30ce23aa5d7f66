// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU device's event queue: faults of its endpoints (virtio 1.3, 5.13.6.9). */
#include <endian.h>

#include "devices/virtio/iommu_private.h"

static const u8 reasons[] = {
	[IOMMU_FAULT_DOMAIN] = VIRTIO_IOMMU_FAULT_R_DOMAIN,
	[IOMMU_FAULT_MAPPING] = VIRTIO_IOMMU_FAULT_R_MAPPING,
	[IOMMU_FAULT_ADDRESS] = VIRTIO_IOMMU_FAULT_R_UNKNOWN,
};

/* 5.13.6.9.2: one buffer has all of it. False: there is none, or it is too small, and the event is
 * lost. */
static bool report(struct viommu *v, const struct virtio_iommu_fault *f)
{
	struct virtq *vq = &v->dev.vq[VIOMMU_EVENTQ];
	struct virtq_chain chain;
	size_t n;

	if (!virtq_is_live(vq) || !virtq_pop(vq, &chain))
		return false;
	n = iov_bytes(&chain.iov[chain.nr_out], chain.nr_in);
	if (n >= sizeof(*f))
		iov_write(&chain.iov[chain.nr_out], chain.nr_in, 0, f, sizeof(*f));
	virtq_push(vq, &chain, n >= sizeof(*f) ? sizeof(*f) : 0);
	virtq_interrupt(vq);
	return n >= sizeof(*f);
}

/* With no buffer there it is lost (5.13.6.9 allows it): DMA never waits for the driver. */
static void fault(struct iommu_endpoint *iommu, const struct dma_access *a, enum iommu_fault reason)
{
	struct viommu_endpoint *e = container_of(iommu, struct viommu_endpoint, iommu);
	struct viommu *v = e->viommu;
	u32 id = e->id ? e->id(e->ctx) : 0;
	u64 address = a->iova + a->done;
	const struct virtio_iommu_fault f = {
		.reason = reasons[reason],
		.flags = htole32(VIRTIO_IOMMU_FAULT_F_ADDRESS |
		                 (a->perm & DMA_READ ? VIRTIO_IOMMU_FAULT_F_READ : 0) |
		                 (a->perm & DMA_WRITE ? VIRTIO_IOMMU_FAULT_F_WRITE : 0)),
		.endpoint = htole32(id),
		.address = htole64(address),
	};

	trace(v->dev.log, TRACE_IOMMU, "endpoint %#x: fault %u at %#llx, %s%s", id, f.reason,
	      (unsigned long long)address, a->perm & DMA_READ ? "r" : "",
	      a->perm & DMA_WRITE ? "w" : "");
	if (report(v, &f))
		v->counts.events++;
	else
		v->counts.lost++;
}

const struct iommu_ops viommu_endpoint_ops = { .fault = fault };
