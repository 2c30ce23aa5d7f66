// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's operations: what each needs, when it has its turn, how it ends. */
#include "devices/dma_test_private.h"

#include <errno.h>
#include <linux/pci_regs.h>

#include "vmm/vm.h"

/* 6.15: naturally aligned, and sent while the guest allows it (7.5.3.16). */
static bool cas_allowed(const struct dt_job *job)
{
	const struct pci_func *f = &job->d->func;

	return (job->len == 4 || job->len == 8) && job->iova[0] % job->len == 0 &&
	       pci_get16(f, f->express + PCI_EXP_DEVCTL2) & PCI_EXP_DEVCTL2_ATOMIC_REQ;
}

static void cas(struct dt_job *job)
{
	struct dma_access a = { .iova = job->iova[0],
		                .len = job->len,
		                .perm = DMA_READ | DMA_WRITE,
		                .pasid = dt_pasid(job) };
	enum dma_status status;
	u64 len;

	if (job->flags & DT_TRANSLATED && !dt_atc_find(job->d, &a, &len)) {
		dt_fault(job, 0, 0, a.reason);
		return;
	}
	status = dma_cas(job->d->func.dma, &a, job->arg[0], job->arg[1], &job->result[0],
	                 &job->token);
	if (status == DMA_PENDING) {
		dt_set_state(job, DT_STALLED);
		return;
	}
	if (status == DMA_FAULT) {
		dt_fault(job, 0, a.done, a.reason);
		return;
	}
	job->done = job->len;
	dt_end(job, DT_DONE);
}

static const struct dt_op ops[] = {
	[DT_READ] = { .step = dt_transfer, .perm = { DMA_READ }, .consume = dt_to_buffer },
	[DT_WRITE] = { .step = dt_transfer, .perm = { DMA_WRITE }, .produce = dt_from_buffer },
	[DT_FILL] = { .step = dt_transfer, .perm = { DMA_WRITE }, .produce = dt_from_pattern },
	[DT_COPY] = { .step = dt_transfer, .perm = { DMA_READ, DMA_WRITE } },
	[DT_CAS] = { .step = cas, .allowed = cas_allowed },
	[DT_TRANSLATE] = { .step = dt_translate, .allowed = dt_translate_allowed },
	[DT_PAGE_REQUEST] = { .step = dt_page_request, .allowed = dt_page_request_allowed },
	[DT_CHECK] = { .step = dt_transfer, .perm = { DMA_READ }, .consume = dt_to_nowhere },
};

struct dt_job *dt_job(struct dma_test *d, unsigned int i)
{
	return i < DT_SLOTS ? &d->slots[i] : &d->epf.job;
}

void dt_set_state(struct dt_job *job, enum dt_state state)
{
	job->status = (job->status & ~DT_STATE) | state;
}

void dt_end(struct dt_job *job, enum dt_outcome outcome)
{
	static const char *const words[] = { "done", "fault", "refused", "aborted" };
	const bool fault = outcome == DT_FAULT;
	struct dma_test *d = job->d;

	job->status = (job->status & DT_SECOND) | FIELD_PREP(DT_OUTCOME, outcome) | DT_ENDED;
	if (job->op && job->op->step == dt_transfer)
		job->result[0] = ~job->crc;
	trace(d->vm->log, TRACE_PCI, "%s: operation %u at %#llx: %s%s%s after %#llx bytes",
	      d->func.name, job->opcode, (unsigned long long)job->iova[0], words[outcome],
	      fault ? ": " : "", fault ? dma_reason_words(job->reason) : "",
	      (unsigned long long)job->done);
	job->ended(job);
}

void dt_fault(struct dt_job *job, unsigned int side, u64 offset, enum dma_reason reason)
{
	job->fault = job->iova[side] + offset;
	job->reason = reason;
	if (side)
		job->status |= DT_SECOND;
	dt_end(job, DT_FAULT);
}

static bool wraps(u64 iova, u64 len)
{
	return len && iova + (len - 1) < iova;
}

