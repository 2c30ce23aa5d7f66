// SPDX-License-Identifier: GPL-2.0-only
/* A slice of a host's SMMU: made, and taken down as far as it came. */
#include <errno.h>
#include <string.h>

#include "tests/unit/fake_vsmmu.h"
#include "vfio/vsmmu_private.h"

static struct vm vm;
static struct log quiet;
static struct vfio_context *const c = &fake_v.context;
static struct vfio_device *const d = &fake_v.devs[0];

static void make(void)
{
	fake_vm(&vm, 1);
	*c = (struct vfio_context){
		.uapi = { .ops = &fake_iommufd_ops, .log = &quiet, .fail_err = -EIO }
	};
	cr_assert(zero(int, vfio_context_open(c)));
	cr_assert(zero(int, vfio_context_map(c, &vm.mem)));
	cr_assert(zero(int, vfio_device_open(d, c, "vfio0")));
	cr_assert(zero(int, vfio_device_bind(d)));
}

static void unmake(void)
{
	vfio_device_close(d);
	vfio_context_close(c);
	fake_vm_destroy(&vm);
	cr_assert(zero(u32, fake_iommufd.live + fake_iommufd.left + fake_iommufd.refused));
}

TestSuite(vsmmu_make, .init = make, .fini = unmake);

Test(vsmmu_make, what_it_is_the_host_tells)
{
	u32 idr[VSMMU_NR_IDR] = { 0 };

	cr_assert(zero(int, vsmmu_idrs(d, idr)));
	cr_assert(zero(int, memcmp(idr, fake_iommufd.idr, sizeof(idr))));
	fake_iommufd.hw_type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
	cr_assert(eq(int, vsmmu_idrs(d, idr), -ENODEV));
	c->uapi.fail_at = c->uapi.calls + 1;
	cr_assert(eq(int, vsmmu_idrs(d, idr), -EIO));
}

Test(vsmmu_make, whichever_call_fails_nothing_is_left_and_it_is_said_which)
{
	static const enum vsmmu_step steps[] = { VSMMU_STEP_PARENT, VSMMU_STEP_VIOMMU,
		                                 VSMMU_STEP_EVENTS, VSMMU_STEP_TABLES,
		                                 VSMMU_STEP_TABLES };
	const unsigned int before = fake_iommufd.live;
	enum vsmmu_step step;
	struct vsmmu *v;

	for (unsigned int n = 0; n < ARRAY_SIZE(steps); n++) {
		c->uapi.fail_at = c->uapi.calls + n + 1;
		cr_assert(eq(int, vsmmu_create(&v, &vm, d, &step), -EIO), "call %u", n);
		cr_assert(eq(int, step, steps[n]), "call %u", n);
		cr_assert(eq(u32, fake_iommufd.live, before), "call %u", n);
	}
	c->uapi.fail_at = 0;
	cr_assert(zero(int, vsmmu_create(&v, &vm, d, &step)));
	loop_drain(vm.loop);
	vsmmu_destroy(v);
	cr_assert(eq(u32, fake_iommufd.live, before));
}

Test(vsmmu_make, one_that_cannot_nest_says_at_which_step)
{
	enum vsmmu_step step;
	struct vsmmu *v;

	fake_iommufd.no_parent = -EOPNOTSUPP;
	cr_assert(eq(int, vsmmu_create(&v, &vm, d, &step), -EOPNOTSUPP));
	cr_assert(eq(int, step, VSMMU_STEP_PARENT));
	fake_iommufd.no_parent = 0;
	fake_iommufd.no_viommu = -EOPNOTSUPP;
	cr_assert(eq(int, vsmmu_create(&v, &vm, d, &step), -EOPNOTSUPP));
	cr_assert(eq(int, step, VSMMU_STEP_VIOMMU));
}
