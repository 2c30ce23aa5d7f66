/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_PATIENCE_H
#define FAULT_PATIENCE_H

#include "vmm/loop.h"

struct vm;

/*
 * How long a guest has to answer what waits (fault-timeout=): a clock for its owner, who knows what
 * does and since when. While the vCPUs are held nobody can answer: time begins anew afterwards.
 * Everything is called under the device lock.
 */
struct patience {
	/* Before patience_init(): */
	struct loop *loop;
	struct vm *vm;      /* whose vCPUs may be held; NULL: none ever are */
	u64 ms;             /* 0: for ever */
	u64 (*clock)(void); /* ns; NULL: CLOCK_MONOTONIC */
	/* What is over ends. Since when the oldest of all others waits (ns); false: there are none.
	 */
	bool (*look)(struct patience *p, u64 *oldest);
	/* Its own: */
	u64 anew; /* ns: nothing waits since longer ago */
	unsigned int holds;
	bool timing;
	struct loop_op timer;
	struct __kernel_timespec after;
};

/* It has to outlive the loop. */
void patience_init(struct patience *p);
/* ns, of its clock. */
u64 patience_now(const struct patience *p);
/* What waits since then (ns) waits for too long. */
bool patience_is_over(const struct patience *p, u64 since);
/* Something waits, since then. */
void patience_watch(struct patience *p, u64 since);

#endif
