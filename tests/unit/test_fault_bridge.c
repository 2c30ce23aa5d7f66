// SPDX-License-Identifier: GPL-2.0-only
/* The fault bridge: each fault ends once, as the guest, its IOMMU or the clock says; every order of
 * a few events, and of many at random. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault/bridge.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/fake_stalls.h"
#include "vmm/pause.h"

#define PAGE 4096ULL
#define MS   1000000ULL
#define MOST 4096 /* cookies of a test */

struct fake_source {
	struct fault_source source;
	bool deaf;                   /* what it is told had ended already */
	bool raises_again;           /* with each answer, at once */
	u8 raised[MOST], told[MOST]; /* by cookie: how often */
	bool retry[MOST];            /* what it was told last */
	unsigned int next;
};

static struct log quiet;
static struct fault_hub hub;
static struct fault_bridge bridge;
static struct fake_stalls space;
static struct fake_source a, b;
static struct loop *loop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static u64 time_ns;

static u64 clock_of_test(void)
{
	return time_ns;
}

static bool nobody_waits(void)
{
	return TAILQ_EMPTY(&space.waiting);
}

static u64 raise_at(struct fake_source *s, u64 addr)
{
	const struct fault_request rq = {
		.addr = addr, .perm = DMA_WRITE, .pasid = 5, .cookie = s->next++
	};

	s->raised[rq.cookie]++;
	fault_bridge_raise(&bridge, &s->source, &rq);
	return rq.cookie;
}

static bool told(struct fault_source *source, u64 cookie, enum fault_outcome o)
{
	struct fake_source *s = container_of(source, struct fake_source, source);

	s->told[cookie]++;
	s->retry[cookie] = fault_is_retried(o);
	if (s->raises_again && s->next < 4)
		raise_at(s, 0);
	return !s->deaf;
}

static void begin(void)
{
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	a.source.answer = b.source.answer = told;
	time_ns = 1;
	hub.bridges = NULL;
	fake_stalls_init(&space);
	space.pages[1] = FAKE_MAPPED;
	space.pages[2] = FAKE_NOWHERE;
	bridge = (struct fault_bridge){ .name = "test", .space = &space.dma, .timeout = 5 };
	fault_bridge_add(&bridge, &hub);
}

static void make(void)
{
	cr_assert(zero(int, loop_create(&loop, &lock)));
	fault_hub_init(&hub, loop, &quiet);
	hub.clock = clock_of_test;
	begin();
}

static void unmake(void)
{
	loop_drain(loop);
	loop_destroy(loop);
}

TestSuite(fault_bridge, .init = make, .fini = unmake, .timeout = 60);

static void is_told(const struct fake_source *s, u64 cookie, bool retry)
{
	cr_assert(eq(u32, s->told[cookie], 1));
	cr_assert(eq(int, s->retry[cookie], retry));
}

Test(fault_bridge, what_the_guest_maps_is_retried)
{
	const u64 cookie = raise_at(&a, 0x123);

	cr_assert(zero(u32, a.told[cookie]));
	cr_assert(eq(u64, space.last.iova, 0x123));
	cr_assert(eq(u32, space.last.perm, DMA_WRITE));
	cr_assert(eq(u32, space.last.pasid, 5));
	space.pages[0] = FAKE_MAPPED;
	time_ns += 100000;
	cr_assert(fake_stalls_answer(&space, 0, true));
	is_told(&a, cookie, true);
	cr_assert(eq(u64, bridge.stats.ended[FAULT_RETRIED], 1));
	cr_assert(eq(u64, bridge.stats.shown, 1));
	cr_assert(eq(u64, bridge.stats.times.answers[7], 1), "100 us: of less than 128");
	cr_assert(eq(u64, bridge.stats.times.longest, 100000));
}

Test(fault_bridge, what_the_guest_does_not_want_fails)
{
	const u64 cookie = raise_at(&a, 0);

	cr_assert(fake_stalls_answer(&space, 0, false));
	is_told(&a, cookie, false);
	cr_assert(eq(u64, bridge.stats.ended[FAULT_ABORTED], 1));
}

