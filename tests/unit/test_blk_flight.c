// SPDX-License-Identifier: GPL-2.0-only
/* Block requests in flight: resets that wait, and more requests than the device has room for. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/fake_blk.h"

static struct fake_blk blk;
static int fd; /* the device's */

static void make(void)
{
	fake_blk_make(&blk);
	fd = memfd_create("disk", MFD_CLOEXEC);
	fake_blk_create(&blk, &(struct blk_config){ .fd = fd, .size = 1 << 20 }, 0);
}

static void unmake(void)
{
	fake_blk_unmake(&blk);
}

TestSuite(blk_flight, .init = make, .fini = unmake, .timeout = 20);

static void queue_flush(void)
{
	fake_blk_queue(&blk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false);
}

Test(blk_flight, a_failed_flush_is_an_error)
{
	int ends[2];

	cr_assert(zero(int, pipe(ends)));
	dup2(ends[0], fd); /* what cannot be flushed */
	queue_flush();
	cr_assert(eq(u32, fake_blk_finish(&blk), VIRTIO_BLK_S_IOERR));
	close(ends[0]);
	close(ends[1]);
}

Test(blk_flight, a_reset_waits_for_what_is_in_flight)
{
	queue_flush();
	virtio_notify(blk.dev, 0);
	virtio_set_status(blk.dev, 0);
	cr_assert(eq(u32, blk.dev->status, 0xf));
	cr_assert(eq(u32, blk.dev->in_flight, 1));
	queue_flush();
	virtio_notify(blk.dev, 0);
	cr_assert(eq(u32, blk.dev->in_flight, 1), "nothing more begins");
	loop_flush(blk.loop);
	loop_drain(blk.loop);
	cr_assert(zero(u32, blk.dev->status));
	cr_assert(zero(u32, driver_used_idx(&blk.drv)), "the driver has its rings back");
	cr_assert(zero(u32, blk.transport.interrupts));
}

Test(blk_flight, more_requests_than_there_is_room_for_all_end)
{
	for (int i = 0; i < 266; i++) {
		queue_flush();
		virtio_notify(blk.dev, 0);
	}
	cr_assert(eq(u32, blk.dev->in_flight, 256));
	cr_assert(zero(int, loop_run(blk.loop)));
	cr_assert(eq(u32, driver_used_idx(&blk.drv), 266));
	cr_assert(zero(u32, blk.dev->in_flight));
}
