// SPDX-License-Identifier: GPL-2.0-only
/* Block requests in flight: resets that wait, and more requests than the device has room for. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/virtio_blk.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/virtio/blk.h"
#include "tests/unit/fake_virtio.h"
#include "tests/unit/leak.h"
#include "vmm/loop.h"

#define BASE   0x80000000ULL
#define HEADER (BASE + RING_END)
#define STATUS (BASE + RING_END + 0x100)

static u8 ram[0x8000] __attribute__((aligned(4096)));
static struct guest_mem mem = { .base = BASE, .size = sizeof(ram), .host = ram };
static struct dma_space space;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop *loop;
static struct log log_off;
static struct virtio_dev *blk;
static struct fake_transport transport;
static struct driver drv;
static int fd;
static u16 awaited; /* the loop ends when that many are used */

static void count_interrupt(struct virtio_transport *t, struct virtq *vq)
{
	(void)vq;
	container_of(t, struct fake_transport, transport)->interrupts++;
	if (driver_used_idx(&drv) == awaited)
		loop_stop(loop);
}

static void make(void)
{
	struct blk_config c = { .size = 1 << 20 };

	fd = c.fd = memfd_create("disk", MFD_CLOEXEC);
	dma_identity(&space, &mem);
	fake_transport_init(&transport);
	transport.transport.interrupt = count_interrupt;
	cr_assert(zero(int, loop_create(&loop, &lock)));
	cr_assert(zero(int, blk_create(&blk, loop, &space, &log_off, &c)));
	blk->transport = &transport.transport;
	blk->acked = BIT(VIRTIO_F_VERSION_1);
	blk->status = 0xf;
	driver_start(&drv, &mem, &blk->vq[0], 256);
}

static void unmake(void)
{
	loop_drain(loop);
	cr_assert(zero(u32, blk->in_flight));
	blk_destroy(blk);
	loop_destroy(loop);
	expect_no_leak();
}

TestSuite(blk_flight, .init = make, .fini = unmake, .timeout = 20);

static void queue_flush(void)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_FLUSH };

	memcpy(ram + (HEADER - BASE), &header, sizeof(header));
	driver_desc(&drv, 0, HEADER, sizeof(header), VRING_DESC_F_NEXT, 1);
	driver_desc(&drv, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
	driver_avail(&drv, 0);
}

Test(blk_flight, a_failed_flush_is_an_error)
{
	int ends[2];

	cr_assert(zero(int, pipe(ends)));
	dup2(ends[0], fd); /* what cannot be flushed */
	queue_flush();
	virtio_notify(blk, 0);
	awaited = 1;
	cr_assert(zero(int, loop_run(loop)));
	cr_assert(eq(u32, ram[STATUS - BASE], VIRTIO_BLK_S_IOERR));
	close(ends[0]);
	close(ends[1]);
}

Test(blk_flight, a_reset_waits_for_what_is_in_flight)
{
	queue_flush();
	virtio_notify(blk, 0);
	virtio_set_status(blk, 0);
	cr_assert(eq(u32, blk->status, 0xf));
	cr_assert(eq(u32, blk->in_flight, 1));
	queue_flush();
	virtio_notify(blk, 0);
	cr_assert(eq(u32, blk->in_flight, 1), "nothing more begins");
	loop_flush(loop);
	loop_drain(loop);
	cr_assert(zero(u32, blk->status));
	cr_assert(zero(u32, driver_used_idx(&drv)), "the driver has its rings back");
	cr_assert(zero(u32, transport.interrupts));
}

Test(blk_flight, more_requests_than_there_is_room_for_all_end)
{
	for (int i = 0; i < 266; i++) {
		queue_flush();
		virtio_notify(blk, 0);
	}
	cr_assert(eq(u32, blk->in_flight, 256));
	awaited = 266;
	cr_assert(zero(int, loop_run(loop)));
	cr_assert(eq(u32, driver_used_idx(&drv), 266));
	cr_assert(zero(u32, blk->in_flight));
}
