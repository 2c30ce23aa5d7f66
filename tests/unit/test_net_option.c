// SPDX-License-Identifier: GPL-2.0-only
/* --network: words, keys, addresses; and interfaces that are none. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/net.h"
#include "machine/status.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"

static struct options o;
static struct machine m = { .options = &o };
static char texts[MAX_NETS + 1][96];
static unsigned int nr;

TestSuite(net_option, .init = listen_to_errors);

static const char *take(const char *val)
{
	return net_option_take(&o, strcpy(texts[nr++], val));
}

struct net_case {
	char val[64];
	char tap[16]; /* "": passt */
	u64 queues;
};

ParameterizedTestParameters(net_option, a_network_is_a_tap_or_passt_in_either_spelling)
{
	static struct net_case cases[] = {
		{ "tap=t0", "t0", 1 },
		{ "tap=t0,queues=7", "t0", 7 },
		{ "tap=t0,bus=a,iommu=none,segment=3", "t0", 1 },
		{ "mode=tap,tapif=t0", "t0", 1 },
		{ "mode=tap,queues=2,tapif=t0", "t0", 2 },
		{ "tapif=t0", "t0", 1 },
		{ "tapif=t0,queues=3,mode=tap", "t0", 3 },
		{ "guest_mac=02:00:00:00:00:01,mode=tap,tapif=t0", "t0", 1 },
		{ "passt", "", 1 },
		{ "passt,queues=1", "", 1 },
		{ "mode=user", "", 1 },
		{ "mode=user,guest_mac=02:00:00:00:00:01", "", 1 },
	};

	return cr_make_param_array(struct net_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct net_case *c, net_option, a_network_is_a_tap_or_passt_in_either_spelling)
{
	const struct net_option *net = &o.nets[0];

	cr_assert(zero(ptr, (void *)take(c->val)), "%s", c->val);
	cr_assert(eq(u32, o.nr_nets, 1));
	cr_assert(eq(str, (char *)(net->tap ? net->tap : ""), c->tap), "%s", c->val);
	cr_assert(eq(int, net->passt, !*c->tap), "%s", c->val);
	cr_assert(eq(u64, net->queues, c->queues), "%s", c->val);
	cr_assert(eq(u32, o.nr_claims, 1));
}

struct bad_case {
	char val[64], expected[100];
};

ParameterizedTestParameters(net_option, what_is_no_network_is_told_what_would_be)
{
#define WORDS "tap=NAME, passt or none"
#define KEYS  "a key out of bus=, iommu=, segment=, mac=, queues=, mode=, tapif=, guest_mac="
#define ALONE "mode= and tapif= without tap=NAME or passt before them"
#define LKVM  "mode=tap,tapif=NAME, mode=user or mode=none"
	static struct bad_case cases[] = {
		{ "", WORDS },
		{ "tap", WORDS },
		{ "tap=", WORDS },
		{ "tap=,queues=2", WORDS },
		{ "Passt", WORDS },
		{ "passt0", WORDS },
		{ "none,queues=1", WORDS },
		{ "mode=", WORDS },
		{ "tapif=", WORDS },
		{ "guest_mac=", WORDS },
		{ "mode=bridge", LKVM },
		{ "mode=none,queues=1", LKVM },
		{ "mode=tap", "mode=tap,tapif=NAME: a tap interface that exists" },
		{ "mode=tap,tapif=", "tapif=TEXT" },
		{ "tap=t0,tapif=t1", ALONE },
		{ "tap=t0,mode=tap", ALONE },
		{ "passt,tapif=t1", ALONE },
		{ "passt,mode=user", ALONE },
		{ "tapif=t0,mode=bridge", LKVM },
		{ "guest_mac=02:00:00:00:00:01",
		  "mode=tap,tapif=NAME: a tap interface that exists" },
		{ "tap=t0,", KEYS },
		{ "tap=t0,trans=mmio", KEYS },
		{ "tap=t0,queues=0", "queues=N, 1 to 7" },
		{ "tap=t0,queues=8", "queues=N, 1 to 7" },
		{ "passt,queues=2", "queues=1: passt has one queue" },
		{ "mode=user,queues=2", "queues=1: passt has one queue" },
	};

	return cr_make_param_array(struct bad_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct bad_case *c, net_option, what_is_no_network_is_told_what_would_be)
{
	const char *expected = take(c->val);

	cr_assert(eq(str, (char *)(expected ? expected : "taken"), c->expected), "%s", c->val);
}

Test(net_option, none_is_none_and_takes_nothing_back)
{
	cr_assert(zero(ptr, (void *)take("none")));
	cr_assert(zero(ptr, (void *)take("mode=none")));
	cr_assert(zero(u32, o.nr_nets));
	cr_assert(zero(ptr, (void *)take("tap=t0")));
	cr_assert(zero(ptr, (void *)take("none")));
	cr_assert(eq(u32, o.nr_nets, 1));
}

Test(net_option, there_are_at_most_32)
{
	for (int i = 0; i < MAX_NETS; i++)
		cr_assert(zero(ptr, (void *)take("tap=t0")));
	cr_assert(eq(str, (char *)take("passt"), "at most 32 networks"));
	cr_assert(eq(u32, o.nr_nets, MAX_NETS));
}

struct mac_case {
	char text[32];
	bool ok;
	u8 mac[6];
};

ParameterizedTestParameters(net_option, an_address_is_one_interfaces)
{
	static struct mac_case cases[] = {
		{ "02:00:00:00:00:01", true, { 2, 0, 0, 0, 0, 1 } },
		{ "fE:Dc:bA:98:76:54", true, { 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54 } },
		{ "00:00:00:00:00:01", true, { 0, 0, 0, 0, 0, 1 } },
		{ "00:00:00:00:00:00", false, { 0 } },
		{ "01:00:5e:00:00:01", false, { 0 } },
		{ "ff:ff:ff:ff:ff:ff", false, { 0 } },
		{ "2:0:0:0:0:1", false, { 0 } },
		{ "02:00:00:00:00", false, { 0 } },
		{ "02:00:00:00:00:01:", false, { 0 } },
		{ "02:00:00:00:00:012", false, { 0 } },
		{ "002:00:00:00:0:01", false, { 0 } },
		{ "02-00-00-00-00-01", false, { 0 } },
		{ "020000000001", false, { 0 } },
		{ "0g:00:00:00:00:01", false, { 0 } },
		/* what scanf would take for two digits */
		{ "-2:00:00:00:00:01", false, { 0 } },
		{ "+2:00:00:00:00:01", false, { 0 } },
		{ " 2:00:00:00:00:01", false, { 0 } },
		{ "02:00:00:00:00: 1", false, { 0 } },
		{ "0x:00:00:00:00:01", false, { 0 } },
	};

	return cr_make_param_array(struct mac_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct mac_case *c, net_option, an_address_is_one_interfaces)
{
	char words[64];
	const char *expected;

	snprintf(words, sizeof(words), "tap=t0,mac=%s", c->text);
	expected = take(words);
	cr_assert(eq(int, !expected, c->ok), "%s", c->text);
	if (c->ok)
		cr_assert(zero(int, memcmp(o.nets[0].mac, c->mac, sizeof(c->mac))), "%s", c->text);
	else
		cr_assert(eq(str, (char *)expected,
		             "mac=XX:XX:XX:XX:XX:XX, of one interface and not zero"));
}

Test(net_option, an_address_in_lkvms_words_is_one_too)
{
	cr_assert(zero(ptr, (void *)take("passt")));
	cr_assert(not(o.nets[0].has_mac));
	cr_assert(zero(ptr, (void *)take("mode=tap,tapif=t0,guest_mac=02:00:00:00:00:09")));
	cr_assert(o.nets[1].has_mac);
	cr_assert(eq(u8, o.nets[1].mac[5], 9));
	cr_assert(zero(ptr, (void *)take("tap=t0,guest_mac=x,mac=02:00:00:00:00:08")));
	cr_assert(eq(u8, o.nets[2].mac[5], 8), "ours is the one that counts");
}

Test(net_option, an_interface_that_is_not_there_is_refused_by_name)
{
	cr_assert(zero(ptr, (void *)take("tap=nosuchtap,queues=2")));
	cr_assert(eq(int, nets_open(&m), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --network tap=nosuchtap: No such device: expected a tap interface "
	             "that exists, as from ip tuntap add mode tap nosuchtap\n"));
	cr_assert(zero(ptr, m.nets[0]));
	nets_close(&m);
	expect_no_leak();
}

Test(net_option, an_interface_that_is_no_tap_is_refused)
{
	char *line;
	int status;

	cr_assert(zero(ptr, (void *)take("tap=lo")));
	status = nets_open(&m);
	line = said(stderr);
	if (status == STATUS_HOST_LACKS) {
		cr_assert(ne(ptr, strstr(line, "/dev/net/tun: "), NULL), "%s", line);
		cr_skip("%s", line);
	}
	cr_assert(eq(int, status, STATUS_USAGE));
	cr_assert(ne(ptr, strstr(line, "--network tap=lo: "), NULL), "%s", line);
	cr_assert(ne(ptr, strstr(line, ": expected a tap interface"), NULL), "%s", line);
	nets_close(&m);
	expect_no_leak();
}

Test(net_option, passt_is_not_opened_before_it_is_started)
{
	cr_assert(zero(ptr, (void *)take("passt")));
	cr_assert(zero(int, nets_open(&m)));
	cr_assert(zero(ptr, m.nets[0]));
	cr_assert(zero(int, nets_check(&m)));
	nets_close(&m);
}
