// SPDX-License-Identifier: GPL-2.0-only
/* The host-work thread: what runs where, and in which order. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <semaphore.h>

#include "tests/unit/leak.h"
#include "vmm/loop.h"
#include "vmm/work.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop *loop;
static struct work_queue *queue;
static sem_t go;

struct job {
	struct work work;
	int ran, done;
	bool waits;
};

static int ran, done, awaited;

static void run(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	if (j->waits)
		sem_wait(&go);
	j->ran = ++ran;
}

static void ended(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	cr_assert(eq(int, pthread_mutex_trylock(&lock), EBUSY), "done runs under the lock");
	j->done = ++done;
	if (done == awaited)
		loop_stop(loop);
}

#define JOB(...)                                                   \
	{                                                          \
		.work = { .run = run, .done = ended }, __VA_ARGS__ \
	}

static void make(void)
{
	sem_init(&go, 0, 0);
	cr_assert(zero(int, loop_create(&loop, &lock)));
	cr_assert(zero(int, work_create(&queue, loop)));
}

TestSuite(work, .init = make, .timeout = 20);

static void finish(void)
{
	loop_drain(loop);
	work_destroy(queue);
	loop_destroy(loop);
	expect_no_leak();
}

static void submit(struct job *j)
{
	pthread_mutex_lock(&lock);
	work_submit(queue, &j->work);
	pthread_mutex_unlock(&lock);
}

Test(work, jobs_run_in_order_and_are_done_by_the_loop)
{
	struct job jobs[] = { JOB(.waits = true), JOB(), JOB() };

	for (int i = 0; i < 3; i++)
		submit(&jobs[i]);
	cr_assert(zero(int, done));
	sem_post(&go);
	awaited = 3;
	cr_assert(zero(int, loop_run(loop)));
	for (int i = 0; i < 3; i++) {
		cr_assert(eq(int, jobs[i].ran, i + 1));
		cr_assert(eq(int, jobs[i].done, i + 1));
	}
	finish();
}

static void again(struct work *w)
{
	if (ran < 5)
		work_submit(queue, w);
	else
		loop_stop(loop);
}

Test(work, a_job_that_is_done_can_be_submitted_again)
{
	struct job j = { .work = { .run = run, .done = again } };

	submit(&j);
	cr_assert(zero(int, loop_run(loop)));
	cr_assert(eq(int, ran, 5));
	finish();
}

static void just_done(struct work *w)
{
	(void)w;
	done++;
}

Test(work, what_was_submitted_is_run_and_done_at_the_end)
{
	struct job a = JOB(.waits = true), b = JOB();

	a.work.done = b.work.done = just_done;
	submit(&a);
	submit(&b);
	sem_post(&go);
	finish();
	cr_assert(eq(int, ran, 2));
	cr_assert(eq(int, done, 2));
}

/* One in the middle, and the last: those beside it stay the loop's. */
Test(work, one_that_is_waited_for_is_done_at_once)
{
	struct job jobs[] = { JOB(), JOB(), JOB(), JOB() };

	for (int i = 0; i < 4; i++)
		submit(&jobs[i]);
	pthread_mutex_lock(&lock);
	work_wait(queue, &jobs[1].work);
	cr_assert(eq(int, jobs[1].done, 1));
	cr_assert(eq(int, done, 1));
	work_wait(queue, &jobs[3].work);
	cr_assert(eq(int, jobs[3].done, 2));
	work_submit(queue, &jobs[3].work);
	pthread_mutex_unlock(&lock);
	awaited = 5;
	cr_assert(zero(int, loop_run(loop)));
	cr_assert(eq(int, jobs[0].done, 3));
	cr_assert(eq(int, jobs[2].done, 4));
	cr_assert(eq(int, jobs[3].done, 5));
	finish();
}

static void once_more(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	if (++j->done < 3)
		work_submit(queue, w);
}

Test(work, a_drain_leaves_nothing_to_do)
{
	struct job a = JOB(), b = JOB();

	a.work.done = once_more;
	b.work.done = just_done;
	submit(&a);
	submit(&b);
	loop_drain(loop);
	work_drain(queue);
	cr_assert(eq(int, a.done, 3), "nor what it has led to");
	cr_assert(eq(int, done, 1));
	work_drain(queue);
	work_destroy(queue);
	loop_destroy(loop);
}
