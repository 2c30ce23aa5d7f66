// SPDX-License-Identifier: GPL-2.0-only
/* Which frames a driver wants: every mode against every kind of address (virtio 1.3, 5.1.6.5.1). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "devices/virtio/net_private.h"

enum kind { OWN, UNICAST, OTHER_UNICAST, MULTICAST, OTHER_MULTICAST, BROADCAST, NR_KINDS };

/* The other ones are in no table. */
static const u8 macs[NR_KINDS][NET_MAC_LEN] = {
	[OWN] = { 2, 0, 0, 0, 0, 1 },
	[UNICAST] = { 2, 0, 0, 0, 0, 2 },
	[OTHER_UNICAST] = { 2, 0, 0, 0, 0, 3 },
	[MULTICAST] = { 0x33, 0x33, 0, 0, 0, 1 },
	[OTHER_MULTICAST] = { 1, 0, 0x5e, 0, 0, 1 },
	[BROADCAST] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
};

static struct net_filter f;

/* As a driver makes it: its own address, and one of each kind in the tables. */
static void make(void)
{
	net_filter_reset(&f, macs[OWN]);
	f.modes[VIRTIO_NET_CTRL_RX_PROMISC] = false;
	memcpy(f.unicast.mac[f.unicast.nr++], macs[UNICAST], NET_MAC_LEN);
	memcpy(f.multicast.mac[f.multicast.nr++], macs[MULTICAST], NET_MAC_LEN);
}

TestSuite(net_filter, .init = make);

#define PROMISC  BIT(VIRTIO_NET_CTRL_RX_PROMISC)
#define ALLMULTI BIT(VIRTIO_NET_CTRL_RX_ALLMULTI)
#define ALLUNI   BIT(VIRTIO_NET_CTRL_RX_ALLUNI)
#define NOMULTI  BIT(VIRTIO_NET_CTRL_RX_NOMULTI)
#define NOUNI    BIT(VIRTIO_NET_CTRL_RX_NOUNI)
#define NOBCAST  BIT(VIRTIO_NET_CTRL_RX_NOBCAST)
#define ALL      (BIT(NR_KINDS) - 1)

struct mode_case {
	u32 modes, wanted; /* bits of enum kind */
};

ParameterizedTestParameters(net_filter, a_mode_lets_through_its_kind)
{
#define TABLES (BIT(OWN) | BIT(UNICAST) | BIT(MULTICAST) | BIT(BROADCAST))
#define MULTI  (BIT(MULTICAST) | BIT(OTHER_MULTICAST))
#define UNI    (BIT(OWN) | BIT(UNICAST) | BIT(OTHER_UNICAST))
	static struct mode_case cases[] = {
		{ 0, TABLES },
		{ ALLMULTI, TABLES | MULTI },
		{ ALLUNI, TABLES | UNI },
		{ ALLUNI | ALLMULTI, ALL },
		{ NOMULTI, TABLES & ~MULTI },
		{ NOUNI, TABLES & ~UNI },
		{ NOBCAST, TABLES & ~BIT(BROADCAST) },
		{ NOMULTI | NOUNI, BIT(BROADCAST) },
		{ NOMULTI | NOUNI | NOBCAST, 0 },
		/* what is refused is refused although all of its kind is wanted */
		{ ALLMULTI | NOMULTI, TABLES & ~MULTI },
		{ ALLUNI | NOUNI, TABLES & ~UNI },
		{ ALLMULTI | NOBCAST, (TABLES | MULTI) & ~BIT(BROADCAST) },
		{ ALLUNI | ALLMULTI | NOBCAST, ALL & ~BIT(BROADCAST) },
		{ ALLUNI | ALLMULTI | NOMULTI | NOUNI | NOBCAST, 0 },
	};

	return cr_make_param_array(struct mode_case, cases, ARRAY_SIZE(cases));
}

static u32 wanted(u32 modes)
{
	u32 kinds = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(f.modes); i++)
		f.modes[i] = modes & BIT(i);
	for (enum kind k = 0; k < NR_KINDS; k++)
		kinds |= net_filter_wants(&f, macs[k]) ? BIT(k) : 0;
	return kinds;
}

ParameterizedTest(struct mode_case *c, net_filter, a_mode_lets_through_its_kind)
{
	cr_assert(eq(u32, wanted(c->modes), c->wanted), "modes %#x", c->modes);
	cr_assert(eq(u32, wanted(c->modes | PROMISC), ALL), "modes %#x", c->modes);
}

Test(net_filter, out_of_reset_everything_is_wanted_and_no_table_is_left)
{
	f.unicast.all = f.multicast.all = true;
	net_filter_reset(&f, macs[OTHER_UNICAST]);
	for (enum kind k = 0; k < NR_KINDS; k++)
		cr_assert(net_filter_wants(&f, macs[k]), "%d", k);
	cr_assert(eq(u32, wanted(0), BIT(OTHER_UNICAST) | BIT(BROADCAST)));
}

Test(net_filter, a_table_with_too_many_lets_all_of_its_kind_through)
{
	f.multicast.all = true;
	cr_assert(eq(u32, wanted(0), TABLES | MULTI));
	f.multicast.all = false;
	f.unicast.all = true;
	cr_assert(eq(u32, wanted(0), TABLES | UNI));
}

Test(net_filter, every_entry_of_a_full_table_counts_and_none_behind)
{
	f.unicast.nr = NET_MAX_MACS;
	for (u8 i = 0; i < NET_MAX_MACS; i++)
		memcpy(f.unicast.mac[i], (u8[]){ 6, 0, 0, 0, 0, i }, NET_MAC_LEN);
	f.modes[VIRTIO_NET_CTRL_RX_PROMISC] = false;
	for (u8 i = 0; i < NET_MAX_MACS; i++)
		cr_assert(net_filter_wants(&f, (u8[]){ 6, 0, 0, 0, 0, i }), "%d", i);
	cr_assert(not(net_filter_wants(&f, (u8[]){ 6, 0, 0, 0, 0, NET_MAX_MACS })));
	f.unicast.nr--;
	cr_assert(not(net_filter_wants(&f, (u8[]){ 6, 0, 0, 0, 0, NET_MAX_MACS - 1 })));
}
