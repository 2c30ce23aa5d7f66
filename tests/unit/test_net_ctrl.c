// SPDX-License-Identifier: GPL-2.0-only
/* The network device's control queue (virtio 1.3, 5.1.6.5). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/unit/fake_net.h"

#define OFFLOADS (BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4))
#define COMMAND  (NET_BUFFERS + 0x4000)
#define ACK      (NET_BUFFERS + 0x8000)
#define NO_ACK   0xee

static struct fake_net f;
static const struct net_backend backend = { .header = true, .nr_pairs = 1, .features = OFFLOADS };
static const struct net_backend several = { .header = true, .nr_pairs = 3, .fds = { 0, -1, -1 } };

static void unmake(void)
{
	fake_net_unmake(&f);
}

TestSuite(net_ctrl, .fini = unmake, .timeout = 20);

/* The answer to a command of @len bytes. */
static u8 command_on(unsigned int q, const u8 *bytes, u32 len)
{
	struct driver *d = &f.drv[q];
	u16 at = d->avail % 4 * 2;

	memcpy(net_ram + COMMAND, bytes, len);
	net_ram[ACK] = NO_ACK;
	driver_desc(d, at, NET_BASE + COMMAND, len, VRING_DESC_F_NEXT, at + 1);
	driver_desc(d, at + 1, NET_BASE + ACK, 1, VRING_DESC_F_WRITE, 0);
	driver_avail(d, at);
	virtio_notify(f.dev, d->vq->index);
	return net_ram[ACK];
}

struct command {
	const char *name;
	u8 bytes[24];
	u32 len;
	u8 ack;
	u64 without; /* the feature that the driver did not take */
};

enum { RX, MAC, VLAN, MQ = 4, OFFLOAD };
static struct command commands[] = {
	{ "promiscuous", { RX, 0, 1 }, 3, VIRTIO_NET_OK, 0 },
	{ "promiscuous, neither on nor off", { RX, 0, 2 }, 3, VIRTIO_NET_ERR, 0 },
	{ "promiscuous, no data", { RX, 0 }, 2, VIRTIO_NET_ERR, 0 },
	{ "promiscuous, too much data", { RX, 0, 1, 1 }, 4, VIRTIO_NET_ERR, 0 },
	{ "promiscuous, not agreed on",
	  { RX, 0, 1 },
	  3,
	  VIRTIO_NET_ERR,
	  BIT(VIRTIO_NET_F_CTRL_RX) },
	{ "no broadcast", { RX, 5, 1 }, 3, VIRTIO_NET_OK, 0 },
	{ "no broadcast, not agreed on",
	  { RX, 5, 1 },
	  3,
	  VIRTIO_NET_ERR,
	  BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) },
	{ "a mode there is not", { RX, 6, 1 }, 3, VIRTIO_NET_ERR, 0 },
	{ "an address", { MAC, 1, 2, 3, 4, 5, 6, 7 }, 8, VIRTIO_NET_OK, 0 },
	{ "half an address", { MAC, 1, 2, 3, 4 }, 5, VIRTIO_NET_ERR, 0 },
	{ "no table", { MAC, 0 }, 2, VIRTIO_NET_ERR, 0 },
	{ "empty tables", { MAC, 0 }, 10, VIRTIO_NET_OK, 0 },
	{ "one empty table", { MAC, 0 }, 6, VIRTIO_NET_ERR, 0 },
	{ "tables and more", { MAC, 0 }, 11, VIRTIO_NET_ERR, 0 },
	{ "a table of one", { MAC, 0, 1, 0, 0, 0, 2, 3, 4, 5, 6, 7 }, 16, VIRTIO_NET_OK, 0 },
	{ "a table cut short", { MAC, 0, 1, 0, 0, 0, 2, 3, 4, 5, 6, 7 }, 11, VIRTIO_NET_ERR, 0 },
	{ "a table of 4 Gi",
	  { MAC, 0, 0xff, 0xff, 0xff, 0xff, 2, 3, 4, 5, 6, 7 },
	  16,
	  VIRTIO_NET_ERR,
	  0 },
	{ "a table whose bytes wrap", { MAC, 0, 0xab, 0xaa, 0xaa, 0x2a }, 10, VIRTIO_NET_ERR, 0 },
	{ "a VLAN", { VLAN, 0, 1, 0 }, 4, VIRTIO_NET_ERR, 0 },
	{ "pairs of a device with one", { MQ, 0, 1, 0 }, 4, VIRTIO_NET_ERR, 0 },
	{ "no offloads", { OFFLOAD, 0 }, 10, VIRTIO_NET_OK, 0 },
	{ "checksums only", { OFFLOAD, 0, 2 }, 10, VIRTIO_NET_OK, 0 },
	{ "an offload that was not taken", { OFFLOAD, 0, 0, 1 }, 10, VIRTIO_NET_ERR, 0 },
	{ "what is no offload", { OFFLOAD, 0, 1 }, 10, VIRTIO_NET_ERR, 0 },
	{ "half of the offloads", { OFFLOAD, 0, 2 }, 6, VIRTIO_NET_ERR, 0 },
	{ "a class there is not", { 77, 0, 1 }, 3, VIRTIO_NET_ERR, 0 },
};

ParameterizedTestParameters(net_ctrl, a_command_is_taken_or_refused)
{
	return cr_make_param_array(struct command, commands, ARRAY_SIZE(commands));
}

