// SPDX-License-Identifier: GPL-2.0-only
/* Block transfers that the host makes in pieces, or not at all. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "devices/virtio/blk.h"
#include "tests/unit/fake_virtio.h"
#include "tests/unit/leak.h"
#include "vmm/loop.h"

#define BASE   0x80000000ULL
#define HEADER RING_END
#define STATUS (RING_END + 0x100)
#define DATA   (RING_END + 0x1000)

static u8 ram[0x40000] __attribute__((aligned(4096)));
static struct guest_mem mem = { .base = BASE, .size = sizeof(ram), .host = ram };
static struct dma_space space;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop *loop;
static struct log log_off;
static struct virtio_dev *blk;
static struct fake_transport transport;
static struct driver drv;

static void stop_loop(struct virtio_transport *t, struct virtq *vq)
{
	(void)t, (void)vq;
	loop_stop(loop);
}

static void make(void)
{
	dma_identity(&space, &mem);
	fake_transport_init(&transport);
	transport.transport.interrupt = stop_loop;
	cr_assert(zero(int, loop_create(&loop, &lock)));
}

static void unmake(void)
{
	loop_drain(loop);
	cr_assert(zero(u32, blk->in_flight));
	blk_destroy(blk);
	loop_destroy(loop);
	expect_no_leak();
}

TestSuite(blk_io, .init = make, .fini = unmake, .timeout = 20);

/* @align: what O_DIRECT would want; 0: it is not that. */
static void create(int fd, u32 align)
{
	const struct blk_config c = { .fd = fd, .size = 1 << 20, .direct_align = align };

	cr_assert(zero(int, blk_create(&blk, loop, &space, &log_off, &c)));
	blk->transport = &transport.transport;
	blk->acked = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_BLK_F_FLUSH);
	virtio_set_status(blk, 0xf);
	driver_start(&drv, &mem, &blk->vq[0], 16);
}

/* One request, its data in two pieces of guest memory that begin at @data; its status. */
static u8 transfer(u32 type, u32 data, u32 first, u32 second)
{
	const struct virtio_blk_outhdr header = { .type = type };
	u16 flags = VRING_DESC_F_NEXT | (type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0);

	memcpy(ram + HEADER, &header, sizeof(header));
	driver_desc(&drv, 0, BASE + HEADER, sizeof(header), VRING_DESC_F_NEXT, 1);
	driver_desc(&drv, 1, BASE + data, first, flags, 2);
	driver_desc(&drv, 2, BASE + data + first, second, flags, 3);
	driver_desc(&drv, 3, BASE + STATUS, 1, VRING_DESC_F_WRITE, 0);
	driver_avail(&drv, 0);
	virtio_notify(blk, 0);
	cr_assert(zero(int, loop_run(loop)));
	return ram[STATUS];
}

/* A pipe of packets: each read has one of them, however much it asks for. */
static int pieces(const u32 *sizes, size_t nr)
{
	static u8 bytes[0x30000];
	int ends[2];
	u32 at = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7 + i / 251;
	cr_assert(zero(int, pipe2(ends, O_DIRECT | O_CLOEXEC)));
	cr_assert(ge(int, fcntl(ends[1], F_SETPIPE_SZ, 1 << 18), 1 << 18));
	for (size_t i = 0; i < nr; at += sizes[i++])
		cr_assert(eq(int, write(ends[1], bytes + at, sizes[i]), sizes[i]));
	close(ends[1]);
	return ends[0];
}

struct piece_case {
	u32 align, data; /* of the disk; of guest memory */
	u32 sizes[6];
	u32 nr;
	bool whole; /* all that was asked for, 2048 bytes */
};

ParameterizedTestParameters(blk_io, a_read_in_pieces_is_one)
{
	static struct piece_case cases[] = {
		{ 0, DATA, { 2048 }, 1, true },
		{ 0, DATA, { 1, 2047 }, 2, true },
		{ 0, DATA, { 700, 700, 648 }, 3, true },
		{ 0, DATA, { 512, 512, 512, 512 }, 4, true },
		{ 0, DATA, { 1000, 1000 }, 2, false },
		{ 0, DATA, { 0 }, 0, false },
		/* through a buffer: what is direct takes no memory that is not aligned */
		{ 512, DATA + 1, { 2048 }, 1, true },
		{ 512, DATA + 1, { 512, 1024, 512 }, 3, true },
		{ 512, DATA + 3, { 1, 511, 1536 }, 3, true },
		{ 512, DATA + 3, { 512, 512 }, 2, false },
		/* and no more than that is read */
		{ 0, DATA, { 512, 4096 }, 2, true },
		{ 512, DATA + 1, { 512, 4096 }, 2, true },
	};

	return cr_make_param_array(struct piece_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct piece_case *c, blk_io, a_read_in_pieces_is_one)
{
	u32 read = 0;

	for (u32 i = 0; i < c->nr; i++)
		read += c->sizes[i];
	if (read > 2048)
		read = 2048;
	create(pieces(c->sizes, c->nr), c->align);
	cr_assert(eq(u8, transfer(VIRTIO_BLK_T_IN, c->data, 700, 1348),
	             c->whole ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR));
	for (u32 i = 0; i < read; i++)
		cr_assert(eq(u8, ram[c->data + i], (u8)(i * 7 + i / 251)), "byte %u", i);
	cr_assert(zero(u8, ram[c->data + read]));
	cr_assert(zero(u8, ram[c->data - 1]));
}

/* More than the buffer holds. */
Test(blk_io, a_long_read_through_the_buffer_is_in_order)
{
	static u32 sizes[40];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		sizes[i] = 4096;
	create(pieces(sizes, ARRAY_SIZE(sizes)), 512);
	cr_assert(
		eq(u8, transfer(VIRTIO_BLK_T_IN, DATA + 1, 100, 40 * 4096 - 100), VIRTIO_BLK_S_OK));
	for (u32 i = 0; i < 40 * 4096; i++)
		cr_assert(eq(u8, ram[DATA + 1 + i], (u8)(i * 7 + i / 251)), "byte %u", i);
}

struct write_case {
	u32 align, data;
};

ParameterizedTestParameters(blk_io, a_write_that_stops_on_its_way_is_an_error)
{
	static struct write_case cases[] = { { 0, DATA }, { 512, DATA + 1 } };

	return cr_make_param_array(struct write_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct write_case *c, blk_io, a_write_that_stops_on_its_way_is_an_error)
{
	int file = memfd_create("disk", MFD_CLOEXEC);
	u8 got[2048];

	signal(SIGXFSZ, SIG_IGN);
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1000, RLIM_INFINITY })));
	memset(ram + c->data, 0x5a, 2048);
	create(dup(file), c->align);
	cr_assert(eq(u8, transfer(VIRTIO_BLK_T_OUT, c->data, 1024, 1024), VIRTIO_BLK_S_IOERR));
	cr_assert(eq(u32, driver_used(&drv, 0).len, 1));
	cr_assert(eq(int, pread(file, got, sizeof(got), 0), 1000));
	for (u32 i = 0; i < 1000; i++)
		cr_assert(eq(u8, got[i], 0x5a), "byte %u", i);
	close(file);
}

Test(blk_io, a_write_that_is_not_possible_is_an_error)
{
	create(open("/proc/self/status", O_RDONLY | O_CLOEXEC), 0);
	cr_assert(eq(u8, transfer(VIRTIO_BLK_T_OUT, DATA, 512, 512), VIRTIO_BLK_S_IOERR));
	cr_assert(eq(u32, driver_used(&drv, 0).len, 1));
}
