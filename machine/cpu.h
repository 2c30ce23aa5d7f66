/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

#include "machine/options.h"

/* --cpu KEY=VALUE,...; --sve-max-vl BITS: NULL, or what was expected. Each
 * adds to what was said. */
const char *cpu_option_take(struct options *o, char *val);
const char *sve_option_take(struct options *o, char *val);

/* When all options are known. False: one line was printed. */
bool cpu_check(const struct options *o);

#endif
