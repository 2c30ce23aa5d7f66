// SPDX-License-Identifier: GPL-2.0-only
/* Frames that arrive at a network device behind an IOMMU: what waits keeps none of its mappings. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/fake_net.h"
#include "tests/unit/fake_viommu.h"

#define RW      (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)
#define IOVA    0x100000ULL /* of all that the network's driver has */
#define SIZE    0x20000ULL
#define BUFFERS 0x8000 /* offset */
#define QUEUE   8

static struct fake_viommu v;
static struct fake_net f;
static struct guest_mem mem = { .base = IOVA, .size = SIZE };
static const struct net_backend with_header = { .header = true, .nr_pairs = 1 };
static const struct net_backend plain = { .nr_pairs = 1 };
static const u8 ours[NET_MAC_LEN] = { 2, 0, 0, 0, 0, 1 };
static const struct virtio_net_hdr_v1 no_offload = { .num_buffers = 0xeeee };

static void attach(void)
{
	cr_assert(zero(u8, fake_viommu_attach(&v, 1, 0x10, 0)));
	cr_assert(zero(u8, fake_viommu_map(&v, 1, IOVA, IOVA + SIZE - 1, VIOMMU_DATA, RW)));
}

static void make(const struct net_backend *like)
{
	fake_viommu_make(&v, NULL, BIT(VIRTIO_RING_F_EVENT_IDX));
	attach();
	fake_net_make(&f, like, BIT(VIRTIO_NET_F_MRG_RXBUF));
	f.dev->dma = fake_viommu_dma(&v, 0);
	mem.host = fake_viommu_mem.host + (VIOMMU_DATA - VIOMMU_BASE);
	driver_start(&f.drv[NET_RX], &mem, &f.dev->vq[NET_RX], QUEUE);
}

static void unmake(void)
{
	fake_net_unmake(&f);
	fake_viommu_unmake(&v);
}

TestSuite(net_rx_iommu, .fini = unmake, .timeout = 20);

static void offer(u16 at, u32 len)
{
	memset(mem.host + BUFFERS + at * 0x1000, 0xee, 0x1000);
	driver_desc(&f.drv[NET_RX], at, IOVA + BUFFERS + at * 0x1000, len, VRING_DESC_F_WRITE, 0);
	driver_avail(&f.drv[NET_RX], at);
	virtio_notify(f.dev, NET_RX);
}

static u16 used(void)
{
	return driver_used_idx(&f.drv[NET_RX]);
}

