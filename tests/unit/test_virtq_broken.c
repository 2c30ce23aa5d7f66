// SPDX-License-Identifier: GPL-2.0-only
/* Virtqueues that break their rules: the device needs a reset, and nothing else happens. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/unit/fake_virtio.h"

#define BASE  0x80000000ULL
#define BUF   (BASE + RING_END)
#define TABLE (RING_END + 0x1000)
#define SIZE  8

static u8 ram[0x8000] __attribute__((aligned(4096)));
static struct guest_mem mem = { .base = BASE, .size = sizeof(ram), .host = ram };
static struct stalling_space space;
static struct fake_dev fake;
static struct virtq *vq = &fake.vq[0];
static struct driver drv;
static struct virtq_chain chain;

TestSuite(virtq_broken, .timeout = 20);

static void start(u64 features)
{
	stalling_init(&space, &mem);
	fake_dev_init(&fake, &space.space, features);
	fake.dev.acked = features;
	fake.dev.status = VIRTIO_CONFIG_S_DRIVER_OK;
	driver_start(&drv, &mem, vq, SIZE);
}

/* The queue is broken, once, and gave nothing out. */
static void expect_broken(void)
{
	cr_assert(not(virtq_pop(vq, &chain)));
	cr_assert(
		eq(u32, fake.dev.status, VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(not(virtq_pop(vq, &chain)));
	cr_assert(eq(u32, fake.transport.config_changes, 1));
	cr_assert(zero(u32, fake.dev.in_flight));
	cr_assert(zero(u32, space.use.users));
	cr_assert(zero(u32, vq->next_avail));
	cr_assert(zero(u32, driver_used_idx(&drv)));
}

struct chain_case {
	char what[40];
	u16 head;
	struct vring_desc desc[3];
};

#define NEXT     VRING_DESC_F_NEXT
#define WRITE    VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT

ParameterizedTestParameters(virtq_broken, a_bad_chain_breaks_the_queue)
{
	static struct chain_case cases[] = {
		{ "a head out of range", SIZE, { { 0 } } },
		{ "a head far out of range", 0xffff, { { 0 } } },
		{ "a next out of range", 0, { { BUF, 4, NEXT, SIZE } } },
		{ "a descriptor that follows itself", 0, { { BUF, 4, NEXT, 0 } } },
		{ "a loop of two", 0, { { BUF, 4, NEXT, 1 }, { BUF, 4, NEXT, 0 } } },
		{ "a loop of nothing", 0, { { BUF, 0, NEXT, 1 }, { BUF, 0, NEXT, 0 } } },
		{ "readable after writable", 0, { { BUF, 4, WRITE | NEXT, 1 }, { BUF, 4, 0, 0 } } },
		{ "a buffer below RAM", 0, { { BASE - 4, 8, 0, 0 } } },
		{ "a buffer beyond RAM", 0, { { BASE + sizeof(ram) - 4, 8, WRITE, 0 } } },
		{ "a buffer that wraps", 0, { { ~0ULL - 4, 8, 0, 0 } } },
		{ "a bad buffer after a good one", 0, { { BUF, 4, NEXT, 1 }, { 0, 8, 0, 0 } } },
		{ "an indirect table not agreed on", 0, { { BASE + TABLE, 16, INDIRECT, 0 } } },
	};

	return cr_make_param_array(struct chain_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct chain_case *c, virtq_broken, a_bad_chain_breaks_the_queue)
{
	start(0);
	for (u16 i = 0; i < ARRAY_SIZE(c->desc); i++)
		driver_table(&drv, RING_DESC, i, c->desc[i]);
	driver_avail(&drv, c->head);
	expect_broken();
}

struct table_case {
	char what[40];
	struct vring_desc indirect, desc[2];
};

ParameterizedTestParameters(virtq_broken, a_bad_indirect_table_breaks_the_queue)
{
	static struct table_case cases[] = {
		{ "with a next", { BASE + TABLE, 16, INDIRECT | NEXT, 1 }, { { BUF, 4, 0, 0 } } },
		{ "empty", { BASE + TABLE, 0, INDIRECT, 0 }, { { BUF, 4, 0, 0 } } },
		{ "not a whole number", { BASE + TABLE, 24, INDIRECT, 0 }, { { BUF, 4, 0, 0 } } },
		{ "too long",
		  { BASE + TABLE, 16 * (VIRTQ_MAX_SIZE + 1), INDIRECT, 0 },
		  { { BUF, 4, 0, 0 } } },
		{ "not in RAM", { 0x1000, 16, INDIRECT, 0 }, { { BUF, 4, 0, 0 } } },
		{ "a next beyond it", { BASE + TABLE, 16, INDIRECT, 0 }, { { BUF, 4, NEXT, 1 } } },
		{ "a loop",
		  { BASE + TABLE, 32, INDIRECT, 0 },
		  { { BUF, 4, NEXT, 1 }, { BUF, 4, NEXT, 0 } } },
		{ "a table in it",
		  { BASE + TABLE, 32, INDIRECT, 0 },
		  { { BASE + TABLE + 16, 16, INDIRECT, 0 }, { BUF, 4, 0, 0 } } },
		{ "itself in it",
		  { BASE + TABLE, 32, INDIRECT, 0 },
		  { { BASE + TABLE, 16, INDIRECT, 0 } } },
		{ "the queue's own table in it", { BASE + RING_DESC, 16, INDIRECT, 0 }, { { 0 } } },
	};

	return cr_make_param_array(struct table_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct table_case *c, virtq_broken, a_bad_indirect_table_breaks_the_queue)
{
	start(BIT(VIRTIO_RING_F_INDIRECT_DESC));
	driver_table(&drv, RING_DESC, 0, c->indirect);
	for (u16 i = 0; i < ARRAY_SIZE(c->desc); i++)
		driver_table(&drv, TABLE, i, c->desc[i]);
	driver_avail(&drv, 0);
	expect_broken();
}

Test(virtq_broken, more_available_than_there_are_entries_breaks_the_queue)
{
	start(0);
	drv.avail = SIZE;
	driver_avail(&drv, 0);
	expect_broken();
}

Test(virtq_broken, a_full_ring_does_not)
{
	start(0);
	driver_desc(&drv, 0, BUF, 4, 0, 0);
	for (unsigned int i = 0; i < SIZE; i++)
		driver_avail(&drv, 0);
	for (unsigned int i = 0; i < SIZE; i++)
		cr_assert(virtq_pop(vq, &chain));
	cr_assert(not(virtq_pop(vq, &chain)));
	cr_assert(eq(u32, fake.dev.status, VIRTIO_CONFIG_S_DRIVER_OK));
}

struct ring_case {
	u64 desc, avail;
};

ParameterizedTestParameters(virtq_broken, a_ring_that_is_not_there_breaks_the_queue)
{
	static struct ring_case cases[] = {
		{ BASE, 0 },
		{ BASE, BASE + RING_AVAIL + 1 },
		{ BASE, BASE + sizeof(ram) - 2 },
		{ 0, BASE + RING_AVAIL },
		{ ~0ULL - 8, BASE + RING_AVAIL },
		{ BASE, ~0ULL - 1 },
	};

	return cr_make_param_array(struct ring_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct ring_case *c, virtq_broken, a_ring_that_is_not_there_breaks_the_queue)
{
	start(0);
	driver_desc(&drv, 0, BUF, 4, 0, 0);
	driver_avail(&drv, 0);
	vq->desc = c->desc;
	vq->avail = c->avail;
	expect_broken();
}

ParameterizedTestParameters(virtq_broken, a_used_ring_that_is_not_there_breaks_the_queue)
{
	static u64 used[] = { 0, BASE + RING_USED + 1, BASE + sizeof(ram) - 4, ~0ULL - 3 };

	return cr_make_param_array(u64, used, ARRAY_SIZE(used));
}

ParameterizedTest(u64 *used, virtq_broken, a_used_ring_that_is_not_there_breaks_the_queue)
{
	start(0);
	driver_desc(&drv, 0, BUF, 4, 0, 0);
	driver_avail(&drv, 0);
	cr_assert(virtq_pop(vq, &chain));
	vq->used = *used;
	virtq_push(vq, &chain, 0);
	cr_assert(eq(u32, fake.dev.status & VIRTIO_CONFIG_S_NEEDS_RESET,
	             VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(zero(u32, fake.dev.in_flight));
	cr_assert(zero(u32, space.use.users));
}
