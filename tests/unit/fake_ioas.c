// SPDX-License-Identifier: GPL-2.0-only
/* What is mapped in each address space of a fake iommufd, and what that refuses
 * (drivers/iommu/iommufd/io_pagetable.c). */
#include <errno.h>
#include <linux/iommufd.h>
#include <string.h>

#include "tests/unit/fake_iommufd.h"
#include "vfio/context.h"
#include "tests/unit/room.h"

#define NR_SPACES 64

static struct fake_ioas *spaces;

struct fake_ioas *fake_ioas(u32 id)
{
	if (!spaces)
		spaces = (struct fake_ioas *)room_of(NR_SPACES * sizeof(*spaces));
	return &spaces[id % NR_SPACES];
}

/* The first that reaches into [@first, @last]. */
static struct fake_area *overlapping(u32 ioas, u64 first, u64 last)
{
	struct fake_ioas *s = fake_ioas(ioas);

	for (unsigned int i = 0; i < s->nr; i++)
		if (s->areas[i].first <= last && first <= s->areas[i].last)
			return &s->areas[i];
	return NULL;
}

const struct fake_area *fake_area_at(u32 ioas, u64 iova)
{
	return overlapping(ioas, iova, iova);
}

static const struct fake_reserved *reserved_in(u64 first, u64 last)
{
	for (size_t i = 0; i < ARRAY_SIZE(fake_iommufd.reserved); i++) {
		const struct fake_reserved *r = &fake_iommufd.reserved[i];

		if (r->last && r->first <= last && first <= r->last)
			return r;
	}
	return NULL;
}

bool fake_areas_are_reserved(u32 ioas)
{
	const struct fake_ioas *s = fake_ioas(ioas);

	for (unsigned int i = 0; i < s->nr; i++)
		if (reserved_in(s->areas[i].first, s->areas[i].last))
			return true;
	return false;
}

int fake_areas_add(u32 ioas, const struct fake_area *a, bool attached)
{
	struct fake_ioas *s = fake_ioas(ioas);

	if (a->last < a->first)
		return -EOVERFLOW;
	if ((a->first | (a->last + 1) | a->from) & 0xfff || !(a->flags & 6))
		return -EINVAL;
	if (attached && reserved_in(a->first, a->last))
		return -EINVAL;
	if (overlapping(ioas, a->first, a->last))
		return -EEXIST;
	if (s->nr == FAKE_MAX_AREAS)
		return -ENOMEM;
	s->areas[s->nr++] = *a;
	return 0;
}

/* All of the source is mapped, and may be written if the copy is to be. */
static bool has_source(const struct iommu_ioas_copy *arg)
{
	u64 at = arg->src_iova;
	const u64 last = at + arg->length - 1;
	const struct fake_area *a;

	while ((a = fake_area_at(arg->src_ioas_id, at)) && a->last < last)
		at = a->last + 1;
	return a;
}

int fake_areas_copy(const struct iommu_ioas_copy *arg, bool attached)
{
	const struct fake_area copy = { arg->dst_iova, arg->dst_iova + arg->length - 1,
		                        arg->src_iova, arg->flags & ~IOMMU_IOAS_MAP_FIXED_IOVA };

	if (!arg->length || !(arg->flags & IOMMU_IOAS_MAP_FIXED_IOVA))
		return -EINVAL;
	return has_source(arg) ? fake_areas_add(arg->dst_ioas_id, &copy, attached) : -ENOENT;
}

/* One that would be split ends it: those before have gone by then. */
int fake_areas_remove(const struct iommu_ioas_unmap *arg)
{
	const bool all = !arg->iova && arg->length == ~0ULL;
	const u64 last = all ? ~0ULL : arg->iova + arg->length - 1;
	struct fake_ioas *s = fake_ioas(arg->ioas_id);
	bool some = all;
	struct fake_area *a;

	if (!arg->length || last < arg->iova)
		return -EOVERFLOW;
	while ((a = overlapping(arg->ioas_id, arg->iova, last))) {
		if (a->first < arg->iova || a->last > last) {
			fake_iommufd.refused++; /* nobody should ask */
			return -ENOENT;
		}
		*a = s->areas[--s->nr];
		some = true;
	}
	return some ? 0 : -ENOENT;
}

/* All of 48 bits but for what is reserved, which is in order. */
int fake_areas_allowed(struct iommu_ioas_iova_ranges *arg, bool attached)
{
	struct iommu_iova_range *to = (void *)(uintptr_t)arg->allowed_iovas;
	const u32 room = arg->num_iovas;
	u64 at = 0;

	arg->num_iovas = 0;
	for (size_t i = 0; i <= ARRAY_SIZE(fake_iommufd.reserved); i++) {
		const bool end = i == ARRAY_SIZE(fake_iommufd.reserved) || !attached ||
		                 !fake_iommufd.reserved[i].last;
		const u64 next = end ? BIT(48) : fake_iommufd.reserved[i].first;

		if (at < next && arg->num_iovas < room)
			to[arg->num_iovas] = (struct iommu_iova_range){ at, next - 1 };
		arg->num_iovas += at < next;
		if (end)
			break;
		at = fake_iommufd.reserved[i].last + 1;
	}
	return arg->num_iovas > room ? -EMSGSIZE : 0;
}

/* IOMMU_OPTION_SW_MSI_START and _SIZE, as they were proposed. */
int fake_option(struct uapi *u, struct iommu_option *arg)
{
	struct fake_reserved *r = &fake_iommufd.reserved[0];
	const bool is_size = arg->option_id == VFIO_OPTION_SW_MSI_SIZE;

	CALL();
	if (!fake_iommufd.msi || (!is_size && arg->option_id != VFIO_OPTION_SW_MSI_START) ||
	    arg->op != IOMMU_OPTION_OP_SET)
		return -EOPNOTSUPP;
	if (fake_iommufd.msi == FAKE_MSI_OF_CONTEXT && arg->object_id)
		return -EOPNOTSUPP;
	if (fake_iommufd.msi == FAKE_MSI_OF_DEVICE && !fake_is_device(arg->object_id))
		return -ENOENT;
	if (arg->object_id && fake_is_attached(arg->object_id))
		return -EBUSY;
	r->last = is_size ? r->first + (arg->val64 << 20) - 1 : r->last;
	r->first = is_size ? r->first : arg->val64;
	return 0;
}
