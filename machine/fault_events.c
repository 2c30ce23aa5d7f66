// SPDX-License-Identifier: GPL-2.0-only
/* Faults that nobody served, as events for who controls the guest: no more than one a second. */
#include <errno.h>
#include <stdio.h>

#include "control/control.h"
#include "machine/fault_control.h"
#include "machine/machine.h"
#include "machine/session.h"

static void tell(struct machine *m)
{
	const u64 *ended = m->faults.ended;
	struct fault_events *e = &m->fault_events;
	json_t *data;

	e->waits = false;
	if (!m->session->control)
		return;
	data = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "device", e->device, "aborted",
	                 (json_int_t)ended[FAULT_ABORTED], "refused",
	                 (json_int_t)ended[FAULT_REFUSED], "timed-out",
	                 (json_int_t)ended[FAULT_TIMED_OUT], "no-room",
	                 (json_int_t)ended[FAULT_NO_ROOM], "lost", (json_int_t)faults_lost(m));
	control_faults(m->session->control, data);
	e->timing = true;
	loop_timeout(m->vm.loop, &e->timer, &e->second);
}

static void second_ends(struct loop_op *op, int res)
{
	struct machine *m = container_of(op, struct machine, fault_events.timer);

	m->fault_events.timing = false;
	if (res != -ECANCELED && m->fault_events.waits)
		tell(m);
}

static void unserved(struct fault_hub *h, const struct fault_bridge *b)
{
	struct machine *m = container_of(h, struct machine, faults);
	struct fault_events *e = &m->fault_events;

	snprintf(e->device, sizeof(e->device), "%s", b->name);
	e->waits = true;
	if (!e->timing && !loop_is_drained(m->vm.loop))
		tell(m);
}

void fault_events_init(struct machine *m)
{
	m->fault_events.timer = (struct loop_op){ .done = second_ends, .endless = true };
	m->fault_events.second = (struct __kernel_timespec){ .tv_sec = 1 };
	m->faults.unserved = unserved;
}
