// SPDX-License-Identifier: GPL-2.0-only
/* The device status field, resets and who is notified when. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/unit/fake_virtio.h"

#define ACK       VIRTIO_CONFIG_S_ACKNOWLEDGE
#define DRIVER    VIRTIO_CONFIG_S_DRIVER
#define DRIVER_OK VIRTIO_CONFIG_S_DRIVER_OK
#define FEATURES  VIRTIO_CONFIG_S_FEATURES_OK
#define NEEDS     VIRTIO_CONFIG_S_NEEDS_RESET
#define FAILED    VIRTIO_CONFIG_S_FAILED
#define V1        BIT(VIRTIO_F_VERSION_1)
#define LIVE      (ACK | DRIVER | FEATURES | DRIVER_OK)

static u8 ram[0x4000];
static struct guest_mem mem = { .base = 0x80000000, .size = sizeof(ram), .host = ram };
static struct dma_space space;
static struct fake_dev fake;
static struct virtio_dev *dev = &fake.dev;

static void make(void)
{
	dma_identity(&space, &mem);
	fake_dev_init(&fake, &space, BIT(5));
}

TestSuite(virtio_status, .init = make);

Test(virtio_status, a_device_starts_reset_and_modern)
{
	cr_assert(zero(u32, dev->status));
	cr_assert(eq(u64, dev->features, BIT(5) | V1));
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert(eq(u32, dev->vq[i].size, FAKE_QUEUE_SIZE));
		cr_assert(eq(u32, dev->vq[i].vector, 0xffff));
		cr_assert(eq(u32, dev->vq[i].index, i));
		cr_assert(zero(u32, dev->vq[i].enabled));
	}
}

struct status_case {
	u64 acked;
	u8 writes[5]; /* 0: no more */
	u8 status;
};

ParameterizedTestParameters(virtio_status, the_driver_goes_step_by_step)
{
	static struct status_case cases[] = {
		{ V1, { ACK, ACK | DRIVER, ACK | DRIVER | FEATURES, LIVE }, LIVE },
		{ V1, { LIVE }, LIVE },
		{ V1 | BIT(5), { ACK | DRIVER | FEATURES }, ACK | DRIVER | FEATURES },
		/* features it does not have, or none of today's */
		{ V1 | BIT(6), { ACK | DRIVER | FEATURES }, ACK | DRIVER },
		{ BIT(5), { ACK | DRIVER | FEATURES }, ACK | DRIVER },
		/* and so it does not go live */
		{ 0, { LIVE }, ACK | DRIVER },
		{ V1, { ACK, ACK | DRIVER | DRIVER_OK }, ACK | DRIVER },
		/* a bit is cleared by reset alone, and ours is not the driver's */
		{ V1, { ACK | DRIVER, ACK }, ACK | DRIVER },
		{ V1, { ACK | NEEDS }, ACK },
		{ V1, { LIVE, LIVE | FAILED }, LIVE | FAILED },
	};

	return cr_make_param_array(struct status_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct status_case *c, virtio_status, the_driver_goes_step_by_step)
{
	dev->acked = c->acked;
	for (const u8 *w = c->writes; *w; w++)
		virtio_set_status(dev, *w);
	cr_assert(eq(u32, dev->status, c->status));
}

static void go_live(void)
{
	dev->acked = V1;
	virtio_set_status(dev, LIVE);
	dev->vq[0].enabled = dev->vq[1].enabled = 1;
}

Test(virtio_status, a_reset_forgets_everything)
{
	go_live();
	dev->vq[1].size = 4;
	dev->vq[1].desc = 0x1000;
	dev->vq[1].next_avail = dev->vq[1].next_used = 9;
	virtio_set_status(dev, 0);
	cr_assert(zero(u32, dev->status));
	cr_assert(zero(u64, dev->acked));
	cr_assert(eq(u32, fake.resets, 1));
	cr_assert(eq(u32, dev->vq[1].size, FAKE_QUEUE_SIZE));
	cr_assert(zero(u32, dev->vq[1].enabled | dev->vq[1].next_avail | dev->vq[1].next_used));
	cr_assert(zero(u64, dev->vq[1].desc));
}

Test(virtio_status, a_reset_ends_when_nothing_is_in_flight)
{
	go_live();
	dev->in_flight = 2;
	virtio_set_status(dev, 0);
	virtio_set_status(dev, 0);
	cr_assert(eq(u32, fake.resets, 1));
	cr_assert(eq(u32, dev->status, LIVE), "the driver waits for 0");
	virtio_set_status(dev, LIVE | FAILED);
	cr_assert(eq(u32, dev->status, LIVE), "and can do nothing else");
	virtio_finished(dev);
	cr_assert(eq(u32, dev->status, LIVE));
	virtio_finished(dev);
	cr_assert(zero(u32, dev->status));
	cr_assert(zero(u32, dev->vq[0].enabled));
	go_live();
	cr_assert(eq(u32, dev->status, LIVE));
}

Test(virtio_status, a_broken_device_says_so_once)
{
	go_live();
	virtio_needs_reset(dev);
	virtio_needs_reset(dev);
	cr_assert(eq(u32, dev->status, LIVE | NEEDS));
	cr_assert(eq(u32, fake.transport.config_changes, 1));
	virtio_set_status(dev, LIVE | FAILED);
	cr_assert(eq(u32, dev->status, LIVE | NEEDS | FAILED), "only a reset takes it back");
	virtio_set_status(dev, 0);
	cr_assert(zero(u32, dev->status));
}

Test(virtio_status, a_driver_that_is_not_live_gets_no_interrupt_for_it)
{
	virtio_needs_reset(dev);
	cr_assert(eq(u32, dev->status, NEEDS));
	cr_assert(zero(u32, fake.transport.config_changes));
}

Test(virtio_status, a_kick_reaches_a_live_queue)
{
	go_live();
	virtio_notify(dev, 1);
	cr_assert(eq(u32, fake.notified, 1));
	cr_assert(eq(u32, fake.last_queue, 1));
}

ParameterizedTestParameters(virtio_status, a_kick_for_anything_else_is_lost)
{
	static int cases[] = { 0, 1, 2, 3 };

	return cr_make_param_array(int, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(int *which, virtio_status, a_kick_for_anything_else_is_lost)
{
	go_live();
	if (*which == 0)
		dev->status &= ~DRIVER_OK;
	else if (*which == 1)
		dev->status |= NEEDS;
	else if (*which == 2)
		dev->resetting = true;
	else
		dev->vq[1].enabled = 0;
	virtio_notify(dev, 1);
	cr_assert(zero(u32, fake.notified), "case %d", *which);
}