ParameterizedTest(struct command *c, net_ctrl, a_command_is_taken_or_refused)
{
	fake_net_make(&f, &backend, ~c->without);
	cr_assert(eq(u8, command_on(NET_CTRL, c->bytes, c->len), c->ack), "%s", c->name);
	cr_assert(eq(u32, f.dev->status, 0xf), "%s", c->name);
	cr_assert(eq(u16, driver_used_idx(&f.drv[NET_CTRL]), 1));
	cr_assert(eq(u32, driver_used(&f.drv[NET_CTRL], 0).len, 1));
}

Test(net_ctrl, a_new_address_is_in_the_configuration_until_reset)
{
	static const u8 set[] = {
		VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 2, 9, 8, 7, 6, 5
	};
	static const u8 before[] = { 2, 0, 0, 0, 0, 1 };
	const struct virtio_net_config *config;

	fake_net_make(&f, &backend, ~0ULL);
	config = f.dev->config;
	cr_assert(zero(int, memcmp(config->mac, before, sizeof(before))));
	cr_assert(eq(u8, command_on(NET_CTRL, set, sizeof(set)), VIRTIO_NET_OK));
	cr_assert(zero(int, memcmp(config->mac, set + 2, sizeof(before))));
	virtio_set_status(f.dev, 0);
	cr_assert(zero(int, memcmp(config->mac, before, sizeof(before))));
}

Test(net_ctrl, offloads_change_and_are_off_after_reset)
{
	static const u8 checksums[10] = { VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0,
		                          1 << VIRTIO_NET_F_GUEST_CSUM };

	fake_net_make(&f, &backend, ~0ULL);
	cr_assert(eq(u64, f.offloads, OFFLOADS));
	cr_assert(eq(u8, command_on(NET_CTRL, checksums, sizeof(checksums)), VIRTIO_NET_OK));
	cr_assert(eq(u64, f.offloads, BIT(VIRTIO_NET_F_GUEST_CSUM)));
	virtio_set_status(f.dev, 0);
	cr_assert(zero(u64, f.offloads));
}

/* More addresses than are kept: everything of their kind passes. */
Test(net_ctrl, a_long_table_lets_all_through)
{
	static const u8 modes[] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0 };
	static const u8 unlisted[] = { 2, 0, 0, 0, 0, 99 };
	static const struct virtio_net_hdr_v1 header;
	static u8 table[2 + 4 + 65 * 6 + 4] = { VIRTIO_NET_CTRL_MAC, 0, 65 };

	fake_net_make(&f, &backend, ~0ULL);
	command_on(NET_CTRL, modes, sizeof(modes));
	fake_net_arrive(&f, &header, unlisted, 60);
	fake_net_offer(&f, NET_RX, 0, NET_BUFFERS, 2048, VRING_DESC_F_WRITE);
	cr_assert(zero(u16, driver_used_idx(&f.drv[NET_RX])));
	cr_assert(eq(u8, command_on(NET_CTRL, table, sizeof(table)), VIRTIO_NET_OK));
	fake_net_arrive(&f, &header, unlisted, 60);
	fake_net_await(&f, NET_RX, 1);
}

Test(net_ctrl, a_command_without_a_place_for_its_answer_breaks_the_ring)
{
	fake_net_make(&f, &backend, ~0ULL);
	fake_net_offer(&f, NET_CTRL, 0, NET_BUFFERS, 3, 0);
	cr_assert(eq(u32, f.dev->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
}

Test(net_ctrl, half_a_command_breaks_the_ring)
{
	static const u8 one[] = { 0 };

	fake_net_make(&f, &backend, ~0ULL);
	cr_assert(eq(u8, command_on(NET_CTRL, one, 1), NO_ACK));
	cr_assert(eq(u32, f.dev->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
}

Test(net_ctrl, a_driver_of_several_pairs_has_its_control_queue_behind_them)
{
	static const u8 set[] = { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 3, 0 };
	static const u8 too_many[] = { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 4, 0 };
	static const u8 none[] = { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 0, 0 };
	static struct guest_mem rings;

	fake_net_make(&f, &several, ~0ULL);
	cr_assert(eq(u32, f.pairs, 1));
	rings = *f.drv[NET_CTRL].mem;
	driver_start(&f.drv[NET_CTRL], &rings, &f.dev->vq[6], 8);
	cr_assert(eq(u8, command_on(NET_CTRL, none, sizeof(none)), VIRTIO_NET_ERR));
	cr_assert(eq(u8, command_on(NET_CTRL, too_many, sizeof(too_many)), VIRTIO_NET_ERR));
	cr_assert(eq(u8, command_on(NET_CTRL, set, sizeof(set)), VIRTIO_NET_OK));
	cr_assert(eq(u32, f.pairs, 3));
	virtio_set_status(f.dev, 0);
	cr_assert(eq(u32, f.pairs, 1));
}

Test(net_ctrl, a_driver_of_one_pair_has_its_control_queue_behind_it)
{
	static const u8 mode[] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 1 };

	fake_net_make(&f, &several, ~BIT(VIRTIO_NET_F_MQ));
	cr_assert(eq(u8, command_on(NET_CTRL, mode, sizeof(mode)), VIRTIO_NET_OK));
}
