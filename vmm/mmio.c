// SPDX-License-Identifier: GPL-2.0-only
/* The MMIO bus: a sorted array of regions. */
#include "vmm/mmio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first region that ends above @gpa; bus->nr if none does. */
static unsigned int first_above(const struct mmio_bus *bus, gpa_t gpa)
{
	unsigned int lo = 0, hi = bus->nr;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;
		const struct mmio_region *r = &bus->regions[mid];

		if (r->base + (r->size - 1) < gpa)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int make_room(struct mmio_bus *bus)
{
	unsigned int max = bus->max ? bus->max * 2 : 16;
	struct mmio_region *regions;

	if (bus->nr < bus->max)
		return 0;
	regions = realloc(bus->regions, max * sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	bus->regions = regions;
	bus->max = max;
	return 0;
}

int mmio_add(struct mmio_bus *bus, const struct mmio_region *region)
{
	gpa_t last = region->base + (region->size - 1);
	unsigned int at;
	int err;

	if (!region->size || last < region->base)
		return -EINVAL;
	at = first_above(bus, region->base);
	if (at < bus->nr && bus->regions[at].base <= last)
		return -EEXIST;
	err = make_room(bus);
	if (err)
		return err;
	memmove(&bus->regions[at + 1], &bus->regions[at], (bus->nr - at) * sizeof(*region));
	bus->regions[at] = *region;
	bus->nr++;
	return 0;
}

void mmio_remove(struct mmio_bus *bus, gpa_t base)
{
	unsigned int at = first_above(bus, base);

	if (at == bus->nr || bus->regions[at].base != base)
		return;
	bus->nr--;
	memmove(&bus->regions[at], &bus->regions[at + 1],
	        (bus->nr - at) * sizeof(struct mmio_region));
}

int mmio_add_window(struct mmio_bus *bus, gpa_t base, u64 size)
{
	const size_t len = (bus->nr_windows + 1) * sizeof(*bus->windows);
	struct mmio_window *windows = realloc(bus->windows, len);

	if (!windows)
		return -ENOMEM;
	windows[bus->nr_windows++] = (struct mmio_window){ base, size };
	bus->windows = windows;
	return 0;
}

void mmio_destroy(struct mmio_bus *bus)
{
	free(bus->windows);
	free(bus->regions);
	*bus = (struct mmio_bus){ 0 };
}

/* What nobody answers in a window: who asked is told by all ones (PCIe 6.0, 2.3.2, of a root
 * complex that completes a request of its own with no success). */
static const struct mmio_ops *access_window(const struct mmio_bus *bus, gpa_t gpa,
                                            unsigned int size, bool write, u64 *val)
{
	static const struct mmio_ops nobody = { .name = "nobody" };

	for (unsigned int i = 0; i < bus->nr_windows; i++) {
		const u64 offset = gpa - bus->windows[i].base;

		if (offset >= bus->windows[i].size)
			continue;
		if (!write)
			*val = GENMASK(size * 8 - 1, 0);
		return &nobody;
	}
	return NULL;
}

const struct mmio_ops *mmio_access(const struct mmio_bus *bus, gpa_t gpa, unsigned int size,
                                   bool write, u64 *val)
{
	unsigned int at = first_above(bus, gpa);
	struct mmio_region *r = &bus->regions[at];
	const struct mmio_ops *ops;
	u64 offset;

	if (gpa % size)
		return NULL;
	if (at == bus->nr || gpa < r->base)
		return access_window(bus, gpa, size, write, val);
	offset = gpa - r->base;
	if (size > r->size - offset)
		return NULL;
	ops = r->ops; /* a write may move regions, this one too */
	if (write) {
		r->writes++;
		ops->write(r->dev, offset, size, *val);
	} else {
		r->reads++;
		*val = ops->read(r->dev, offset, size);
	}
	return ops;
}
