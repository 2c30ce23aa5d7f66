/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_VFIO_H
#define MACHINE_VFIO_H

#include "machine/options.h"

struct machine;

/* --vfio-pci: functions of the host's that are the guest's. */
const char *vfio_option_take(struct options *o, char *val);

/* When all options are there. False: a line was printed. */
bool vfio_check(const struct options *o);

/* All of them are looked for, in that sysfs, before any is touched. 0, or an exit code, and a line
 * was printed. */
int vfio_find(struct machine *m, const char *sys);

/*
 * Before there is a VM: each is there, and free, and the host's IOMMUs can be had. 0, or an exit
 * code, and a line was printed. vfio_close() takes back what has been opened.
 */
int vfio_open(struct machine *m);
void vfio_close(struct machine *m);

#endif
