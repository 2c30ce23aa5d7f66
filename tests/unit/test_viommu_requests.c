// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU device's requests (virtio 1.3, 5.13.6): how they lie in a buffer; ATTACH and DETACH. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/unit/fake_viommu.h"

#define RW   (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)
#define TAIL 4
#define PAGE 0x1000ULL

static struct fake_viommu f;

static void make(void)
{
	fake_viommu_make(&f, NULL, 0);
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_requests, .init = make, .fini = unmake);

/* Bytes of each type's part that the device reads. */
static const u32 sizes[] = {
	[VIRTIO_IOMMU_T_ATTACH] = 20, [VIRTIO_IOMMU_T_DETACH] = 20, [VIRTIO_IOMMU_T_MAP] = 36,
	[VIRTIO_IOMMU_T_UNMAP] = 28,  [VIRTIO_IOMMU_T_PROBE] = 72,
};

/* One that succeeds after the one before it, in the order of types. */
static void good(u8 type, u8 *rq)
{
	const struct virtio_iommu_req_attach attach = { .domain = 1, .endpoint = 0x10 };
	const struct virtio_iommu_req_detach detach = { .domain = 1, .endpoint = 0x10 };
	const struct virtio_iommu_req_map map = {
		.domain = 1, .virt_end = PAGE - 1, .phys_start = VIOMMU_DATA, .flags = RW
	};
	const struct virtio_iommu_req_unmap unmap = { .domain = 1, .virt_end = PAGE - 1 };
	const struct virtio_iommu_req_probe probe = { .endpoint = 0x10 };

	memset(rq, 0, sizes[VIRTIO_IOMMU_T_PROBE]);
	if (type == VIRTIO_IOMMU_T_ATTACH)
		memcpy(rq, &attach, sizes[type]);
	else if (type == VIRTIO_IOMMU_T_DETACH)
		memcpy(rq, &detach, sizes[type]);
	else if (type == VIRTIO_IOMMU_T_MAP)
		memcpy(rq, &map, sizes[type]);
	else if (type == VIRTIO_IOMMU_T_UNMAP)
		memcpy(rq, &unmap, sizes[type]);
	else
		memcpy(rq, &probe, sizes[VIRTIO_IOMMU_T_PROBE]);
	rq[0] = type;
}

/* What the others need: a domain, for all but an ATTACH; a mapping, for an UNMAP. */
static void prepare(u8 type)
{
	if (type != VIRTIO_IOMMU_T_ATTACH)
		cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	if (type == VIRTIO_IOMMU_T_UNMAP)
		cr_assert(zero(u8, fake_viommu_map(&f, 1, 0, PAGE - 1, VIOMMU_DATA, RW)));
}

/* The used length; @room bytes for the answer, and what is not written is as it was. */
static u32 send(const u8 *rq, u32 len, u32 room)
{
	const u8 *answer = fake_viommu_answer(0);
	u32 used;

	fake_viommu_queue(&f, 0, rq, len, room);
	fake_viommu_kick(&f);
	cr_assert(ge(int, fake_viommu_used(&f, 0), 0));
	used = fake_viommu_used(&f, 0);
	cr_assert(le(u32, used, room));
	for (u32 i = used; i < VIOMMU_SLOT_SIZE; i++)
		cr_assert(eq(u8, answer[i], VIOMMU_UNWRITTEN));
	return used;
}

static struct viommu_counts counts(void)
{
	return fake_viommu_counts(&f);
}

ParameterizedTestParameters(viommu_requests, a_request_that_succeeds_has_status_ok_and_its_length)
{
	static u8 types[] = { 1, 2, 3, 4, 5 };

	return cr_make_param_array(u8, types, ARRAY_SIZE(types));
}

ParameterizedTest(u8 *type, viommu_requests, a_request_that_succeeds_has_status_ok_and_its_length)
{
	u8 rq[72];

	fake_viommu_reset(&f, BIT(VIRTIO_RING_F_EVENT_IDX));
	prepare(*type);
	good(*type, rq);
	cr_assert(eq(u32, send(rq, sizes[*type], TAIL), TAIL));
	cr_assert(zero(u32, *(u32 *)fake_viommu_answer(0)), "status and reserved");
	cr_assert(eq(u32, f.transport.interrupts, 1 + (*type > 1) + (*type == 4)));
}

