// SPDX-License-Identifier: GPL-2.0-only
/* What only lkvm has is refused by its name, and nothing else is. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "machine/lkvm.h"
#include "tests/unit/said.h"

TestSuite(lkvm, .init = listen_to_errors);

struct refused_case {
	char arg[40], said[120];
};

ParameterizedTestParameters(lkvm, an_option_is_named_and_what_is_nearest)
{
	static struct refused_case cases[] = {
		{ "--9p", "--9p: an option of lkvm that nestor does not have" },
		{ "--9p=dir,tag", "--9p: an option of lkvm that nestor does not have" },
		{ "--9p=", "--9p: an option of lkvm that nestor does not have" },
		{ "--vnc", "--vnc: an option of lkvm that nestor does not have" },
		{ "--flash=x", "--flash: an option of lkvm that nestor does not have" },
		{ "-F", "--flash: an option of lkvm that nestor does not have" },
		{ "-Fx", "--flash: an option of lkvm that nestor does not have" },
		{ "-f",
		  "--firmware: an option of lkvm that nestor does not have; the nearest is -k" },
		{ "--firmware",
		  "--firmware: an option of lkvm that nestor does not have; the nearest is -k" },
		{ "--firmware-address=0",
		  "--firmware-address: an option of lkvm that nestor does not have" },
		{ "--debug",
		  "--debug: an option of lkvm that nestor does not have; the nearest is --trace" },
		{ "--debug-ioport",
		  "--debug-ioport: an option of lkvm that nestor does not have; the nearest is --trace mmio" },
		{ "--vcpu-affinity=0",
		  "--vcpu-affinity: an option of lkvm that nestor does not have; the nearest is taskset" },
	};

	return cr_make_param_array(struct refused_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct refused_case *c, lkvm, an_option_is_named_and_what_is_nearest)
{
	char want[160];

	cr_assert(lkvm_refused(c->arg), "%s", c->arg);
	snprintf(want, sizeof(want), "nestor: %s\n", c->said);
	cr_assert(eq(str, said(stderr), want));
}

Test(lkvm, what_only_looks_like_one_is_left_alone)
{
	static const char *const args[] = {
		"",         "-",     "--",       "9p",      "-9p",      "--9",
		"--9px",    "--9 p", "--debug-", "--Debug", "--=debug", "--debu=g",
		"firmware", "-k",    "f",        "---vnc",  "-v",
	};

	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		cr_assert(not(lkvm_refused(args[i])), "%s", args[i]);
	cr_assert(eq(str, said(stderr), ""));
}
