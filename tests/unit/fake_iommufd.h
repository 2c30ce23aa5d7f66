/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_IOMMUFD_H
#define TESTS_UNIT_FAKE_IOMMUFD_H

#include "vfio/uapi.h"

/*
 * A host with an SMMUv3 and functions vfio0 to vfio3 behind it. It keeps objects as iommufd does:
 * by ID, with their users; refuses to destroy one that has any (-EBUSY), and what it is not told of
 * in order it counts. Each test runs in a process of its own, so one of it is enough.
 */
enum fake_kind {
	FAKE_NONE,
	FAKE_IOAS,
	FAKE_HWPT,
	FAKE_DEVICE,
	FAKE_VIOMMU,
	FAKE_VDEVICE,
	FAKE_FAULT,
	FAKE_VEVENTQ,
	FAKE_HW_QUEUE,
	FAKE_FILE, /* a cdev that is not bound, or /dev/iommu: has no ID */
};

struct fake_iommufd {
	/* what it answers */
	u32 hw_type, idr[6];
	int no_iommu, no_bind, no_file, no_parent, no_viommu, no_faults; /* -errno; 0: it works */
	/* what it was told */
	unsigned int refused; /* destroyed while used, or closed before what is in it */
	unsigned int left;    /* objects that closing /dev/iommu had to take down */
	unsigned int live;    /* objects and files */
	struct fake_map {
		bool by_file;
		u64 iova, length;
	} map; /* the last */
	unsigned int nr_maps;
};

extern struct fake_iommufd fake_iommufd;
extern const struct uapi_ops fake_iommufd_ops;

#endif