ParameterizedTestParameters(viommu_requests, a_heads_reserved_field_is_ignored)
{
	static u8 types[] = { 1, 2, 3, 4, 5 };

	return cr_make_param_array(u8, types, ARRAY_SIZE(types));
}

ParameterizedTest(u8 *type, viommu_requests, a_heads_reserved_field_is_ignored)
{
	u8 rq[72];

	prepare(*type);
	good(*type, rq);
	memset(rq + 1, 0xff, 3);
	cr_assert(eq(u32, send(rq, sizes[*type], TAIL), TAIL));
	cr_assert(zero(u32, *(u32 *)fake_viommu_answer(0)));
}

ParameterizedTestParameters(viommu_requests, one_too_short_is_returned_unwritten_and_not_done)
{
	static u8 types[] = { 1, 2, 3, 4, 5 };

	return cr_make_param_array(u8, types, ARRAY_SIZE(types));
}

ParameterizedTest(u8 *type, viommu_requests, one_too_short_is_returned_unwritten_and_not_done)
{
	struct viommu_counts before;
	u8 rq[72];

	prepare(*type);
	good(*type, rq);
	before = counts();
	for (u32 len = 0; len < sizes[*type]; len++)
		cr_assert(zero(u32, send(rq, len, TAIL)), "%u bytes to read", len);
	for (u32 room = 0; room < TAIL; room++)
		cr_assert(zero(u32, send(rq, sizes[*type], room)), "%u bytes to write", room);
	cr_assert(eq(u64, counts().domains, before.domains));
	cr_assert(eq(u64, counts().mappings, before.mappings));
	cr_assert(eq(u64, counts().requests[0] - before.requests[0], sizes[*type] + TAIL));
	cr_assert(zero(u64, counts().failed));
}

ParameterizedTestParameters(viommu_requests, one_may_be_split_over_any_descriptors)
{
	static u8 types[] = { 1, 2, 3, 4, 5 };

	return cr_make_param_array(u8, types, ARRAY_SIZE(types));
}

ParameterizedTest(u8 *type, viommu_requests, one_may_be_split_over_any_descriptors)
{
	for (u16 nr = 1; nr <= 8; nr++) { /* of 4 bytes to write, some are empty */
		u8 rq[72];

		f.nr_pieces = 1;
		prepare(*type);
		f.nr_pieces = nr;
		good(*type, rq);
		cr_assert(eq(u32, send(rq, sizes[*type], TAIL), TAIL));
		cr_assert(zero(u32, *(u32 *)fake_viommu_answer(0)), "%u pieces", nr);
		fake_viommu_reset(&f, 0);
	}
}

Test(viommu_requests, more_than_a_request_may_be_read_and_more_than_a_tail_written)
{
	u8 rq[100] = { 0 };

	good(VIRTIO_IOMMU_T_ATTACH, rq);
	memset(rq + 20, 0xff, 80);
	cr_assert(eq(u32, send(rq, 100, 100), TAIL));
	cr_assert(zero(u32, *(u32 *)fake_viommu_answer(0)));
	cr_assert(eq(u64, counts().domains, 1));
}

Test(viommu_requests, an_unknown_type_leaves_the_buffer_alone)
{
	u8 rq[72] = { 0 };

	for (unsigned int type = 0; type < 256; type++) {
		if (type >= VIRTIO_IOMMU_T_ATTACH && type <= VIRTIO_IOMMU_T_PROBE)
			continue;
		rq[0] = type;
		cr_assert(zero(u32, send(rq, sizeof(rq), 64)), "%u", type);
	}
	cr_assert(eq(u64, counts().requests[0], 251));
	cr_assert(eq(u32, f.dev->status, 0xf));
}

struct feature_case {
	u8 type;
	u64 without;
};

