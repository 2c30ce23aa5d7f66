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
#include "tests/unit/fake_bridge.h"
#include "vmm/pause.h"

static bool nobody_waits(void)
{
	return TAILQ_EMPTY(&faults.space.waiting);
}

static void begin(void)
{
	fake_bridge_begin(NULL);
}

static void make(void)
{
	fake_bridge_open();
	begin();
}

TestSuite(fault_bridge, .init = make, .fini = fake_bridge_close, .timeout = 60);

Test(fault_bridge, what_the_guest_maps_is_retried)
{
	const u64 cookie = raise_at(&faults.a, 0x123);

	cr_assert(zero(u32, faults.a.told[cookie]));
	cr_assert(eq(u64, faults.space.last.iova, 0x123));
	cr_assert(eq(u32, faults.space.last.perm, DMA_WRITE));
	cr_assert(eq(u32, faults.space.last.pasid, 5));
	faults.space.pages[0] = FAKE_MAPPED;
	faults.ns += 100000;
	cr_assert(fake_stalls_answer(&faults.space, 0, true));
	is_told(&faults.a, cookie, true);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_RETRIED], 1));
	cr_assert(eq(u64, faults.bridge.stats.shown, 1));
	cr_assert(eq(u64, faults.bridge.stats.times.answers[7], 1), "100 us: of less than 128");
	cr_assert(eq(u64, faults.bridge.stats.times.longest, 100000));
}

Test(fault_bridge, what_the_guest_does_not_want_fails)
{
	const u64 cookie = raise_at(&faults.a, 0);

	cr_assert(fake_stalls_answer(&faults.space, 0, false));
	is_told(&faults.a, cookie, false);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_ABORTED], 1));
}

Test(fault_bridge, an_answer_that_mends_nothing_is_followed_by_another_stall)
{
	const u64 cookie = raise_at(&faults.a, 0);

	for (unsigned int i = 0; i < 3; i++)
		cr_assert(fake_stalls_answer(&faults.space, 0, true));
	cr_assert(zero(u32, faults.a.told[cookie]));
	cr_assert(eq(u64, faults.bridge.stats.shown, 1));
	cr_assert(eq(u32, faults.bridge.stats.outstanding, 1));
	fault_bridge_remove(&faults.bridge);
}

Test(fault_bridge, what_can_be_reached_and_what_never_can_is_not_the_guests_to_answer)
{
	const u64 good = raise_at(&faults.a, PAGE), bad = raise_at(&faults.a, 2 * PAGE);

	is_told(&faults.a, good, true);
	is_told(&faults.a, bad, false);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_SPURIOUS], 1));
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_REFUSED], 1));
	cr_assert(zero(u64, faults.bridge.stats.shown));
}

/* @nr more of each of @pages, so long after each other. */
static void fault_on(unsigned int nr, unsigned int pages, u64 ns, bool well)
{
	for (unsigned int i = 0; i < nr; i++) {
		faults.ns += ns;
		for (unsigned int n = 0; n < pages; n++)
			is_told(&faults.a, raise_at(&faults.a, PAGE + n), well);
	}
}

Test(fault_bridge, what_can_be_reached_and_faults_again_and_again_does_not_do_so_for_ever)
{
	fault_on(FAULT_ROW, 2, FAULT_ROW_TIME, true); /* now here, now there */
	fault_on(1, 2, 1, false);
	is_told(&faults.a, raise_at(&faults.a, PAGE + 2), true);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_REFUSED], 2));
}

Test(fault_bridge, many_at_once_are_not_again_and_again_nor_is_one_now_and_then)
{
	fault_on(4 * FAULT_ROW, 1, 1000, true);
	fault_on(4 * FAULT_ROW, 1, FAULT_ROW_GAP, true);
}

Test(fault_bridge, what_the_guest_is_asked_of_in_between_is_not_again_and_again)
{
	fault_on(FAULT_ROW, 1, FAULT_ROW_TIME, true);
	faults.space.pages[1] = FAKE_STALLS;
	raise_at(&faults.a, PAGE);
	faults.space.pages[1] = FAKE_MAPPED;
	cr_assert(fake_stalls_answer(&faults.space, 0, true));
	fault_on(FAULT_ROW, 1, FAULT_ROW_TIME, true);
}

Test(fault_bridge, an_answer_to_what_had_ended_is_counted_as_its_end)
{
	faults.a.deaf = true;
	raise_at(&faults.a, 0);
	fake_stalls_answer(&faults.space, 0, false);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_ENDED_BY], 1));
	cr_assert(zero(u64, faults.bridge.stats.ended[FAULT_ABORTED]));
	cr_assert(eq(u64, faults.hub.ended[FAULT_ENDED_BY], 1));
}

