// SPDX-License-Identifier: GPL-2.0-only
/* --vsock: context IDs, places, and a host that has no vhost-vsock. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "machine/place.h"
#include "machine/status.h"
#include "machine/vsock.h"
#include "tests/unit/said.h"
#include "vmm/log.h"

static struct options o;
static char texts[3][64];
static unsigned int nr;
static struct log log_off;

static void make(void)
{
	listen_to(stderr);
	o.nr_segments = 1;
}

TestSuite(vsock_option, .init = make);

static const char *take(const char *val)
{
	return vsock_option_take(&o, strcpy(texts[nr++], val));
}

struct cid_case {
	char val[32];
	u64 cid;
	char expected[80]; /* "": taken */
};

ParameterizedTestParameters(vsock_option, a_context_id_is_one_that_a_guest_can_have)
{
#define CIDS "a context ID, 3 to 4294967294"
	static struct cid_case cases[] = {
		{ "3", 3, "" },
		{ "0x10", 16, "" },
		{ "4294967294", 4294967294, "" },
		{ "7,iommu=none", 7, "" },
		{ "7,segment=0", 7, "" },
		{ "0", 0, CIDS },
		{ "2", 0, CIDS },
		{ "4294967295", 0, CIDS },
		{ "4294967299", 0, CIDS },
		{ "18446744073709551619", 0, CIDS },
		{ "-3", 0, CIDS },
		{ "", 0, CIDS },
		{ "x", 0, CIDS },
		{ "3x", 0, CIDS },
		{ "3 ", 0, CIDS },
		{ ",bus=a", 0, CIDS },
		{ "7,", 0, "a key out of bus=, iommu=, segment=" },
		{ "7,ro", 0, "a key out of bus=, iommu=, segment=" },
		{ "7,bus=", 0, "bus=TEXT" },
		{ "7,segment=65536", 0, "segment=N, 0 to 65535" },
		{ "7,iommu=smmu", 0, "iommu=none: a device that vhost works is behind no IOMMU" },
	};

	return cr_make_param_array(struct cid_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct cid_case *c, vsock_option, a_context_id_is_one_that_a_guest_can_have)
{
	const char *expected = take(c->val);

	cr_assert(eq(str, (char *)(expected ? expected : ""), c->expected), "%s", c->val);
	if (!expected)
		cr_assert(eq(u64, o.vsock.cid, c->cid), "%s", c->val);
}

Test(vsock_option, given_again_it_replaces_what_it_said)
{
	char port[] = "a";

	cr_assert(zero(ptr, (void *)port_option_take(&o, port)));
	cr_assert(zero(ptr, (void *)take("3,bus=b")));
	cr_assert(zero(ptr, (void *)take("4,bus=a")));
	cr_assert(eq(u64, o.vsock.cid, 4));
	cr_assert(places_check(&o), "%s", said(stderr));
	cr_assert(zero(ptr, (void *)take("5")));
	cr_assert(zero(ptr, (void *)o.vsock.place.bus));
	cr_assert(eq(u32, o.nr_claims, 1));
}

Test(vsock_option, without_it_nothing_is_opened)
{
	int fd = 0;

	cr_assert(zero(int, vsock_open(&o.vsock, &fd, &log_off)));
	cr_assert(eq(int, fd, -1));
}

Test(vsock_option, a_host_without_it_is_told_in_one_line)
{
	int fd = 0;

	if (!access("/dev/vhost-vsock", F_OK))
		cr_skip("this host has it");
	cr_assert(zero(ptr, (void *)take("3,segment=0")));
	cr_assert(eq(int, vsock_open(&o.vsock, &fd, &log_off), STATUS_HOST_LACKS));
	cr_assert(lt(int, fd, 0));
	cr_assert(eq(str, said(stderr),
	             "nestor: --vsock 3: /dev/vhost-vsock: No such file or "
	             "directory: expected a host with vhost-vsock, and access "
	             "to it\n"));
}

Test(vsock_option, a_context_id_in_use_is_refused)
{
	int fd, other;

	cr_assert(zero(ptr, (void *)take("2125315814")));
	if (vsock_open(&o.vsock, &fd, &log_off))
		cr_skip("no /dev/vhost-vsock here");
	cr_assert(eq(int, vsock_open(&o.vsock, &other, &log_off), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --vsock 2125315814: in use: expected a context ID "
	             "that nothing else on this host has\n"));
	close(fd);
}
