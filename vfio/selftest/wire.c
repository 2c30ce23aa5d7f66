// SPDX-License-Identifier: GPL-2.0-only
/* Calls of iommufd's mock device, which are no uAPI (drivers/iommu/iommufd/iommufd_test.h). */
#include <errno.h>
#include <iommufd_test.h>
#include <sys/ioctl.h>

#include <linux/iommufd.h>

#include "vfio/mock.h"

static int test_cmd(const struct uapi *u, u32 op, u32 id, struct iommu_test_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return ioctl(u->iommufd, IOMMU_TEST_CMD, cmd) ? -errno : 0;
}

/* Faults with a PASID go where the function's own do only if that is a nested table
 * (drivers/iommu/io-pgfault.c: find_fault_handler). */
static int create(struct uapi *u, u32 ioas, u32 faultq)
{
	struct iommu_hwpt_selftest data = { 0 };
	struct iommu_hwpt_alloc parent = { .flags = IOMMU_HWPT_ALLOC_NEST_PARENT, .pt_id = ioas };
	struct iommu_hwpt_alloc table = { .flags = IOMMU_HWPT_FAULT_ID_VALID,
		                          .data_type = IOMMU_HWPT_DATA_SELFTEST,
		                          .data_len = sizeof(data),
		                          .data_uptr = (uintptr_t)&data,
		                          .fault_id = faultq };
	struct iommu_test_cmd cmd = { .mock_domain_flags.dev_flags = MOCK_FLAGS_DEVICE_PASID };
	int err = test_cmd(u, IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS, ioas, &cmd);
	const u32 self = cmd.mock_domain_flags.out_stdev_id;
	const u32 dev = cmd.mock_domain_flags.out_idev_id;

	if (err)
		return err;
	parent.dev_id = table.dev_id = dev;
	err = u->ops->hwpt_alloc(u, &parent);
	table.pt_id = parent.out_hwpt_id;
	err = err ? err : u->ops->hwpt_alloc(u, &table);
	cmd = (struct iommu_test_cmd){ .mock_domain_replace.pt_id = table.out_hwpt_id };
	err = err ? err : test_cmd(u, IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE, self, &cmd);
	return err ? err : (int)dev;
}

static u32 perm_of(u32 perm)
{
	return (perm & DMA_READ ? IOMMU_PGFAULT_PERM_READ : 0) |
	       (perm & DMA_WRITE ? IOMMU_PGFAULT_PERM_WRITE : 0) |
	       (perm & DMA_EXEC ? IOMMU_PGFAULT_PERM_EXEC : 0);
}

static int raise_fault(struct uapi *u, u32 dev, const struct fault_request *rq, u32 group)
{
	struct iommu_test_cmd cmd = {
		.trigger_iopf = { .dev_id = dev,
		                  .pasid = rq->pasid == DMA_NO_PASID ? 0 : rq->pasid,
		                  .grpid = group,
		                  .perm = perm_of(rq->perm),
		                  .addr = rq->addr },
	};

	return test_cmd(u, IOMMU_TEST_OP_TRIGGER_IOPF, 0, &cmd);
}

static const struct mock_wire wire = { .create = create, .raise = raise_fault };
const struct mock_wire *const mock_wire = &wire;
