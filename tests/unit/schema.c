// SPDX-License-Identifier: GPL-2.0-only
/* A checker for the subset of JSON Schema that docs/json/ is written in. */
#include "tests/unit/schema.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "vmm/types.h"

struct check {
	char *why;
	size_t len;
	const char *key; /* the member that is being looked at */
};

static bool check(struct check *c, json_t *schema, json_t *value);

static bool wrong(struct check *c, const char *what)
{
	snprintf(c->why, c->len, "%s: %s", c->key, what);
	return false;
}

static bool type(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object",   [JSON_ARRAY] = "array", [JSON_STRING] = "string",
		[JSON_INTEGER] = "integer", [JSON_REAL] = "number", [JSON_TRUE] = "boolean",
		[JSON_FALSE] = "boolean",   [JSON_NULL] = "null",
	};

	(void)schema;
	return !strcmp(names[json_typeof(value)], json_string_value(want)) || wrong(c, "type");
}

static bool constant(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	(void)schema;
	return json_equal(want, value) || wrong(c, "const");
}

static bool one_of_values(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	json_t *each;
	size_t i;

	(void)schema;
	json_array_foreach(want, i, each) if (json_equal(each, value)) return true;
	return wrong(c, "enum");
}

static bool pattern(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	regex_t re;
	bool ok;

	(void)schema;
	if (!json_is_string(value) || regcomp(&re, json_string_value(want), REG_EXTENDED))
		return wrong(c, "pattern");
	ok = !regexec(&re, json_string_value(value), 0, NULL, 0);
	regfree(&re);
	return ok || wrong(c, "pattern");
}

static bool minimum(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	(void)schema;
	return json_number_value(value) >= json_number_value(want) || wrong(c, "minimum");
}

static bool required(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	json_t *each;
	size_t i;

	(void)schema;
	json_array_foreach(want, i, each)
	{
		c->key = json_string_value(each);
		if (!json_object_get(value, c->key))
			return wrong(c, "missing");
	}
	return true;
}

static bool properties(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	const char *key;
	json_t *each, *member;

	(void)schema;
	json_object_foreach(want, key, each)
	{
		member = json_object_get(value, key);
		c->key = key;
		if (member && !check(c, each, member))
			return false;
	}
	return true;
}

/* false: there are none; a schema: each of them is so. */
static bool others(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	const char *key;
	json_t *member;

	json_object_foreach(value, key, member)
	{
		if (json_object_get(json_object_get(schema, "properties"), key))
			continue;
		c->key = key;
		if (json_is_false(want))
			return wrong(c, "not in the schema");
		if (!check(c, want, member))
			return false;
	}
	return true;
}

static bool items(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	json_t *each;
	size_t i;

	(void)schema;
	json_array_foreach(value, i, each) if (!check(c, want, each)) return false;
	return true;
}

static bool one_of(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	json_t *each;
	size_t i;

	(void)schema;
	json_array_foreach(want, i, each) if (check(c, each, value)) return true;
	return false;
}

static bool anything(struct check *c, json_t *want, json_t *schema, json_t *value)
{
	(void)c, (void)want, (void)schema, (void)value;
	return true;
}

static const struct keyword {
	const char *name;
	bool (*check)(struct check *c, json_t *want, json_t *schema, json_t *value);
} keywords[] = {
	{ "$schema", anything },
	{ "title", anything },
	{ "description", anything },
	{ "type", type },
	{ "const", constant },
	{ "enum", one_of_values },
	{ "pattern", pattern },
	{ "minimum", minimum },
	{ "required", required },
	{ "properties", properties },
	{ "additionalProperties", others },
	{ "items", items },
	{ "oneOf", one_of },
};

static bool check(struct check *c, json_t *schema, json_t *value)
{
	const char *name;
	json_t *want;

	json_object_foreach(schema, name, want)
	{
		size_t i = 0;

		while (i < ARRAY_SIZE(keywords) && strcmp(keywords[i].name, name))
			i++;
		if (i == ARRAY_SIZE(keywords))
			return wrong(c, name);
		if (!keywords[i].check(c, want, schema, value))
			return false;
	}
	return true;
}

bool schema_check(json_t *schema, json_t *value, char *why, size_t len)
{
	struct check c = { why, len, "the whole" };

	return json_is_object(schema) ? check(&c, schema, value) : wrong(&c, "no schema");
}

json_t *schema_load(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "docs/json/%s.json", name);
	return json_load_file(path, 0, NULL);
}
