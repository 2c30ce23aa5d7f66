// SPDX-License-Identifier: GPL-2.0-only
/* The page-request port: each group that was shown has exactly one answer. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "fault/port.h"

#define NONE DMA_NO_PASID

static struct fault_port port;
/* Time, as it is told; there is no loop that would look. */
static u64 at;
static u64 clock_at(void)
{
	return at;
}
static struct patience patience = { .ms = 1, .clock = clock_at, .timing = true };
static struct dma_space space;
static struct {
	unsigned int nr;
	struct dma_page_response last;
	bool asks_again; /* at once, by another name */
} got;

static bool raise_group(u32 pasid, u16 group, bool last)
{
	const struct dma_page_request rq = { 0x1000, DMA_READ, pasid, group, last };

	if (!fault_can_raise(&port, &rq)) {
		fault_refused(&port);
		return false;
	}
	fault_raised(&port, &rq);
	return true;
}

static void response(struct dma_device *d, const struct dma_page_response *r)
{
	(void)d;
	got.nr++;
	got.last = *r;
	if (got.asks_again)
		raise_group(NONE, r->group + 100, true);
}

static struct dma_device device = { .page_response = response };

static void make(void)
{
	space.device = &device;
	fault_port_init(&port, &space, &patience);
}

TestSuite(fault_port, .init = make);

static enum fault_state answer(u32 pasid, u16 group)
{
	const struct dma_page_response r = { pasid, group, DMA_PAGE_INVALID };

	return fault_answer(&port, &r);
}

Test(fault_port, a_group_is_answered_once)
{
	cr_assert(raise_group(NONE, 1, false));
	cr_assert(eq(int, answer(NONE, 1), FAULT_UNKNOWN), "its last has not come");
	cr_assert(raise_group(NONE, 1, true));
	cr_assert(not(raise_group(NONE, 1, false)), "it waits");
	cr_assert(eq(int, answer(3, 1), FAULT_UNKNOWN), "another's PASID");
	cr_assert(eq(int, answer(NONE, 2), FAULT_UNKNOWN));
	cr_assert(zero(u32, got.nr));
	cr_assert(eq(int, answer(NONE, 1), FAULT_WAITS));
	cr_assert(eq(int, got.last.code, DMA_PAGE_INVALID));
	cr_assert(eq(int, answer(NONE, 1), FAULT_ANSWERED));
	cr_assert(eq(u32, got.nr, 1));
	cr_assert(raise_group(NONE, 1, true), "its name is free again");
	cr_assert(eq(u64, port.counts.raised, 3));
	cr_assert(eq(u64, port.counts.refused, 1));
	cr_assert(eq(u64, port.counts.answered, 1));
	cr_assert(eq(u64, port.counts.duplicate, 1));
	cr_assert(eq(u64, port.counts.unknown, 3));
}

Test(fault_port, an_attachments_end_answers_what_waits_and_nothing_else)
{
	raise_group(NONE, 1, true);
	raise_group(5, 2, true);
	raise_group(NONE, 3, false);
	raise_group(NONE, 4, true);
	answer(NONE, 4);
	got.nr = 0;
	fault_end(&port, DMA_PAGE_INVALID, true);
	cr_assert(eq(u32, got.nr, 2));
	cr_assert(eq(u32, got.last.pasid, 5));
	cr_assert(eq(int, answer(5, 2), FAULT_ENDED));
	fault_end(&port, DMA_PAGE_INVALID, true);
	cr_assert(eq(u32, got.nr, 2), "each once");
	cr_assert(eq(u64, port.counts.ended, 2));
	cr_assert(eq(u64, port.counts.late, 1));
	raise_group(5, 2, true);
	fault_end(&port, DMA_PAGE_FAILURE, false);
	cr_assert(eq(u32, got.last.pasid, NONE));
}

Test(fault_port, what_is_asked_for_during_an_end_is_the_next_attachments)
{
	for (u16 i = 0; i < FAULT_MAX_WAITING; i++)
		raise_group(NONE, i, true);
	got.asks_again = true;
	fault_end(&port, DMA_PAGE_INVALID, true);
	cr_assert(eq(u32, got.nr, FAULT_MAX_WAITING));
	cr_assert(eq(u32, port.waiting, FAULT_MAX_WAITING), "they wait");
	got.asks_again = false;
	for (u16 i = 0; i < FAULT_MAX_WAITING; i++)
		cr_assert(eq(int, answer(NONE, i + 100), FAULT_WAITS));
}

Test(fault_port, what_its_device_forgets_has_no_answer)
{
	raise_group(NONE, 1, true);
	fault_forget(&port);
	fault_end(&port, DMA_PAGE_INVALID, true);
	cr_assert(eq(int, answer(NONE, 1), FAULT_FORGOTTEN));
	cr_assert(zero(u32, got.nr));
	cr_assert(eq(u64, port.counts.forgotten, 1));
	cr_assert(eq(u64, port.counts.late, 1));
	cr_assert(raise_group(NONE, 1, true));
	cr_assert(eq(int, answer(NONE, 1), FAULT_WAITS));
}

