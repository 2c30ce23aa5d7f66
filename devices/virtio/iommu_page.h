/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_IOMMU_PAGE_H
#define DEVICES_VIRTIO_IOMMU_PAGE_H

#include <linux/virtio_iommu.h>

/*
 * Page requests, experimental=page-request: no specification has assigned any of
 * these numbers. docs/virtio-iommu-experimental.md is the proposal.
 */
#define VIOMMU_F_PAGE_REQUEST  56
#define VIOMMU_T_PAGE_RESPONSE 0x80

/* Of struct virtio_iommu_fault's flags; those that there are, are in its low 16 bits. */
#define VIOMMU_FAULT_F_PAGE_REQUEST (1u << 16)
#define VIOMMU_FAULT_F_PASID        (1u << 17)
#define VIOMMU_FAULT_F_LAST         (1u << 18)

/* A fault record, and what is behind it. */
struct viommu_page_request {
	struct virtio_iommu_fault fault;
	__le32 pasid;
	__le16 group;
	__u8 reserved[2];
};

#define VIOMMU_PAGE_SUCCESS 0
#define VIOMMU_PAGE_INVALID 1
#define VIOMMU_PAGE_FAILURE 2

#define VIOMMU_PAGE_F_PASID (1u << 0)
#define VIOMMU_MAX_PASID    0xfffff

struct viommu_req_page_response {
	struct virtio_iommu_req_head head;
	__le32 endpoint;
	__le32 flags;
	__le32 pasid;
	__le16 group;
	__u8 code;
	__u8 reserved;
	struct virtio_iommu_req_tail tail;
};

#endif
