// SPDX-License-Identifier: GPL-2.0-only
/* The time that a guest has for its answers: a timer for the oldest of what waits. */
#include "fault/patience.h"

#include <errno.h>

#include "vmm/clock.h"
#include "vmm/pause.h"

u64 patience_now(const struct patience *p)
{
	return p->clock ? p->clock() : clock_now();
}

static u64 end_of(const struct patience *p, u64 since)
{
	return (since > p->anew ? since : p->anew) + p->ms * NSEC_PER_MSEC;
}

bool patience_is_over(const struct patience *p, u64 since)
{
	return p->ms && patience_now(p) >= end_of(p, since);
}

/* All wait for equally long: one look at a time is enough, for the oldest. */
void patience_watch(struct patience *p, u64 since)
{
	u64 now, end;

	if (!p->ms || p->timing)
		return;
	now = patience_now(p);
	end = end_of(p, since);
	end = end > now ? end - now : 0;
	p->after = (struct __kernel_timespec){ .tv_sec = (end / NSEC_PER_SEC),
		                               .tv_nsec = (end % NSEC_PER_SEC) };
	p->timing = true;
	loop_timeout(p->loop, &p->timer, &p->after);
}

/* Since this was asked last, or now. */
static bool was_held(struct patience *p)
{
	const unsigned int before = p->holds;

	if (!p->vm)
		return false;
	p->holds = vcpus_nr_holds(p->vm);
	return p->holds != before || vcpus_are_held(p->vm);
}

static void timer_done(struct loop_op *op, int res)
{
	struct patience *p = container_of(op, struct patience, timer);
	u64 oldest;
	bool waits;

	if (res == -ECANCELED) {
		p->timing = false;
		return; /* the end of all */
	}
	if (was_held(p))
		p->anew = patience_now(p);
	waits = p->look(p, &oldest); /* what is new meanwhile is not the oldest */
	p->timing = false;
	if (waits)
		patience_watch(p, oldest);
}

void patience_init(struct patience *p)
{
	p->timer = (struct loop_op){ .done = timer_done, .endless = true };
}
