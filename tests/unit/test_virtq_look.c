// SPDX-License-Identifier: GPL-2.0-only
/* Rings that the device looks at itself: where, and when the driver is asked to kick. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_virtio.h"

#define BASE 0x80000000ULL
#define BUF  (BASE + RING_END)
#define SIZE 8

static u8 ram[0x8000] __attribute__((aligned(4096)));
static struct guest_mem mem = { .base = BASE, .size = sizeof(ram), .host = ram };
static struct dma_space space;
static struct fake_dev fake;
static struct virtq *vq = &fake.vq[1];
static struct driver drv;
static struct virtq_chain chain;

static void make(void)
{
	dma_identity(&space, &mem);
	fake_dev_init(&fake, &space, 0);
	fake.dev.acked = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX);
	fake.dev.status = VIRTIO_CONFIG_S_DRIVER_OK;
	driver_start(&drv, &mem, vq, SIZE);
	driver_desc(&drv, 0, BUF, 0x10, 0, 0);
}

TestSuite(virtq_look, .init = make);

Test(virtq_look, the_word_is_the_drivers_index)
{
	const u16 *idx = virtq_look(vq);

	cr_assert(eq(ptr, (void *)idx, ram + RING_AVAIL + 2));
	driver_avail(&drv, 0);
	cr_assert(eq(u16, *idx, 1));
}

Test(virtq_look, there_is_none_where_it_cannot_be_looked_at)
{
	space.translated = true;
	cr_assert(eq(ptr, (void *)virtq_look(vq), NULL), "what is there may be taken away");
	space.translated = false;
	vq->avail = BASE + sizeof(ram);
	cr_assert(eq(ptr, (void *)virtq_look(vq), NULL), "no RAM");
	vq->avail = BASE + sizeof(ram) - 3;
	cr_assert(eq(ptr, (void *)virtq_look(vq), NULL), "misaligned");
	vq->avail = BASE + RING_AVAIL;
	vq->enabled = 0;
	cr_assert(eq(ptr, (void *)virtq_look(vq), NULL), "not live");
	cr_assert(not(vq->looked_at));
}

Test(virtq_look, no_kick_is_asked_for_while_it_is_looked_at)
{
	driver_avail(&drv, 0);
	cr_assert(ne(ptr, (void *)virtq_look(vq), NULL));
	cr_assert(virtq_pop(vq, &chain));
	virtq_push(vq, &chain, 0);
	cr_assert(not(virtq_pop(vq, &chain)));
	cr_assert(zero(u32, driver_avail_event(&drv)), "as it was");
	cr_assert(virtq_look_away(vq));
	cr_assert(eq(u32, driver_avail_event(&drv), 1), "the next one");
	cr_assert(not(vq->looked_at));
}

Test(virtq_look, looking_away_sees_what_came_meanwhile)
{
	virtq_look(vq);
	driver_avail(&drv, 0);
	cr_assert(not(virtq_look_away(vq)));
	cr_assert(vq->looked_at);
	cr_assert(virtq_pop(vq, &chain));
	virtq_push(vq, &chain, 0);
	cr_assert(virtq_look_away(vq));
}

Test(virtq_look, a_ring_that_is_no_longer_live_is_not_looked_at)
{
	virtq_look(vq);
	driver_avail(&drv, 0);
	fake.dev.status = 0;
	cr_assert(virtq_look_away(vq));
	virtq_look(vq);
	virtq_reset(vq);
	cr_assert(not(vq->looked_at));
}

Test(virtq_look, a_broken_ring_is_left_to_the_next_kick)
{
	virtq_look(vq);
	drv.avail += SIZE + 1;
	driver_avail(&drv, 0);
	cr_assert(virtq_look_away(vq));
	cr_assert(not(vq->looked_at));
}

Test(virtq_look, where_it_cannot_be_looked_at_any_more_kicks_are_asked_for)
{
	cr_assert(ne(ptr, (void *)virtq_look(vq), NULL));
	cr_assert(vq->looked_at);
	space.translated = true;
	cr_assert(eq(ptr, (void *)virtq_look(vq), NULL));
	cr_assert(not(vq->looked_at));
	driver_avail(&drv, 0);
	cr_assert(virtq_pop(vq, &chain));
	virtq_push(vq, &chain, 0);
	cr_assert(not(virtq_pop(vq, &chain)));
	cr_assert(eq(u32, driver_avail_event(&drv), 1));
}