/* A paused guest cannot answer. */
Test(fault_bridge, time_that_ends_while_the_guest_is_paused_begins_anew)
{
	const u64 cookie = raise_at(&faults.a, 0);
	struct vm vm;

	fake_vm(&vm, 1);
	faults.hub.vm = &vm;
	vcpus_hold(&vm);
	faults.ns += 5 * MS;
	fault_hub_tick(&faults.hub);
	cr_assert(zero(u32, faults.a.told[cookie]));
	vcpus_release(&vm);
	faults.ns += 4 * MS;
	fault_hub_tick(&faults.hub);
	cr_assert(zero(u32, faults.a.told[cookie]));
	faults.ns += MS;
	fault_hub_tick(&faults.hub);
	is_told(&faults.a, cookie, false);
	fake_vm_destroy(&vm);
}

Test(fault_bridge, a_pause_that_is_over_before_the_time_is_begins_it_anew_too)
{
	const u64 cookie = raise_at(&faults.a, 0);
	struct vm vm;

	fake_vm(&vm, 1);
	faults.hub.vm = &vm;
	vcpus_hold(&vm);
	vcpus_release(&vm);
	for (unsigned int i = 0; i < 2; i++) {
		faults.ns += 5 * MS;
		cr_assert(zero(u32, faults.a.told[cookie]));
		fault_hub_tick(&faults.hub);
	}
	is_told(&faults.a, cookie, false);
	fake_vm_destroy(&vm);
}

Test(fault_bridge, what_waits_for_too_long_fails_and_nothing_else_does)
{
	const u64 old = raise_at(&faults.a, 0);
	u64 young;

	faults.ns += 4 * MS;
	young = raise_at(&faults.b, 0);
	faults.ns += MS;
	fault_hub_tick(&faults.hub);
	is_told(&faults.a, old, false);
	cr_assert(zero(u32, faults.b.told[young]));
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_TIMED_OUT], 1));
	cr_assert(not(fake_stalls_answer(&faults.space, 1, true)), "the answer comes too late");
	fault_bridge_remove(&faults.bridge);
	is_told(&faults.b, young, false);
}

Test(fault_bridge, what_its_source_has_forgotten_is_not_answered)
{
	const u64 mine = raise_at(&faults.a, 0), theirs = raise_at(&faults.b, 0);

	fault_bridge_end(&faults.bridge, &faults.a.source);
	cr_assert(zero(u32, faults.a.told[mine]));
	is_told(&faults.b, theirs, false);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_ENDED_BY], 2));
	cr_assert(nobody_waits());
}

Test(fault_bridge, as_many_wait_as_there_can_be)
{
	for (unsigned int i = 0; i < FAULT_OUTSTANDING; i++)
		cr_assert(zero(u32, faults.a.told[raise_at(&faults.a, 0)]));
	is_told(&faults.a, raise_at(&faults.a, 0), false);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_NO_ROOM], 1));
	cr_assert(fake_stalls_answer(&faults.space, 0, false));
	cr_assert(zero(u32, faults.a.told[raise_at(&faults.a, 0)]));
	fault_bridge_remove(&faults.bridge);
	cr_assert(zero(u32, faults.bridge.stats.outstanding));
}

static void count(void *ctx, const struct fault_seen_there *f)
{
	u64 *seen = ctx;

	cr_assert(eq(u64, f->request->cookie, seen[0]++));
	seen[1] = f->ns;
}

Test(fault_bridge, what_waits_can_be_looked_at)
{
	u64 seen[2] = { 0 };

	raise_at(&faults.a, 0);
	raise_at(&faults.a, 3 * PAGE);
	faults.ns += 77;
	fault_bridge_each(&faults.bridge, count, seen);
	cr_assert(eq(u64, seen[0], 2));
	cr_assert(eq(u64, seen[1], 77));
	fault_bridge_remove(&faults.bridge);
}

/* Events of the model that are of this route. */
static void answer(unsigned int nth, bool retry)
{
	faults.says = retry ? SAYS_SUCCESS : SAYS_NO;
	fake_stalls_answer(&faults.space, nth, retry);
	faults.says = SAYS_NOTHING;
}
static void retry_first(void)
{
	answer(0, true);
}
static void retry_second(void)
{
	answer(1, true);
}
static void abort_first(void)
{
	answer(0, false);
}
static void (*const events[])(void) = { raise_a,      raise_b,     raise_mapped, retry_first,
	                                retry_second, abort_first, mend,         take_away,
	                                a_forgets,    is_reset,    time_passes,  raises_again };

static void nothing_waits(const char *what)
{
	cr_assert(nobody_waits(), "%s: it still waits", what);
}

/* Nobody is outstanding whom the guest cannot answer. */
static void all_wait(const char *what)
{
	const struct dma_token *token;
	unsigned int nr = 0;

	TAILQ_FOREACH(token, &faults.space.waiting, next)
	nr++;
	cr_assert(eq(u32, nr, faults.bridge.stats.outstanding), "%s: it waits for nothing", what);
}

static const struct fake_model model = { .begin = begin,
	                                 .events = events,
	                                 .nr = ARRAY_SIZE(events),
	                                 .holds = all_wait,
	                                 .ended = nothing_waits };

Test(fault_bridge, in_every_order_of_events_each_has_one_answer)
{
	fake_bridge_every_order(&model);
}

Test(fault_bridge, in_long_random_orders_each_has_one_answer)
{
	fake_bridge_random_orders(&model);
}
