// SPDX-License-Identifier: GPL-2.0-only
/* Page requests of a virtio-iommu's endpoints, and their answers
 * (docs/virtio-iommu-experimental.md), byte for byte. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "devices/virtio/transport.h"
#include "tests/unit/fake_viommu.h"
#include "vmm/loop.h"

#define FEATURE BIT(56)
#define RECORD  32
#define FAULT   24 /* struct virtio_iommu_fault */
#define ASKS    BIT(16)
#define PASID   BIT(17)
#define LAST    BIT(18)
#define NONE    DMA_NO_PASID
#define ROOM    0x100

enum { OK, INVAL = VIRTIO_IOMMU_S_INVAL, NOENT = VIRTIO_IOMMU_S_NOENT };

static struct fake_viommu f;
static struct viommu_config config;
static u16 given; /* buffers of the event queue */

static struct loop *turns; /* until there is an answer; NULL: nothing turns */

/* What endpoint 0 was answered. */
static struct {
	unsigned int nr;
	struct dma_page_response last;
	u64 groups;      /* BIT(group) */
	bool asks_again; /* at once, as group 40 + nr */
	unsigned int nr_again;
	unsigned int early; /* of them, before the request that is in slot 0 had come back */
	u32 status;         /* the device's, then */
} answers;

static bool ask(unsigned int endpoint, u32 pasid, u16 group, bool last)
{
	const struct dma_page_request rq = { 0x5000, DMA_READ, pasid, group, last };

	return dma_request_page(fake_viommu_dma(&f, endpoint), &rq);
}

static void respond(struct dma_device *d, const struct dma_page_response *r)
{
	(void)d;
	answers.nr++;
	answers.last = *r;
	answers.groups |= r->group < 64 ? BIT(r->group) : 0;
	answers.early += f.used[0] == -1 && fake_viommu_used(&f, 0) == -1;
	answers.status = f.dev->status;
	if (turns)
		loop_stop(turns);
	if (answers.asks_again)
		answers.nr_again += ask(0, NONE, 40 + answers.nr, true);
}

static struct dma_device device = { .page_response = respond };

static u8 *buffer(u16 nr)
{
	return fake_viommu_mem.host + (VIOMMU_EVENT - VIOMMU_BASE) + nr % 32 * ROOM;
}

static void give(u32 len)
{
	const u16 nr = given++;

	memset(buffer(nr), VIOMMU_UNWRITTEN, ROOM);
	driver_desc(&f.events, nr, VIOMMU_EVENT + nr % 32 * ROOM, len, VRING_DESC_F_WRITE, 0);
	driver_avail(&f.events, nr);
}

static void start(u64 without)
{
	fake_viommu_make(&f, &config, BIT(VIRTIO_RING_F_EVENT_IDX) | without);
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x11, 0)));
	fake_viommu_dma(&f, 0)->device = &device;
}

static void make(void)
{
	config = fake_viommu_config();
	config.page_requests = true;
	start(0);
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_page, .init = make, .fini = unmake);

/* A response's bytes, without the tail. */
struct response {
	u32 endpoint, flags, pasid;
	u16 group;
	u8 code, reserved;
};

static u8 answer(struct response r)
{
	u8 rq[20] = { 0x80 };

	memcpy(rq + 4, &r.endpoint, 4);
	memcpy(rq + 8, &r.flags, 4);
	memcpy(rq + 12, &r.pasid, 4);
	memcpy(rq + 16, &r.group, 2);
	rq[18] = r.code;
	rq[19] = r.reserved;
	return fake_viommu_send(&f, rq, sizeof(rq));
}

static void expect_answer(u32 pasid, u16 group, enum dma_page_code code)
{
	cr_assert(eq(u32, answers.nr, 1));
	cr_assert(eq(u32, answers.last.pasid, pasid));
	cr_assert(eq(u16, answers.last.group, group));
	cr_assert(eq(int, answers.last.code, code));
	cr_assert(eq(u64, fake_viommu_counts(&f).pages.answered, 1));
}

