// SPDX-License-Identifier: GPL-2.0-only
/* --msi-window: which addresses it may be, and who is told of it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "machine/machine.h"
#include "tests/unit/args.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"

TestSuite(msi_window, .init = listen_to_errors, .fini = expect_no_leak);

static struct options options;

Test(msi_window, it_is_where_linux_has_doorbells_unless_it_is_said)
{
	static const char *const none[MAX_ARGS] = { NULL };
	static const char *const said_so[MAX_ARGS] = { "--msi-window=0x20000000,131072",
		                                       "--iommu=v,type=virtio" };

	cr_assert(options_of(&options, none));
	cr_assert(eq(u64, options.msi_window.first, 0x8000000));
	cr_assert(eq(u64, options.msi_window.last, 0x80fffff));
	cr_assert(options_of(&options, said_so));
	cr_assert(eq(u64, options.msi_window.first, 0x20000000));
	cr_assert(eq(u64, options.msi_window.last, 0x2001ffff));
}

struct refusal {
	char val[48], more[48], expected[96];
};

ParameterizedTestParameters(msi_window, what_it_cannot_be_is_refused)
{
#define FORM  "expected BASE,SIZE, as in 0x8000000,0x100000\n"
#define UNITS "expected multiples of 64 KiB, and at least one\n"
#define WIDTH "expected addresses of 48 bits\n"
	static struct refusal cases[] = {
		{ "", "", FORM },
		{ "0x8000000", "", FORM },
		{ "0x8000000,", "", FORM },
		{ ",0x100000", "", FORM },
		{ "0x8000000,1M", "", FORM },
		{ "-1,0x100000", "", FORM },
		{ "0x8000000,0x100000,", "", FORM },
		{ "0x8000000,0", "", UNITS },
		{ "0x8001000,0x100000", "", UNITS },
		{ "0x8000000,0x1000", "", UNITS },
		{ "0xffffffff0000,0x20000", "", WIDTH },
		{ "0x1000000000000,0x10000", "", WIDTH },
		{ "0xffffffffffff0000,0x10000", "", WIDTH },
		{ "0x10000,0xffffffffffff0000", "", WIDTH },
		{ "0x8000000,0x100000", "--msi-window=0x9000000,0x100000",
		  "expected one window, not two\n" },
		{ "0x8ff0000,0x77010000", "",
		  "expected addresses beside segment 0's window for BARs, which is at "
		  "0x50000000-0x7fffffff\n" },
		{ "0x8fff0000,0x10000", "",
		  "expected addresses beside RAM, which is at 0x80000000-0x8fffffff\n" },
		{ "0x800000000,0x10000", "",
		  "expected addresses beside segment 0's window for BARs, which is at "
		  "0x800000000-0xfffffffff\n" },
		{ "0x20000000,0x10000", "",
		  "0x20000000,0x10000: expected an --iommu or a --vfio-pci with it: nothing has a "
		  "doorbell there\n" },
		{ "0x20000000,0x10000", "--irqchip=gicv3",
		  "0x20000000,0x10000: expected --irqchip gicv3-its or gicv2m: nothing has a "
		  "doorbell there\n" },
		{ "0x6fff0000,0x10000", "--segment=9",
		  "expected addresses beside segment 9's window for BARs, which is at "
		  "0x68000000-0x7fffffff\n" },
	};
#undef FORM
#undef UNITS
#undef WIDTH

	return cr_make_param_array(struct refusal, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct refusal *c, msi_window, what_it_cannot_be_is_refused)
{
	char arg[64] = "--msi-window=";
	const char *args[MAX_ARGS] = { strcat(arg, c->val), *c->more ? c->more : NULL };
	const char *line;

	cr_assert(not(options_of(&options, args)), "%s", c->val);
	line = said(stderr);
	cr_assert(ge(int, strlen(line), strlen(c->expected)));
	cr_assert(eq(str, (char *)line + strlen(line) - strlen(c->expected), c->expected));
}

Test(msi_window, it_may_be_just_beside_what_it_may_not_be_at)
{
	static const char *const cases[][MAX_ARGS] = {
		{ "--iommu=v,type=virtio", "--msi-window=0x4fff0000,0x10000" },
		{ "--iommu=v,type=virtio", "--msi-window=0x90000000,0x770000000" },
		{ "--iommu=v,type=virtio", "--msi-window=0x1000000000,0xfff000000000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert(options_of(&options, cases[i]), "%s", said(stderr));
}

/* For each endpoint, whether the window is there for it: 1 or 0. */
static int told(struct machine *m, void *ctx)
{
	const struct platform *p = &m->platform;
	char *text = ctx;

	for (unsigned int i = 0; i < p->nr_endpoints; i++)
		strcat(text, p->endpoints[i].reserved ? "1" : "0");
	if (!p->nr_reserved)
		return 0;
	cr_assert(eq(u32, p->nr_reserved, 1));
	cr_assert(eq(u64, p->reserved[0].base, options.msi_window.first));
	cr_assert(eq(u64, p->reserved[0].size,
	             options.msi_window.last - options.msi_window.first + 1));
	cr_assert(eq(int, p->reserved[0].kind, PLATFORM_RESERVED_MSI));
	return 0;
}

