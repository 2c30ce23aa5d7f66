// SPDX-License-Identifier: GPL-2.0-only
/* The entropy device on a real loop. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "devices/virtio/rng.h"
#include "tests/unit/fake_virtio.h"
#include "vmm/loop.h"

#define BASE 0x80000000ULL
#define DATA (BASE + RING_END)

static u8 ram[0x10000] __attribute__((aligned(4096)));
static struct guest_mem mem = { .base = BASE, .size = sizeof(ram), .host = ram };
static struct dma_space space;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop *loop;
static struct log log_off;
static struct virtio_dev *rng;
static struct fake_transport transport;
static struct driver drv;
static u16 awaited;

static void count_interrupt(struct virtio_transport *t, struct virtq *vq)
{
	(void)vq;
	container_of(t, struct fake_transport, transport)->interrupts++;
	if (driver_used_idx(&drv) == awaited)
		loop_stop(loop);
}

static void make(void)
{
	dma_identity(&space, &mem);
	fake_transport_init(&transport);
	transport.transport.interrupt = count_interrupt;
	cr_assert(zero(int, loop_create(&loop, &lock)));
	cr_assert(zero(int, rng_create(&rng, loop, &space, &log_off)));
	rng->transport = &transport.transport;
	rng->acked = rng->features & ~BIT(VIRTIO_RING_F_EVENT_IDX);
	virtio_set_status(rng, 0xf);
	driver_start(&drv, &mem, &rng->vq[0], 8);
}

static void unmake(void)
{
	loop_drain(loop);
	rng_destroy(rng);
	loop_destroy(loop);
}

TestSuite(rng, .init = make, .fini = unmake);

Test(rng, buffers_are_filled_one_after_the_other)
{
	static const u8 zeroes[64];

	for (u16 i = 0; i < 3; i++) {
		driver_desc(&drv, i, DATA + i * 0x100, 64, VRING_DESC_F_WRITE, 0);
		driver_avail(&drv, i);
	}
	virtio_notify(rng, 0);
	cr_assert(eq(u32, rng->in_flight, 1));
	awaited = 3;
	cr_assert(zero(int, loop_run(loop)));
	for (u16 i = 0; i < 3; i++) {
		cr_assert(eq(u32, driver_used(&drv, i).len, 64));
		cr_assert(ne(int, memcmp(ram + RING_END + i * 0x100, zeroes, 64), 0));
	}
	cr_assert(ne(int, memcmp(ram + RING_END, ram + RING_END + 0x100, 64), 0));
}

Test(rng, a_long_buffer_is_not_filled_to_its_end)
{
	driver_desc(&drv, 0, DATA, 0x8000, VRING_DESC_F_WRITE, 0);
	driver_avail(&drv, 0);
	virtio_notify(rng, 0);
	awaited = 1;
	cr_assert(zero(int, loop_run(loop)));
	cr_assert(eq(u32, driver_used(&drv, 0).len, 4096));
	cr_assert(zero(u8, ram[RING_END + 4096] | ram[RING_END + 4097] | ram[RING_END + 0x7fff]));
}

Test(rng, a_buffer_without_room_breaks_the_queue)
{
	driver_desc(&drv, 0, DATA, 64, 0, 0);
	driver_avail(&drv, 0);
	virtio_notify(rng, 0);
	cr_assert(eq(u32, rng->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(zero(u32, rng->in_flight));
}

Test(rng, a_reset_waits_for_the_read)
{
	driver_desc(&drv, 0, DATA, 64, VRING_DESC_F_WRITE, 0);
	driver_avail(&drv, 0);
	virtio_notify(rng, 0);
	virtio_set_status(rng, 0);
	cr_assert(eq(u32, rng->status, 0xf));
	loop_flush(loop);
	loop_drain(loop);
	cr_assert(zero(u32, rng->status));
	cr_assert(zero(u32, driver_used_idx(&drv)));
}
