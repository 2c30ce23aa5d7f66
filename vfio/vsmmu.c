// SPDX-License-Identifier: GPL-2.0-only
/* A slice of a host's SMMUv3 for one of the guest's: made and taken down, invalidations, events
 * (Arm IHI 0070). */
#include "vfio/vsmmu.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "vfio/vsmmu_private.h"

#define EVENTS 512 /* that wait for the loop; what does not fit is lost, and counted */

int vsmmu_idrs(struct vfio_device *d, u32 idr[VSMMU_NR_IDR])
{
	struct iommu_hw_info_arm_smmuv3 smmu = { 0 };
	struct iommu_hw_info arg = { .dev_id = d->id,
		                     .data_len = sizeof(smmu),
		                     .data_uptr = (uintptr_t)&smmu };
	int err = d->context->uapi.ops->get_hw_info(&d->context->uapi, &arg);

	if (!err && arg.out_data_type != IOMMU_HW_INFO_TYPE_ARM_SMMUV3)
		err = -ENODEV;
	if (!err)
		memcpy(idr, smmu.idr, sizeof(smmu.idr));
	return err;
}

/* What cannot be destroyed goes with the context. */
int vsmmu_drop(struct vsmmu *v, u32 *id)
{
	struct uapi *u = &v->context->uapi;
	struct iommu_destroy arg = { .id = *id };
	int err = *id ? u->ops->destroy(u, &arg) : 0;

	*id = 0;
	return err;
}

int vsmmu_table(struct vsmmu *v, u32 dev, const u64 *ste, u32 faultq, u32 *id)
{
	struct uapi *u = &v->context->uapi;
	struct iommu_hwpt_arm_smmuv3 words = { { htole64(ste[0]), htole64(ste[1]) } };
	struct iommu_hwpt_alloc arg = { .flags = faultq ? IOMMU_HWPT_FAULT_ID_VALID : 0,
		                        .dev_id = dev,
		                        .pt_id = v->viommu,
		                        .fault_id = faultq,
		                        .data_type = IOMMU_HWPT_DATA_ARM_SMMUV3,
		                        .data_len = sizeof(words),
		                        .data_uptr = (uintptr_t)&words };
	int err = u->ops->hwpt_alloc(u, &arg);

	if (!err)
		*id = arg.out_hwpt_id;
	return err;
}

/* Its own, though others of this address space could be nested on as well: a VMID is a parent's. */
static int make_parent(struct vsmmu *v, struct vfio_device *d)
{
	struct uapi *u = &v->context->uapi;
	struct iommu_hwpt_alloc arg = { .flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		                        .dev_id = d->id,
		                        .pt_id = v->context->ioas };
	int err = u->ops->hwpt_alloc(u, &arg);

	if (!err)
		v->parent = arg.out_hwpt_id;
	return err;
}

static int make_viommu(struct vsmmu *v, struct vfio_device *d)
{
	struct uapi *u = &v->context->uapi;
	struct iommu_viommu_alloc arg = { .type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3,
		                          .dev_id = d->id,
		                          .hwpt_id = v->parent };
	int err = u->ops->viommu_alloc(u, &arg);

	if (!err)
		v->viommu = arg.out_viommu_id;
	return err;
}

/* A record with its header, as they are read. */
struct event {
	struct iommufd_vevent_header header;
	struct iommu_vevent_arm_smmuv3 record;
};

/* Sequence numbers have 31 bits; a header alone is of those that were lost last. */
static u32 lost(struct vsmmu *v, const struct iommufd_vevent_header *h)
{
	const bool alone = h->flags & IOMMU_VEVENTQ_FLAG_LOST_EVENTS;
	const u32 nr = ((h->sequence - v->sequence) & 0x7fffffff) + alone;

	v->sequence = (h->sequence + 1) & 0x7fffffff;
	return nr;
}

