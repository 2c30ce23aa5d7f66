// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's cache of translations (PCIe 6.0, 10.2, 10.3): it is filled by requests, used
 * by transfers, and invalidated. */
#include "devices/dma_test_private.h"

#include <assert.h>
#include <string.h>

#define PAGE 4096

bool dt_translate_allowed(const struct dt_job *job)
{
	const struct pci_func *f = &job->d->func;

	return job->flags & DT_PERM && pci_ats_enabled(f) && f->dma->ops->translate;
}

static bool overlaps(u64 first, u64 len, u64 iova, u64 last)
{
	return first <= last && iova <= first + (len - 1);
}

static void forget(struct dma_test *d, u32 pasid, u64 iova, u64 last)
{
	for (unsigned int i = 0; i < DT_CACHED; i++) {
		struct dt_cached *c = &d->cached[i];

		if (c->perm && c->pasid == pasid && overlaps(c->iova, c->len, iova, last))
			*c = (struct dt_cached){ 0 };
	}
}

/* Of an address it has one translation: the newest. */
static void cache(struct dma_test *d, const struct dma_translation *t, u32 pasid)
{
	forget(d, pasid, t->iova, t->iova + (t->len - 1));
	d->cached[d->oldest] = (struct dt_cached){ t->iova, t->len, t->gpa, pasid, t->perm };
	d->oldest = (d->oldest + 1) % DT_CACHED;
}

void dt_translate(struct dt_job *job)
{
	struct dma_test *d = job->d;
	struct dma_access a = {
		.iova = ALIGN_DOWN(job->iova[0], PAGE),
		.len = pci_ats_unit(&d->func),
		.perm = job->flags & DT_PERM,
		.pasid = dt_pasid(job),
	};
	struct dma_translation t = { 0 };

	/* Translation requests are not stalled: there is no token that one could wait with. */
	if (dma_translate(d->func.dma, &a, &t) != DMA_OK) {
		dt_fault(job, 0, 0, a.reason);
		return;
	}
	if (!t.perm) {
		dt_fault(job, 0, 0, DMA_NOT_PERMITTED);
		return;
	}
	cache(d, &t, a.pasid);
	job->result[0] = t.gpa + (job->iova[0] - t.iova);
	job->result[1] = t.len;
	job->result_perm = t.perm;
	dt_end(job, DT_DONE);
}

static const struct dt_cached *find(const struct dma_test *d, u32 pasid, u64 iova)
{
	for (unsigned int i = 0; i < DT_CACHED; i++) {
		const struct dt_cached *c = &d->cached[i];

		if (c->perm && c->pasid == pasid && iova - c->iova < c->len)
			return c;
	}
	return NULL;
}

bool dt_atc_find(struct dma_test *d, struct dma_access *a, u64 *len)
{
	const struct dt_cached *c = find(d, a->pasid, a->iova);
	u64 into;

	if (!c || a->perm & ~c->perm) {
		a->reason = c ? DMA_NOT_PERMITTED : DMA_NO_TRANSLATION;
		return false;
	}
	into = a->iova - c->iova;
	*len = a->len < c->len - into ? a->len : c->len - into;
	a->iova = c->gpa + into;
	a->translated = true;
	return true;
}

static bool uses(const struct dt_job *job, const struct dt_invalidation *v)
{
	if (!(job->flags & DT_TRANSLATED) || dt_pasid(job) != v->pasid)
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(job->side); i++)
		if (job->side[i].sg.nr &&
		    overlaps(job->iova[i] + job->done, job->side[i].mapped, v->iova, v->last))
			return true;
	return false;
}

static bool in_use(struct dma_test *d, const struct dt_invalidation *v)
{
	for (unsigned int i = 0; i < DT_NR_JOBS; i++)
		if (uses(dt_job(d, i), v))
			return true;
	return false;
}

/* There are as many places as whoever sends them has tags. */
static void hold(struct dma_test *d, const struct dt_invalidation *v)
{
	unsigned int i = 0;

	while (i < DT_INVALIDATIONS && d->held[i].used)
		i++;
	assert(i < DT_INVALIDATIONS);
	d->held[i] = *v;
}

/* 10.3.1: complete when no request that uses it is outstanding. */
void dt_invalidate(struct dma_device *device, u32 pasid, u64 iova, u64 last, u32 tag)
{
	struct dma_test *d = container_of(device, struct dma_test, device);
	const struct dt_invalidation v = { true, tag, pasid, iova, last };

	forget(d, pasid, iova, last);
	d->invalidations++;
	if (in_use(d, &v))
		hold(d, &v);
	else
		dma_invalidated(d->func.dma, tag);
}

/* More may come meanwhile. */
void dt_atc_answer(struct dma_test *d)
{
	for (unsigned int i = 0; i < DT_INVALIDATIONS; i++) {
		struct dt_invalidation *v = &d->held[i];

		if (!v->used || in_use(d, v))
			continue;
		v->used = false;
		dma_invalidated(d->func.dma, v->tag);
	}
}

void dt_atc_clear(struct dma_test *d)
{
	memset(d->cached, 0, sizeof(d->cached));
	d->oldest = 0;
}
