/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_IOMMU_TABLE_H
#define DEVICES_VIRTIO_IOMMU_TABLE_H

#include <linux/virtio_iommu.h>
#include <stddef.h>

/*
 * Tables that the driver owns, experimental=attach-table: no specification has assigned any of
 * these numbers. docs/virtio-iommu-experimental.md is the proposal.
 */
#define VIOMMU_F_ATTACH_TABLE 57
#define VIOMMU_T_ATTACH_TABLE 0x81
#define VIOMMU_T_INVALIDATE   0x82

#define VIOMMU_FORMAT_ARM64 0x80

#define VIOMMU_TABLE_F_PASID (1u << 0)

/* VIOMMU_FORMAT_ARM64: stage 1 of VMSAv8-64, as TCR_EL1 says it. */
struct viommu_pgt_arm64 {
	__le16 asid;
	__le64 tcr;
	__le64 ttbr[2];
	__le64 mair;
} __attribute__((packed));

struct viommu_req_attach_table {
	struct virtio_iommu_req_head head;
	__le32 domain;
	__le32 endpoint;
	__u8 format;
	__u8 flags;
	struct viommu_pgt_arm64 arm64;
	__le32 pasid;
	__u8 reserved[72];
	struct virtio_iommu_req_tail tail;
} __attribute__((packed));
_Static_assert(offsetof(struct viommu_req_attach_table, tail) == 124, "the request's size");

/* struct virtio_iommu_req_detach, with this feature; without the flag its PASID is ignored. */
#define VIOMMU_DETACH_F_PASID (1u << 0)
struct viommu_req_detach {
	struct virtio_iommu_req_head head;
	__le32 domain;
	__le32 endpoint;
	__le32 flags;
	__le32 pasid;
	struct virtio_iommu_req_tail tail;
};
_Static_assert(sizeof(struct viommu_req_detach) == sizeof(struct virtio_iommu_req_detach),
               "the same request");

#define VIOMMU_INVAL_S_DOMAIN  1
#define VIOMMU_INVAL_S_PASID   2
#define VIOMMU_INVAL_S_ADDRESS 3

#define VIOMMU_INVAL_C_PASID (1u << 0)
#define VIOMMU_INVAL_C_TLB   (1u << 1)

#define VIOMMU_INVAL_F_LEAF   (1u << 0)
#define VIOMMU_INVAL_F_PASID  (1u << 1)
#define VIOMMU_INVAL_F_ID     (1u << 2)
#define VIOMMU_INVAL_F_GLOBAL (1u << 3)

struct viommu_req_invalidate {
	struct virtio_iommu_req_head head;
	__u8 scope;
	__u8 caches;
	__le16 flags;
	__le32 domain;
	__le32 pasid;
	__le64 id;
	__le64 address;
	__le64 nr_pages;
	__u8 page_size; /* log2 */
	__u8 reserved[19];
	struct virtio_iommu_req_tail tail;
} __attribute__((packed));
_Static_assert(offsetof(struct viommu_req_invalidate, tail) == 60, "the request's size");

/* Properties of a PROBE. */
#define VIOMMU_PROBE_T_PAGE_SIZE_MASK 0xf02
#define VIOMMU_PROBE_T_OUTPUT_SIZE    0xf04
#define VIOMMU_PROBE_T_PASID_SIZE     0xf05
#define VIOMMU_PROBE_T_TABLE_FORMAT   0xf06

#define VIOMMU_ARM64_F_HW_ACCESS (1u << 0)
#define VIOMMU_ARM64_F_HW_DIRTY  (1u << 1)
#define VIOMMU_ARM64_F_HPD       (1u << 3)

struct viommu_probe_tables {
	struct {
		struct virtio_iommu_probe_property head;
		__u8 reserved[4];
		__le64 mask;
	} page_sizes;
	struct viommu_probe_bits {
		struct virtio_iommu_probe_property head;
		__u8 bits;
		__u8 reserved[3];
	} output, pasids;
	struct {
		struct virtio_iommu_probe_property head;
		__le16 format;
		__u8 asid_bits;
		__u8 reserved;
		__le64 flags;
	} arm64;
};
_Static_assert(sizeof(struct viommu_probe_tables) == 48, "four properties");

#endif
