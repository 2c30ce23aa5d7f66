// SPDX-License-Identifier: GPL-2.0-only
/* The address spaces of a guest's IOMMU in the host's: an IOAS each, whose mappings share the pages
 * of guest RAM's. */
#include <errno.h>
#include <linux/iommufd.h>
#include <stdlib.h>

#include "vfio/context.h"
#include "vmm/iova.h"
#include "vmm/mem.h"

struct mirror {
	struct iova_mirror ops;
	struct vfio_context *context;
	u32 ioas;
};

static struct mirror *mirror_of(struct iova_mirror *m)
{
	return container_of(m, struct mirror, ops);
}

/* What of @m is RAM. The rest, doorbells among it, no device of the host's can reach. */
static bool clip(const struct guest_mem *mem, const struct iova_mapping *m,
                 struct iommu_ioas_copy *copy)
{
	const u64 last = m->gpa + (m->last - m->iova), end = mem->base + mem->size - 1;
	const u64 from = m->gpa > mem->base ? m->gpa : mem->base, to = last < end ? last : end;

	if (last < m->gpa || from > to)
		return false;
	copy->src_iova = from;
	copy->dst_iova = m->iova + (from - m->gpa);
	copy->length = to - from + 1;
	return true;
}

static int mirror_map(struct iova_mirror *ops, const struct iova_mapping *m)
{
	struct mirror *mirror = mirror_of(ops);
	struct vfio_context *c = mirror->context;
	struct iommu_ioas_copy copy = {
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA |
		         (m->perm & DMA_READ ? IOMMU_IOAS_MAP_READABLE : 0) |
		         (m->perm & DMA_WRITE ? IOMMU_IOAS_MAP_WRITEABLE : 0),
		.dst_ioas_id = mirror->ioas,
		.src_ioas_id = c->ioas,
	};

	if (!(m->perm & (DMA_READ | DMA_WRITE)) || !clip(c->mem, m, &copy))
		return 0;
	return c->uapi.ops->ioas_copy(&c->uapi, &copy);
}

/* All of it is (IOMMU_IOAS_UNMAP) a length that no range has. Nothing there is -ENOENT. */
static void mirror_unmap(struct iova_mirror *ops, u64 first, u64 last)
{
	struct mirror *mirror = mirror_of(ops);
	struct iommu_ioas_unmap arg = { .ioas_id = mirror->ioas,
		                        .iova = first,
		                        .length = last - first == ~0ULL ? ~0ULL
		                                                        : last - first + 1 };

	mirror->context->uapi.ops->ioas_unmap(&mirror->context->uapi, &arg);
}

static void mirror_gone(struct iova_mirror *ops)
{
	struct mirror *mirror = mirror_of(ops);
	struct uapi *u = &mirror->context->uapi;
	struct iommu_destroy arg = { .id = mirror->ioas };

	u->ops->destroy(u, &arg);
	free(mirror);
}

/* What is in @space already. */
static int fill(struct mirror *mirror, struct iova_space *space)
{
	int err = 0;

	for (struct iova_mapping *m = iova_next(space, 0); m && !err;) {
		err = mirror_map(&mirror->ops, m);
		m = m->last == ~0ULL ? NULL : iova_next(space, m->last + 1);
	}
	return err;
}

static int create(struct vfio_context *c, struct iova_space *space)
{
	struct mirror *mirror = calloc(1, sizeof(*mirror));
	struct iommu_ioas_alloc alloc = { 0 };
	int err = mirror ? c->uapi.ops->ioas_alloc(&c->uapi, &alloc) : -ENOMEM;

	if (err) {
		free(mirror);
		return err;
	}
	*mirror =
		(struct mirror){ { mirror_map, mirror_unmap, mirror_gone }, c, alloc.out_ioas_id };
	err = fill(mirror, space);
	if (err)
		mirror_gone(&mirror->ops);
	else
		space->mirror = &mirror->ops;
	return err;
}

/* One that nobody could be attached to is not kept: it would cost each mapping a call. */
static int attach_first(struct vfio_device *d, struct iova_space *space)
{
	int err = create(d->context, space);

	if (err)
		return err;
	err = vfio_device_attach(d, mirror_of(space->mirror)->ioas);
	if (err) {
		mirror_gone(space->mirror);
		space->mirror = NULL;
	}
	return err;
}

int vfio_device_follow(struct vfio_device *d, struct iova_space *space)
{
	if (!space)
		return d->hwpt ? vfio_device_detach(d) : 0;
	if (space->identity)
		return vfio_device_attach_all(d);
	if (space->fetch)
		return -EOPNOTSUPP;
	if (!space->mirror)
		return attach_first(d, space);
	return vfio_device_attach(d, mirror_of(space->mirror)->ioas);
}
