/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_CONTEXT_H
#define VFIO_CONTEXT_H

#include "vfio/uapi.h"

struct guest_mem;
struct iova_space;
struct vfio_pci;

#define VFIO_TOKEN_SIZE 16 /* bytes of a UUID */
#define VFIO_MAX_TABLES 16 /* one for each IOMMU of the host's that has a device of ours */

/* Options that were proposed for <linux/iommufd.h>, and are in no released one: N. Chen, "iommufd:
 * Add IOMMU_OPTION_SW_MSI_START/SIZE ioctls", v2 of October 2025; v1 of February 2025. */
enum { VFIO_OPTION_SW_MSI_START = 2, VFIO_OPTION_SW_MSI_SIZE };

/*
 * What Nestor has of the host's iommufd: a context, with an address space that is the guest's
 * physical one, and the host's functions that are bound to it. IDs begin at 1; 0 is none.
 */
struct vfio_context {
	struct uapi uapi;
	u32 ioas;
	const struct guest_mem *mem; /* what is mapped there; NULL: nothing yet */
	u32 tables[VFIO_MAX_TABLES]; /* page tables of it, for devices that reach all of it */
	unsigned int nr_tables;
	unsigned int nr_devices;    /* bound */
	struct vfio_pci *functions; /* vfio/pci.c's, that a guest has */
};

/* A function that vfio-pci, or a driver like it, has. */
struct vfio_device {
	struct vfio_context *context;
	int fd;
	u32 id; /* 0: not bound */
	/* Between opening and binding it: of a virtual function whose physical one is a program's,
	 * the UUID that both know, or of that physical one; NULL: none. */
	const u8 *token;
	u32 hwpt; /* attached to it; 0: its DMA is blocked */
};

/*
 * Opens /dev/iommu and makes the address space. -errno, and then nothing is left: of open(2), and
 * -ENOTTY where it is some other file. uapi.fail_at may be set before.
 */
int vfio_context_open(struct vfio_context *c);
/* Guest RAM is at its own addresses there, by its file if it has one and the host takes it; it is
 * pinned from the first attachment on. -errno. */
int vfio_context_map(struct vfio_context *c, const struct guest_mem *mem);
/* Addresses in [*@first, *@last] that devices attached to it cannot be given; both bounds are moved
 * to those that they can, the first and the last. How many there are within, of which @max are
 * written; -errno. @granule (bytes): what is mapped is aligned to that, where it is more than it
 * was. */
struct vfio_range {
	u64 first, last; /* bytes, both included */
};
int vfio_context_holes(struct vfio_context *c, u64 *first, u64 *last, u64 *granule,
                       struct vfio_range *holes, unsigned int max);
/* Takes the address space down, with what is mapped, and closes. All devices have been closed. */
void vfio_context_close(struct vfio_context *c);

/* Opens /dev/vfio/devices/@name. Before it is bound, KVM can be told of its descriptor. -errno. */
int vfio_device_open(struct vfio_device *d, struct vfio_context *c, const char *name);
/* From here on it is ours, and has an ID. -errno. */
int vfio_device_bind(struct vfio_device *d);
/* Where the host maps doorbells for it, bytes: before it is attached to anything. -errno, and they
 * are where they were: -EOPNOTSUPP of every kernel that has been released, up to Linux 7.2;
 * -EINVAL: no whole MiB. */
int vfio_device_move_doorbells(struct vfio_device *d, u64 base, u64 size);
/* To an IOAS, or a hardware page table, in place of what it is attached to. -errno: no change. */
int vfio_device_attach(struct vfio_device *d, u32 pt);
/* To all of guest RAM, at its own addresses, which stays pinned then. -errno: no change. */
int vfio_device_attach_all(struct vfio_device *d);
/* vfio/mirror.c: to what is in @space, and will be: the host's IOMMU has a mirror of it from now
 * on. NULL: to nothing. -errno: no change; -EOPNOTSUPP: its mappings are a table of the guest's. */
int vfio_device_follow(struct vfio_device *d, struct iova_space *space);
/* Its DMA is blocked. -errno; closing detaches too. */
int vfio_device_detach(struct vfio_device *d);
/* Whether VFIO_DEVICE_FEATURE_@index can be had, in the ways that @flags says (GET, SET). */
bool vfio_device_has_feature(const struct vfio_device *d, u32 index, u32 flags);
/* Its descriptor, for the caller to close (uapi.ops->close), which can take long; -1: there is
 * none. It is attached to nothing then, and whoever closes it unbinds it. */
int vfio_device_give(struct vfio_device *d);
/* Detaches, unbinds, closes: as far as it had come. */
void vfio_device_close(struct vfio_device *d);

#endif