/* What holds for any operation, before what its row says. */
static bool allowed(const struct dt_job *job)
{
	const bool exec = job->flags & DMA_EXEC, pasid = job->flags & DT_PASID;
	const bool transfer = job->op && job->op->step == dt_transfer;

	if (!job->op || job->flags & ~DT_FLAGS || (job->flags & DT_HELD && !transfer) ||
	    job->len > DT_MAX_LENGTH)
		return false;
	if (job->flags & DT_TRANSLATED &&
	    !((transfer || job->op->step == cas) && pci_ats_enabled(&job->d->func)))
		return false;
	if (transfer &&
	    (wraps(job->iova[0], job->len) || (job->op->perm[1] && wraps(job->iova[1], job->len))))
		return false;
	if (pasid ? !pci_pasid_allowed(&job->d->func, job->pasid, exec) : exec)
		return false;
	return !job->op->allowed || job->op->allowed(job);
}

static void queue_turn(struct dma_test *d)
{
	if (d->turn_queued)
		return;
	d->turn_queued = true;
	loop_timeout(d->vm->loop, &d->turn, &d->no_time);
}

/* One turn, and what is left waits for its next one. */
static void run(struct dt_job *job)
{
	job->op->step(job);
	if (dt_state(job) == DT_RUNNING)
		queue_turn(job->d);
}

static void turn(struct loop_op *op, int res)
{
	struct dma_test *d = container_of(op, struct dma_test, turn);
	struct dt_job *job;

	d->turn_queued = false;
	if (res == -ECANCELED)
		return; /* the end of all */
	for (unsigned int i = 0; i < DT_NR_JOBS; i++) {
		job = dt_job(d, d->next);
		d->next = (d->next + 1) % DT_NR_JOBS;
		if (dt_state(job) == DT_RUNNING) {
			job->op->step(job);
			break;
		}
	}
	for (unsigned int i = 0; i < DT_NR_JOBS; i++)
		if (dt_state(dt_job(d, i)) == DT_RUNNING)
			queue_turn(d);
}

/* Whoever stalled the access has let it go: again from its beginning. */
static void resume(struct dma_token *token)
{
	struct dt_job *job = container_of(token, struct dt_job, token);

	if (dt_state(job) != DT_STALLED)
		return;
	dt_set_state(job, DT_RUNNING);
	queue_turn(job->d);
}

void dt_start(struct dt_job *job)
{
	job->op = job->opcode < ARRAY_SIZE(ops) && ops[job->opcode].step ? &ops[job->opcode] : NULL;
	job->status = DT_RUNNING;
	job->done = job->fault = job->result[0] = job->result[1] = 0;
	job->result_perm = job->crc = job->reason = 0;
	if (!allowed(job))
		dt_end(job, DT_REFUSED);
	else if (!pci_is_master(&job->d->func))
		dt_end(job, DT_ABORTED);
	else
		run(job);
}

void dt_release(struct dt_job *job)
{
	if (dt_state(job) != DT_IS_HELD)
		return;
	dt_move(job);
	if (dt_state(job) == DT_RUNNING)
		queue_turn(job->d);
}

void dt_abort(struct dt_job *job)
{
	if (!dt_is_busy(job))
		return;
	dt_unmap(job);
	dma_cancel(job->d->func.dma, &job->token);
	dt_page_forget(job);
	dt_end(job, DT_ABORTED);
}

void dt_abort_all(struct dma_test *d)
{
	for (unsigned int i = 0; i < DT_NR_JOBS; i++)
		dt_abort(dt_job(d, i));
}

void dt_run_init(struct dma_test *d)
{
	d->turn = (struct loop_op){ .done = turn, .endless = true };
}

void dt_job_init(struct dma_test *d, unsigned int i, void (*ended)(struct dt_job *job))
{
	struct dt_job *job = dt_job(d, i);

	job->d = d;
	job->room = d->rooms[i];
	job->token.resume = resume;
	job->ended = ended;
}
