/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOPOLOGY_TOPOLOGY_H
#define TOPOLOGY_TOPOLOGY_H

#include <stdio.h>

struct platform;

#define TOPOLOGY_FORMATS "text, json or dot"

/* A way to show the machine. Each reads struct platform and nothing else. */
struct topology_format {
	const char *name;
	/* 0, or -ENOMEM; what @to could not take is in ferror(to). */
	int (*print)(const struct platform *p, FILE *to);
};

/* NULL: there is none of that name. */
const struct topology_format *topology_find(const char *name);

#endif
