// SPDX-License-Identifier: GPL-2.0-only
/* A function behind an SMMU of the guest's that the host's translates for: what its STE says is
 * installed as a nested page table, on the host-work thread, since that can take long. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vfio/vsmmu_private.h"
#include "vmm/log.h"

#define MAX_WAITS 32

/* To the host its DMA is the guest's own mistake from now on. What cannot be aborted is detached,
 * which is the same but for what is said of it. */
static void abort_all(struct vsmmu_stream *st)
{
	st->replaced = true;
	if (st->dev->hwpt != st->vsmmu->abort && vfio_device_attach(st->dev, st->vsmmu->abort) &&
	    st->dev->hwpt)
		vfio_device_detach(st->dev);
	vsmmu_drop(st->vsmmu, &st->table);
}

/* By a StreamID the host knows it in commands and events; one that the guest has changed is another
 * vDEVICE, and nothing is translated in between. */
static int rename_stream(struct vsmmu_stream *st, u32 sid)
{
	struct uapi *u = &st->vsmmu->context->uapi;
	struct iommu_vdevice_alloc arg = { .viommu_id = st->vsmmu->viommu,
		                           .dev_id = st->dev->id,
		                           .virt_id = sid };
	u32 before = st->vdevice;
	int err = 0;

	if (before) {
		abort_all(st);
		err = vsmmu_drop(st->vsmmu, &before);
	}
	if (err)
		return err;
	st->vdevice = 0;
	err = u->ops->vdevice_alloc(u, &arg);
	if (err)
		return err;
	st->vdevice = arg.out_vdevice_id;
	st->sid = sid;
	return 0;
}

/* While it is reset the host has turned ATS off, and nothing is cached afterwards. */
bool vsmmu_caches(const struct vsmmu_stream *st)
{
	return st->table && !st->resetting && FIELD_GET(STE1_EATS, st->doing.ste[1]) == EATS_FULL;
}

void vsmmu_stream_has_ats(struct vsmmu_stream *st)
{
	st->has_ats = true;
}

void vsmmu_stream_resets(struct vsmmu_stream *st, bool resets)
{
	st->resetting = resets;
	if (st->stream.stalls) /* what stalled is forgotten by it, and the host waits */
		fault_bridge_end(&st->bridge, NULL);
	if (!resets && st->failed && !st->busy)
		smmu_install_again(&st->stream);
}

/* What is attached is replaced in one go, and only then is what was there destroyed. The host tells
 * the guest of events only if there was a StreamID as it was attached: so what bypasses is another
 * table from then on, since the same is not attached anew. */
static int settle(struct vsmmu_stream *st, const struct smmu_stream_config *c)
{
	struct vsmmu *v = st->vsmmu;
	u32 table = 0, to = v->abort;
	int err = 0;

	if (c->has_sid && !(st->vdevice && st->sid == c->sid))
		err = rename_stream(st, c->sid);
	if (c->route == SMMU_BYPASS)
		to = st->vdevice ? v->bypass : v->unnamed;
	if (!err && c->route == SMMU_STAGE1)
		err = vsmmu_table(v, st->dev->id, c->ste, st->stream.stalls ? v->faultq : 0,
		                  &table);
	if (table)
		to = table;
	if (!err && st->dev->hwpt != to) {
		st->replaced = true;
		err = vfio_device_attach(st->dev, to);
	}
	/* Linux does not tell its SMMU of an STE that has not changed; CDs may have (4.3.1). */
	if (!err && table && st->table && vsmmu_forget_cds(v, st->sid))
		err = -EINVAL;
	if (err) {
		abort_all(st);
		vsmmu_drop(v, &table);
		return err;
	}
	vsmmu_drop(v, &st->table);
	st->table = table;
	return 0;
}

/* What lacked for a moment is there the second time; that an STE is not legal, or its StreamID
 * another's, stays so. */
static void run(struct work *w)
{
	struct vsmmu_stream *st = container_of(w, struct vsmmu_stream, work);

	st->err = settle(st, &st->doing);
	if (st->err && st->err != -EIO && st->err != -EEXIST)
		st->err = settle(st, &st->doing);
}

static void start(struct vsmmu_stream *st)
{
	st->busy = true;
	st->vsmmu->replacing++;
	st->replaced = false;
	st->again = false;
	st->began = st->vsmmu->counts.installed;
	st->doing = st->wanted;
	if (!st->has_ats) /* the host's SMMU would wait for its answers */
		st->doing.ste[1] &= ~STE1_EATS;
	work_submit(st->vsmmu->vm->work, &st->work);
}

/* Its StreamID was that of another, which may have one of its own by now, or soon: as functions
 * swap theirs, where the guest numbers buses anew. It waits at most as often as there can be
 * others. */
