// SPDX-License-Identifier: GPL-2.0-only
/* The fault bridge's route of page requests: the guest is asked by name, in the order in which
 * faults came, and what its answer is worth is looked at. */
#include "fault/bridge_private.h"

#define PAGE   4096ULL /* of PCIe's messages */
#define GROUPS 512     /* indices: 9 bits */

enum look { REACHED, LACKS, NEVER };

/* The access, of a byte, as its space would make it, and nobody is told. What lacks in the guest's
 * tables is the guest's to bring; what leads to no memory, or through no table, never ends well. */
static enum look look(const struct fault_outstanding *f)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = fault_access(&f->request);

	a.silent = true;
	if (dma_map(f->bridge->space, &a, &sg, NULL) == DMA_OK) {
		dma_unmap(f->bridge->space, &sg);
		return REACHED;
	}
	return a.reason == DMA_NOT_MAPPED || a.reason == DMA_NOT_PERMITTED ? LACKS : NEVER;
}

/* Names go round: an answer to one of before, that came too late, is not soon taken for another's.
 * False: all are taken. */
static bool find_name(struct fault_bridge *b, u32 pasid, u16 *group)
{
	for (unsigned int i = 0; i < GROUPS; i++) {
		*group = b->next_group++ % GROUPS;
		if (!b->asker->has(b->asker, pasid, *group))
			return true;
	}
	return false;
}

/* The answer may come before the asker returns, and @f is gone then. False: there is no room now.
 */
static bool ask(struct fault_outstanding *f)
{
	struct fault_bridge *b = f->bridge;
	const struct fault_request rq = f->request;
	struct dma_page_request page = {
		.iova = ALIGN_DOWN(rq.addr, PAGE), .perm = rq.perm, .pasid = rq.pasid, .last = true
	};
	const bool first = !f->asks;

	if (!find_name(b, rq.pasid, &page.group))
		return false;
	f->group = page.group;
	f->asked = true;
	f->asks++;
	switch (b->asker->ask(b->asker, &page)) {
	case FAULT_ASKED:
		if (first)
			fault_shown(b, &rq);
		return true;
	case FAULT_NO_ROOM_NOW:
		f->asked = false;
		f->asks--;
		return false;
	case FAULT_TAKES_NONE:
		f->asked = false;
		fault_finish(f, first ? FAULT_REFUSED : FAULT_ABORTED, true);
		return true;
	}
	return false;
}

static struct fault_outstanding *next_to_ask(const struct fault_bridge *b)
{
	struct fault_outstanding *f = TAILQ_FIRST(&b->outstanding);

	while (f && f->asked)
		f = TAILQ_NEXT(f, next);
	return f;
}

/* What is raised meanwhile has its turn here, too. */
static void ask_in_order(struct fault_bridge *b)
{
	struct fault_outstanding *f;

	while ((f = next_to_ask(b)) && ask(f))
		;
}

void fault_bridge_ask(struct fault_bridge *b)
{
	if (b->asker)
		fault_asker_room(b->asker);
}

void fault_pages_begin(struct fault_outstanding *f)
{
	struct fault_bridge *b = f->bridge;

	switch (look(f)) {
	case REACHED: fault_finish(f, fault_spurious(b, &f->request), true); break;
	case NEVER: fault_finish(f, FAULT_REFUSED, true); break;
	case LACKS: fault_wait(f); fault_bridge_ask(b);
	}
}

/* A page that was there, and is not any more, is asked for again: but not for ever. */
static void conclude(struct fault_outstanding *f, enum dma_page_code code)
{
	const enum look now = code == DMA_PAGE_SUCCESS ? look(f) : NEVER;

	if (now == REACHED)
		fault_finish(f, FAULT_RETRIED, true);
	else if (now == NEVER || f->asks == FAULT_ASKS)
		fault_finish(f, FAULT_ABORTED, true);
}

static struct fault_outstanding *find(const struct fault_bridge *b, u32 pasid, u16 group)
{
	struct fault_outstanding *f = TAILQ_FIRST(&b->outstanding);

	while (f && !(f->asked && f->request.pasid == pasid && f->group == group))
		f = TAILQ_NEXT(f, next);
	return f;
}

bool fault_bridge_answered(struct fault_bridge *b, const struct dma_page_response *r)
{
	struct fault_outstanding *f = find(b, r->pasid, r->group);
	const bool waited = f;

	if (waited) {
		f->asked = false;
		conclude(f, r->code);
	}
	return waited;
}

void fault_pages_cancel(struct fault_outstanding *f)
{
	struct fault_asker *a = f->bridge->asker;

	if (f->asked)
		a->give_up(a, f->request.pasid, f->group);
}

static bool answered(struct fault_taker *t, const struct dma_page_response *r)
{
	return fault_bridge_answered(container_of(t, struct fault_bridge, taker), r);
}

static void room(struct fault_taker *t)
{
	ask_in_order(container_of(t, struct fault_bridge, taker));
}

static void forgotten(struct fault_taker *t)
{
	fault_bridge_end(container_of(t, struct fault_bridge, taker), NULL);
}

void fault_bridge_set_asker(struct fault_bridge *b, struct fault_asker *a)
{
	b->asker = a;
	b->taker = (struct fault_taker){ answered, room, forgotten, NULL };
	fault_asker_add(a, &b->taker);
}
