// SPDX-License-Identifier: GPL-2.0-only
/* Frames over a stream socket, each behind its length. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio/net.h"
#include "devices/virtio/net_stream.h"
#include "tests/unit/leak.h"

static struct net_backend *b;
static int far;
static u8 frame[70000];

static void make(void)
{
	int ends[2];

	cr_assert(zero(int, socketpair(AF_UNIX, SOCK_STREAM, 0, ends)));
	cr_assert(zero(int, net_stream_create(&b, ends[0])));
	far = ends[1];
}

static void unmake(void)
{
	b->ops->destroy(b);
	close(far);
	expect_no_leak();
}

TestSuite(net_stream, .init = make, .fini = unmake, .timeout = 20);

static void put(const void *bytes, size_t len)
{
	cr_assert(eq(sz, write(far, bytes, len), len));
}

static void put_size(u32 size)
{
	size = htobe32(size);
	put(&size, sizeof(size));
}

static ssize_t receive(void)
{
	struct iovec iov[2] = { { frame, 10 }, { frame + 10, sizeof(frame) - 10 } };

	memset(frame, 0, sizeof(frame));
	return b->ops->receive(b, 0, iov, 2);
}

Test(net_stream, frames_come_one_after_the_other)
{
	put_size(5);
	put("frame", 5);
	put_size(14);
	put("a second frame", 14);
	cr_assert(eq(int, receive(), 5));
	cr_assert(zero(int, memcmp(frame, "frame", 5)));
	cr_assert(eq(int, receive(), 14));
	cr_assert(zero(int, memcmp(frame, "a second frame", 14)));
	cr_assert(eq(int, receive(), -EAGAIN));
}

Test(net_stream, a_frame_in_pieces_is_one)
{
	const u32 size = htobe32(14);

	for (unsigned int i = 0; i < sizeof(size); i++) {
		cr_assert(eq(int, receive(), -EAGAIN));
		put((const u8 *)&size + i, 1);
	}
	for (unsigned int i = 0; i < 14; i++) {
		cr_assert(eq(int, receive(), -EAGAIN));
		put("a second frame" + i, 1);
	}
	cr_assert(eq(int, receive(), 14));
	cr_assert(zero(int, memcmp(frame, "a second frame", 14)));
}

Test(net_stream, more_than_is_buffered_is_whole)
{
	static u8 bytes[65535];

	for (unsigned int n = 0; n < 20; n++) {
		for (unsigned int i = 0; i < sizeof(bytes); i++)
			bytes[i] = i * 7 + n;
		put_size(sizeof(bytes));
		put(bytes, sizeof(bytes));
		if (n < 2)
			continue; /* always some of them wait */
		cr_assert(eq(int, receive(), sizeof(bytes)));
		cr_assert(eq(u8, frame[1], (u8)(7 + n - 2)));
		cr_assert(eq(u8, frame[65534], (u8)(65534 * 7 + n - 2)));
	}
}

Test(net_stream, a_length_that_no_frame_has_ends_it)
{
	put_size(65536);
	cr_assert(eq(int, receive(), -EPROTO));
}

Test(net_stream, the_other_end_closes)
{
	put_size(5);
	put("fra", 3);
	close(far);
	far = -1;
	cr_assert(eq(int, receive(), -ECONNRESET));
}

static int send_frame(const void *bytes, size_t len)
{
	struct iovec iov = { (void *)bytes, len };

	return b->ops->send(b, 0, &iov, 1);
}

static void expect_bytes(const void *bytes, size_t len)
{
	static u8 got[70000];

	cr_assert(eq(sz, recv(far, got, len, MSG_WAITALL), len));
	cr_assert(zero(int, memcmp(got, bytes, len)));
}

static void expect_frame(const void *bytes, size_t len)
{
	u32 size = htobe32(len);

	expect_bytes(&size, sizeof(size));
	expect_bytes(bytes, len);
}

Test(net_stream, a_frame_is_sent_behind_its_length)
{
	cr_assert(zero(int, send_frame("the first frame", 15)));
	cr_assert(zero(int, send_frame("a second frame", 14)));
	expect_frame("the first frame", 15);
	expect_frame("a second frame", 14);
}

/* passt would end the connection over it, and take the guest's network with it. */
Test(net_stream, what_is_no_frame_is_lost)
{
	static u8 bytes[65536];

	cr_assert(zero(int, send_frame(bytes, 0)));
	cr_assert(zero(int, send_frame(bytes, 13)));
	cr_assert(zero(int, send_frame(bytes, 65536)));
	cr_assert(zero(int, send_frame("a first frame.", 14)));
	expect_frame("a first frame.", 14);
	cr_assert(zero(int, send_frame(bytes, 65535)));
	expect_frame(bytes, 65535);
}

Test(net_stream, nobody_there_is_a_lost_frame)
{
	close(far);
	far = -1;
	cr_assert(zero(int, send_frame("the first frame", 15)));
}

/* A socket that takes a part of a frame: the rest follows, and nothing twice. */
Test(net_stream, a_frame_that_is_taken_in_part_is_whole_in_the_end)
{
	static u8 bytes[4][65535];
	unsigned int sent = 0, seen = 0, waits = 0;

	for (unsigned int n = 0; n < 4; n++)
		memset(bytes[n], n + 1, sizeof(bytes[n]));
	while (seen < 40) {
		while (sent < 40 && !send_frame(bytes[sent % 4], 65535 - sent))
			sent++;
		waits += sent < 40;
		expect_frame(bytes[seen % 4], 65535 - seen);
		seen++;
		cr_assert(le(u32, seen, sent + 1));
		while (seen == sent + 1 && send_frame(bytes[sent % 4], 65535 - sent))
			;
		sent += seen == sent + 1;
	}
	cr_assert(gt(u32, waits, 0));
}

/* A driver that resets its queue does not send that frame again: the next is another one. */
Test(net_stream, a_frame_that_is_taken_back_does_not_swallow_the_next)
{
	static u8 bytes[65535], last[100];
	unsigned int sent = 0;

	while (!send_frame(bytes, sizeof(bytes)))
		sent++;
	b->ops->taken_back(b, 0);
	memset(last, 9, sizeof(last));
	for (unsigned int seen = 0; seen < sent; seen++)
		expect_frame(bytes, sizeof(bytes));
	cr_assert(zero(int, send_frame(last, sizeof(last))));
	expect_frame(bytes, sizeof(bytes)); /* the other end has its length already */
	expect_frame(last, sizeof(last));
}