static bool waits(struct vsmmu_stream *st)
{
	const struct vsmmu *v = st->vsmmu;
	const struct vsmmu_stream *other = v->streams;

	while (other && (other == st || !other->busy))
		other = other->next;
	return st->err == -EEXIST && (other || v->counts.installed != st->began) &&
	       st->waits++ < MAX_WAITS;
}

/* A StreamID may be free now, and memory. Each success is followed by one more try of the others.
 */
static void try_others(const struct vsmmu *v)
{
	for (struct vsmmu_stream *st = v->streams; st; st = st->next)
		if (st->failed && !st->busy)
			smmu_install_again(&st->stream);
}

/* Who has that StreamID with the host and another one with the guest, which has numbered buses anew
 * and not configured it since. */
static void oust(const struct vsmmu *v, u32 sid)
{
	for (struct vsmmu_stream *st = v->streams; st; st = st->next)
		if (st->vdevice && st->sid == sid && !st->busy &&
		    smmu_stream_sid(&st->stream) != sid)
			smmu_install_again(&st->stream);
}

static void note_failure(struct vsmmu_stream *st)
{
	trace(st->vsmmu->vm->log, TRACE_SMMU, "the host does not take the STE of 0x%x: %d",
	      st->doing.sid, st->err);
	if (!st->failed || st->said)
		return;
	st->said = true;
	log_error("StreamID 0x%x: its DMA aborts, since the host takes no STE now: %s",
	          st->doing.sid, strerror(-st->err));
}

static void done(struct work *w)
{
	struct vsmmu_stream *st = container_of(w, struct vsmmu_stream, work);
	struct vsmmu *v = st->vsmmu;

	st->busy = false;
	v->replacing--;
	if (st->stream.stalls && st->replaced)
		fault_bridge_end(&st->bridge, &v->source);
	/* at once: the guest may have the next one replaced by now */
	vsmmu_faults_read(v);
	vsmmu_faults_poll(v);
	v->counts.installed += !st->err;
	if (st->ending)
		return;
	if (st->err == -EEXIST)
		oust(v, st->doing.sid);
	if (st->again || waits(st)) {
		start(st);
		return;
	}
	st->waits = 0;
	st->failed = st->err && st->err != -EIO;
	v->counts.failed += !!st->err;
	if (st->err)
		note_failure(st);
	else
		try_others(v);
	smmu_installed(&st->stream, st->err == -EIO);
}

void vsmmu_install(struct smmu_backend *b, struct smmu_stream *stream,
                   const struct smmu_stream_config *c)
{
	struct vsmmu_stream *st = container_of(stream, struct vsmmu_stream, stream);

	(void)b;
	st->wanted = *c;
	if (st->busy)
		st->again = true;
	else
		start(st);
}

const struct vsmmu_stream *vsmmu_find(const struct vsmmu *v, u32 sid)
{
	const struct vsmmu_stream *st = v->streams;

	while (st && !(st->vdevice && st->sid == sid))
		st = st->next;
	return st;
}

int vsmmu_stream_create(struct vsmmu_stream **out, struct vsmmu *v, struct vfio_device *d,
                        struct smmu_endpoint *e)
{
	struct vsmmu_stream *st = calloc(1, sizeof(*st));
	int err = st ? vfio_device_attach(d, v->unnamed) : -ENOMEM;

	if (err) {
		free(st);
		return err;
	}
	st->vsmmu = v;
	st->dev = d;
	st->work = (struct work){ .run = run, .done = done };
	st->next = v->streams;
	v->streams = st;
	smmu_assign(e, &st->stream); /* nothing stalls yet */
	*out = st;
	return 0;
}

static void unlink_stream(struct vsmmu_stream *st)
{
	struct vsmmu_stream **at = &st->vsmmu->streams;

	while (*at != st)
		at = &(*at)->next;
	*at = st->next;
}

void vsmmu_stream_destroy(struct vsmmu_stream *st)
{
	st->ending = true;
	if (st->busy)
		work_wait(st->vsmmu->vm->work, &st->work);
	unlink_stream(st);
	if (st->stream.stalls)
		fault_bridge_remove(&st->bridge);
	if (st->dev->hwpt)
		vfio_device_detach(st->dev);
	vsmmu_drop(st->vsmmu, &st->table);
	vsmmu_drop(st->vsmmu, &st->vdevice);
	smmu_assign(st->stream.endpoint, NULL);
	free(st);
}

void vsmmu_stream_leave(struct vsmmu_stream *st)
{
	const struct vsmmu *v = st->vsmmu;

	vsmmu_stream_destroy(st);
	try_others(v);
}
