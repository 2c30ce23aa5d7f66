// SPDX-License-Identifier: GPL-2.0-only
/* An iommufd context, guest RAM in it, and functions that are bound to it: made, and taken down in
 * reverse. */
#include "vfio/context.h"

#include <assert.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdio.h>

#include "vmm/mem.h"

static void destroy(struct uapi *u, u32 id)
{
	struct iommu_destroy arg = { .id = id };

	u->ops->destroy(u, &arg); /* what is left, if anything, goes when the last file is closed */
}

int vfio_context_open(struct vfio_context *c)
{
	struct uapi *u = &c->uapi;
	struct iommu_ioas_alloc ioas = { 0 };
	int err;

	*c = (struct vfio_context){ .uapi = *u };
	u->iommufd = u->ops->open(u, "/dev/iommu");
	if (u->iommufd < 0)
		return u->iommufd;
	err = u->ops->ioas_alloc(u, &ioas);
	if (err) {
		u->ops->close(u, u->iommufd);
		u->iommufd = -1;
		return err;
	}
	c->ioas = ioas.out_ioas_id;
	return 0;
}

#define VFIO_MAX_RANGES 64
#define MIB             (1ULL << 20)

#define MAP_RAM (IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

static int map_file(struct vfio_context *c, const struct guest_mem *mem)
{
	struct iommu_ioas_map_file arg = { .flags = MAP_RAM,
		                           .ioas_id = c->ioas,
		                           .fd = mem->fd,
		                           .length = mem->size,
		                           .iova = mem->base };

	return c->uapi.ops->ioas_map_file(&c->uapi, &arg);
}

static int map(struct vfio_context *c, const struct guest_mem *mem)
{
	struct iommu_ioas_map arg = { .flags = MAP_RAM,
		                      .ioas_id = c->ioas,
		                      .user_va = (uintptr_t)mem->host,
		                      .length = mem->size,
		                      .iova = mem->base };

	return c->uapi.ops->ioas_map(&c->uapi, &arg);
}

int vfio_context_map(struct vfio_context *c, const struct guest_mem *mem)
{
	int err = mem->fd < 0 ? -ENOTTY : map_file(c, mem);

	/* older kernels do not know the call; and a file of some kinds it does not take */
	if (err == -ENOTTY || err == -EINVAL || err == -EOPNOTSUPP)
		err = map(c, mem);
	if (!err)
		c->mem = mem;
	return err;
}

/* The kernel tells of what is possible, in order. */
int vfio_context_holes(struct vfio_context *c, u64 *first, u64 *last, u64 *granule,
                       struct vfio_range *holes, unsigned int max)
{
	struct iommu_iova_range allowed[VFIO_MAX_RANGES];
	struct iommu_ioas_iova_ranges arg = { .ioas_id = c->ioas,
		                              .num_iovas = VFIO_MAX_RANGES,
		                              .allowed_iovas = (uintptr_t)allowed };
	int err = c->uapi.ops->ioas_iova_ranges(&c->uapi, &arg);
	unsigned int nr = 0;

	if (err || !arg.num_iovas)
		return err;
	if (arg.out_iova_alignment > *granule)
		*granule = arg.out_iova_alignment;
	if (allowed[0].start > *first)
		*first = allowed[0].start;
	if (allowed[arg.num_iovas - 1].last < *last)
		*last = allowed[arg.num_iovas - 1].last;
	for (u32 i = 1; i < arg.num_iovas; i++) {
		const struct vfio_range hole = { allowed[i - 1].last + 1, allowed[i].start - 1 };

		if (hole.first > *last || hole.last < *first)
			continue;
		if (nr < max)
			holes[nr] = hole;
		nr++;
	}
	return nr;
}

void vfio_context_close(struct vfio_context *c)
{
	assert(!c->nr_devices);
	while (c->nr_tables)
		destroy(&c->uapi, c->tables[--c->nr_tables]);
	destroy(&c->uapi, c->ioas);
	c->uapi.ops->close(&c->uapi, c->uapi.iommufd);
	c->uapi.iommufd = -1;
}

