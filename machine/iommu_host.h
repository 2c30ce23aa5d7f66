/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_IOMMU_HOST_H
#define MACHINE_IOMMU_HOST_H

struct machine;
struct viommu_config;

/*
 * If devices of the host's will be behind IOMMU @iommu: what they cannot be given is in @c too, as
 * ranges that are reserved, as a narrower input range, as a larger granule, and, where messages are
 * translated, as the host's window for them. 0; -E2BIG: more ranges than can be told; -ERANGE: none
 * of the input range is the host's; -errno of the host's.
 */
int iommu_host_narrow(struct machine *m, unsigned int iommu, struct viommu_config *c);

#endif
