/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_FOLLOWER_H
#define TESTS_UNIT_FAKE_FOLLOWER_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_function.h"
#include "tests/unit/fake_iommufd.h"
#include "tests/unit/fake_viommu.h"
#include "vfio/context.h"
#include "vmm/iommu.h"

/*
 * Devices of a fake host's behind an IOMMU device: endpoint i's is vfio<i>, whose DMA follows it,
 * where a test says so; else it is emulated.
 */
struct fake_follower {
	struct iommu_assigned assigned;
	struct vfio_device dev;
};

struct fake_followers {
	struct fake_viommu viommu;
	struct vfio_context context;
	struct fake_follower of[VIOMMU_ENDPOINTS];
};
extern struct fake_followers fake_f;

/* The context has RAM, and all functions are bound to it; @c NULL: the usual configuration. */
void fake_followers_make(const struct viommu_config *c);
/* All of it, in the order of a machine; nothing is left. */
void fake_followers_unmake(void);
/* Endpoint @i's DMA is function i's from now on. 0 or -errno. */
int fake_follow(unsigned int i);

#endif
