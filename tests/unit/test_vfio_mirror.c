// SPDX-License-Identifier: GPL-2.0-only
/* What the host's IOMMU has of a virtio-iommu's domains, for the devices of the host's in them. */
#include <errno.h>
#include <linux/iommufd.h>
#include <string.h>

#include "devices/virtio/transport.h"
#include "tests/unit/fake_follower.h"
#include "tests/unit/fake_guest_table.h"

#define V    (&fake_f.viommu)
#define U    (&fake_f.context.uapi)
#define RW   (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)
#define PAGE 0x1000ULL
#define RAM  VIOMMU_BASE
#define END  (VIOMMU_BASE + VIOMMU_RAM)
#define OK   VIRTIO_IOMMU_S_OK

static void make(void)
{
	fake_followers_make(NULL);
	cr_assert(zero(int, fake_follow(0)));
}

static void make_bypass(void)
{
	struct viommu_config c = fake_viommu_config();

	c.bypass = true;
	fake_followers_make(&c);
}

TestSuite(vfio_mirror, .init = make, .fini = fake_followers_unmake);
TestSuite(vfio_mirror_bypass, .init = make_bypass, .fini = fake_followers_unmake);

static void attach(unsigned int i, u32 domain)
{
	cr_assert(eq(int, fake_viommu_attach(V, domain, 0x10 + i, 0), OK));
}

static void map(u32 domain, u64 first, u64 len, gpa_t gpa, u32 flags)
{
	cr_assert(eq(int, fake_viommu_map(V, domain, first, first + len - 1, gpa, flags), OK));
}

static void unmap(u32 domain, u64 first, u64 len)
{
	cr_assert(eq(int, fake_viommu_unmap(V, domain, first, first + len - 1), OK));
}

/* What function @i reaches at @iova; 0: nothing. */
static u64 reached(unsigned int i, u64 iova)
{
	const u32 ioas = fake_ioas_of(i);
	const struct fake_area *a = ioas ? fake_area_at(ioas, iova) : NULL;

	return a ? a->from + (iova - a->first) : 0;
}

static unsigned int nr_areas(unsigned int i)
{
	return fake_ioas(fake_ioas_of(i))->nr;
}

Test(vfio_mirror, a_device_that_is_attached_to_nothing_reaches_nothing)
{
	cr_assert(zero(u32, fake_ioas_of(0)));
	attach(0, 1);
	cr_assert(ne(u32, fake_ioas_of(0), 0));
	cr_assert(ne(u32, fake_ioas_of(0), fake_f.context.ioas));
	cr_assert(zero(u32, nr_areas(0)));
}

Test(vfio_mirror, what_was_mapped_before_it_came_is_there)
{
	attach(1, 1);
	map(1, 0x10000, PAGE, RAM, RW);
	map(1, 0x11000, 2 * PAGE, RAM + 8 * PAGE, RW);
	map(1, -PAGE, PAGE, RAM + PAGE, RW);
	attach(0, 1);
	cr_assert(eq(u32, nr_areas(0), 3));
	cr_assert(eq(u64, reached(0, 0x10000), RAM));
	cr_assert(eq(u64, reached(0, 0x12000), RAM + 9 * PAGE));
	cr_assert(eq(u64, reached(0, ~0ULL), RAM + 2 * PAGE - 1));
	cr_assert(zero(u64, reached(0, 0x13000)));
}

Test(vfio_mirror, what_comes_and_goes_later_does_there_too)
{
	attach(0, 1);
	map(1, 0x10000, PAGE, RAM, RW);
	map(1, 0x20000, PAGE, RAM + PAGE, RW);
	cr_assert(eq(u64, reached(0, 0x10000), RAM));
	unmap(1, 0x10000, PAGE);
	cr_assert(zero(u64, reached(0, 0x10000)));
	cr_assert(eq(u64, reached(0, 0x20000), RAM + PAGE));
}

Test(vfio_mirror, permissions_are_the_mappings)
{
	static const u32 given[] = { VIRTIO_IOMMU_MAP_F_READ, VIRTIO_IOMMU_MAP_F_WRITE, RW };
	static const u32 have[] = { IOMMU_IOAS_MAP_READABLE, IOMMU_IOAS_MAP_WRITEABLE,
		                    IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE };

	attach(0, 1);
	for (unsigned int i = 0; i < 3; i++) {
		map(1, i * PAGE, PAGE, RAM, given[i]);
		cr_assert(eq(u32, fake_area_at(fake_ioas_of(0), i * PAGE)->flags, have[i]));
	}
	map(1, 3 * PAGE, PAGE, RAM, 0);
	cr_assert(eq(u32, nr_areas(0), 3), "what nobody may is not there");
	unmap(1, 3 * PAGE, PAGE);
}

