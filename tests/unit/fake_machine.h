/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_MACHINE_H
#define TESTS_UNIT_FAKE_MACHINE_H

#include <jansson.h>
#include <string.h>

#include "control/control.h"

/*
 * A machine behind a control socket, without devices and with an SMMU `s`:
 * what it answers, for a struct control_ops.
 */
static inline json_t *fake_machine_devices(void *machine)
{
	(void)machine;
	return json_array();
}

/* One step; of any other IOMMU, its name: there is none. */
static inline const char *fake_machine_walk(void *machine, const struct control_walk *w,
                                            json_t *steps)
{
	(void)machine;
	if (strcmp(w->iommu, "s"))
		return "s";
	json_array_append_new(steps, json_string("a step"));
	return NULL;
}

/* It knows one error. */
static inline const char *fake_machine_inject(void *machine, const char *iommu, const char *error)
{
	(void)machine, (void)iommu;
	return strcmp(error, "sfm") ? "sfm" : NULL;
}

/* Who waits for a fault that has not ended; NULL: nobody. */
static inline struct control_answer **fake_machine_waiting(void)
{
	static struct control_answer *a;

	return &a;
}

static inline void fake_machine_ends_fault(struct control_answer *a)
{
	a->done(a, json_pack("{s:i, s:i, s:{s:i}, s:{s:i, s:i, s:i}}", "schema", 1, "count", 1,
	                     "ended", "retried", 1, "ns", "p50", 5, "p99", 5, "longest", 5));
}

/* Of one function; at address 1 it does not end. */
static inline const char *fake_machine_fault(void *machine, const struct control_fault *f,
                                             struct control_answer *a)
{
	(void)machine;
	if (strcmp(f->device, "0:1.0"))
		return "0:1.0";
	if (f->addr == 1)
		*fake_machine_waiting() = a;
	else
		fake_machine_ends_fault(a);
	return NULL;
}

#endif
