// SPDX-License-Identifier: GPL-2.0-only
/* A disk behind an IOMMU device, whose data comes from a pipe: the kernel has the guest's memory
 * until there is some. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/virtio_blk.h>
#include <string.h>
#include <unistd.h>

#include "devices/virtio/blk.h"
#include "tests/unit/fake_viommu.h"
#include "vmm/loop.h"

#define RW     (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)
#define IOVA   0x100000ULL /* of the disk's rings, and of a header and a status behind them */
#define SIZE   0x4000ULL
#define HEADER (IOVA + RING_END)
#define STATUS (HEADER + 0x100)
#define PAGE   0x1000ULL
#define DATA   0x800000ULL /* a page of its own */
#define TAIL   4

static struct fake_viommu v;
static struct guest_mem mem = { .base = IOVA, .size = SIZE };
static u8 *data;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop *loop;
static struct log log_off;
static struct virtio_dev *disk;
static struct fake_transport transport;
static struct driver drv;
static int source; /* the pipe's end that is written to */

static void stop(struct virtio_transport *t, struct virtq *vq)
{
	(void)t, (void)vq;
	loop_stop(loop);
}

static void make_disk(void)
{
	int ends[2];

	cr_assert(zero(int, pipe(ends)));
	source = ends[1];
	cr_assert(zero(int, loop_create(&loop, &lock)));
	cr_assert(zero(int, blk_create(&disk, loop, fake_viommu_dma(&v, 0), &log_off,
	                               &(struct blk_config){ .fd = ends[0], .size = 1 << 20 })));
	fake_transport_init(&transport);
	transport.transport.interrupt = stop;
	disk->transport = &transport.transport;
	disk->acked = disk->features & ~BIT(VIRTIO_RING_F_EVENT_IDX);
	virtio_set_status(disk, 0xf);
	driver_start(&drv, &mem, &disk->vq[0], 8);
}

static void make(void)
{
	fake_viommu_make(&v, NULL, BIT(VIRTIO_RING_F_EVENT_IDX));
	mem.host = fake_viommu_mem.host + (VIOMMU_DATA - VIOMMU_BASE);
	data = mem.host + SIZE;
	memset(mem.host, 0, SIZE + PAGE);
	cr_assert(zero(u8, fake_viommu_attach(&v, 1, 0x10, 0)));
	cr_assert(zero(u8, fake_viommu_map(&v, 1, IOVA, IOVA + SIZE - 1, VIOMMU_DATA, RW)));
	cr_assert(zero(u8, fake_viommu_map(&v, 1, DATA, DATA + PAGE - 1, VIOMMU_DATA + SIZE, RW)));
	make_disk();
}

static void unmake(void)
{
	close(source);
	loop_drain(loop);
	blk_destroy(disk);
	loop_destroy(loop);
	fake_viommu_unmake(&v);
}

TestSuite(viommu_io, .init = make, .fini = unmake, .timeout = 20);

/* The kernel has it, and waits for the pipe. */
static void begin_read(void)
{
	const struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };

	memcpy(mem.host + (HEADER - IOVA), &header, sizeof(header));
	mem.host[STATUS - IOVA] = 0xee;
	driver_desc(&drv, 0, HEADER, sizeof(header), VRING_DESC_F_NEXT, 1);
	driver_desc(&drv, 1, DATA, PAGE, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 2);
	driver_desc(&drv, 2, STATUS, 1, VRING_DESC_F_WRITE, 0);
	driver_avail(&drv, 0);
	virtio_notify(disk, 0);
	loop_flush(loop);
	cr_assert(eq(u32, disk->in_flight, 1));
}

/* A page of it, which ends the read. */
static void give_data(void)
{
	u8 page[PAGE];

	memset(page, 0x5a, sizeof(page));
	cr_assert(eq(sz, write(source, page, sizeof(page)), sizeof(page)));
	cr_assert(zero(int, loop_run(loop)));
	cr_assert(eq(u32, driver_used_idx(&drv), 1));
	cr_assert(zero(u8, mem.host[STATUS - IOVA]));
	cr_assert(zero(int, memcmp(data, page, sizeof(page))));
}

Test(viommu_io, an_unmap_waits_for_what_the_kernel_reads)
{
	begin_read();
	fake_viommu_begin_unmap(&v, 1, 1, DATA, DATA + PAGE - 1);
	usleep(20000);
	cr_assert(eq(int, fake_viommu_used(&v, 1), -1));
	cr_assert(zero(u64, fake_viommu_reach(&v, 0, DATA, DMA_READ)), "but no other begins");
	give_data();
	cr_assert(eq(int, fake_viommu_used(&v, 1), TAIL));
	cr_assert(zero(u8, *fake_viommu_answer(1)));
}

Test(viommu_io, one_of_other_memory_does_not_wait)
{
	begin_read();
	cr_assert(zero(u8, fake_viommu_map(&v, 1, 0, PAGE - 1, VIOMMU_DATA, RW)));
	cr_assert(zero(u8, fake_viommu_unmap(&v, 1, 0, PAGE - 1)));
	give_data();
	cr_assert(zero(u8, fake_viommu_unmap(&v, 1, DATA, DATA + PAGE - 1)), "nor one behind it");
}

Test(viommu_io, the_disks_reset_waits_for_it_and_then_an_unmap_does_not)
{
	begin_read();
	virtio_set_status(disk, 0);
	cr_assert(ne(u32, disk->status, 0));
	fake_viommu_begin_unmap(&v, 1, 1, DATA, DATA + PAGE - 1);
	cr_assert(eq(int, fake_viommu_used(&v, 1), -1));
	close(source); /* it ends without data */
	source = -1;
	loop_drain(loop);
	cr_assert(zero(u32, disk->status));
	cr_assert(eq(int, fake_viommu_used(&v, 1), TAIL));
}