Test(vfio_mirror, one_unmap_takes_several)
{
	attach(0, 1);
	for (unsigned int i = 0; i < 4; i++)
		map(1, i * 2 * PAGE, PAGE, RAM + i * PAGE, RW);
	unmap(1, PAGE, 5 * PAGE);
	cr_assert(eq(u32, nr_areas(0), 2));
	cr_assert(eq(u64, reached(0, 0), RAM));
	cr_assert(eq(u64, reached(0, 6 * PAGE), RAM + 3 * PAGE));
}

Test(vfio_mirror, all_can_be_unmapped_at_once)
{
	attach(0, 1);
	map(1, 0, PAGE, RAM, RW);
	map(1, -PAGE, PAGE, RAM, RW);
	cr_assert(eq(int, fake_viommu_unmap(V, 1, 0, ~0ULL), OK));
	cr_assert(zero(u32, nr_areas(0)));
	cr_assert(eq(int, fake_viommu_unmap(V, 1, 0, ~0ULL), OK), "and nothing at all");
}

Test(vfio_mirror, an_unmap_that_would_split_one_changes_nothing)
{
	attach(0, 1);
	map(1, 0, 2 * PAGE, RAM, RW);
	cr_assert(eq(int, fake_viommu_unmap(V, 1, 0, PAGE - 1), VIRTIO_IOMMU_S_RANGE));
	cr_assert(eq(u64, reached(0, PAGE), RAM + PAGE));
}

/* A doorbell, a BAR: no device of the host's can reach them. */
Test(vfio_mirror, of_a_mapping_only_what_is_ram_is_there)
{
	attach(0, 1);
	map(1, 0x100000, PAGE, 0x8000000, VIRTIO_IOMMU_MAP_F_WRITE | VIRTIO_IOMMU_MAP_F_MMIO);
	map(1, 0x200000, PAGE, END, RW);
	map(1, 0x300000, PAGE, RAM - PAGE, RW);
	cr_assert(zero(u32, nr_areas(0)));
	map(1, 0x400000, 4 * PAGE, RAM - 2 * PAGE, RW);
	cr_assert(zero(u64, reached(0, 0x401fff)));
	cr_assert(eq(u64, reached(0, 0x402000), RAM));
	map(1, 0x500000, 4 * PAGE, END - PAGE, RW);
	cr_assert(eq(u64, reached(0, 0x500fff), END - 1));
	cr_assert(zero(u64, reached(0, 0x501000)));
	map(1, 0x1000000, 0x100000000, 0, RW); /* around all of it */
	cr_assert(eq(u64, reached(0, 0x1000000 + RAM), RAM));
	cr_assert(eq(u64, reached(0, 0x1000000 + END - 1), END - 1));
	cr_assert(eq(u32, nr_areas(0), 3));
	for (u64 at = 0x100000; at <= 0x500000; at += 0x100000)
		unmap(1, at, 4 * PAGE);
	unmap(1, 0x1000000, 0x100000000);
	cr_assert(zero(u32, nr_areas(0)));
}

Test(vfio_mirror, devices_of_a_domain_share_it)
{
	cr_assert(zero(int, fake_follow(1)));
	attach(0, 1);
	map(1, 0, PAGE, RAM, RW);
	attach(1, 1);
	cr_assert(eq(u32, fake_ioas_of(0), fake_ioas_of(1)));
	cr_assert(eq(u32, fake_f.of[0].dev.hwpt, fake_f.of[1].dev.hwpt));
	cr_assert(eq(int, fake_viommu_detach(V, 1, 0x10), OK));
	cr_assert(zero(u64, reached(0, 0)));
	cr_assert(eq(u64, reached(1, 0), RAM), "the other stays");
	unmap(1, 0, PAGE);
	cr_assert(zero(u64, reached(1, 0)));
}

Test(vfio_mirror, behind_another_iommu_it_has_a_table_of_its_own)
{
	fake_iommufd.iommu_of[1] = 7;
	vfio_device_close(&fake_f.of[1].dev);
	cr_assert(zero(int, vfio_device_open(&fake_f.of[1].dev, &fake_f.context, "vfio1")));
	cr_assert(zero(int, vfio_device_bind(&fake_f.of[1].dev)));
	cr_assert(zero(int, fake_follow(1)));
	attach(0, 1);
	attach(1, 1);
	cr_assert(eq(u32, fake_ioas_of(0), fake_ioas_of(1)));
	cr_assert(ne(u32, fake_f.of[0].dev.hwpt, fake_f.of[1].dev.hwpt));
}