/* How many bytes of @at were one; 0: what is left is none. */
static size_t take_event(struct vsmmu *v, const u8 *at, size_t left)
{
	struct event e;
	u64 record[4];
	u32 nr;

	if (left < sizeof(e.header))
		return 0;
	memcpy(&e.header, at, sizeof(e.header));
	nr = lost(v, &e.header);
	v->counts.events_lost += nr;
	smmu_lost(v->backend.smmu, nr);
	if (e.header.flags & IOMMU_VEVENTQ_FLAG_LOST_EVENTS)
		return sizeof(e.header);
	if (left < sizeof(e))
		return 0;
	memcpy(&e, at, sizeof(e));
	for (unsigned int i = 0; i < ARRAY_SIZE(record); i++)
		record[i] = le64toh(e.record.evt[i]);
	v->counts.events++;
	smmu_forward(v->backend.smmu, record);
	return sizeof(e);
}

/* As many as fit; the loop comes again for the rest. */
static void events_ready(struct loop_op *op, int res)
{
	struct vsmmu *v = container_of(op, struct vsmmu, ready);
	struct uapi *u = &v->context->uapi;
	u8 buf[64 * sizeof(struct event)];
	size_t done = 0, len;
	int n;

	if (res < 0)
		return;
	n = u->ops->read_events(u, v->events, buf, sizeof(buf));
	while (n > 0 && done < (size_t)n && (len = take_event(v, buf + done, n - done)))
		done += len;
	/* Linux may have no memory for the record of a loss (-ENOMEM), which it keeps then. */
	if (n >= 0 || n == -ENOMEM || n == -EINTR || n == -EAGAIN)
		loop_poll(v->vm->loop, &v->ready, v->events, POLLIN);
	else
		log_error("the host's events: %s: none is passed on from now on", strerror(-n));
}

static int make_events(struct vsmmu *v, struct vfio_device *d)
{
	struct uapi *u = &v->context->uapi;
	struct iommu_veventq_alloc arg = { .viommu_id = v->viommu,
		                           .type = IOMMU_VEVENTQ_TYPE_ARM_SMMUV3,
		                           .veventq_depth = EVENTS };
	int err = u->ops->veventq_alloc(u, &arg);

	(void)d;
	if (err)
		return err;
	v->veventq = arg.out_veventq_id;
	v->events = arg.out_veventq_fd;
	v->ready = (struct loop_op){ .done = events_ready, .endless = true };
	return 0;
}

static int make_tables(struct vsmmu *v, struct vfio_device *d)
{
	/* 5.2: stage 1 is bypassed, stage 2 is the host's; and neither */
	static const u64 bypass[2] = { VSMMU_BYPASS }, abort[2] = { STE0_V };
	int err = vsmmu_table(v, d->id, bypass, 0, &v->unnamed);

	if (!err)
		err = vsmmu_table(v, d->id, bypass, 0, &v->bypass);
	return err ? err : vsmmu_table(v, d->id, abort, 0, &v->abort);
}

/*
 * Commands of streams that the host does not know, or no longer, are none. A device whose ATS is
 * not on would answer no CMD_ATC_INV, and the host's own commands wait for it.
 */
static bool can_take(const struct vsmmu *v, const struct smmu_words *w)
{
	const struct vsmmu_stream *st = vsmmu_find(v, w->word[0] >> 32);

	return st && (FIELD_GET(CMD0_OPCODE, w->word[0]) != CMD_ATC_INV || vsmmu_caches(st));
}

static unsigned int encode(const struct vsmmu *v, const struct smmu_words *from, unsigned int nr,
                           struct iommu_viommu_arm_smmuv3_invalidate *to)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const u64 *w = from[i].word;

		if (smmu_is_of_stream(&from[i]) && !can_take(v, &from[i]))
			continue;
		to[n].cmd[0] = htole64(w[0]);
		to[n++].cmd[1] = htole64(w[1]);
	}
	return n;
}

/* -errno, and how many the host has looked at. */
static int call(struct vsmmu *v, struct iommu_viommu_arm_smmuv3_invalidate *cmds, unsigned int nr,
                unsigned int *seen)
{
	struct uapi *u = &v->context->uapi;
	struct iommu_hwpt_invalidate arg = {
		.hwpt_id = v->viommu,
		.data_uptr = (uintptr_t)cmds,
		.data_type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
		.entry_len = sizeof(*cmds),
		.entry_num = nr,
	};
	const int err = u->ops->hwpt_invalidate(u, &arg);

	v->counts.calls++;
	*seen = arg.entry_num;
	return err;
}

