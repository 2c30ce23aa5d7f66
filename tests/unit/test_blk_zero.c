// SPDX-License-Identifier: GPL-2.0-only
/* The block device's discard, write zeroes, cache mode, queues and direct I/O. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/virtio/blk_private.h"
#include "tests/unit/fake_blk.h"

#define SECTORS 64
#define UNMAP   VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP

static struct fake_blk blk;
static int file;

static void create(struct blk_config c, u64 refused)
{
	c.fd = dup(file);
	c.size = SECTORS * 512;
	fake_blk_create(&blk, &c, ~refused);
}

static void make(void)
{
	u8 ones[SECTORS * 512];

	fake_blk_make(&blk);
	memset(ones, 0xff, sizeof(ones));
	file = memfd_create("disk", MFD_CLOEXEC);
	cr_assert(eq(int, write(file, ones, sizeof(ones)), sizeof(ones)));
}

static void unmake(void)
{
	fake_blk_unmake(&blk);
	close(file);
}

TestSuite(blk_zero, .init = make, .fini = unmake, .timeout = 20);

static u8 request(u32 type, u64 sector, gpa_t data, u32 len)
{
	fake_blk_queue(&blk, type, sector, data, len, type == VIRTIO_BLK_T_IN);
	return fake_blk_finish(&blk);
}

/* How many sectors of the file are zero. */
static unsigned int zero_sectors(void)
{
	static const u8 zeroes[512];
	unsigned int nr = 0;
	u8 sector[512];

	for (unsigned int i = 0; i < SECTORS; i++) {
		cr_assert(eq(int, pread(file, sector, 512, i * 512), 512));
		nr += !memcmp(sector, zeroes, 512);
	}
	return nr;
}

static u64 allocated(void)
{
	struct stat st;

	cr_assert(zero(int, fstat(file, &st)));
	cr_assert(eq(u64, st.st_size, SECTORS * 512));
	return st.st_blocks;
}

struct range_case {
	u32 type;
	struct virtio_blk_discard_write_zeroes segments[3];
	u32 len; /* bytes of them */
	u8 status;
	unsigned int zero; /* sectors */
	unsigned int freed;
};

#define DISCARD VIRTIO_BLK_T_DISCARD
#define ZEROES  VIRTIO_BLK_T_WRITE_ZEROES
#define OK      VIRTIO_BLK_S_OK
#define IOERR   VIRTIO_BLK_S_IOERR
#define UNSUPP  VIRTIO_BLK_S_UNSUPP

