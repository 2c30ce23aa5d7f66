// SPDX-License-Identifier: GPL-2.0-only
/* What the guest does not answer in time (fault-timeout=): stalled transactions fail, groups of
 * page requests are answered. No specification has that; a device may well have. */
#include "devices/smmuv3/private.h"

/* What is timed, its owner ends. */
static bool is_its(const struct smmu_endpoint *e, const struct dma_token *token)
{
	return token->holder == e && !token->timed;
}

static bool is_over(const struct smmu_endpoint *e, const struct dma_token *token)
{
	return is_its(e, token) && patience_is_over(&e->patience, token->since);
}

/* Its STAG stays taken until it is answered (3.12.2). */
static void end_recorded(struct smmu_endpoint *e)
{
	struct smmu *s = e->smmu;

	for (unsigned int i = 0; i < SMMU_MAX_STALLS; i++) {
		struct smmu_stall *slot = &s->stalls.slots[i];
		struct dma_token *token = slot->token;

		if (!token || !is_over(e, token))
			continue;
		slot->token = NULL;
		smmu_see_answer(s, slot, "nobody answers");
		s->counts.timed_out++;
		smmu_let_go(s, token, true);
	}
}

static void end_held(struct smmu_endpoint *e)
{
	struct smmu *s = e->smmu;
	struct dma_token *token, *next;

	TAILQ_FOREACH_SAFE(token, &s->stalls.held, next, next)
	{
		if (!is_over(e, token))
			continue;
		TAILQ_REMOVE(&s->stalls.held, token, next);
		smmu_see_stall(s, token, NULL, "nobody could be asked in time");
		s->counts.timed_out++;
		smmu_let_go(s, token, true);
	}
}

static void take_older(u64 since, bool *any, u64 *oldest)
{
	if (!*any || since < *oldest)
		*oldest = since;
	*any = true;
}

static bool find_oldest(const struct smmu_endpoint *e, u64 *oldest)
{
	const struct smmu *s = e->smmu;
	const struct dma_token *token;
	bool any = false;

	for (unsigned int i = 0; i < SMMU_MAX_STALLS; i++) {
		const struct smmu_stall *slot = &s->stalls.slots[i];

		if (slot->token && is_its(e, slot->token))
			take_older(slot->token->since, &any, oldest);
	}
	TAILQ_FOREACH(token, &s->stalls.held, next)
	{
		if (is_its(e, token))
			take_older(token->since, &any, oldest);
	}
	return any;
}

/* Devices run what has failed, and may stall or ask again: that is looked at as well. */
static bool look(struct patience *p, u64 *oldest)
{
	struct smmu_endpoint *e = container_of(p, struct smmu_endpoint, patience);
	u64 page = 0;
	bool any;

	end_recorded(e);
	end_held(e);
	fault_end_overdue(&e->port);
	smmu_stalls_run(e->smmu);
	any = find_oldest(e, oldest);
	if (fault_find_oldest(&e->port, &page))
		take_older(page, &any, oldest);
	return any;
}

void smmu_patience_init(struct smmu_endpoint *e)
{
	struct vm *vm = e->smmu->vm;

	e->patience = (struct patience){ .loop = vm->loop, .vm = vm, .look = look };
	patience_init(&e->patience);
}

static void see_stall(const struct smmu_endpoint *e, const struct dma_token *token, bool named,
                      u16 stag, fault_seen *seen, void *ctx)
{
	const struct fault_waiting w = {
		.stalls = true,
		.named = named,
		.requester = token->requester,
		.pasid = token->pasid,
		.name = stag,
		.iova = token->iova,
		.ns = patience_now(&e->patience) - token->since,
	};

	seen(ctx, &w);
}

static void each_of(struct smmu_endpoint *e, fault_seen *seen, void *ctx)
{
	const struct smmu *s = e->smmu;
	const struct dma_token *token;

	for (unsigned int i = 0; i < SMMU_MAX_STALLS; i++) {
		const struct smmu_stall *slot = &s->stalls.slots[i];

		if (slot->token && slot->endpoint == e)
			see_stall(e, slot->token, true, smmu_stag(s, slot), seen, ctx);
	}
	TAILQ_FOREACH(token, &s->stalls.held, next)
	{
		if (token->holder == e)
			see_stall(e, token, false, 0, seen, ctx);
	}
	fault_each(&e->port, e->sid ? e->sid(e->ctx) : 0, seen, ctx);
}

void smmu_each_waiting(struct smmu *s, fault_seen *seen, void *ctx)
{
	for (struct smmu_endpoint *e = s->endpoints; e; e = e->next)
		each_of(e, seen, ctx);
}

void smmu_set_patience(struct smmu_endpoint *e, u64 ms)
{
	e->patience.ms = ms;
}
