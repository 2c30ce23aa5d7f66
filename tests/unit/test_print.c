// SPDX-License-Identifier: GPL-2.0-only
/* Answers as JSON for programs, and as text for people. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "control/print.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"
#include "vmm/types.h"

static void listen_to_output(void)
{
	listen_to(stdout);
}

TestSuite(print, .init = listen_to_output, .fini = expect_no_leak);

static json_t *parse(const char *text)
{
	json_t *value = json_loads(text, 0, NULL);

	cr_assert(ne(ptr, value, NULL), "%s", text);
	return value;
}

Test(print, json_is_the_value_and_a_line_end)
{
	json_t *value = parse("{\"a\": [1, {\"b\": null}], \"c\": \"\\u00e9\\n\"}"), *got;
	const char *text;

	print_json(value);
	text = said(stdout);
	cr_assert(eq(int, text[strlen(text) - 1], '\n'));
	got = parse(text);
	cr_assert(json_equal(got, value), "%s", text);
	json_decref(got);
	json_decref(value);
}

struct text_case {
	char json[200], text[200];
};

ParameterizedTestParameters(print, text_has_a_line_for_each_member)
{
	static struct text_case cases[] = {
		{ "{}", "" },
		{ "{\"name\": \"a b\"}", "name                     a b\n" },
		{ "{\"n\": 18, \"t\": true, \"z\": null, \"r\": 0.5}",
		  "n                        18\nt                        true\n"
		  "z                        null\nr                        0.5\n" },
		/* what belongs to an object is indented, and its values are in the same column */
		{ "{\"memory\": {\"size\": 1, \"of\": {\"it\": 2}}, \"z\": 3}",
		  "memory\n  size                   1\n  of\n    it                   2\n"
		  "z                        3\n" },
		/* a list of flat objects is a table */
		{ "{\"vcpus\": [{\"index\": 0, \"on\": true}, {\"index\": 1, \"on\": false}]}",
		  "vcpus\n  index 0  on true\n  index 1  on false\n" },
		{ "{\"list\": [1, \"two\", null]}", "list\n  1\n  two\n  null\n" },
		{ "{\"list\": [{\"a\": 1, \"b\": {\"c\": 2}}]}",
		  "list\n  a                      1\n  b\n    c                    2\n" },
		{ "{\"list\": [], \"object\": {}}", "list\nobject\n" },
		{ "{\"list\": [[1, 2], [3]]}", "list\n    1\n    2\n    3\n" },
		/* a name as long as the column, and one that is longer */
		{ "{\"abcdefghijklmnopqrstuvwx\": 1, \"abcdefghijklmnopqrstuvwxy\": 2}",
		  "abcdefghijklmnopqrstuvwx 1\nabcdefghijklmnopqrstuvwxy 2\n" },
	};

	return cr_make_param_array(struct text_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct text_case *c, print, text_has_a_line_for_each_member)
{
	json_t *value = parse(c->json);

	print_text(value);
	cr_assert(eq(str, said(stdout), c->text));
	json_decref(value);
}

/* More than eight members are no row any more. */
Test(print, a_wide_object_in_a_list_has_lines_of_its_own)
{
	json_t *value = parse("{\"l\": [{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,"
	                      "\"h\":8},{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,"
	                      "\"h\":8,\"i\":9}]}");
	const char *text, *line;
	int lines = 0;

	print_text(value);
	text = said(stdout);
	for (line = text; (line = strchr(line, '\n')); line++)
		lines++;
	cr_assert(eq(int, lines, 1 + 1 + 9), "%s", text);
	json_decref(value);
}

Test(print, levels_deeper_than_the_column_are_printed)
{
	json_t *value = json_pack("{s:i}", "leaf", 1);
	const char *text;

	for (int i = 0; i < 20; i++)
		value = json_pack("{s:o}", "o", value);
	print_text(value);
	text = said(stdout);
	cr_assert(ne(ptr, strstr(text, "leaf"), NULL), "%s", text);
	cr_assert(eq(str, strrchr(text, ' '), " 1\n"));
	json_decref(value);
}
