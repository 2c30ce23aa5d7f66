// SPDX-License-Identifier: GPL-2.0-only
/* Faults that are raised by hand at a function that asks for pages: one answer to who raised them,
 * whatever comes in between, and at which rate. */
#include <stdio.h>
#include <string.h>

#include "fault/asker.h"
#include "machine/fault_control.h"
#include "machine/iommu_kind.h"
#include "machine/machine.h"
#include "tests/unit/fake_assigned.h"
#include "tests/unit/fake_stalls.h"

#define MS 1000000ULL

/* The function, and its guest. */
static struct guest {
	struct fault_asker asker;
	struct dma_page_request asked[64];
	unsigned int nr, room, given_up;
	bool denies; /* each, at once */
} guest;

static struct machine machine;
static struct options options;
static struct fake_stalls space;
static struct log quiet;
static u64 ns;

/* Who raises them; and again, as that ends. */
static struct control_answer answer;
static struct control_fault what, next;
static bool raises_again;
static json_t *result;
static unsigned int results;

static u64 clock_of_test(void)
{
	return ns;
}

static void respond(unsigned int nth, enum dma_page_code code)
{
	const struct dma_page_response r = { guest.asked[nth].pasid, guest.asked[nth].group, code };

	fault_asker_answered(&guest.asker, &r);
	fault_asker_room(&guest.asker);
}

static enum fault_asked ask(struct fault_asker *a, const struct dma_page_request *rq)
{
	(void)a;
	if (guest.nr == guest.room)
		return FAULT_NO_ROOM_NOW;
	guest.asked[guest.nr++] = *rq;
	if (guest.denies)
		respond(guest.nr - 1, DMA_PAGE_FAILURE);
	return FAULT_ASKED;
}

static bool has(const struct fault_asker *a, u32 pasid, u16 group)
{
	(void)a, (void)pasid, (void)group;
	return false;
}

static void give_up(struct fault_asker *a, u32 pasid, u16 group)
{
	(void)a, (void)pasid, (void)group;
	guest.given_up++;
}

static struct dma_space *endpoint_dma(void *behind)
{
	(void)behind;
	return &space.dma;
}

static const struct iommu_kind kind = { .endpoint_dma = endpoint_dma };

static void done(struct control_answer *a, json_t *json)
{
	json_decref(result);
	result = json;
	results++;
	if (!raises_again)
		return;
	raises_again = false;
	cr_assert(zero(ptr, (void *)faults_raise(&machine, &next, a)));
}

static void prepare(void)
{
	fake_assigned_make();
	fake_stalls_init(&space);
	guest = (struct guest){ .asker = { .ask = ask, .has = has, .give_up = give_up },
		                .room = ARRAY_SIZE(guest.asked) };
	fake_at.pci->func.ats.asker = &guest.asker;
	options.iommus[0].kind = &kind;
	machine.options = &options;
	machine.nr_endpoints = 1;
	machine.endpoints[0] = (struct endpoint){ .func = &fake_at.pci->func };
	machine.vm.loop = fake_at.vm.loop;
	fault_hub_init(&machine.faults, fake_at.vm.loop, &quiet);
	machine.faults.clock = clock_of_test;
	ns = 1;
	answer.done = done;
	what = (struct control_fault){
		.device = "0:0.0", .pasid = CONTROL_NO_SSID, .perm = "w", .count = 1
	};
}

static void machine_goes(void)
{
	fake_vm_stop(&fake_at.vm);
	loop_drain(fake_at.vm.loop);
	while (machine.nr_owned) {
		const struct owned *last = &machine.owned[--machine.nr_owned];

		last->destroy(last->object);
	}
}

static void unmake(void)
{
	machine_goes();
	json_decref(result);
	fake_assigned_unmake();
}

TestSuite(fault_by_hand, .init = prepare, .fini = unmake, .timeout = 20);

static void raise_them(void)
{
	cr_assert(zero(ptr, (void *)faults_raise(&machine, &what, &answer)));
}

static json_int_t ended(const char *how)
{
	return json_integer_value(json_object_get(json_object_get(result, "ended"), how));
}

static json_int_t number(const char *name)
{
	return json_integer_value(json_object_get(result, name));
}

Test(fault_by_hand, one_after_the_other)
{
	what.count = 2;
	raise_them();
	cr_assert(eq(u32, guest.nr, 1));
	respond(0, DMA_PAGE_INVALID);
	cr_assert(eq(u32, guest.nr, 2));
	cr_assert(eq(u64, guest.asked[1].iova, 4096));
	cr_assert(zero(u32, results));
	respond(1, DMA_PAGE_INVALID);
	cr_assert(eq(u32, results, 1));
	cr_assert(eq(int, ended("aborted"), 2));
}

