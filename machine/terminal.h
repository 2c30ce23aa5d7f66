/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_TERMINAL_H
#define MACHINE_TERMINAL_H

#include <sys/types.h>

/* The user's terminal in raw mode, while the guest has it. */
struct terminal {
	int guard;   /* closed: the guardian gives the terminal back; -1: not a terminal */
	pid_t child; /* the guardian */
};

/*
 * Raw mode on standard input, if it is a terminal. A child process waits for
 * this one to end in whatever way, SIGKILL included, and then restores it: so
 * call this before there are threads or guest memory. 0 or -errno.
 */
int terminal_raw(struct terminal *t);
void terminal_restore(struct terminal *t);

#endif