ParameterizedTestParameters(viommu_requests, a_type_whose_feature_was_not_taken_is_unknown)
{
	static struct feature_case cases[] = {
		{ VIRTIO_IOMMU_T_MAP, BIT(VIRTIO_IOMMU_F_MAP_UNMAP) },
		{ VIRTIO_IOMMU_T_UNMAP, BIT(VIRTIO_IOMMU_F_MAP_UNMAP) },
		{ VIRTIO_IOMMU_T_PROBE, BIT(VIRTIO_IOMMU_F_PROBE) },
	};

	return cr_make_param_array(struct feature_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct feature_case *c, viommu_requests,
                  a_type_whose_feature_was_not_taken_is_unknown)
{
	u8 rq[72];

	fake_viommu_reset(&f, c->without);
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	good(c->type, rq);
	cr_assert(zero(u32, send(rq, sizes[c->type], 64)));
}

Test(viommu_requests, a_ring_full_of_them_is_done_with_one_kick)
{
	for (unsigned int slot = 0; slot < VIOMMU_SLOTS; slot++)
		fake_viommu_begin_detach(&f, slot, 1, 0x10);
	fake_viommu_kick(&f);
	for (unsigned int slot = 0; slot < VIOMMU_SLOTS; slot++) {
		cr_assert(eq(int, fake_viommu_used(&f, slot), TAIL));
		cr_assert(eq(u8, *fake_viommu_answer(slot), VIRTIO_IOMMU_S_INVAL));
	}
}

Test(viommu_requests, a_kick_of_the_event_queue_is_no_request)
{
	u8 rq[72];

	good(VIRTIO_IOMMU_T_ATTACH, rq);
	fake_viommu_queue(&f, 0, rq, 20, TAIL);
	virtio_notify(f.dev, 1);
	cr_assert(eq(int, fake_viommu_used(&f, 0), -1));
	fake_viommu_kick(&f);
	cr_assert(eq(int, fake_viommu_used(&f, 0), TAIL));
}

/* 5.13.6.3: ATTACH */

static u8 attach_raw(u32 domain, u32 endpoint, u32 flags, u32 reserved)
{
	struct virtio_iommu_req_attach rq = {
		.head.type = VIRTIO_IOMMU_T_ATTACH,
		.domain = domain,
		.endpoint = endpoint,
		.flags = flags,
	};

	memcpy(rq.reserved, &reserved, sizeof(rq.reserved));
	return fake_viommu_send(&f, &rq, 20);
}

Test(viommu_requests, attach_with_anything_reserved_is_refused)
{
	for (int i = 0; i < 32; i++)
		cr_assert(eq(u8, attach_raw(1, 0x10, 0, 1u << i), VIRTIO_IOMMU_S_INVAL));
	cr_assert(zero(u64, counts().domains));
	cr_assert(eq(u64, counts().failed, 32));
}

Test(viommu_requests, attach_with_an_unknown_flag_is_refused)
{
	for (int i = 1; i < 32; i++)
		cr_assert(eq(u8, attach_raw(1, 0x10, 1u << i, 0), VIRTIO_IOMMU_S_INVAL));
	cr_assert(zero(u64, counts().domains));
}

Test(viommu_requests, attach_for_bypass_is_unknown_without_its_feature)
{
	fake_viommu_reset(&f, BIT(VIRTIO_IOMMU_F_BYPASS_CONFIG));
	cr_assert(
		eq(u8, attach_raw(1, 0x10, VIRTIO_IOMMU_ATTACH_F_BYPASS, 0), VIRTIO_IOMMU_S_INVAL));
}

Test(viommu_requests, attach_of_an_endpoint_there_is_not_is_refused)
{
	cr_assert(eq(u8, attach_raw(1, 0x0f, 0, 0), VIRTIO_IOMMU_S_NOENT));
	cr_assert(eq(u8, attach_raw(1, 0x14, 0, 0), VIRTIO_IOMMU_S_NOENT));
	cr_assert(zero(u64, counts().domains));
}

Test(viommu_requests, attach_takes_any_domain_where_there_is_no_range)
{
	cr_assert(zero(u8, attach_raw(0, 0x10, 0, 0)));
	cr_assert(zero(u8, attach_raw(~0u, 0x11, 0, 0)));
	cr_assert(eq(u64, counts().domains, 2));
}

Test(viommu_requests, attach_takes_no_domain_beyond_the_range)
{
	struct viommu_config c = fake_viommu_config();

	c.first_domain = 5;
	c.last_domain = 6;
	fake_viommu_remake(&f, &c, 0);
	cr_assert(eq(u8, attach_raw(4, 0x10, 0, 0), VIRTIO_IOMMU_S_RANGE));
	cr_assert(eq(u8, attach_raw(7, 0x10, 0, 0), VIRTIO_IOMMU_S_RANGE));
	cr_assert(zero(u8, attach_raw(5, 0x10, 0, 0)));
	cr_assert(zero(u8, attach_raw(6, 0x10, 0, 0)));
}

Test(viommu_requests, endpoints_of_a_domain_share_its_mappings_and_others_have_none)
{
	cr_assert(zero(u8, attach_raw(1, 0x10, 0, 0)));
	cr_assert(zero(u8, fake_viommu_map(&f, 1, 0, PAGE - 1, VIOMMU_DATA, RW)));
	cr_assert(zero(u8, attach_raw(1, 0x11, 0, 0)));
	cr_assert(zero(u8, attach_raw(2, 0x12, 0, 0)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 0, 4, DMA_READ), VIOMMU_DATA + 4));
	cr_assert(eq(u64, fake_viommu_reach(&f, 1, 4, DMA_READ), VIOMMU_DATA + 4));
	cr_assert(zero(u64, fake_viommu_reach(&f, 2, 4, DMA_READ)));
	cr_assert(zero(u64, fake_viommu_reach(&f, 3, 4, DMA_READ)));
	cr_assert(eq(u64, counts().domains, 2));
}

