// SPDX-License-Identifier: GPL-2.0-only
/* Frames that arrive at the network device (virtio 1.3, 5.1.6.3, 5.1.6.4). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/fake_net.h"

#define OFFLOADS                                                       \
	(BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | \
	 BIT(VIRTIO_NET_F_GUEST_USO4) | BIT(VIRTIO_NET_F_GUEST_USO6))
#define MERGEABLE BIT(VIRTIO_NET_F_MRG_RXBUF)
#define FILTERS   (BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_CTRL_RX))

static struct fake_net f;
static const struct net_backend with_header = { .header = true,
	                                        .nr_pairs = 1,
	                                        .features = OFFLOADS };
static const struct net_backend plain = { .nr_pairs = 1 };
static const struct net_backend small = { .header = true, .nr_pairs = 1, .mtu = 1500 };
static const u8 ours[NET_MAC_LEN] = { 2, 0, 0, 0, 0, 1 };
static const struct virtio_net_hdr_v1 no_offload = { .num_buffers = 0xeeee };

static void unmake(void)
{
	fake_net_unmake(&f);
}

TestSuite(net_rx, .fini = unmake, .timeout = 20);

static void offer(u16 at, u32 len)
{
	fake_net_offer(&f, NET_RX, at, NET_BUFFERS + at * 0x1000, len, VRING_DESC_F_WRITE);
}

static const u8 *buffer(u16 at)
{
	return net_ram + NET_BUFFERS + at * 0x1000;
}

static struct virtio_net_hdr_v1 header(u16 at)
{
	struct virtio_net_hdr_v1 h;

	memcpy(&h, buffer(at), sizeof(h));
	return h;
}

static u16 used(void)
{
	return driver_used_idx(&f.drv[NET_RX]);
}

static u32 used_len(u16 at)
{
	return driver_used(&f.drv[NET_RX], at).len;
}

Test(net_rx, a_frame_that_was_waiting_goes_into_a_buffer_at_the_kick)
{
	fake_net_make(&f, &with_header, MERGEABLE);
	fake_net_arrive(&f, &no_offload, ours, 60);
	cr_assert(zero(u16, used()));
	offer(0, 2048);
	cr_assert(eq(u16, used(), 1));
	cr_assert(eq(u32, used_len(0), NET_HDR + 60));
	cr_assert(eq(u16, header(0).num_buffers, 1));
	cr_assert(zero(int, memcmp(buffer(0) + NET_HDR, ours, sizeof(ours))));
	cr_assert(eq(u8, buffer(0)[NET_HDR + 59], 59));
	cr_assert(eq(u32, f.transport.interrupts, 1));
}

Test(net_rx, a_frame_that_arrives_later_wakes_the_loop)
{
	fake_net_make(&f, &with_header, MERGEABLE);
	offer(0, 2048);
	offer(1, 2048);
	fake_net_arrive(&f, &no_offload, ours, 60);
	fake_net_arrive(&f, &no_offload, ours, 70);
	fake_net_await(&f, NET_RX, 2);
	cr_assert(eq(u32, used_len(0), NET_HDR + 60));
	cr_assert(eq(u32, used_len(1), NET_HDR + 70));
}

Test(net_rx, a_long_frame_fills_buffers_one_after_the_other)
{
	fake_net_make(&f, &with_header, MERGEABLE);
	fake_net_arrive(&f, &no_offload, ours, 1000);
	offer(0, 400);
	cr_assert(zero(u16, used()), "not before all of it has a place");
	offer(1, 500);
	offer(2, 500);
	cr_assert(eq(u16, used(), 3));
	cr_assert(eq(u32, used_len(0), 400));
	cr_assert(eq(u32, used_len(1), 500));
	cr_assert(eq(u32, used_len(2), NET_HDR + 1000 - 900));
	cr_assert(eq(u16, header(0).num_buffers, 3));
	for (unsigned int i = NET_MAC_LEN; i < 1000; i++) {
		unsigned int at = i + NET_HDR;
		const u8 *b = at < 400   ? buffer(0) + at
		              : at < 900 ? buffer(1) + at - 400
		                         : buffer(2) + at - 900;

		cr_assert(eq(u8, *b, i % 251), "byte %u", i);
	}
}

Test(net_rx, a_frame_no_ring_has_room_for_is_dropped_and_the_next_one_arrives)
{
	fake_net_make(&f, &with_header, MERGEABLE);
	fake_net_arrive(&f, &no_offload, ours, 1000);
	fake_net_arrive(&f, &no_offload, ours, 60);
	for (u16 i = 0; i < 8; i++)
		offer(i, 100);
	cr_assert(eq(u16, used(), 1));
	cr_assert(eq(u32, used_len(0), NET_HDR + 60));
}

Test(net_rx, without_merging_a_frame_has_one_buffer_or_none)
{
	fake_net_make(&f, &with_header, 0);
	fake_net_arrive(&f, &no_offload, ours, 1000);
	fake_net_arrive(&f, &no_offload, ours, 1000);
	offer(0, 900);
	offer(1, 1500);
	cr_assert(zero(u16, used()),
	          "both are dropped: the first buffer is the first to be filled");
	fake_net_arrive(&f, &no_offload, ours, 60);
	fake_net_await(&f, NET_RX, 1);
	cr_assert(eq(u16, header(0).num_buffers, 1));
}

Test(net_rx, a_back_end_without_headers_gets_one)
{
	fake_net_make(&f, &plain, MERGEABLE);
	memset(net_ram + NET_BUFFERS, 0xee, 0x1000);
	fake_net_arrive(&f, NULL, ours, 60);
	offer(0, 2048);
	cr_assert(eq(u32, used_len(0), NET_HDR + 60));
	cr_assert(eq(u16, header(0).num_buffers, 1));
	cr_assert(zero(u8, header(0).flags));
	cr_assert(zero(u8, header(0).gso_type));
	cr_assert(eq(u8, buffer(0)[NET_HDR + 59], 59));
}

Test(net_rx, a_header_across_descriptors_is_one)
{
	fake_net_make(&f, &with_header, 0);
	fake_net_arrive(&f, &no_offload, ours, 60);
	driver_desc(&f.drv[NET_RX], 0, NET_BASE + NET_BUFFERS, 5,
	            VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
	driver_desc(&f.drv[NET_RX], 1, NET_BASE + NET_BUFFERS + 5, 500, VRING_DESC_F_WRITE, 0);
	driver_avail(&f.drv[NET_RX], 0);
	virtio_notify(f.dev, NET_RX);
	cr_assert(eq(u16, header(0).num_buffers, 1));
	cr_assert(eq(u8, buffer(0)[NET_HDR + 59], 59));
}

struct offload_case {
	u64 taken;
	struct virtio_net_hdr_v1 header;
	bool arrives;
	u8 flags;
};

ParameterizedTestParameters(net_rx, only_what_the_driver_took_is_in_a_header)
{
	static struct offload_case cases[] = {
		{ 0, { .flags = VIRTIO_NET_HDR_F_DATA_VALID }, true, 0 },
		{ 0, { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM }, false, 0 },
		{ BIT(VIRTIO_NET_F_GUEST_CSUM),
		  { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM },
		  true,
		  VIRTIO_NET_HDR_F_NEEDS_CSUM },
		{ BIT(VIRTIO_NET_F_GUEST_CSUM),
		  { 1, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 },
		  false,
		  0 },
		{ OFFLOADS, { 1, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 }, true, 1 },
		{ OFFLOADS, { 1, .gso_type = VIRTIO_NET_HDR_GSO_TCPV6 }, false, 0 },
		{ OFFLOADS, { 1, .gso_type = VIRTIO_NET_HDR_GSO_UDP_L4 }, true, 1 },
		{ OFFLOADS, { 1, .gso_type = 77 }, false, 0 },
		/* 5.1.3.1: segmentation without checksums is not asked for */
		{ BIT(VIRTIO_NET_F_GUEST_TSO4),
		  { 0, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 },
		  false,
		  0 },
	};

	return cr_make_param_array(struct offload_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct offload_case *c, net_rx, only_what_the_driver_took_is_in_a_header)
{
	fake_net_make(&f, &with_header, c->taken);
	cr_assert(eq(u64, f.offloads, c->taken & BIT(VIRTIO_NET_F_GUEST_CSUM) ? c->taken : 0));
	fake_net_arrive(&f, &c->header, ours, 60);
	offer(0, 2048);
	cr_assert(eq(u16, used(), c->arrives));
	if (c->arrives)
		cr_assert(eq(u8, header(0).flags, c->flags));
}

