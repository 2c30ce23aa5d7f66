/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_LOOP_H
#define VMM_LOOP_H

#include <linux/io_uring.h>
#include <pthread.h>
#include <sys/uio.h>

#include "vmm/types.h"

struct loop;
struct poller;

/*
 * One operation in flight: embedded in what it serves, which must outlive it.
 * done is called by the loop, under the device lock, once an operation, with
 * what the system call would have returned (-errno on failure); it may queue
 * the same operation again. At the end an endless one (a wait for input, a
 * kick, time) is cancelled, done with -ECANCELED; any other is waited for.
 */
struct loop_op {
	void (*done)(struct loop_op *op, int res);
	bool endless;
	struct loop_op *prev, *next;
	struct io_uring_sqe sqe;
};

/* The event loop over io_uring. All but loop_run and loop_stop need the device lock held. */
int loop_create(struct loop **loop, pthread_mutex_t *lock);
void loop_destroy(struct loop *loop);

void loop_readv(struct loop *l, struct loop_op *op, int fd, const struct iovec *iov,
                unsigned int nr, u64 offset);
void loop_writev(struct loop *l, struct loop_op *op, int fd, const struct iovec *iov,
                 unsigned int nr, u64 offset);
/* The same, and done only when the data is on stable storage (O_DSYNC, for this write). */
void loop_writev_stable(struct loop *l, struct loop_op *op, int fd, const struct iovec *iov,
                        unsigned int nr, u64 offset);
void loop_read(struct loop *l, struct loop_op *op, int fd, void *buf, u32 len);
void loop_write(struct loop *l, struct loop_op *op, int fd, const void *buf, u32 len);
void loop_fdatasync(struct loop *l, struct loop_op *op, int fd);
/* @mode: linux/falloc.h. */
void loop_fallocate(struct loop *l, struct loop_op *op, int fd, int mode, u64 offset, u64 len);
/* Waits until @fd has one of @events (poll.h). */
void loop_poll(struct loop *l, struct loop_op *op, int fd, u32 events);
/* A connection on a listening socket: its descriptor, close-on-exec. */
void loop_accept(struct loop *l, struct loop_op *op, int fd);
/* A write to a socket whose other end may have gone: -EPIPE, and no signal. */
void loop_send(struct loop *l, struct loop_op *op, int fd, const void *buf, u32 len);
/* @ts: relative, must live until done is called, with -ETIME. */
void loop_timeout(struct loop *l, struct loop_op *op, struct __kernel_timespec *ts);

/* Looks at @p for a while, instead of being woken (poll.h: poll_begin); no longer. By the loop's
 * own thread. */
bool loop_look(struct loop *l, struct poller *p);
void loop_look_away(struct loop *l, struct poller *p);

/*
 * Hands what was queued to the kernel, once a batch: by the loop's own thread only, since the
 * kernel cancels what a thread has submitted when that thread ends.
 */
void loop_flush(struct loop *l);
/* From any other thread, before it drops the lock: the loop does so, if anything was queued. */
void loop_nudge(struct loop *l);

/* Completes operations until loop_stop(). Takes the device lock for each batch. 0 or -errno. */
int loop_run(struct loop *l);
/* How many operations have completed since it was made. */
u64 loop_completed(const struct loop *l);
/* From any thread, with or without the lock. */
void loop_stop(struct loop *l);
/* After loop_run: ends what is in flight; what is queued from now on is dropped. Takes the lock. */
void loop_drain(struct loop *l);
/* That has begun: the guest is no longer there to see anything. */
bool loop_is_drained(const struct loop *l);

#endif