struct record_case {
	struct dma_page_request rq;
	u32 flags, pasid; /* on the queue */
};

ParameterizedTestParameters(viommu_page, a_request_is_a_fault_record_and_8_bytes)
{
	static struct record_case cases[] = {
		{ { 0x5000, DMA_READ, NONE, 0, false }, 0x101 | ASKS, 0 },
		{ { 0x5000, DMA_WRITE, NONE, 511, false }, 0x102 | ASKS, 0 },
		{ { 0x5000, DMA_EXEC, NONE, 1, false }, 0x104 | ASKS, 0 },
		{ { -0x1000ULL, 7, NONE, 0x1fe, true }, 0x107 | ASKS | LAST, 0 },
		{ { 0x123456789000, 0, NONE, 2, true }, 0x100 | ASKS | LAST, 0 },
		{ { 0, DMA_READ, 0, 3, true }, 0x101 | ASKS | PASID | LAST, 0 },
		{ { 0x5000, 3, 0xabcde, 4, false }, 0x103 | ASKS | PASID, 0xabcde },
	};

	return cr_make_param_array(struct record_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct record_case *c, viommu_page, a_request_is_a_fault_record_and_8_bytes)
{
	const unsigned int before = f.transport.interrupts;
	const u32 endpoint = 0x10;
	u8 want[RECORD] = { VIRTIO_IOMMU_FAULT_R_MAPPING };

	memcpy(want + 4, &c->flags, 4);
	memcpy(want + 8, &endpoint, 4);
	memcpy(want + 16, &c->rq.iova, 8);
	memcpy(want + 24, &c->pasid, 4);
	memcpy(want + 28, &c->rq.group, 2);
	give(ROOM);
	cr_assert(dma_request_page(fake_viommu_dma(&f, 0), &c->rq));
	cr_assert(eq(u32, driver_used_idx(&f.events), 1));
	cr_assert(eq(u32, driver_used(&f.events, 0).len, RECORD));
	cr_assert(zero(int, memcmp(buffer(0), want, RECORD)));
	cr_assert(eq(u8, buffer(0)[RECORD], VIOMMU_UNWRITTEN));
	cr_assert(eq(u32, f.transport.interrupts, before + 1));
	cr_assert(eq(u64, fake_viommu_counts(&f).events, 1));
	cr_assert(zero(u32, answers.nr));
}

struct code_case {
	u32 pasid;
	u8 code;
	enum dma_page_code told;
};

ParameterizedTestParameters(viommu_page, the_endpoint_is_told_the_groups_answer_once)
{
	static struct code_case cases[] = {
		{ NONE, 0, DMA_PAGE_SUCCESS }, { NONE, 1, DMA_PAGE_INVALID },
		{ NONE, 2, DMA_PAGE_FAILURE }, { 0, 0, DMA_PAGE_SUCCESS },
		{ 77, 1, DMA_PAGE_INVALID },   { 0xfffff, 2, DMA_PAGE_FAILURE },
	};

	return cr_make_param_array(struct code_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct code_case *c, viommu_page, the_endpoint_is_told_the_groups_answer_once)
{
	/* without the flag, what is there for a PASID means nothing */
	const struct response r = { 0x10,  c->pasid != NONE, c->pasid == NONE ? 5 : c->pasid,
		                    0x123, c->code,          0 };

	give(RECORD);
	give(RECORD);
	cr_assert(ask(0, c->pasid, 0x123, false));
	cr_assert(ask(0, c->pasid, 0x123, true));
	cr_assert(eq(u8, answer(r), OK));
	expect_answer(c->pasid, 0x123, c->told);
	cr_assert(eq(u8, answer(r), NOENT));
	cr_assert(eq(u32, answers.nr, 1));
}

struct refused_case {
	struct response r;
	u8 status;
};

ParameterizedTestParameters(viommu_page, an_answer_that_is_none_leaves_the_group_waiting)
{
	static struct refused_case cases[] = {
		{ { 0x10, 0, 0, 9, 3, 0 }, INVAL },    { { 0x10, 0, 0, 9, 0xff, 0 }, INVAL },
		{ { 0x10, 2, 0, 9, 0, 0 }, INVAL },    { { 0x10, BIT(31), 0, 9, 0, 0 }, INVAL },
		{ { 0x10, 0, 0, 9, 0, 1 }, INVAL },    { { 0x10, 0, 0, 9, 0, 0x80 }, INVAL },
		{ { 0x99, 0, 0, 9, 3, 0 }, INVAL },    { { 0x99, 0, 0, 9, 0, 0 }, NOENT },
		{ { 0x11, 0, 0, 9, 0, 0 }, NOENT },    { { 0x12, 0, 0, 9, 0, 0 }, NOENT },
		{ { 0x10, 0, 0, 8, 0, 0 }, NOENT },    { { 0x10, 0, 0, 0x109, 0, 0 }, NOENT },
		{ { 0x10, 1, 0, 9, 0, 0 }, NOENT },    { { 0x10, 1, NONE - 1, 9, 0, 0 }, NOENT },
		{ { 0x10, 1, NONE, 9, 0, 0 }, NOENT }, { { 0x10, 1, 0x100000, 9, 0, 0 }, NOENT },
		{ { 0x10, 1, 6, 9, 0, 0 }, NOENT },    { { 0x10, 0, 5, 0x15, 0, 0 }, NOENT },
		{ { 0x10, 1, 6, 0x15, 0, 0 }, NOENT }, { { 0x10, 1, 0x100005, 0x15, 0, 0 }, NOENT },
	};

	return cr_make_param_array(struct refused_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct refused_case *c, viommu_page,
                  an_answer_that_is_none_leaves_the_group_waiting)
{
	give(RECORD);
	give(RECORD);
	cr_assert(ask(0, NONE, 9, true));
	cr_assert(ask(0, 5, 0x15, true));
	cr_assert(eq(u8, answer(c->r), c->status));
	cr_assert(zero(u32, answers.nr));
	cr_assert(eq(u8, answer((struct response){ 0x10, 1, 5, 0x15, 0, 0 }), OK));
	cr_assert(eq(u8, answer((struct response){ 0x10, 0, 0, 9, 0, 0 }), OK));
	cr_assert(eq(u32, answers.nr, 2));
}

Test(viommu_page, a_group_waits_from_its_last_request_on)
{
	give(RECORD);
	cr_assert(ask(0, NONE, 1, false));
	cr_assert(eq(u8, answer((struct response){ 0x10, 0, 0, 1, 0, 0 }), NOENT));
}

Test(viommu_page, a_group_that_waits_is_not_begun_again)
{
	for (int i = 0; i < 5; i++)
		give(RECORD);
	cr_assert(ask(0, NONE, 1, true));
	cr_assert(not(ask(0, NONE, 1, true)));
	cr_assert(not(ask(0, NONE, 1, false)));
	cr_assert(eq(u32, driver_used_idx(&f.events), 1));
	cr_assert(ask(0, 0, 1, true), "with a PASID it is another");
	cr_assert(ask(1, NONE, 1, true), "another endpoint's");
	cr_assert(eq(u8, answer((struct response){ 0x10, 0, 0, 1, 0, 0 }), OK));
	cr_assert(ask(0, NONE, 1, false));
	cr_assert(ask(0, NONE, 1, true));
}

Test(viommu_page, an_endpoint_has_32_groups)
{
	for (u16 i = 0; i < 32; i++) {
		give(RECORD);
		cr_assert(ask(0, NONE, i, true), "group %u", i);
	}
	give(RECORD);
	cr_assert(not(ask(0, NONE, 32, true)));
	cr_assert(eq(u32, driver_used_idx(&f.events), 32));
	cr_assert(eq(u8, answer((struct response){ 0x10, 0, 0, 32, 0, 0 }), NOENT));
	cr_assert(ask(1, NONE, 32, true), "another one's are its own");
	cr_assert(eq(u8, answer((struct response){ 0x10, 0, 0, 7, 0, 0 }), OK));
	give(RECORD);
	cr_assert(ask(0, NONE, 32, true));
	for (u16 i = 0; i < 33; i++)
		cr_assert(eq(u8, answer((struct response){ 0x10, 0, 0, i, 0, 0 }),
		             i == 7 ? NOENT : OK));
	cr_assert(eq(u32, answers.nr, 33));
}

Test(viommu_page, a_buffer_too_small_is_kept_for_a_fault)
{
	give(RECORD - 1);
	cr_assert(not(ask(0, NONE, 1, true)));
	cr_assert(zero(u32, driver_used_idx(&f.events)));
	cr_assert(zero(u32, f.dev->in_flight));
	cr_assert(zero(u64, fake_viommu_counts(&f).lost));
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0, DMA_READ)));
	cr_assert(eq(u32, driver_used_idx(&f.events), 1));
	cr_assert(eq(u32, driver_used(&f.events, 0).len, FAULT));
	cr_assert(eq(u8, buffer(0)[4], VIRTIO_IOMMU_FAULT_F_READ));
	cr_assert(eq(u8, buffer(0)[FAULT], VIOMMU_UNWRITTEN));
	cr_assert(eq(u8, answer((struct response){ 0x10, 0, 0, 1, 0, 0 }), NOENT));
	give(FAULT);
	cr_assert(not(ask(0, NONE, 1, true)));
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, 0, DMA_READ)));
	cr_assert(eq(u32, driver_used(&f.events, 1).len, FAULT));
}

