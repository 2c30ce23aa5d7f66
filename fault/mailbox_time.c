// SPDX-License-Identifier: GPL-2.0-only
/* The mailbox's groups that nobody answers in time (fault-timeout=): they have an answer all the
 * same, and their names are kept until the guest's own. */
#include <errno.h>

#include "fault/mailbox_private.h"
#include "vmm/clock.h"
#include "vmm/pause.h"

u64 mailbox_now(const struct mailbox *m)
{
	return m->f.clock ? m->f.clock() : clock_now();
}

/* Who waits longest; NULL: nobody. */
static struct mailbox_group *oldest(struct mailbox *m)
{
	struct mailbox_group *first = NULL;

	for (unsigned int i = 0; i < MAILBOX_GROUPS; i++) {
		struct mailbox_group *g = &m->groups[i];

		if (g->used && g->waits && (!first || g->at < first->at))
			first = g;
	}
	return first;
}

/* Groups wait for equally long: one look at a time is enough, for the oldest. */
void mailbox_watch(struct mailbox *m)
{
	const struct mailbox_group *g = oldest(m);
	u64 now, end;

	if (!m->f.timeout || m->timing || !g)
		return;
	now = mailbox_now(m);
	end = g->since + m->f.timeout * NSEC_PER_MSEC;
	end = end > now ? end - now : 0;
	m->after = (struct __kernel_timespec){ .tv_sec = (end / NSEC_PER_SEC),
		                               .tv_nsec = (end % NSEC_PER_SEC) };
	m->timing = true;
	loop_timeout(m->f.loop, &m->timer, &m->after);
}

static void time_out(struct mailbox *m, struct mailbox_group *g)
{
	trace(m->f.log, TRACE_FAULT, "%s: mailbox: %s: nobody answers", m->f.name,
	      fault_name(g->pasid, g->index).text);
	g->waits = false;
	fault_time_out(&m->port, g->pasid, g->index);
}

/* Since this was asked last, or now. */
static bool was_held(struct mailbox *m)
{
	const unsigned int before = m->holds;

	if (!m->f.vm)
		return false;
	m->holds = vcpus_nr_holds(m->f.vm);
	return m->holds != before || vcpus_are_held(m->f.vm);
}

/* A guest that is paused cannot answer: its time begins anew. */
static void wait_anew(struct mailbox *m)
{
	for (unsigned int i = 0; i < MAILBOX_GROUPS; i++)
		m->groups[i].since = mailbox_now(m);
}

static void timer_done(struct loop_op *op, int res)
{
	struct mailbox *m = container_of(op, struct mailbox, timer);
	struct mailbox_group *g;

	m->timing = false;
	if (res == -ECANCELED)
		return; /* the end of all */
	if (was_held(m))
		wait_anew(m);
	while ((g = oldest(m)) && mailbox_now(m) - g->since >= m->f.timeout * NSEC_PER_MSEC)
		time_out(m, g);
	mailbox_watch(m);
}

void mailbox_time_init(struct mailbox *m)
{
	m->timer = (struct loop_op){ .done = timer_done, .endless = true };
}
