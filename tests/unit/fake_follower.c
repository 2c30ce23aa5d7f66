// SPDX-License-Identifier: GPL-2.0-only
/* Devices of a fake host's behind a virtio-iommu. */
#include "tests/unit/fake_follower.h"

#include <errno.h>
#include <stdio.h>

struct fake_followers fake_f;
static struct log quiet;

static int attach(struct iommu_assigned *a, struct iova_space *space)
{
	return vfio_device_follow(&container_of(a, struct fake_follower, assigned)->dev, space);
}

void fake_followers_make(const struct viommu_config *c)
{
	char name[8];

	fake_f.context = (struct vfio_context){
		.uapi = { .ops = &fake_iommufd_ops, .log = &quiet, .fail_err = -EIO }
	};
	cr_assert(zero(int, vfio_context_open(&fake_f.context)));
	cr_assert(zero(int, vfio_context_map(&fake_f.context, &fake_viommu_mem)));
	fake_viommu_make(&fake_f.viommu, c, 0);
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++) {
		snprintf(name, sizeof(name), "vfio%u", i);
		fake_f.of[i].assigned.attach = attach;
		cr_assert(zero(int, vfio_device_open(&fake_f.of[i].dev, &fake_f.context, name)));
		cr_assert(zero(int, vfio_device_bind(&fake_f.of[i].dev)));
	}
}

int fake_follow(unsigned int i)
{
	return iommu_assign(fake_viommu_dma(&fake_f.viommu, i), &fake_f.of[i].assigned);
}

void fake_followers_unmake(void)
{
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++) {
		iommu_assign(fake_viommu_dma(&fake_f.viommu, i), NULL);
		vfio_device_follow(&fake_f.of[i].dev, NULL);
	}
	fake_viommu_unmake(&fake_f.viommu);
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++)
		vfio_device_close(&fake_f.of[i].dev);
	vfio_context_close(&fake_f.context);
	cr_assert(zero(u32, fake_iommufd.live + fake_iommufd.left + fake_iommufd.refused));
}
