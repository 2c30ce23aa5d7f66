// SPDX-License-Identifier: GPL-2.0-only
/* A function's faults by way of a kernel's mock device: nobody is asked before its queue has them,
 * and it has one answer to each, whatever becomes of who waits. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/iommufd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests/unit/fake_iommufd.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/fake_stalls.h"
#include "tests/unit/said.h"
#include "vfio/mock.h"

#define PAGE   4096ULL
#define PLACES 64

static struct vm vm;
static struct fault_hub hub;
static struct fake_stalls space;
static struct mock *mock;
static unsigned int raised, shown, resumed;
static struct dma_page_request seen[PLACES];

static int create(struct uapi *u, u32 ioas, u32 faultq)
{
	(void)u;
	cr_assert(ioas && faultq);
	return 7;
}

static int raise_fault(struct uapi *u, u32 dev, const struct fault_request *rq, u32 group)
{
	struct fake_faults *q = &fake_faults;

	(void)u;
	cr_assert(eq(u32, dev, 7));
	cr_assert(lt(u32, q->nr, FAKE_MAX_FAULTS));
	q->queue[q->nr++] = (struct fake_fault){ .device = dev,
		                                 .addr = rq->addr,
		                                 .perm = IOMMU_PGFAULT_PERM_WRITE,
		                                 .pasid = rq->pasid == DMA_NO_PASID ? 0 : rq->pasid,
		                                 .group = group };
	raised++;
	eventfd_write(q->fd, 1);
	return 0;
}

static void show(void *ctx, const struct dma_page_request *rq)
{
	cr_assert(eq(ptr, ctx, &space));
	seen[shown++ % PLACES] = *rq;
}

static void make_mock(bool stalls)
{
	static const struct mock_wire wire = { .create = create, .raise = raise_fault };
	const struct mock_config c = { .vm = &vm,
		                       .wire = &wire,
		                       .ops = &fake_iommufd_ops,
		                       .name = "mock",
		                       .under = &space.dma,
		                       .hub = &hub,
		                       .stalls = stalls };

	cr_assert(zero(int, mock_create(&mock, &c)));
	mock_relay(mock)->show = show;
	mock_relay(mock)->ctx = &space;
	mock_settle(mock);
}

static void make(void)
{
	fake_vm(&vm, 1);
	fake_stalls_init(&space);
	fault_hub_init(&hub, vm.loop, vm.log);
	make_mock(true);
}

static void end(void)
{
	fake_vm_stop(&vm);
	loop_drain(vm.loop);
	mock_destroy(mock);
	mock = NULL;
}

static void unmake(void)
{
	if (mock)
		end();
	cr_assert(zero(u32, fake_faults.unknown));
	fake_vm_destroy(&vm);
}

TestSuite(mock, .init = make, .fini = unmake, .timeout = 60);

static void resume(struct dma_token *t)
{
	(void)t;
	resumed++;
}

static enum dma_status reach(unsigned int page, struct dma_token *token)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = dma_access_to(page * PAGE, 8, DMA_WRITE);

	token->resume = resume;
	return dma_map(mock_space(mock), &a, &sg, token);
}

/* The kernel's queue is read. */
static void settle(void)
{
	for (unsigned int i = 0; i < 5000 && fake_faults.nr; i++)
		fake_vm_run(&vm, 1);
	cr_assert(zero(u32, fake_faults.nr));
}

static bool nobody_waits(void)
{
	return TAILQ_EMPTY(&space.waiting);
}

static void is_answered(unsigned int nr, u32 code)
{
	cr_assert(eq(u32, fake_faults.answered, nr));
	cr_assert(eq(u32, fake_faults.answers[nr - 1], code));
}

Test(mock, an_access_goes_on_when_the_guest_and_then_the_kernel_are_done)
{
	static struct dma_token t;

	cr_assert(eq(int, reach(0, &t), DMA_PENDING));
	cr_assert(nobody_waits(), "the guest does not know yet");
	settle();
	cr_assert(not(nobody_waits()));
	cr_assert(zero(u32, fake_faults.answered));
	space.pages[0] = FAKE_MAPPED;
	cr_assert(fake_stalls_answer(&space, 0, true));
	is_answered(1, IOMMUFD_PAGE_RESP_SUCCESS);
	cr_assert(eq(u32, resumed, 1));
	cr_assert(eq(int, reach(0, &t), DMA_OK));
	cr_assert(eq(u32, raised, 1));
}

Test(mock, an_access_that_is_refused_fails_once)
{
	static struct dma_token t;

	reach(0, &t);
	settle();
	fake_stalls_answer(&space, 0, false);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(eq(u32, resumed, 1));
	space.pages[1] = FAKE_MAPPED;
	cr_assert(eq(int, reach(1, &t), DMA_OK), "of two ranges, the other");
	cr_assert(eq(int, reach(0, &t), DMA_FAULT));
	cr_assert(eq(int, reach(0, &t), DMA_PENDING), "another");
	settle();
	fake_stalls_answer(&space, 0, false);
	cr_assert(eq(int, reach(2, &t), DMA_PENDING), "what was refused was elsewhere");
}

