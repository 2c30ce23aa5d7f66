/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_PEER_H
#define CONTROL_PEER_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

/* The other end of a control socket, as the subcommands see it: one question after another. */
struct peer {
	FILE *file; /* what it says */
	int fd;
	pid_t pid;
};

/*
 * Connects and negotiates. 0, -ENOENT: no such guest; -EAGAIN: it has not
 * answered for @seconds; or another -errno.
 */
int peer_open(struct peer *p, const char *name, unsigned int seconds);
void peer_close(struct peer *p);

/* *answer: what it returned, or with -EREMOTEIO its error {class, desc}; the caller's. */
int peer_ask(struct peer *p, const char *command, json_t **answer);
/* @arguments, which may be NULL, stays the caller's. */
int peer_ask_with(struct peer *p, const char *command, json_t *arguments, json_t **answer);

/* Waits until it hangs up. 0 or -EAGAIN. */
int peer_wait(struct peer *p);

#endif
