// SPDX-License-Identifier: GPL-2.0-only
/* The page-request port: groups of page requests from the last request of each to its one answer.
 */
#include "fault/port.h"

#include <stdio.h>

void fault_port_init(struct fault_port *p, struct dma_space *space, struct patience *patience)
{
	*p = (struct fault_port){ .space = space, .patience = patience };
}

static struct fault_group *find(struct fault_port *p, u32 pasid, u16 index)
{
	for (unsigned int i = 0; i < FAULT_GROUPS; i++) {
		struct fault_group *g = &p->groups[i];

		if (g->state != FAULT_UNKNOWN && g->pasid == pasid && g->index == index)
			return g;
	}
	return NULL;
}

static bool is_taken(const struct fault_group *g)
{
	return g->state == FAULT_WAITS || g->state == FAULT_OVERDUE;
}

/* For a group by that name: its own place, or that of one that was remembered longest. */
static struct fault_group *place(struct fault_port *p, u32 pasid, u16 index)
{
	struct fault_group *g = find(p, pasid, index);

	while (!g || is_taken(g)) /* fault_can_raise(): there is one */
		g = &p->groups[p->next++ % FAULT_GROUPS];
	return g;
}

bool fault_waits(struct fault_port *p, const struct dma_page_request *rq)
{
	const struct fault_group *g = find(p, rq->pasid, rq->group);

	return g && g->state == FAULT_WAITS;
}

bool fault_can_raise(struct fault_port *p, const struct dma_page_request *rq)
{
	const struct fault_group *g = find(p, rq->pasid, rq->group);

	if (g && is_taken(g))
		return false;
	return !rq->last ||
	       (p->waiting < FAULT_MAX_WAITING && p->waiting + p->overdue < FAULT_GROUPS);
}

static void see(const struct fault_port *p, u32 pasid, u16 index, const char *what)
{
	if (p->see)
		p->see(p, fault_name(pasid, index).text, what);
}

void fault_raised(struct fault_port *p, const struct dma_page_request *rq)
{
	const u64 now = patience_now(p->patience);

	see(p, rq->pasid, rq->group, rq->last ? "shown, the last: it waits" : "shown");
	p->counts.raised++;
	if (!rq->last || fault_waits(p, rq))
		return;
	*place(p, rq->pasid, rq->group) = (struct fault_group){
		.pasid = rq->pasid,
		.index = rq->group,
		.state = FAULT_WAITS,
		.generation = p->generation,
		.since = now,
	};
	p->waiting++;
	patience_watch(p->patience, now);
}

void fault_refused(struct fault_port *p)
{
	p->counts.refused++;
}

void fault_deliver(struct fault_port *p, const struct dma_page_response *r)
{
	struct dma_device *device = p->space->device;

	if (device)
		device->page_response(device, r);
}

static void leave(struct fault_port *p, struct fault_group *g, enum fault_state state)
{
	p->waiting -= g->state == FAULT_WAITS;
	p->overdue -= g->state == FAULT_OVERDUE;
	p->overdue += state == FAULT_OVERDUE;
	g->state = state;
}

void fault_room(struct fault_port *p)
{
	struct dma_device *device = p->space->device;

	if (device && device->page_room)
		device->page_room(device);
}

enum fault_state fault_answer(struct fault_port *p, const struct dma_page_response *r)
{
	struct fault_counts *c = &p->counts;
	const struct {
		u64 *count;
		const char *what;
	} answers[] = {
		[FAULT_UNKNOWN] = { &c->unknown, "answered: nothing waits" },
		[FAULT_WAITS] = { &c->answered, "answered" },
		[FAULT_ANSWERED] = { &c->duplicate, "answered: it was" },
		[FAULT_ENDED] = { &c->late, "answered: it had ended" },
		[FAULT_FORGOTTEN] = { &c->late, "answered: it was forgotten" },
		[FAULT_OVERDUE] = { &c->late, "answered: too late" },
	};
	struct fault_group *g = find(p, r->pasid, r->group);
	const enum fault_state was = g ? g->state : FAULT_UNKNOWN;

	++*answers[was].count;
	see(p, r->pasid, r->group, answers[was].what);
	if (was == FAULT_FORGOTTEN || was == FAULT_OVERDUE)
		leave(p, g, FAULT_ANSWERED);
	if (was == FAULT_OVERDUE)
		fault_room(p);
	if (was != FAULT_WAITS)
		return was;
	fault_times_add(&c->times, patience_now(p->patience) - g->since);
	leave(p, g, FAULT_ANSWERED);
	fault_deliver(p, r);
	return was;
}

void fault_answer_automatically(struct fault_port *p, const struct dma_page_response *r)
{
	see(p, r->pasid, r->group, "answered in the guest's stead");
	p->counts.automatic++;
	fault_deliver(p, r);
}

