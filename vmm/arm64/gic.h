/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_ARM64_GIC_H
#define VMM_ARM64_GIC_H

#include "vmm/types.h"

/*
 * Where the in-kernel GICv3 and ITS stand. The redistributors end where the
 * distributor begins, one of 128 KiB for each vCPU, as lkvm places them.
 */
#define GIC_DIST_BASE    0x3fff0000ULL
#define GIC_DIST_SIZE    0x10000ULL
#define GIC_REDIST_SIZE  0x20000ULL
#define GIC_ITS_BASE     0x07ff0000ULL /* its doorbell frame, at +64 KiB, is at 0x0800_0000 */
#define GIC_ITS_SIZE     0x20000ULL
#define GIC_ITS_DOORBELL (GIC_ITS_BASE + 0x10040) /* GITS_TRANSLATER */

static inline gpa_t gic_redist_base(unsigned int nr_cpus)
{
	return GIC_DIST_BASE - nr_cpus * GIC_REDIST_SIZE;
}

#endif
