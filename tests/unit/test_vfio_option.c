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
static char texts[MAX_VFIO + 8][64]; /* what options keep pointers into */
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
		"",         "0000",     "01:00",         "01:00.8",    "01:20.0",
		"01:00.0x", "0x1:00.0", "-1:00.0",       "+1:00.0",    " 01:00.0",
		"01: 00.0", "01:00.",   "0000:01:00.10", "0000:01:00", "100:00.0",
		"g0:00.0",  ":01:00.0", "0000:0x:00.0",  "01:00.0:",   "123456789:01:00.0",
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
