// SPDX-License-Identifier: GPL-2.0-only
/* What the host's IOMMUs take away from a virtio-iommu with devices of the host's behind it. */
#include <errno.h>
#include <string.h>

#include "devices/virtio/iommu.h"
#include "machine/iommu_host.h"
#include "machine/machine.h"
#include "tests/unit/fake_follower.h"
#include "tests/unit/room.h"

#define ALL 0xffffffffffffULL /* of 48 bits */

static struct machine *m;
static struct options *o;
static struct viommu_config c;

static void make(void)
{
	m = (void *)room_of(sizeof(*m));
	o = (void *)room_of(sizeof(*o));
	m->options = o;
	o->nr_iommus = 2;
	o->iommus[0].id = "v";
	o->iommus[1].id = "w";
	o->nr_vfio = 2;
	o->vfio[0].place.iommu = "w";
	o->vfio[1].place.iommu = "v";
	m->vfio[0].msi = (struct vfio_range){ 0x9000000, 0x90fffff };
	m->vfio[1].msi = (struct vfio_range){ 0x8000000, 0x80fffff };
	c = fake_viommu_config();
	fake_iommufd.reserved[0] = (struct fake_reserved){ 0x8000000, 0x80fffff };
	fake_iommufd.reserved[1] = (struct fake_reserved){ 0x40000000, 0x4fffffff };
	fake_followers_make(NULL);
	cr_assert(zero(int, vfio_device_attach_all(&fake_f.of[0].dev)));
	m->vfio_context = fake_f.context;
}

static void unmake(void)
{
	fake_f.context.uapi.calls = m->vfio_context.uapi.calls;
	fake_followers_unmake();
}

TestSuite(iommu_host, .init = make, .fini = unmake);

static int narrow(void)
{
	return iommu_host_narrow(m, 0, &c);
}

static void expect_reserved(unsigned int i, u64 first, u64 last)
{
	cr_assert(lt(u32, i, c.nr_reserved));
	cr_assert(eq(u64, c.reserved[i].first, first), "range %u", i);
	cr_assert(eq(u64, c.reserved[i].last, last), "range %u", i);
}

Test(iommu_host, one_with_none_behind_it_is_as_it_was_asked_for)
{
	const struct viommu_config before = c;

	o->nr_vfio = 1; /* behind the other */
	cr_assert(zero(int, narrow()));
	cr_assert(zero(int, memcmp(&c, &before, sizeof(c))));
	o->vfio[0].place.iommu = NULL;
	cr_assert(zero(int, narrow()));
	cr_assert(zero(int, memcmp(&c, &before, sizeof(c))));
}

Test(iommu_host, the_granule_is_the_hosts_where_that_is_larger)
{
	const u64 mask = c.page_size_mask;

	cr_assert(zero(int, narrow()));
	cr_assert(eq(u64, c.page_size_mask, mask));
	fake_iommufd.alignment = 0x10000;
	cr_assert(zero(int, narrow()));
	cr_assert(eq(u64, c.page_size_mask, mask & ~0xffffULL));
}

Test(iommu_host, the_input_range_is_the_hosts_where_that_is_narrower)
{
	cr_assert(zero(int, narrow()));
	cr_assert(zero(u64, c.input.first));
	cr_assert(eq(u64, c.input.last, ALL));
	c = fake_viommu_config();
	c.input = (struct viommu_range){ 0x1000, 0xffffffff };
	cr_assert(zero(int, narrow()));
	cr_assert(eq(u64, c.input.first, 0x1000));
	cr_assert(eq(u64, c.input.last, 0xffffffff));
}

Test(iommu_host, a_range_that_has_none_of_the_hosts_addresses_is_refused)
{
	c.input = (struct viommu_range){ ALL + 1, ~0ULL };
	cr_assert(eq(int, narrow(), -ERANGE));
}

Test(iommu_host, where_messages_are_translated_the_hosts_window_is_one)
{
	cr_assert(zero(int, narrow()));
	cr_assert(c.host_window);
	cr_assert(eq(u64, c.host_msi.first, 0x8000000));
	cr_assert(eq(u64, c.host_msi.last, 0x80fffff));
	cr_assert(eq(u32, c.nr_reserved, 1));
	expect_reserved(0, 0x40000000, 0x4fffffff);
}

Test(iommu_host, the_window_of_another_iommus_device_is_none)
{
	m->vfio[1].msi = (struct vfio_range){ 1, 0 };
	cr_assert(zero(int, narrow()));
	cr_assert(not(c.host_window));
	cr_assert(eq(u32, c.nr_reserved, 2));
}

/* 5.13.6.8.1.2: no two properties overlap. */
Test(iommu_host, where_they_are_not_the_window_is_reserved_around_the_doorbell)
{
	c.msi_window = true;
	c.msi = (struct viommu_range){ 0x8000000, 0x8000fff };
	cr_assert(zero(int, narrow()));
	cr_assert(not(c.host_window));
	expect_reserved(0, 0x8001000, 0x80fffff);
	expect_reserved(1, 0x40000000, 0x4fffffff);
	cr_assert(eq(u32, c.nr_reserved, 2));
}

Test(iommu_host, what_is_reserved_already_is_not_said_twice)
{
	c.host_window = true;
	c.host_msi = (struct viommu_range){ 0x8000000, 0x80fffff };
	c.nr_reserved = 2;
	c.reserved[0] = (struct viommu_range){ 0x48000000, 0x48000fff };
	c.reserved[1] = (struct viommu_range){ 0x3ffff000, 0x40000fff };
	cr_assert(zero(int, narrow()));
	cr_assert(eq(u32, c.nr_reserved, 4));
	expect_reserved(2, 0x40001000, 0x47ffffff);
	expect_reserved(3, 0x48001000, 0x4fffffff);
}

Test(iommu_host, a_hole_outside_the_input_range_is_nobodys)
{
	c.input = (struct viommu_range){ 0x100000000, 0x1ffffffff };
	cr_assert(zero(int, narrow()));
	cr_assert(zero(u32, c.nr_reserved));
	cr_assert(not(c.host_window));
}

Test(iommu_host, more_than_can_be_told_is_refused)
{
	c.nr_reserved = VIOMMU_MAX_RESERVED;
	for (unsigned int i = 0; i < VIOMMU_MAX_RESERVED; i++)
		c.reserved[i] = (struct viommu_range){ 0x40000000 + i * 0x2000ULL,
			                               0x40000fff + i * 0x2000ULL };
	cr_assert(eq(int, narrow(), -E2BIG));
}

Test(iommu_host, a_host_that_does_not_say_is_an_error)
{
	m->vfio_context.uapi.fail_at = m->vfio_context.uapi.calls + 1;
	cr_assert(eq(int, narrow(), -EIO));
}

Test(iommu_host, holes_are_counted_and_as_many_written_as_there_is_room_for)
{
	struct vfio_range holes[2] = { { 1, 1 }, { 1, 1 } };
	u64 first = 0, last = ~0ULL, granule = 1;

	cr_assert(eq(int, vfio_context_holes(&m->vfio_context, &first, &last, &granule, holes, 1),
	             2));
	cr_assert(eq(u64, holes[0].first, 0x8000000));
	cr_assert(eq(u64, holes[0].last, 0x80fffff));
	cr_assert(eq(u64, holes[1].first, 1));
	first = 0x8100000; /* a range that touches it does not have it */
	last = 0x3fffffff;
	cr_assert(
		zero(int, vfio_context_holes(&m->vfio_context, &first, &last, &granule, holes, 2)));
}
