/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_ARGS_H
#define TESTS_UNIT_ARGS_H

#include <string.h>

#include "machine/options.h"

#define MAX_ARGS 12

/* @args as a command line: MAX_ARGS words, or up to a NULL. What @o points to is there until the
 * next time. */
static inline bool options_of(struct options *o, const char *const *args)
{
	static char texts[MAX_ARGS][128];
	char *argv[MAX_ARGS];
	int nr = 0;

	for (; nr < MAX_ARGS && args[nr]; nr++)
		argv[nr] = strcpy(texts[nr], args[nr]);
	return options_parse(o, nr, argv);
}

#endif
