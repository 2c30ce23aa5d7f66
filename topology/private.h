/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOPOLOGY_PRIVATE_H
#define TOPOLOGY_PRIVATE_H

#include <stdio.h>

#include "vmm/platform.h"

static inline unsigned long long ull(u64 v)
{
	return v;
}

int topology_text(const struct platform *p, FILE *to);
int topology_json(const struct platform *p, FILE *to);
int topology_dot(const struct platform *p, FILE *to);

/*
 * The functions on bus @bus of the segment of index @pci, in the order of their requester IDs: that
 * behind @last (NULL: the first), or NULL.
 */
const struct platform_function *topology_next(const struct platform *p, unsigned int pci, u8 bus,
                                              const struct platform_function *last);

/* How its IOMMU knows it; NULL: it is behind none. */
const struct platform_endpoint *topology_endpoint(const struct platform *p,
                                                  const struct platform_function *f);

/* The virtio-iommu that it is; NULL: it is none. */
const struct platform_iommu *topology_iommu(const struct platform *p,
                                            const struct platform_function *f);

/* What an endpoint's ID is called there; what the kind is called, in prose; and in a key. */
const char *topology_id_name(const struct platform_iommu *i);
const char *topology_kind(const struct platform_iommu *i);

/* Each range that its driver cannot map, as text between @before and @after. */
void topology_unmappable(const struct platform_iommu *i, const char *before, const char *after,
                         FILE *to);
/* What is in a range that DMA finds at its own addresses. */
const char *topology_reserved(const struct platform_reserved *r);

/* The ID that the ITS knows requester ID @rid of that segment by. */
u32 topology_devid(const struct platform *p, unsigned int pci, u16 rid);
bool topology_has_its(const struct platform *p);

/* The bus behind a bridge, or a root port; 0: it is none. */
u8 topology_bus_behind(const struct platform *p, const struct platform_function *f);

/* SSSS:BB:DD.F of a requester ID, or 0xADDRESS of a slot. */
#define TOPOLOGY_PLACE 24
void topology_place(const struct platform *p, const struct platform_function *f, char *text);

#endif
