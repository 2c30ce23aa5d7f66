/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_NET_H
#define MACHINE_NET_H

#include "machine/options.h"

struct helper;
struct log;
struct machine;
struct net_backend;

/* --network, as parsed: NULL, or what was expected. */
const char *net_option_take(struct options *o, char *val);

/* The back ends, before the guest exists. An exit code: 0, or the one of what
 * was said in one line. */
int nets_open(struct machine *m);
/* The helpers of those that have one, likewise. */
int nets_start(struct machine *m);
/* Whether all helpers are there yet, right before the guest runs. An exit code, as above. */
int nets_check(struct machine *m);
/* Those that no device has taken over, and the helpers. */
void nets_close(struct machine *m);

/* passt.c: passt, and the back end that leads to it. An exit code, as above. */
int passt_open(struct net_backend **b, struct helper **h, struct log *log);

#endif
