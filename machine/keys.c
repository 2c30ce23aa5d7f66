// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and key=value lists on the command line. */
#include "machine/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

struct word {
	const char *at;
	size_t key, len; /* without its =; with its value */
};

static struct word word_at(const char *at)
{
	struct word w = { .at = at, .key = strcspn(at, "=,"), .len = strcspn(at, ",") };

	return w;
}

static const char *value_of(const struct word *w, size_t *len)
{
	*len = w->len - w->key;
	return w->at + w->key;
}

/* Letter by letter, or as numbers. */
static bool is_same(const struct word *a, const struct word *b)
{
	size_t a_len, b_len;
	const char *const x = value_of(a, &a_len), *const y = value_of(b, &b_len);
	const char *x_end, *y_end;
	u64 m, n;

	if (a_len == b_len && !strncmp(x, y, a_len))
		return true;
	return a_len && b_len && parse_number(x + 1, &m, &x_end) && x_end == x + a_len &&
	       parse_number(y + 1, &n, &y_end) && y_end == y + b_len && m == n;
}

/* In any case, as fields of registers are; a key in the wrong one is no key at all. */
static bool is_same_key(const struct word *a, const struct word *b)
{
	return a->key == b->key && !strncasecmp(a->at, b->at, a->key);
}

const char *keys_contradiction(const char *list, char *why, size_t len)
{
	struct word a, b;

	for (a = word_at(list); a.at[a.len]; a = word_at(a.at + a.len + 1)) {
		for (b = a; b.at[b.len];) {
			b = word_at(b.at + b.len + 1);
			if (!is_same_key(&a, &b) || is_same(&a, &b))
				continue;
			snprintf(why, len, "%.*s or %.*s, not both", (int)a.len, a.at, (int)b.len,
			         b.at);
			return why;
		}
	}
	return NULL;
}

const char *keys_parse(char *text, const struct key *keys, size_t nr, void *into, char *why,
                       size_t len)
{
	const char *contradiction = keys_contradiction(text, why, len);
	char *word;

	if (contradiction)
		return contradiction;
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

bool keys_word(const char *word, const char *const *words, size_t nr, unsigned int *val)
{
	if (!word)
		return true;
	for (*val = 0; *val < nr; ++*val)
		if (!strcmp(word, words[*val]))
			return true;
	return false;
}

bool keys_choose(const char *word, const char *no, const char *yes, bool *choice)
{
	if (!word)
		return true;
	*choice = !strcmp(word, yes);
	return *choice || !strcmp(word, no);
}
