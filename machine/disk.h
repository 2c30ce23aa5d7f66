/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_DISK_H
#define MACHINE_DISK_H

#include "machine/options.h"

/* --disk's reader: NULL, or what was expected. Splits @val in place. */
const char *disk_option_take(struct options *o, char *val);

/* How many queues disk @i has. */
unsigned int disk_queues(const struct options *o, unsigned int i);

/* *fd is the caller's, also after a failure, -1 if there is none. The exit code, its line printed,
 * or 0. */
int disk_open(const struct disk_option *o, int *fd, u64 *size);

#endif