void fault_end_of(struct fault_port *p, enum dma_page_code code, bool with_pasid,
                  bool (*ends)(const void *ctx, u32 pasid), const void *ctx)
{
	p->generation++;
	for (unsigned int i = 0; i < FAULT_GROUPS; i++) {
		struct fault_group *g = &p->groups[i];
		const struct dma_page_response r = {
			.pasid = with_pasid ? g->pasid : DMA_NO_PASID,
			.group = g->index,
			.code = code,
		};

		if (g->state == FAULT_OVERDUE && ends(ctx, g->pasid))
			leave(p, g, FAULT_ENDED);
		if (g->state != FAULT_WAITS || g->generation == p->generation ||
		    !ends(ctx, g->pasid))
			continue;
		leave(p, g, FAULT_ENDED);
		see(p, g->pasid, g->index, "ended");
		p->counts.ended++;
		fault_deliver(p, &r);
	}
}

static bool all(const void *ctx, u32 pasid)
{
	(void)ctx;
	(void)pasid;
	return true;
}

void fault_end(struct fault_port *p, enum dma_page_code code, bool with_pasid)
{
	fault_end_of(p, code, with_pasid, all, NULL);
}

static void let_wait_no_more(struct fault_port *p, u32 pasid, u16 index, u64 *count,
                             const char *what)
{
	const struct dma_page_response r = { pasid, index, DMA_PAGE_INVALID };
	struct fault_group *g = find(p, pasid, index);

	if (!g || g->state != FAULT_WAITS)
		return;
	leave(p, g, FAULT_OVERDUE);
	see(p, pasid, index, what);
	++*count;
	fault_deliver(p, &r);
}

void fault_time_out(struct fault_port *p, u32 pasid, u16 index)
{
	let_wait_no_more(p, pasid, index, &p->counts.timed_out, "nobody answers");
}

void fault_give_up(struct fault_port *p, u32 pasid, u16 index)
{
	let_wait_no_more(p, pasid, index, &p->counts.ended, "given up");
}

/* What is raised as one ends is new. */
void fault_end_overdue(struct fault_port *p)
{
	for (unsigned int i = 0; i < FAULT_GROUPS; i++) {
		const struct fault_group *g = &p->groups[i];

		if (g->state == FAULT_WAITS && patience_is_over(p->patience, g->since))
			fault_time_out(p, g->pasid, g->index);
	}
}

bool fault_find_oldest(const struct fault_port *p, u64 *oldest)
{
	bool waits = false;

	for (unsigned int i = 0; i < FAULT_GROUPS; i++) {
		const struct fault_group *g = &p->groups[i];

		if (g->state != FAULT_WAITS || (waits && g->since >= *oldest))
			continue;
		*oldest = g->since;
		waits = true;
	}
	return waits;
}

void fault_forget(struct fault_port *p)
{
	for (unsigned int i = 0; i < FAULT_GROUPS; i++) {
		if (p->groups[i].state == FAULT_OVERDUE)
			leave(p, &p->groups[i], FAULT_FORGOTTEN);
		if (p->groups[i].state != FAULT_WAITS)
			continue;
		leave(p, &p->groups[i], FAULT_FORGOTTEN);
		see(p, p->groups[i].pasid, p->groups[i].index, "forgotten");
		p->counts.forgotten++;
	}
}

void fault_each(const struct fault_port *p, u32 requester, fault_seen *seen, void *ctx)
{
	const u64 now = patience_now(p->patience);

	for (unsigned int i = 0; i < FAULT_GROUPS; i++) {
		const struct fault_group *g = &p->groups[i];
		const struct fault_waiting w = {
			.named = true,
			.requester = requester,
			.pasid = g->pasid,
			.name = g->index,
			.ns = now - g->since,
		};

		if (g->state == FAULT_WAITS)
			seen(ctx, &w);
	}
}

void fault_count(const struct fault_port *p, struct fault_counts *sum)
{
	const struct fault_counts *c = &p->counts;

	sum->raised += c->raised;
	sum->refused += c->refused;
	sum->answered += c->answered;
	sum->automatic += c->automatic;
	sum->ended += c->ended;
	sum->forgotten += c->forgotten;
	sum->timed_out += c->timed_out;
	sum->waiting += p->waiting;
	sum->late += c->late;
	sum->duplicate += c->duplicate;
	sum->unknown += c->unknown;
	fault_times_sum(&sum->times, &c->times);
}

struct fault_name fault_name(u32 pasid, u16 index)
{
	struct fault_name n;

	if (pasid == DMA_NO_PASID)
		snprintf(n.text, sizeof(n.text), "group %u", index);
	else
		snprintf(n.text, sizeof(n.text), "group %u of PASID %#x", index, pasid);
	return n;
}
