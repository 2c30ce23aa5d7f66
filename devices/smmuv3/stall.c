// SPDX-License-Identifier: GPL-2.0-only
/* Stalled transactions (Arm IHI 0070, 3.12.2, 4.7.1, 4.7.2, 7.2.1): held without a record, recorded
 * and outstanding, let go. A device runs its access again when its token is resumed. */
#include "devices/smmuv3/private.h"

static bool model(const struct smmu *s)
{
	return smmu_idr(s, 0, IDR0_STALL_MODEL) != STALL_NEVER;
}

static unsigned int nr_slots(const struct smmu *s)
{
	return smmu_idr(s, 5, IDR5_STALL_MAX);
}

/* A slot whose STAG is nobody's; NULL: as many are outstanding as there can be. */
static struct smmu_stall *free_slot(struct smmu *s)
{
	for (unsigned int i = 0; i < nr_slots(s); i++) {
		struct smmu_stall *slot = &s->stalls.slots[s->stalls.next++ % nr_slots(s)];

		if (!slot->used)
			return slot;
	}
	return NULL;
}

/* 3.12.2: a STAG is the slot, and how often it has been used: so an old one finds nothing. */
u16 smmu_stag(const struct smmu *s, const struct smmu_stall *slot)
{
	return (slot - s->stalls.slots) | slot->generation << 8;
}

static struct dma_token *take(struct dma_tokens *q)
{
	struct dma_token *token = TAILQ_FIRST(q);

	if (token)
		TAILQ_REMOVE(q, token, next);
	return token;
}

static void take_out(struct dma_tokens *q, const struct dma_token *token)
{
	struct dma_token *t;

	TAILQ_FOREACH(t, q, next)
	{
		if (t == token) {
			TAILQ_REMOVE(q, t, next);
			return;
		}
	}
}

/* Its STAG stays taken until it is answered (3.12.2). */
void smmu_stall_cancel(struct smmu *s, struct dma_token *token)
{
	token->refused = false;
	take_out(&s->stalls.held, token);
	take_out(&s->stalls.let_go, token);
	for (unsigned int i = 0; i < nr_slots(s); i++) {
		if (s->stalls.slots[i].token != token)
			continue;
		smmu_see_answer(s, &s->stalls.slots[i], "given up by its device");
		s->stalls.slots[i].token = NULL;
	}
}

enum dma_status smmu_stall(struct smmu_endpoint *by, const struct dma_access *a,
                           struct smmu_event *e, struct dma_token *token)
{
	struct smmu *s = by->smmu;
	struct smmu_stall *slot;

	smmu_stall_cancel(s, token);
	token->iova = a->iova + a->done;
	token->pasid = a->pasid;
	token->requester = e->sid;
	token->holder = by;
	if (!token->unasked)
		token->since = patience_now(&by->patience);
	if (!token->timed)
		patience_watch(&by->patience, token->since);
	slot = smmu_events_writable(s) ? free_slot(s) : NULL;
	if (!slot) { /* 7.2.1: as though it had just arrived, when there is room */
		TAILQ_INSERT_TAIL(&s->stalls.held, token, next);
		s->counts.held += !token->unasked;
		smmu_see_stall(s, token, NULL, "stalls, and is held without a record");
		return DMA_PENDING;
	}
	token->unasked = false;
	*slot = (struct smmu_stall){
		.used = true,
		.generation = slot->generation + 1,
		.sid = e->sid,
		.endpoint = by,
		.token = token,
	};
	e->stall = true;
	e->stag = smmu_stag(s, slot);
	s->counts.stalls++;
	smmu_see_stall(s, token, slot, "stalls");
	smmu_record(s, e);
	return DMA_PENDING;
}

/* Retried, or ended with an abort when it is run again. */
void smmu_let_go(struct smmu *s, struct dma_token *token, bool refused)
{
	token->refused = refused;
	TAILQ_INSERT_TAIL(&s->stalls.let_go, token, next);
}

/* Of one whose time is over, or that was given up, nothing comes but that its STAG is free. */
static void answer(struct smmu *s, struct smmu_stall *slot, bool refused, u64 *count)
{
	struct dma_token *token = slot->token;

	*(token ? count : &s->counts.late) += 1;
	smmu_see_answer(s, slot, !token ? "too late" : refused ? "terminated" : "retried");
	slot->used = false;
	slot->token = NULL;
	if (token)
		smmu_let_go(s, token, refused);
}

