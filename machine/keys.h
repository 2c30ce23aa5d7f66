/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_KEYS_H
#define MACHINE_KEYS_H

#include "vmm/types.h"

/* The keys an option's value may have behind its first word: NAME or
 * NAME=VALUE, comma-separated. */
enum key_kind {
	KEY_FLAG,   /* NAME: a bool */
	KEY_TEXT,   /* NAME=TEXT: a const char *, not empty */
	KEY_NUMBER, /* NAME=N: a u64 from min to max */
};

struct key {
	const char *name;
	enum key_kind kind;
	size_t offset; /* in the struct that is filled */
	u64 min, max;
};

/*
 * Splits @text in place. NULL, or what was expected, in @why of @len bytes: an
 * unknown key is answered with the list of those there are.
 */
const char *keys_parse(char *text, const struct key *keys, size_t nr, void *into, char *why,
                       size_t len);

/*
 * Of a list that is not split yet: NULL, or in @why that it says two things of one key. Saying the
 * same again is none; keys_parse() looks for itself.
 */
const char *keys_contradiction(const char *list, char *why, size_t len);

/* Which of @nr words, in *@val; NULL changes nothing. False: none of them. */
bool keys_word(const char *word, const char *const *words, size_t nr, unsigned int *val);

/* One of two words; NULL changes nothing. False: neither. */
bool keys_choose(const char *word, const char *no, const char *yes, bool *choice);

/* Splits what comes behind the first comma off @val; NULL: nothing does. */
char *keys_rest(char *val);

/* All of @text as an unsigned number, decimal or 0x; no sign, no space, nothing behind it. */
bool parse_number(const char *text, u64 *val, const char **rest);

#endif
