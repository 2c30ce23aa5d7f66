// SPDX-License-Identifier: GPL-2.0-only
/* A fault bridge between sources and a guest that are the test's, and what explores it. */
#include "tests/unit/fake_bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS   5
#define TIMEOUT 5 /* ms */

struct fake_bridge faults;

static struct log quiet;
static struct loop *loop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static u64 clock_of_test(void)
{
	return faults.ns;
}

u64 raise_at(struct fake_source *s, u64 addr)
{
	const struct fault_request rq = {
		.addr = addr, .perm = DMA_WRITE, .pasid = 5, .cookie = s->next++
	};

	s->raised[rq.cookie]++;
	s->addr[rq.cookie] = addr;
	s->since[rq.cookie] = faults.ns;
	fault_bridge_raise(&faults.bridge, &s->source, &rq);
	return rq.cookie;
}

/* Whether the guest, the pages and the clock say the same. */
static bool is_so(const struct fake_source *s, u64 cookie, enum fault_outcome o)
{
	const unsigned int page = s->addr[cookie] / PAGE % FAKE_PAGES;
	const bool reached = faults.space.pages[page] == FAKE_MAPPED;

	switch (o) {
	case FAULT_RETRIED: return reached && faults.says == SAYS_SUCCESS;
	case FAULT_ABORTED:
		return faults.says == SAYS_NO || faults.takes_none ||
		       (faults.says == SAYS_SUCCESS && !reached);
	case FAULT_SPURIOUS: return reached;
	case FAULT_REFUSED:
		return !reached || faults.takes_none || faults.spurious[page] >= FAULT_ROW;
	case FAULT_ENDED_BY: return faults.ends;
	case FAULT_TIMED_OUT: return faults.ns - s->since[cookie] >= TIMEOUT * MS;
	case FAULT_NO_ROOM: return faults.bridge.stats.outstanding >= FAULT_OUTSTANDING;
	default: return false;
	}
}

static bool told(struct fault_source *source, u64 cookie, enum fault_outcome o)
{
	struct fake_source *s = container_of(source, struct fake_source, source);

	s->told[cookie]++;
	s->retry[cookie] = fault_is_retried(o);
	faults.spurious[s->addr[cookie] / PAGE % FAKE_PAGES] += o == FAULT_SPURIOUS;
	if (!is_so(s, cookie, o))
		s->wrong = fault_outcome_word(o);
	if (s->raises_again && s->next < 4)
		raise_at(s, 0);
	return !s->deaf;
}

void fake_bridge_begin(struct fault_asker *asker)
{
	memset(&faults.a, 0, sizeof(faults.a));
	memset(&faults.b, 0, sizeof(faults.b));
	faults.a.source.answer = faults.b.source.answer = told;
	memset(faults.spurious, 0, sizeof(faults.spurious));
	faults.says = SAYS_NOTHING;
	faults.takes_none = faults.ends = false;
	faults.ns = 1;
	faults.hub.bridges = NULL;
	fake_stalls_init(&faults.space);
	faults.space.pages[1] = FAKE_MAPPED;
	faults.space.pages[2] = FAKE_NOWHERE;
	faults.bridge = (struct fault_bridge){
		.name = "test", .space = &faults.space.dma, .asker = asker, .timeout = TIMEOUT
	};
	fault_bridge_add(&faults.bridge, &faults.hub);
}

void fake_bridge_open(void)
{
	cr_assert(zero(int, loop_create(&loop, &lock)));
	fault_hub_init(&faults.hub, loop, &quiet);
	faults.hub.clock = clock_of_test;
}

void fake_bridge_close(void)
{
	loop_drain(loop);
	loop_destroy(loop);
}

void is_told(const struct fake_source *s, u64 cookie, bool retry)
{
	cr_assert(eq(u32, s->told[cookie], 1));
	cr_assert(eq(int, s->retry[cookie], retry));
}

void raise_a(void)
{
	raise_at(&faults.a, 0);
}

void raise_b(void)
{
	raise_at(&faults.b, 3 * PAGE);
}

void raise_mapped(void)
{
	raise_at(&faults.a, PAGE);
}

void mend(void)
{
	faults.space.pages[0] = FAKE_MAPPED;
}

void take_away(void)
{
	faults.space.pages[0] = FAKE_STALLS;
}

void a_forgets(void)
{
	for (unsigned int i = 0; i < faults.a.next; i++) /* these are answered elsewhere */
		faults.a.told[i] = 1;
	faults.ends = true;
	fault_bridge_end(&faults.bridge, &faults.a.source);
	faults.ends = false;
}

void is_reset(void)
{
	faults.ends = true;
	fault_bridge_end(&faults.bridge, NULL);
	faults.ends = false;
}

static void is_in_time(void *ctx, const struct fault_seen_there *f)
{
	(void)ctx;
	cr_assert(f->ns < TIMEOUT * MS, "its time is over");
}

void time_passes(void)
{
	faults.ns += 3 * MS;
	fault_hub_tick(&faults.hub);
	fault_bridge_each(&faults.bridge, is_in_time, NULL);
}

void raises_again(void)
{
	faults.a.raises_again = !faults.a.raises_again;
}

/* Nothing is answered twice, and nothing is lost on the way. */
static void holds(const struct fake_model *m, const char *what)
{
	const struct fault_stats *s = &faults.bridge.stats;
	u64 ended = 0;

	for (unsigned int i = 0; i < faults.a.next || i < faults.b.next; i++)
		cr_assert(faults.a.told[i] < 2 && faults.b.told[i] < 2, "%s: answered twice", what);
	for (unsigned int i = 0; i < FAULT_OUTCOMES; i++)
		ended += s->ended[i];
	cr_assert(eq(u64, s->received, ended + s->outstanding), "%s", what);
	cr_assert(faults.a.wrong == NULL, "%s: it is not %s", what, faults.a.wrong);
	cr_assert(faults.b.wrong == NULL, "%s: it is not %s", what, faults.b.wrong);
	if (m->holds)
		m->holds(what);
}

static void all_are_told(const struct fake_source *s, const char *what)
{
	for (unsigned int i = 0; i < s->next; i++)
		cr_assert(eq(u32, s->told[i], 1), "%s: no answer", what);
}

static void ends_well(const struct fake_model *m, const char *what)
{
	faults.a.raises_again = false;
	faults.ends = true;
	fault_bridge_remove(&faults.bridge);
	holds(m, what);
	cr_assert(zero(u32, faults.bridge.stats.outstanding), "%s", what);
	all_are_told(&faults.a, what);
	all_are_told(&faults.b, what);
	if (m->ended)
		m->ended(what);
}

void fake_bridge_every_order(const struct fake_model *m)
{
	unsigned int orders = 1;
	char what[STEPS * 4 + 1];

	for (unsigned int i = 0; i < STEPS; i++)
		orders *= m->nr;
	for (unsigned int n = 0; n < orders; n++) {
		unsigned int left = n;

		m->begin();
		for (unsigned int i = 0; i < STEPS; i++, left /= m->nr) {
			snprintf(what + i * 4, 5, "%3u ", (u8)(left % m->nr));
			m->events[left % m->nr]();
			holds(m, what);
		}
		ends_well(m, what);
	}
}

void fake_bridge_random_orders(const struct fake_model *m)
{
	for (unsigned int seed = 1; seed < 200; seed++) {
		srand(seed);
		m->begin();
		for (unsigned int i = 0; i < 1000; i++) {
			m->events[rand() % m->nr]();
			holds(m, "random");
		}
		ends_well(m, "random");
	}
}