/* 4.7.1: of any STAG but one that is outstanding, and for that StreamID, nothing comes. */
enum smmu_command smmu_cmd_resume(struct smmu *s, const u64 *cmd)
{
	const unsigned int stag = FIELD_GET(RESUME1_STAG, cmd[1]);
	struct smmu_stall *slot = &s->stalls.slots[stag & 0xff];

	if (!model(s) || cmd[0] & CMD0_SSEC)
		return COMMAND_ILLEGAL;
	if (!slot->used || smmu_stag(s, slot) != stag || slot->sid != FIELD_GET(CMD0_SID, cmd[0]))
		return COMMAND_DONE;
	if (slot->token)
		fault_times_add(&s->counts.stall_times,
		                patience_now(&slot->endpoint->patience) - slot->token->since);
	answer(s, slot, !(cmd[0] & RESUME0_AC), &s->counts.resumed);
	return COMMAND_DONE;
}

/* Of @sid, or all. */
static void terminate(struct smmu *s, bool all, u32 sid)
{
	struct dma_tokens held = TAILQ_HEAD_INITIALIZER(held);
	struct dma_token *token;

	for (unsigned int i = 0; i < nr_slots(s); i++) {
		if (!s->stalls.slots[i].used || (!all && s->stalls.slots[i].sid != sid))
			continue;
		answer(s, &s->stalls.slots[i], true, &s->counts.terminated);
	}
	TAILQ_CONCAT(&held, &s->stalls.held, next);
	while ((token = take(&held)))
		if (!all && token->requester != sid) {
			TAILQ_INSERT_TAIL(&s->stalls.held, token, next);
		} else {
			smmu_see_stall(s, token, NULL, "terminated");
			smmu_let_go(s, token, true);
		}
}

/* 4.7.2: those that are held have no record afterwards, either. */
enum smmu_command smmu_cmd_stall_term(struct smmu *s, const u64 *cmd)
{
	if (!model(s) || cmd[0] & CMD0_SSEC)
		return COMMAND_ILLEGAL;
	terminate(s, false, FIELD_GET(CMD0_SID, cmd[0]));
	return COMMAND_DONE;
}

void smmu_stalls_end(struct smmu *s)
{
	terminate(s, true, 0);
}

/* What is timed is counted by its owner. */
static bool is_counted(const struct dma_token *token)
{
	return token && !token->timed;
}

unsigned int smmu_stalls_waiting(const struct smmu *s)
{
	const struct dma_token *token;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < nr_slots(s); i++)
		nr += is_counted(s->stalls.slots[i].token);
	TAILQ_FOREACH(token, &s->stalls.held, next)
	nr += is_counted(token);
	return nr;
}

static bool has_room(const struct smmu *s)
{
	unsigned int used = 0;

	for (unsigned int i = 0; i < nr_slots(s); i++)
		used += s->stalls.slots[i].used;
	return smmu_events_writable(s) && used < nr_slots(s);
}

/* Each is run by its device, and may stall again: then behind what is held already. */
void smmu_stalls_run(struct smmu *s)
{
	struct dma_token *token;

	if (s->stalls.running)
		return;
	s->stalls.running = true;
	while ((token = take(&s->stalls.let_go)))
		token->resume(token);
	while (has_room(s) && (token = take(&s->stalls.held))) {
		token->unasked = true;
		token->resume(token);
	}
	s->stalls.running = false;
}

u64 smmu_until_refused(const struct dma_token *token, const struct dma_access *a)
{
	const u64 at = a->iova + a->done, left = a->len - a->done;

	if (!token || !token->refused || token->pasid != a->pasid || token->iova - at >= left)
		return left;
	return token->iova - at;
}

bool smmu_refused(const struct dma_token *token, const struct dma_access *a)
{
	return smmu_until_refused(token, a) < a->len - a->done;
}

void smmu_stalls_init(struct smmu *s)
{
	TAILQ_INIT(&s->stalls.held);
	TAILQ_INIT(&s->stalls.let_go);
}