Test(vfio_mirror, domains_have_one_each)
{
	cr_assert(zero(int, fake_follow(1)));
	attach(0, 1);
	attach(1, 2);
	map(1, 0, PAGE, RAM, RW);
	map(2, 0, PAGE, RAM + PAGE, RW);
	cr_assert(eq(u64, reached(0, 0), RAM));
	cr_assert(eq(u64, reached(1, 0), RAM + PAGE));
	attach(1, 1);
	cr_assert(eq(u64, reached(1, 0), RAM), "from one to the other");
}

Test(vfio_mirror, a_domain_of_emulated_devices_has_none)
{
	unsigned int before = fake_iommufd.live;

	attach(1, 1);
	map(1, 0, PAGE, RAM, RW);
	cr_assert(eq(u32, fake_iommufd.live, before));
}

Test(vfio_mirror, it_goes_with_its_domain)
{
	unsigned int before = fake_iommufd.live;

	attach(0, 1);
	map(1, 0, PAGE, RAM, RW);
	cr_assert(eq(u32, fake_iommufd.live, before + 2), "an IOAS and a table");
	cr_assert(eq(int, fake_viommu_detach(V, 1, 0x10), OK));
	cr_assert(eq(u32, fake_iommufd.live, before));
	cr_assert(zero(u32, fake_ioas_of(0)));
}

Test(vfio_mirror, it_stays_while_an_emulated_device_is_there)
{
	attach(0, 1);
	attach(1, 1);
	cr_assert(eq(int, fake_viommu_detach(V, 1, 0x10), OK));
	map(1, 0, PAGE, RAM, RW);
	attach(0, 1);
	cr_assert(eq(u64, reached(0, 0), RAM));
	cr_assert(eq(u64, fake_viommu_reach(V, 1, 0, DMA_READ), RAM));
}

Test(vfio_mirror, a_device_may_come_behind_an_endpoint_that_is_attached)
{
	attach(1, 1);
	map(1, 0, PAGE, RAM, RW);
	cr_assert(zero(int, fake_follow(1)));
	cr_assert(eq(u64, reached(1, 0), RAM));
}

Test(vfio_mirror, a_reset_of_the_iommu_takes_all_away)
{
	unsigned int before = fake_iommufd.live;

	attach(0, 1);
	map(1, 0, PAGE, RAM, RW);
	fake_viommu_reset(V, 0);
	cr_assert(zero(u32, fake_ioas_of(0)));
	cr_assert(eq(u32, fake_iommufd.live, before));
}

/* 5.13.6.5: what the host has no room for, or no such address. */
Test(vfio_mirror, a_mapping_that_the_host_refuses_is_not_there)
{
	static const struct {
		int err;
		u8 status;
	} cases[] = {
		{ -ENOMEM, VIRTIO_IOMMU_S_NOMEM },
		{ -EINVAL, VIRTIO_IOMMU_S_INVAL },
		{ -EEXIST, VIRTIO_IOMMU_S_INVAL },
		{ -EIO, VIRTIO_IOMMU_S_DEVERR },
	};

	attach(0, 1);
	attach(1, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		U->fail_err = cases[i].err;
		U->fail_at = U->calls + 1;
		cr_assert(eq(int, fake_viommu_map(V, 1, 0, PAGE - 1, RAM, RW), cases[i].status));
		cr_assert(zero(u64, fake_viommu_reach(V, 1, 0, DMA_READ)));
		cr_assert(zero(u64, fake_viommu_counts(V).mappings));
	}
	map(1, 0, PAGE, RAM, RW);
	cr_assert(eq(u64, reached(0, 0), RAM));
}

Test(vfio_mirror, where_the_host_has_doorbells_nothing_is_mapped)
{
	fake_iommufd.reserved[0] = (struct fake_reserved){ 0x8000000, 0x80fffff };
	attach(0, 1);
	cr_assert(eq(int, fake_viommu_map(V, 1, 0x8000000, 0x8000fff, RAM, RW),
	             VIRTIO_IOMMU_S_INVAL));
	cr_assert(zero(u64, fake_viommu_counts(V).mappings));
	map(1, 0x8000000, PAGE, 0x8000000, VIRTIO_IOMMU_MAP_F_WRITE | VIRTIO_IOMMU_MAP_F_MMIO);
}

