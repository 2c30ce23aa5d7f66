// SPDX-License-Identifier: GPL-2.0-only
/* What only lkvm has, refused by name rather than as a misspelling;
 * docs/lkvm.md has all of lkvm's. */
#include "machine/lkvm.h"

#include <string.h>

#include "vmm/log.h"

static const struct refused {
	const char *name;
	char letter;
	const char *instead; /* what is nearest to it; NULL: nothing is */
} lkvm_only[] = {
	{ "9p", 0, NULL },
	{ "aarch32", 0, NULL },
	{ "balloon", 0, NULL },
	{ "counter-offset", 0, NULL },
	{ "debug", 0, "--trace" },
	{ "debug-iodelay", 0, NULL },
	{ "debug-ioport", 0, "--trace mmio" },
	{ "debug-mmio", 0, "--trace mmio" },
	{ "debug-single-step", 0, NULL },
	{ "dev", 0, NULL },
	{ "firmware", 'f', "-k" },
	{ "firmware-address", 0, NULL },
	{ "flash", 'F', NULL },
	{ "gtk", 0, NULL },
	{ "loglevel", 0, "--trace" },
	{ "no-dhcp", 0, NULL },
	{ "override-bad-firmware-cntfrq", 0, NULL },
	{ "psci", 0, NULL },
	{ "sandbox", 0, NULL },
	{ "sdl", 0, NULL },
	{ "tty", 0, NULL },
	{ "vcpu-affinity", 0, "taskset" },
	{ "virtio-legacy", 0, NULL },
	{ "vnc", 0, NULL },
};

/* --name, --name=VALUE, -f, -fVALUE */
static bool is(const struct refused *r, const char *arg)
{
	size_t len = strlen(r->name);

	if (arg[0] != '-' || !arg[1])
		return false;
	if (arg[1] != '-')
		return r->letter && arg[1] == r->letter;
	return !strncmp(arg + 2, r->name, len) && (!arg[2 + len] || arg[2 + len] == '=');
}

bool lkvm_refused(const char *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(lkvm_only); i++) {
		const struct refused *r = &lkvm_only[i];

		if (!is(r, arg))
			continue;
		log_error("--%s: an option of lkvm that nestor does not have%s%s", r->name,
		          r->instead ? "; the nearest is " : "", r->instead ? r->instead : "");
		return true;
	}
	return false;
}
