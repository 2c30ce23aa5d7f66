// SPDX-License-Identifier: GPL-2.0-only
/* The block device on a real file and a real loop. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/fake_blk.h"

#define SECTORS 16

static struct fake_blk blk;
static int file;

static void create(bool read_only)
{
	const struct blk_config c = { .fd = dup(file),
		                      .size = SECTORS * 512 + 100,
		                      .read_only = read_only,
		                      .serial = "nestor-disk-with-a-long-serial" };

	fake_blk_create(&blk, &c, 0);
}

static void make(void)
{
	fake_blk_make(&blk);
	file = memfd_create("disk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	for (int i = 0; i < SECTORS * 512; i++)
		cr_assert(eq(int, write(file, &(u8){ i / 512 * 16 + i % 16 }, 1), 1));
	create(false);
}

static void unmake(void)
{
	fake_blk_unmake(&blk);
	close(file);
}

TestSuite(blk, .init = make, .fini = unmake, .timeout = 20);

/* The data is the device's to write, or the driver's. */
static u8 request(u32 type, u64 sector, u32 len, bool in)
{
	fake_blk_queue(&blk, type, sector, BLK_DATA, len, in);
	return fake_blk_finish(&blk);
}

static u32 used_len(void)
{
	return driver_used(&blk.drv, driver_used_idx(&blk.drv) - 1).len;
}

Test(blk, it_says_how_large_it_is)
{
	const struct virtio_blk_config *c = blk.dev->config;

	cr_assert(eq(u64, c->capacity, SECTORS),
	          "what is beyond the last whole sector is not seen");
	cr_assert(eq(u32, c->blk_size, 512));
	cr_assert(eq(u32, c->seg_max, 254));
	cr_assert(eq(u64, blk.dev->features & BIT(VIRTIO_BLK_F_FLUSH), BIT(VIRTIO_BLK_F_FLUSH)));
	cr_assert(zero(u64, blk.dev->features & BIT(VIRTIO_BLK_F_RO)));
}

Test(blk, a_read_is_what_the_file_has)
{
	cr_assert(eq(u32, request(VIRTIO_BLK_T_IN, 3, 1024, true), VIRTIO_BLK_S_OK));
	cr_assert(eq(u32, used_len(), 1025));
	for (int i = 0; i < 1024; i++)
		cr_assert(eq(u32, fake_blk_at(BLK_DATA)[i], (3 + i / 512) * 16 + i % 16));
	cr_assert(zero(u32, fake_blk_at(BLK_DATA)[1024]));
}

Test(blk, a_write_is_in_the_file)
{
	u8 got[512];

	memset(fake_blk_at(BLK_DATA), 0x77, 512);
	cr_assert(eq(u32, request(VIRTIO_BLK_T_OUT, SECTORS - 1, 512, false), VIRTIO_BLK_S_OK));
	cr_assert(eq(u32, used_len(), 1));
	cr_assert(eq(int, pread(file, got, 512, (SECTORS - 1) * 512), 512));
	cr_assert(zero(int, memcmp(got, fake_blk_at(BLK_DATA), 512)));
	cr_assert(eq(int, lseek(file, 0, SEEK_END), SECTORS * 512));
}

Test(blk, a_flush_succeeds)
{
	cr_assert(eq(u32, request(VIRTIO_BLK_T_FLUSH, 0, 0, false), VIRTIO_BLK_S_OK));
	cr_assert(eq(u32, used_len(), 1));
}

Test(blk, its_id_is_cut_at_20_characters)
{
	cr_assert(eq(u32, request(VIRTIO_BLK_T_GET_ID, 0, 30, true), VIRTIO_BLK_S_OK));
	cr_assert(eq(u32, used_len(), 21));
	cr_assert(eq(str, (char *)fake_blk_at(BLK_DATA), "nestor-disk-with-a-l"));
}

struct request_case {
	u32 type;
	u64 sector;
	u32 len;
	u8 status;
};

