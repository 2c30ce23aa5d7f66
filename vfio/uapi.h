/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_UAPI_H
#define VFIO_UAPI_H

#include "vmm/types.h"

struct log;
struct uapi;

struct iommu_destroy;
struct iommu_fault_alloc;
struct iommu_hw_info;
struct iommu_hw_queue_alloc;
struct iommu_hwpt_alloc;
struct iommu_hwpt_get_dirty_bitmap;
struct iommu_hwpt_invalidate;
struct iommu_hwpt_set_dirty_tracking;
struct iommu_ioas_alloc;
struct iommu_ioas_allow_iovas;
struct iommu_ioas_change_process;
struct iommu_ioas_copy;
struct iommu_ioas_iova_ranges;
struct iommu_ioas_map;
struct iommu_ioas_map_file;
struct iommu_ioas_unmap;
struct iommu_option;
struct iommu_vdevice_alloc;
struct iommu_veventq_alloc;
struct iommu_viommu_alloc;
struct vfio_device_attach_iommufd_pt;
struct vfio_device_bind_iommufd;
struct vfio_device_detach_iommufd_pt;
struct vfio_device_feature;
struct vfio_device_info;
struct vfio_device_ioeventfd;
struct vfio_irq_info;
struct vfio_irq_set;
struct vfio_pci_hot_reset;
struct vfio_pci_hot_reset_info;
struct vfio_region_info;

/*
 * Every iommufd and vfio call Nestor makes, one function an ioctl (<linux/iommufd.h>,
 * <linux/vfio.h>, which say what each takes and gives). Each returns what the ioctl does, or
 * -errno. size is filled in here, and so is an argsz of 0; what is of any length has its own. Tests
 * put another table here. docs/uapi.md: how to add one.
 */
struct uapi_ops {
	/* Files: /dev/iommu, a function's cdev, and those that the calls below return. An fd or
	 * -errno. */
	int (*open)(struct uapi *u, const char *path);
	void (*close)(struct uapi *u, int fd);
	/* /dev/iommu, u->iommufd: address spaces */
	int (*destroy)(struct uapi *u, struct iommu_destroy *arg);
	int (*ioas_alloc)(struct uapi *u, struct iommu_ioas_alloc *arg);
	int (*ioas_allow_iovas)(struct uapi *u, struct iommu_ioas_allow_iovas *arg);
	int (*ioas_iova_ranges)(struct uapi *u, struct iommu_ioas_iova_ranges *arg);
	int (*ioas_map)(struct uapi *u, struct iommu_ioas_map *arg);
	int (*ioas_map_file)(struct uapi *u, struct iommu_ioas_map_file *arg);
	int (*ioas_copy)(struct uapi *u, struct iommu_ioas_copy *arg);
	int (*ioas_unmap)(struct uapi *u, struct iommu_ioas_unmap *arg);
	int (*ioas_change_process)(struct uapi *u, struct iommu_ioas_change_process *arg);
	int (*option)(struct uapi *u, struct iommu_option *arg);
	/* page tables of hardware */
	int (*hwpt_alloc)(struct uapi *u, struct iommu_hwpt_alloc *arg);
	int (*hwpt_invalidate)(struct uapi *u, struct iommu_hwpt_invalidate *arg);
	int (*hwpt_set_dirty_tracking)(struct uapi *u, struct iommu_hwpt_set_dirty_tracking *arg);
	int (*hwpt_get_dirty_bitmap)(struct uapi *u, struct iommu_hwpt_get_dirty_bitmap *arg);
	int (*get_hw_info)(struct uapi *u, struct iommu_hw_info *arg);
	/* slices of a host's IOMMU, and what comes up from it */
	int (*fault_queue_alloc)(struct uapi *u, struct iommu_fault_alloc *arg);
	int (*viommu_alloc)(struct uapi *u, struct iommu_viommu_alloc *arg);
	int (*vdevice_alloc)(struct uapi *u, struct iommu_vdevice_alloc *arg);
	int (*veventq_alloc)(struct uapi *u, struct iommu_veventq_alloc *arg);
	int (*hw_queue_alloc)(struct uapi *u, struct iommu_hw_queue_alloc *arg);
	/* a function's cdev; bind comes first, and closing it is what unbinds */
	int (*bind)(struct uapi *u, int fd, struct vfio_device_bind_iommufd *arg);
	int (*attach)(struct uapi *u, int fd, struct vfio_device_attach_iommufd_pt *arg);
	int (*detach)(struct uapi *u, int fd, struct vfio_device_detach_iommufd_pt *arg);
	int (*get_info)(struct uapi *u, int fd, struct vfio_device_info *arg);
	int (*get_region_info)(struct uapi *u, int fd, struct vfio_region_info *arg);
	int (*get_irq_info)(struct uapi *u, int fd, struct vfio_irq_info *arg);
	int (*set_irqs)(struct uapi *u, int fd, struct vfio_irq_set *arg);
	int (*reset)(struct uapi *u, int fd);
	int (*get_hot_reset_info)(struct uapi *u, int fd, struct vfio_pci_hot_reset_info *arg);
	int (*hot_reset)(struct uapi *u, int fd, struct vfio_pci_hot_reset *arg);
	int (*feature)(struct uapi *u, int fd, struct vfio_device_feature *arg);
	int (*ioeventfd)(struct uapi *u, int fd, struct vfio_device_ioeventfd *arg);
	/* What waits in an event queue's file, whole records: so many bytes, 0 of none, -errno. */
	int (*read_events)(struct uapi *u, int fd, void *buf, u32 len);
	/* Answers to a fault queue's groups, whole records: so many bytes as were taken, -errno. */
	int (*write_answers)(struct uapi *u, int fd, const void *buf, u32 len);
	/* Its regions, by offsets in the file: 1, 2, 4 or 8 bytes, of which all are read and
	 * written (0) or none (-errno); host memory that is the device's. */
	int (*read)(struct uapi *u, int fd, void *buf, u32 len, u64 offset);
	int (*write)(struct uapi *u, int fd, const void *buf, u32 len, u64 offset);
	int (*map)(struct uapi *u, int fd, u64 len, u64 offset, void **host);
	void (*unmap)(struct uapi *u, void *host, u64 len);
};

struct uapi {
	const struct uapi_ops *ops;
	struct log *log;
	int iommufd; /* -1: not open */
	/* This call, from 1 on, fails with @fail_err without being made; 0: none. Closing never
	 * does. */
	unsigned int calls, fail_at;
	int fail_err;
};

/* The host's. */
extern const struct uapi_ops uapi_host;

/* Counts a call: whether it is the one to fail. For whoever fills a table. */
bool uapi_fails(struct uapi *u);

#endif
