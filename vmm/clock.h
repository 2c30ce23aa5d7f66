/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLOCK_H
#define VMM_CLOCK_H

#include <time.h>

#include "vmm/types.h"

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL

/* CLOCK_MONOTONIC, in ns. Under no lock. */
static inline u64 clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

#endif
