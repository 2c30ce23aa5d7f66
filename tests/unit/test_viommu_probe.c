// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU device's PROBE (virtio 1.3, 5.13.6.7, 5.13.6.8): properties, byte for byte. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/fake_viommu.h"

#define TAIL     4
#define PROPERTY 24 /* bytes of a RESV_MEM, its head included */
#define ROOM     (3 * PROPERTY)

static struct fake_viommu f;

static void make(void)
{
	struct viommu_config c = fake_viommu_config();

	c.msi_window = true;
	c.msi = (struct viommu_range){ 0x8020000, 0x8020fff };
	c.reserved[0] = (struct viommu_range){ 0x1122334455667000, 0x1122334455667fff };
	c.reserved[1] = (struct viommu_range){ 0, 0xfff };
	c.nr_reserved = 2;
	fake_viommu_make(&f, &c, 0);
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_probe, .init = make, .fini = unmake);

/* The used length; the answer is in slot 0. */
static int probe(u32 endpoint, u8 reserved, u32 room)
{
	struct virtio_iommu_req_probe rq = { .head.type = VIRTIO_IOMMU_T_PROBE,
		                             .endpoint = endpoint };

	memset(rq.reserved, reserved, sizeof(rq.reserved));
	fake_viommu_queue(&f, 0, &rq, sizeof(rq), room);
	fake_viommu_kick(&f);
	return fake_viommu_used(&f, 0);
}

/* RESV_MEM at the @nth place: type 1, length 20, subtype, three bytes of 0, start, end. */
static void expect_property(unsigned int nth, u8 subtype, u64 first, u64 last)
{
	const u8 *p = fake_viommu_answer(0) + nth * PROPERTY;
	const u8 head[] = { 1, 0, 20, 0, subtype, 0, 0, 0 };
	u64 start, end;

	cr_assert(zero(int, memcmp(p, head, sizeof(head))));
	memcpy(&start, p + 8, 8);
	memcpy(&end, p + 16, 8);
	cr_assert(eq(u64, start, first));
	cr_assert(eq(u64, end, last));
}

static bool all_are(const u8 *bytes, size_t len, u8 val)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != val)
			return false;
	return true;
}

static void expect_all(void)
{
	expect_property(0, VIRTIO_IOMMU_RESV_MEM_T_RESERVED, 0x1122334455667000,
	                0x1122334455667fff);
	expect_property(1, VIRTIO_IOMMU_RESV_MEM_T_RESERVED, 0, 0xfff);
	expect_property(2, VIRTIO_IOMMU_RESV_MEM_T_MSI, 0x8020000, 0x8020fff);
	cr_assert(all_are(fake_viommu_answer(0) + ROOM, TAIL, 0), "status OK and its reserved");
	cr_assert(all_are(fake_viommu_answer(0) + ROOM + TAIL, VIOMMU_SLOT_SIZE - ROOM - TAIL,
	                  VIOMMU_UNWRITTEN));
}

Test(viommu_probe, properties_follow_each_other_and_the_tail_them)
{
	for (u32 i = 0; i < VIOMMU_ENDPOINTS; i++) {
		cr_assert(eq(int, probe(f.ids[i], 0, ROOM + TAIL), ROOM + TAIL));
		expect_all();
	}
}

Test(viommu_probe, its_reserved_field_is_ignored)
{
	cr_assert(eq(int, probe(0x10, 0xff, ROOM + TAIL), ROOM + TAIL));
	expect_all();
}

Test(viommu_probe, the_answer_may_be_split_over_any_descriptors)
{
	for (u16 nr = 1; nr <= 8; nr++) {
		f.nr_pieces = nr;
		cr_assert(eq(int, probe(0x10, 0, ROOM + TAIL), ROOM + TAIL));
		expect_all();
	}
}

Test(viommu_probe, more_room_than_there_are_properties_leaves_the_tail_behind_them)
{
	cr_assert(eq(int, probe(0x10, 0, ROOM + TAIL + 50), ROOM + TAIL));
	expect_all();
}

