// SPDX-License-Identifier: GPL-2.0-only
/* Block transfers that the host makes in pieces, or not at all. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/fake_blk.h"

static struct fake_blk blk;

static void make(void)
{
	fake_blk_make(&blk);
}

static void unmake(void)
{
	fake_blk_unmake(&blk);
}

TestSuite(blk_io, .init = make, .fini = unmake, .timeout = 20);

/* @align: what O_DIRECT would want; 0: it is not that. */
static void create(int fd, u32 align)
{
	const struct blk_config c = { .fd = fd, .size = 1 << 20, .direct_align = align };

	fake_blk_create(&blk, &c, BIT(VIRTIO_BLK_F_FLUSH));
}

/* One request, its data in two pieces of guest memory that begin at @data; its status. */
static u8 transfer(u32 type, gpa_t data, u32 first, u32 second)
{
	u16 flags = VRING_DESC_F_NEXT | (type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0);

	fake_blk_begin(&blk, type, 0);
	driver_desc(&blk.drv, 1, data, first, flags, 2);
	driver_desc(&blk.drv, 2, data + first, second, flags, 3);
	fake_blk_end(&blk, 3);
	return fake_blk_finish(&blk);
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
	u32 align; /* of the disk */
	gpa_t data;
	u32 sizes[6];
	u32 nr;
	bool whole; /* all that was asked for, 2048 bytes */
};

ParameterizedTestParameters(blk_io, a_read_in_pieces_is_one)
{
	static struct piece_case cases[] = {
		{ 0, BLK_DATA, { 2048 }, 1, true },
		{ 0, BLK_DATA, { 1, 2047 }, 2, true },
		{ 0, BLK_DATA, { 700, 700, 648 }, 3, true },
		{ 0, BLK_DATA, { 512, 512, 512, 512 }, 4, true },
		{ 0, BLK_DATA, { 1000, 1000 }, 2, false },
		{ 0, BLK_DATA, { 0 }, 0, false },
		/* through a buffer: what is direct takes no memory that is not aligned */
		{ 512, BLK_DATA + 1, { 2048 }, 1, true },
		{ 512, BLK_DATA + 1, { 512, 1024, 512 }, 3, true },
		{ 512, BLK_DATA + 3, { 1, 511, 1536 }, 3, true },
		{ 512, BLK_DATA + 3, { 512, 512 }, 2, false },
		/* and no more than that is read */
		{ 0, BLK_DATA, { 512, 4096 }, 2, true },
		{ 512, BLK_DATA + 1, { 512, 4096 }, 2, true },
	};

	return cr_make_param_array(struct piece_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct piece_case *c, blk_io, a_read_in_pieces_is_one)
{
	const u8 *got = fake_blk_at(c->data);
	u32 read = 0;

	for (u32 i = 0; i < c->nr; i++)
		read += c->sizes[i];
	if (read > 2048)
		read = 2048;
	create(pieces(c->sizes, c->nr), c->align);
	cr_assert(eq(u8, transfer(VIRTIO_BLK_T_IN, c->data, 700, 1348),
	             c->whole ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR));
	for (u32 i = 0; i < read; i++)
		cr_assert(eq(u8, got[i], (u8)(i * 7 + i / 251)), "byte %u", i);
	cr_assert(zero(u8, got[read]));
	cr_assert(zero(u8, got[-1]));
}

/* More than the buffer holds. */
Test(blk_io, a_long_read_through_the_buffer_is_in_order)
{
	static u32 sizes[40];
	const u8 *got = fake_blk_at(BLK_DATA + 1);

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		sizes[i] = 4096;
	create(pieces(sizes, ARRAY_SIZE(sizes)), 512);
	cr_assert(eq(u8, transfer(VIRTIO_BLK_T_IN, BLK_DATA + 1, 100, 40 * 4096 - 100),
	             VIRTIO_BLK_S_OK));
	for (u32 i = 0; i < 40 * 4096; i++)
		cr_assert(eq(u8, got[i], (u8)(i * 7 + i / 251)), "byte %u", i);
}

struct write_case {
	u32 align;
	gpa_t data;
};

ParameterizedTestParameters(blk_io, a_write_that_stops_on_its_way_is_an_error)
{
	static struct write_case cases[] = { { 0, BLK_DATA }, { 512, BLK_DATA + 1 } };

	return cr_make_param_array(struct write_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct write_case *c, blk_io, a_write_that_stops_on_its_way_is_an_error)
{
	int file = memfd_create("disk", MFD_CLOEXEC);
	u8 got[2048];

	signal(SIGXFSZ, SIG_IGN);
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1000, RLIM_INFINITY })));
	memset(fake_blk_at(c->data), 0x5a, 2048);
	create(dup(file), c->align);
	cr_assert(eq(u8, transfer(VIRTIO_BLK_T_OUT, c->data, 1024, 1024), VIRTIO_BLK_S_IOERR));
	cr_assert(eq(u32, driver_used(&blk.drv, 0).len, 1));
	cr_assert(eq(int, pread(file, got, sizeof(got), 0), 1000));
	for (u32 i = 0; i < 1000; i++)
		cr_assert(eq(u8, got[i], 0x5a), "byte %u", i);
	close(file);
}

Test(blk_io, a_write_that_is_not_possible_is_an_error)
{
	create(open("/proc/self/status", O_RDONLY | O_CLOEXEC), 0);
	cr_assert(eq(u8, transfer(VIRTIO_BLK_T_OUT, BLK_DATA, 512, 512), VIRTIO_BLK_S_IOERR));
	cr_assert(eq(u32, driver_used(&blk.drv, 0).len, 1));
}