Test(mock, what_the_guest_cannot_help_is_refused_unasked)
{
	static struct dma_token t;

	space.pages[0] = FAKE_NOWHERE;
	cr_assert(eq(int, reach(0, &t), DMA_PENDING));
	settle();
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(eq(int, reach(0, &t), DMA_FAULT));
	cr_assert(eq(u64, hub.ended[FAULT_REFUSED], 1));
}

Test(mock, who_gives_up_before_the_kernel_has_told_is_not_asked_for)
{
	static struct dma_token t;

	reach(0, &t);
	dma_cancel(mock_space(mock), &t);
	settle();
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(nobody_waits());
	cr_assert(zero(u32, resumed));
}

Test(mock, who_gives_up_meanwhile_is_not_resumed)
{
	static struct dma_token t;

	reach(0, &t);
	settle();
	dma_cancel(mock_space(mock), &t);
	fake_stalls_answer(&space, 0, false);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(zero(u32, resumed));
}

Test(mock, what_was_given_up_ends_there_and_then)
{
	static struct dma_token t;

	reach(0, &t);
	settle();
	dma_cancel(mock_space(mock), &t);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(nobody_waits());
	cr_assert(eq(u64, hub.ended[FAULT_ENDED_BY], 1));
}

Test(mock, one_that_finds_no_place_is_counted)
{
	static struct dma_token t[65];

	for (unsigned int i = 0; i < 64; i++)
		cr_assert(eq(int, reach(0, &t[i]), DMA_PENDING));
	cr_assert(eq(int, reach(0, &t[64]), DMA_FAULT));
	cr_assert(eq(u64, hub.ended[FAULT_NO_ROOM], 1));
	for (unsigned int i = 0; i < 64; i++)
		dma_cancel(mock_space(mock), &t[i]);
	settle();
	is_answered(64, IOMMUFD_PAGE_RESP_INVALID);
}

Test(mock, what_was_refused_is_asked_for_again_once_it_was_reached)
{
	static struct dma_token t;

	reach(0, &t);
	settle();
	fake_stalls_answer(&space, 0, false);
	space.pages[0] = FAKE_MAPPED;
	cr_assert(eq(int, reach(0, &t), DMA_OK));
	space.pages[0] = FAKE_STALLS;
	cr_assert(eq(int, reach(0, &t), DMA_PENDING));
	dma_cancel(mock_space(mock), &t);
	settle();
}

Test(mock, what_waits_at_the_end_is_answered)
{
	static struct dma_token t;

	reach(0, &t);
	settle();
	dma_cancel(mock_space(mock), &t);
	end();
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(nobody_waits());
}

Test(mock, a_function_that_does_not_stall_fails_as_its_iommu_says)
{
	static struct dma_token t;

	end();
	make_mock(false);
	space.pages[0] = FAKE_NOWHERE;
	cr_assert(eq(int, reach(0, &t), DMA_FAULT));
	cr_assert(zero(u32, raised));
}

static bool ask(u16 group, u32 pasid, bool last)
{
	const struct dma_page_request rq = {
		.iova = PAGE * group, .perm = DMA_READ, .pasid = pasid, .group = group, .last = last
	};

	return mock_relay(mock)->ask(mock_relay(mock), &rq);
}

static void answer(u16 group, u32 pasid, enum dma_page_code code)
{
	mock_relay(mock)->answered(mock_relay(mock),
	                           &(struct dma_page_response){ pasid, group, code });
}

Test(mock, a_group_is_shown_page_by_page_and_each_is_answered)
{
	for (unsigned int i = 0; i < 3; i++)
		cr_assert(ask(5, 2, i == 2));
	cr_assert(ask(5, 3, true));
	cr_assert(zero(u32, shown));
	settle();
	cr_assert(eq(u32, shown, 4));
	cr_assert(not(seen[1].last));
	cr_assert(seen[2].last);
	answer(5, 2, DMA_PAGE_SUCCESS);
	is_answered(3, IOMMUFD_PAGE_RESP_SUCCESS);
	answer(5, 2, DMA_PAGE_SUCCESS);
	cr_assert(eq(u32, fake_faults.answered, 3), "once");
	answer(5, 3, DMA_PAGE_INVALID);
	is_answered(4, IOMMUFD_PAGE_RESP_INVALID);
}

Test(mock, a_failure_without_a_pasid_is_the_whole_index)
{
	ask(5, 2, true);
	ask(5, 3, true);
	ask(6, 2, true);
	settle();
	answer(5, DMA_NO_PASID, DMA_PAGE_INVALID);
	cr_assert(zero(u32, fake_faults.answered));
	answer(5, DMA_NO_PASID, DMA_PAGE_FAILURE);
	is_answered(2, IOMMUFD_PAGE_RESP_INVALID);
}

