/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_IORT_H
#define VFIO_IORT_H

#include "vmm/types.h"

enum iort_canwbs { CANWBS_UNKNOWN, CANWBS_MISSING, CANWBS_ALL };

/* Whether the firmware says of every PCI root complex that its memory accesses are coherent
 * whatever they ask for (CANWBS): of @len bytes of an IORT. A table that is cut short is not known.
 */
enum iort_canwbs iort_canwbs(const u8 *table, size_t len);

/* Of the host's, in the sysfs @sys, which only root reads. */
enum iort_canwbs iort_canwbs_of(const char *sys);

#endif
