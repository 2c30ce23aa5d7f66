// SPDX-License-Identifier: GPL-2.0-only
/* JSON for programs, and the same as text for people. */
#include "control/print.h"

#include <stdio.h>

#include "vmm/types.h"

#define COLUMN 24

void print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}

static bool is_leaf(json_t *value)
{
	return !json_is_object(value) && !json_is_array(value);
}

static void print_leaf(json_t *value)
{
	if (json_is_string(value))
		printf("%s", json_string_value(value));
	else
		json_dumpf(value, stdout, JSON_ENCODE_ANY);
}

/* An object of nothing but leaves goes on one line in a list, and so a list is a table. */
static bool is_flat(json_t *value)
{
	const char *key;
	json_t *member;

	json_object_foreach(value, key, member) if (!is_leaf(member)) return false;
	return json_is_object(value) && json_object_size(value) <= 8;
}

static void print_row(json_t *row, int indent)
{
	const char *key, *gap = "";
	json_t *member;

	printf("%*s", indent, "");
	json_object_foreach(row, key, member)
	{
		printf("%s%s ", gap, key);
		print_leaf(member);
		gap = "  ";
	}
	putchar('\n');
}

static void print_members(json_t *value, int indent);

static void print_list(json_t *list, int indent)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (is_flat(item)) {
			print_row(item, indent);
		} else if (is_leaf(item)) {
			printf("%*s", indent, "");
			print_leaf(item);
			putchar('\n');
		} else if (json_is_array(item)) {
			print_list(item, indent + 2);
		} else {
			print_members(item, indent);
		}
	}
}

static void print_members(json_t *value, int indent)
{
	const char *key;
	json_t *member;

	json_object_foreach(value, key, member)
	{
		printf("%*s%-*s", indent, "", is_leaf(member) ? COLUMN - indent : 0, key);
		if (is_leaf(member)) {
			putchar(' ');
			print_leaf(member);
		}
		putchar('\n');
		if (json_is_object(member))
			print_members(member, indent + 2);
		else
			print_list(member, indent + 2);
	}
}

void print_text(json_t *value)
{
	print_members(value, 0);
}
