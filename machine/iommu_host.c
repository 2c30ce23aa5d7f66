// SPDX-License-Identifier: GPL-2.0-only
/* What the host's IOMMUs demand of a virtio-iommu that has devices of the host's behind it:
 * addresses that its driver cannot use. */
#include "machine/iommu_host.h"

#include <errno.h>

#include "devices/virtio/iommu.h"
#include "machine/machine.h"
#include "vmm/log.h"

#define MAX_HOLES 32

static bool is_behind(const struct machine *m, unsigned int vfio, unsigned int iommu)
{
	return iommu_of(m->options, &m->options->vfio[vfio].place) == (int)iommu;
}

static bool is_assigned_to(const struct machine *m, unsigned int iommu)
{
	for (unsigned int i = 0; i < m->options->nr_vfio; i++)
		if (is_behind(m, i, iommu))
			return true;
	return false;
}

/* The host maps doorbells there, for one of them. */
static bool has_doorbells(const struct machine *m, unsigned int iommu, const struct vfio_range *r)
{
	for (unsigned int i = 0; i < m->options->nr_vfio; i++)
		if (is_behind(m, i, iommu) && m->vfio[i].msi.first <= r->last &&
		    r->first <= m->vfio[i].msi.last)
			return true;
	return false;
}

/* The n-th range that is a property, or is to be none, already; NULL after the last. */
static const struct viommu_range *nth_told(const struct viommu_config *c, unsigned int n)
{
	if (n < c->nr_reserved)
		return &c->reserved[n];
	n -= c->nr_reserved;
	if (c->msi_window && !n--)
		return &c->msi;
	return c->host_window && !n ? &c->host_msi : NULL;
}

/* No two properties overlap (5.13.6.8.1.2): what is told from the @n-th on is left out. */
static int reserve(struct viommu_config *c, u64 first, u64 last, unsigned int n)
{
	const struct viommu_range *told;
	int err = 0;

	for (; (told = nth_told(c, n)); n++) {
		const struct viommu_range r = *told;

		if (r.last < first || r.first > last)
			continue;
		if (r.first > first)
			err = reserve(c, first, r.first - 1, n + 1);
		if (!err && r.last < last)
			err = reserve(c, r.last + 1, last, n + 1);
		return err;
	}
	if (c->nr_reserved == VIOMMU_MAX_RESERVED)
		return -E2BIG;
	c->reserved[c->nr_reserved++] = (struct viommu_range){ first, last };
	return 0;
}

static int narrow(struct machine *m, unsigned int iommu, struct viommu_config *c)
{
	struct vfio_range holes[MAX_HOLES];
	u64 granule = c->page_size_mask & -c->page_size_mask;
	int nr = vfio_context_holes(&m->vfio_context, &c->input.first, &c->input.last, &granule,
	                            holes, MAX_HOLES);
	int err = nr > MAX_HOLES ? -E2BIG : nr < 0 ? nr : 0;

	c->page_size_mask &= -granule;
	if (!err && c->input.first > c->input.last)
		err = -ERANGE;
	for (int i = 0; i < nr && !err; i++) {
		if (!c->host_window && !c->msi_window && has_doorbells(m, iommu, &holes[i])) {
			c->host_window = true;
			c->host_msi = (struct viommu_range){ holes[i].first, holes[i].last };
		} else {
			err = reserve(c, holes[i].first, holes[i].last, 0);
		}
	}
	return err;
}

int iommu_host_narrow(struct machine *m, unsigned int iommu, struct viommu_config *c)
{
	/* a machine that is only looked at has no host */
	return m->vfio_context.ioas && is_assigned_to(m, iommu) ? narrow(m, iommu, c) : 0;
}
