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

#endif
