// SPDX-License-Identifier: GPL-2.0-only
/* What lkvm's subcommands take, where Nestor has others: so that who comes from there is told. */
#include "control/lkvm.h"

#include <stddef.h>
#include <string.h>

#include "vmm/types.h"

/* lkvm's own options of these commands: of no consequence here, or refused by name. */
static const struct lkvm_option lkvm_options[] = {
	{ "list", "run", 'i', true },                                      /* there are no others */
	{ "list", "rootfs", 'r', false }, { "stat", "memory", 'm', true }, /* among the rest */
	{ "debug", "dump", 'd', true },                                    /* what it does */
	{ "debug", "nmi", 'm', false },   { "debug", "sysrq", 's', false },
};

/* --name, --name=VALUE, -x, -xVALUE */
const struct lkvm_option *lkvm_option(const char *command, const char *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(lkvm_options); i++) {
		const struct lkvm_option *o = &lkvm_options[i];
		size_t len = strlen(o->name);

		if (strcmp(o->command, command))
			continue;
		if (arg[1] == o->letter && (!o->taken || !arg[2]))
			return o;
		if (arg[1] == '-' && !strncmp(arg + 2, o->name, len) &&
		    (!arg[2 + len] || (!o->taken && arg[2 + len] == '=')))
			return o;
	}
	return NULL;
}
