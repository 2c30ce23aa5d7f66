// SPDX-License-Identifier: GPL-2.0-only
/* Faults of stage 1 that a host's SMMUv3 stalls (linux/iommufd.h: IOMMU_FAULT_QUEUE_ALLOC): read,
 * raised as their function's, answered. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "vfio/vsmmu_private.h"

static struct vsmmu_stream *of_device(const struct vsmmu *v, u32 id)
{
	struct vsmmu_stream *st = v->streams;

	while (st && st->dev->id != id)
		st = st->next;
	return st;
}

/* The host forgets a cookie by itself where a page table goes. */
static bool answer(struct fault_source *s, u64 cookie, enum fault_outcome o)
{
	struct vsmmu *v = container_of(s, struct vsmmu, source);
	struct uapi *u = &v->context->uapi;
	const struct iommu_hwpt_page_response r = {
		.cookie = cookie,
		.code = fault_is_retried(o) ? IOMMUFD_PAGE_RESP_SUCCESS : IOMMUFD_PAGE_RESP_INVALID,
	};
	int n = u->ops->write_answers(u, v->faults, &r, sizeof(r));

	trace(v->vm->log, TRACE_FAULT, "the host's %llu: %s, %s", (unsigned long long)cookie,
	      r.code == IOMMUFD_PAGE_RESP_SUCCESS ? "success" : "invalid",
	      n == sizeof(r) ? "taken" : "too late");
	v->counts.answers += n == sizeof(r);
	v->counts.answers_late += n != sizeof(r);
	return n == sizeof(r);
}

static u32 perm_of(u32 perm)
{
	static const struct {
		u32 host, dma;
	} bits[] = { { IOMMU_PGFAULT_PERM_READ, DMA_READ },
		     { IOMMU_PGFAULT_PERM_WRITE, DMA_WRITE },
		     { IOMMU_PGFAULT_PERM_EXEC, DMA_EXEC } };
	u32 val = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++)
		val |= perm & bits[i].host ? bits[i].dma : 0;
	return val ? val : DMA_READ;
}

/*
 * What a function raised that is not known any more, or is being reset, nobody waits for. An
 * SMMUv3's stalls are groups of one. Of a larger one, which is one cookie's and has one answer, the
 * last page decides: the others are asked for again when it is there.
 */
static void take_fault(struct vsmmu *v, const struct iommu_hwpt_pgfault *f)
{
	const struct fault_request rq = {
		.addr = f->addr,
		.perm = perm_of(f->perm),
		.privileged = f->perm & IOMMU_PGFAULT_PERM_PRIV,
		.pasid = f->flags & IOMMU_PGFAULT_FLAGS_PASID_VALID ? f->pasid : DMA_NO_PASID,
		.cookie = f->cookie,
	};
	struct vsmmu_stream *st = of_device(v, f->dev_id);

	trace(v->vm->log, TRACE_FAULT, "the host's %u: StreamID %#x, 0x%llx%s%s", f->cookie,
	      st ? st->sid : ~0u, (unsigned long long)f->addr,
	      f->flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE ? "" : ", not the last",
	      !st || st->resetting ? ", and nobody waits for it" : "");
	if (!(f->flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE))
		return;
	v->counts.faults++;
	if (st && st->stream.stalls && !st->resetting)
		fault_bridge_raise(&st->bridge, &v->source, &rq);
	else
		answer(&v->source, f->cookie, FAULT_ENDED_BY);
}

/*
 * While a page table is being replaced nothing is read: cookies are given out as records are, the
 * lowest that is free, and the host frees those of what is replaced. So none that is known here is
 * another fault's.
 */
void vsmmu_faults_read(struct vsmmu *v)
{
	struct uapi *u = &v->context->uapi;
	int n;

	if (!v->faultq || v->replacing || v->faults_broken)
		return;
	n = u->ops->read_events(u, v->faults, v->records, sizeof(v->records));
	for (int i = 0; i < n / (int)sizeof(v->records[0]); i++)
		take_fault(v, &v->records[i]);
	if (n >= 0 || n == -ENOMEM || n == -EINTR || n == -EAGAIN)
		return;
	log_error("the host's page faults: %s: none is served from now on", strerror(-n));
	v->faults_broken = true;
}

static void faults_ready(struct loop_op *op, int res)
{
	struct vsmmu *v = container_of(op, struct vsmmu, faults_ready);

	v->faults_polled = false;
	if (res < 0)
		return;
	vsmmu_faults_read(v);
	vsmmu_faults_poll(v);
}

void vsmmu_faults_poll(struct vsmmu *v)
{
	if (!v->faultq || v->faults_polled || v->replacing || v->faults_broken)
		return;
	v->faults_polled = true;
	loop_poll(v->vm->loop, &v->faults_ready, v->faults, POLLIN);
}

static int make_queue(struct vsmmu *v)
{
	struct uapi *u = &v->context->uapi;
	struct iommu_fault_alloc arg = { 0 };
	int err = v->faultq ? 0 : u->ops->fault_queue_alloc(u, &arg);

	if (err || v->faultq)
		return err;
	v->faultq = arg.out_fault_id;
	v->faults = arg.out_fault_fd;
	v->source.answer = answer;
	v->faults_ready = (struct loop_op){ .done = faults_ready, .endless = true };
	vsmmu_faults_poll(v);
	return 0;
}

/* Only as a table with a queue is attached does Linux say whether it can serve one. */
static int try_queue(struct vsmmu_stream *st)
{
	static const u64 bypass[2] = { VSMMU_BYPASS };
	struct vsmmu *v = st->vsmmu;
	u32 table = 0;
	int err = vsmmu_table(v, st->dev->id, bypass, v->faultq, &table);

	if (!err)
		err = vfio_device_attach(st->dev, table);
	if (!err)
		err = vfio_device_attach(st->dev, v->unnamed);
	vsmmu_drop(v, &table);
	return err;
}

int vsmmu_stream_stalls(struct vsmmu_stream *st, const struct vsmmu_faults *c)
{
	int err = make_queue(st->vsmmu);

	if (!err)
		err = try_queue(st);
	if (err)
		return err;
	st->bridge =
		(struct fault_bridge){ .name = c->name, .space = c->space, .timeout = c->timeout };
	fault_bridge_add(&st->bridge, c->hub);
	st->stream.stalls = true;
	return 0;
}

struct fault_bridge *vsmmu_stream_bridge(struct vsmmu_stream *st)
{
	return st->stream.stalls ? &st->bridge : NULL;
}
