// SPDX-License-Identifier: GPL-2.0-only
/* Pollers: what is looked at for a while before the event loop sleeps. */
#include "vmm/poll.h"

#include "vmm/clock.h"

#define MIN_WINDOW  20000ULL  /* ns */
#define MAX_WINDOW  500000ULL /* also what is soon after a sleep began */
#define LONG_LOOK   500000ULL /* between two looks: the CPU was somebody else's meanwhile */
#define MIN_PENALTY 4000000ULL
#define MAX_PENALTY 256000000ULL

static u64 now(const struct poller *p)
{
	return p->clock ? p->clock() : clock_now();
}

static u64 longer(const struct poller *p)
{
	const u64 most = p->least > MAX_WINDOW ? p->least : MAX_WINDOW;

	return p->window < most / 2 ? p->window * 2 : most;
}

bool poll_begin(struct pollers *all, struct poller *p)
{
	const u64 t = now(p);

	if (p->active)
		return true;
	if (t < p->banned)
		return false;
	p->since = p->looked = p->begun = t;
	p->lost = 0;
	if (t - p->slept > MAX_WINDOW)
		p->window = p->least > MIN_WINDOW ? p->least : MIN_WINDOW;
	else
		p->window = longer(p);
	p->active = true;
	p->next = all->first;
	all->first = p;
	return true;
}

void poll_begun(struct poller *p)
{
	p->since = p->looked = now(p);
}

void poll_end(struct pollers *all, struct poller *p)
{
	struct poller **at = &all->first;

	if (!p->active)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->active = false;
}

/*
 * More threads want to run than there are CPUs: one that spins is made to wait for its turn, and
 * the guest with it, where one that sleeps is woken at once. So it sleeps, and does not spin again
 * for a while that grows with every failure.
 */
static void ban(struct poller *p, u64 t)
{
	const u64 most = p->least_penalty ? 16 * p->least_penalty : MAX_PENALTY;

	p->penalty = p->penalty ? p->penalty * 2 : MIN_PENALTY;
	if (p->penalty < p->least_penalty)
		p->penalty = p->least_penalty;
	if (p->penalty > most)
		p->penalty = most;
	p->banned = t + p->penalty;
}

static void try_to_sleep(struct pollers *all, struct poller *p, bool preempted)
{
	p->preempted |= preempted;
	if (!p->sleep(p))
		return;
	poll_end(all, p);
	p->slept = now(p);
	if (p->preempted)
		ban(p, p->slept);
	else
		p->penalty /= 2;
	p->preempted = false;
}

/*
 * The CPU was somebody else's between two looks. What is much to begin is not ended for the first
 * time that it happens, but when a quarter of the time has gone so.
 */
static bool is_preempted(struct poller *p, u64 t)
{
	if (t - p->looked <= LONG_LOOK)
		return false;
	p->lost += t - p->looked;
	return !p->least || p->lost > p->least + (t - p->begun) / 4;
}

/* One look; what there is to do is done, and what has been idle for too long sleeps. */
static void look(struct pollers *all, struct poller *p, pthread_mutex_t *lock,
                 void (*after)(void *ctx), void *ctx)
{
	const bool ready = p->ready(p);
	const u64 t = now(p);
	const bool preempted = is_preempted(p, t);

	p->looked = t;
	if (!ready && !preempted && t - p->since < p->window)
		return;
	pthread_mutex_lock(lock);
	if (ready) {
		p->run(p);
		after(ctx);
		p->since = now(p);
	}
	if (p->active && (!ready || preempted))
		try_to_sleep(all, p, preempted);
	pthread_mutex_unlock(lock);
	p->looked = now(p);
}

void poll_spin(struct pollers *all, pthread_mutex_t *lock, bool (*interrupted)(void *ctx),
               void (*after)(void *ctx), void *ctx)
{
	while (all->first && !interrupted(ctx))
		for (struct poller *p = all->first, *next; p; p = next) {
			next = p->next;
			look(all, p, lock, after, ctx);
		}
}
