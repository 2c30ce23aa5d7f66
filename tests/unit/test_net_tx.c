// SPDX-License-Identifier: GPL-2.0-only
/* Frames that the network device sends (virtio 1.3, 5.1.6.2). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/fake_net.h"

static struct fake_net f;
static const struct net_backend with_header = { .header = true, .nr_pairs = 1 };
static const struct net_backend plain = { .nr_pairs = 1 };
static u8 arrived[0x20000];

static void unmake(void)
{
	fake_net_unmake(&f);
}

TestSuite(net_tx, .fini = unmake, .timeout = 20);

static void send_at(u16 at, u32 len)
{
	fake_net_offer(&f, NET_TX, at, NET_BUFFERS, len, 0);
}

static void make(const struct net_backend *like)
{
	fake_net_make(&f, like, 0);
	for (unsigned int i = 0; i < 0x20000; i++)
		net_ram[NET_BUFFERS + i] = i % 253;
}

static ssize_t arrive(void)
{
	ssize_t n = recv(f.far, arrived, sizeof(arrived), MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

static u16 used(void)
{
	return driver_used_idx(&f.drv[NET_TX]);
}

Test(net_tx, a_frame_is_sent_as_it_is)
{
	make(&with_header);
	send_at(0, NET_HDR + 60);
	cr_assert(eq(int, arrive(), NET_HDR + 60));
	cr_assert(zero(int, memcmp(arrived, net_ram + NET_BUFFERS, NET_HDR + 60)));
	cr_assert(eq(u16, used(), 1));
	cr_assert(zero(u32, driver_used(&f.drv[NET_TX], 0).len));
}

Test(net_tx, a_back_end_without_headers_is_spared_it)
{
	make(&plain);
	driver_desc(&f.drv[NET_TX], 0, NET_BASE + NET_BUFFERS, 5, VRING_DESC_F_NEXT, 1);
	driver_desc(&f.drv[NET_TX], 1, NET_BASE + NET_BUFFERS + 5, NET_HDR + 60 - 5, 0, 0);
	driver_avail(&f.drv[NET_TX], 0);
	virtio_notify(f.dev, NET_TX);
	cr_assert(eq(int, arrive(), 60));
	cr_assert(zero(int, memcmp(arrived, net_ram + NET_BUFFERS + NET_HDR, 60)));
}

Test(net_tx, a_frame_without_a_header_breaks_the_ring)
{
	make(&with_header);
	send_at(0, NET_HDR - 1);
	cr_assert(eq(u32, f.dev->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(eq(int, arrive(), -EAGAIN));
	cr_assert(zero(u32, f.dev->in_flight));
}

Test(net_tx, what_no_network_carries_is_lost)
{
	make(&with_header);
	send_at(0, 65567);
	send_at(1, NET_HDR + 60);
	cr_assert(eq(int, arrive(), NET_HDR + 60));
	cr_assert(eq(u16, used(), 2));
}

/* Frames until the socket is full: with another one held, none comes back. */
static u16 fill(void)
{
	u16 n = 0;
	int size = 1;

	setsockopt(f.backend->fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while (used() == n) {
		cr_assert(lt(u16, n, 100));
		send_at(n++ % 8, 3000);
	}
	return n;
}

Test(net_tx, a_frame_waits_until_there_is_room)
{
	u16 n;

	make(&with_header);
	n = fill();
	cr_assert(zero(u32, f.dev->in_flight), "nothing of the guest's stays mapped meanwhile");
	while (arrive() > 0)
		;
	fake_net_await(&f, NET_TX, n);
	cr_assert(eq(int, arrive(), 3000));
}

Test(net_tx, a_reset_gives_a_frame_that_waits_up_at_once)
{
	make(&with_header);
	fill();
	virtio_set_status(f.dev, 0);
	cr_assert(zero(u32, f.dev->status));
	cr_assert(zero(u32, f.dev->in_flight));
}

Test(net_tx, a_reset_of_the_queue_gives_a_frame_that_waits_up_at_once)
{
	make(&with_header);
	fill();
	virtio_reset_queue(&f.dev->vq[NET_TX]);
	cr_assert(zero(u32, f.dev->vq[NET_TX].resetting));
}

Test(net_tx, many_bytes_give_others_their_turn)
{
	make(&with_header);
	close(f.far); /* all of it is lost */
	f.far = -1;
	for (u16 i = 0; i < 6; i++) {
		driver_desc(&f.drv[NET_TX], i, NET_BASE + NET_BUFFERS, 65500, 0, 0);
		driver_avail(&f.drv[NET_TX], i);
	}
	virtio_notify(f.dev, NET_TX);
	cr_assert(eq(u32, f.agains, 1));
	cr_assert(eq(u16, used(), 5));
}

Test(net_tx, a_lost_back_end_takes_frames_and_loses_them)
{
	make(&with_header);
	f.err = -EBADFD;
	fake_net_offer(&f, NET_RX, 0, NET_BUFFERS, 2048, VRING_DESC_F_WRITE);
	cr_assert(eq(u32, f.losses, 1));
	send_at(0, NET_HDR + 60);
	cr_assert(eq(u16, used(), 1));
	cr_assert(eq(int, arrive(), -EAGAIN));
}
