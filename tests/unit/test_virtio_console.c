// SPDX-License-Identifier: GPL-2.0-only
/* The virtio console between a driver and a user who takes what the test allows. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/virtio_console.h>
#include <string.h>

#include "devices/virtio/console.h"
#include "tests/unit/fake_virtio.h"

#define BASE 0x80000000ULL
#define DATA (BASE + RING_END)

enum { RX, TX };

static u8 ram[0x8000] __attribute__((aligned(4096)));
static struct guest_mem mem = { .base = BASE, .size = sizeof(ram), .host = ram };
static struct dma_space space;
static struct log log_off;
static struct virtio_dev *dev;
static struct line_device *line;
static struct fake_transport transport;
static struct driver drv;
static unsigned int agains;

/* The user: room for so many bytes. */
static char taken[512];
static size_t nr_taken, room, readables;

static size_t user_write(struct line_user *u, const u8 *bytes, size_t len)
{
	size_t n = len < room ? len : room;

	(void)u;
	for (size_t i = 0; i < n; i++)
		if (nr_taken + i < sizeof(taken))
			taken[nr_taken + i] = bytes[i];
	nr_taken += n;
	room -= n;
	return n;
}

static void user_readable(struct line_user *u)
{
	(void)u;
	readables++;
}

static void again(struct virtio_transport *t, struct virtq *vq)
{
	(void)t, (void)vq;
	agains++;
}

/* One queue at a time has the rings. */
static void use(unsigned int queue)
{
	memset(ram, 0, RING_END);
	driver_start(&drv, &mem, &dev->vq[queue], 8);
}

static void make(void)
{
	static struct line_user user = { user_write, user_readable };

	dma_identity(&space, &mem);
	fake_transport_init(&transport);
	transport.transport.again = again;
	cr_assert(zero(int, virtio_console_create(&dev, &space, &log_off, &user)));
	line = virtio_console_line(dev);
	dev->transport = &transport.transport;
	dev->acked = dev->features;
	virtio_set_status(dev, 0xf);
	room = 1000;
}

static void unmake(void)
{
	virtio_console_destroy(dev);
}

TestSuite(virtio_console, .init = make, .fini = unmake);

static void send(const char *text)
{
	memcpy(ram + RING_END, text, strlen(text));
	driver_desc(&drv, 0, DATA, strlen(text), 0, 0);
	driver_avail(&drv, 0);
	virtio_notify(dev, TX);
}

Test(virtio_console, what_the_driver_sends_reaches_the_user)
{
	use(TX);
	send("hello");
	cr_assert(eq(sz, nr_taken, 5));
	cr_assert(zero(int, memcmp(taken, "hello", 5)));
	cr_assert(eq(u32, driver_used_idx(&drv), 1));
	cr_assert(zero(u32, driver_used(&drv, 0).len));
	cr_assert(eq(u32, transport.interrupts, 1));
}

Test(virtio_console, a_user_without_room_holds_the_buffer_back)
{
	use(TX);
	room = 3;
	send("hello");
	cr_assert(zero(u32, driver_used_idx(&drv)));
	cr_assert(zero(u32, dev->in_flight), "nothing of the guest's stays mapped meanwhile");
	room = 100;
	line->writable(line);
	cr_assert(eq(u32, driver_used_idx(&drv), 1));
	cr_assert(zero(int, memcmp(taken, "hello", 5)));
	cr_assert(eq(sz, nr_taken, 5));
}

Test(virtio_console, a_reset_does_not_wait_for_the_user)
{
	use(TX);
	room = 3;
	send("hello");
	virtio_set_status(dev, 0);
	cr_assert(zero(u32, dev->status | dev->in_flight));
	cr_assert(zero(u32, driver_used_idx(&drv)));
	line->writable(line);
	cr_assert(eq(sz, nr_taken, 3), "what was given up is not sent later");
}

Test(virtio_console, nor_does_a_reset_of_the_queue)
{
	use(TX);
	room = 3;
	send("hello");
	virtio_reset_queue(&dev->vq[TX]);
	cr_assert(zero(u32, dev->vq[TX].resetting | dev->vq[TX].enabled | dev->in_flight));
}

