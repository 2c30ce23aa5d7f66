// SPDX-License-Identifier: GPL-2.0-only
/* The virtio console behind an IOMMU device: while it waits, for its user or for a driver, it keeps
 * no mapping. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "devices/virtio/console.h"
#include "tests/unit/fake_viommu.h"

#define RW   (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)
#define IOVA 0x100000ULL /* of all that the console's driver has */
#define SIZE 0x8000ULL
#define DATA (IOVA + RING_END)

enum { RX, TX };

static struct fake_viommu v;
static struct guest_mem mem = { .base = IOVA, .size = SIZE };
static struct log log_off;
static struct virtio_dev *dev;
static struct line_device *line;
static struct fake_transport transport;
static struct driver drv;
static char taken[64];
static size_t nr_taken, room; /* the user's */

static size_t user_write(struct line_user *u, const u8 *bytes, size_t len)
{
	const size_t n = len < room ? len : room;

	(void)u;
	memcpy(taken + nr_taken, bytes, n);
	nr_taken += n;
	room -= n;
	return n;
}

static void user_readable(struct line_user *u)
{
	(void)u;
}

static void attach(void)
{
	cr_assert(zero(u8, fake_viommu_attach(&v, 1, 0x10, 0)));
	cr_assert(zero(u8, fake_viommu_map(&v, 1, IOVA, IOVA + SIZE - 1, VIOMMU_DATA, RW)));
}

static void make(void)
{
	static struct line_user user = { user_write, user_readable };

	fake_viommu_make(&v, NULL, BIT(VIRTIO_RING_F_EVENT_IDX));
	mem.host = fake_viommu_mem.host + (VIOMMU_DATA - VIOMMU_BASE);
	attach();
	fake_transport_init(&transport);
	cr_assert(zero(int, virtio_console_create(&dev, fake_viommu_dma(&v, 0), &log_off, &user)));
	line = virtio_console_line(dev);
	dev->transport = &transport.transport;
	dev->acked = dev->features;
	virtio_set_status(dev, 0xf);
}

static void unmake(void)
{
	virtio_console_destroy(dev);
	fake_viommu_unmake(&v);
}

TestSuite(console_iommu, .init = make, .fini = unmake);

static void use(unsigned int queue)
{
	memset(mem.host, 0, SIZE);
	driver_start(&drv, &mem, &dev->vq[queue], 8);
}

static void expect_nothing_held(void)
{
	cr_assert(zero(u32, dev->in_flight));
	cr_assert(zero(u32, dev->status & VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(zero(u8, fake_viommu_unmap(&v, 1, 0, ~0ULL)), "it comes back at once");
	cr_assert(zero(u8, fake_viommu_detach(&v, 1, 0x10)), "so does this");
	attach();
}

Test(console_iommu, output_that_waits_for_the_user_holds_nothing_and_is_whole)
{
	use(TX);
	memcpy(mem.host + RING_END, "hello", 5);
	driver_desc(&drv, 0, DATA, 5, 0, 0);
	driver_avail(&drv, 0);
	virtio_notify(dev, TX);
	expect_nothing_held();
	room = 3;
	line->writable(line);
	cr_assert(eq(sz, nr_taken, 3));
	expect_nothing_held();
	room = 9;
	line->writable(line);
	cr_assert(eq(sz, nr_taken, 5));
	cr_assert(zero(int, memcmp(taken, "hello", 5)));
	cr_assert(eq(u32, driver_used_idx(&drv), 1));
	expect_nothing_held();
}

Test(console_iommu, buffers_for_input_are_not_held_until_there_is_some)
{
	use(RX);
	for (u16 i = 0; i < 2; i++) {
		driver_desc(&drv, i, DATA + i * 0x1000, 8, VRING_DESC_F_WRITE, 0);
		driver_avail(&drv, i);
	}
	virtio_notify(dev, RX);
	expect_nothing_held();
	cr_assert(eq(sz, line->receive(line, (const u8 *)"hello", 5), 5));
	cr_assert(zero(int, memcmp(mem.host + RING_END, "hello", 5)));
	cr_assert(eq(u32, driver_used(&drv, 0).len, 5));
	expect_nothing_held();
}

Test(console_iommu, output_that_is_not_mapped_breaks_the_queue)
{
	use(TX);
	room = 9;
	driver_desc(&drv, 0, IOVA + SIZE, 5, 0, 0);
	driver_avail(&drv, 0);
	virtio_notify(dev, TX);
	cr_assert(zero(sz, nr_taken));
	cr_assert(ne(u32, dev->status & VIRTIO_CONFIG_S_NEEDS_RESET, 0));
	cr_assert(zero(u32, dev->in_flight));
}
