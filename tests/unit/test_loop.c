// SPDX-License-Identifier: GPL-2.0-only
/* The event loop on a real io_uring. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/leak.h"
#include "vmm/loop.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop *loop;

/* An operation that remembers how it ended, and ends the loop after the last
 * one that is awaited. */
struct op {
	struct loop_op op;
	int res, order;
};

static int done, awaited;

static void ended(struct loop_op *op, int res)
{
	struct op *o = container_of(op, struct op, op);

	cr_assert(eq(int, pthread_mutex_trylock(&lock), EBUSY), "done runs under the lock");
	o->res = res;
	o->order = ++done;
	if (done == awaited)
		loop_stop(loop);
}

#define OP(...)                                                      \
	{                                                            \
		.op = { .done = ended, __VA_ARGS__ }, .res = 1234567 \
	}

static void make(void)
{
	cr_assert(zero(int, loop_create(&loop, &lock)));
}

static void unmake(void)
{
	loop_drain(loop);
	loop_destroy(loop);
	expect_no_leak();
}

static void run(int nr)
{
	awaited = nr;
	cr_assert(zero(int, loop_run(loop)));
}

TestSuite(loop, .init = make, .fini = unmake, .timeout = 20);

Test(loop, what_is_written_can_be_read_back)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	char in[8] = { 0 };
	struct iovec out_iov[] = { { "abcd", 4 }, { "efg", 3 } }, in_iov = { in, 8 };
	struct op write = OP(), sync = OP(), read = OP();

	loop_writev(loop, &write.op, fd, out_iov, 2, 100);
	run(1);
	cr_assert(eq(int, write.res, 7));
	loop_destroy(loop);
	make();
	loop_fdatasync(loop, &sync.op, fd);
	loop_readv(loop, &read.op, fd, &in_iov, 1, 100);
	done = 0;
	run(2);
	cr_assert(zero(int, sync.res));
	cr_assert(eq(int, read.res, 7));
	cr_assert(eq(str, in, "abcdefg"));
	close(fd);
}

Test(loop, a_failure_is_the_system_calls_own)
{
	struct op read = OP(), write = OP();
	char byte;

	loop_read(loop, &read.op, -1, &byte, 1);
	loop_write(loop, &write.op, STDIN_FILENO + 1000, "x", 1);
	run(2);
	cr_assert(eq(int, read.res, -EBADF));
	cr_assert(eq(int, write.res, -EBADF));
}

Test(loop, a_bad_operation_does_not_hold_up_the_next)
{
	struct iovec iov[1] = { 0 };
	struct op bad = OP(), good = OP();
	char byte;

	loop_readv(loop, &bad.op, STDIN_FILENO, iov, 5000, 0); /* more than UIO_MAXIOV */
	loop_read(loop, &good.op, -1, &byte, 1);
	run(2);
	cr_assert(eq(int, bad.res, -EINVAL));
	cr_assert(eq(int, good.res, -EBADF));
}

Test(loop, operations_complete_as_the_world_lets_them)
{
	int first[2], second[2];
	struct op slow = OP(), fast = OP();
	char a, b;

	cr_assert(zero(int, pipe(first) | pipe(second)));
	loop_read(loop, &slow.op, first[0], &a, 1);
	loop_read(loop, &fast.op, second[0], &b, 1);
	loop_flush(loop);
	cr_assert(eq(int, write(second[1], "2", 1), 1));
	awaited = 1;
	cr_assert(zero(int, loop_run(loop)));
	cr_assert(eq(int, fast.order, 1));
	cr_assert(zero(int, slow.order));
	cr_assert(eq(int, b, '2'));
	cr_assert(eq(int, write(first[1], "1", 1), 1));
	loop_drain(loop); /* not endless: waited for */
	cr_assert(eq(int, slow.res, 1));
	cr_assert(eq(int, a, '1'));
}

Test(loop, a_poll_ends_when_there_is_something_to_read)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	struct op poll = OP();

	loop_poll(loop, &poll.op, fd, POLLIN);
	loop_flush(loop);
	cr_assert(zero(int, eventfd_write(fd, 1)));
	run(1);
	cr_assert(eq(int, poll.res, POLLIN));
	close(fd);
}

Test(loop, a_timeout_ends_with_etime)
{
	struct __kernel_timespec ts = { .tv_nsec = 1000000 };
	struct op timeout = OP();

	loop_timeout(loop, &timeout.op, &ts);
	run(1);
	cr_assert(eq(int, timeout.res, -ETIME));
}