Test(viommu_page, without_a_buffer_it_is_refused)
{
	cr_assert(not(ask(0, NONE, 1, true)));
	give(RECORD);
	cr_assert(ask(0, NONE, 1, true), "it does not wait");
}

static unsigned int nr_rooms;

static void room(struct dma_device *d)
{
	(void)d;
	nr_rooms++;
}

Test(viommu_page, who_was_refused_hears_of_buffers)
{
	device.page_room = room;
	cr_assert(dma_takes_pages(fake_viommu_dma(&f, 0), NONE), "though there is no room");
	cr_assert(not(ask(0, NONE, 1, true)));
	give(RECORD);
	f.dev->type->notify(f.dev, &f.dev->vq[1]);
	cr_assert(eq(u32, nr_rooms, 1));
	cr_assert(ask(0, NONE, 1, true));
	device.page_room = NULL;
}

static void expect_nothing(void)
{
	give(RECORD);
	cr_assert(not(dma_takes_pages(fake_viommu_dma(&f, 0), NONE)));
	cr_assert(not(ask(0, NONE, 1, true)));
	cr_assert(not(ask(0, NONE, 1, false)));
	cr_assert(zero(u32, driver_used_idx(&f.events)));
	cr_assert(zero(u64, fake_viommu_counts(&f).lost));
}

