// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's page requests (PCIe 6.0, 10.4), and what ends them and its translations. */
#include "devices/dma_test_private.h"

#include <assert.h>
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
bool dt_request_awaits(const struct dma_test *d, u32 pasid, u16 group)
{
	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++) {
		const struct dt_request *r = &d->requests[i];

		if (r->used && r->last && r->group == group && r->pasid == pasid)
			return true;
	}
	return false;
}

void dt_request_lost(struct dma_test *d, u32 pasid, u16 group)
{
	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++) {
		struct dt_request *r = &d->requests[i];

		r->lost |= r->used && r->group == group && r->pasid == pasid;
	}
}

bool dt_page_request_allowed(const struct dt_job *job)
{
	return job->flags & DT_PERM && job->arg[0] <= MAX_GROUP && dt_pages_have_route(job->d) &&
	       !dt_request_awaits(job->d, dt_pasid(job), job->arg[0]);
}

struct dt_request *dt_request_free(struct dma_test *d)
{
	unsigned int i = 0;

	while (i < DT_PAGE_REQUESTS && d->requests[i].used)
		i++;
	assert(i < DT_PAGE_REQUESTS); /* there are as many as credits */
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
	r = dt_request_free(d);
	*r = (struct dt_request){ .used = true,
		                  .last = last,
		                  .group = rq.group,
		                  .pasid = rq.pasid,
		                  .job = last ? job : NULL };
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
	fault_asker_forget(&d->asker);
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

/* How many requests the response is to, of several PASIDs perhaps; they are outstanding no more. */
static unsigned int match(struct dma_test *d, const struct dma_page_response *p,
                          struct dt_request *got)
{
	unsigned int nr = 0;

	if (p->code != DMA_PAGE_FAILURE && !dt_request_awaits(d, p->pasid, p->group))
		return 0;
	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++) {
		struct dt_request *r = &d->requests[i];

		if (!is_for(p, r))
			continue;
		got[nr++] = *r;
		*r = (struct dt_request){ 0 };
	}
	return nr;
}

static void hand_over(struct dma_test *d, const struct dt_request *r, enum dma_page_code code)
{
	if (r->job) {
		r->job->result[0] = response_codes[code];
		dt_end(r->job, DT_DONE);
	} else if (r->by_others && r->last) {
		fault_asker_answered(&d->asker,
		                     &(struct dma_page_response){ r->pasid, r->group, code });
	}
}

/* After a failure none are sent any more, whoever is told of it. */
static void end_requests(struct dma_test *d, unsigned int nr, enum dma_page_code code)
{
	if (!nr)
		pci_pri_unexpected(&d->func);
	else if (code == DMA_PAGE_FAILURE)
		pci_pri_failed(&d->func);
	else
		pci_pri_end(&d->func, nr);
}

/* Of a group that was not shown whole, it is no success. */
static enum dma_page_code code_for(const struct dma_page_response *p, const struct dt_request *got,
                                   unsigned int nr)
{
	for (unsigned int i = 0; i < nr && p->code == DMA_PAGE_SUCCESS; i++)
		if (got[i].lost)
			return DMA_PAGE_INVALID;
	return p->code;
}

static void take(struct dma_test *d, const struct dma_page_response *p)
{
	struct dt_request got[DT_PAGE_REQUESTS];
	const unsigned int nr = match(d, p, got);
	const struct dma_page_response r = { p->pasid, p->group, code_for(p, got, nr) };

	dt_pages_answered(d, &r);
	trace(d->vm->log, TRACE_FAULT, "%s: response %u to %s: %u requests", d->func.name,
	      response_codes[r.code], fault_name(r.pasid, r.group).text, nr);
	end_requests(d, nr, r.code);
	for (unsigned int i = 0; i < nr; i++)
		hand_over(d, &got[i], r.code);
	if (nr && r.code == DMA_PAGE_FAILURE)
		forget_all(d);
	fault_asker_room(&d->asker);
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

static void page_room(struct dma_device *device)
{
	fault_asker_room(&container_of(device, struct dma_test, device)->asker);
}

static void answer(struct dma_device *device, const struct dma_page_response *p)
{
	take(container_of(device, struct dma_test, answers), p);
}

const struct dma_device dt_answers = { .page_response = answer };

const struct dma_device dt_device = {
	.invalidate = dt_invalidate,
	.page_response = page_response,
	.page_room = page_room,
};

static bool any_is_used(const struct dma_test *d)
{
	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++)
		if (d->requests[i].used)
			return true;
	return false;
}

/* 10.3.7: what is not enabled caches nothing. Credits that were reset were
 * those of all requests. */
void dt_ats_changed(struct pci_func *f)
{
	struct dma_test *d = container_of(f, struct dma_test, func);

	if (!pci_ats_enabled(f))
		dt_atc_clear(d);
	if (!f->ats.outstanding && any_is_used(d))
		forget_all(d);
	fault_asker_room(&d->asker);
}

void dt_ats_reset(struct dma_test *d)
{
	dt_atc_clear(d);
	memset(d->requests, 0, sizeof(d->requests));
	dt_pages_reset(d);
	fault_asker_forget(&d->asker);
	d->invalidations = 0;
}
