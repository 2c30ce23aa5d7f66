/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_MSI_WINDOW_H
#define MACHINE_MSI_WINDOW_H

#include "machine/options.h"

struct host_function;
struct host_functions;
struct machine;

/* --msi-window BASE,SIZE: the IOVAs where doorbells are (docs/vfio.md). */
const char *msi_window_take(struct options *o, char *val);

/* When all options are there: nothing else is at those addresses. False: a line was printed. */
bool msi_window_check(const struct options *o);

/*
 * The host's function of the @i-th --vfio-pci is @f: where the host's doorbells for it are, and
 * that it reserves nothing else of the window. 0, or an exit code, and a line was printed.
 */
int msi_window_host(struct machine *m, unsigned int i, const struct host_functions *h,
                    const struct host_function *f);
/* When it is bound: its doorbells are in the window. The same. */
int msi_window_move(struct machine *m, unsigned int i);

/*
 * The bit, in struct platform_endpoint.reserved, of the window as addresses that DMA finds at
 * themselves; it is in the platform from the first call on. 0: the machine takes no messages.
 */
u32 msi_window_reserved(struct machine *m);

#endif