Test(virtio_console, one_long_buffer_is_written_in_turns)
{
	use(TX);
	room = ~0UL;
	for (u16 i = 0; i < 8; i++)
		driver_desc(&drv, i, BASE, 0x8000, i < 7 ? VRING_DESC_F_NEXT : 0, i + 1);
	driver_avail(&drv, 0);
	virtio_notify(dev, TX);
	cr_assert(eq(u32, agains, 1));
	cr_assert(zero(u32, driver_used_idx(&drv)));
	for (int i = 0; i < 4; i++)
		virtio_notify(dev, TX);
	cr_assert(eq(u32, driver_used_idx(&drv), 1));
	cr_assert(eq(sz, nr_taken, 8 * 0x8000));
}

Test(virtio_console, input_fills_the_drivers_buffers)
{
	use(RX);
	driver_desc(&drv, 0, DATA, 3, VRING_DESC_F_WRITE, 0);
	driver_desc(&drv, 1, DATA + 0x100, 8, VRING_DESC_F_WRITE, 0);
	cr_assert(zero(sz, line->receive(line, (const u8 *)"hello", 5)), "no buffer");
	driver_avail(&drv, 0);
	driver_avail(&drv, 1);
	virtio_notify(dev, RX);
	cr_assert(eq(sz, readables, 1));
	cr_assert(eq(sz, line->receive(line, (const u8 *)"hello", 5), 5));
	cr_assert(zero(int, memcmp(ram + RING_END, "hel", 3)));
	cr_assert(zero(int, memcmp(ram + RING_END + 0x100, "lo", 2)));
	cr_assert(eq(u32, driver_used(&drv, 0).len, 3));
	cr_assert(eq(u32, driver_used(&drv, 1).len, 2));
}

Test(virtio_console, input_waits_for_a_driver)
{
	use(RX);
	driver_desc(&drv, 0, DATA, 8, VRING_DESC_F_WRITE, 0);
	driver_avail(&drv, 0);
	dev->status = 0xb;
	cr_assert(zero(sz, line->receive(line, (const u8 *)"hello", 5)));
	cr_assert(zero(u32, driver_used_idx(&drv)));
}

Test(virtio_console, buffers_without_room_do_no_harm)
{
	use(RX);
	driver_desc(&drv, 0, DATA, 8, 0, 0); /* the driver's, not ours to write */
	for (int i = 0; i < 8; i++)
		driver_avail(&drv, 0);
	cr_assert(zero(sz, line->receive(line, (const u8 *)"hello", 5)));
	cr_assert(zero(u8, ram[RING_END]));
	use(TX);
	driver_desc(&drv, 0, DATA, 8, VRING_DESC_F_WRITE, 0);
	driver_avail(&drv, 0);
	virtio_notify(dev, TX);
	cr_assert(eq(u32, driver_used_idx(&drv), 1));
	cr_assert(zero(sz, nr_taken));
}

Test(virtio_console, an_emergency_write_needs_no_driver)
{
	virtio_set_status(dev, 0);
	dev->type->config_write(dev, offsetof(struct virtio_console_config, emerg_wr), 4,
	                        0x12345678);
	cr_assert(eq(sz, nr_taken, 1));
	cr_assert(eq(int, taken[0], 0x78));
	dev->type->config_write(dev, 0, 4, 'x');
	cr_assert(eq(sz, nr_taken, 1));
}

Test(virtio_console, the_terminals_size_is_told_at_each_change)
{
	const struct virtio_console_config *c = dev->config;

	line->resized(line, 132, 43);
	cr_assert(eq(u32, c->cols, 132));
	cr_assert(eq(u32, c->rows, 43));
	cr_assert(eq(u32, transport.config_changes, 1));
	cr_assert(eq(u32, dev->config_generation, 1));
}

Test(virtio_console, a_broken_ring_needs_a_reset)
{
	use(TX);
	driver_avail(&drv, 99);
	virtio_notify(dev, TX);
	cr_assert(eq(u32, dev->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
	use(RX);
	line->receive(line, (const u8 *)"x", 1);
	cr_assert(zero(u32, driver_used_idx(&drv)));
}
