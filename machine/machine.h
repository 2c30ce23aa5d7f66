/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

struct options;

/*
 * Builds the board, runs the guest to its end, takes all of it down again.
 * The exit code; whatever failed was said in one line.
 */
int machine_run(const struct options *o);

#endif
