// SPDX-License-Identifier: GPL-2.0-only
/* Where a JSON value ends in a stream of bytes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "control/framing.h"

static struct framing f;

static void expect_fresh(void)
{
	const struct framing fresh = { 0 };

	cr_assert(eq(u32, f.depth, fresh.depth));
	cr_assert(not(f.in_string || f.escaped || f.garbage || f.nonempty));
}

/* '|' stands behind each byte that ends a value. */
struct stream {
	char bytes[64], ends[80];
};

ParameterizedTestParameters(framing, a_value_ends_with_its_last_byte)
{
	static struct stream cases[] = {
		{ "{}", "{}|" },
		{ "[]", "[]|" },
		{ "{}{}[]", "{}|{}|[]|" },
		{ " \t\r\n{}\r\n \n[]\n", " \t\r\n{}|\r\n \n[]|\n" },
		{ "{\"a\":[1,{\"b\":[]}],\"c\":{}} {", "{\"a\":[1,{\"b\":[]}],\"c\":{}}| {" },
		/* brackets in a string are none, and a quote behind a backslash does not end it */
		{ "{\"}\":\"]\"}", "{\"}\":\"]\"}|" },
		{ "{\"\\\"}\":1}", "{\"\\\"}\":1}|" },
		{ "{\"\\\\\"}x", "{\"\\\\\"}|x" },
		{ "{\"\\\\\\\"}\"}", "{\"\\\\\\\"}\"}|" },
		{ "{\"\\u0022}\"}", "{\"\\u0022}\"}|" },
		{ "{\"\xc3\xa9\xfe\"}", "{\"\xc3\xa9\xfe\"}|" },
		/* no JSON, but an end it has */
		{ "{]", "{]|" },
		{ "[}}\n", "[}|}\n|" },
		{ "{\\\"}\"}", "{\\\"}\"}|" },
		/* what no value begins with lasts to the end of its line */
		{ "hello\n{}", "hello\n|{}|" },
		{ "hello {}\n", "hello {}\n|" },
		{ "}\n", "}\n|" },
		{ "\"a\nb\"\n", "\"a\n|b\"\n|" },
		{ "1 2\r\n", "1 2\r\n|" },
		{ "\n\n\n", "\n\n\n" },
		/* bytes that no JSON has end whatever has begun, and nothing else */
		{ "\xff\xff{\xff", "\xff\xff{\xff|" },
		{ "{\"\xff{}", "{\"\xff|{}|" },
		{ "{\"\\\xff{}", "{\"\\\xff|{}|" },
		{ "[[[\x01[]", "[[[\x01|[]|" },
		{ "hello\x1f{}", "hello\x1f|{}|" },
		{ "{\"a\x1b", "{\"a\x1b|" },
		{ "\x02 \x03", "\x02 \x03" },
		/* tabs and line ends are not among them */
		{ "{\"\t\r\n\"}", "{\"\t\r\n\"}|" },
		{ "{\x7f}", "{\x7f}|" },
	};

	return cr_make_param_array(struct stream, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct stream *s, framing, a_value_ends_with_its_last_byte)
{
	char got[80] = "";
	size_t at = 0;

	for (const char *c = s->bytes; *c; c++) {
		got[at++] = *c;
		if (!framing_byte(&f, *c))
			continue;
		got[at++] = '|';
		expect_fresh();
	}
	cr_assert(eq(str, got, s->ends));
}

Test(framing, a_zero_byte_ends_what_has_begun_and_nothing_else)
{
	cr_assert(not(framing_byte(&f, 0)));
	expect_fresh();
	framing_byte(&f, '{');
	framing_byte(&f, '"');
	cr_assert(framing_byte(&f, 0));
	expect_fresh();
	framing_byte(&f, 'x');
	cr_assert(framing_byte(&f, 0));
	expect_fresh();
}

Test(framing, it_nests_as_deep_as_a_command_is_long)
{
	for (unsigned int i = 0; i < 64 << 10; i++)
		cr_assert(not(framing_byte(&f, i % 2 ? '[' : '{')));
	for (unsigned int i = 1; i < 64 << 10; i++)
		cr_assert(not(framing_byte(&f, i % 2 ? ']' : '}')));
	cr_assert(framing_byte(&f, '}'));
	expect_fresh();
}

Test(framing, any_byte_after_a_value_finds_it_fresh)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		f = (struct framing){ 0 };
		framing_byte(&f, byte);
		framing_byte(&f, 0xff);
		expect_fresh();
		framing_byte(&f, '[');
		cr_assert(framing_byte(&f, ']'), "after %#x", byte);
	}
}
