// SPDX-License-Identifier: GPL-2.0-only
/* The mailbox's groups that nobody answers in time (fault-timeout=): they have an answer all the
 * same, and their names are kept until the guest's own. */
#include "fault/mailbox_private.h"

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

static void time_out(struct mailbox *m, struct mailbox_group *g)
{
	trace(m->f.log, TRACE_FAULT, "%s: mailbox: %s: nobody answers", m->f.name,
	      fault_name(g->pasid, g->index).text);
	g->waits = false;
	fault_time_out(&m->port, g->pasid, g->index);
}

static bool look(struct patience *p, u64 *since)
{
	struct mailbox *m = container_of(p, struct mailbox, patience);
	struct mailbox_group *g;

	while ((g = oldest(m)) && patience_is_over(p, g->since))
		time_out(m, g);
	if (g)
		*since = g->since;
	return g;
}

void mailbox_time_init(struct mailbox *m)
{
	m->patience = (struct patience){
		.loop = m->f.loop,
		.vm = m->f.vm,
		.ms = m->f.timeout,
		.clock = m->f.clock,
		.look = look,
	};
	patience_init(&m->patience);
}
