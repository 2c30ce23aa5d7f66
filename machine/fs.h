/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_FS_H
#define MACHINE_FS_H

#include "machine/options.h"

struct machine;

/* --fs, as parsed: NULL, or what was expected. */
const char *fs_option_take(struct options *o, char *val);

/* Nothing is open. */
void fs_init(struct machine *m);
/* Whether the folders are there. An exit code: 0, or the one of what was said in one line. */
int fs_open(const struct options *o);
/* virtiofsd for each, before the guest exists, likewise. */
int fs_start(struct machine *m);
/* Whether all are there yet, right before the guest runs. An exit code, as above. */
int fs_check(struct machine *m);
void fs_close(struct machine *m);

#endif
