// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's page requests (PCIe 6.0, 10.4), and what ends them and its translations. */
#include "devices/dma_test_private.h"

#include <string.h>

#include "vmm/vm.h"

#define PAGE      4096
#define MAX_GROUP 511 /* 10.4.1: 9 bits */

/* As a response has it (10.4.2.1). */
static const u8 response_codes[] = {
	[DMA_PAGE_SUCCESS] = 0,
	[DMA_PAGE_INVALID] = 1,
	[DMA_PAGE_FAILURE] = 15,
};

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
	return job->flags & DT_PERM && job->arg[0] <= MAX_GROUP && dt_pages_taken(job->d) &&
	       !awaits(job->d, dt_pasid(job), job->arg[0]);
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
	trace(d->vm->log, TRACE_FAULT, "%s: asks for page %#llx, %s%s", d->func.name,
	      (unsigned long long)rq.iova, fault_name(rq.pasid, rq.group).text,
	      last ? ", last" : "");
	if (!dt_pages_request(d, &rq)) {
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
	dt_pages_forget(d);
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

/* How many requests the response is to; they are outstanding no more. @jobs: who waits for it, of
 * several PASIDs perhaps, or NULL, for each. */
static unsigned int match(struct dma_test *d, const struct dma_page_response *p,
                          struct dt_job **jobs)
{
	unsigned int nr = 0;

	if (p->code != DMA_PAGE_FAILURE && !awaits(d, p->pasid, p->group))
		return 0;
	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++) {
		struct dt_request *r = &d->requests[i];

		if (!is_for(p, r))
			continue;
		jobs[nr++] = r->job;
		*r = (struct dt_request){ 0 };
	}
	return nr;
}

static void take(struct dma_test *d, const struct dma_page_response *p)
{
	struct dt_job *jobs[DT_PAGE_REQUESTS];
	const unsigned int nr = match(d, p, jobs);

	dt_pages_answered(d, p);
	trace(d->vm->log, TRACE_FAULT, "%s: response %u to %s: %u requests", d->func.name,
	      response_codes[p->code], fault_name(p->pasid, p->group).text, nr);
	if (!nr) {
		pci_pri_unexpected(&d->func);
		return;
	}
	pci_pri_end(&d->func, nr);
	for (unsigned int i = 0; i < nr; i++) {
		if (!jobs[i])
			continue;
		jobs[i]->result[0] = response_codes[p->code];
		dt_end(jobs[i], DT_DONE);
	}
	if (p->code != DMA_PAGE_FAILURE)
		return;
	pci_pri_failed(&d->func);
	forget_all(d);
}

/* An IOMMU that was not asked has nothing to answer. */
static void page_response(struct dma_device *device, const struct dma_page_response *p)
{
	struct dma_test *d = container_of(device, struct dma_test, device);

	if (d->config.route == DMA_TEST_IOMMU)
		take(d, p);
	else
		pci_pri_unexpected(&d->func);
}

static void answer(struct dma_device *device, const struct dma_page_response *p)
{
	take(container_of(device, struct dma_test, answers), p);
}

const struct dma_device dt_answers = { .page_response = answer };

const struct dma_device dt_device = {
	.invalidate = dt_invalidate,
	.page_response = page_response,
};

/* 10.3.7: what is not enabled caches nothing. Credits that were reset were
 * those of all requests. */
void dt_ats_changed(struct pci_func *f)
{
	struct dma_test *d = container_of(f, struct dma_test, func);

	if (!pci_ats_enabled(f))
		dt_atc_clear(d);
	if (!f->ats.outstanding)
		forget_all(d);
}

void dt_ats_reset(struct dma_test *d)
{
	dt_atc_clear(d);
	memset(d->requests, 0, sizeof(d->requests));
	dt_pages_reset(d);
	d->invalidations = 0;
}