Test(viommu_probe, of_an_endpoint_there_is_not_it_fails_with_nothing_but_zeroes)
{
	cr_assert(eq(int, probe(0x99, 0, ROOM + TAIL), ROOM + TAIL));
	cr_assert(all_are(fake_viommu_answer(0), ROOM, 0));
	cr_assert(eq(u8, fake_viommu_answer(0)[ROOM], VIRTIO_IOMMU_S_NOENT));
	cr_assert(all_are(fake_viommu_answer(0) + ROOM + 1, TAIL - 1, 0));
}

Test(viommu_probe, a_list_too_small_gets_no_property_and_fails)
{
	for (u32 room = TAIL; room < ROOM + TAIL; room++) {
		cr_assert(eq(int, probe(0x10, 0, room), room));
		cr_assert(all_are(fake_viommu_answer(0), room - TAIL, 0));
		cr_assert(eq(u8, fake_viommu_answer(0)[room - TAIL], VIRTIO_IOMMU_S_INVAL));
		cr_assert(all_are(fake_viommu_answer(0) + room, VIOMMU_SLOT_SIZE - room,
		                  VIOMMU_UNWRITTEN));
	}
}

Test(viommu_probe, without_room_for_a_tail_it_is_returned_unwritten)
{
	for (u32 room = 0; room < TAIL; room++) {
		cr_assert(zero(int, probe(0x10, 0, room)));
		cr_assert(all_are(fake_viommu_answer(0), VIOMMU_SLOT_SIZE, VIOMMU_UNWRITTEN));
	}
}

Test(viommu_probe, with_nothing_to_tell_of_there_is_but_a_tail)
{
	const struct viommu_config c = fake_viommu_config();

	fake_viommu_unmake(&f);
	fake_viommu_make(&f, &c, 0);
	cr_assert(eq(int, probe(0x10, 0, TAIL), TAIL));
	cr_assert(all_are(fake_viommu_answer(0), TAIL, 0));
}

Test(viommu_probe, as_many_as_can_be_reserved_are_told)
{
	const u32 room = (VIOMMU_MAX_RESERVED + 1) * PROPERTY;
	struct viommu_config c = fake_viommu_config();

	c.msi_window = true;
	c.msi = (struct viommu_range){ 0x8020000, 0x8020fff };
	for (u64 i = 0; i < VIOMMU_MAX_RESERVED; i++)
		c.reserved[i] = (struct viommu_range){ i << 32, (i << 32) + 0xfff };
	c.nr_reserved = VIOMMU_MAX_RESERVED;
	fake_viommu_unmake(&f);
	fake_viommu_make(&f, &c, 0);
	cr_assert(eq(int, probe(0x10, 0, room + TAIL), room + TAIL));
	for (u64 i = 0; i < VIOMMU_MAX_RESERVED; i++)
		expect_property(i, VIRTIO_IOMMU_RESV_MEM_T_RESERVED, i << 32, (i << 32) + 0xfff);
	expect_property(VIOMMU_MAX_RESERVED, VIRTIO_IOMMU_RESV_MEM_T_MSI, 0x8020000, 0x8020fff);
	cr_assert(zero(u8, fake_viommu_answer(0)[room]));
}

/* What is told is what MAP refuses, in all of its length and no further. */
Test(viommu_probe, what_is_told_cannot_be_mapped)
{
	static const struct viommu_range told[] = { { 0x1122334455667000, 0x1122334455667fff },
		                                    { 0, 0xfff },
		                                    { 0x8020000, 0x8020fff } };
	const u32 rw = VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE;

	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		cr_assert(eq(u8,
		             fake_viommu_map(&f, 1, told[i].first, told[i].last, VIOMMU_DATA, rw),
		             VIRTIO_IOMMU_S_INVAL));
		cr_assert(zero(u8, fake_viommu_map(&f, 1, told[i].last + 1, told[i].last + 0x1000,
		                                   VIOMMU_DATA, rw)));
		cr_assert(zero(u64, fake_viommu_reach(&f, 0, told[i].first, DMA_READ)));
	}
}
