// SPDX-License-Identifier: GPL-2.0-only
/* The fault bridge: requests from where they are raised to their one answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fault/bridge_private.h"
#include "vmm/clock.h"
#include "vmm/pause.h"
#include "vmm/vm.h"

#define MS      1000000ULL  /* ns */
#define LONGEST (1000 * MS) /* that a timer runs: who comes later may have less time */

const char *fault_outcome_word(enum fault_outcome o)
{
	static const char *const words[FAULT_OUTCOMES] = {
		[FAULT_RETRIED] = "retried",   [FAULT_ABORTED] = "aborted",
		[FAULT_SPURIOUS] = "spurious", [FAULT_REFUSED] = "refused",
		[FAULT_ENDED_BY] = "ended",    [FAULT_TIMED_OUT] = "timed-out",
		[FAULT_NO_ROOM] = "no-room",
	};

	return words[o];
}

static void see(const struct fault_bridge *b, const struct fault_request *rq, const char *what)
{
	char pasid[24] = "";

	if (!(b->hub->log->topics & BIT(TRACE_FAULT)))
		return;
	if (rq->pasid != DMA_NO_PASID)
		snprintf(pasid, sizeof(pasid), ", PASID %u", rq->pasid);
	log_trace(b->hub->log, TRACE_FAULT, "%s: %llu: 0x%llx%s, %s%s%s: %s", b->name,
	          (unsigned long long)rq->cookie, (unsigned long long)rq->addr, pasid,
	          rq->perm & DMA_READ ? "r" : "", rq->perm & DMA_WRITE ? "w" : "",
	          rq->perm & DMA_EXEC ? "x" : "", what);
}

static void count(struct fault_bridge *b, const struct fault_request *rq, enum fault_outcome o)
{
	b->stats.ended[o]++;
	b->hub->ended[o]++;
	see(b, rq, fault_outcome_word(o));
	if (!fault_is_retried(o) && o != FAULT_ENDED_BY && b->hub->unserved)
		b->hub->unserved(b->hub, b);
}

void fault_count_timed_out(struct fault_bridge *b)
{
	b->stats.received++;
	b->stats.ended[FAULT_TIMED_OUT]++;
	b->hub->ended[FAULT_TIMED_OUT]++;
	if (b->hub->unserved)
		b->hub->unserved(b->hub, b);
}

static void take_out(struct fault_outstanding *f)
{
	if (!f->waits)
		return;
	TAILQ_REMOVE(&f->bridge->outstanding, f, next);
	f->bridge->stats.outstanding--;
	f->waits = false;
}

void fault_finish(struct fault_outstanding *f, enum fault_outcome o, bool tell)
{
	struct fault_bridge *b = f->bridge;

	if (f->waits && (o == FAULT_RETRIED || o == FAULT_ABORTED))
		fault_times_add(&b->stats.times, b->hub->clock() - f->since);
	take_out(f);
	if (tell && !f->source->answer(f->source, f->request.cookie, o))
		o = FAULT_ENDED_BY;
	count(b, &f->request, o);
	free(f);
}

static bool is_same(const struct fault_request *a, const struct fault_request *b)
{
	return a->addr == b->addr && a->perm == b->perm && a->privileged == b->privileged &&
	       a->pasid == b->pasid;
}

/* What is known of the same, or NULL. */
static struct fault_repeat *repeat_of(struct fault_bridge *b, const struct fault_request *rq)
{
	for (unsigned int i = 0; i < FAULT_REPEATS; i++)
		if (b->repeats[i].row && is_same(&b->repeats[i].request, rq))
			return &b->repeats[i];
	return NULL;
}

static void forget_repeat(struct fault_bridge *b, const struct fault_request *rq)
{
	struct fault_repeat *r = repeat_of(b, rq);

	if (r)
		r->row = 0;
}

static void set_timer(struct fault_hub *h);

void fault_shown(struct fault_bridge *b, const struct fault_request *rq)
{
	forget_repeat(b, rq);
	b->stats.shown++;
	see(b, rq, "shown");
}

void fault_wait(struct fault_outstanding *f)
{
	struct fault_bridge *b = f->bridge;

	f->waits = true;
	f->since = f->timed = b->hub->clock();
	TAILQ_INSERT_TAIL(&b->outstanding, f, next);
	b->stats.outstanding++;
	set_timer(b->hub);
}

