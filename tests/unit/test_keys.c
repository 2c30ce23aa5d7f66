// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and key=value lists. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "machine/keys.h"

static struct values {
	bool flag;
	const char *text;
	u64 number;
} values;

static const struct key keys[] = {
	{ "ro", KEY_FLAG, offsetof(struct values, flag), 0, 0 },
	{ "bus", KEY_TEXT, offsetof(struct values, text), 0, 0 },
	{ "queues", KEY_NUMBER, offsetof(struct values, number), 1, 16 },
};

static char text[128], why[128];

static const char *parse(const char *list)
{
	snprintf(text, sizeof(text), "%s", list);
	return keys_parse(text, keys, ARRAY_SIZE(keys), &values, why, sizeof(why));
}

Test(keys, each_kind_is_stored)
{
	cr_assert(zero(ptr, (void *)parse("queues=0x10,ro,bus=rp0")));
	cr_assert(values.flag);
	cr_assert(eq(str, (char *)values.text, "rp0"));
	cr_assert(eq(u64, values.number, 16));
}

struct keys_case {
	char list[32], expected[64];
};

ParameterizedTestParameters(keys, what_does_not_fit_is_answered_with_what_would)
{
	static struct keys_case cases[] = {
		{ "rw", "a key out of ro, bus=, queues=" },
		{ "ro,r", "a key out of ro, bus=, queues=" },
		{ "ro=1", "ro without a value" },
		{ "bus", "bus=TEXT" },
		{ "bus=", "bus=TEXT" },
		{ "queues", "queues=N, 1 to 16" },
		{ "queues=", "queues=N, 1 to 16" },
		{ "queues=0", "queues=N, 1 to 16" },
		{ "queues=17", "queues=N, 1 to 16" },
		{ "queues=-1", "queues=N, 1 to 16" },
		{ "queues=1x", "queues=N, 1 to 16" },
		{ "queues=99999999999999999999", "queues=N, 1 to 16" },
	};

	return cr_make_param_array(struct keys_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct keys_case *c, keys, what_does_not_fit_is_answered_with_what_would)
{
	const char *expected = parse(c->list);

	cr_assert(ne(ptr, (void *)expected, NULL), "%s", c->list);
	cr_assert(eq(str, (char *)expected, c->expected), "%s", c->list);
}

ParameterizedTestParameters(keys, what_contradicts_itself_is_answered_with_both)
{
	static struct keys_case cases[] = {
		{ "bus=a,bus=b", "bus=a or bus=b, not both" },
		{ "bus=a,ro,bus=a,bus=ab", "bus=a or bus=ab, not both" },
		{ "ro,bus=ab,bus=a", "bus=ab or bus=a, not both" },
		{ "queues=1,queues=0x2", "queues=1 or queues=0x2, not both" },
		{ "queues=16,queues=1x", "queues=16 or queues=1x, not both" },
		{ "queues=1,queues=", "queues=1 or queues=, not both" },
		{ "ro,ro=1", "ro or ro=1, not both" },
	};

	return cr_make_param_array(struct keys_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct keys_case *c, keys, what_contradicts_itself_is_answered_with_both)
{
	const char *expected = parse(c->list);

	cr_assert(ne(ptr, (void *)expected, NULL), "%s", c->list);
	cr_assert(eq(str, (char *)expected, c->expected), "%s", c->list);
	cr_assert(zero(ptr, (void *)values.text), "and nothing of it is taken");
}

Test(keys, the_same_again_is_no_contradiction)
{
	cr_assert(zero(ptr, (void *)parse("ro,bus=a,queues=16,bus=a,ro,queues=0x10")));
	cr_assert(eq(u64, values.number, 16));
	cr_assert(eq(str, (char *)values.text, "a"));
}

Test(keys, a_short_answer_is_cut)
{
	strcpy(text, "x");
	cr_assert(eq(str, (char *)keys_parse(text, keys, 3, &values, why, 10), "a key out"));
}

Test(keys, the_first_word_stands_before_the_keys)
{
	char list[] = "file,ro,bus=x", alone[] = "file";

	cr_assert(eq(str, keys_rest(list), "ro,bus=x"));
	cr_assert(eq(str, list, "file"));
	cr_assert(zero(ptr, keys_rest(alone)));
}
