// SPDX-License-Identifier: GPL-2.0-only
/* --cpu and --sve-max-vl, word by word; and what goes with nested virtualization. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "machine/cpu.h"
#include "tests/unit/said.h"
#include "vmm/arm64/gic.h"

static struct options o;
static char text[1024];

static const char *take(const char *words)
{
	snprintf(text, sizeof(text), "%s", words);
	return cpu_option_take(&o, text);
}

static const char *take_sve(const char *bits)
{
	snprintf(text, sizeof(text), "%s", bits);
	return sve_option_take(&o, text);
}

TestSuite(cpu);

Test(cpu, each_wish_has_three_words)
{
	static const char *const words[] = { "auto", "on", "off" };
	static const enum wish wishes[] = { WISH_AUTO, WISH_ON, WISH_OFF };
	char said_so[64];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		snprintf(said_so, sizeof(said_so), "pmu=%s,pauth=%s,sve=%s", words[i], words[i],
		         words[i]);
		cr_assert(zero(ptr, (void *)take(said_so)), "%s", said_so);
		cr_assert(eq(int, o.arch.pmu, wishes[i]));
		cr_assert(eq(int, o.arch.pauth, wishes[i]));
		cr_assert(eq(int, o.arch.sve, wishes[i]));
	}
}

Test(cpu, a_vector_length_is_a_wish_until_another_is_made)
{
	cr_assert(zero(ptr, (void *)take("sve=0x80")));
	cr_assert(eq(int, o.arch.sve, WISH_ON));
	cr_assert(eq(u32, o.arch.sve_bits, 128));
	cr_assert(zero(ptr, (void *)take_sve("2048")));
	cr_assert(eq(u32, o.arch.sve_bits, 2048));
	cr_assert(zero(ptr, (void *)take("sve=on")));
	cr_assert(eq(int, o.arch.sve, WISH_ON));
	cr_assert(zero(u32, o.arch.sve_bits));
}

Test(cpu, a_length_that_no_vector_has_is_refused)
{
	static const char *const bits[] = { "0",    "127",  "129",  "192",
		                            "2176", "-128", "",     "x",
		                            "128x", "128 ", "+128", "18446744073709551744",
		                            "0x",   "1e3" };
	char word[64];

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		snprintf(word, sizeof(word), "sve=%s", bits[i]);
		cr_assert(ne(ptr, (void *)take(word), NULL), "%s", word);
		cr_assert(ne(ptr, (void *)take_sve(bits[i]), NULL), "%s", bits[i]);
	}
	cr_assert(ne(ptr, (void *)take_sve("auto"), NULL), "a word is --cpu's");
}

Test(cpu, what_is_behind_a_mistake_is_not_taken)
{
	cr_assert(ne(ptr, (void *)take("pmu=on,pauth=maybe,sve=on"), NULL));
	cr_assert(eq(int, o.arch.pmu, WISH_ON));
	cr_assert(eq(int, o.arch.pauth, WISH_AUTO));
	cr_assert(eq(int, o.arch.sve, WISH_AUTO));
}

struct word_case {
	char word[40], expected[80];
};

ParameterizedTestParameters(cpu, a_word_that_is_none_is_told_what_would_be)
{
#define KEYS "pmu=, sve=, pauth=, or an ID register's REG.FIELD=N or REG=N"
	static struct word_case cases[] = {
		{ "", KEYS },
		{ ",", KEYS },
		{ "pmu", KEYS },
		{ "=on", KEYS },
		{ "PMU=on", KEYS },
		{ "pmu =on", KEYS },
		{ "mte=on", KEYS },
		{ "pmu=", "pmu=auto, on or off" },
		{ "pmu=ON", "pmu=auto, on or off" },
		{ "pmu=on=on", "pmu=auto, on or off" },
		{ "pauth=1", "pauth=auto, on or off" },
		{ "ctr_el0=", "REG.FIELD=N or REG=N, N a number such as 2 or 0x12" },
		{ "ctr_el0=-1", "REG.FIELD=N or REG=N, N a number such as 2 or 0x12" },
		{ "ctr_el0=1 ", "REG.FIELD=N or REG=N, N a number such as 2 or 0x12" },
		{ "ctr_el0=18446744073709551616",
		  "REG.FIELD=N or REG=N, N a number such as 2 or 0x12" },
		{ "_=1", "an ID register such as id_aa64pfr0_el1, or s3_0_c0_c4_0" },
	};

	return cr_make_param_array(struct word_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct word_case *c, cpu, a_word_that_is_none_is_told_what_would_be)
{
	const char *expected = take(c->word);

	cr_assert(ne(ptr, (void *)expected, NULL), "%s", c->word);
	cr_assert(eq(str, (char *)expected, c->expected), "%s", c->word);
	cr_assert(zero(u32, o.arch.nr_ids));
}

Test(cpu, there_are_at_most_32_fields)
{
	for (int i = 0; i < MAX_ID_CHANGES; i++)
		cr_assert(zero(ptr, (void *)take("ctr_el0.dic=1")));
	cr_assert(eq(str, (char *)take("ctr_el0.idc=1"), "at most 32 fields of ID registers"));
	cr_assert(eq(u32, o.arch.nr_ids, MAX_ID_CHANGES));
	cr_assert(zero(ptr, (void *)take("pmu=on")), "what is no field has room");
}

Test(cpu, a_field_that_is_refused_takes_no_room)
{
	cr_assert(ne(ptr, (void *)take("ctr_el0.dic=1,ctr_el0.idc=2"), NULL));
	cr_assert(eq(u32, o.arch.nr_ids, 1));
	cr_assert(eq(u64, o.arch.ids[0].val, BIT(29)));
}

Test(cpu, what_contradicts_itself_is_refused_and_changes_nothing)
{
	cr_assert(eq(str, (char *)take("pmu=on,sve=256,pmu=off"), "pmu=on or pmu=off, not both"));
	cr_assert(eq(str, (char *)take("ctr_el0.dic=1,CTR_EL0.DIC=0"),
	             "ctr_el0.dic=1 or CTR_EL0.DIC=0, not both"));
	cr_assert(zero(u32, o.arch.nr_ids));
	cr_assert(eq(int, o.arch.pmu, WISH_AUTO));
	cr_assert(zero(ptr, (void *)take("pmu=on")));
	cr_assert(zero(ptr, (void *)take("pmu=off")), "another option replaces what one said");
	cr_assert(eq(int, o.arch.pmu, WISH_OFF));
}

struct el2_case {
	char irqchip[16];
	bool el2, e2h0;
	char said[80];
};

ParameterizedTestParameters(cpu, nested_takes_a_gicv3_and_e2h0_takes_nested)
{
	static struct el2_case cases[] = {
		{ "gicv3-its", false, false, "" },
		{ "gicv3-its", true, false, "" },
		{ "gicv3-its", true, true, "" },
		{ "gicv3", true, true, "" },
		{ "gicv2", false, false, "" },
		{ "gicv3-its", false, true, "nestor: --e2h0: expected --nested too\n" },
		{ "gicv2", false, true, "nestor: --e2h0: expected --nested too\n" },
		{ "gicv2", true, false,
		  "nestor: --nested: expected --irqchip gicv3-its or gicv3, not gicv2\n" },
		{ "gicv2m", true, true,
		  "nestor: --nested: expected --irqchip gicv3-its or gicv3, not gicv2m\n" },
	};

	return cr_make_param_array(struct el2_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct el2_case *c, cpu, nested_takes_a_gicv3_and_e2h0_takes_nested)
{
	listen_to(stderr);
	o.irqchip = irqchip_find(c->irqchip);
	o.arch.el2 = c->el2;
	o.arch.e2h0 = c->e2h0;
	cr_assert(eq(int, cpu_check(&o), !*c->said));
	cr_assert(eq(str, said(stderr), c->said));
}
