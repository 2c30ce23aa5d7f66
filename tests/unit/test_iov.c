// SPDX-License-Identifier: GPL-2.0-only
/* Looking into and trimming iovec arrays. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "devices/virtio/virtio.h"

static char bytes[] = "abcdefghij";
static struct iovec iov[4];

static void make(void)
{
	iov[0] = (struct iovec){ bytes, 3 };
	iov[1] = (struct iovec){ bytes + 3, 0 };
	iov[2] = (struct iovec){ bytes + 3, 4 };
	iov[3] = (struct iovec){ bytes + 7, 3 };
}

TestSuite(iov, .init = make);

Test(iov, its_bytes_are_counted)
{
	cr_assert(eq(sz, iov_bytes(iov, 4), 10));
	cr_assert(zero(sz, iov_bytes(iov, 0)));
}

struct copy_case {
	size_t offset, len, copied;
	char text[16];
};

ParameterizedTestParameters(iov, a_copy_begins_and_ends_anywhere)
{
	static struct copy_case cases[] = {
		{ 0, 10, 10, "abcdefghij" },
		{ 0, 99, 10, "abcdefghij" },
		{ 2, 3, 3, "cde" },
		{ 3, 4, 4, "defg" },
		{ 9, 5, 1, "j" },
		{ 10, 5, 0, "" },
		{ 0, 0, 0, "" },
	};

	return cr_make_param_array(struct copy_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct copy_case *c, iov, a_copy_begins_and_ends_anywhere)
{
	char buf[100] = { 0 };

	cr_assert(eq(sz, iov_read(iov, 4, c->offset, buf, c->len), c->copied));
	cr_assert(eq(str, buf, c->text));
}

Test(iov, a_write_fills_piece_after_piece)
{
	cr_assert(eq(sz, iov_write(iov, 4, 2, "XYZ", 3), 3));
	cr_assert(eq(str, bytes, "abXYZfghij"));
	cr_assert(eq(sz, iov_write(iov, 4, 9, "12", 2), 1));
	cr_assert(eq(str, bytes, "abXYZfghi1"));
}

Test(iov, skipping_drops_the_front)
{
	unsigned int nr = 4;
	struct iovec *left = iov_skip(iov, &nr, 5);

	cr_assert(eq(u32, nr, 2));
	cr_assert(eq(ptr, left->iov_base, bytes + 5));
	cr_assert(eq(sz, left->iov_len, 2));
	left = iov_skip(left, &nr, 2);
	cr_assert(eq(ptr, left->iov_base, bytes + 7));
	iov_skip(left, &nr, 3);
	cr_assert(zero(u32, nr));
}

struct truncate_case {
	size_t len;
	unsigned int nr;
};

ParameterizedTestParameters(iov, truncating_keeps_the_front)
{
	static struct truncate_case cases[] = {
		{ 10, 4 }, { 99, 4 }, { 8, 4 }, { 7, 3 }, { 4, 3 }, { 3, 1 }, { 1, 1 }, { 0, 0 },
	};

	return cr_make_param_array(struct truncate_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct truncate_case *c, iov, truncating_keeps_the_front)
{
	unsigned int nr = 4;

	iov_truncate(iov, &nr, c->len);
	cr_assert(eq(u32, nr, c->nr), "%zu", c->len);
	cr_assert(eq(sz, iov_bytes(iov, nr), c->len < 10 ? c->len : 10));
}
