// SPDX-License-Identifier: GPL-2.0-only
/* An emulated function's faults, by way of the fault queue of the kernel's mock device. */
#include "vfio/mock.h"

#include <assert.h>
#include <errno.h>
#include <linux/iommufd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "vfio/context.h"
#include "vmm/vm.h"

#define FAULTS                                                                             \
	64 /* of a function: more than accesses and page requests that it can have waiting \
	    */
#define RECORDS 64

/* The kernel knows one by its place as the group of a page request, and its cookie. */
struct mock_fault {
	bool used, read;         /* read: it has a cookie, and somebody is asked */
	bool is_page;            /* else an access */
	bool refused;            /* it has ended, which the access has to find out */
	struct dma_token *token; /* of an access; NULL: nobody waits any more */
	struct dma_page_request page;
	bool dropped; /* a page that was forgotten before it was read */
	u64 addr;     /* of an access */
	u32 pasid;    /* the kernel's 0 is no PASID */
	u64 cookie;
};

struct mock {
	struct dma_space dma, *under;
	struct dma_ops ops;
	struct vfio_context context;
	struct vm *vm;
	const struct mock_wire *wire;
	u32 dev, faultq;
	int file;
	struct loop_op ready;
	struct fault_bridge bridge;
	struct fault_source source;
	struct fault_relay relay;
	bool stalls; /* else accesses are the IOMMU's alone */
	struct mock_fault faults[FAULTS];
	u64 raised, known, told; /* that the kernel was given; that it gave; answers it has taken */
};

static struct mock *of_space(struct dma_space *s)
{
	return container_of(s, struct mock, dma);
}

static bool tell_kernel(struct mock *m, struct mock_fault *f, bool success)
{
	struct uapi *u = &m->context.uapi;
	const struct iommu_hwpt_page_response r = {
		.cookie = f->cookie,
		.code = success ? IOMMUFD_PAGE_RESP_SUCCESS : IOMMUFD_PAGE_RESP_INVALID,
	};

	const bool taken = u->ops->write_answers(u, m->file, &r, sizeof(r)) == sizeof(r);

	f->used = false;
	m->told += taken;
	return taken;
}

/* A place for one that the kernel has been given; NULL: it does not take it. */
static struct mock_fault *raise_fault(struct mock *m, const struct fault_request *rq)
{
	unsigned int i = 0;

	while (i < FAULTS && m->faults[i].used)
		i++;
	if (i == FAULTS || m->wire->raise(&m->context.uapi, m->dev, rq, i))
		return NULL;
	m->raised++;
	m->faults[i] = (struct mock_fault){ .used = true, .pasid = rq->pasid };
	return &m->faults[i];
}

/* Where @token has just been, nothing is refused to it any more. */
static void is_reached(struct mock *m, const struct dma_token *token, const struct dma_access *a)
{
	for (unsigned int i = 0; i < FAULTS; i++) {
		struct mock_fault *f = &m->faults[i];

		if (f->used && f->refused && f->token == token && f->pasid == a->pasid &&
		    f->addr - a->iova < a->len)
			f->used = false;
	}
}

/* What was refused to @token is known until it is tried again; what else it was is out of date. */
static bool was_refused(struct mock *m, const struct dma_token *token,
                        const struct fault_request *rq)
{
	bool is = false;

	for (unsigned int i = 0; i < FAULTS; i++) {
		struct mock_fault *f = &m->faults[i];

		if (!f->used || !f->refused || f->token != token)
			continue;
		f->used = false;
		is |= f->addr == rq->addr && f->pasid == rq->pasid;
	}
	return is;
}

/* Accesses. What its IOMMU lets pass is its IOMMU's to do; where it would not, the kernel is told,
 * and nothing of it is seen by the guest yet. */
static enum dma_status map(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                           struct dma_token *token)
{
	struct mock *m = of_space(s);
	struct dma_access look = *a;
	struct fault_request rq;
	struct mock_fault *f;

	if (!token || !m->stalls)
		return dma_map(m->under, a, sg, NULL);
	look.silent = true;
	if (dma_map(m->under, &look, sg, NULL) == DMA_OK) {
		dma_unmap(m->under, sg);
		is_reached(m, token, a);
		return dma_map(m->under, a, sg, token);
	}
	*a = look;
	a->silent = false;
	rq = (struct fault_request){ .addr = look.iova + look.done,
		                     .perm = look.perm,
		                     .privileged = look.privileged,
		                     .pasid = look.pasid };
	if (was_refused(m, token, &rq))
		return DMA_FAULT;
	f = raise_fault(m, &rq);
	if (!f) {
		fault_bridge_no_room(&m->bridge, &rq);
		return DMA_FAULT;
	}
	f->token = token;
	f->addr = rq.addr;
	return DMA_PENDING;
}