Test(viommu_page, an_endpoint_attached_to_nothing_is_refused)
{
	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x10)));
	expect_nothing();
	virtio_config_write(f.dev, offsetof(struct virtio_iommu_config, bypass), 1, 1);
	cr_assert(not(ask(0, NONE, 1, true)));
	cr_assert(not(ask(2, NONE, 1, true)));
}

Test(viommu_page, a_driver_without_the_feature_gets_none_and_answers_none)
{
	const u8 rq[20] = { 0x80 };

	fake_viommu_unmake(&f);
	start(FEATURE);
	expect_nothing();
	fake_viommu_queue(&f, 1, rq, sizeof(rq), 4);
	fake_viommu_kick(&f);
	cr_assert(zero(int, fake_viommu_used(&f, 1)), "a type that there is not");
	cr_assert(eq(u8, *fake_viommu_answer(1), VIOMMU_UNWRITTEN));
}

Test(viommu_page, it_is_offered_where_it_was_asked_for)
{
	cr_assert(ne(u64, f.dev->features & FEATURE, 0));
	fake_viommu_unmake(&f);
	config.page_requests = false;
	start(0);
	cr_assert(zero(u64, f.dev->features & FEATURE));
	expect_nothing();
}

Test(viommu_page, an_endpoint_that_is_reset_forgets_its_groups)
{
	give(RECORD);
	give(RECORD);
	cr_assert(ask(0, NONE, 1, true));
	dma_forget_pages(fake_viommu_dma(&f, 0));
	cr_assert(eq(u8, answer((struct response){ 0x10, 0, 0, 1, 0, 0 }), OK));
	cr_assert(zero(u32, answers.nr), "its answer goes nowhere");
	cr_assert(ask(0, NONE, 1, true), "its name is free again");
	cr_assert(eq(u8, answer((struct response){ 0x10, 0, 0, 1, 0, 0 }), OK));
	expect_answer(NONE, 1, DMA_PAGE_SUCCESS);
}