Test(mock, what_is_forgotten_is_answered_and_not_shown)
{
	ask(1, DMA_NO_PASID, true);
	settle();
	ask(2, DMA_NO_PASID, true);
	mock_relay(mock)->forget(mock_relay(mock));
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	settle();
	is_answered(2, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(eq(u32, shown, 1));
}

Test(mock, no_more_than_there_is_room_for)
{
	static struct dma_token t;

	for (unsigned int i = 0; i < PLACES; i++)
		cr_assert(ask(i, DMA_NO_PASID, true));
	cr_assert(not(ask(100, DMA_NO_PASID, true)));
	cr_assert(eq(int, reach(0, &t), DMA_FAULT));
	fake_faults.nr = 0; /* cookies are as many less one */
}

/* @nr accesses wait, each for another page. */
static void reach_each(struct dma_token *tokens, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		cr_assert(eq(int, reach(i, &tokens[i]), DMA_PENDING));
}

/* And go on in their order. */
static void serve_each(unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		space.pages[i] = FAKE_MAPPED;
		cr_assert(fake_stalls_answer(&space, 0, true));
		is_answered(i + 1, IOMMUFD_PAGE_RESP_SUCCESS);
	}
	cr_assert(eq(u32, resumed, nr));
	cr_assert(nobody_waits());
}

Test(mock, what_one_read_does_not_give_the_next_one_does)
{
	static struct dma_token t[5];

	fake_faults.at_once = 2;
	reach_each(t, 5);
	settle();
	serve_each(5);
}

Test(mock, a_read_that_fails_for_now_is_made_again_and_loses_none)
{
	static const int errs[] = { -EINTR, -EAGAIN, -ENOMEM };
	static struct dma_token t[2 * ARRAY_SIZE(errs)];

	fake_faults.at_once = 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(errs); i++) {
		fake_faults.read_err = errs[i];
		for (unsigned int n = 2 * i; n < 2 * i + 2; n++)
			cr_assert(eq(int, reach(n, &t[n]), DMA_PENDING));
		settle();
		cr_assert(zero(int, fake_faults.read_err));
	}
	serve_each(ARRAY_SIZE(t));
}

Test(mock, a_queue_that_fails_is_said_once_and_read_no_more)
{
	static struct dma_token t[3];

	reach_each(t, 1);
	settle();
	listen_to_errors();
	fake_faults.read_err = -EIO;
	cr_assert(eq(int, reach(1, &t[1]), DMA_PENDING));
	for (unsigned int i = 0; i < 5000 && fake_faults.read_err; i++)
		fake_vm_run(&vm, 1);
	cr_assert(zero(int, fake_faults.read_err));
	cr_assert(eq(int, reach(2, &t[2]), DMA_PENDING));
	fake_vm_run(&vm, 20);
	cr_assert(eq(u32, fake_faults.nr, 2));
	cr_assert(eq(str, said(stderr),
	             "nestor: the mock device's page faults: Input/output error: none is served "
	             "from now on\n"));
	serve_each(1); /* what was read can be answered */
	for (unsigned int i = 1; i < 3; i++)
		dma_cancel(mock_space(mock), &t[i]);
	end();
	is_answered(1, IOMMUFD_PAGE_RESP_SUCCESS);
}

Test(mock, whatever_happens_each_has_one_answer)
{
	static struct dma_token tokens[8];
	bool waits[8] = { 0 };

	srand(1);
	for (unsigned int step = 0; step < 20000; step++) {
		const unsigned int i = rand() % 8;
		const u32 before = resumed;

		switch (rand() % 6) {
		case 0:
			if (!waits[i])
				waits[i] = reach(i, &tokens[i]) == DMA_PENDING;
			break;
		case 1:
			fake_stalls_answer(&space, rand() % 4, rand() % 2);
			if (resumed != before)
				memset(waits, 0, sizeof(waits)); /* who it was asks again, or not */
			break;
		case 2:
			dma_cancel(mock_space(mock), &tokens[i]);
			waits[i] = false;
			break;
		case 3: space.pages[i] = rand() % 3; break;
		case 4:
			if (raised - fake_faults.answered < PLACES / 2)
				ask(i, DMA_NO_PASID, true);
			break;
		case 5: answer(i, DMA_NO_PASID, rand() % 3); break;
		}
		if (raised - fake_faults.answered > PLACES / 2 || !(rand() % 50))
			settle();
	}
	for (unsigned int i = 0; i < 8; i++)
		dma_cancel(mock_space(mock), &tokens[i]);
	settle();
	mock_relay(mock)->forget(mock_relay(mock));
	while (fake_stalls_answer(&space, 0, false))
		;
	cr_assert(eq(u32, fake_faults.answered, raised));
}
