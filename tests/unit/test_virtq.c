// SPDX-License-Identifier: GPL-2.0-only
/* Split virtqueues that behave: requests off, requests back, interrupts, stalls. */
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
static struct virtq_chain chain;

TestSuite(virtq, .timeout = 20);

static void start(u64 features)
{
	stalling_init(&space, &mem);
	fake_dev_init(&fake, &space.space, features);
	fake.dev.acked = features | BIT(VIRTIO_F_VERSION_1);
	fake.dev.status = VIRTIO_CONFIG_S_DRIVER_OK;
	driver_start(&drv, &mem, vq, SIZE);
}

/* Descriptors 0 to 2: two to read, one to write. */
static void one_chain(void)
{
	driver_desc(&drv, 0, BUF, 0x10, VRING_DESC_F_NEXT, 2);
	driver_desc(&drv, 2, BUF + 0x100, 0x20, VRING_DESC_F_NEXT, 1);
	driver_desc(&drv, 1, BUF + 0x200, 0x30, VRING_DESC_F_WRITE, 0);
}

static void expect_chain(void)
{
	cr_assert(eq(u32, chain.nr_out, 2));
	cr_assert(eq(u32, chain.nr_in, 1));
	cr_assert(eq(ptr, chain.iov[0].iov_base, ram + RING_END));
	cr_assert(eq(sz, chain.iov[0].iov_len, 0x10));
	cr_assert(eq(ptr, chain.iov[1].iov_base, ram + RING_END + 0x100));
	cr_assert(eq(ptr, chain.iov[2].iov_base, ram + RING_END + 0x200));
	cr_assert(eq(sz, chain.iov[2].iov_len, 0x30));
}

Test(virtq, a_chain_comes_off_in_its_order)
{
	start(0);
	one_chain();
	driver_avail(&drv, 0);
	cr_assert(virtq_pop(vq, &chain));
	cr_assert(zero(u32, chain.head));
	expect_chain();
	cr_assert(eq(u32, fake.dev.in_flight, 1));
	cr_assert(not(virtq_pop(vq, &chain)));
	cr_assert(eq(u32, fake.dev.status, VIRTIO_CONFIG_S_DRIVER_OK));
}

Test(virtq, what_is_pushed_is_in_the_used_ring)
{
	start(0);
	one_chain();
	driver_avail(&drv, 0);
	cr_assert(virtq_pop(vq, &chain));
	virtq_push(vq, &chain, 0x2f);
	cr_assert(eq(u32, driver_used_idx(&drv), 1));
	cr_assert(zero(u32, driver_used(&drv, 0).id));
	cr_assert(eq(u32, driver_used(&drv, 0).len, 0x2f));
	cr_assert(zero(u32, fake.dev.in_flight));
	cr_assert(zero(u32, space.use.users));
}

Test(virtq, requests_can_go_back_in_another_order)
{
	static struct virtq_chain second;

	start(0);
	driver_desc(&drv, 3, BUF, 1, VRING_DESC_F_WRITE, 0);
	driver_desc(&drv, 6, BUF + 8, 1, VRING_DESC_F_WRITE, 0);
	driver_avail(&drv, 3);
	driver_avail(&drv, 6);
	cr_assert(virtq_pop(vq, &chain));
	cr_assert(virtq_pop(vq, &second));
	virtq_push(vq, &second, 1);
	virtq_push(vq, &chain, 0);
	cr_assert(eq(u32, driver_used(&drv, 0).id, 6));
	cr_assert(eq(u32, driver_used(&drv, 1).id, 3));
	cr_assert(eq(u32, driver_used_idx(&drv), 2));
}

Test(virtq, what_is_filled_is_seen_when_it_is_published)
{
	static struct virtq_chain second;

	start(0);
	for (u16 i = 0; i < 2; i++) {
		driver_desc(&drv, i, BUF + i * 8, 8, VRING_DESC_F_WRITE, 0);
		driver_avail(&drv, i);
	}
	cr_assert(virtq_pop(vq, &chain));
	cr_assert(virtq_pop(vq, &second));
	virtq_fill(vq, &chain, 8);
	virtq_fill(vq, &second, 5);
	cr_assert(zero(u32, driver_used_idx(&drv)));
	virtq_publish(vq);
	cr_assert(eq(u32, driver_used_idx(&drv), 2));
	cr_assert(eq(u32, driver_used(&drv, 0).len, 8));
	cr_assert(eq(u32, driver_used(&drv, 1).len, 5));
	cr_assert(zero(u32, fake.dev.in_flight));
}