ParameterizedTestParameters(blk, a_request_that_cannot_be_is_answered)
{
	static struct request_case cases[] = {
		{ VIRTIO_BLK_T_IN, SECTORS, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, SECTORS - 1, 1024, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, ~0ULL, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 1ULL << 55, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 0, 511, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 0, 0, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, SECTORS, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, 0, 513, VIRTIO_BLK_S_IOERR },
		{ 99, 0, 512, VIRTIO_BLK_S_UNSUPP },
		{ VIRTIO_BLK_T_DISCARD, 0, 512, VIRTIO_BLK_S_UNSUPP },
	};

	return cr_make_param_array(struct request_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct request_case *c, blk, a_request_that_cannot_be_is_answered)
{
	u8 status = request(c->type, c->sector, c->len, c->type != VIRTIO_BLK_T_OUT);

	cr_assert(eq(u32, status, c->status), "type %u, sector %llu, %u bytes", c->type,
	          (unsigned long long)c->sector, c->len);
	cr_assert(eq(u32, used_len(), 1));
	cr_assert(eq(u32, blk.dev->status, 0xf));
	cr_assert(eq(int, lseek(file, 0, SEEK_END), SECTORS * 512));
}

Test(blk, more_than_4_gib_is_out_of_range)
{
	/* 4 GiB and a sector, all of it the same RAM */
	cr_assert(zero(int, fcntl(file, F_ADD_SEALS, F_SEAL_GROW)));
	fake_blk_begin(&blk, VIRTIO_BLK_T_OUT, 0);
	for (u16 i = 1; i <= 256 / 2; i++)
		driver_desc(&blk.drv, i, BLK_BASE, BLK_RAM, VRING_DESC_F_NEXT, i + 1);
	driver_desc(&blk.drv, 129, BLK_DATA, 512, VRING_DESC_F_NEXT, 130);
	fake_blk_end(&blk, 130);
	cr_assert(eq(u32, fake_blk_finish(&blk), VIRTIO_BLK_S_IOERR));
}

Test(blk, a_read_only_disk_is_not_written)
{
	blk_destroy(blk.dev);
	create(true);
	cr_assert(eq(u64, blk.dev->features & BIT(VIRTIO_BLK_F_RO), BIT(VIRTIO_BLK_F_RO)));
	cr_assert(eq(u32, request(VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR));
	cr_assert(eq(int, pread(file, fake_blk_at(BLK_DATA), 1, 17), 1));
	cr_assert(eq(u32, *fake_blk_at(BLK_DATA), 1), "the file is as it was");
}

Test(blk, a_read_only_disk_is_read)
{
	blk_destroy(blk.dev);
	create(true);
	cr_assert(eq(u32, request(VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK));
}

Test(blk, a_file_that_shrank_is_an_error_that_claims_no_data)
{
	cr_assert(zero(int, ftruncate(file, 512)));
	cr_assert(eq(u32, request(VIRTIO_BLK_T_IN, 4, 512, true), VIRTIO_BLK_S_IOERR));
	cr_assert(eq(u32, used_len(), 1));
}

Test(blk, a_short_transfer_goes_on_to_its_end)
{
	cr_assert(zero(int, ftruncate(file, 512 + 100)));
	cr_assert(eq(u32, request(VIRTIO_BLK_T_IN, 0, 1024, true), VIRTIO_BLK_S_IOERR));
	cr_assert(eq(u32, fake_blk_at(BLK_DATA)[512 + 99], 16 + 99 % 16));
}

struct shape_case {
	u32 header, data, status; /* the length of each; data 0: none */
};

ParameterizedTestParameters(blk, what_is_no_request_breaks_the_queue)
{
	static struct shape_case cases[] = {
		{ 15, 0, 1 },
		{ 8, 512, 1 },
		{ 16, 512, 0 },
		{ 16, 0, 0 },
	};

	return cr_make_param_array(struct shape_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct shape_case *c, blk, what_is_no_request_breaks_the_queue)
{
	driver_desc(&blk.drv, 0, BLK_HEADER, c->header, VRING_DESC_F_NEXT, 2);
	driver_desc(&blk.drv, 2, BLK_STATUS, c->status, VRING_DESC_F_WRITE, 0);
	if (!c->status)
		driver_desc(&blk.drv, 0, BLK_HEADER, c->header, c->data ? VRING_DESC_F_NEXT : 0, 1);
	driver_desc(&blk.drv, 1, BLK_DATA, c->data, 0, 0);
	driver_avail(&blk.drv, 0);
	virtio_notify(blk.dev, 0);
	cr_assert(eq(u32, blk.dev->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(zero(u32, blk.dev->in_flight));
}
