/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_HELPER_H
#define MACHINE_HELPER_H

#include "vmm/log.h"

struct helper;
struct loop;

/* A program that runs beside Nestor for one device, and ends with it, however that ends. */
struct helper_config {
	const char *option;       /* "--network passt": whose it is; copied, as are the arguments */
	const char *const *argv;  /* NULL-terminated; argv[0] is its name, which outlives it */
	const char *const *paths; /* folders to look in behind PATH; NULL-terminated, or NULL */
	int fd;                   /* becomes its descriptor HELPER_FD, and is closed here */
	struct log *log;          /* what it says is traced, topic helper */
};
#define HELPER_FD 3

/* Told once, under the device lock, that it ended by itself: "passt ended with
 * exit code 1: why". */
struct helper_watcher {
	void (*ended)(struct helper_watcher *w, const char *how);
};

/*
 * Starts it. Before there are threads or guest memory. A guardian process waits
 * for this one to end, SIGKILL included, and then ends the program. An exit
 * code: 0, or the one of what was said in one line.
 */
int helper_start(struct helper **h, const struct helper_config *c);
/* From now on, under the device lock, @w is told; once. */
void helper_watch(struct helper *h, struct loop *loop, struct helper_watcher *w);
/*
 * Whether it has ended already, or does within @ms, before the guest runs: an
 * exit code, as helper_start; 0: it has not.
 */
int helper_check(struct helper *h, int ms);
/* Asks it to end, where it is of no use any more. */
void helper_end(struct helper *h);
/* Ends it and waits for that. After the loop has been drained. NULL: nothing. */
void helper_stop(struct helper *h);

#endif
