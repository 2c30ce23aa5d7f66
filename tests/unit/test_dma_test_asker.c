// SPDX-License-Identifier: GPL-2.0-only
/* Page requests of the DMA endpoint that no slot of its makes: they have its credits and its names,
 * and whoever asked has the answer. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "fault/asker.h"
#include "fault/relay.h"
#include "tests/unit/fake_dma_test.h"

#define PRI  0x108
#define PAGE 4096

/* Two who ask. */
static struct fake_taker {
	struct fault_taker taker;
	struct dma_page_request asked;
	unsigned int answers, rooms, forgotten;
	enum dma_page_code code;
} one, other;

static bool answered(struct fault_taker *t, const struct dma_page_response *r)
{
	struct fake_taker *f = container_of(t, struct fake_taker, taker);

	if (f->asked.group != r->group || f->asked.pasid != r->pasid)
		return false;
	f->answers++;
	f->code = r->code;
	return true;
}

static void room(struct fault_taker *t)
{
	container_of(t, struct fake_taker, taker)->rooms++;
}

static void forgotten(struct fault_taker *t)
{
	container_of(t, struct fake_taker, taker)->forgotten++;
}

static struct fault_asker *asker(void)
{
	return dma_test_func(endpoint)->ats.asker;
}

static void pri(u16 control)
{
	fake_write(&vm, cfg(0, PRI + PCI_PRI_CTRL), 2, control);
}

static u16 pri_status(void)
{
	return fake_read(&vm, cfg(0, PRI + PCI_PRI_STATUS), 2) & ~PCI_PRI_STATUS_STOPPED;
}

static void make_with(struct fault_relay *relay)
{
	fake_endpoint(fake_space(),
	              (struct dma_test_config){ .ats = true, .pri = true, .relay = relay });
	fake_endpoint_enable();
	fake_write(&vm, cfg(0, PRI + PCI_PRI_ALLOC_REQ), 4, 4);
	pri(PCI_PRI_CTRL_ENABLE);
	one = other = (struct fake_taker){ .taker = { answered, room, forgotten, NULL } };
	fault_asker_add(asker(), &one.taker);
	fault_asker_add(asker(), &other.taker);
}

static void make(void)
{
	make_with(NULL);
}

static bool goes_by(struct fault_relay *r, const struct dma_page_request *rq)
{
	(void)r, (void)rq;
	return true;
}

static void comes_back(struct fault_relay *r, const struct dma_page_response *p)
{
	(void)r, (void)p;
}

static void forgets(struct fault_relay *r)
{
	(void)r;
}

static struct fault_relay relay = { .ask = goes_by, .answered = comes_back, .forget = forgets };

static void make_relayed(void)
{
	make_with(&relay);
}

TestSuite(dma_relayed, .init = make_relayed, .fini = fake_endpoint_end, .timeout = 20);
TestSuite(dma_asker, .init = make, .fini = fake_endpoint_end, .timeout = 20);

static enum fault_asked ask(struct fake_taker *t, u16 group, bool last)
{
	t->asked = (struct dma_page_request){
		.iova = PAGE, .perm = DMA_READ, .pasid = DMA_NO_PASID, .group = group, .last = last
	};
	return asker()->ask(asker(), &t->asked);
}

static void respond(u16 group, enum dma_page_code code)
{
	const struct dma_page_response r = { DMA_NO_PASID, group, code };

	iommu.space.device->page_response(iommu.space.device, &r);
}

static u32 outstanding(void)
{
	return get(regs + 0x20, 4);
}

static bool has(u16 group)
{
	return asker()->has(asker(), DMA_NO_PASID, group);
}

Test(dma_asker, who_asked_has_the_answer)
{
	cr_assert(eq(int, ask(&one, 3, true), FAULT_ASKED));
	cr_assert(eq(int, ask(&other, 4, true), FAULT_ASKED));
	cr_assert(eq(u32, iommu.nr_requests, 2));
	cr_assert(eq(u32, iommu.requests[1].group, 4));
	cr_assert(has(3) && has(4) && !has(5));
	respond(4, DMA_PAGE_INVALID);
	cr_assert(zero(u32, one.answers));
	cr_assert(eq(u32, other.answers, 1));
	cr_assert(eq(int, other.code, DMA_PAGE_INVALID));
	cr_assert(has(3) && !has(4));
	cr_assert(eq(u32, one.rooms, 1), "all are told");
	cr_assert(zero(u16, pri_status()));
}

Test(dma_asker, a_group_has_its_credits_until_its_answer)
{
	for (unsigned int i = 0; i < 3; i++)
		cr_assert(eq(int, ask(&one, 7, i == 2), FAULT_ASKED));
	cr_assert(eq(u32, outstanding(), 3));
	cr_assert(eq(int, ask(&other, 8, true), FAULT_ASKED));
	cr_assert(eq(int, ask(&other, 9, true), FAULT_NO_ROOM_NOW));
	respond(7, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, one.answers, 1));
	cr_assert(eq(u32, outstanding(), 1));
}

Test(dma_asker, a_slot_has_its_own_answers)
{
	const struct slot s = { .op = PAGE_REQUEST, .flags = PERM_READ | LAST, .iova = PAGE };

	cr_assert(eq(u32, start(0, s), AWAITING));
	cr_assert(eq(int, ask(&one, 1, true), FAULT_ASKED));
	respond(0, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(zero(u32, one.answers + other.answers));
	respond(1, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, one.answers, 1));
}

