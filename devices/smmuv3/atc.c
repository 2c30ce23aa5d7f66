// SPDX-License-Identifier: GPL-2.0-only
/* Endpoints' caches of translations are invalidated (Arm IHI 0070, 4.5.1, 3.9.1.4): CMD_ATC_INV,
 * what answers to it, and what does not. */
#include <assert.h>
#include <errno.h>

#include "devices/smmuv3/private.h"
#include "vmm/pause.h"

/* 4.5.1: 2^Size pages, aligned; from 52 on it is all. */
static void span(const u64 *cmd, u64 *first, u64 *last)
{
	const unsigned int size = FIELD_GET(ATC1_SIZE, cmd[1]);
	const u64 low = size < ATC_SIZE_ALL ? (4096ULL << size) - 1 : ~0ULL;

	*first = cmd[1] & ~low;
	*last = cmd[1] | low;
}

/*
 * IGNORED while it is disabled, and where nobody caches translations. Global is, too: endpoints
 * that have no Global Invalidate go by the PASID. An endpoint has 32 tags: more of them wait, and
 * where none of those is answered in time, they fail, too.
 */
enum smmu_command smmu_cmd_atc_inv(struct smmu *s, const u64 *cmd)
{
	struct smmu_endpoint *e = smmu_find_device(s, FIELD_GET(CMD0_SID, cmd[0]));
	const bool ssv = cmd[0] & CMD0_SSV && smmu_idr(s, 1, IDR1_SSIDSIZE);
	u64 first, last;
	u32 tag;

	if (!(s->cr0ack & CR0_SMMUEN) || !e)
		return COMMAND_DONE;
	if (!~e->given_up) {
		s->atc.failed = true;
		return COMMAND_DONE;
	}
	if (!~e->invalidations) {
		smmu_atc_wait(s);
		return COMMAND_WAITS;
	}
	tag = __builtin_ctz(~e->invalidations);
	e->invalidations |= BIT(tag);
	s->atc.left++;
	s->counts.atc_invalidations++;
	span(cmd, &first, &last);
	e->dma.device->invalidate(e->dma.device, ssv ? FIELD_GET(CMD0_SSID, cmd[0]) : DMA_NO_PASID,
	                          first, last, tag);
	return COMMAND_DONE;
}

static void one_fewer(struct smmu *s)
{
	if (!--s->atc.left)
		s->atc.rounds++;
}

/* An answer that comes when nobody waits for it any more frees its tag. */
void smmu_atc_answered(struct smmu_endpoint *e, u32 tag)
{
	assert(e->invalidations & BIT(tag));
	if (!(e->given_up & BIT(tag)))
		one_fewer(e->smmu);
	e->invalidations &= ~(u32)BIT(tag);
	e->given_up &= ~(u32)BIT(tag);
	smmu_commands(e->smmu);
}

void smmu_invalidated(struct dma_space *space, u32 tag)
{
	struct smmu_endpoint *e = container_of(space, struct smmu_endpoint, dma);

	if (!smmu_injected_answer(e, tag))
		smmu_atc_answered(e, tag);
}

void smmu_atc_give_up(struct smmu *s)
{
	if (!s->atc.left)
		return;
	for (struct smmu_endpoint *e = s->endpoints; e; e = e->next) {
		e->invalidations &= ~e->lost;
		e->given_up = e->invalidations;
		e->lost = 0;
	}
	s->atc.left = 0;
	s->atc.rounds++;
	s->atc.failed = true;
	smmu_commands(s);
}

static void start_timer(struct smmu *s)
{
	s->atc.timer_runs = true;
	s->atc.timed_round = s->atc.rounds;
	s->atc.time = s->injected.answer_limit;
	loop_timeout(s->vm->loop, &s->atc.timer, &s->atc.time);
}

/* What is waited for now may have begun later than the timer; a guest that stands still is not to
 * blame. */
static void time_is_over(struct loop_op *op, int res)
{
	struct smmu *s = container_of(op, struct smmu, atc.timer);

	s->atc.timer_runs = false;
	if (res == -ECANCELED || !s->atc.left)
		return;
	if (s->atc.timed_round != s->atc.rounds || vcpus_are_held(s->vm))
		start_timer(s);
	else
		smmu_atc_give_up(s);
}

bool smmu_atc_wait(struct smmu *s)
{
	if (s->atc.left && !s->atc.timer_runs)
		start_timer(s);
	return s->atc.left;
}

bool smmu_atc_failed(struct smmu *s)
{
	const bool failed = s->atc.failed;

	s->atc.failed = false;
	return failed;
}

void smmu_atc_init(struct smmu *s)
{
	s->atc.timer = (struct loop_op){ .done = time_is_over, .endless = true };
}
