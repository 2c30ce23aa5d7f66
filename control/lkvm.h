/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_LKVM_H
#define CONTROL_LKVM_H

#include <stdbool.h>

struct lkvm_option {
	const char *command, *name;
	char letter;
	bool taken; /* it is of no consequence here; else it is refused by name */
};

/* The option of lkvm's @command that @arg is; NULL: none. */
const struct lkvm_option *lkvm_option(const char *command, const char *arg);

#endif
