// SPDX-License-Identifier: GPL-2.0-only
/* Error lines and trace topics. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/redirect.h>
#include <string.h>

#include "vmm/log.h"

Test(log, an_error_is_one_line_on_stderr, .init = cr_redirect_stderr)
{
	log_error("%s %d", "disk", 3);
	fflush(stderr);
	cr_assert_stderr_eq_str("nestor: disk 3\n");
}

Test(log, a_trace_line_names_its_topic, .init = cr_redirect_stderr)
{
	struct log log = { .topics = BIT(TRACE_PCI) };

	trace(&log, TRACE_PCI, "BAR %u", 1u);
	trace(&log, TRACE_IRQ, "not asked for");
	fflush(stderr);
	cr_assert_stderr_eq_str("pci: BAR 1\n");
}

Test(log, a_line_too_long_is_cut, .init = cr_redirect_stderr)
{
	char text[2000] = { 0 };

	memset(text, 'x', sizeof(text) - 1);
	log_error("%s", text);
	text[1023] = 0;
	strcat(text, "\n");
	memmove(text + 8, text, strlen(text) + 1);
	memcpy(text, "nestor: ", 8);
	fflush(stderr);
	cr_assert_stderr_eq_str(text);
}

struct topics_case {
	char list[32];
	bool ok;
	u32 topics;
};

ParameterizedTestParameters(log, topics_are_named_in_a_list)
{
	static struct topics_case cases[] = {
		{ "kvm", true, BIT(TRACE_KVM) },
		{ "boot,virtio", true, BIT(TRACE_BOOT) | BIT(TRACE_VIRTIO) },
		{ "irq,irq", true, BIT(TRACE_IRQ) },
		{ "all", true, GENMASK(NR_TRACE_TOPICS - 1, 0) },
		{ "all,mmio", true, GENMASK(NR_TRACE_TOPICS - 1, 0) },
		{ "", false, 0 },
		{ "kv", false, 0 },
		{ "kvmm", false, 0 },
		{ "KVM", false, 0 },
		{ "vcpu,", false, BIT(TRACE_VCPU) },
		{ ",vcpu", false, 0 },
	};

	return cr_make_param_array(struct topics_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct topics_case *c, log, topics_are_named_in_a_list)
{
	struct log log = { 0 };

	cr_assert(eq(int, log_enable(&log, c->list), c->ok), "%s", c->list);
	cr_assert(eq(u32, log.topics, c->topics), "%s", c->list);
}