Test(virtq, the_indexes_wrap)
{
	start(BIT(VIRTIO_RING_F_EVENT_IDX));
	for (u32 i = 0; i < 0x10000 + 2 * SIZE; i++) {
		driver_desc(&drv, i % SIZE, BUF, 1, 0, 0);
		driver_avail(&drv, i % SIZE);
		cr_assert(virtq_pop(vq, &chain));
		cr_assert(eq(u32, chain.head, i % SIZE));
		driver_set_used_event(&drv, i);
		virtq_push(vq, &chain, 0);
		virtq_interrupt(vq);
	}
	cr_assert(eq(u32, driver_used_idx(&drv), 2 * SIZE));
	cr_assert(eq(u32, fake.transport.interrupts, 0x10000 + 2 * SIZE));
}

Test(virtq, a_whole_queue_can_be_one_chain)
{
	start(0);
	for (u16 i = 0; i < SIZE; i++)
		driver_desc(&drv, i, BUF + i, 1, i < SIZE - 1 ? VRING_DESC_F_NEXT : 0, i + 1);
	driver_avail(&drv, 0);
	cr_assert(virtq_pop(vq, &chain));
	cr_assert(eq(u32, chain.nr_out, SIZE));
}

Test(virtq, an_indirect_table_is_followed)
{
	u64 table = RING_END + 0x400;

	start(BIT(VIRTIO_RING_F_INDIRECT_DESC));
	/* its WRITE flag means nothing (2.7.5.3.2) */
	driver_desc(&drv, 5, BASE + table, 3 * 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_WRITE, 0);
	driver_table(&drv, table, 0, (struct vring_desc){ BUF, 0x10, VRING_DESC_F_NEXT, 2 });
	driver_table(&drv, table, 2,
	             (struct vring_desc){ BUF + 0x100, 0x20, VRING_DESC_F_NEXT, 1 });
	driver_table(&drv, table, 1,
	             (struct vring_desc){ BUF + 0x200, 0x30, VRING_DESC_F_WRITE, 0 });
	driver_avail(&drv, 5);
	cr_assert(virtq_pop(vq, &chain));
	cr_assert(eq(u32, chain.head, 5));
	expect_chain();
}

Test(virtq, event_index_asks_for_a_kick_at_the_next_request)
{
	start(BIT(VIRTIO_RING_F_EVENT_IDX));
	one_chain();
	driver_avail(&drv, 0);
	driver_avail(&drv, 0);
	cr_assert(virtq_pop(vq, &chain));
	cr_assert(zero(u32, driver_avail_event(&drv)));
	cr_assert(virtq_pop(vq, &chain));
	cr_assert(not(virtq_pop(vq, &chain)));
	cr_assert(eq(u32, driver_avail_event(&drv), 2));
}

Test(virtq, without_event_index_its_place_is_left_alone)
{
	start(0);
	memset(ram + RING_USED, 0xee, 0x100);
	cr_assert(not(virtq_pop(vq, &chain)));
	cr_assert(eq(u32, driver_avail_event(&drv), 0xeeee));
}

static void push_one(void)
{
	driver_avail(&drv, 0);
	cr_assert(virtq_pop(vq, &chain));
	virtq_push(vq, &chain, 0);
}

Test(virtq, an_interrupt_follows_what_was_pushed_once)
{
	start(0);
	one_chain();
	virtq_interrupt(vq);
	cr_assert(zero(u32, fake.transport.interrupts));
	push_one();
	push_one();
	virtq_interrupt(vq);
	virtq_interrupt(vq);
	cr_assert(eq(u32, fake.transport.interrupts, 1));
}

Test(virtq, the_drivers_flag_suppresses_interrupts)
{
	start(0);
	one_chain();
	driver_set_avail_flags(&drv, VRING_AVAIL_F_NO_INTERRUPT);
	push_one();
	virtq_interrupt(vq);
	cr_assert(zero(u32, fake.transport.interrupts));
	driver_set_avail_flags(&drv, 0);
	push_one();
	virtq_interrupt(vq);
	cr_assert(eq(u32, fake.transport.interrupts, 1));
}

struct event_case {
	u16 event, pushed;
	bool interrupt;
};