Test(vfio_mirror, a_domain_that_maps_there_takes_no_device)
{
	fake_iommufd.reserved[0] = (struct fake_reserved){ 0x8000000, 0x80fffff };
	attach(1, 1);
	map(1, 0x8000000, PAGE, RAM, RW);
	attach(0, 2);
	map(2, 0, PAGE, RAM, RW);
	cr_assert(eq(int, fake_viommu_attach(V, 1, 0x10, 0), VIRTIO_IOMMU_S_INVAL));
	cr_assert(eq(u64, reached(0, 0), RAM), "it is where it was");
	unmap(1, 0x8000000, PAGE);
	attach(0, 1);
	cr_assert(zero(u64, reached(0, 0)));
}

Test(vfio_mirror, an_attach_that_fails_makes_no_domain)
{
	unsigned int before = fake_iommufd.live;

	/* the IOAS; its attachment */
	for (unsigned int n = 1; n <= 2; n++) {
		U->fail_at = U->calls + n;
		cr_assert(eq(int, fake_viommu_attach(V, 1, 0x10, 0), VIRTIO_IOMMU_S_DEVERR));
		cr_assert(zero(u64, fake_viommu_counts(V).domains));
		cr_assert(eq(u32, fake_iommufd.live, before));
		cr_assert(zero(u32, fake_ioas_of(0)));
	}
}

Test(vfio_mirror, one_that_fails_half_way_leaves_the_domain_as_it_was)
{
	unsigned int before = fake_iommufd.live;

	attach(1, 1);
	for (unsigned int i = 0; i < 3; i++)
		map(1, i * PAGE, PAGE, RAM + i * PAGE, RW);
	for (unsigned int n = 1; n <= 5; n++) { /* the IOAS, three copies, its attachment */
		U->fail_at = U->calls + n;
		cr_assert(eq(int, fake_viommu_attach(V, 1, 0x10, 0), VIRTIO_IOMMU_S_DEVERR));
		cr_assert(eq(u32, fake_iommufd.live, before), "call %u", n);
	}
	cr_assert(eq(u64, fake_viommu_reach(V, 1, 2 * PAGE, DMA_READ), RAM + 2 * PAGE));
	attach(0, 1);
	cr_assert(eq(u32, nr_areas(0), 3));
}

Test(vfio_mirror, nobody_keeps_a_mirror_that_no_device_could_be_attached_to)
{
	unsigned int calls;

	fake_iommufd.reserved[0] = (struct fake_reserved){ 0x8000000, 0x80fffff };
	attach(1, 1);
	map(1, 0x8000000, PAGE, RAM, RW);
	cr_assert(eq(int, fake_viommu_attach(V, 1, 0x10, 0), VIRTIO_IOMMU_S_INVAL));
	calls = U->calls;
	map(1, 0, PAGE, RAM, RW);
	unmap(1, 0, PAGE);
	unmap(1, 0x8000000, PAGE);
	cr_assert(eq(u32, U->calls, calls), "no call for them");
	map(1, PAGE, PAGE, RAM, RW);
	attach(0, 1);
	cr_assert(eq(u64, reached(0, PAGE), RAM));
}

static void make_table(void)
{
	struct viommu_config c = fake_viommu_config();

	c.attach_table = true;
	fake_followers_make(&c);
	cr_assert(zero(int, fake_follow(0)));
}

TestSuite(vfio_mirror_table, .init = make_table, .fini = fake_followers_unmake);

Test(vfio_mirror_table, a_table_of_the_drivers_takes_no_device)
{
	struct guest_attach a = GUEST_ATTACH;

	attach(0, 2);
	map(2, 0, PAGE, RAM, RW);
	cr_assert(eq(int, guest_attach(V, a), VIRTIO_IOMMU_S_UNSUPP));
	cr_assert(eq(u64, reached(0, 0), RAM), "it is where it was");
	cr_assert(eq(u64, fake_viommu_counts(V).domains, 1));
	a.endpoint = 0x11;
	cr_assert(eq(int, guest_attach(V, a), OK), "it is emulated");
	a.endpoint = 0x10;
	cr_assert(eq(int, guest_attach(V, a), VIRTIO_IOMMU_S_UNSUPP), "nor one that there is");
}