ParameterizedTestParameters(blk_zero, ranges_are_checked_and_then_done)
{
	static struct range_case cases[] = {
		{ DISCARD, { { 8, 16, 0 } }, 16, OK, 16, 16 },
		{ DISCARD, { { 0, SECTORS, 0 } }, 16, OK, SECTORS, SECTORS },
		{ ZEROES, { { 8, 16, 0 } }, 16, OK, 16, 0 },
		{ ZEROES, { { 8, 16, UNMAP } }, 16, OK, 16, 16 },
		{ ZEROES, { { 1, 2, 0 } }, 16, OK, 2, 0 },
		{ ZEROES, { { 0, 1, 0 }, { 2, 1, UNMAP }, { 63, 1, 0 } }, 48, OK, 3, 0 },
		{ ZEROES, { { 0, 0, 0 }, { 2, 1, 0 }, { 64, 0, 0 } }, 48, OK, 1, 0 },
		{ ZEROES, { { 5, 0, 0 } }, 16, OK, 0, 0 },
		/* beyond the disk, also by wrapping */
		{ DISCARD, { { 63, 2, 0 } }, 16, IOERR, 0, 0 },
		{ DISCARD, { { 65, 0, 0 } }, 16, IOERR, 0, 0 },
		{ ZEROES, { { ~0ULL, 2, 0 } }, 16, IOERR, 0, 0 },
		{ ZEROES, { { 1ULL << 55, 1, 0 } }, 16, IOERR, 0, 0 },
		{ ZEROES, { { 0, ~0u, 0 } }, 16, IOERR, 0, 0 },
		/* a bad one behind good ones: none is done */
		{ ZEROES, { { 0, 1, 0 }, { 64, 1, 0 } }, 32, IOERR, 0, 0 },
		/* flags */
		{ DISCARD, { { 0, 8, UNMAP } }, 16, UNSUPP, 0, 0 },
		{ DISCARD, { { 0, 8, 2 } }, 16, UNSUPP, 0, 0 },
		{ ZEROES, { { 0, 8, 2 } }, 16, UNSUPP, 0, 0 },
		{ ZEROES, { { 0, 8, 0 }, { 0, 8, 0x80000000 } }, 32, UNSUPP, 0, 0 },
		/* no whole number of segments */
		{ DISCARD, { { 0, 8, 0 } }, 0, IOERR, 0, 0 },
		{ DISCARD, { { 0, 8, 0 } }, 15, IOERR, 0, 0 },
		{ ZEROES, { { 0, 8, 0 } }, 17, IOERR, 0, 0 },
		{ ZEROES, { { 0, 8, 0 } }, 17 * 16, IOERR, 0, 0 },
	};

	return cr_make_param_array(struct range_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct range_case *c, blk_zero, ranges_are_checked_and_then_done)
{
	u64 before;

	create((struct blk_config){ .discard = true, .write_zeroes = true }, 0);
	before = allocated();
	memcpy(fake_blk_at(BLK_DATA), c->segments, sizeof(c->segments));
	cr_assert(eq(u32, request(c->type, 0, BLK_DATA, c->len), c->status));
	cr_assert(eq(u32, zero_sectors(), c->zero));
	cr_assert(eq(u64, before - allocated(), c->freed));
	cr_assert(eq(u32, driver_used(&blk.drv, 0).len, 1));
}

Test(blk_zero, what_was_not_offered_or_taken_is_unsupported)
{
	struct virtio_blk_discard_write_zeroes s = { .num_sectors = 8 };

	memcpy(fake_blk_at(BLK_DATA), &s, sizeof(s));
	create((struct blk_config){ 0 }, 0);
	cr_assert(zero(u64, blk.dev->features &
	                            (BIT(VIRTIO_BLK_F_DISCARD) | BIT(VIRTIO_BLK_F_WRITE_ZEROES))));
	cr_assert(eq(u32, request(DISCARD, 0, BLK_DATA, 16), UNSUPP));
	blk_destroy(blk.dev);
	create((struct blk_config){ .discard = true }, BIT(VIRTIO_BLK_F_DISCARD));
	cr_assert(eq(u32, request(DISCARD, 0, BLK_DATA, 16), UNSUPP));
	cr_assert(eq(u32, request(ZEROES, 0, BLK_DATA, 16), UNSUPP));
	cr_assert(zero(u32, zero_sectors()));
}

Test(blk_zero, a_read_only_disk_is_not_zeroed)
{
	struct virtio_blk_discard_write_zeroes s = { .num_sectors = 8 };

	memcpy(fake_blk_at(BLK_DATA), &s, sizeof(s));
	create((struct blk_config){ .read_only = true, .discard = true, .write_zeroes = true }, 0);
	cr_assert(eq(u32, request(ZEROES, 0, BLK_DATA, 16), IOERR));
	cr_assert(eq(u32, request(DISCARD, 0, BLK_DATA, 16), IOERR));
	cr_assert(zero(u32, zero_sectors()));
}

static const struct virtio_blk_config *config(void)
{
	return blk.dev->config;
}

static void set_wce(u8 val)
{
	blk.dev->type->config_write(blk.dev, offsetof(struct virtio_blk_config, wce), 1, val);
}

Test(blk_zero, the_cache_mode_is_the_drivers)
{
	create((struct blk_config){ 0 }, 0);
	cr_assert(eq(u32, config()->wce, 1));
	set_wce(0);
	cr_assert(zero(u32, config()->wce));
	set_wce(2);
	cr_assert(zero(u32, config()->wce));
	cr_assert(eq(u32, request(VIRTIO_BLK_T_OUT, 0, BLK_DATA, 512), OK), "a write goes through");
	blk.dev->type->config_write(blk.dev, 0, 8, ~0ULL);
	cr_assert(eq(u64, config()->capacity, SECTORS), "nothing else is");
}

Test(blk_zero, without_flush_the_cache_writes_through)
{
	create((struct blk_config){ 0 }, BIT(VIRTIO_BLK_F_FLUSH));
	cr_assert(zero(u32, config()->wce));
	blk_destroy(blk.dev);
	create((struct blk_config){ 0 }, BIT(VIRTIO_BLK_F_CONFIG_WCE));
	set_wce(0);
	cr_assert(eq(u32, config()->wce, 1), "not negotiated");
}

struct cache_case {
	u64 refused;
	u8 wce;
	int flags; /* of the write that the kernel is asked for */
};

/* 5.2.6.2: what makes a completed write stable. */
ParameterizedTestParameters(blk_zero, a_write_is_stable_where_it_must_be)
{
	static struct cache_case cases[] = {
		{ 0, 1, 0 },
		{ 0, 0, RWF_DSYNC },
		{ BIT(VIRTIO_BLK_F_CONFIG_WCE), 0, 0 },
		{ BIT(VIRTIO_BLK_F_FLUSH), 0, RWF_DSYNC },
		{ BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_CONFIG_WCE), 1, RWF_DSYNC },
	};

	return cr_make_param_array(struct cache_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct cache_case *c, blk_zero, a_write_is_stable_where_it_must_be)
{
	const struct blk *b;

	create((struct blk_config){ 0 }, c->refused);
	b = container_of(blk.dev, struct blk, dev);
	set_wce(c->wce);
	cr_assert(eq(u32, request(VIRTIO_BLK_T_OUT, 0, BLK_DATA, 512), OK));
	cr_assert(eq(int, b->pools[0].requests[0].op.sqe.rw_flags, c->flags));
}

Test(blk_zero, every_queue_takes_requests)
{
	create((struct blk_config){ .queues = 2 }, 0);
	cr_assert(eq(u32, config()->num_queues, 2));
	cr_assert(eq(u32, blk.dev->nr_queues, 2));
	cr_assert(ne(u64, blk.dev->features & BIT(VIRTIO_BLK_F_MQ), 0));
	driver_start(&blk.drv, blk.drv.mem, &blk.dev->vq[1], 16);
	fake_blk_queue(&blk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false);
	virtio_notify(blk.dev, 1);
	cr_assert(zero(int, loop_run(blk.loop)));
	cr_assert(eq(u32, driver_used_idx(&blk.drv), 1));
}

Test(blk_zero, blocks_larger_than_a_sector_are_told)
{
	create((struct blk_config){ .block = 1024, .physical_block = 4096, .direct_align = 512 },
	       0);
	cr_assert(eq(u32, config()->blk_size, 1024));
	cr_assert(eq(u32, config()->physical_block_exp, 2));
	cr_assert(eq(u32, config()->min_io_size, 4));
	cr_assert(eq(u32, request(VIRTIO_BLK_T_IN, 2, BLK_DATA, 1024), OK));
	cr_assert(eq(u32, request(VIRTIO_BLK_T_IN, 1, BLK_DATA, 1024), IOERR));
	cr_assert(eq(u32, request(VIRTIO_BLK_T_IN, 2, BLK_DATA, 512), IOERR));
}

struct bounce_case {
	u32 offset, len;
};

ParameterizedTestParameters(blk_zero, direct_io_takes_memory_anywhere)
{
	static struct bounce_case cases[] = {
		{ 0, 512 }, { 1, 512 }, { 256, 4096 }, { 511, SECTORS * 512 }, { 3, 65536 / 4 },
	};

	return cr_make_param_array(struct bounce_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct bounce_case *c, blk_zero, direct_io_takes_memory_anywhere)
{
	u8 got[SECTORS * 512];

	create((struct blk_config){ .direct_align = 512 }, 0);
	for (u32 i = 0; i < c->len; i++)
		fake_blk_at(BLK_DATA + c->offset)[i] = i * 7 + i / 512;
	cr_assert(eq(u32, request(VIRTIO_BLK_T_OUT, 0, BLK_DATA + c->offset, c->len), OK));
	cr_assert(eq(int, pread(file, got, c->len, 0), (int)c->len));
	cr_assert(zero(int, memcmp(got, fake_blk_at(BLK_DATA + c->offset), c->len)));
}

ParameterizedTestParameters(blk_zero, direct_io_gives_to_memory_anywhere)
{
	static struct bounce_case cases[] = {
		{ 0, 512 },
		{ 1, 512 },
		{ 256, 4096 },
		{ 511, SECTORS * 512 },
	};

	return cr_make_param_array(struct bounce_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct bounce_case *c, blk_zero, direct_io_gives_to_memory_anywhere)
{
	u8 data[SECTORS * 512];

	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + i / 512;
	cr_assert(eq(int, pwrite(file, data, sizeof(data), 0), sizeof(data)));
	create((struct blk_config){ .direct_align = 512 }, 0);
	cr_assert(eq(u32, request(VIRTIO_BLK_T_IN, 0, BLK_DATA + c->offset, c->len), OK));
	cr_assert(eq(u32, driver_used(&blk.drv, 0).len, c->len + 1));
	cr_assert(zero(int, memcmp(data, fake_blk_at(BLK_DATA + c->offset), c->len)));
	cr_assert(zero(u8, *fake_blk_at(BLK_DATA + c->offset + c->len)));
}

/* What the kernel is given: guest memory itself where that is aligned, else a copy from before. */
ParameterizedTestParameters(blk_zero, direct_io_copies_what_is_not_aligned)
{
	static struct bounce_case cases[] = { { 0, 512 }, { 1, 512 }, { 256, 1024 } };

	return cr_make_param_array(struct bounce_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct bounce_case *c, blk_zero, direct_io_copies_what_is_not_aligned)
{
	u8 byte;

	create((struct blk_config){ .direct_align = 512 }, 0);
	fake_blk_queue(&blk, VIRTIO_BLK_T_OUT, 0, BLK_DATA + c->offset, c->len, false);
	virtio_notify(blk.dev, 0);
	memset(fake_blk_at(BLK_DATA), 0x33, 0x1000); /* the loop has not begun */
	cr_assert(zero(int, loop_run(blk.loop)));
	cr_assert(eq(int, pread(file, &byte, 1, 100), 1));
	cr_assert(eq(u32, byte, c->offset ? 0 : 0x33));
}

/* Four times the buffer, by naming the same 64 KiB of RAM again. */
Test(blk_zero, direct_io_of_more_than_the_buffer_goes_on)
{
	const struct blk_config c = { .fd = dup(file), .size = 1 << 20, .direct_align = 512 };
	u8 byte;

	cr_assert(zero(int, ftruncate(file, 1 << 20)));
	fake_blk_create(&blk, &c, ~0ULL);
	memset(fake_blk_at(BLK_DATA + 1), 0x5a, 0x10000);
	fake_blk_begin(&blk, VIRTIO_BLK_T_OUT, 0);
	for (u16 i = 1; i <= 4; i++)
		driver_desc(&blk.drv, i, BLK_DATA + 1, 0x10000, VRING_DESC_F_NEXT, i + 1);
	fake_blk_end(&blk, 5);
	cr_assert(eq(u32, fake_blk_finish(&blk), OK));
	for (off_t i = SECTORS * 512; i < 0x40000; i += 511) {
		cr_assert(eq(int, pread(file, &byte, 1, i), 1));
		cr_assert(eq(u32, byte, 0x5a));
	}
	cr_assert(eq(int, pread(file, &byte, 1, 0x40000), 1));
	cr_assert(zero(u32, byte));
}
