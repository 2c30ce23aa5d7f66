/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_MMIO_H
#define VMM_MMIO_H

#include "vmm/types.h"

/* What answers a range of guest-physical addresses. Offsets are bytes from the region's base. */
struct mmio_ops {
	const char *name;
	u64 (*read)(void *dev, u64 offset, unsigned int size);
	void (*write)(void *dev, u64 offset, unsigned int size, u64 val);
};

struct mmio_region {
	gpa_t base;
	u64 size; /* bytes */
	const struct mmio_ops *ops;
	void *dev;
	u64 reads, writes; /* how many it has answered */
};

/* The regions, sorted by base; no two overlap. Everything here is called under the device lock. */
struct mmio_bus {
	struct mmio_region *regions;
	unsigned int nr, max;
	struct mmio_window {
		gpa_t base;
		u64 size; /* bytes */
	} * windows;
	unsigned int nr_windows;
};

/* -EEXIST: overlaps another; -EINVAL: empty or past the end of the address space; -ENOMEM. */
int mmio_add(struct mmio_bus *bus, const struct mmio_region *region);
/* Takes away the region that starts at @base, if there is one. */
void mmio_remove(struct mmio_bus *bus, gpa_t base);
/* There a read that no region answers is all ones and a write is lost. 0 or -ENOMEM. */
int mmio_add_window(struct mmio_bus *bus, gpa_t base, u64 size);
void mmio_destroy(struct mmio_bus *bus);

/*
 * One access of 1, 2, 4 or 8 bytes. NULL: it hits a hole that is in no window, straddles the end of
 * a region or is not naturally aligned (Device memory takes no such access); nothing was called.
 * Else what answered, *val in or out. So no device sees an access that crosses one of its
 * registers' natural boundaries.
 */
const struct mmio_ops *mmio_access(const struct mmio_bus *bus, gpa_t gpa, unsigned int size,
                                   bool write, u64 *val);

#endif