Test(fault_bridge, an_answer_that_mends_nothing_is_followed_by_another_stall)
{
	const u64 cookie = raise_at(&a, 0);

	for (unsigned int i = 0; i < 3; i++)
		cr_assert(fake_stalls_answer(&space, 0, true));
	cr_assert(zero(u32, a.told[cookie]));
	cr_assert(eq(u64, bridge.stats.shown, 1));
	cr_assert(eq(u32, bridge.stats.outstanding, 1));
	fault_bridge_remove(&bridge);
}

Test(fault_bridge, what_can_be_reached_and_what_never_can_is_not_the_guests_to_answer)
{
	const u64 good = raise_at(&a, PAGE), bad = raise_at(&a, 2 * PAGE);

	is_told(&a, good, true);
	is_told(&a, bad, false);
	cr_assert(eq(u64, bridge.stats.ended[FAULT_SPURIOUS], 1));
	cr_assert(eq(u64, bridge.stats.ended[FAULT_REFUSED], 1));
	cr_assert(zero(u64, bridge.stats.shown));
}

Test(fault_bridge, what_can_be_reached_and_faults_again_and_again_does_not_do_so_for_ever)
{
	for (unsigned int i = 0; i < 2 * FAULT_ROW; i++) /* now here, now there */
		is_told(&a, raise_at(&a, PAGE + i % 2), true);
	for (unsigned int i = 0; i < FAULT_ROW; i++)
		is_told(&a, raise_at(&a, PAGE), true);
	is_told(&a, raise_at(&a, PAGE), false);
	is_told(&a, raise_at(&a, PAGE + 1), true);
	cr_assert(eq(u64, bridge.stats.ended[FAULT_REFUSED], 1));
}

Test(fault_bridge, an_answer_to_what_had_ended_is_counted_as_its_end)
{
	a.deaf = true;
	raise_at(&a, 0);
	fake_stalls_answer(&space, 0, false);
	cr_assert(eq(u64, bridge.stats.ended[FAULT_ENDED_BY], 1));
	cr_assert(zero(u64, bridge.stats.ended[FAULT_ABORTED]));
	cr_assert(eq(u64, hub.ended[FAULT_ENDED_BY], 1));
}

/* A paused guest cannot answer. */
Test(fault_bridge, time_that_ends_while_the_guest_is_paused_begins_anew)
{
	const u64 cookie = raise_at(&a, 0);
	struct vm vm;

	fake_vm(&vm, 1);
	hub.vm = &vm;
	vcpus_hold(&vm);
	time_ns += 5 * MS;
	fault_hub_tick(&hub);
	cr_assert(zero(u32, a.told[cookie]));
	vcpus_release(&vm);
	time_ns += 4 * MS;
	fault_hub_tick(&hub);
	cr_assert(zero(u32, a.told[cookie]));
	time_ns += MS;
	fault_hub_tick(&hub);
	is_told(&a, cookie, false);
	fake_vm_destroy(&vm);
}

Test(fault_bridge, what_waits_for_too_long_fails_and_nothing_else_does)
{
	const u64 old = raise_at(&a, 0);
	u64 young;

	time_ns += 4 * MS;
	young = raise_at(&b, 0);
	time_ns += MS;
	fault_hub_tick(&hub);
	is_told(&a, old, false);
	cr_assert(zero(u32, b.told[young]));
	cr_assert(eq(u64, bridge.stats.ended[FAULT_TIMED_OUT], 1));
	cr_assert(not(fake_stalls_answer(&space, 1, true)), "the answer comes too late");
	fault_bridge_remove(&bridge);
	is_told(&b, young, false);
}

Test(fault_bridge, what_its_source_has_forgotten_is_not_answered)
{
	const u64 mine = raise_at(&a, 0), theirs = raise_at(&b, 0);

	fault_bridge_end(&bridge, &a.source);
	cr_assert(zero(u32, a.told[mine]));
	is_told(&b, theirs, false);
	cr_assert(eq(u64, bridge.stats.ended[FAULT_ENDED_BY], 2));
	cr_assert(nobody_waits());
}

Test(fault_bridge, as_many_wait_as_there_can_be)
{
	for (unsigned int i = 0; i < FAULT_OUTSTANDING; i++)
		cr_assert(zero(u32, a.told[raise_at(&a, 0)]));
	is_told(&a, raise_at(&a, 0), false);
	cr_assert(eq(u64, bridge.stats.ended[FAULT_NO_ROOM], 1));
	cr_assert(fake_stalls_answer(&space, 0, false));
	cr_assert(zero(u32, a.told[raise_at(&a, 0)]));
	fault_bridge_remove(&bridge);
	cr_assert(zero(u32, bridge.stats.outstanding));
}