static void cancel(struct dma_space *s, struct dma_token *token)
{
	struct mock *m = of_space(s);

	for (unsigned int i = 0; i < FAULTS; i++) {
		struct mock_fault *f = &m->faults[i];

		if (!f->used || f->is_page || f->token != token)
			continue;
		f->token = NULL;
		if (f->refused)
			f->used = false;
		else if (f->read)
			fault_bridge_end_one(&m->bridge, &m->source, f->cookie);
	}
	dma_cancel(m->under, token);
}

/* The bridge's answer to an access. */
static bool answer(struct fault_source *s, u64 cookie, enum fault_outcome o)
{
	struct mock *m = container_of(s, struct mock, source);
	struct dma_token *token = NULL;
	bool taken = false;

	for (unsigned int i = 0; i < FAULTS; i++) {
		struct mock_fault *f = &m->faults[i];

		if (!f->used || !f->read || f->is_page || f->refused || f->cookie != cookie)
			continue;
		token = f->token;
		taken = tell_kernel(m, f, fault_is_retried(o));
		f->refused = f->used = token && !fault_is_retried(o);
		break;
	}
	if (token)
		token->resume(token);
	return taken;
}

static bool ask(struct fault_relay *r, const struct dma_page_request *rq)
{
	struct mock *m = container_of(r, struct mock, relay);
	const struct fault_request f = { .addr = rq->iova, .perm = rq->perm, .pasid = rq->pasid };
	struct mock_fault *page = raise_fault(m, &f);

	if (!page)
		return false;
	page->is_page = true;
	page->page = *rq;
	return true;
}

/* Of one without a PASID, as a failure is told, the index is enough. */
static void answered(struct fault_relay *r, const struct dma_page_response *p)
{
	struct mock *m = container_of(r, struct mock, relay);
	const bool any = p->code == DMA_PAGE_FAILURE && p->pasid == DMA_NO_PASID;

	for (unsigned int i = 0; i < FAULTS; i++) {
		struct mock_fault *f = &m->faults[i];

		if (f->used && f->read && f->is_page && f->page.group == p->group &&
		    (any || f->page.pasid == p->pasid))
			tell_kernel(m, f, p->code == DMA_PAGE_SUCCESS);
	}
}

static void forget(struct fault_relay *r)
{
	struct mock *m = container_of(r, struct mock, relay);

	for (unsigned int i = 0; i < FAULTS; i++) {
		struct mock_fault *f = &m->faults[i];

		if (!f->used || !f->is_page)
			continue;
		if (f->read)
			tell_kernel(m, f, false);
		else
			f->dropped = true;
	}
}

/* From the kernel's queue. Nobody waits for what was cancelled, or forgotten, meanwhile. */
static void take(struct mock *m, const struct iommu_hwpt_pgfault *r)
{
	struct mock_fault *f = r->grpid < FAULTS ? &m->faults[r->grpid] : NULL;
	struct fault_request rq = { .addr = r->addr, .cookie = r->cookie };

	if (!f || !f->used || f->read)
		return; /* it is not of ours */
	m->known++;
	f->read = true;
	f->cookie = r->cookie;
	if (f->is_page ? f->dropped : !f->token) {
		tell_kernel(m, f, false);
	} else if (f->is_page) {
		const struct dma_page_request page = f->page;

		m->relay.show(m->relay.ctx, &page);
	} else {
		rq.perm = (r->perm & IOMMU_PGFAULT_PERM_READ ? DMA_READ : 0) |
		          (r->perm & IOMMU_PGFAULT_PERM_WRITE ? DMA_WRITE : 0) |
		          (r->perm & IOMMU_PGFAULT_PERM_EXEC ? DMA_EXEC : 0);
		rq.pasid = r->flags & IOMMU_PGFAULT_FLAGS_PASID_VALID ? r->pasid : f->pasid;
		fault_bridge_raise(&m->bridge, &m->source, &rq);
	}
}

