// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and key=value lists on the command line. */
#include "machine/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool parse_number(const char *text, u64 *val, const char **rest)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false; /* strtoull would take a sign, or spaces */
	errno = 0;
	*val = strtoull(text, &end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	*rest = end;
	return !errno;
}

char *keys_rest(char *val)
{
	char *comma = strchr(val, ',');

	if (!comma)
		return NULL;
	*comma = 0;
	return comma + 1;
}

static const char *list_keys(const struct key *keys, size_t nr, char *why, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < nr && at < len; i++)
		at += snprintf(why + at, len - at, "%s%s%s", i ? ", " : "a key out of ",
		               keys[i].name, keys[i].kind == KEY_FLAG ? "" : "=");
	return why;
}

static const char *store(const struct key *key, const char *val, void *into, char *why, size_t len)
{
	char *field = (char *)into + key->offset;
	const char *rest;

	switch (key->kind) {
	case KEY_FLAG:
		*(bool *)field = true;
		if (!val)
			return NULL;
		snprintf(why, len, "%s without a value", key->name);
		return why;
	case KEY_TEXT:
		*(const char **)field = val;
		if (val && *val)
			return NULL;
		snprintf(why, len, "%s=TEXT", key->name);
		return why;
	case KEY_NUMBER:
		if (val && parse_number(val, (u64 *)field, &rest) && !*rest &&
		    *(u64 *)field >= key->min && *(u64 *)field <= key->max)
			return NULL;
		snprintf(why, len, "%s=N, %llu to %llu", key->name, (unsigned long long)key->min,
		         (unsigned long long)key->max);
		return why;
	}
	return "no such kind of key";
}

const char *keys_parse(char *text, const struct key *keys, size_t nr, void *into, char *why,
                       size_t len)
{
	char *word;

	while ((word = strsep(&text, ","))) {
		char *val = strchr(word, '=');
		const char *expected;
		size_t i = 0;

		if (val)
			*val++ = 0;
		while (i < nr && strcmp(keys[i].name, word))
			i++;
		if (i == nr)
			return list_keys(keys, nr, why, len);
		expected = store(&keys[i], val, into, why, len);
		if (expected)
			return expected;
	}
	return NULL;
}

bool keys_choose(const char *word, const char *no, const char *yes, bool *choice)
{
	if (!word)
		return true;
	*choice = !strcmp(word, yes);
	return *choice || !strcmp(word, no);
}