Test(net_rx, a_frame_longer_than_the_mtu_is_dropped)
{
	fake_net_make(&f, &small, BIT(VIRTIO_NET_F_MTU));
	fake_net_arrive(&f, &no_offload, ours, 1519);
	fake_net_arrive(&f, &no_offload, ours, 1518);
	offer(0, 2048);
	cr_assert(eq(u16, used(), 1));
	cr_assert(eq(u32, used_len(0), NET_HDR + 1518));
}

Test(net_rx, what_is_shorter_than_a_frame_is_dropped)
{
	fake_net_make(&f, &with_header, 0);
	cr_assert(eq(sz, write(f.far, ours, 5), 5));
	fake_net_arrive(&f, &no_offload, ours, 60);
	offer(0, 2048);
	cr_assert(eq(u16, used(), 1));
	cr_assert(eq(u32, used_len(0), NET_HDR + 60));
}

Test(net_rx, a_buffer_without_room_for_a_header_breaks_the_ring)
{
	fake_net_make(&f, &with_header, MERGEABLE);
	offer(0, NET_HDR - 1);
	cr_assert(eq(u32, f.dev->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(zero(u32, f.dev->in_flight));
}

Test(net_rx, a_reset_gives_held_buffers_up_at_once)
{
	fake_net_make(&f, &with_header, MERGEABLE);
	for (u16 i = 0; i < 3; i++)
		offer(i, 2048);
	cr_assert(eq(u32, f.dev->in_flight, 3));
	virtio_set_status(f.dev, 0);
	cr_assert(zero(u32, f.dev->status));
	cr_assert(zero(u16, used()), "the driver has its memory back as it was");
}

Test(net_rx, a_reset_of_the_queue_gives_held_buffers_up_at_once)
{
	fake_net_make(&f, &with_header, MERGEABLE);
	offer(0, 2048);
	virtio_reset_queue(&f.dev->vq[NET_RX]);
	cr_assert(zero(u32, f.dev->vq[NET_RX].resetting));
	cr_assert(zero(u32, f.dev->in_flight));
}

Test(net_rx, frames_without_end_give_others_their_turn)
{
	fake_net_make(&f, &with_header, 0);
	f.endless = true;
	offer(0, 2048);
	cr_assert(eq(u32, f.agains, 1));
}

Test(net_rx, a_back_end_that_ends_takes_the_link_down_once)
{
	fake_net_make(&f, &with_header, 0);
	f.err = -EBADFD;
	offer(0, 2048);
	offer(1, 2048);
	cr_assert(eq(u32, f.losses, 1));
	cr_assert(eq(u32, f.transport.config_changes, 1));
	cr_assert(zero(u16, ((struct virtio_net_config *)f.dev->config)->status));
}

Test(net_rx, the_link_goes_down_and_up)
{
	const struct virtio_net_config *config;

	fake_net_make(&f, &with_header, 0);
	config = f.dev->config;
	cr_assert(eq(u16, config->status, VIRTIO_NET_S_LINK_UP));
	net_set_link(f.dev, false);
	cr_assert(zero(u16, config->status));
	net_set_link(f.dev, false);
	cr_assert(eq(u32, f.transport.config_changes, 1));
	net_set_link(f.dev, true);
	cr_assert(eq(u16, config->status, VIRTIO_NET_S_LINK_UP));
}

/* Which frames pass a driver that has asked for its own address alone (5.1.6.5.1). */
struct filter_case {
	u8 destination[NET_MAC_LEN];
	u8 mode; /* what is on */
	bool arrives;
};
#define NONE 0xff

ParameterizedTestParameters(net_rx, a_filter_lets_through_what_was_asked_for)
{
	static struct filter_case cases[] = {
		{ { 2, 0, 0, 0, 0, 1 }, NONE, true },
		{ { 2, 0, 0, 0, 0, 2 }, NONE, false },
		{ { 2, 0, 0, 0, 0, 2 }, VIRTIO_NET_CTRL_RX_PROMISC, true },
		{ { 2, 0, 0, 0, 0, 2 }, VIRTIO_NET_CTRL_RX_ALLUNI, true },
		{ { 2, 0, 0, 0, 0, 1 }, VIRTIO_NET_CTRL_RX_NOUNI, false },
		{ { 1, 0, 0x5e, 0, 0, 1 }, NONE, false },
		{ { 1, 0, 0x5e, 0, 0, 1 }, VIRTIO_NET_CTRL_RX_ALLMULTI, true },
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, NONE, true },
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, VIRTIO_NET_CTRL_RX_NOBCAST, false },
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, VIRTIO_NET_CTRL_RX_NOMULTI, true },
	};

	return cr_make_param_array(struct filter_case, cases, ARRAY_SIZE(cases));
}

