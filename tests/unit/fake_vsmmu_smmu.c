// SPDX-License-Identifier: GPL-2.0-only
/* An SMMU in front of a fake host's, for tests. */
#include <errno.h>
#include <stdio.h>

#include "tests/unit/fake_vsmmu.h"
#include "vfio/vsmmu_private.h"

struct fake_vsmmu fake_v;
static struct log quiet;

struct smmu_id fake_vsmmu_id(const char *field, u64 value)
{
	struct smmu_id id;
	const char *expected;
	u64 most;

	smmu_id_default(&id, 44);
	if (field) {
		expected = smmu_id_set(&id, field, value);
		cr_assert(zero(ptr, (void *)expected), "%s: %s", field, expected);
	}
	expected = smmu_id_nest(&id, fake_iommufd.idr, &most);
	cr_assert(zero(ptr, (void *)expected), "%s: %llu", expected, (unsigned long long)most);
	return id;
}

static struct smmu_backend *backend(struct vm *vm)
{
	enum vsmmu_step step;
	char name[8];

	fake_v.context = (struct vfio_context){
		.uapi = { .ops = &fake_iommufd_ops, .log = &quiet, .fail_err = -ENOMEM }
	};
	cr_assert(zero(int, vfio_context_open(&fake_v.context)));
	cr_assert(zero(int, vfio_context_map(&fake_v.context, &vm->mem)));
	for (unsigned int i = 0; i < FAKE_VSMMU_STREAMS; i++) {
		snprintf(name, sizeof(name), "vfio%u", i);
		cr_assert(zero(int, vfio_device_open(&fake_v.devs[i], &fake_v.context, name)));
		cr_assert(zero(int, vfio_device_bind(&fake_v.devs[i])));
	}
	cr_assert(zero(int, vsmmu_create(&fake_v.vsmmu, vm, &fake_v.devs[0], &step)));
	return vsmmu_backend(fake_v.vsmmu);
}

void fake_vsmmu_make(const struct smmu_id *id)
{
	const struct smmu_id usual = fake_vsmmu_id(NULL, 0);

	fake_smmu_make_with(&fake_v.smmu, id ? id : &usual, backend);
	for (unsigned int i = 0; i < FAKE_VSMMU_STREAMS; i++)
		cr_assert(
			zero(int, vsmmu_stream_create(&fake_v.streams[i], fake_v.vsmmu,
		                                      &fake_v.devs[i], fake_v.smmu.endpoints[i])));
}

/* Who is done may have another be tried again. */
static struct vsmmu_stream *busy(void)
{
	for (unsigned int i = 0; i < FAKE_VSMMU_STREAMS; i++)
		if (fake_v.streams[i] && fake_v.streams[i]->busy)
			return fake_v.streams[i];
	return NULL;
}

void fake_vsmmu_settle(void)
{
	struct vsmmu_stream *st;

	while ((st = busy()))
		work_wait(fake_v.smmu.vm.work, &st->work);
}

void fake_vsmmu_enable(void)
{
	fake_smmu_program(&fake_v.smmu);
	fake_vsmmu_settle();
	cr_assert(eq(u32, fake_smmu_read32(&fake_v.smmu, CR0ACK),
	             CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN));
}

void fake_vsmmu_configure(unsigned int i)
{
	fake_smmu_queue(&fake_v.smmu, CFGI_STE | SID(fake_v.smmu.sids[i]), 0);
	fake_smmu_sync(&fake_v.smmu);
	fake_vsmmu_settle();
	cr_assert(eq(u32, fake_smmu_read32(&fake_v.smmu, CMDQ_CONS), fake_v.smmu.prod));
}

void fake_vsmmu_unmake(void)
{
	struct vm *vm = &fake_v.smmu.vm;

	fake_vm_stop(vm);
	loop_drain(vm->loop);
	work_drain(vm->work);
	for (unsigned int i = 0; i < FAKE_VSMMU_STREAMS; i++)
		if (fake_v.streams[i])
			vsmmu_stream_destroy(fake_v.streams[i]);
	smmu_destroy(fake_v.smmu.smmu);
	vsmmu_destroy(fake_v.vsmmu);
	for (unsigned int i = 0; i < FAKE_VSMMU_STREAMS; i++)
		vfio_device_close(&fake_v.devs[i]);
	vfio_context_close(&fake_v.context);
	fake_vm_destroy(vm);
	cr_assert(zero(u32, fake_iommufd.live));
	if (!fake_v.leaks)
		cr_assert(zero(u32, fake_iommufd.left + fake_iommufd.refused));
}

void fake_vsmmu_put_stage1(unsigned int i)
{
	u64 w[8];

	fake_smmu_ste_words(&fake_v.smmu, w, CONFIG_TRAFFIC | CONFIG_S1, i, 0, 0);
	fake_smmu_ste(&fake_v.smmu, fake_v.smmu.sids[i], w);
}