static void ready(struct loop_op *op, int res)
{
	struct mock *m = container_of(op, struct mock, ready);
	struct uapi *u = &m->context.uapi;
	struct iommu_hwpt_pgfault records[RECORDS];
	int n = res < 0 ? res : u->ops->read_events(u, m->file, records, sizeof(records));

	for (int i = 0; i < n / (int)sizeof(records[0]); i++)
		take(m, &records[i]);
	if (res == -ECANCELED)
		return;
	if (n >= 0 || n == -EAGAIN || n == -EINTR || n == -ENOMEM)
		loop_poll(m->vm->loop, &m->ready, m->file, POLLIN);
	else
		log_error("the mock device's page faults: %s: none is served from now on",
		          strerror(-n));
}

static enum dma_status doorbell(struct dma_space *s, u64 iova, gpa_t *gpa, bool look)
{
	struct dma_space *under = of_space(s)->under;

	return under->ops->doorbell(under, iova, gpa, look);
}

static enum dma_status translate(struct dma_space *s, struct dma_access *a,
                                 struct dma_translation *t)
{
	return dma_translate(of_space(s)->under, a, t);
}

static bool page_request(struct dma_space *s, const struct dma_page_request *rq)
{
	return dma_request_page(of_space(s)->under, rq);
}

static bool takes_pages(struct dma_space *s, u32 pasid)
{
	return dma_takes_pages(of_space(s)->under, pasid);
}

static void forget_pages(struct dma_space *s)
{
	dma_forget_pages(of_space(s)->under);
}

static void invalidated(struct dma_space *s, u32 tag)
{
	dma_invalidated(of_space(s)->under, tag);
}

/* What it has of @under's; the rest is as there. */
static void make_space(struct mock *m)
{
	const struct dma_ops *o = m->under->ops;

	m->ops = (struct dma_ops){
		.map = map,
		.doorbell = doorbell,
		.translate = o->translate ? translate : NULL,
		.page_request = o->page_request ? page_request : NULL,
		.takes_pages = o->page_request ? takes_pages : NULL,
		.forget_pages = o->forget_pages ? forget_pages : NULL,
		.invalidated = o->invalidated ? invalidated : NULL,
		.cancel = cancel,
	};
	m->dma = *m->under;
	m->dma.ops = &m->ops;
}

static int make_device(struct mock *m)
{
	struct uapi *u = &m->context.uapi;
	struct iommu_fault_alloc queue = { 0 };
	int dev, err = vfio_context_open(&m->context);

	if (err)
		return err;
	err = u->ops->fault_queue_alloc(u, &queue);
	m->file = err ? -1 : (int)queue.out_fault_fd;
	m->faultq = queue.out_fault_id;
	dev = err ? err : m->wire->create(u, m->context.ioas, m->faultq);
	if (dev < 0) {
		if (!err)
			u->ops->close(u, m->file);
		u->ops->close(u, u->iommufd);
		return dev;
	}
	m->dev = dev;
	return 0;
}

int mock_create(struct mock **out, const struct mock_config *c)
{
	struct mock *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->vm = c->vm;
	m->wire = c->wire;
	m->under = c->under;
	m->stalls = c->stalls;
	m->context.uapi = (struct uapi){ .ops = c->ops, .log = c->vm->log };
	err = make_device(m);
	if (err) {
		free(m);
		return err;
	}
	make_space(m);
	m->source.answer = answer;
	m->relay = (struct fault_relay){ .ask = ask, .answered = answered, .forget = forget };
	m->bridge =
		(struct fault_bridge){ .name = c->name, .space = m->under, .timeout = c->timeout };
	fault_bridge_add(&m->bridge, c->hub);
	m->ready = (struct loop_op){ .done = ready, .endless = true };
	loop_poll(m->vm->loop, &m->ready, m->file, POLLIN);
	*out = m;
	return 0;
}

struct dma_space *mock_space(struct mock *m)
{
	return &m->dma;
}

struct fault_relay *mock_relay(struct mock *m)
{
	return &m->relay;
}

void mock_settle(struct mock *m)
{
	m->under->device = m->dma.device;
	m->under->messages = m->dma.messages;
}

/* The device, its tables and the queue go with the last file (iommufd's own order). */
void mock_destroy(struct mock *m)
{
	struct uapi *u = &m->context.uapi;

	fault_bridge_remove(&m->bridge);
	trace(m->vm->log, TRACE_FAULT,
	      "%s: mock: %llu faults, %llu by the kernel's queue, %llu answered", m->bridge.name,
	      (unsigned long long)m->raised, (unsigned long long)m->known,
	      (unsigned long long)m->told);
	m->under->device = NULL;
	m->under->messages = NULL;
	u->ops->close(u, m->file);
	u->ops->close(u, u->iommufd);
	free(m);
}