static void set_mode(u16 at, u8 mode, u8 on)
{
	const u8 command[3] = { VIRTIO_NET_CTRL_RX, mode, on };
	const u64 offset = NET_BUFFERS + 0x10000;
	struct driver *d = &f.drv[NET_CTRL];

	memcpy(net_ram + offset, command, sizeof(command));
	driver_desc(d, 2 * at, NET_BASE + offset, sizeof(command), VRING_DESC_F_NEXT, 2 * at + 1);
	driver_desc(d, 2 * at + 1, NET_BASE + offset + 16, 1, VRING_DESC_F_WRITE, 0);
	driver_avail(d, 2 * at);
	virtio_notify(f.dev, NET_CTRL);
	cr_assert(eq(u8, net_ram[offset + 16], VIRTIO_NET_OK));
}

ParameterizedTest(struct filter_case *c, net_rx, a_filter_lets_through_what_was_asked_for)
{
	fake_net_make(&f, &with_header, FILTERS | BIT(VIRTIO_NET_F_CTRL_RX_EXTRA));
	set_mode(0, VIRTIO_NET_CTRL_RX_PROMISC, 0);
	if (c->mode != NONE)
		set_mode(1, c->mode, 1);
	fake_net_arrive(&f, &no_offload, c->destination, 60);
	offer(0, 2048);
	cr_assert(eq(u16, used(), c->arrives));
}
