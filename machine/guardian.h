/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_GUARDIAN_H
#define MACHINE_GUARDIAN_H

/* What a helper's guardian process is given; all of it is its own copy. */
struct guardian {
	const char *path;        /* of the program */
	const char *const *argv; /* its arguments */
	int life;                /* a pipe's end that ends when Nestor does */
	int output;              /* the program's stdout and stderr */
	int given;               /* becomes the program's descriptor HELPER_FD */
	int failed; /* where errno goes if the program cannot be executed; close-on-exec */
};

/* Runs the program until it ends, and exits as it did; or until Nestor ends, and ends it. */
_Noreturn void guardian_run(const struct guardian *g);

#endif
