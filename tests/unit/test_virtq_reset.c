// SPDX-License-Identifier: GPL-2.0-only
/* Queue reset (virtio 1.3, 2.6.1), and how much one notification may take. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_virtio.h"

#define RESET BIT(VIRTIO_F_RING_RESET)

static u8 ram[0x4000] __attribute__((aligned(4096)));
static struct guest_mem mem = { .base = 0x80000000, .size = sizeof(ram), .host = ram };
static struct dma_space space;
static struct fake_dev fake;
static struct virtio_dev *dev = &fake.dev;
static struct virtq *vq = &fake.vq[0];
static struct driver drv;
static struct virtq_chain chain;
static unsigned int agains;

static void make(void)
{
	dma_identity(&space, &mem);
	fake_dev_init(&fake, &space, RESET);
	dev->acked = RESET | BIT(VIRTIO_F_VERSION_1);
	virtio_set_status(dev, 0xf);
	driver_start(&drv, &mem, vq, 4);
	dev->vq[1].enabled = 1;
	driver_desc(&drv, 0, mem.base + RING_END, 16, 0, 0);
	driver_avail(&drv, 0);
}

TestSuite(virtq_reset, .init = make);

Test(virtq_reset, a_queue_at_rest_resets_at_once)
{
	virtio_reset_queue(vq);
	cr_assert(zero(u32, vq->enabled | vq->resetting | vq->next_avail));
	cr_assert(eq(u32, vq->size, FAKE_QUEUE_SIZE));
	cr_assert(eq(u32, dev->status, 0xf));
	cr_assert(eq(u32, dev->vq[1].enabled, 1));
}

Test(virtq_reset, it_waits_for_what_is_in_flight)
{
	cr_assert(virtq_pop(vq, &chain));
	driver_avail(&drv, 0);
	virtio_reset_queue(vq);
	virtio_reset_queue(vq);
	cr_assert(eq(u32, vq->resetting, 1));
	virtio_notify(dev, 0);
	cr_assert(zero(u32, fake.notified));
	cr_assert(not(virtq_is_live(vq)));
	virtq_push(vq, &chain, 0);
	cr_assert(zero(u32, vq->resetting | vq->enabled | vq->in_flight | dev->in_flight));
	cr_assert(zero(u32, driver_used_idx(&drv)));
	cr_assert(zero(u32, dev->status & VIRTIO_CONFIG_S_NEEDS_RESET));
}

Test(virtq_reset, a_device_reset_on_top_of_it_ends_both)
{
	cr_assert(virtq_pop(vq, &chain));
	virtio_reset_queue(vq);
	virtio_set_status(dev, 0);
	cr_assert(eq(u32, dev->status, 0xf));
	virtq_push(vq, &chain, 0);
	cr_assert(zero(u32, dev->status | vq->resetting | vq->enabled));
}

static void count_again(struct virtio_transport *t, struct virtq *q)
{
	(void)t, (void)q;
	agains++;
}

/* A device that takes all there is, and a driver that adds as much. */
static void endless(struct virtio_dev *d, struct virtq *q)
{
	(void)d;
	while (virtq_pop(q, &chain)) {
		virtq_push(q, &chain, 0);
		driver_avail(&drv, 0);
		cr_assert(lt(u32, fake.notified++, 1000));
	}
}

Test(virtq_reset, a_notification_takes_a_ring_at_most)
{
	struct virtio_type type = *dev->type;

	type.notify = endless;
	dev->type = &type;
	dev->transport->again = count_again;
	virtio_notify(dev, 0);
	cr_assert(eq(u32, fake.notified, 4));
	cr_assert(eq(u32, agains, 1));
	virtio_notify(dev, 0);
	cr_assert(eq(u32, fake.notified, 8));
	vq->budget = 0;
	cr_assert(virtq_pop(vq, &chain), "what a device begins by itself has no such bound");
}