Test(dma_asker, an_answer_that_nobody_wants_is_taken_all_the_same)
{
	cr_assert(eq(int, ask(&one, 3, true), FAULT_ASKED));
	asker()->give_up(asker(), DMA_NO_PASID, 3);
	fault_asker_remove(asker(), &one.taker);
	cr_assert(has(3), "its name is not free");
	respond(3, DMA_PAGE_SUCCESS);
	cr_assert(zero(u32, one.answers + outstanding()));
	cr_assert(zero(u16, pri_status()));
	respond(3, DMA_PAGE_SUCCESS);
	cr_assert(eq(u16, pri_status(), PCI_PRI_STATUS_UPRGI));
}

Test(dma_asker, a_failure_is_the_answer_of_one_and_the_end_of_the_other)
{
	ask(&one, 3, true);
	ask(&other, 4, true);
	respond(3, DMA_PAGE_FAILURE);
	cr_assert(eq(int, one.code, DMA_PAGE_FAILURE));
	cr_assert(zero(u32, other.answers));
	cr_assert(eq(u32, other.forgotten, 1));
	cr_assert(eq(int, ask(&other, 5, true), FAULT_TAKES_NONE), "it is disabled");
}

Test(dma_asker, a_reset_of_the_function_forgets)
{
	ask(&one, 3, true);
	fake_endpoint_reset();
	cr_assert(zero(u32, one.answers));
	cr_assert(eq(u32, one.forgotten, 1));
	cr_assert(not(has(3)));
}

static void asks_as_it_is_forgotten(struct fault_taker *t)
{
	struct fake_taker *f = container_of(t, struct fake_taker, taker);

	f->forgotten++;
	cr_assert(eq(int, ask(f, 9, true), FAULT_TAKES_NONE));
}

Test(dma_asker, while_it_is_reset_it_asks_for_nothing)
{
	one.taker.forgotten = asks_as_it_is_forgotten;
	ask(&one, 3, true);
	fake_endpoint_reset();
	cr_assert(eq(u32, one.forgotten, 1));
	cr_assert(zero(u32, outstanding()));
}

/* A page of the group was not shown. */
Test(dma_relayed, what_had_no_room_is_no_success_of_its_group)
{
	ask(&one, 3, false);
	iommu.refuses = true;
	relay.show(relay.ctx, &one.asked);
	ask(&one, 3, true);
	iommu.refuses = false;
	relay.show(relay.ctx, &one.asked);
	respond(3, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, one.answers, 1));
	cr_assert(eq(int, one.code, DMA_PAGE_INVALID));
	cr_assert(zero(u32, outstanding()));
}

Test(dma_asker, what_is_not_enabled_asks_for_nothing)
{
	one.asked = (struct dma_page_request){ .iova = PAGE, .perm = DMA_READ, .last = true };
	cr_assert(eq(int, asker()->ask(asker(), &one.asked), FAULT_TAKES_NONE), "PASID 0");
	fake_endpoint_command(PCI_COMMAND_MEMORY);
	cr_assert(eq(int, ask(&one, 0, true), FAULT_TAKES_NONE));
	fake_endpoint_command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cr_assert(eq(int, ask(&one, 0, true), FAULT_ASKED));
	pri(0);
	cr_assert(eq(int, ask(&one, 1, true), FAULT_TAKES_NONE));
}

Test(dma_asker, what_the_iommu_refuses_has_no_room)
{
	iommu.refuses = true;
	cr_assert(eq(int, ask(&one, 3, true), FAULT_NO_ROOM_NOW));
	cr_assert(zero(u32, outstanding()));
	cr_assert(not(has(3)));
}

Test(dma_asker, a_credit_is_room_and_forgets_nothing)
{
	fake_write(&vm, cfg(0, PRI + PCI_PRI_ALLOC_REQ), 4, 0);
	cr_assert(eq(int, ask(&one, 3, true), FAULT_NO_ROOM_NOW));
	fake_write(&vm, cfg(0, PRI + PCI_PRI_ALLOC_REQ), 4, 1);
	cr_assert(eq(u32, one.forgotten, 0));
	cr_assert(eq(int, ask(&one, 3, true), FAULT_ASKED));
	other.rooms = 0;
	fake_write(&vm, cfg(0, PRI + PCI_PRI_ALLOC_REQ), 4, 4);
	cr_assert(ne(u32, other.rooms, 0));
	other.rooms = 0;
	pri(0);
	cr_assert(ne(u32, other.rooms, 0), "nothing is taken any more");
	other.rooms = 0;
	respond(9, DMA_PAGE_SUCCESS);
	cr_assert(ne(u32, other.rooms, 0), "a name may be free");
}

Test(dma_asker, a_name_that_waits_is_not_used)
{
	const struct slot s = { .op = PAGE_REQUEST, .flags = PERM_READ | LAST, .iova = PAGE };

	cr_assert(eq(u32, start(0, s), AWAITING));
	cr_assert(eq(int, ask(&one, 0, true), FAULT_NO_ROOM_NOW));
	cr_assert(eq(u32, outstanding(), 1));
}

static bool asks_again(struct fault_taker *t, const struct dma_page_response *r)
{
	return ask(container_of(t, struct fake_taker, taker), r->group + 1, true) !=
	       FAULT_NO_ROOM_NOW;
}

Test(dma_asker, after_a_failure_nothing_is_asked_for)
{
	one.taker.answered = asks_again;
	ask(&one, 3, true);
	respond(3, DMA_PAGE_FAILURE);
	cr_assert(eq(u32, iommu.nr_requests, 1));
}