Test(vfio_mirror_table, nor_has_it_processes)
{
	struct guest_attach a = GUEST_ATTACH;

	a.flags = ATTACH_PASID;
	a.pasid = 3;
	cr_assert(eq(int, guest_attach(V, a), VIRTIO_IOMMU_S_UNSUPP));
	a.endpoint = 0x11;
	cr_assert(eq(int, guest_attach(V, a), OK));
}

Test(vfio_mirror, a_detach_that_fails_is_none)
{
	attach(0, 1);
	map(1, 0, PAGE, RAM, RW);
	U->fail_at = U->calls + 1;
	cr_assert(eq(int, fake_viommu_detach(V, 1, 0x10), VIRTIO_IOMMU_S_DEVERR));
	cr_assert(eq(u64, reached(0, 0), RAM));
	cr_assert(eq(u64, fake_viommu_reach(V, 0, 0, DMA_READ), RAM));
	cr_assert(eq(int, fake_viommu_detach(V, 1, 0x10), OK));
}

Test(vfio_mirror, a_device_that_cannot_follow_does_not)
{
	attach(1, 1);
	U->fail_at = U->calls + 1;
	cr_assert(eq(int, fake_follow(1), -EIO));
	cr_assert(eq(int, fake_viommu_detach(V, 1, 0x11), OK));
	cr_assert(zero(u32, fake_ioas_of(1)));
}

Test(vfio_mirror_bypass, unattached_it_reaches_all_of_ram)
{
	cr_assert(zero(int, fake_follow(0)));
	cr_assert(eq(u32, fake_ioas_of(0), fake_f.context.ioas));
	cr_assert(eq(u64, reached(0, RAM + 5), RAM + 5));
	attach(0, 1);
	cr_assert(zero(u64, reached(0, RAM)));
	cr_assert(eq(int, fake_viommu_detach(V, 1, 0x10), OK));
	cr_assert(eq(u64, reached(0, END - 1), END - 1));
}

Test(vfio_mirror_bypass, a_domain_of_bypass_is_that_too)
{
	cr_assert(zero(int, fake_follow(0)));
	attach(0, 1);
	cr_assert(eq(int, fake_viommu_attach(V, 2, 0x10, VIRTIO_IOMMU_ATTACH_F_BYPASS), OK));
	cr_assert(eq(u32, fake_ioas_of(0), fake_f.context.ioas));
}

Test(vfio_mirror_bypass, one_table_serves_all_devices_of_an_iommu)
{
	cr_assert(zero(int, fake_follow(0)));
	cr_assert(zero(int, fake_follow(1)));
	cr_assert(eq(u32, fake_f.of[0].dev.hwpt, fake_f.of[1].dev.hwpt));
	cr_assert(eq(u32, fake_f.context.nr_tables, 1));
	for (unsigned int n = 0; n < 3; n++) {
		attach(0, 1);
		cr_assert(eq(int, fake_viommu_detach(V, 1, 0x10), OK));
	}
	cr_assert(eq(u32, fake_f.context.nr_tables, 1), "it stays, and is used again");
}

static void write_bypass(u8 val)
{
	virtio_config_write(V->dev, offsetof(struct virtio_iommu_config, bypass), 1, val);
}

Test(vfio_mirror_bypass, the_driver_may_switch_it_off_and_on)
{
	cr_assert(zero(int, fake_follow(0)));
	cr_assert(zero(int, fake_follow(1)));
	attach(1, 1);
	write_bypass(0);
	cr_assert(zero(u32, fake_ioas_of(0)));
	cr_assert(ne(u32, fake_ioas_of(1), 0), "who is attached is not asked");
	write_bypass(1);
	cr_assert(eq(u32, fake_ioas_of(0), fake_f.context.ioas));
}

Test(vfio_mirror_bypass, where_it_cannot_be_had_the_device_reaches_nothing)
{
	cr_assert(zero(int, fake_follow(0)));
	attach(0, 1);
	map(1, 0, PAGE, RAM, RW);
	U->fail_at = U->calls + 1; /* the attachment to all of RAM */
	fake_viommu_reset(V, 0);
	cr_assert(zero(u32, fake_ioas_of(0)));
}

Test(vfio_mirror_bypass, a_table_that_is_not_attached_is_not_kept)
{
	for (unsigned int n = 1; n <= 2; n++) { /* it is made; it is attached */
		U->fail_at = U->calls + n;
		cr_assert(eq(int, fake_follow(0), -EIO));
		cr_assert(zero(u32, fake_f.context.nr_tables));
	}
	cr_assert(zero(int, fake_follow(0)));
}