static void expect_told(const char *window, const char *chip, const char *expected)
{
	const char *const args[MAX_ARGS] = {
		chip,
		"--root-port=p",
		"--iommu=s,type=smmuv3",
		"--iommu=v,type=virtio",
		"--disk=a,iommu=s",
		"--disk=b,iommu=v",
		"--dma-test=bus=p,iommu=s",
		"--rng",
		window,
	};
	char text[8] = "";

	cr_assert(options_of(&options, args), "%s", said(stderr));
	cr_assert(zero(int, machine_describe(&options, told, text)));
	cr_assert(eq(str, text, (char *)expected), "%s", window ? window : "none");
}

Test(msi_window, functions_behind_an_smmu_find_it_at_itself_where_it_was_said)
{
	expect_told("--msi-window=0x20000000,0x200000", "--irqchip=gicv3-its", "101");
	expect_told("--msi-window=0x8000000,0x100000", "--irqchip=gicv2m", "101");
	expect_told(NULL, "--irqchip=gicv3-its", "000");
}

Test(msi_window, a_machine_that_takes_no_messages_has_none)
{
	expect_told(NULL, "--irqchip=gicv3", "000");
}

/* What the first IOMMU's driver is told that it cannot map; docs/vfio.md. */
static int unmappable(struct machine *m, void *ctx)
{
	const struct platform_iommu *i = &m->platform.iommus[0];
	char *text = ctx;

	for (unsigned int r = 0; r < i->nr_unmappable; r++)
		text += sprintf(text, "%llx-%llx%s ", (unsigned long long)i->unmappable[r].first,
		                (unsigned long long)i->unmappable[r].last,
		                i->unmappable[r].is_msi ? " msi" : "");
	return 0;
}

static void expect_unmappable(const char *window, const char *iommu, const char *expected)
{
	const char *const args[MAX_ARGS] = { iommu, window };
	char text[128] = "";

	cr_assert(options_of(&options, args), "%s", said(stderr));
	cr_assert(zero(int, machine_describe(&options, unmappable, text)));
	cr_assert(eq(str, text, (char *)expected), "%s", iommu);
}

Test(msi_window, a_virtio_iommu_tells_of_it_where_messages_are_not_translated)
{
	expect_unmappable(NULL, "--iommu=v,type=virtio", "8000000-8000fff msi ");
	expect_unmappable("--msi-window=0x8000000,0x100000", "--iommu=v,type=virtio",
	                  "8000000-80fffff msi ");
	expect_unmappable("--msi-window=0x20000000,0x200000", "--iommu=v,type=virtio",
	                  "20000000-201fffff msi ");
	expect_unmappable("--msi-window=0x20000000,0x200000", "--iommu=v,type=virtio,msi=translate",
	                  "");
}

Test(msi_window, what_is_reserved_is_beside_it_and_the_doorbells_own_page_may_be)
{
	static const char *const well[MAX_ARGS] = {
		"--iommu=v,type=virtio,reserved=0x8000000-0x8000fff",
		"--msi-window=0x20000000,0x200000",
	};
	static const char *const ill[MAX_ARGS] = {
		"--iommu=v,type=virtio,msi=translate,reserved=0x201ff000-0x20200fff",
		"--msi-window=0x20000000,0x200000",
	};

	cr_assert(options_of(&options, well), "%s", said(stderr));
	cr_assert(not(options_of(&options, ill)));
	cr_assert(eq(str, said(stderr),
	             "nestor: --iommu v,reserved=0x201ff000-0x20200fff: expected it beside "
	             "0x20000000-0x201fffff, where doorbells are\n"));
}