/* Queues itself again until @order says enough. */
static void again(struct loop_op *op, int res)
{
	struct op *o = container_of(op, struct op, op);

	o->res = res;
	if (++o->order == 100)
		loop_stop(loop);
	else
		loop_fdatasync(loop, op, -1);
}

Test(loop, an_operation_can_queue_itself_again)
{
	struct op o = { .op.done = again };

	loop_fdatasync(loop, &o.op, -1);
	cr_assert(zero(int, loop_run(loop)));
	cr_assert(eq(int, o.order, 100));
	cr_assert(eq(int, o.res, -EBADF));
}

#define MANY 3000

Test(loop, more_operations_than_the_ring_has_entries_all_end)
{
	static struct op ops[MANY];
	static char bytes[MANY];
	int fd = memfd_create("file", MFD_CLOEXEC);

	for (int i = 0; i < MANY; i++) {
		ops[i] = (struct op)OP();
		loop_write(loop, &ops[i].op, fd, &bytes[i], 1);
	}
	run(MANY);
	for (int i = 0; i < MANY; i++)
		cr_assert(eq(int, ops[i].res, 1));
	cr_assert(eq(int, lseek(fd, 0, SEEK_END), MANY));
	close(fd);
}

Test(loop, more_waits_than_the_ring_has_entries_are_cancelled_at_the_end)
{
	static struct op ops[MANY];
	int fd = eventfd(0, EFD_CLOEXEC);

	for (int i = 0; i < MANY; i++) {
		ops[i] = (struct op)OP(.endless = true);
		loop_poll(loop, &ops[i].op, fd, POLLIN);
	}
	loop_flush(loop);
	loop_stop(loop);
	cr_assert(zero(int, loop_run(loop)));
	cr_assert(zero(int, done));
	loop_drain(loop);
	cr_assert(eq(int, done, MANY));
	for (int i = 0; i < MANY; i++)
		cr_assert(eq(int, ops[i].res, -ECANCELED));
	close(fd);
}

/* As a vCPU does it: queued by a thread that ends before the operation does. */
static void *queue_and_go(void *op)
{
	struct __kernel_timespec soon = { .tv_nsec = 50 * 1000 * 1000 };

	pthread_mutex_lock(&lock);
	loop_timeout(loop, op, &soon);
	loop_nudge(loop);
	/* Kept until the loop has taken it: the kernel copies it on submission. */
	while (loop_completed(loop) == 0) {
		pthread_mutex_unlock(&lock);
		usleep(100);
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

Test(loop, what_a_thread_queued_outlives_it)
{
	struct op wait = OP();
	pthread_t thread;

	cr_assert(zero(int, pthread_create(&thread, NULL, queue_and_go, &wait.op)));
	run(1);
	pthread_join(thread, NULL);
	cr_assert(eq(int, wait.res, -ETIME));
}

static void queue_then_end(struct loop_op *op, int res)
{
	ended(op, res);
	loop_fdatasync(loop, op, -1);
}

Test(loop, what_is_queued_while_draining_is_dropped)
{
	struct op wait = OP(.endless = true);
	struct __kernel_timespec ts = { .tv_sec = 1000 };

	wait.op.done = queue_then_end;
	loop_timeout(loop, &wait.op, &ts);
	loop_flush(loop);
	loop_drain(loop);
	loop_flush(loop);
	loop_drain(loop);
	cr_assert(eq(int, done, 1));
	cr_assert(eq(int, wait.res, -ECANCELED));
}

Test(loop, what_was_not_flushed_when_it_ends_never_begins)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	struct op write = OP();

	loop_write(loop, &write.op, fd, "x", 1);
	loop_drain(loop);
	cr_assert(zero(int, done));
	cr_assert(zero(int, lseek(fd, 0, SEEK_END)));
	close(fd);
}

static void *stopper(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock); /* so that the loop has been entered, or will be */
	loop_stop(loop);
	pthread_mutex_unlock(&lock);
	return NULL;
}

Test(loop, another_thread_can_stop_it)
{
	pthread_t thread;

	cr_assert(zero(int, pthread_create(&thread, NULL, stopper, NULL)));
	cr_assert(zero(int, loop_run(loop)));
	pthread_join(thread, NULL);
}

Test(loop, a_stop_that_comes_first_is_not_lost)
{
	loop_stop(loop);
	loop_stop(loop);
	cr_assert(zero(int, loop_run(loop)));
}
