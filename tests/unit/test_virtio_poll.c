// SPDX-License-Identifier: GPL-2.0-only
/* A queue that the event loop looks at itself, behind a real transport. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "devices/virtio/mmio.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/fake_virtio.h"

#define BUF (FAKE_RAM_BASE + RING_END)

static struct vm vm;
static struct virtio_mmio *mmio;
static struct fake_dev fake_device;
static struct virtio_dev *dev = &fake_device.dev;
static struct virtio_type type;
static struct driver drv;
static unsigned int nr_done, more; /* more: that the driver makes available without a kick */
static bool resets;

/* Takes what is there; the driver answers as one whose CPU spins, when nothing is left. */
static void notify(struct virtio_dev *d, struct virtq *vq)
{
	static struct virtq_chain chain;

	(void)d;
	while (virtq_pop(vq, &chain)) {
		virtq_push(vq, &chain, 0);
		nr_done++;
	}
	if (more) {
		more--;
		driver_avail(&drv, 0);
	} else if (resets) {
		virtio_set_status(dev, 0);
	}
}

static void make(void)
{
	fake_vm(&vm, 1);
	fake_dev_init(&fake_device, &vm.dma, BIT(VIRTIO_RING_F_EVENT_IDX));
	type = *dev->type;
	type.notify = notify;
	type.polled = BIT(1);
	dev->type = &type;
	cr_assert(zero(int, virtio_mmio_create(&mmio, &vm, dev,
	                                       &(struct virtio_mmio_config){ 0x3000000, 33 })));
	dev->acked = dev->features;
	virtio_set_status(dev, 0xf);
	driver_start(&drv, &vm.mem, &dev->vq[1], 8);
	driver_desc(&drv, 0, BUF, 16, 0, 0);
}

static void unmake(void)
{
	fake_vm_stop(&vm);
	loop_drain(vm.loop);
	virtio_mmio_destroy(mmio);
	fake_vm_destroy(&vm);
}

TestSuite(virtio_poll, .init = make, .fini = unmake, .timeout = 20);

/* The driver kicks, without an exit, and the loop has time for it. */
static void kick(void)
{
	const u64 one = 1;

	driver_avail(&drv, 0);
	cr_assert(eq(int, write(dev->transport->kick_fd(dev->transport, &dev->vq[1]), &one, 8), 8));
	fake_vm_run(&vm, 200);
}

Test(virtio_poll, after_a_kick_others_are_not_needed_for_a_while)
{
	more = 5;
	kick();
	cr_assert(eq(u32, nr_done, 6));
	cr_assert(eq(u64, dev->vq[1].notified, 6));
}

Test(virtio_poll, when_it_has_been_idle_the_driver_is_asked_to_kick)
{
	kick();
	cr_assert(eq(u32, nr_done, 1));
	cr_assert(not(dev->vq[1].looked_at));
	cr_assert(eq(u32, driver_avail_event(&drv), 1));
	kick();
	cr_assert(eq(u32, nr_done, 2));
	cr_assert(eq(u32, driver_avail_event(&drv), 2));
}

Test(virtio_poll, any_other_queue_is_kicked_each_time)
{
	type.polled = 0;
	more = 5;
	kick();
	cr_assert(eq(u32, nr_done, 1));
	cr_assert(not(dev->vq[1].looked_at));
}

Test(virtio_poll, what_an_iommu_translates_is_kicked_each_time)
{
	vm.dma.translated = true;
	more = 5;
	kick();
	cr_assert(eq(u32, nr_done, 1));
}

Test(virtio_poll, a_reset_ends_the_looking)
{
	resets = true;
	kick();
	cr_assert(eq(u32, nr_done, 1));
	cr_assert(zero(u32, dev->status));
	cr_assert(eq(u64, dev->vq[1].notified, 1));
	driver_avail(&drv, 0);
	fake_vm_run(&vm, 50);
	cr_assert(eq(u32, nr_done, 1));
}

/* What cannot be taken is not looked at for ever. */
Test(virtio_poll, a_broken_ring_ends_the_looking)
{
	drv.avail += 100;
	kick();
	cr_assert(ne(u32, dev->status & VIRTIO_CONFIG_S_NEEDS_RESET, 0));
	cr_assert(le(u64, dev->vq[1].notified, 2));
	cr_assert(not(dev->vq[1].looked_at));
}

static void hold_back(struct virtio_dev *d, struct virtq *vq)
{
	notify(d, vq);
	driver_avail(&drv, 0);
	dev->held = true; /* as a function that is no bus master */
}

Test(virtio_poll, a_device_that_takes_no_requests_for_now_is_not_looked_at)
{
	type.notify = hold_back;
	kick();
	cr_assert(eq(u32, nr_done, 1));
	cr_assert(le(u64, dev->vq[1].notified, 2));
	cr_assert(not(dev->vq[1].looked_at));
	type.notify = notify;
	dev->held = false;
	virtio_notify(dev, 1);
	cr_assert(eq(u32, nr_done, 2));
	cr_assert(eq(u32, driver_avail_event(&drv), 2), "the driver is asked to kick");
}

static void take_nothing(struct virtio_dev *d, struct virtq *vq)
{
	(void)d, (void)vq;
}

Test(virtio_poll, what_is_not_taken_is_not_looked_at_until_a_kick)
{
	type.notify = take_nothing;
	kick();
	cr_assert(le(u64, dev->vq[1].notified, 2));
	cr_assert(not(dev->vq[1].looked_at));
	type.notify = notify;
	more = 3;
	kick();
	cr_assert(eq(u32, nr_done, 5));
}
