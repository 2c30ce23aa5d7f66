// SPDX-License-Identifier: GPL-2.0-only
/* The event loop: an io_uring, and for each completion the function it calls. */
#include "vmm/loop.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <linux/sched/types.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/poll.h"

#define LOOP_ENTRIES   512
#define SHORTEST_SLICE 100000 /* ns */

/* Operations are kept in one of two rings, so that they can be queued without bound. */
struct loop {
	struct io_uring ring;
	pthread_mutex_t *lock;
	struct loop_op waiting; /* not yet given to the kernel */
	struct loop_op flying;
	struct pollers pollers;
	struct loop_op wake_op;
	u64 wake_count, completed;
	int wake_fd;
	bool nudged, stopped, draining;
	bool stopping; /* by any thread, without the lock */
};

static void list_init(struct loop_op *head)
{
	head->prev = head->next = head;
}

static bool list_empty(const struct loop_op *head)
{
	return head->next == head;
}

static void list_append(struct loop_op *head, struct loop_op *op)
{
	op->prev = head->prev;
	op->next = head;
	head->prev->next = op;
	head->prev = op;
}

static void list_remove(struct loop_op *op)
{
	op->prev->next = op->next;
	op->next->prev = op->prev;
	op->prev = op->next = NULL;
}

/* Into the ring; the kernel has not seen it yet, unless the ring was full. */
static void stage(struct loop *l)
{
	while (!list_empty(&l->waiting)) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&l->ring);
		struct loop_op *op = l->waiting.next;

		if (!sqe) {
			/* Refused while completions overflow: the loop comes back after it
			 * reaped. */
			if (io_uring_submit(&l->ring) <= 0)
				return;
			continue;
		}
		list_remove(op);
		list_append(&l->flying, op);
		*sqe = op->sqe;
	}
}

void loop_flush(struct loop *l)
{
	stage(l);
	if (io_uring_sq_ready(&l->ring))
		io_uring_submit(&l->ring);
}

static void queue(struct loop *l, struct loop_op *op)
{
	assert(!op->next);
	if (l->draining)
		return;
	io_uring_sqe_set_data(&op->sqe, op);
	list_append(&l->waiting, op);
}

void loop_readv(struct loop *l, struct loop_op *op, int fd, const struct iovec *iov,
                unsigned int nr, u64 offset)
{
	io_uring_prep_readv(&op->sqe, fd, iov, nr, offset);
	queue(l, op);
}

void loop_writev(struct loop *l, struct loop_op *op, int fd, const struct iovec *iov,
                 unsigned int nr, u64 offset)
{
	io_uring_prep_writev(&op->sqe, fd, iov, nr, offset);
	queue(l, op);
}

void loop_writev_stable(struct loop *l, struct loop_op *op, int fd, const struct iovec *iov,
                        unsigned int nr, u64 offset)
{
	io_uring_prep_writev2(&op->sqe, fd, iov, nr, offset, RWF_DSYNC);
	queue(l, op);
}

void loop_read(struct loop *l, struct loop_op *op, int fd, void *buf, u32 len)
{
	io_uring_prep_read(&op->sqe, fd, buf, len, -1);
	queue(l, op);
}

void loop_write(struct loop *l, struct loop_op *op, int fd, const void *buf, u32 len)
{
	io_uring_prep_write(&op->sqe, fd, buf, len, -1);
	queue(l, op);
}

void loop_fdatasync(struct loop *l, struct loop_op *op, int fd)
{
	io_uring_prep_fsync(&op->sqe, fd, IORING_FSYNC_DATASYNC);
	queue(l, op);
}

void loop_fallocate(struct loop *l, struct loop_op *op, int fd, int mode, u64 offset, u64 len)
{
	io_uring_prep_fallocate(&op->sqe, fd, mode, offset, len);
	queue(l, op);
}

void loop_poll(struct loop *l, struct loop_op *op, int fd, u32 events)
{
	io_uring_prep_poll_add(&op->sqe, fd, events);
	queue(l, op);
}

void loop_accept(struct loop *l, struct loop_op *op, int fd)
{
	io_uring_prep_accept(&op->sqe, fd, NULL, NULL, SOCK_CLOEXEC);
	queue(l, op);
}

void loop_send(struct loop *l, struct loop_op *op, int fd, const void *buf, u32 len)
{
	io_uring_prep_send(&op->sqe, fd, buf, len, MSG_NOSIGNAL);
	queue(l, op);
}

void loop_timeout(struct loop *l, struct loop_op *op, struct __kernel_timespec *ts)
{
	io_uring_prep_timeout(&op->sqe, ts, 0, 0);
	queue(l, op);
}

static void wake(struct loop *l)
{
	u64 one = 1;

	if (write(l->wake_fd, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN); /* already full: it is seen anyway */
}

void loop_nudge(struct loop *l)
{
	if (l->nudged || list_empty(&l->waiting))
		return;
	l->nudged = true;
	wake(l);
}

/* The next completion, or NULL where none has arrived; cancellations complete unnamed. */
static struct loop_op *reap(struct loop *l, int *res)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&l->ring, &cqe)) {
		struct loop_op *op = io_uring_cqe_get_data(cqe);

