// SPDX-License-Identifier: GPL-2.0-only
/* Virtqueues whose used side stalls: what is given back waits, is seen in order, and interrupts
 * once. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/unit/fake_virtio.h"

#define BASE 0x80000000ULL
#define BUF  (BASE + RING_END)
#define SIZE 8

static u8 ram[0x8000] __attribute__((aligned(4096)));
static struct guest_mem mem = { .base = BASE, .size = sizeof(ram), .host = ram };
static struct stalling_space space;
static struct fake_dev fake;
static struct virtq *vq = &fake.vq[1];
static struct driver drv;
static struct virtq_chain chains[SIZE];

TestSuite(virtq_used, .timeout = 20);

static void start(u64 features)
{
	stalling_init(&space, &mem);
	fake_dev_init(&fake, &space.space, features);
	fake.dev.acked = features | BIT(VIRTIO_F_VERSION_1);
	fake.dev.status = VIRTIO_CONFIG_S_DRIVER_OK;
	driver_start(&drv, &mem, vq, SIZE);
	for (u16 i = 0; i < SIZE; i++)
		driver_desc(&drv, i, BUF, 0x10, VRING_DESC_F_WRITE, 0);
}

static void pop(unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		driver_avail(&drv, i);
		cr_assert(virtq_pop(vq, &chains[i]));
	}
}

/* The access number @at from here on waits. */
static void stall(unsigned int at)
{
	space.accesses = 0;
	space.stall_at = at;
}

static void give_back(unsigned int i)
{
	virtq_push(vq, &chains[i], 0x10 + i);
	virtq_interrupt(vq);
}

static void expect_seen(unsigned int nr)
{
	cr_assert(eq(u32, driver_used_idx(&drv), nr));
	for (unsigned int i = 0; i < nr; i++) {
		cr_assert(eq(u32, driver_used(&drv, i).id, i));
		cr_assert(eq(u32, driver_used(&drv, i).len, 0x10 + i));
	}
}

static void resume(void)
{
	struct dma_token *token = space.token;

	cr_assert(eq(ptr, token, &vq->used_token));
	space.token = NULL;
	token->resume(token);
}

/* The element, the index, the driver's wish. */
ParameterizedTestParameters(virtq_used, each_access_of_it_can_wait)
{
	static u64 features[] = { 0, BIT(VIRTIO_RING_F_EVENT_IDX) };

	return cr_make_param_array(u64, features, ARRAY_SIZE(features));
}

ParameterizedTest(u64 *features, virtq_used, each_access_of_it_can_wait)
{
	for (unsigned int at = 1; at <= 3; at++) {
		memset(ram, 0, sizeof(ram));
		start(*features);
		pop(1);
		stall(at);
		give_back(0);
		cr_assert(eq(u32, space.accesses, at), "nothing is tried behind it");
		cr_assert(zero(u32, fake.transport.interrupts), "access %u", at);
		cr_assert(eq(u32, driver_used_idx(&drv), at == 3), "access %u", at);
		cr_assert(zero(u32, space.use.users));
		cr_assert(zero(u32, fake.dev.in_flight));
		resume();
		expect_seen(1);
		cr_assert(eq(u32, fake.transport.interrupts, 1));
		cr_assert(eq(u32, fake.dev.status, VIRTIO_CONFIG_S_DRIVER_OK));
	}
}

Test(virtq_used, what_comes_meanwhile_waits_behind_it_without_an_access)
{
	start(0);
	pop(4);
	stall(1);
	give_back(0);
	give_back(1);
	give_back(2);
	cr_assert(eq(u32, space.accesses, 1));
	expect_seen(0);
	resume();
	expect_seen(3);
	cr_assert(eq(u32, fake.transport.interrupts, 1), "one for all of them");
	give_back(3);
	expect_seen(4);
	cr_assert(eq(u32, fake.transport.interrupts, 2));
}

Test(virtq_used, it_may_wait_again)
{
	start(0);
	pop(2);
	stall(1);
	give_back(0);
	give_back(1);
	for (unsigned int i = 1; i <= 3; i++) { /* the second element, the index, the wish */
		stall(2);
		resume();
		cr_assert(zero(u32, fake.transport.interrupts));
		expect_seen(i == 3 ? 2 : 0);
	}
	resume();
	expect_seen(2);
	cr_assert(eq(u32, fake.transport.interrupts, 1));
}

Test(virtq_used, chains_that_are_to_be_seen_together_are)
{
	start(0);
	pop(2);
	stall(2);
	virtq_fill(vq, &chains[0], 0x10);
	virtq_fill(vq, &chains[1], 0x11);
	expect_seen(0);
	virtq_publish(vq);
	expect_seen(0);
	resume();
	expect_seen(2);
	cr_assert(zero(u32, fake.transport.interrupts), "which nobody has asked for");
}

Test(virtq_used, a_driver_that_does_not_want_to_know_is_not_interrupted)
{
	start(0);
	driver_set_avail_flags(&drv, VRING_AVAIL_F_NO_INTERRUPT);
	pop(1);
	stall(3);
	give_back(0);
	resume();
	expect_seen(1);
	cr_assert(zero(u32, fake.transport.interrupts));
}

Test(virtq_used, what_is_not_given_back_is_no_room_for_more)
{
	start(0);
	pop(SIZE);
	stall(1);
	for (unsigned int i = 0; i < SIZE; i++)
		give_back(i);
	driver_avail(&drv, 0);
	cr_assert(not(virtq_pop(vq, &chains[0])), "a driver that has nothing back has none more");
	resume();
	cr_assert(eq(u32, fake.notified, 1), "and is looked at again");
	expect_seen(SIZE);
	cr_assert(virtq_pop(vq, &chains[0]));
}

Test(virtq_used, a_reset_ends_it)
{
	start(0);
	pop(2);
	stall(1);
	give_back(0);
	virtio_reset_queue(vq);
	resume(); /* as if it had been under way */
	expect_seen(0);
	give_back(1);
	cr_assert(zero(u32, vq->enabled), "the reset has ended");
	expect_seen(0);
	cr_assert(zero(u32, fake.transport.interrupts));
	start(0);
	pop(1);
	stall(0);
	give_back(0);
	expect_seen(1);
}

Test(virtq_used, a_queue_that_was_reset_while_it_waited_is_as_new)
{
	start(0);
	pop(1);
	stall(1);
	give_back(0);
	virtio_reset_queue(vq);
	cr_assert(zero(u32, vq->enabled));
	driver_start(&drv, &mem, vq, SIZE);
	pop(2);
	cr_assert(zero(u32, fake.transport.interrupts));
	give_back(0);
	give_back(1);
	expect_seen(2);
	cr_assert(eq(u32, fake.transport.interrupts, 2));
}

static enum dma_status refuse(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                              struct dma_token *token)
{
	(void)s, (void)sg, (void)token;
	a->done = 0;
	a->reason = DMA_NOT_MAPPED;
	return DMA_FAULT;
}

Test(virtq_used, what_is_terminated_has_broken_the_queue)
{
	static const struct dma_ops refuses = { .map = refuse };

	start(0);
	pop(1);
	stall(1);
	give_back(0);
	space.space.ops = &refuses;
	resume();
	cr_assert(
		eq(u32, fake.dev.status, VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_NEEDS_RESET));
	expect_seen(0);
}
