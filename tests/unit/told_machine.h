/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_TOLD_MACHINE_H
#define TESTS_UNIT_TOLD_MACHINE_H

#include "machine/options.h"

#define ITEMS  256
#define OTHERS 80

/* One option of a random command line that makes a device; and what it asks for. */
struct item {
	const char *option; /* without its dashes */
	char value[16]; /* before its first comma; the option's other devices may have the same */
	int iommu;      /* the item that is it; -1: behind none */
	int port;       /* the item that is it; -1: on a root bus */
	u32 segment;    /* number */
	u32 pasid;      /* bits of its PASIDs; 0: none */
	bool over_mmio, stalls;
	/* Of an --iommu: */
	bool smmu, sends_msis;
	char text[96]; /* the argument */
};

struct command {
	struct item all[ITEMS];
	unsigned int nr;
	bool its;
	u64 window_base, window_size; /* of IOVAs for doorbells; 0: not said */
	bool wrong;                   /* it asks for what cannot be */
	char other[OTHERS][40];       /* arguments that make no device */
	unsigned int nr_other;
	char *argv[ITEMS + OTHERS];
	int argc;
	char line[ITEMS * 97 + OTHERS * 41]; /* all of it, as it was before anyone split it */
};

/* The machine of that number: always the same. */
void command_make(struct command *w, u64 seed);

#endif
