/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_POLL_H
#define VMM_POLL_H

#include <pthread.h>

#include "vmm/types.h"

/*
 * What the event loop looks at itself for a short while before it sleeps, since a
 * guest waits with its CPU spinning: a queue of requests, say. The while adapts,
 * as KVM's halt polling does: longer where the next work came soon after the
 * last sleep began, short where it did not.
 */
struct poller {
	/* Whether there is work. The loop's thread calls it without the device lock. */
	bool (*ready)(struct poller *p);
	/* Does it; under the lock. */
	void (*run)(struct poller *p);
	/* From now on work has to wake the loop. False: there is some. Under the lock. */
	bool (*sleep)(struct poller *p);
	u64 (*clock)(void);  /* ns; NULL: CLOCK_MONOTONIC */
	struct poller *next; /* of those that are looked at */
	bool active;
	bool preempted; /* since it is to sleep, which may take a while */
	/* ns, 0: as any; where it is much to begin and to end: how long it is looked at least, and
	 * for how long not at all when that did not go well. */
	u64 least, least_penalty;
	u64 window, since, slept; /* ns */
	u64 looked, penalty, banned, begun, lost;
};

struct pollers {
	struct poller *first;
};

/*
 * There was work for @p: it is looked at from now on. False: looking did not go well lately, and
 * it has to wake the loop. The loop's thread, under the lock.
 */
bool poll_begin(struct pollers *all, struct poller *p);
/* What it took to begin was no idle time: the while begins now. */
void poll_begun(struct poller *p);
/* It goes away. By any thread while the loop does not run, else the loop's. */
void poll_end(struct pollers *all, struct poller *p);

/*
 * Looks, until all of them sleep or @interrupted(@ctx). Called without @lock,
 * which it takes to run and to put to sleep; @after(@ctx) is called under it.
 */
void poll_spin(struct pollers *all, pthread_mutex_t *lock, bool (*interrupted)(void *ctx),
               void (*after)(void *ctx), void *ctx);

#endif