Test(viommu_requests, attach_to_another_domain_leaves_the_first)
{
	cr_assert(zero(u8, attach_raw(1, 0x10, 0, 0)));
	cr_assert(zero(u8, fake_viommu_map(&f, 1, 0, PAGE - 1, VIOMMU_DATA, RW)));
	cr_assert(zero(u8, attach_raw(2, 0x10, 0, 0)));
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0, DMA_READ)));
	cr_assert(eq(u64, counts().domains, 1), "the first has no endpoint any more");
	cr_assert(zero(u64, counts().mappings));
	cr_assert(eq(u8, fake_viommu_detach(&f, 1, 0x10), VIRTIO_IOMMU_S_INVAL));
	cr_assert(zero(u8, fake_viommu_detach(&f, 2, 0x10)));
}

Test(viommu_requests, attach_to_the_same_domain_changes_nothing)
{
	cr_assert(zero(u8, attach_raw(1, 0x10, 0, 0)));
	cr_assert(zero(u8, fake_viommu_map(&f, 1, 0, PAGE - 1, VIOMMU_DATA, RW)));
	cr_assert(zero(u8, attach_raw(1, 0x10, 0, 0)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 0, 0, DMA_READ), VIOMMU_DATA));
	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x10)));
	cr_assert(zero(u64, counts().domains));
}

Test(viommu_requests, attach_with_the_other_kind_of_domain_is_refused)
{
	const u32 bypass = VIRTIO_IOMMU_ATTACH_F_BYPASS;

	cr_assert(zero(u8, attach_raw(1, 0x10, 0, 0)));
	cr_assert(zero(u8, attach_raw(2, 0x11, bypass, 0)));
	cr_assert(eq(u8, attach_raw(1, 0x12, bypass, 0), VIRTIO_IOMMU_S_INVAL));
	cr_assert(eq(u8, attach_raw(2, 0x12, 0, 0), VIRTIO_IOMMU_S_INVAL));
	cr_assert(eq(u8, attach_raw(1, 0x10, bypass, 0), VIRTIO_IOMMU_S_INVAL));
	cr_assert(eq(u8, attach_raw(1, 0x11, bypass, 0), VIRTIO_IOMMU_S_INVAL));
	cr_assert(zero(u64, fake_viommu_reach(&f, 2, VIOMMU_DATA, DMA_READ)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 1, VIOMMU_DATA, DMA_READ), VIOMMU_DATA),
	          "it is where it was");
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, VIOMMU_DATA, DMA_READ)));
}

