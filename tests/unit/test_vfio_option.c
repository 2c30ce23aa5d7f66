// SPDX-License-Identifier: GPL-2.0-only
/* --vfio-pci: how a function is named, where it goes, and what is refused. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "machine/iommu.h"
#include "machine/place.h"
#include "machine/vfio.h"
#include "tests/unit/said.h"

static struct options o;
static char texts[MAX_VFIO + 8][80]; /* what options keep pointers into */
static unsigned int nr_texts;

static void make(void)
{
	listen_to(stderr);
	o.nr_segments = 1;
}

TestSuite(vfio_option, .init = make);

static char *text(const char *words)
{
	return strcpy(texts[nr_texts++], words);
}

static const char *take(const char *words)
{
	return vfio_option_take(&o, text(words));
}

struct name_case {
	char val[40], at[24];
};

ParameterizedTestParameters(vfio_option, a_function_is_named_as_sysfs_or_lspci_do)
{
	static struct name_case cases[] = {
		{ "0000:01:00.0", "0000:01:00.0" },      { "01:00.0", "0000:01:00.0" },
		{ "0001:ff:1f.7", "0001:ff:1f.7" },      { "1:2:3.4", "0001:02:03.4" },
		{ "10000:01:00.0", "10000:01:00.0" },    { "AB:0c.1", "0000:ab:0c.1" },
		{ "01:00.0,bus=p", "0000:01:00.0" },     { "0:0.0", "0000:00:00.0" },
		{ "01:00.0,segment=0", "0000:01:00.0" },
	};

	return cr_make_param_array(struct name_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct name_case *c, vfio_option, a_function_is_named_as_sysfs_or_lspci_do)
{
	const char *expected = take(c->val);

	cr_assert(zero(ptr, (void *)expected), "%s: %s", c->val, expected);
	cr_assert(eq(str, o.vfio[0].at, c->at));
	cr_assert(eq(u32, o.nr_claims, 1));
}

ParameterizedTestParameters(vfio_option, what_is_no_function_is_told_what_would_be)
{
	static char cases[][40] = {
		"",          "0000",       "01:00",         "01:00.8",    "01:20.0",
		"01:00.0x",  "0x1:00.0",   "-1:00.0",       "+1:00.0",    " 01:00.0",
		"01: 00.0",  "01:00.",     "0000:01:00.10", "0000:01:00", "100:00.0",
		"g0:00.0",   ":01:00.0",   "0000:0x:00.0",  "01:00.0:",   "123456789:01:00.0",
		"\t01:00.0", "01:\n00.0",  "01:00.\v0",     "0:0x1:00.0", "01:-1.0",
		"1:2:3:4.5", "0000::00.0", "0000:01:.0",    "01:00..0",   "0000-01-00.0",
		"001:00.0",  "01:000.0",
	};

	return cr_make_param_array(char[40], cases, ARRAY_SIZE(cases));
}

ParameterizedTest(char c[40], vfio_option, what_is_no_function_is_told_what_would_be)
{
	const char *expected = take(c);

	cr_assert(eq(str, (char *)(expected ? expected : "taken"),
	             "[DOMAIN:]BUS:DEVICE.FUNCTION, as in 0000:01:00.0"),
	          "%s", c);
	cr_assert(zero(u32, o.nr_vfio));
}

Test(vfio_option, each_is_taken_once_however_it_is_said)
{
	cr_assert(zero(ptr, (void *)take("01:00.0")));
	cr_assert(eq(str, (char *)take("0000:01:00.0"), "each function once"));
	cr_assert(zero(ptr, (void *)take("01:00.1")));
	cr_assert(zero(ptr, (void *)take("0001:01:00.0")));
	cr_assert(eq(u32, o.nr_vfio, 3));
}

Test(vfio_option, there_are_as_many_as_there_are)
{
	char val[40];

	for (unsigned int i = 0; i < MAX_VFIO; i++) {
		snprintf(val, sizeof(val), "%02x:00.0", i);
		cr_assert(zero(ptr, (void *)take(val)));
	}
	cr_assert(eq(str, (char *)take("77:00.0"), "at most 32 functions of the host's"));
}

Test(vfio_option, a_key_that_there_is_not_is_refused)
{
	cr_assert(ne(ptr, (void *)take("01:00.0,mac=1"), NULL));
	cr_assert(zero(u32, o.nr_vfio));
}

Test(vfio_option, it_is_behind_nothing_a_virtio_iommu_or_an_smmu_that_is_not_emulated)
{
	cr_assert(zero(ptr, (void *)iommu_option_take(&o, text("v,type=virtio"))));
	cr_assert(zero(ptr, (void *)iommu_option_take(&o, text("s,type=smmuv3"))));
	cr_assert(zero(ptr, (void *)take("01:00.0")));
	cr_assert(zero(ptr, (void *)take("01:00.1,iommu=v")));
	cr_assert(zero(ptr, (void *)take("01:00.3,iommu=s")));
	cr_assert(vfio_check(&o));
	cr_assert(eq(str, said(stderr), ""));
	cr_assert(zero(ptr, (void *)iommu_option_take(&o, text("e,type=smmuv3,accel=off"))));
	cr_assert(zero(ptr, (void *)take("01:00.2,iommu=e")));
	cr_assert(not(vfio_check(&o)));
	cr_assert(eq(str, said(stderr),
	             "nestor: --vfio-pci 01:00.2,iommu=e: expected none, an --iommu of "
	             "type=virtio, or one without accel=off: an emulated SMMU translates for no "
	             "device of the host's\n"));
}

Test(vfio_option, behind_an_smmu_by_its_bus_it_is_refused_too_and_that_bus_is_named)
{
	cr_assert(
		zero(ptr, (void *)iommu_option_take(&o, text("s,type=smmuv3,accel=off,buses=0"))));
	cr_assert(zero(ptr, (void *)take("01:00.0")));
	cr_assert(not(vfio_check(&o)));
	cr_assert(eq(str, said(stderr),
	             "nestor: --vfio-pci 01:00.0: expected a bus that --iommu s has not: an "
	             "emulated SMMU translates for no device of the host's\n"));
}

Test(vfio_option, auto_is_behind_what_has_its_bus_and_else_behind_nothing)
{
	cr_assert(zero(ptr, (void *)iommu_option_take(&o, text("v,type=virtio,buses=0/0"))));
	cr_assert(zero(ptr, (void *)port_option_take(&o, text("p"))));
	cr_assert(zero(ptr, (void *)take("01:00.0,iommu=auto")));
	cr_assert(zero(ptr, (void *)take("01:00.1,iommu=auto,bus=p")));
	cr_assert(zero(ptr, (void *)take("01:00.2")));
	cr_assert(places_check(&o));
	cr_assert(iommus_check_buses(&o));
	cr_assert(vfio_check(&o));
	cr_assert(zero(int, iommu_of(&o, &o.vfio[0].place)));
	cr_assert(eq(int, iommu_of(&o, &o.vfio[1].place), -1));
	cr_assert(zero(int, iommu_of(&o, &o.vfio[2].place)));
	cr_assert(eq(str, said(stderr), ""));
}

Test(vfio_option, a_token_is_the_bytes_of_a_uuid)
{
	static const u8 bytes[] = { 0xbd, 0x8d, 0x9d, 0x2b, 0x5a, 0x5f, 0x4f, 0x5a,
		                    0xa2, 0x11, 0xf5, 0x91, 0x51, 0x4b, 0xa1, 0xf3 };

	cr_assert(zero(ptr, (void *)take("01:10.0,token=bd8d9d2b-5a5f-4f5a-a211-f591514BA1F3")));
	cr_assert(zero(int, memcmp(o.vfio[0].token, bytes, sizeof(bytes))));
	cr_assert(ne(ptr, (void *)o.vfio[0].token_said, NULL));
	cr_assert(zero(ptr, (void *)take("01:10.1")));
	cr_assert(eq(ptr, (void *)o.vfio[1].token_said, NULL));
}

Test(vfio_option, what_is_no_uuid_is_no_token)
{
	static const char *const cases[] = {
		"01:10.0,token=bd8d9d2b",
		"01:10.0,token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1f",
		"01:10.0,token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1f34",
		"01:10.0,token=bd8d9d2b5a5f4f5aa211f591514ba1f3",
		"01:10.0,token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1fg",
		"01:10.0,token=bd8d9d2b-5a5f-4f5a+a211-f591514ba1f3",
		"01:10.0,token=0xbd8d9d-5a5f-4f5a-a211-f591514ba1f3",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert(eq(str, (char *)take(cases[i]),
		             "token=UUID, as in 00112233-4455-6677-8899-aabbccddeeff"));
	cr_assert(zero(u32, o.nr_vfio));
}
