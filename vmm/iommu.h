/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_IOMMU_H
#define VMM_IOMMU_H

#include "vmm/dma.h"
#include "vmm/iova.h"

/*
 * What every vIOMMU has in common: endpoints. An endpoint is the DMA space of
 * one requester behind it: translations are looked up in the address space that
 * it is attached to, and cached. Everything is called under the device lock.
 */
#define IOMMU_CACHE 64 /* translations an endpoint remembers */

struct iommu_endpoint;

/* A vIOMMU, as its endpoints know it. */
struct iommu_ops {
	/* @a is not possible at @a->iova + @a->done, for @a->reason. */
	void (*fault)(struct iommu_endpoint *e, const struct dma_access *a);
	/* dma_request_page; NULL: nobody takes them. */
	bool (*page_request)(struct iommu_endpoint *e, const struct dma_page_request *rq);
	bool (*takes_pages)(struct iommu_endpoint *e, u32 pasid); /* where there is the former */
	/* dma_forget_pages; NULL: nothing is kept of them. */
	void (*forget_pages)(struct iommu_endpoint *e);
};

/* From an attach to the next one. */
struct iommu_attachment {
	struct dma_use use;
	struct iova_space *space;
	struct iommu_attachment *next; /* of processes' */
	u32 pasid;                     /* or DMA_NO_PASID */
};

/* A device of the host's behind it, whose DMA is the host's IOMMU's to translate. */
struct iommu_assigned {
	/* It reaches what is in @space (NULL: nothing) and nothing else; -errno: as it was. */
	int (*attach)(struct iommu_assigned *a, struct iova_space *space);
};

struct iommu_endpoint {
	struct dma_space dma;
	struct iommu_assigned *assigned; /* NULL: its device is emulated */
	const struct iommu_ops *ops;
	struct iommu_attachment *attachment; /* NULL: none, and nothing can be reached */
	struct iommu_attachment *processes;  /* with an address space of their own */
	/* Messages to [msi_first, msi_last] are not translated; first > last: there is no such
	 * window. Those to its first 64 KiB arrive so much further on, which may wrap. */
	u64 msi_first, msi_last;
	u64 msi_move;
	struct iommu_cached {
		struct iova_space *space;
		struct iova_mapping *mapping;
		u64 generation;
	} cache[IOMMU_CACHE];
	u64 accesses, faults; /* since it was made */
};

void iommu_endpoint_init(struct iommu_endpoint *e, const struct iommu_ops *ops,
                         const struct guest_mem *mem);

/* @s is such an endpoint's. From now on @a follows it; NULL: nobody does. -errno: it could not. */
int iommu_assign(struct dma_space *s, struct iommu_assigned *a);

/*
 * From now on it reaches @space (NULL: nothing). @wait->left grows by one if
 * transfers that began before are in flight still. 0; -errno: nothing has changed.
 */
int iommu_attach(struct iommu_endpoint *e, struct iova_space *space, struct dma_wait *wait);

/* The same of its accesses with @pasid; NULL: they have no space that is not the endpoint's.
 * -EOPNOTSUPP: a device of the host's has no PASIDs here. */
int iommu_attach_process(struct iommu_endpoint *e, u32 pasid, struct iova_space *space,
                         struct dma_wait *wait);

/* What messages of its lead to may have changed. */
void iommu_messages_changed(struct iommu_endpoint *e);

#endif