		*res = cqe->res;
		io_uring_cqe_seen(&l->ring, cqe);
		if (!op)
			continue;
		list_remove(op);
		l->completed++;
		return op;
	}
	return NULL;
}

/* Submits what is staged, by the same call. */
static int wait(struct loop *l)
{
	int err;

	if (io_uring_cq_ready(&l->ring) && !io_uring_sq_ready(&l->ring))
		return 0;
	err = io_uring_submit_and_wait(&l->ring, 1);
	return err == -EINTR || err == -EAGAIN || err == -EBUSY || err > 0 ? 0 : err;
}

bool loop_look(struct loop *l, struct poller *p)
{
	return poll_begin(&l->pollers, p);
}

void loop_look_away(struct loop *l, struct poller *p)
{
	poll_end(&l->pollers, p);
}

static bool has_completion(void *loop)
{
	return io_uring_cq_ready(&((struct loop *)loop)->ring);
}

static void flush(void *loop)
{
	loop_flush(loop);
}

/* What is looked at may take a while, which what is staged does not wait for. */
static void spin(struct loop *l)
{
	if (!l->pollers.first)
		return;
	if (io_uring_sq_ready(&l->ring))
		io_uring_submit(&l->ring);
	poll_spin(&l->pollers, l->lock, has_completion, flush, l);
}

/*
 * Whoever wakes the loop waits for it, often with a CPU that spins: on that very CPU it would run
 * only when the scheduler's tick says so. With the shortest slice there is (Linux 6.12 and later;
 * kernel/sched/fair.c, PREEMPT_SHORT) it runs at once, and has no more time than others.
 */
static void ask_for_short_slice(void)
{
	struct sched_attr attr = { .size = sizeof(attr) };

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) ||
	    attr.sched_policy != SCHED_OTHER)
		return;
	attr.sched_runtime = SHORTEST_SLICE;
	syscall(SYS_sched_setattr, 0, &attr, 0); /* without it all works, later */
}

int loop_run(struct loop *l)
{
	int err = 0, res;
	struct loop_op *op;

	ask_for_short_slice();
	pthread_mutex_lock(l->lock);
	while (!l->stopped && !err) {
		stage(l);
		pthread_mutex_unlock(l->lock);
		spin(l);
		err = wait(l);
		pthread_mutex_lock(l->lock);
		while (!l->stopped && (op = reap(l, &res)))
			op->done(op, res);
	}
	loop_flush(l);
	pthread_mutex_unlock(l->lock);
	return err;
}

u64 loop_completed(const struct loop *l)
{
	return l->completed;
}

static void watch(struct loop *l)
{
	loop_read(l, &l->wake_op, l->wake_fd, &l->wake_count, sizeof(l->wake_count));
}

static void woken(struct loop_op *op, int res)
{
	struct loop *l = container_of(op, struct loop, wake_op);

	l->nudged = false;
	l->stopped = __atomic_load_n(&l->stopping, __ATOMIC_ACQUIRE);
	if (res >= 0)
		watch(l);
}

void loop_stop(struct loop *l)
{
	__atomic_store_n(&l->stopping, true, __ATOMIC_RELEASE);
	wake(l);
}

static void cancel_endless(struct loop *l)
{
	for (struct loop_op *op = l->flying.next; op != &l->flying; op = op->next) {
		struct io_uring_sqe *sqe;

		if (!op->endless)
			continue;
		while (!(sqe = io_uring_get_sqe(&l->ring)))
			io_uring_submit(&l->ring);
		io_uring_prep_cancel(sqe, op, 0);
		io_uring_sqe_set_data(sqe, NULL);
	}
	io_uring_submit(&l->ring);
}

void loop_drain(struct loop *l)
{
	struct loop_op *op;
	int res;

	pthread_mutex_lock(l->lock);
	l->draining = true;
	while (!list_empty(&l->waiting))
		list_remove(l->waiting.next);
	cancel_endless(l);
	while (!list_empty(&l->flying)) {
		if (wait(l))
			break;
		while ((op = reap(l, &res)))
			op->done(op, res);
	}
	pthread_mutex_unlock(l->lock);
}

bool loop_is_drained(const struct loop *l)
{
	return l->draining;
}

int loop_create(struct loop **loop, pthread_mutex_t *lock)
{
	struct loop *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->lock = lock;
	list_init(&l->waiting);
	list_init(&l->flying);
	l->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (l->wake_fd < 0) {
		err = -errno;
		goto free_loop;
	}
	/* One operation that the kernel refuses does not hold up those behind it. */
	err = io_uring_queue_init(LOOP_ENTRIES, &l->ring, IORING_SETUP_SUBMIT_ALL);
	if (err)
		goto close_wake;
	l->wake_op = (struct loop_op){ .done = woken, .endless = true };
	watch(l);
	*loop = l;
	return 0;

close_wake:
	close(l->wake_fd);
free_loop:
	free(l);
	return err;
}

void loop_destroy(struct loop *l)
{
	io_uring_queue_exit(&l->ring);
	close(l->wake_fd);
	free(l);
}