ParameterizedTestParameters(virtq, the_used_event_says_which_push_interrupts)
{
	static struct event_case cases[] = {
		{ 0, 1, true }, { 1, 1, false }, { 1, 2, true },       { 0, 3, true },
		{ 2, 3, true }, { 3, 3, false }, { 0xffff, 3, false },
	};

	return cr_make_param_array(struct event_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct event_case *c, virtq, the_used_event_says_which_push_interrupts)
{
	start(BIT(VIRTIO_RING_F_EVENT_IDX));
	one_chain();
	driver_set_avail_flags(&drv, VRING_AVAIL_F_NO_INTERRUPT); /* means nothing now (2.7.7) */
	driver_set_used_event(&drv, c->event);
	for (u16 i = 0; i < c->pushed; i++)
		push_one();
	virtq_interrupt(vq);
	cr_assert(eq(u32, fake.transport.interrupts, c->interrupt), "event %u after %u", c->event,
	          c->pushed);
}

Test(virtq, a_stalled_access_changes_nothing_and_the_queue_resumes)
{
	unsigned int stall_at = 0;

	for (;;) {
		struct virtq before;

		memset(ram, 0, sizeof(ram));
		start(BIT(VIRTIO_RING_F_INDIRECT_DESC));
		driver_desc(&drv, 0, BUF, 4, VRING_DESC_F_NEXT, 1);
		driver_desc(&drv, 1, BUF + 0x400, 2 * 16, VRING_DESC_F_INDIRECT, 0);
		driver_table(&drv, RING_END + 0x400, 0,
		             (struct vring_desc){ BUF, 8, VRING_DESC_F_NEXT, 1 });
		driver_table(&drv, RING_END + 0x400, 1,
		             (struct vring_desc){ BUF, 8, VRING_DESC_F_WRITE, 0 });
		driver_avail(&drv, 0);
		before = *vq;
		space.stall_at = ++stall_at;
		if (virtq_pop(vq, &chain))
			break;
		cr_assert(zero(int, memcmp(&before, vq, sizeof(before))), "access %u", stall_at);
		cr_assert(eq(u32, fake.dev.status, VIRTIO_CONFIG_S_DRIVER_OK));
		cr_assert(zero(u32, space.use.users), "access %u", stall_at);
		cr_assert(zero(u32, fake.dev.in_flight));
		cr_assert(eq(ptr, space.token, &vq->token));
		space.token->resume(space.token);
		cr_assert(eq(u32, fake.notified, 1));
		cr_assert(eq(u32, fake.last_queue, 1));
		cr_assert(virtq_pop(vq, &chain));
		cr_assert(eq(u32, chain.nr_out, 2));
		cr_assert(eq(u32, chain.nr_in, 1));
	}
	cr_assert(eq(u32, stall_at, 10), "every access of a pop was stalled once");
}

Test(virtq, an_empty_queue_can_stall_on_its_event_too)
{
	start(BIT(VIRTIO_RING_F_EVENT_IDX));
	for (unsigned int i = 1; i <= 3; i++) {
		space.accesses = 0;
		space.stall_at = i;
		cr_assert(not(virtq_pop(vq, &chain)));
		cr_assert(eq(ptr, space.token, &vq->token));
		space.token = NULL;
	}
	cr_assert(eq(u32, fake.dev.status, VIRTIO_CONFIG_S_DRIVER_OK));
}

Test(virtq, a_device_in_reset_takes_and_gives_back_nothing)
{
	start(0);
	one_chain();
	driver_avail(&drv, 0);
	driver_avail(&drv, 0);
	cr_assert(virtq_pop(vq, &chain));
	fake.dev.resetting = true;
	fake.dev.in_flight++; /* so that the reset stays */
	cr_assert(not(virtq_pop(vq, &(struct virtq_chain){ 0 })));
	virtq_push(vq, &chain, 1);
	virtq_interrupt(vq);
	cr_assert(zero(u32, driver_used_idx(&drv)));
	cr_assert(zero(u32, fake.transport.interrupts));
	cr_assert(zero(u32, space.use.users));
}

Test(virtq, no_more_are_in_flight_than_there_are_descriptors)
{
	static struct virtq_chain chains[SIZE];

	start(0);
	one_chain();
	for (unsigned int i = 0; i < SIZE; i++) {
		driver_avail(&drv, 0);
		cr_assert(virtq_pop(vq, &chains[i]));
	}
	driver_avail(&drv, 0); /* what it has not got back */
	driver_avail(&drv, 0);
	cr_assert(not(virtq_pop(vq, &chain)));
	cr_assert(eq(u32, vq->in_flight, SIZE));
	cr_assert(eq(u32, fake.dev.status, VIRTIO_CONFIG_S_DRIVER_OK));
	virtq_push(vq, &chains[3], 0);
	cr_assert(virtq_pop(vq, &chains[3]));
	cr_assert(not(virtq_pop(vq, &chain)));
	for (unsigned int i = 0; i < SIZE; i++)
		virtq_push(vq, &chains[i], 0);
	cr_assert(virtq_pop(vq, &chain));
	virtq_push(vq, &chain, 0);
	cr_assert(eq(u32, driver_used_idx(&drv), SIZE + 2));
	cr_assert(zero(u32, space.use.users));
}
