/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_NET_H
#define MACHINE_NET_H

#include "machine/options.h"

struct machine;

/* --network, as parsed: NULL, or what was expected. */
const char *net_option_take(struct options *o, char *val);

/* The back ends, before the guest exists. An exit code: 0, or the one of what was said in one line.
 */
int nets_open(struct machine *m);
/* Those that no device has taken over. */
void nets_close(struct machine *m);

#endif