enum end { DETACH, ATTACH_ELSEWHERE, RESET };

/* A status: 0. */
static u8 end_attachment(enum end end)
{
	if (end == DETACH)
		return fake_viommu_detach(&f, 1, 0x10);
	if (end == ATTACH_ELSEWHERE)
		return fake_viommu_attach(&f, 2, 0x10, 0);
	virtio_set_status(f.dev, 0);
	return f.dev->status;
}

ParameterizedTestParameters(viommu_page, an_attachments_end_answers_invalid_before_it_completes)
{
	static enum end ends[] = { DETACH, ATTACH_ELSEWHERE, RESET };

	return cr_make_param_array(enum end, ends, ARRAY_SIZE(ends));
}

ParameterizedTest(enum end *end, viommu_page,
                  an_attachments_end_answers_invalid_before_it_completes)
{
	for (u16 i = 0; i < 8; i++)
		give(RECORD);
	for (u16 i = 0; i < 3; i++)
		cr_assert(ask(0, NONE, i, true));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(zero(u32, answers.nr), "it is where it was");
	answers.asks_again = true;
	cr_assert(zero(u8, end_attachment(*end)));
	cr_assert(eq(u32, answers.nr, 3));
	cr_assert(eq(u64, answers.groups, 7), "each of them");
	cr_assert(eq(int, answers.last.code, DMA_PAGE_INVALID));
	cr_assert(zero(u32, answers.nr_again), "it is attached to nothing then");
	if (*end == RESET) {
		cr_assert(ne(u32, answers.status, 0));
		fake_viommu_reset(&f, BIT(VIRTIO_RING_F_EVENT_IDX));
	} else {
		cr_assert(eq(u32, answers.early, 3));
	}
	answers.asks_again = false;
	for (u16 i = 0; i < 3; i++)
		cr_assert(eq(u8, answer((struct response){ 0x10, 0, 0, i, 0, 0 }), NOENT));
	cr_assert(eq(u32, answers.nr, 3));
}

/* Until there is an answer. */
static void turn_until_answered(u64 ms)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	cr_assert(zero(int, loop_create(&turns, &lock)));
	viommu_set_patience(f.endpoints[0], turns, NULL, ms);
	pthread_mutex_lock(&lock);
	cr_assert(ask(0, 7, 3, true));
	pthread_mutex_unlock(&lock);
	cr_assert(zero(int, loop_run(turns)));
	loop_drain(turns);
	loop_destroy(turns);
	turns = NULL;
}

Test(viommu_page, a_group_that_nobody_answers_in_time_is_invalid, .timeout = 60)
{
	struct viommu_counts counts;

	give(ROOM);
	turn_until_answered(1);
	cr_assert(eq(u16, answers.last.group, 3));
	cr_assert(eq(int, answers.last.code, DMA_PAGE_INVALID));
	cr_assert(eq(u8, answer((struct response){ 0x10, 1, 7, 3, 0, 0 }), NOENT), "too late");
	cr_assert(eq(u32, answers.nr, 1));
	viommu_count(f.dev, &counts);
	cr_assert(eq(u64, counts.pages.timed_out, 1));
	cr_assert(eq(u64, counts.pages.late, 1));
}
