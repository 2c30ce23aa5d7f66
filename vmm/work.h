/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_WORK_H
#define VMM_WORK_H

#include "vmm/types.h"

struct loop;
struct work_queue;

/*
 * The host-work thread: calls that can take long run there, in order, without
 * the device lock. Embedded in what it serves, which must outlive it.
 */
struct work {
	void (*run)(struct work *w);  /* on the thread, without the lock */
	void (*done)(struct work *w); /* then by the loop, under the lock */
	struct work *next;
};

/* 0 or -errno. The queue outlives no loop. */
int work_create(struct work_queue **q, struct loop *loop);
/* Under the device lock. @w is not submitted again before it is done. */
void work_submit(struct work_queue *q, struct work *w);
/*
 * Under the device lock, which is held on to: waits until @w has run, and calls
 * its done. For what cannot go on without it; the rest is done by the loop later.
 */
void work_wait(struct work_queue *q, struct work *w);
/*
 * After the loop has been drained, under no lock: waits for all that was
 * submitted and calls done for it, so that what it serves can go.
 */
void work_drain(struct work_queue *q);
/*
 * After the loop has stopped, without the lock: what was submitted is run, the
 * thread ends, and done is called for all that is not done yet, with no other
 * thread there to need the lock for.
 */
void work_destroy(struct work_queue *q);

#endif
