// SPDX-License-Identifier: GPL-2.0-only
/* Writes of CMDQ_PROD that come often: the event loop looks for them for a while, and they do not
 * leave the guest, whose CPU waits spinning for what it has queued. */

#include "devices/smmuv3/private.h"
#include "vmm/clock.h"
#include "vmm/coalesce.h"

#define CMDQ_PROD 0x98
#define OFTEN     500000ULL     /* ns from one to the next */
#define LEAST     2000000ULL    /* ns that it is looked, once it is */
#define PENALTY   1000000000ULL /* ns that it is not, where CPUs are short */

static gpa_t prod(const struct smmu *s)
{
	return s->config.base + CMDQ_PROD;
}

static bool ready(struct poller *p)
{
	return coalesce_pending(container_of(p, struct smmu, poller)->vm);
}

static void run(struct poller *p)
{
	coalesce_drain(container_of(p, struct smmu, poller)->vm);
}

/*
 * KVM takes milliseconds to forget a register (an SRCU grace period): the host-work thread waits
 * for that, and until it is so what comes is looked for.
 */
static void forget(struct work *w)
{
	struct smmu *s = container_of(w, struct smmu, forget);

	coalesce_end(s->vm, prod(s), sizeof(u32));
}

static void forgotten(struct work *w)
{
	struct smmu *s = container_of(w, struct smmu, forget);

	s->forgets = false;
	s->forgotten = true;
	s->vm->coalesced_leaving--;
}

static bool fall_asleep(struct poller *p)
{
	struct smmu *s = container_of(p, struct smmu, poller);

	if (s->forgotten) {
		s->forgotten = false;
		coalesce_drain(s->vm);
		return true;
	}
	if (!s->forgets) {
		s->forgets = true;
		s->vm->coalesced_leaving++;
		work_submit(s->vm->work, &s->forget);
	}
	poll_begun(p);
	return false;
}

/* KVM_REGISTER_COALESCED_MMIO would wait, with the device lock, until what leaves is forgotten. */
static void look(struct loop_op *op, int res)
{
	struct smmu *s = container_of(op, struct smmu, look);

	s->look_queued = false;
	if (res == -ECANCELED || s->poller.active || s->vm->coalesced_leaving ||
	    !loop_look(s->vm->loop, &s->poller))
		return;
	if (coalesce_begin(s->vm, prod(s), sizeof(u32)))
		loop_look_away(s->vm->loop, &s->poller);
	poll_begun(&s->poller);
}

void smmu_poll_init(struct smmu *s)
{
	s->poller = (struct poller){ .ready = ready,
		                     .run = run,
		                     .sleep = fall_asleep,
		                     .least = LEAST,
		                     .least_penalty = PENALTY };
	s->forget = (struct work){ .run = forget, .done = forgotten };
	s->look = (struct loop_op){ .done = look, .endless = true };
}

void smmu_poll_end(struct smmu *s)
{
	if (s->poller.active)
		coalesce_end(s->vm, prod(s), sizeof(u32));
	loop_look_away(s->vm->loop, &s->poller);
}

/* CMDQ_PROD was written. While looking does not go well the loop is not woken for it either. */
void smmu_poll_written(struct smmu *s)
{
	const u64 now = clock_now();

	if (s->poller.active || s->look_queued)
		return;
	if (now - s->last_written < OFTEN && now >= s->poller.banned) {
		s->look_queued = true;
		loop_timeout(s->vm->loop, &s->look, &s->no_time);
	}
	s->last_written = now;
}