Test(viommu_requests, endpoints_of_a_bypass_domain_reach_all_memory_at_its_own_address)
{
	cr_assert(zero(u8, attach_raw(2, 0x10, VIRTIO_IOMMU_ATTACH_F_BYPASS, 0)));
	cr_assert(zero(u8, attach_raw(2, 0x11, VIRTIO_IOMMU_ATTACH_F_BYPASS, 0)));
	for (u64 at = 0; at < VIOMMU_RAM; at += PAGE) {
		cr_assert(eq(u64, fake_viommu_reach(&f, 0, VIOMMU_BASE + at, DMA_READ),
		             VIOMMU_BASE + at));
		cr_assert(eq(u64, fake_viommu_reach(&f, 1, VIOMMU_BASE + at, DMA_WRITE),
		             VIOMMU_BASE + at));
	}
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, VIOMMU_BASE + VIOMMU_RAM, DMA_READ)));
}

/* 5.13.6.4: DETACH */

Test(viommu_requests, detach_ignores_what_is_reserved)
{
	struct virtio_iommu_req_detach rq = { .head.type = VIRTIO_IOMMU_T_DETACH,
		                              .domain = 1,
		                              .endpoint = 0x10 };

	memset(rq.reserved, 0xff, sizeof(rq.reserved));
	cr_assert(zero(u8, attach_raw(1, 0x10, 0, 0)));
	cr_assert(zero(u8, fake_viommu_send(&f, &rq, 20)));
	cr_assert(zero(u64, counts().domains));
}

Test(viommu_requests, detach_of_an_endpoint_there_is_not_is_refused)
{
	cr_assert(zero(u8, attach_raw(1, 0x10, 0, 0)));
	cr_assert(eq(u8, fake_viommu_detach(&f, 1, 0x99), VIRTIO_IOMMU_S_NOENT));
	cr_assert(eq(u8, fake_viommu_detach(&f, 2, 0x99), VIRTIO_IOMMU_S_NOENT));
}

Test(viommu_requests, detach_from_a_domain_it_is_not_in_is_refused)
{
	cr_assert(eq(u8, fake_viommu_detach(&f, 1, 0x10), VIRTIO_IOMMU_S_INVAL));
	cr_assert(zero(u8, attach_raw(1, 0x10, 0, 0)));
	cr_assert(zero(u8, attach_raw(2, 0x11, 0, 0)));
	cr_assert(eq(u8, fake_viommu_detach(&f, 2, 0x10), VIRTIO_IOMMU_S_INVAL));
	cr_assert(eq(u8, fake_viommu_detach(&f, 3, 0x10), VIRTIO_IOMMU_S_INVAL));
	cr_assert(eq(u64, counts().domains, 2));
}

Test(viommu_requests, after_detach_an_endpoint_reaches_no_mapping)
{
	cr_assert(zero(u8, attach_raw(1, 0x10, 0, 0)));
	cr_assert(zero(u8, attach_raw(1, 0x11, 0, 0)));
	cr_assert(zero(u8, fake_viommu_map(&f, 1, 0, PAGE - 1, VIOMMU_DATA, RW)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 0, 0, DMA_READ), VIOMMU_DATA));
	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x10)));
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0, DMA_READ)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 1, 0, DMA_READ), VIOMMU_DATA), "the other does");
}

Test(viommu_requests, a_domain_without_endpoints_ceases_and_its_id_is_free)
{
	cr_assert(zero(u8, attach_raw(1, 0x10, 0, 0)));
	cr_assert(zero(u8, attach_raw(1, 0x11, 0, 0)));
	cr_assert(zero(u8, fake_viommu_map(&f, 1, 0, PAGE - 1, VIOMMU_DATA, RW)));
	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x10)));
	cr_assert(eq(u64, counts().mappings, 1));
	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x11)));
	cr_assert(zero(u64, counts().mappings));
	cr_assert(eq(u8, fake_viommu_unmap(&f, 1, 0, PAGE - 1), VIRTIO_IOMMU_S_NOENT));
	cr_assert(zero(u8, attach_raw(1, 0x10, VIRTIO_IOMMU_ATTACH_F_BYPASS, 0)));
}
