// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's page requests that no slot of its makes, nor its guest: of who tries that out
 * (fault/asker.h). They go where all of its do. */
#include "devices/dma_test_private.h"

#include "vmm/vm.h"

static bool may_ask(const struct dma_test *d, const struct dma_page_request *rq)
{
	if (d->config.route == DMA_TEST_MAILBOX && !d->mailbox.enabled)
		return false;
	return pci_pri_enabled(&d->func) && pci_is_master(&d->func) &&
	       dt_pages_taken(d, rq->pasid) &&
	       (rq->pasid == DMA_NO_PASID ||
	        pci_pasid_allowed(&d->func, rq->pasid, rq->perm & DMA_EXEC));
}

/* The answer may come before the request has returned. */
static enum fault_asked ask(struct fault_asker *a, const struct dma_page_request *rq)
{
	struct dma_test *d = container_of(a, struct dma_test, asker);
	struct dt_request *r;

	if (!may_ask(d, rq))
		return FAULT_TAKES_NONE;
	if (dt_request_awaits(d, rq->pasid, rq->group) || !pci_pri_begin(&d->func))
		return FAULT_NO_ROOM_NOW;
	r = dt_request_free(d);
	*r = (struct dt_request){ .used = true,
		                  .last = rq->last,
		                  .group = rq->group,
		                  .pasid = rq->pasid,
		                  .by_others = true };
	trace(d->vm->log, TRACE_FAULT, "%s: asks for page %#llx, %s%s, for another", d->func.name,
	      (unsigned long long)rq->iova, fault_name(rq->pasid, rq->group).text,
	      rq->last ? ", last" : "");
	if (dt_pages_request(d, rq))
		return FAULT_ASKED;
	r->used = false;
	pci_pri_end(&d->func, 1);
	return FAULT_NO_ROOM_NOW;
}

/* A group that has not had its last request yet has its name, too. */
static bool has(const struct fault_asker *a, u32 pasid, u16 group)
{
	const struct dma_test *d = container_of(a, struct dma_test, asker);

	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++) {
		const struct dt_request *r = &d->requests[i];

		if (r->used && r->group == group && r->pasid == pasid)
			return true;
	}
	return d->config.route == DMA_TEST_MAILBOX && mailbox_has(&d->mailbox, pasid, group);
}

/* A mailbox of its own answers now. An IOMMU is not told: what it asks for there keeps its credit
 * and its name until it has its answer, which is nobody's then. */
static void give_up(struct fault_asker *a, u32 pasid, u16 group)
{
	struct dma_test *d = container_of(a, struct dma_test, asker);

	if (d->config.route == DMA_TEST_MAILBOX && !d->config.relay)
		mailbox_give_up(&d->mailbox, pasid, group);
}

void dt_asker_init(struct dma_test *d)
{
	d->asker = (struct fault_asker){ .ask = ask, .has = has, .give_up = give_up };
	d->func.ats.asker = &d->asker;
}
