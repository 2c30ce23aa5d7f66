// SPDX-License-Identifier: GPL-2.0-only
/* What the IOMMU of a bound function can do, by trying it. Registers: IHI 0070. */
#include "vfio/probe.h"

#include <errno.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <string.h>

#include "vfio/context.h"

/* 6.3.1 */
#define IDR0_S2P         BIT(0)
#define IDR0_S1P         BIT(1)
#define IDR0_STALL_MODEL GENMASK(25, 24)
#define STALL_MODEL_NONE 1
/* 6.3.4 */
#define IDR3_FWB BIT(8)

/* What is tried, and what it is tried with. */
struct trial {
	struct vfio_probe *p;
	const u8 *token;
	struct vfio_context context;
	struct vfio_device device;
	u32 parent, viommu, fault, table; /* 0: not made */
	int fault_fd;
};

static void destroy(struct trial *t, u32 id)
{
	struct iommu_destroy arg = { .id = id };

	if (id)
		t->context.uapi.ops->destroy(&t->context.uapi, &arg);
}

static int try_open(struct trial *t, const char *name)
{
	return vfio_device_open(&t->device, &t->context, name);
}

static int try_bind(struct trial *t, const char *name)
{
	(void)name;
	t->device.token = t->token;
	return vfio_device_bind(&t->device);
}

static int try_hw_info(struct trial *t, const char *name)
{
	struct iommu_hw_info_arm_smmuv3 smmu = { 0 };
	struct iommu_hw_info arg = { .dev_id = t->device.id,
		                     .data_len = sizeof(smmu),
		                     .data_uptr = (uintptr_t)&smmu };
	int err = t->context.uapi.ops->get_hw_info(&t->context.uapi, &arg);

	(void)name;
	t->p->is_smmuv3 = !err && arg.out_data_type == IOMMU_HW_INFO_TYPE_ARM_SMMUV3;
	if (t->p->is_smmuv3)
		memcpy(t->p->idr, smmu.idr, sizeof(t->p->idr));
	return err;
}

static int table_alloc(struct trial *t, u32 flags, u32 *id)
{
	struct iommu_hwpt_alloc arg = { .flags = flags,
		                        .dev_id = t->device.id,
		                        .pt_id = t->context.ioas,
		                        .fault_id = t->fault };
	int err = t->context.uapi.ops->hwpt_alloc(&t->context.uapi, &arg);

	if (!err)
		*id = arg.out_hwpt_id;
	return err;
}

static int try_parent(struct trial *t, const char *name)
{
	(void)name;
	return table_alloc(t, IOMMU_HWPT_ALLOC_NEST_PARENT, &t->parent);
}

static int try_viommu(struct trial *t, const char *name)
{
	struct iommu_viommu_alloc arg = { .type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3,
		                          .dev_id = t->device.id,
		                          .hwpt_id = t->parent };
	int err = t->context.uapi.ops->viommu_alloc(&t->context.uapi, &arg);

	(void)name;
	if (!err)
		t->viommu = arg.out_viommu_id;
	return err;
}

static int try_queue(struct trial *t, const char *name)
{
	struct iommu_fault_alloc arg = { 0 };
	int err = t->context.uapi.ops->fault_queue_alloc(&t->context.uapi, &arg);

	(void)name;
	if (err)
		return err;
	t->fault = arg.out_fault_id;
	t->fault_fd = arg.out_fault_fd;
	return 0;
}

/* Where an SMMU can stall but Linux finds it not fit for SVA, 7.2 has no queue for the device, and
 * uses it as the table is attached (iopf_queue_add_device()): so there it is only made. */
static int try_faults(struct trial *t, const char *name)
{
	int err = table_alloc(t, IOMMU_HWPT_FAULT_ID_VALID, &t->table);

	(void)name;
	return err || vfio_probe_may_stall(t->p) ? err : vfio_device_attach(&t->device, t->table);
}

static const struct {
	int (*run)(struct trial *t, const char *name);
	enum vfio_step needs; /* it comes earlier; or itself: nothing */
} steps[NR_VFIO_STEPS] = {
	[VFIO_STEP_OPEN] = { try_open, VFIO_STEP_OPEN },
	[VFIO_STEP_BIND] = { try_bind, VFIO_STEP_OPEN },
	[VFIO_STEP_HW_INFO] = { try_hw_info, VFIO_STEP_BIND },
	[VFIO_STEP_PARENT] = { try_parent, VFIO_STEP_BIND },
	[VFIO_STEP_VIOMMU] = { try_viommu, VFIO_STEP_PARENT },
	[VFIO_STEP_QUEUE] = { try_queue, VFIO_STEP_BIND },
	[VFIO_STEP_FAULTS] = { try_faults, VFIO_STEP_QUEUE },
};

/* In reverse: what is used is not destroyed, and an open descriptor uses its queue. */
static void take_down(struct trial *t)
{
	struct uapi *u = &t->context.uapi;

	if (t->device.hwpt)
		vfio_device_detach(&t->device);
	destroy(t, t->table);
	if (t->fault)
		u->ops->close(u, t->fault_fd);
	destroy(t, t->fault);
	destroy(t, t->viommu);
	destroy(t, t->parent);
	vfio_device_close(&t->device);
	vfio_context_close(&t->context);
}

int vfio_probe(struct vfio_probe *p, const struct uapi *u, const char *name, const u8 *token)
{
	struct trial t = { .p = p, .context.uapi = *u, .token = token };
	int err = vfio_context_open(&t.context);

	*p = (struct vfio_probe){ 0 };
	if (err)
		return err;
	for (unsigned int i = 0; i < NR_VFIO_STEPS; i++) {
		const enum vfio_step needs = steps[i].needs;

		p->result[i] = VFIO_NOT_TRIED;
		if (needs == i || !p->result[needs])
			p->result[i] = steps[i].run(&t, name);
	}
	take_down(&t);
	return 0;
}

bool vfio_probe_two_stages(const struct vfio_probe *p)
{
	return p->is_smmuv3 && (p->idr[0] & IDR0_S1P) != 0 && (p->idr[0] & IDR0_S2P) != 0;
}

bool vfio_probe_stalls(const struct vfio_probe *p)
{
	return p->is_smmuv3 && FIELD_GET(IDR0_STALL_MODEL, p->idr[0]) != STALL_MODEL_NONE;
}

bool vfio_probe_may_stall(const struct vfio_probe *p)
{
	return !p->is_smmuv3 || vfio_probe_stalls(p);
}

bool vfio_probe_has_fwb(const struct vfio_probe *p)
{
	return p->is_smmuv3 && (p->idr[3] & IDR3_FWB) != 0;
}