static void expect_nothing_held(void)
{
	cr_assert(zero(u32, f.dev->in_flight));
	cr_assert(zero(u32, f.dev->status & VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(zero(u8, fake_viommu_detach(&v, 1, 0x10)), "it comes back at once");
	attach();
}

/* The used buffers together, which are filled to their ends: a header, and the frame. */
static void expect_frame(const u32 *lens, u16 nr, size_t len)
{
	u8 got[QUEUE * 0x1000];
	size_t n = 0;

	cr_assert(eq(u16, used(), nr));
	for (u16 i = 0; i < nr; i++) {
		struct vring_used_elem e = driver_used(&f.drv[NET_RX], i);

		cr_assert(eq(u32, e.id, i));
		cr_assert(eq(u32, e.len, i < nr - 1 ? lens[i] : NET_HDR + len - n));
		memcpy(got + n, mem.host + BUFFERS + i * 0x1000, e.len);
		cr_assert(eq(u8, mem.host[BUFFERS + i * 0x1000 + e.len], 0xee), "buffer %u", i);
		n += e.len;
	}
	cr_assert(eq(sz, n, NET_HDR + len));
	cr_assert(zero(u64, *(u64 *)got), "the header");
	cr_assert(eq(u16, *(u16 *)(got + 10), nr), "num_buffers");
	for (size_t i = 0; i < len; i++)
		cr_assert(eq(u8, got[NET_HDR + i], i < NET_MAC_LEN ? ours[i] : i % 251), "byte %zu",
		          i);
}

struct wait_case {
	bool plain; /* the back end has no headers */
	size_t len;
	u32 lens[QUEUE]; /* of the driver's buffers, one a kick */
	u16 nr;
};

ParameterizedTestParameters(net_rx_iommu, a_frame_that_waits_for_buffers_holds_none_and_is_whole)
{
	static struct wait_case cases[] = {
		{ false, 1000, { 400, 500, 500 }, 3 },
		{ true, 1000, { 400, 500, 500 }, 3 },
		{ false, 1000, { NET_HDR, 1000 }, 2 },
		{ true, 1000, { NET_HDR, 1000 }, 2 },
		{ false, 1000, { NET_HDR + 999, 100 }, 2 },
		{ false, 2000, { 13, 14, 15, 1000, 12, 500, 400, 100 }, QUEUE },
		{ true, 2000, { 13, 14, 15, 1000, 12, 500, 400, 100 }, QUEUE },
		{ false, 30000, { 4000, 4000, 4000, 4000, 4000, 4000, 4000, 4000 }, QUEUE },
	};

	return cr_make_param_array(struct wait_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct wait_case *c, net_rx_iommu,
                  a_frame_that_waits_for_buffers_holds_none_and_is_whole)
{
	make(c->plain ? &plain : &with_header);
	fake_net_arrive(&f, c->plain ? NULL : &no_offload, ours, c->len);
	for (u16 i = 0; i < c->nr; i++) {
		cr_assert(zero(u16, used()));
		offer(i, c->lens[i]);
		expect_nothing_held();
	}
	expect_frame(c->lens, c->nr, c->len);
}

Test(net_rx_iommu, the_iommus_reset_does_not_wait_for_a_frame_that_waits)
{
	static const u32 lens[] = { 400, 700 };

	make(&with_header);
	fake_net_arrive(&f, &no_offload, ours, 1000);
	offer(0, lens[0]);
	fake_viommu_reset(&v, BIT(VIRTIO_RING_F_EVENT_IDX)); /* at once */
	attach();
	offer(1, lens[1]);
	expect_frame(lens, 2, 1000);
}

Test(net_rx_iommu, nothing_is_held_until_a_frame_arrives)
{
	static const u32 lens[] = { 2000 };

	make(&with_header);
	offer(0, lens[0]);
	offer(1, 2000);
	expect_nothing_held();
	fake_net_arrive(&f, &no_offload, ours, 1000);
	fake_net_await(&f, NET_RX, 1);
	expect_nothing_held();
	expect_frame(lens, 1, 1000);
}

Test(net_rx_iommu, nothing_is_held_once_the_back_end_is_lost)
{
	make(&with_header);
	f.err = -EBADFD;
	offer(0, 2000);
	cr_assert(eq(u32, f.losses, 1));
	expect_nothing_held();
	offer(1, 2000);
	expect_nothing_held();
	cr_assert(zero(u16, used()));
}

Test(net_rx_iommu, nothing_is_held_while_others_have_their_turn)
{
	make(&with_header);
	f.endless = true;
	offer(0, 2000);
	cr_assert(ne(u32, f.agains, 0));
	expect_nothing_held();
}

/* No back end should have one, but the kernel's limit is the administrator's to set. */
Test(net_rx_iommu, a_frame_longer_than_any_is_dropped_and_the_next_one_arrives)
{
	make(&with_header);
	fake_net_arrive(&f, &no_offload, ours, 68000);
	fake_net_arrive(&f, &no_offload, ours, 1000);
	offer(0, 4000);
	expect_nothing_held();
	cr_assert(eq(u16, used(), 1));
	cr_assert(eq(u32, driver_used(&f.drv[NET_RX], 0).len, NET_HDR + 1000));
	cr_assert(eq(u8, mem.host[BUFFERS + NET_HDR + 999], 999 % 251));
}
