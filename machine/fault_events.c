// SPDX-License-Identifier: GPL-2.0-only
/* Faults that nobody served, as events for who controls the guest: no more than one a second, and a
 * last one. A bridge tells of its own at once; at all others a look is taken each second. */
#include <errno.h>
#include <stdio.h>

#include "control/control.h"
#include "machine/fault_control.h"
#include "machine/machine.h"
#include "machine/session.h"
#include "vmm/clock.h"

static void wait_a_second(struct machine *m)
{
	struct fault_events *e = &m->fault_events;

	if (e->timing)
		return;
	e->timing = true;
	loop_timeout(m->vm.loop, &e->timer, &e->second);
}

/* By all but bridges. */
static u64 unserved_of(const struct faults_left *l)
{
	return l->lost + l->timed_out + l->automatic;
}

static void tell(struct machine *m)
{
	const u64 *ended = m->faults.ended;
	struct fault_events *e = &m->fault_events;
	const struct faults_left l = faults_left(m);
	json_t *data;

	e->waits = false;
	e->unserved = unserved_of(&l);
	e->told = m->faults.clock();
	data = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "aborted",
	                 (json_int_t)ended[FAULT_ABORTED], "refused",
	                 (json_int_t)ended[FAULT_REFUSED], "timed-out",
	                 (json_int_t)(ended[FAULT_TIMED_OUT] + l.timed_out), "no-room",
	                 (json_int_t)ended[FAULT_NO_ROOM], "automatic", (json_int_t)l.automatic,
	                 "lost", (json_int_t)l.lost);
	if (*e->device)
		json_object_set_new(data, "device", json_string(e->device));
	control_faults(m->session->control, data);
}

static bool may_tell(const struct machine *m)
{
	const u64 told = m->fault_events.told;

	return !told || m->faults.clock() - told >= NSEC_PER_SEC;
}

static bool look(struct machine *m)
{
	const struct faults_left l = faults_left(m);

	return unserved_of(&l) != m->fault_events.unserved;
}

static void second_ends(struct loop_op *op, int res)
{
	struct machine *m = container_of(op, struct machine, fault_events.timer);

	m->fault_events.timing = false;
	if (res == -ECANCELED)
		return;
	m->fault_events.waits |= look(m);
	if (m->fault_events.waits && may_tell(m))
		tell(m);
	wait_a_second(m);
}

static void unserved(struct fault_hub *h, const struct fault_bridge *b)
{
	struct machine *m = container_of(h, struct machine, faults);
	struct fault_events *e = &m->fault_events;

	snprintf(e->device, sizeof(e->device), "%s", b->name);
	e->waits = true;
	if (loop_is_drained(m->vm.loop))
		return;
	if (may_tell(m))
		tell(m);
	wait_a_second(m); /* for what is due, where nothing is looked at */
}

void fault_events_init(struct machine *m)
{
	m->fault_events.timer = (struct loop_op){ .done = second_ends, .endless = true };
	m->fault_events.second = (struct __kernel_timespec){ .tv_sec = 1 };
	if (!m->session || !m->session->control)
		return; /* nobody is told */
	m->faults.unserved = unserved;
	if (m->options->nr_iommus || m->options->nr_dma_tests)
		wait_a_second(m);
}

void fault_events_end(struct machine *m)
{
	if (m->faults.unserved && (m->fault_events.waits || look(m)))
		tell(m);
}
