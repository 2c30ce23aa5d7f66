// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's translations and page requests (PCIe 6.0, 10.2 to 10.4). */
#include "devices/dma_test_private.h"

#include <string.h>

#define PAGE      4096
#define MAX_GROUP 511 /* 10.4.1: 9 bits */

/* As a response has it (10.4.2.1). */
static const u8 response_codes[] = {
	[DMA_PAGE_SUCCESS] = 0,
	[DMA_PAGE_INVALID] = 1,
	[DMA_PAGE_FAILURE] = 15,
};

bool dt_translate_allowed(const struct dt_job *job)
{
	const struct pci_func *f = &job->d->func;

	return job->flags & DT_PERM && pci_ats_enabled(f) && f->dma->ops->translate;
}

static void cache(struct dma_test *d, const struct dma_translation *t, u32 pasid)
{
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
	if (dma_translate(d->func.dma, &a, &t) != DMA_OK || !t.perm) {
		dt_fault(job, 0, 0, a.reason);
		return;
	}
	cache(d, &t, a.pasid);
	job->result[0] = t.gpa + (job->iova[0] - t.iova);
	job->result[1] = t.len;
	job->result_perm = t.perm;
	dt_end(job, DT_DONE);
}

static bool overlaps(const struct dt_cached *c, u64 iova, u64 last)
{
	return c->iova <= last && iova <= c->iova + (c->len - 1);
}

static void invalidate(struct dma_device *device, u32 pasid, u64 iova, u64 last, u32 tag)
{
	struct dma_test *d = container_of(device, struct dma_test, device);

	for (unsigned int i = 0; i < DT_CACHED; i++) {
		struct dt_cached *c = &d->cached[i];

		if (c->perm && c->pasid == pasid && overlaps(c, iova, last))
			*c = (struct dt_cached){ 0 };
	}
	d->invalidations++;
	dma_invalidated(d->func.dma, tag);
}

/* A group's index is free again once its response has come. */
static bool awaits(const struct dma_test *d, u32 pasid, u16 group)
{
	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++) {
		const struct dt_request *r = &d->requests[i];

		if (r->used && r->last && r->group == group && r->pasid == pasid)
			return true;
	}
	return false;
}

bool dt_page_request_allowed(const struct dt_job *job)
{
	return job->flags & DT_PERM && job->arg[0] <= MAX_GROUP &&
	       job->d->func.dma->ops->page_request && !awaits(job->d, dt_pasid(job), job->arg[0]);
}

static struct dt_request *free_request(struct dma_test *d)
{
	unsigned int i = 0;

	while (d->requests[i].used) /* there are as many as credits */
		i++;
	return &d->requests[i];
}

/* The answer may come before the request has returned. */
void dt_page_request(struct dt_job *job)
{
	struct dma_test *d = job->d;
	const bool last = job->flags & DT_LAST;
	const struct dma_page_request rq = {
		.iova = ALIGN_DOWN(job->iova[0], PAGE),
		.perm = job->flags & DT_PERM,
		.pasid = dt_pasid(job),
		.group = job->arg[0],
		.last = last,
	};
	struct dt_request *r;

	if (!pci_pri_begin(&d->func)) {
		dt_end(job, DT_REFUSED);
		return;
	}
	r = free_request(d);
	*r = (struct dt_request){ true, last, rq.group, rq.pasid, last ? job : NULL };
	dt_set_state(job, DT_AWAITING);
	if (!dma_request_page(d->func.dma, &rq)) {
		r->used = false;
		pci_pri_end(&d->func, 1);
		dt_end(job, DT_REFUSED);
	} else if (!last) {
		dt_end(job, DT_DONE);
	}
}

void dt_page_forget(struct dt_job *job)
{
	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++)
		if (job->d->requests[i].job == job)
			job->d->requests[i].job = NULL;
}

/* Nothing is outstanding any more: no response comes to those who wait. */
static void forget_all(struct dma_test *d)
{
	dma_forget_pages(d->func.dma);
	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++) {
		struct dt_job *job = d->requests[i].job;

		d->requests[i] = (struct dt_request){ 0 };
		if (job)
			dt_end(job, DT_ABORTED);
	}
}

/*
 * Which group a failure is for makes no difference in the end. So of one without a PASID, as an
 * IOMMU that is not enabled sends it, the index is enough.
 */
static bool is_for(const struct dma_page_response *p, const struct dt_request *r)
{
	return r->used && r->group == p->group &&
	       (r->pasid == p->pasid || (p->code == DMA_PAGE_FAILURE && p->pasid == DMA_NO_PASID));
}

/* How many requests the response is to; they are outstanding no more. *@job: who waits for it. */
static unsigned int match(struct dma_test *d, const struct dma_page_response *p,
                          struct dt_job **job)
{
	unsigned int nr = 0;

	*job = NULL;
	if (p->code != DMA_PAGE_FAILURE && !awaits(d, p->pasid, p->group))
		return 0;
	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++) {
		struct dt_request *r = &d->requests[i];

		if (!is_for(p, r))
			continue;
		if (r->job)
			*job = r->job;
		*r = (struct dt_request){ 0 };
		nr++;
	}
	return nr;
}

static void page_response(struct dma_device *device, const struct dma_page_response *p)
{
	struct dma_test *d = container_of(device, struct dma_test, device);
	struct dt_job *job;
	unsigned int nr = match(d, p, &job);

	if (!nr) {
		pci_pri_unexpected(&d->func);
		return;
	}
	pci_pri_end(&d->func, nr);
	if (job) {
		job->result[0] = response_codes[p->code];
		dt_end(job, DT_DONE);
	}
	if (p->code != DMA_PAGE_FAILURE)
		return;
	pci_pri_failed(&d->func);
	forget_all(d);
}

const struct dma_device dt_device = {
	.invalidate = invalidate,
	.page_response = page_response,
};

/* 10.3.7: what is not enabled caches nothing. Credits that were reset were
 * those of all requests. */
void dt_ats_changed(struct pci_func *f)
{
	struct dma_test *d = container_of(f, struct dma_test, func);

	if (!pci_ats_enabled(f))
		memset(d->cached, 0, sizeof(d->cached));
	if (!f->ats.outstanding)
		forget_all(d);
}

void dt_ats_reset(struct dma_test *d)
{
	memset(d->cached, 0, sizeof(d->cached));
	memset(d->requests, 0, sizeof(d->requests));
	dma_forget_pages(d->func.dma);
	d->oldest = 0;
	d->invalidations = 0;
}