static void count(void *ctx, const struct fault_request *rq, u64 ns)
{
	u64 *seen = ctx;

	cr_assert(eq(u64, rq->cookie, seen[0]++));
	seen[1] = ns;
}

Test(fault_bridge, what_waits_can_be_looked_at)
{
	u64 seen[2] = { 0 };

	raise_at(&a, 0);
	raise_at(&a, 3 * PAGE);
	time_ns += 77;
	fault_bridge_each(&bridge, count, seen);
	cr_assert(eq(u64, seen[0], 2));
	cr_assert(eq(u64, seen[1], 77));
	fault_bridge_remove(&bridge);
}

/* Events of a model: each may come at any time. */
static void raise_a(void)
{
	raise_at(&a, 0);
}
static void raise_b(void)
{
	raise_at(&b, 3 * PAGE);
}
static void raise_mapped(void)
{
	raise_at(&a, PAGE);
}
static void retry_first(void)
{
	fake_stalls_answer(&space, 0, true);
}
static void retry_second(void)
{
	fake_stalls_answer(&space, 1, true);
}
static void abort_first(void)
{
	fake_stalls_answer(&space, 0, false);
}
static void mend(void)
{
	space.pages[0] = FAKE_MAPPED;
}
static void take_away(void)
{
	space.pages[0] = FAKE_STALLS;
}
static void a_forgets(void)
{
	for (unsigned int i = 0; i < a.next; i++) /* these are answered elsewhere */
		a.told[i] = 1;
	fault_bridge_end(&bridge, &a.source);
}
static void is_reset(void)
{
	fault_bridge_end(&bridge, NULL);
}
static void time_passes(void)
{
	time_ns += 3 * MS;
	fault_hub_tick(&hub);
}
static void raises_again(void)
{
	a.raises_again = !a.raises_again;
}

static void (*const events[])(void) = { raise_a,      raise_b,     raise_mapped, retry_first,
	                                retry_second, abort_first, mend,         take_away,
	                                a_forgets,    is_reset,    time_passes,  raises_again };

static u64 ended(void)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < FAULT_OUTCOMES; i++)
		sum += bridge.stats.ended[i];
	return sum;
}

/* Nothing is answered twice, and nothing is lost on the way. */
static void holds(const char *what)
{
	for (unsigned int i = 0; i < a.next || i < b.next; i++)
		cr_assert(a.told[i] < 2 && b.told[i] < 2, "%s: answered twice", what);
	cr_assert(eq(u64, bridge.stats.received, ended() + bridge.stats.outstanding), "%s", what);
}

static void ends_well(const char *what)
{
	a.raises_again = false;
	fault_bridge_remove(&bridge);
	holds(what);
	cr_assert(zero(u32, bridge.stats.outstanding), "%s", what);
	cr_assert(nobody_waits(), "%s: it still waits", what);
	for (unsigned int i = 0; i < a.next; i++)
		cr_assert(eq(u32, a.told[i], 1), "%s: no answer", what);
	for (unsigned int i = 0; i < b.next; i++)
		cr_assert(eq(u32, b.told[i], 1), "%s: no answer", what);
}

#define STEPS 5
Test(fault_bridge, in_every_order_of_events_each_has_one_answer)
{
	unsigned int nr = 1;
	char what[STEPS * 3 + 1];

	for (unsigned int i = 0; i < STEPS; i++)
		nr *= ARRAY_SIZE(events);
	for (unsigned int n = 0; n < nr; n++) {
		unsigned int left = n;

		begin();
		for (unsigned int i = 0; i < STEPS; i++, left /= ARRAY_SIZE(events)) {
			snprintf(what + i * 3, 4, "%2u ", (u8)(left % ARRAY_SIZE(events)));
			events[left % ARRAY_SIZE(events)]();
			holds(what);
		}
		ends_well(what);
	}
}

Test(fault_bridge, in_long_random_orders_each_has_one_answer)
{
	for (unsigned int seed = 1; seed < 200; seed++) {
		srand(seed);
		begin();
		for (unsigned int i = 0; i < 1000; i++) {
			events[rand() % ARRAY_SIZE(events)]();
			holds("random");
		}
		ends_well("random");
	}
}
