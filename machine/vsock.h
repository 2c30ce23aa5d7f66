/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_VSOCK_H
#define MACHINE_VSOCK_H

#include "machine/options.h"

struct log;

/* --vsock, as parsed: NULL, or what was expected. */
const char *vsock_option_take(struct options *o, char *val);
/*
 * The host's end, before the guest exists: *fd, -1 where none was asked for. An
 * exit code: 0, or the one of what was said in one line.
 */
int vsock_open(const struct vsock_option *o, int *fd, struct log *log);

#endif
