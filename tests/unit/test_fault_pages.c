// SPDX-License-Identifier: GPL-2.0-only
/* The fault bridge's route of page requests: each fault is asked for by a name of its own, and ends
 * once; every order of a few events, and of many at random. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault/bridge.h"
#include "tests/unit/fake_bridge.h"

#define ROOM 3 /* requests at a time; what nobody wants to know any more takes none */

/* A name, and whether its answer is still wanted. */
struct name {
	bool used, wanted;
	struct dma_page_request rq;
};

/* Who is asked: a guest, which is the test. */
static struct fake_asker {
	struct fault_asker asker;
	bool off, fails; /* takes none; each is answered by a failure at once */
	struct name names[64];
	unsigned int nr, wanted;
} guest;

static struct name *name_of(u32 pasid, u16 group)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(guest.names); i++)
		if (guest.names[i].used && guest.names[i].rq.pasid == pasid &&
		    guest.names[i].rq.group == group)
			return &guest.names[i];
	return NULL;
}

static bool has(const struct fault_asker *asker, u32 pasid, u16 group)
{
	(void)asker;
	return name_of(pasid, group);
}

static void deliver(const struct dma_page_request *rq, enum dma_page_code code)
{
	const struct dma_page_response r = { rq->pasid, rq->group, code };
	const enum fake_says before = faults.says;

	faults.says = code == DMA_PAGE_SUCCESS ? SAYS_SUCCESS : SAYS_NO;
	fault_bridge_answered(&faults.bridge, &r);
	faults.says = before;
	fault_bridge_ask(&faults.bridge);
}

static enum fault_asked ask(struct fault_asker *asker, const struct dma_page_request *rq)
{
	struct name *n = guest.names;

	(void)asker;
	cr_assert(rq->last && !(rq->iova % PAGE) && rq->group < 512);
	cr_assert(not(has(NULL, rq->pasid, rq->group)), "the name is another's");
	if (guest.off)
		return FAULT_TAKES_NONE;
	if (guest.wanted == ROOM || guest.nr == ARRAY_SIZE(guest.names))
		return FAULT_NO_ROOM_NOW;
	if (guest.fails) {
		deliver(rq, DMA_PAGE_FAILURE);
		return FAULT_ASKED;
	}
	while (n->used)
		n++;
	*n = (struct name){ true, true, *rq };
	guest.nr++;
	guest.wanted++;
	return FAULT_ASKED;
}

static void give_up(struct fault_asker *asker, u32 pasid, u16 group)
{
	struct name *n = name_of(pasid, group);

	(void)asker;
	cr_assert(n && n->wanted);
	n->wanted = false;
	guest.wanted--;
	deliver(&n->rq, DMA_PAGE_INVALID);
}

/* The guest answers the @nth name. */
static bool answer(unsigned int nth, enum dma_page_code code)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(guest.names); i++) {
		struct name n = guest.names[i];

		if (!n.used || nth--)
			continue;
		guest.names[i].used = false;
		guest.nr--;
		guest.wanted -= n.wanted;
		deliver(&n.rq, code);
		return true;
	}
	return false;
}

static void begin(void)
{
	guest = (struct fake_asker){ .asker = { .ask = ask, .has = has, .give_up = give_up } };
	fake_bridge_begin(&guest.asker);
}

static void make(void)
{
	fake_bridge_open();
	begin();
}

static void unmake(void)
{
	fault_bridge_remove(&faults.bridge);
	fake_bridge_close();
}

TestSuite(fault_pages, .init = make, .fini = unmake, .timeout = 120);

Test(fault_pages, what_the_guest_brings_is_retried)
{
	const u64 cookie = raise_at(&faults.a, 0x123);

	cr_assert(zero(u32, faults.a.told[cookie]));
	cr_assert(faults.space.last.silent, "nobody else is told");
	cr_assert(zero(u64, guest.names[0].rq.iova));
	cr_assert(eq(u32, guest.names[0].rq.perm, DMA_WRITE));
	cr_assert(eq(u32, guest.names[0].rq.pasid, 5));
	faults.space.pages[0] = FAKE_MAPPED;
	faults.ns += 100000;
	cr_assert(answer(0, DMA_PAGE_SUCCESS));
	is_told(&faults.a, cookie, true);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_RETRIED], 1));
	cr_assert(eq(u64, faults.bridge.stats.shown, 1));
	cr_assert(eq(u64, faults.bridge.stats.times.longest, 100000));
}

Test(fault_pages, what_the_guest_denies_fails)
{
	const u64 first = raise_at(&faults.a, 0), second = raise_at(&faults.a, 0);

	faults.space.pages[0] = FAKE_MAPPED;
	cr_assert(answer(0, DMA_PAGE_INVALID));
	cr_assert(answer(0, DMA_PAGE_FAILURE));
	is_told(&faults.a, first, false);
	is_told(&faults.a, second, false);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_ABORTED], 2));
}

Test(fault_pages, a_success_that_mends_nothing_is_asked_again_and_not_for_ever)
{
	const u64 cookie = raise_at(&faults.a, 0);

	for (unsigned int i = 1; i < FAULT_ASKS; i++)
		cr_assert(answer(0, DMA_PAGE_SUCCESS));
	cr_assert(zero(u32, faults.a.told[cookie]));
	cr_assert(eq(u64, faults.bridge.stats.shown, 1));
	cr_assert(answer(0, DMA_PAGE_SUCCESS));
	is_told(&faults.a, cookie, false);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_ABORTED], 1));
}

