// SPDX-License-Identifier: GPL-2.0-only
/* What zlib and zstd pack comes back whole, or as one error, and nothing is
 * written past its room. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "machine/unpack.h"
#include "tests/unit/leak.h"
#include "tests/unit/room.h"

#define SIZE (3u << 20)
#define ROOM (SIZE + 4096)

static u8 *plain, *packed, *out;

__attribute__((constructor)) static void make_room(void)
{
	plain = room_of(SIZE);
	packed = room_of(SIZE * 2);
	out = room_of(ROOM);
}

static u64 packed_size, done;

/* Half of it noise, so that the packed form takes many reads. */
static void make_plain(void)
{
	srandom(1);
	for (size_t i = 0; i < SIZE; i++)
		plain[i] = i & 0x1000 ? (size_t)random() : i >> 12;
	memset(out, 0xee, ROOM);
}

static void pack_gzip(const void *from, size_t size)
{
	z_stream z = { .next_in = (void *)from,
		       .avail_in = size,
		       .next_out = packed + packed_size,
		       .avail_out = SIZE * 2 - packed_size };

	cr_assert(eq(int, deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK));
	cr_assert(eq(int, deflate(&z, Z_FINISH), Z_STREAM_END));
	packed_size += z.total_out;
	deflateEnd(&z);
}

static void pack_zstd(const void *from, size_t size)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t n;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(c, packed + packed_size, SIZE * 2 - packed_size, from, size);
	cr_assert(not(ZSTD_isError(n)));
	packed_size += n;
	ZSTD_freeCCtx(c);
}

static void pack(enum packing packing, const void *from, size_t size)
{
	if (packing == PACKED_GZIP)
		pack_gzip(from, size);
	else
		pack_zstd(from, size);
}

/* As a file has it, behind @offset other bytes. */
static int run(enum packing packing, u64 offset, u64 room)
{
	int fd = memfd_create("packed", MFD_CLOEXEC), err;
	struct packed p = { packing, offset, packed_size };

	cr_assert(eq(i64, pwrite(fd, packed, packed_size, offset), packed_size));
	err = unpack(fd, &p, out, room, &done);
	close(fd);
	return err;
}

static struct criterion_test_params each_packing(void)
{
	static enum packing cases[] = { PACKED_GZIP, PACKED_ZSTD };

	return cr_make_param_array(enum packing, cases, ARRAY_SIZE(cases));
}

TestSuite(unpack, .init = make_plain, .fini = expect_no_leak, .timeout = 60);

ParameterizedTestParameters(unpack, what_was_packed_comes_back)
{
	return each_packing();
}

ParameterizedTest(enum packing *c, unpack, what_was_packed_comes_back)
{
	pack(*c, plain, SIZE);
	cr_assert(eq(int, packing_of(packed, packed_size), *c));
	cr_assert(zero(int, run(*c, 0, ROOM)));
	cr_assert(eq(u64, done, SIZE));
	cr_assert(zero(int, memcmp(out, plain, SIZE)));
	cr_assert(eq(u32, out[SIZE], 0xee));
}

ParameterizedTestParameters(unpack, it_may_be_anywhere_in_the_file_and_fill_its_room)
{
	return each_packing();
}

ParameterizedTest(enum packing *c, unpack, it_may_be_anywhere_in_the_file_and_fill_its_room)
{
	pack(*c, plain, SIZE);
	cr_assert(zero(int, run(*c, 12345, SIZE)));
	cr_assert(eq(u64, done, SIZE));
	cr_assert(zero(int, memcmp(out, plain, SIZE)));
}

ParameterizedTestParameters(unpack, members_and_frames_follow_each_other)
{
	return each_packing();
}

ParameterizedTest(enum packing *c, unpack, members_and_frames_follow_each_other)
{
	pack(*c, plain, 100000);
	pack(*c, plain, 0);
	pack(*c, plain + 100000, SIZE - 100000);
	cr_assert(zero(int, run(*c, 0, ROOM)));
	cr_assert(eq(u64, done, SIZE));
	cr_assert(zero(int, memcmp(out, plain, SIZE)));
}

ParameterizedTestParameters(unpack, a_bomb_stops_at_the_end_of_its_room)
{
	return each_packing();
}