Test(fault_by_hand, the_next_ones_begin_as_the_last_ends)
{
	next = what;
	raises_again = true;
	raise_them();
	respond(0, DMA_PAGE_INVALID);
	cr_assert(eq(u32, results, 1));
	cr_assert(eq(u32, guest.nr, 2));
	respond(1, DMA_PAGE_INVALID);
	cr_assert(eq(u32, results, 2));
	cr_assert(eq(int, number("count"), 1));
}

Test(fault_by_hand, at_a_rate_whoever_has_answered)
{
	what.count = 3;
	what.rate = 1000;
	raise_them();
	cr_assert(eq(u32, guest.nr, 1));
	ns += 2 * MS;
	until(guest.nr == 3);
	for (unsigned int i = 3; i--;)
		respond(i, DMA_PAGE_INVALID);
	cr_assert(eq(u32, results, 1));
	cr_assert(eq(int, ended("aborted"), 3));
}

Test(fault_by_hand, many_that_are_due_have_several_turns)
{
	space.pages[1] = FAKE_MAPPED;
	what.addr = 4096;
	what.count = 40;
	what.rate = 100000;
	space.pages[2] = space.pages[3] = FAKE_MAPPED;
	guest.room = 0;
	raise_them();
	ns += 10 * MS;
	until(machine.faults.bridges->stats.received == 40);
	cr_assert(zero(u32, results), "nobody has answered");
}

Test(fault_by_hand, a_group_has_one_answer)
{
	what.grouped = what.last = true;
	what.group = 7;
	what.count = 3;
	raise_them();
	cr_assert(eq(u32, guest.nr, 3));
	cr_assert(not(guest.asked[1].last));
	cr_assert(guest.asked[2].last);
	respond(2, DMA_PAGE_SUCCESS);
	cr_assert(eq(int, ended("success"), 1));
	cr_assert(eq(int, number("requests"), 3));
	respond(2, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, results, 1), "it has had it");
}

Test(fault_by_hand, a_group_that_is_not_ended_has_none)
{
	what.grouped = true;
	what.count = 2;
	raise_them();
	cr_assert(eq(u32, results, 1));
	cr_assert(eq(int, number("requests"), 2));
	cr_assert(zero(int, number("count")));
}

Test(fault_by_hand, a_group_that_is_denied_early_is_sent_no_further)
{
	guest.denies = true;
	what.grouped = what.last = true;
	what.count = 3;
	raise_them();
	cr_assert(eq(int, ended("failure"), 1));
	cr_assert(eq(int, number("requests"), 1));
}

Test(fault_by_hand, a_group_without_room_says_so)
{
	guest.room = 2;
	what.grouped = what.last = true;
	what.count = 3;
	raise_them();
	cr_assert(eq(int, ended("no-room"), 1));
	cr_assert(eq(int, number("requests"), 2));
}

Test(fault_by_hand, a_function_that_forgets_ends_a_group)
{
	what.grouped = what.last = true;
	raise_them();
	fault_asker_forget(&guest.asker);
	cr_assert(eq(int, ended("ended"), 1));
}

Test(fault_by_hand, a_machine_that_goes_ends_what_waits)
{
	what.count = 5;
	what.rate = 1;
	raise_them();
	machine_goes();
	cr_assert(eq(u32, results, 1));
	cr_assert(eq(int, ended("ended"), 1));
}

Test(fault_by_hand, what_makes_no_sense_is_refused)
{
	static const struct {
		struct control_fault f;
		const char *expected;
	} rows[] = {
		{ { "0:7.0", 0, CONTROL_NO_SSID, "r", 1, 0, false, 0, false },
		  "a function behind" },
		{ { "0:0.0", 0, CONTROL_NO_SSID, "q", 1, 0, false, 0, false }, "letters of rwx" },
		{ { "0:0.0", 0, 1 << 20, "r", 1, 0, false, 0, false }, "20 bits" },
		{ { "0:0.0", 0, CONTROL_NO_SSID, "r", 0, 0, false, 0, false },
		  "1 to 100000 as count" },
		{ { "0:0.0", 0, CONTROL_NO_SSID, "r", 1, 100001, false, 0, false },
		  "at most 100000" },
		{ { "0:0.0", 0, CONTROL_NO_SSID, "r", 100000, 1, false, 0, false },
		  "no more than an hour" },
		{ { "0:0.0", 0, CONTROL_NO_SSID, "r", 1, 0, true, 512, false }, "0 to 511" },
		{ { "0:0.0", 0, CONTROL_NO_SSID, "r", 1, 5, true, 1, false }, "no rate" },
		{ { "0:0.0", 0, CONTROL_NO_SSID, "r", 1, 0, false, 0, true },
		  "a group beside last" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *said = faults_raise(&machine, &rows[i].f, &answer);

		cr_assert(said && !strncmp(said, rows[i].expected, strlen(rows[i].expected)),
		          "row %u: %s", i, said);
	}
	raise_them();
	cr_assert(ne(ptr, (void *)faults_raise(&machine, &what, &answer), NULL),
	          "another's are under way");
}
