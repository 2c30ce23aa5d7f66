/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts that are edges of one INTID, counted. */
#ifndef GUESTS_BARE_LIB_EDGE_H
#define GUESTS_BARE_LIB_EDGE_H

#include "guest.h"

/* From now on @intid is enabled; any other interrupt is a failure. */
void edge_start(u32 intid);
/* So many have come since it was asked last, and no more are on their way; @when: for a failure. */
void edge_expect(unsigned int nr, const char *when);

#endif
