/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_FAULT_H
#define MACHINE_FAULT_H

#include "machine/options.h"

struct machine;
struct smmu_endpoint;
struct vsmmu_stream;

/* --vfio-pci stall=, fault=, fault-timeout=: who serves the page faults of a function of the
 * host's. */

#define FAULT_KEYS(type)                                                                   \
	{ "stall", KEY_TEXT, offsetof(type, fault.stall_said), 0, 0 },                     \
		{ "fault", KEY_TEXT, offsetof(type, fault.route_said), 0, 0 },             \
	{                                                                                  \
		"fault-timeout", KEY_NUMBER, offsetof(type, fault.timeout), 0, 3600 * 1000 \
	}

/* Of the words. NULL, or what was expected. */
const char *fault_option_take(struct fault_option *f);
/* When all options are there. False: a line was printed. */
bool fault_check(const struct options *o);
/* The function that is to be at @place stalls, as far as is known without the host's SMMU. */
bool fault_may_stall(const struct fault_option *f);

/*
 * The @i-th function of the host's, whose DMA is @st's behind @e: its faults are the guest's from
 * now on, if it can stall. 0, or an exit code: a line was printed.
 */
int fault_serve(struct machine *m, unsigned int i, struct smmu_endpoint *e,
                struct vsmmu_stream *st);

#endif
