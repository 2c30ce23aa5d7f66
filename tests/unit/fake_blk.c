// SPDX-License-Identifier: GPL-2.0-only
/* A block device on a real loop, for tests. */
#include "tests/unit/fake_blk.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/leak.h"

#define NO_STATUS 0xee /* that no device writes */

static struct guest_mem mem = { .base = BLK_BASE, .size = BLK_RAM };
static struct dma_space space;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log log_off;

static void note_interrupt(struct virtio_transport *t, struct virtq *vq)
{
	struct fake_blk *f = container_of(t, struct fake_blk, transport.transport);

	(void)vq;
	f->transport.interrupts++;
	if (driver_used_idx(&f->drv) == f->drv.avail)
		loop_stop(f->loop);
}

void fake_blk_make(struct fake_blk *f)
{
	*f = (struct fake_blk){ 0 };
	/* Not an array, all of which would be searched for leaks. */
	mem.host = mmap(NULL, mem.size, PROT_READ | PROT_WRITE,
	                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	cr_assert(ne(ptr, mem.host, MAP_FAILED));
	dma_identity(&space, &mem);
	fake_transport_init(&f->transport);
	f->transport.transport.interrupt = note_interrupt;
	cr_assert(zero(int, loop_create(&f->loop, &lock)));
}

void fake_blk_unmake(struct fake_blk *f)
{
	loop_drain(f->loop);
	cr_assert(zero(u32, f->dev->in_flight));
	blk_destroy(f->dev);
	loop_destroy(f->loop);
	expect_no_leak();
	munmap(mem.host, mem.size);
}

void fake_blk_create(struct fake_blk *f, const struct blk_config *c, u64 features)
{
	cr_assert(zero(int, blk_create(&f->dev, f->loop, &space, &log_off, c)));
	f->dev->transport = &f->transport.transport;
	f->dev->acked = BIT(VIRTIO_F_VERSION_1) | (f->dev->features & features);
	virtio_set_status(f->dev, 0xf);
	cr_assert(eq(u32, f->dev->status, 0xf));
	driver_start(&f->drv, &mem, &f->dev->vq[0], 256);
}

u8 *fake_blk_at(gpa_t gpa)
{
	return mem.host + (gpa - BLK_BASE);
}

void fake_blk_begin(struct fake_blk *f, u32 type, u64 sector)
{
	const struct virtio_blk_outhdr header = { .type = type, .sector = sector };

	memcpy(fake_blk_at(BLK_HEADER), &header, sizeof(header));
	*fake_blk_at(BLK_STATUS) = NO_STATUS;
	driver_desc(&f->drv, 0, BLK_HEADER, sizeof(header), VRING_DESC_F_NEXT, 1);
}

void fake_blk_end(struct fake_blk *f, u16 at)
{
	driver_desc(&f->drv, at, BLK_STATUS, 1, VRING_DESC_F_WRITE, 0);
	driver_avail(&f->drv, 0);
}

void fake_blk_queue(struct fake_blk *f, u32 type, u64 sector, gpa_t data, u32 len, bool in)
{
	u16 flags = VRING_DESC_F_NEXT | (in ? VRING_DESC_F_WRITE : 0);

	fake_blk_begin(f, type, sector);
	if (len)
		driver_desc(&f->drv, 1, data, len, flags, 2);
	fake_blk_end(f, len ? 2 : 1);
}

u8 fake_blk_finish(struct fake_blk *f)
{
	unsigned int before = f->transport.interrupts;

	/* An interrupt at the last of them, also where the event index was taken. */
	driver_set_used_event(&f->drv, f->drv.avail - 1);
	virtio_notify(f->dev, 0);
	if (f->transport.interrupts == before)
		cr_assert(zero(int, loop_run(f->loop)));
	cr_assert(eq(u16, driver_used_idx(&f->drv), f->drv.avail));
	cr_assert(zero(u32, f->dev->in_flight));
	return *fake_blk_at(BLK_STATUS);
}
