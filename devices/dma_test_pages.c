// SPDX-License-Identifier: GPL-2.0-only
/* Who takes the DMA endpoint's page requests: its IOMMU, its own mailbox (docs/vpri.md), or nobody.
 */
#include "devices/dma_test_private.h"

#include "fault/relay.h"
#include "vmm/vm.h"

static void send(void *ctx, u64 addr, u32 data)
{
	pci_message_write(ctx, addr, data);
}

static void config_written(struct pci_func *f, unsigned int offset, unsigned int size)
{
	struct dma_test *d = container_of(f, struct dma_test, func);

	if (offset >= d->mailbox_at && offset < d->mailbox_at + MAILBOX_SIZE)
		mailbox_written(&d->mailbox, offset - d->mailbox_at, size);
	fault_asker_room(&d->asker);
}

static void add_mailbox(struct dma_test *d)
{
	struct pci_func *f = &d->func;
	const unsigned int at =
		pci_dvsec_add(f, MAILBOX_VENDOR, MAILBOX_REVISION, MAILBOX_ID, MAILBOX_SIZE);

	d->mailbox_at = at;
	f->config_written = config_written;
	mailbox_init(&d->mailbox, &(struct mailbox_function){
					  .name = f->name,
					  .dma = f->dma,
					  .device = &d->answers,
					  .send = send,
					  .ctx = f,
					  .config = &f->config[at],
					  .writable = &f->writable[at],
					  .clears = &f->clears[at],
					  .loop = d->vm->loop,
					  .log = d->vm->log,
					  .vm = d->vm,
					  .timeout = d->config.page_timeout,
				  });
}

static void show(void *ctx, const struct dma_page_request *rq);

void dt_pages_init(struct dma_test *d)
{
	if (d->config.relay) {
		d->config.relay->show = show;
		d->config.relay->ctx = d;
	}
	d->nobody_answers.device = &d->answers;
	fault_port_init(&d->nobody, &d->nobody_answers, NULL);
	if (d->config.route == DMA_TEST_MAILBOX)
		add_mailbox(d);
}

static bool ask_iommu(struct dma_test *d, const struct dma_page_request *rq)
{
	return dma_request_page(d->func.dma, rq);
}

static bool ask_mailbox(struct dma_test *d, const struct dma_page_request *rq)
{
	return mailbox_request(&d->mailbox, rq);
}

/* The group has its answer with its last request. */
static bool ask_nobody(struct dma_test *d, const struct dma_page_request *rq)
{
	const struct dma_page_response r = { rq->pasid, rq->group, DMA_PAGE_INVALID };

	fault_refused(&d->nobody);
	if (rq->last)
		fault_answer_automatically(&d->nobody, &r);
	return true;
}

static void forget_in_iommu(struct dma_test *d)
{
	dma_forget_pages(d->func.dma);
}

/* Nothing is forgotten where nothing was asked. */
static void forget_in_mailbox(struct dma_test *d)
{
	for (unsigned int i = 0; i < DT_PAGE_REQUESTS; i++)
		if (d->requests[i].used) {
			mailbox_forget(&d->mailbox);
			return;
		}
}

static void reset_mailbox(struct dma_test *d)
{
	mailbox_reset(&d->mailbox);
}

static void keep(struct dma_test *d)
{
	(void)d;
}

static const struct dt_route {
	bool (*request)(struct dma_test *d, const struct dma_page_request *rq);
	void (*forget)(struct dma_test *d);
	void (*reset)(struct dma_test *d);
} routes[DMA_TEST_ROUTES] = {
	[DMA_TEST_IOMMU] = { ask_iommu, forget_in_iommu, forget_in_iommu },
	[DMA_TEST_MAILBOX] = { ask_mailbox, forget_in_mailbox, reset_mailbox },
	[DMA_TEST_NOBODY] = { ask_nobody, keep, keep },
};

bool dt_pages_have_route(const struct dma_test *d)
{
	return d->config.route != DMA_TEST_IOMMU || d->func.dma->ops->page_request;
}

bool dt_pages_taken(const struct dma_test *d, u32 pasid)
{
	return d->config.route != DMA_TEST_IOMMU || dma_takes_pages(d->func.dma, pasid);
}

bool dt_pages_request(struct dma_test *d, const struct dma_page_request *rq)
{
	if (d->config.relay)
		return d->config.relay->ask(d->config.relay, rq);
	return routes[d->config.route].request(d, rq);
}

/* It comes out of a relay. What nobody has room for then fails, as its group ends. */
static void show(void *ctx, const struct dma_page_request *rq)
{
	struct dma_test *d = ctx;
	const struct dma_page_response r = { rq->pasid, rq->group, DMA_PAGE_INVALID };

	if (routes[d->config.route].request(d, rq))
		return;
	dt_request_lost(d, rq->pasid, rq->group);
	if (rq->last)
		dt_answers.page_response(&d->answers, &r);
}

/* Before the function goes on. */
void dt_pages_answered(struct dma_test *d, const struct dma_page_response *p)
{
	if (d->config.relay)
		d->config.relay->answered(d->config.relay, p);
}

static void forget_in_relay(struct dma_test *d)
{
	if (d->config.relay)
		d->config.relay->forget(d->config.relay);
}

void dt_pages_forget(struct dma_test *d)
{
	forget_in_relay(d);
	routes[d->config.route].forget(d);
}

void dt_pages_reset(struct dma_test *d)
{
	forget_in_relay(d);
	routes[d->config.route].reset(d);
}

enum dma_test_route dma_test_route(const struct dma_test *d)
{
	return d->config.route;
}

void dma_test_each_waiting(const struct dma_test *d, fault_seen *seen, void *ctx)
{
	if (d->config.route == DMA_TEST_MAILBOX)
		fault_each(&d->mailbox.port, 0, seen, ctx);
}

void dma_test_count(const struct dma_test *d, struct mailbox_counts *c)
{
	*c = (struct mailbox_counts){ 0 };
	if (d->config.route == DMA_TEST_MAILBOX)
		mailbox_count(&d->mailbox, c);
	else
		fault_count(&d->nobody, &c->pages);
}
