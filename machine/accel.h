/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_ACCEL_H
#define MACHINE_ACCEL_H

#include "machine/machine.h"

struct iommu_parsed;
struct smmu_config;
struct vsmmu_stream;

/* SMMUv3s that one of the host's translates for (docs/vsmmu.md): those with functions of the
 * host's behind them. */

/* accel= and host=: NULL, or what was expected. */
const char *accel_take(struct iommu_parsed *p);

/* Whether that is so of o->iommus[@i]; -1 is none. */
bool accel_is_on(const struct options *o, int i);

/* When all options are there: nobody else is behind such an SMMU. False: a line was printed. */
bool accel_check(const struct options *o);

/* When functions are placed: what is to be such an SMMU has one behind it. The same. */
bool accel_check_all_used(const struct options *o);

/* When functions were found: all behind it are behind the same SMMU of the host's. 0, or an exit
 * code, and a line was printed. */
int accel_check_hosts(struct machine *m);

/* Which SMMU of the host's, by its name; NULL: none. */
const char *accel_host(struct machine *m, unsigned int i);

/*
 * Before IOMMU @i is made, when functions are bound: its backend, and its ID registers as the host
 * can have them, are in *@c. Nothing, if it is not such a one. 0, -errno, or an exit code whose
 * line was printed.
 */
int accel_create(struct machine *m, unsigned int i, struct smmu_config *c);

/* When its endpoint is there: the DMA of the @nr-th function is that one's from now on. *@st NULL:
 * it is behind no such SMMU. 0, or an exit code. */
int accel_add(struct machine *m, unsigned int nr, struct vsmmu_stream **st);

#endif
