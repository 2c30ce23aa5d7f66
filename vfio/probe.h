/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_PROBE_H
#define VFIO_PROBE_H

#include "vfio/uapi.h"

/* What is tried on a function, in this order; what stands on a step that failed is not tried. */
enum vfio_step {
	VFIO_STEP_OPEN,    /* its cdev */
	VFIO_STEP_BIND,    /* to iommufd */
	VFIO_STEP_HW_INFO, /* of the IOMMU it is behind */
	VFIO_STEP_PARENT,  /* a stage 2 that can be nested on */
	VFIO_STEP_VIOMMU,  /* a slice of the IOMMU, as an SMMUv3's */
	VFIO_STEP_QUEUE,   /* a fault queue */
	VFIO_STEP_FAULTS,  /* a page table with it; attached, if nothing can stall */
	NR_VFIO_STEPS
};

#define VFIO_NOT_TRIED 1 /* in place of 0 or -errno */

struct vfio_probe {
	int result[NR_VFIO_STEPS];
	bool is_smmuv3; /* hardware info is an SMMUv3's, and these are its registers */
	u32 idr[6];
};

/* What the host's IOMMU does for the function /dev/vfio/devices/@name, which is bound with @token
 * (NULL: none). All that was made is gone afterwards. -errno: /dev/iommu cannot be used, and
 * nothing was tried. */
int vfio_probe(struct vfio_probe *p, const struct uapi *u, const char *name, const u8 *token);

/* It has both stages of translation; stalls are possible; it decides of memory types at stage 2. */
bool vfio_probe_two_stages(const struct vfio_probe *p);
bool vfio_probe_stalls(const struct vfio_probe *p);
/* As far as is known. */
bool vfio_probe_may_stall(const struct vfio_probe *p);
bool vfio_probe_has_fwb(const struct vfio_probe *p);

#endif