/* Again, and it is as it was. */
static void stalls(struct fault_outstanding *f)
{
	if (f->waits)
		return;
	fault_wait(f);
	fault_shown(f->bridge, &f->request);
}

/* In place of what is oldest. */
static struct fault_repeat *begin_repeat(struct fault_bridge *b)
{
	struct fault_repeat *oldest = b->repeats;

	for (unsigned int i = 0; i < FAULT_REPEATS && oldest->row; i++)
		if (!b->repeats[i].row || b->repeats[i].last < oldest->last)
			oldest = &b->repeats[i];
	oldest->row = 0;
	return oldest;
}

/* What can be reached as it is, and faults again and again, is not what the tables say: caches of
 * the host's that the guest has not had emptied, or worse. It would do so for ever. Many that fault
 * on one page at once are not that. */
enum fault_outcome fault_spurious(struct fault_bridge *b, const struct fault_request *rq)
{
	struct fault_repeat *known = repeat_of(b, rq), *r = known ? known : begin_repeat(b);
	const u64 now = b->hub->clock();

	if (!r->row || now - r->last >= FAULT_ROW_GAP)
		*r = (struct fault_repeat){ .request = *rq, .first = now };
	r->row++;
	r->last = now;
	return r->row <= FAULT_ROW || now - r->first < FAULT_ROW_TIME ? FAULT_SPURIOUS
	                                                              : FAULT_REFUSED;
}

/* The access, of a byte; its space says what the guest has to say. Only the IOMMU is asked: nothing
 * is read or written here. */
static void show(struct fault_outstanding *f)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = fault_access(&f->request);

	switch (dma_map(f->bridge->space, &a, &sg, &f->token)) {
	case DMA_OK:
		dma_unmap(f->bridge->space, &sg);
		fault_finish(f, f->waits ? FAULT_RETRIED : fault_spurious(f->bridge, &f->request),
		             true);
		break;
	case DMA_FAULT: fault_finish(f, f->waits ? FAULT_ABORTED : FAULT_REFUSED, true); break;
	case DMA_PENDING: stalls(f); break;
	}
}

static void resume(struct dma_token *token)
{
	show(container_of(token, struct fault_outstanding, token));
}

/* One that has nowhere to wait. */
static void refuse(struct fault_bridge *b, struct fault_source *s, const struct fault_request *rq,
                   enum fault_outcome o)
{
	count(b, rq, s->answer(s, rq->cookie, o) ? o : FAULT_ENDED_BY);
}

void fault_bridge_raise(struct fault_bridge *b, struct fault_source *s,
                        const struct fault_request *rq)
{
	struct fault_outstanding *f = NULL;

	b->stats.received++;
	if (b->stats.outstanding < FAULT_OUTSTANDING)
		f = calloc(1, sizeof(*f));
	if (!f) {
		refuse(b, s, rq, FAULT_NO_ROOM);
		return;
	}
	*f = (struct fault_outstanding){ .bridge = b,
		                         .source = s,
		                         .request = *rq,
		                         .token = { .resume = resume, .timed = true } };
	if (b->asker)
		fault_pages_begin(f);
	else
		show(f);
}

/* Nobody else finds it from then on: an answer that comes as it is given up is nobody's. */
static void end(struct fault_outstanding *f, enum fault_outcome o, bool tell)
{
	take_out(f);
	if (f->bridge->asker)
		fault_pages_cancel(f);
	else
		dma_cancel(f->bridge->space, &f->token);
	fault_finish(f, o, tell);
}

static void end_all(struct fault_bridge *b, const struct fault_source *by)
{
	unsigned int left = b->stats.outstanding;

	while (left--) {
		struct fault_outstanding *f = TAILQ_FIRST(&b->outstanding);

		if (!f)
			return;
		end(f, FAULT_ENDED_BY, f->source != by);
	}
}

void fault_bridge_end_one(struct fault_bridge *b, struct fault_source *by, u64 cookie)
{
	struct fault_outstanding *f = TAILQ_FIRST(&b->outstanding);

	while (f && !(f->source == by && f->request.cookie == cookie))
		f = TAILQ_NEXT(f, next);
	if (f)
		end(f, FAULT_ENDED_BY, true);
}

void fault_bridge_no_room(struct fault_bridge *b, const struct fault_request *rq)
{
	b->stats.received++;
	count(b, rq, FAULT_NO_ROOM);
}

static void hold(struct fault_bridge *b)
{
	if (b->asker)
		fault_asker_hold(b->asker);
}

