/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_SMMU_TIME_H
#define TESTS_UNIT_SMMU_TIME_H

#include "devices/smmuv3/private.h"

/* fault-timeout= by a clock of the test's own: no loop looks, but who says that time passes. */
static u64 told_ns;

static inline u64 told_clock(void)
{
	return told_ns;
}

static inline void tell_time(struct smmu_endpoint *e)
{
	smmu_set_patience(e, 1);
	e->patience.clock = told_clock;
	e->patience.timing = true;
}

/* Whatever of @e waits has waited for too long. False: nothing waits any more. */
static inline bool time_passes(struct smmu_endpoint *e)
{
	u64 oldest;

	told_ns += 2000000;
	return e->patience.look(&e->patience, &oldest);
}

#endif
