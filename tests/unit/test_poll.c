// SPDX-License-Identifier: GPL-2.0-only
/* Pollers: who is looked at, for how long, and what is done under the lock. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "vmm/poll.h"

#define US 1000ULL /* ns */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pollers all;

struct fake_poller {
	struct poller poller;
	unsigned int work, looks, runs, sleeps, refuses;
	unsigned int work_at; /* at that look there is something to do */
	u64 work_after;       /* so many ns from its beginning there is */
	u64 look_ns;          /* 0: one us */
	u64 began, ran_at, slept_at;
};

static struct fake_poller a, b, c;
static unsigned int nr_after, nr_interrupted, interrupt_at;

/* A clock of the test's own: how long a look takes on a machine with company is no matter here. */
static u64 clock_ns = 1000000000;

static u64 now(void)
{
	return clock_ns;
}

static struct fake_poller *fake_of(struct poller *p)
{
	return container_of(p, struct fake_poller, poller);
}

static bool is_locked(void)
{
	if (pthread_mutex_trylock(&lock))
		return true;
	pthread_mutex_unlock(&lock);
	return false;
}

static bool ready(struct poller *p)
{
	struct fake_poller *f = fake_of(p);

	cr_assert(not(is_locked()));
	clock_ns += f->look_ns ? f->look_ns : US;
	f->work += ++f->looks == f->work_at;
	if (f->work_after && now() - f->began >= f->work_after) {
		f->work++;
		f->work_after = 0;
	}
	return f->work;
}

static void run(struct poller *p)
{
	cr_assert(is_locked());
	fake_of(p)->work--;
	fake_of(p)->runs++;
	fake_of(p)->ran_at = now();
}

static bool sleep_now(struct poller *p)
{
	struct fake_poller *f = fake_of(p);

	cr_assert(is_locked());
	f->slept_at = now();
	f->sleeps++;
	if (!f->refuses)
		return true;
	f->refuses--;
	return false;
}

static bool interrupted(void *ctx)
{
	cr_assert(eq(ptr, ctx, &all));
	cr_assert(not(is_locked()));
	return ++nr_interrupted == interrupt_at;
}

static void after(void *ctx)
{
	cr_assert(eq(ptr, ctx, &all));
	cr_assert(is_locked());
	nr_after++;
}

static void begin(struct fake_poller *f)
{
	f->poller.clock = now;
	f->poller.ready = ready;
	f->poller.run = run;
	f->poller.sleep = sleep_now;
	f->began = now();
	poll_begin(&all, &f->poller);
}

static void spin(void)
{
	poll_spin(&all, &lock, interrupted, after, &all);
	cr_assert(not(is_locked()));
}

TestSuite(poll, .timeout = 20);

Test(poll, with_nobody_to_look_at_it_returns)
{
	spin();
	cr_assert(zero(u32, nr_after));
}

Test(poll, what_is_ready_runs_under_the_lock_until_it_has_been_idle_for_a_while)
{
	a.work = 3;
	a.work_at = 10;
	begin(&a);
	spin();
	cr_assert(eq(u32, a.runs, 4));
	cr_assert(eq(u32, nr_after, 4));
	cr_assert(eq(u32, a.sleeps, 1));
	cr_assert(not(a.poller.active));
	cr_assert(eq(ptr, all.first, NULL));
	cr_assert(eq(u64, a.slept_at - a.ran_at, 20 * US));
}

Test(poll, one_that_is_looked_at_is_not_begun_again)
{
	u64 window;

	begin(&a);
	begin(&b);
	window = a.poller.window;
	begin(&a);
	cr_assert(eq(u64, a.poller.window, window));
	spin();
	cr_assert(eq(u32, a.sleeps, 1));
	cr_assert(eq(u32, b.sleeps, 1));
}

Test(poll, work_that_comes_as_it_goes_to_sleep_keeps_it_awake)
{
	a.refuses = 2;
	begin(&a);
	spin();
	cr_assert(eq(u32, a.sleeps, 3));
	cr_assert(not(a.poller.active));
}

Test(poll, an_interrupt_ends_it_and_they_are_looked_at_the_next_time)
{
	interrupt_at = 1;
	a.work = 1;
	begin(&a);
	spin();
	cr_assert(zero(u32, a.looks));
	cr_assert(a.poller.active);
	spin();
	cr_assert(eq(u32, a.runs, 1));
	cr_assert(not(a.poller.active));
}

Test(poll, one_can_go_away_whether_or_not_it_is_looked_at)
{
	begin(&a);
	begin(&b);
	begin(&c);
	poll_end(&all, &b.poller);
	poll_end(&all, &b.poller);
	spin();
	cr_assert(zero(u32, b.looks));
	cr_assert(eq(u32, a.sleeps + c.sleeps, 2));
}

static void end_itself(struct poller *p)
{
	run(p);
	poll_end(&all, p);
}

Test(poll, one_can_go_away_as_it_runs)
{
	a.work = b.work = 1;
	begin(&a);
	begin(&b);
	a.poller.run = b.poller.run = end_itself;
	spin();
	cr_assert(eq(u32, a.runs + b.runs, 2));
	cr_assert(zero(u32, a.sleeps + b.sleeps));
	cr_assert(eq(ptr, all.first, NULL));
}

Test(poll, it_looks_longer_where_work_came_soon_after_the_last_sleep)
{
	u64 want = 20 * US;

	begin(&a);
	for (int i = 0; i < 8; i++) {
		cr_assert(eq(u64, a.poller.window, want));
		poll_end(&all, &a.poller);
		a.poller.slept = now();
		begin(&a);
		want = want * 2 < 500 * US ? want * 2 : 500 * US;
	}
	cr_assert(eq(u64, a.poller.window, 500 * US));
}

Test(poll, it_looks_but_a_short_while_where_the_work_came_late)
{
	a.poller.window = 500 * US;
	a.poller.slept = now() - 501 * US;
	begin(&a);
	cr_assert(eq(u64, a.poller.window, 20 * US));
}

Test(poll, work_restarts_the_while)
{
	a.work_after = 1500 * US;
	begin(&a);
	a.poller.window = 2000 * US;
	spin();
	cr_assert(eq(u32, a.runs, 1));
	cr_assert(eq(u64, a.ran_at - a.began, 1500 * US));
	cr_assert(eq(u64, a.slept_at - a.ran_at, 2000 * US));
}

Test(poll, one_that_was_kept_off_its_cpu_sleeps_and_is_not_looked_at_for_longer_each_time)
{
	a.look_ns = 501 * US;
	for (u64 ban = 4000 * US; ban < 16000 * US; ban *= 2) {
		begin(&a);
		spin();
		cr_assert(not(a.poller.active));
		cr_assert(eq(u64, a.poller.banned - a.slept_at, ban));
		clock_ns = a.poller.banned - 1;
		cr_assert(not(poll_begin(&all, &a.poller)));
		clock_ns++;
	}
	cr_assert(eq(u32, a.sleeps, 2));
}