int vfio_device_open(struct vfio_device *d, struct vfio_context *c, const char *name)
{
	char path[64];

	*d = (struct vfio_device){ .context = c, .fd = -1 };
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	d->fd = c->uapi.ops->open(&c->uapi, path);
	return d->fd < 0 ? d->fd : 0;
}

int vfio_device_bind(struct vfio_device *d)
{
	struct uapi *u = &d->context->uapi;
	struct vfio_device_bind_iommufd arg = {
		.flags = d->token ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0,
		.iommufd = u->iommufd,
		.token_uuid_ptr = (uintptr_t)d->token,
	};
	int err = u->ops->bind(u, d->fd, &arg);

	if (err)
		return err;
	d->id = arg.out_devid;
	d->context->nr_devices++;
	return 0;
}

static int set_option(struct uapi *u, u32 option, u32 object, u64 val)
{
	struct iommu_option arg = {
		.option_id = option,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = object,
		.val64 = val,
	};

	return u->ops->option(u, &arg);
}

/* The size is in MiB. An option of the device in the newer proposal, of the context before. */
int vfio_device_move_doorbells(struct vfio_device *d, u64 base, u64 size)
{
	struct uapi *u = &d->context->uapi;
	u32 object = d->id;
	int err;

	if ((base | size) & (MIB - 1))
		return -EINVAL;
	err = set_option(u, VFIO_OPTION_SW_MSI_START, object, base);
	if (err) {
		object = 0;
		err = set_option(u, VFIO_OPTION_SW_MSI_START, object, base);
	}
	return err ? err : set_option(u, VFIO_OPTION_SW_MSI_SIZE, object, size / MIB);
}

int vfio_device_attach(struct vfio_device *d, u32 pt)
{
	struct uapi *u = &d->context->uapi;
	struct vfio_device_attach_iommufd_pt arg = { .pt_id = pt };
	int err = u->ops->attach(u, d->fd, &arg);

	if (!err)
		d->hwpt = arg.pt_id;
	return err;
}

/* A page table is one IOMMU's: which of them fits, the kernel says (-EINVAL: not this one). */
int vfio_device_attach_all(struct vfio_device *d)
{
	struct vfio_context *c = d->context;
	struct iommu_hwpt_alloc arg = { .dev_id = d->id, .pt_id = c->ioas };
	int err = -EINVAL;

	for (unsigned int i = 0; i < c->nr_tables && err == -EINVAL; i++)
		err = vfio_device_attach(d, c->tables[i]);
	if (err != -EINVAL || c->nr_tables == VFIO_MAX_TABLES)
		return err;
	err = c->uapi.ops->hwpt_alloc(&c->uapi, &arg);
	if (err)
		return err;
	err = vfio_device_attach(d, arg.out_hwpt_id);
	if (err)
		destroy(&c->uapi, arg.out_hwpt_id);
	else
		c->tables[c->nr_tables++] = arg.out_hwpt_id;
	return err;
}

int vfio_device_detach(struct vfio_device *d)
{
	struct uapi *u = &d->context->uapi;
	struct vfio_device_detach_iommufd_pt arg = { 0 };
	int err = u->ops->detach(u, d->fd, &arg);

	if (!err)
		d->hwpt = 0;
	return err;
}

bool vfio_device_has_feature(const struct vfio_device *d, u32 index, u32 flags)
{
	struct uapi *u = &d->context->uapi;
	struct vfio_device_feature arg = { .flags = VFIO_DEVICE_FEATURE_PROBE | flags | index };

	return !u->ops->feature(u, d->fd, &arg);
}

int vfio_device_give(struct vfio_device *d)
{
	const int fd = d->fd;

	if (d->hwpt)
		vfio_device_detach(d);
	if (d->id)
		d->context->nr_devices--;
	*d = (struct vfio_device){ .context = d->context, .fd = -1 };
	return fd;
}

void vfio_device_close(struct vfio_device *d)
{
	struct uapi *u = &d->context->uapi;
	const int fd = vfio_device_give(d);

	if (fd >= 0)
		u->ops->close(u, fd);
}