static void let_go(struct fault_bridge *b)
{
	if (b->asker)
		fault_asker_let_go(b->asker);
}

/* What an answer raises is the next one's; and nobody is asked meanwhile. */
void fault_bridge_end(struct fault_bridge *b, const struct fault_source *by)
{
	hold(b);
	end_all(b, by);
	let_go(b);
}

void fault_bridge_each(const struct fault_bridge *b,
                       void (*fn)(void *ctx, const struct fault_seen_there *f), void *ctx)
{
	const u64 t = b->hub->clock();
	struct fault_outstanding *f;

	TAILQ_FOREACH(f, &b->outstanding, next)
	{
		const struct fault_seen_there seen = {
			.request = &f->request,
			.ns = t - f->since,
			.asks = f->asks,
			.asked = f->asked,
			.group = f->group,
		};

		fn(ctx, &seen);
	}
}

unsigned int fault_bridge_waiting(const struct fault_bridge *b)
{
	const struct fault_outstanding *f;
	unsigned int nr = 0;

	TAILQ_FOREACH(f, &b->outstanding, next)
	nr += !f->asked;
	return nr;
}

/* How long, at most, until something has waited for too long; 0: nothing will. A timer that runs is
 * not set anew: it is for no longer than the shortest limit, whoever has that, and a second. */
static u64 time_left(const struct fault_hub *h, u64 t)
{
	u64 left = 0, shortest = LONGEST;

	for (const struct fault_bridge *b = h->bridges; b; b = b->next) {
		const struct fault_outstanding *f = TAILQ_FIRST(&b->outstanding);
		const u64 end = f ? f->timed + b->timeout * MS : 0;

		if (!b->timeout)
			continue;
		if (b->timeout * MS < shortest)
			shortest = b->timeout * MS;
		if (f && (!left || end < t + left))
			left = end > t ? end - t : 1;
	}
	return left < shortest ? left : shortest;
}

static void set_timer(struct fault_hub *h)
{
	const u64 ns = time_left(h, h->clock());

	if (!ns || h->timer_runs)
		return;
	h->timer_runs = true;
	h->time =
		(struct __kernel_timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	loop_timeout(h->loop, &h->timer, &h->time);
}

static void look_for_late(struct fault_bridge *b, u64 t)
{
	struct fault_outstanding *f;

	hold(b);
	while (b->timeout && (f = TAILQ_FIRST(&b->outstanding)) && f->timed + b->timeout * MS <= t)
		end(f, FAULT_TIMED_OUT, true);
	let_go(b);
}

/* Since this was asked last, or now. */
static bool was_held(struct fault_hub *h)
{
	const unsigned int before = h->holds;

	if (!h->vm)
		return false;
	h->holds = vcpus_nr_holds(h->vm);
	return h->holds != before || vcpus_are_held(h->vm);
}

/* A guest that is paused cannot answer: its time begins anew. */
static void wait_anew(struct fault_hub *h)
{
	for (struct fault_bridge *b = h->bridges; b; b = b->next) {
		struct fault_outstanding *f;

		TAILQ_FOREACH(f, &b->outstanding, next)
		{
			f->timed = h->clock();
		}
	}
}

void fault_hub_tick(struct fault_hub *h)
{
	if (was_held(h))
		wait_anew(h);
	for (struct fault_bridge *b = h->bridges; b; b = b->next)
		look_for_late(b, h->clock());
}

static void timer_ends(struct loop_op *op, int res)
{
	struct fault_hub *h = container_of(op, struct fault_hub, timer);

	h->timer_runs = false;
	if (res == -ECANCELED)
		return;
	fault_hub_tick(h);
	set_timer(h);
}

void fault_hub_init(struct fault_hub *h, struct loop *loop, const struct log *log)
{
	*h = (struct fault_hub){ .loop = loop, .log = log, .clock = clock_now };
	h->timer = (struct loop_op){ .done = timer_ends, .endless = true };
}

void fault_bridge_add(struct fault_bridge *b, struct fault_hub *h)
{
	b->hub = h;
	TAILQ_INIT(&b->outstanding);
	b->next = h->bridges;
	h->bridges = b;
	if (b->asker)
		fault_bridge_set_asker(b, b->asker);
}

void fault_bridge_remove(struct fault_bridge *b)
{
	struct fault_bridge **at = &b->hub->bridges;

	fault_bridge_end(b, NULL);
	if (b->asker)
		fault_asker_remove(b->asker, &b->taker);
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
}