Test(fault_pages, what_can_be_reached_and_what_never_can_is_not_asked_for)
{
	const u64 good = raise_at(&faults.a, PAGE), bad = raise_at(&faults.a, 2 * PAGE);

	is_told(&faults.a, good, true);
	is_told(&faults.a, bad, false);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_SPURIOUS], 1));
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_REFUSED], 1));
	cr_assert(zero(u64, faults.bridge.stats.shown));
	cr_assert(zero(u32, guest.nr));
}

Test(fault_pages, what_leads_to_no_memory_once_it_is_mapped_fails)
{
	const u64 cookie = raise_at(&faults.a, 0);

	faults.space.pages[0] = FAKE_NOWHERE;
	answer(0, DMA_PAGE_SUCCESS);
	is_told(&faults.a, cookie, false);
}

Test(fault_pages, a_guest_that_takes_none_is_not_asked)
{
	u64 cookie;

	guest.off = true;
	cookie = raise_at(&faults.a, 0);
	is_told(&faults.a, cookie, false);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_REFUSED], 1));
	cr_assert(zero(u64, faults.bridge.stats.shown));
}

static void deny_page(u64 iova)
{
	struct name *n = guest.names;

	while (!n->used || n->rq.iova != iova) {
		n++;
		cr_assert(lt(ptr, n, guest.names + ARRAY_SIZE(guest.names)), "not asked for");
	}
	n->used = false;
	guest.nr--;
	guest.wanted--;
	deliver(&n->rq, DMA_PAGE_INVALID);
}

Test(fault_pages, what_has_no_room_waits_in_order_and_nothing_is_lost)
{
	for (u64 i = 0; i < 40; i++)
		raise_at(&faults.a, (i * FAKE_PAGES + 3) * PAGE);
	for (u64 i = 0; i < 40; i++) {
		cr_assert(eq(u32, guest.nr, i < 40 - ROOM ? ROOM : 40 - i));
		cr_assert(eq(u64, faults.bridge.stats.shown, i < 40 - ROOM ? i + ROOM : 40));
		deny_page((i * FAKE_PAGES + 3) * PAGE);
		is_told(&faults.a, i, false);
	}
	cr_assert(zero(u32, faults.bridge.stats.outstanding));
}

Test(fault_pages, when_it_is_disabled_what_has_not_been_asked_for_fails)
{
	for (unsigned int i = 0; i < ROOM + 2; i++)
		raise_at(&faults.a, 0);
	guest.off = true;
	fault_bridge_ask(&faults.bridge);
	is_told(&faults.a, ROOM, false);
	is_told(&faults.a, ROOM + 1, false);
	cr_assert(eq(u32, faults.bridge.stats.outstanding, ROOM));
}

Test(fault_pages, a_name_that_timed_out_is_not_another_s_until_it_is_answered)
{
	const u64 old = raise_at(&faults.a, 0);
	u64 young;

	faults.ns += 5 * MS;
	fault_hub_tick(&faults.hub);
	is_told(&faults.a, old, false);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_TIMED_OUT], 1));
	faults.bridge.next_group = guest.names[0].rq.group; /* as names go round */
	young = raise_at(&faults.a, 0);
	faults.space.pages[0] = FAKE_MAPPED;
	answer(0, DMA_PAGE_SUCCESS); /* too late */
	cr_assert(zero(u32, faults.a.told[young]));
	answer(0, DMA_PAGE_SUCCESS);
	is_told(&faults.a, young, true);
}

Test(fault_pages, what_timed_out_makes_room)
{
	for (unsigned int i = 0; i < ROOM; i++)
		raise_at(&faults.a, 0);
	faults.ns += 3 * MS;
	raise_at(&faults.a, 3 * PAGE);
	faults.ns += 2 * MS;
	fault_hub_tick(&faults.hub);
	cr_assert(eq(u64, faults.bridge.stats.ended[FAULT_TIMED_OUT], ROOM));
	cr_assert(eq(u64, faults.bridge.stats.shown, ROOM + 1));
	cr_assert(eq(u32, faults.bridge.stats.outstanding, 1));
}

/* Events of the model that are of this route. */
static void serve_first(void)
{
	answer(0, DMA_PAGE_SUCCESS);
}
static void serve_second(void)
{
	answer(1, DMA_PAGE_SUCCESS);
}
static void deny_first(void)
{
	answer(0, DMA_PAGE_INVALID);
}
static void turns(void)
{
	guest.off = faults.takes_none = !guest.off;
	fault_bridge_ask(&faults.bridge);
}
static void fails(void)
{
	guest.fails = !guest.fails;
}

static void (*const events[])(void) = { raise_a,      raise_b,    raise_mapped, serve_first,
	                                serve_second, deny_first, mend,         take_away,
	                                a_forgets,    is_reset,   time_passes,  raises_again,
	                                turns,        fails };

/* Nobody waits that could be asked. */
static void who_can_is_asked(const char *what)
{
	cr_assert(guest.wanted == faults.bridge.stats.outstanding ||
	                  (guest.wanted == ROOM && faults.bridge.stats.outstanding > ROOM) ||
	                  guest.nr == ARRAY_SIZE(guest.names),
	          "%s: somebody is not asked", what);
}

static void nobody_is_wanted(const char *what)
{
	cr_assert(zero(u32, guest.wanted), "%s", what);
}

static const struct fake_model model = { .begin = begin,
	                                 .events = events,
	                                 .nr = ARRAY_SIZE(events),
	                                 .holds = who_can_is_asked,
	                                 .ended = nobody_is_wanted };

Test(fault_pages, in_every_order_of_events_each_has_one_answer)
{
	fake_bridge_every_order(&model);
	begin();
}

Test(fault_pages, in_long_random_orders_each_has_one_answer)
{
	fake_bridge_random_orders(&model);
	begin();
}
