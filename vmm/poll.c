// SPDX-License-Identifier: GPL-2.0-only
/* Pollers: what is looked at for a while before the event loop sleeps. */
#include "vmm/poll.h"

#include <time.h>

#define MIN_WINDOW 20000ULL  /* ns */
#define MAX_WINDOW 500000ULL /* also what is soon after a sleep began */

static u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void poll_begin(struct pollers *all, struct poller *p)
{
	if (p->active)
		return;
	p->since = now();
	if (p->since - p->slept > MAX_WINDOW)
		p->window = MIN_WINDOW;
	else
		p->window = p->window < MAX_WINDOW / 2 ? p->window * 2 : MAX_WINDOW;
	p->active = true;
	p->next = all->first;
	all->first = p;
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

/* One look; what there is to do is done, and what has been idle for too long sleeps. */
static void look(struct pollers *all, struct poller *p, pthread_mutex_t *lock,
                 void (*after)(void *ctx), void *ctx)
{
	const bool ready = p->ready(p);

	if (!ready && now() - p->since < p->window)
		return;
	pthread_mutex_lock(lock);
	if (ready) {
		p->run(p);
		after(ctx);
		p->since = now();
	} else if (p->sleep(p)) {
		poll_end(all, p);
		p->slept = now();
	}
	pthread_mutex_unlock(lock);
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