ParameterizedTest(enum packing *c, unpack, a_bomb_stops_at_the_end_of_its_room)
{
	static const u64 rooms[] = { 0, 1, 4096, SIZE - 1 };

	memset(plain, 0, SIZE);
	pack(*c, plain, SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		memset(out, 0xee, ROOM);
		cr_assert(eq(int, run(*c, 0, rooms[i]), -EFBIG));
		cr_assert(eq(u64, done, rooms[i]));
		cr_assert(eq(u32, out[rooms[i]], 0xee), "room of %llu",
		          (unsigned long long)rooms[i]);
	}
}

ParameterizedTestParameters(unpack, what_is_cut_short_is_told)
{
	return each_packing();
}

ParameterizedTest(enum packing *c, unpack, what_is_cut_short_is_told)
{
	/* the last ones are from the end */
	static const u64 cuts[] = { 5, 9, 17, 65536, 65537, SIZE / 3, -8ULL, -4ULL, -1ULL };
	u64 whole;

	pack(*c, plain, SIZE);
	whole = packed_size;
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		packed_size = cuts[i] < whole ? cuts[i] : whole + cuts[i];
		cr_assert(eq(int, run(*c, 0, ROOM), -ENODATA), "%llu of %llu bytes",
		          (unsigned long long)cuts[i], (unsigned long long)whole);
	}
	packed_size = 0;
	cr_assert(eq(int, run(*c, 0, ROOM), -ENODATA));
}

Test(unpack, a_file_that_ends_before_its_packed_part_is_cut_short)
{
	int fd = memfd_create("packed", MFD_CLOEXEC);
	struct packed p = { PACKED_GZIP, 0, 0 };

	pack_gzip(plain, SIZE);
	p.size = packed_size;
	cr_assert(eq(i64, pwrite(fd, packed, packed_size - 100, 0), packed_size - 100));
	cr_assert(eq(int, unpack(fd, &p, out, ROOM, &done), -ENODATA));
	close(fd);
}

ParameterizedTestParameters(unpack, any_byte_that_differs_is_told)
{
	return each_packing();
}

ParameterizedTest(enum packing *c, unpack, any_byte_that_differs_is_told)
{
	pack(*c, plain, SIZE);
	for (u64 back = 1; back < packed_size; back += packed_size / 20) {
		u8 *byte = &packed[packed_size - back];

		*byte ^= 0x40;
		cr_assert(lt(int, run(*c, 0, ROOM), 0), "%llu from the end",
		          (unsigned long long)back);
		*byte ^= 0x40;
	}
	packed[packed_size - 3] ^= 1; /* of the checksum */
	cr_assert(eq(int, run(*c, 0, ROOM), -EBADMSG));
}

ParameterizedTestParameters(unpack, what_follows_is_told)
{
	return each_packing();
}

ParameterizedTest(enum packing *c, unpack, what_follows_is_told)
{
	pack(*c, plain, SIZE);
	for (unsigned int i = 0; i < 9; i++) {
		packed[packed_size++] = 0;
		cr_assert(eq(int, run(*c, 0, ROOM), -EEXIST), "%u bytes", i + 1);
	}
}

Test(unpack, what_is_not_packed_so_is_corrupt)
{
	memset(packed, 0x11, packed_size = 100);
	cr_assert(eq(int, run(PACKED_GZIP, 0, ROOM), -EBADMSG));
	cr_assert(eq(int, run(PACKED_ZSTD, 0, ROOM), -EBADMSG));
}

Test(unpack, a_file_that_cannot_be_read_is_an_error_of_the_host)
{
	struct packed p = { PACKED_GZIP, 0, 100 };

	cr_assert(eq(int, unpack(-1, &p, out, ROOM, &done), -EBADF));
}

struct why_case {
	int err;
	char text[48];
};

ParameterizedTestParameters(unpack, each_error_has_a_text)
{
	static struct why_case cases[] = {
		{ -EFBIG, "more than there is room for" },
		{ -ENODATA, "its packed part is cut short" },
		{ -EBADMSG, "its packed part is corrupt" },
		{ -EEXIST, "something else follows its packed part" },
		{ -EIO, "Input/output error" },
	};

	return cr_make_param_array(struct why_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct why_case *c, unpack, each_error_has_a_text)
{
	cr_assert(eq(str, (char *)unpack_why(c->err), c->text));
}