Test(fault_port, so_many_wait_and_others_are_remembered_while_there_is_room)
{
	for (u16 i = 0; i < FAULT_MAX_WAITING; i++)
		cr_assert(raise_group(NONE, i, true));
	cr_assert(not(raise_group(NONE, 500, true)));
	cr_assert(raise_group(NONE, 500, false), "what is not the last takes no place");
	for (u16 i = 0; i < 500; i++) {
		cr_assert(eq(int, answer(NONE, i), FAULT_WAITS));
		cr_assert(raise_group(NONE, i + FAULT_MAX_WAITING, true));
		cr_assert(eq(int, answer(NONE, i), FAULT_ANSWERED));
	}
	cr_assert(eq(int, answer(NONE, 0), FAULT_UNKNOWN), "too long ago");
}

static bool look(u64 *oldest)
{
	fault_end_overdue(&port);
	return fault_find_oldest(&port, oldest);
}

Test(fault_port, what_waits_too_long_is_answered_and_the_rest_is_not)
{
	u64 oldest = 0;

	cr_assert(raise_group(NONE, 1, true));
	at = 500000;
	cr_assert(raise_group(NONE, 2, true));
	cr_assert(look(&oldest));
	cr_assert(zero(u64, oldest));
	at = 1000000;
	cr_assert(look(&oldest));
	cr_assert(eq(u64, oldest, 500000));
	cr_assert(eq(u32, got.nr, 1));
	cr_assert(eq(u16, got.last.group, 1));
	cr_assert(eq(int, got.last.code, DMA_PAGE_INVALID));
	at = 2000000;
	cr_assert(not(look(&oldest)), "nothing waits");
	cr_assert(eq(u32, got.nr, 2));
	cr_assert(eq(u64, port.counts.timed_out, 2));
}

Test(fault_port, a_name_whose_time_is_over_is_taken_until_it_is_answered)
{
	cr_assert(raise_group(NONE, 1, true));
	fault_time_out(&port, NONE, 1);
	cr_assert(not(raise_group(NONE, 1, true)));
	cr_assert(not(raise_group(NONE, 1, false)));
	cr_assert(raise_group(5, 1, true), "another's");
	cr_assert(eq(int, answer(NONE, 1), FAULT_OVERDUE));
	cr_assert(eq(u32, got.nr, 1), "it has had its answer");
	cr_assert(eq(u64, port.counts.late, 1));
	cr_assert(eq(int, answer(NONE, 1), FAULT_ANSWERED));
	cr_assert(raise_group(NONE, 1, true));
}

Test(fault_port, a_guest_that_never_answers_is_asked_no_more_than_there_are_names_to_know)
{
	unsigned int asked = 0;

	for (u16 i = 0; i < 500; i++) {
		if (!raise_group(NONE, i, true))
			continue;
		asked++;
		fault_time_out(&port, NONE, i);
	}
	cr_assert(eq(u32, asked, FAULT_GROUPS));
	cr_assert(eq(u32, got.nr, FAULT_GROUPS));
	fault_end(&port, DMA_PAGE_FAILURE, true);
	cr_assert(eq(u32, got.nr, FAULT_GROUPS), "they had their answers");
	for (u16 i = 0; i < FAULT_MAX_WAITING; i++)
		cr_assert(raise_group(NONE, i, true), "names are free again");
	cr_assert(not(raise_group(NONE, 400, true)));
	fault_forget(&port);
	cr_assert(raise_group(NONE, 400, true));
}

Test(fault_port, while_names_are_overdue_others_are_remembered_and_found)
{
	for (u16 i = 0; i < 40; i++) {
		raise_group(NONE, i, true);
		fault_time_out(&port, NONE, i);
	}
	for (u16 round = 0; round < 100; round++) {
		cr_assert(raise_group(1, round, true));
		cr_assert(eq(int, answer(1, round), FAULT_WAITS));
	}
	for (u16 i = 0; i < 40; i++)
		cr_assert(eq(int, answer(NONE, i), FAULT_OVERDUE));
}

Test(fault_port, what_is_given_up_has_its_answer_and_keeps_its_name)
{
	cr_assert(raise_group(NONE, 1, true));
	fault_give_up(&port, NONE, 1);
	fault_give_up(&port, NONE, 1);
	cr_assert(eq(u32, got.nr, 1));
	cr_assert(eq(u64, port.counts.ended, 1));
	cr_assert(zero(u64, port.counts.timed_out));
	cr_assert(not(raise_group(NONE, 1, true)));
	cr_assert(eq(int, answer(NONE, 1), FAULT_OVERDUE));
	cr_assert(raise_group(NONE, 1, true));
}

static unsigned int rooms;

static void room(struct dma_device *d)
{
	(void)d;
	rooms++;
}

Test(fault_port, a_late_answer_that_frees_a_name_is_told)
{
	rooms = 0;
	device.page_room = room;
	cr_assert(raise_group(NONE, 1, true));
	fault_time_out(&port, NONE, 1);
	cr_assert(zero(u32, rooms));
	answer(NONE, 1);
	answer(NONE, 1);
	cr_assert(eq(u32, rooms, 1));
	device.page_room = NULL;
}

/* The one that asks again has the place of the first, which was looked at before. */
Test(fault_port, what_is_asked_for_as_others_time_out_is_seen_to_wait)
{
	u64 oldest = 0;

	cr_assert(raise_group(NONE, 1, true));
	got.asks_again = true;
	at = 1000000;
	cr_assert(look(&oldest));
	cr_assert(eq(u64, oldest, 1000000));
	got.asks_again = false;
}