/*
 * Each is issued but one that is refused, which none is that has been looked at before: Linux tells
 * with -EIO how many have been, of which it has issued some (arm_vsmmu_cache_invalidate()): all of
 * them again. With any other error nothing is known of them: all again, once.
 */
static bool issue(struct vsmmu *v, struct iommu_viommu_arm_smmuv3_invalidate *cmds, unsigned int nr)
{
	unsigned int done = 0, seen, rest, tries = 0;
	int err;

	while (done < nr) {
		err = call(v, cmds + done, nr - done, &seen);
		if (!err)
			return true;
		v->counts.refused++;
		if (err != -EIO || seen >= nr - done) {
			if (tries++)
				return false;
			continue;
		}
		if (seen && call(v, cmds + done, seen, &rest))
			return false;
		done += seen + 1;
	}
	return true;
}

static bool invalidate(struct smmu_backend *b, const struct smmu_words *commands, unsigned int nr)
{
	struct vsmmu *v = container_of(b, struct vsmmu, backend);
	struct iommu_viommu_arm_smmuv3_invalidate cmds[SMMU_BATCH];

	nr = encode(v, commands, nr, cmds);
	v->counts.commands += nr;
	if (issue(v, cmds, nr))
		return true;
	trace(v->vm->log, TRACE_SMMU, "the host has not invalidated all of %u commands", nr);
	return false;
}

/* What is cached of the CDs of a stream. 0 or -errno; on the host-work thread. */
int vsmmu_forget_cds(struct vsmmu *v, u32 sid)
{
	struct iommu_viommu_arm_smmuv3_invalidate cmd = { { htole64(CMD_CFGI_CD_ALL |
		                                                    (u64)sid << 32) } };
	struct uapi *u = &v->context->uapi;
	struct iommu_hwpt_invalidate arg = {
		.hwpt_id = v->viommu,
		.data_uptr = (uintptr_t)&cmd,
		.data_type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
		.entry_len = sizeof(cmd),
		.entry_num = 1,
	};

	return u->ops->hwpt_invalidate(u, &arg);
}

static const struct smmu_backend_ops ops = { .install = vsmmu_install, .invalidate = invalidate };

int vsmmu_create(struct vsmmu **out, struct vm *vm, struct vfio_device *d, enum vsmmu_step *step)
{
	static int (*const steps[])(struct vsmmu * v, struct vfio_device * d) = {
		[VSMMU_STEP_PARENT] = make_parent,
		[VSMMU_STEP_VIOMMU] = make_viommu,
		[VSMMU_STEP_EVENTS] = make_events,
		[VSMMU_STEP_TABLES] = make_tables,
	};
	struct vsmmu *v = calloc(1, sizeof(*v));
	int err = v ? 0 : -ENOMEM;

	*step = VSMMU_STEP_PARENT;
	if (err)
		return err;
	*v = (struct vsmmu){ .backend.ops = &ops, .context = d->context, .vm = vm, .events = -1 };
	for (unsigned int i = 0; i < ARRAY_SIZE(steps) && !err; i++) {
		*step = i;
		err = steps[i](v, d);
	}
	if (err) {
		vsmmu_destroy(v);
		return err;
	}
	loop_poll(vm->loop, &v->ready, v->events, POLLIN);
	*out = v;
	return 0;
}

/* In reverse: what is used is not destroyed, and an open file uses its queue. */
void vsmmu_destroy(struct vsmmu *v)
{
	struct uapi *u = &v->context->uapi;

	vsmmu_drop(v, &v->abort);
	vsmmu_drop(v, &v->bypass);
	vsmmu_drop(v, &v->unnamed);
	if (v->events >= 0)
		u->ops->close(u, v->events);
	vsmmu_drop(v, &v->veventq);
	if (v->faultq)
		u->ops->close(u, v->faults);
	vsmmu_drop(v, &v->faultq);
	vsmmu_drop(v, &v->viommu);
	vsmmu_drop(v, &v->parent);
	free(v);
}

struct smmu_backend *vsmmu_backend(struct vsmmu *v)
{
	return &v->backend;
}

void vsmmu_count(const struct vsmmu *v, struct vsmmu_counts *c)
{
	*c = v->counts;
}
