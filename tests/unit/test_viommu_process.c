// SPDX-License-Identifier: GPL-2.0-only
/* Processes of an endpoint's, by PASID, each with a table of the driver's
 * (docs/virtio-iommu-experimental.md). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/fake_guest_table.h"
#include "tests/unit/held.h"
#include "vmm/mem.h"

#define D    GUEST_DATA
#define PAGE GUEST_PAGE
#define T    GUEST_TABLE
#define NONE DMA_NO_PASID
#define TAIL 4

enum { OK, INVAL = 4, NOMEM = 8 };

static struct fake_viommu f;
static struct viommu_config config;

/* Of 16 pages at 0 the first is entry @i's: 25 bits of 64 KiB, a table of one page. */
static u64 table_to(unsigned int i, gpa_t to)
{
	const u64 at = T + i * PAGE;

	*(u64 *)guest_ptr(&fake_viommu_mem, at, 8) = to | G_RW;
	return at;
}

static u8 attach_at(u32 endpoint, u32 pasid, u32 domain, u64 table)
{
	struct guest_attach a = GUEST_ATTACH;

	a.endpoint = endpoint;
	a.domain = domain;
	a.flags = pasid == NONE ? 0 : ATTACH_PASID;
	a.pasid = pasid == NONE ? 0 : pasid;
	a.tcr = 39ULL | 1 << 14 | TCR_EPD1 | 5ULL << 32;
	a.ttbr[0] = table;
	return guest_attach(&f, a);
}

static u8 attach(u32 pasid, u32 domain, unsigned int i)
{
	return attach_at(0x10, pasid, domain, T + i * PAGE);
}

struct detach {
	u32 domain, endpoint, flags, pasid;
};

static void encode_detach(u8 *rq, struct detach d)
{
	memset(rq, 0, 20);
	rq[0] = VIRTIO_IOMMU_T_DETACH;
	memcpy(rq + 4, &d, sizeof(d));
}

static void detach_bytes(u8 *rq, u32 pasid, u32 domain)
{
	encode_detach(rq,
	              (struct detach){ domain, 0x10, pasid != NONE, pasid == NONE ? 0 : pasid });
}

static u8 detach(u32 pasid, u32 domain)
{
	u8 rq[20];

	detach_bytes(rq, pasid, domain);
	return fake_viommu_send(&f, rq, sizeof(rq));
}

static struct dma_access access_by(u32 pasid, u64 iova)
{
	struct dma_access a = dma_access_to(iova, 8, DMA_READ);

	a.pasid = pasid;
	return a;
}

static gpa_t reach_to(u32 pasid, u64 iova, u32 perm)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = access_by(pasid, iova);

	a.perm = perm;
	if (dma_map(fake_viommu_dma(&f, 0), &a, &sg, NULL) != DMA_OK)
		return 0;
	return VIOMMU_BASE + ((u8 *)iov.iov_base - fake_viommu_mem.host);
}

static gpa_t reach(u32 pasid, u64 iova)
{
	return reach_to(pasid, iova, DMA_READ);
}

static void begin(struct held *h, u32 pasid, u64 iova)
{
	struct dma_access a = access_by(pasid, iova);

	h->space = fake_viommu_dma(&f, 0);
	h->sg = (struct dma_sg){ .iov = h->iov, .uses = h->uses, .max = HELD_MAX };
	cr_assert(eq(int, dma_map(h->space, &a, &h->sg, NULL), DMA_OK));
}

static void start(u64 without)
{
	fake_viommu_make(&f, &config, BIT(VIRTIO_RING_F_EVENT_IDX) | without);
	guest_clear();
	for (unsigned int i = 0; i < 3; i++)
		table_to(i, D + i * 0x10000);
}

static void make(void)
{
	config = fake_viommu_config();
	config.attach_table = config.page_requests = true;
	start(0);
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_process, .init = make, .fini = unmake);

Test(viommu_process, each_reaches_what_its_own_table_says)
{
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(zero(u8, fake_viommu_map(&f, 1, 0, PAGE - 1, D + 5 * PAGE, 1)));
	cr_assert(zero(u8, attach(3, 2, 0)));
	cr_assert(zero(u8, attach(0xfffff, 3, 1)));
	for (unsigned int i = 0; i < 3; i++) { /* by what is cached, too */
		cr_assert(eq(u64, reach(NONE, 8), D + 5 * PAGE + 8));
		cr_assert(eq(u64, reach(3, 8), D + 8));
		cr_assert(eq(u64, reach(0xfffff, 8), D + 0x10008));
		cr_assert(zero(u64, reach(4, 8)));
	}
}

Test(viommu_process, a_fault_is_told_with_whose_it_is)
{
	const u8 *event = fake_viommu_mem.host + (VIOMMU_EVENT - VIOMMU_BASE);

	cr_assert(zero(u8, attach(0x12345, 2, 0)));
	for (u16 i = 0; i < 3; i++) {
		const u32 pasids[] = { 0x12345, 4, NONE }, reasons[] = { 2, 1, 1 };
		u32 flags, pasid;

		driver_desc(&f.events, i, VIOMMU_EVENT, 24, VRING_DESC_F_WRITE, 0);
		driver_avail(&f.events, i);
		cr_assert(zero(u64, reach(pasids[i], 0x10000)));
		memcpy(&flags, event + 4, 4);
		memcpy(&pasid, event + 12, 4);
		cr_assert(eq(u8, event[0], reasons[i]));
		cr_assert(eq(u32, flags, 0x101 | (i < 2 ? 0x20000 : 0)));
		cr_assert(eq(u32, pasid, i < 2 ? pasids[i] : 0));
	}
}

/* The flags that it is told with. */
static u32 fault_of(u16 n, u32 pasid, u32 perm)
{
	u32 flags;

	driver_desc(&f.events, n, VIOMMU_EVENT, 24, VRING_DESC_F_WRITE, 0);
	driver_avail(&f.events, n);
	cr_assert(zero(u64, reach_to(pasid, 0x20000, perm)));
	cr_assert(eq(u16, driver_used_idx(&f.events), n + 1));
	memcpy(&flags, fake_viommu_mem.host + (VIOMMU_EVENT - VIOMMU_BASE) + 4, 4);
	return flags;
}

Test(viommu_process, a_fault_of_an_execute_access_is_told_as_one)
{
	cr_assert(zero(u8, attach(3, 2, 0)));
	cr_assert(eq(u32, fault_of(0, 3, DMA_EXEC), 0x20104));
	cr_assert(eq(u32, fault_of(1, 3, DMA_READ | DMA_EXEC), 0x20105));
	cr_assert(eq(u32, fault_of(2, NONE, DMA_READ | DMA_WRITE | DMA_EXEC), 0x107));
	unmake();
	start(BIT(57));
	cr_assert(eq(u32, fault_of(0, 3, DMA_READ | DMA_EXEC), 0x101), "without the feature");
}

Test(viommu_process, in_bypass_mode_those_that_are_attached_have_their_tables)
{
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, VIRTIO_IOMMU_ATTACH_F_BYPASS)));
	cr_assert(zero(u8, attach(3, 2, 0)));
	cr_assert(eq(u64, reach(3, 8), D + 8));
	cr_assert(zero(u64, reach(3, D + 0x20000)));
	cr_assert(eq(u64, reach(4, D + 0x20000), D + 0x20000));
	cr_assert(zero(u8, detach(3, 2)));
	cr_assert(eq(u64, reach(3, D + 0x20000), D + 0x20000));
}

Test(viommu_process, one_that_is_detached_has_none_and_others_keep_theirs)
{
	cr_assert(zero(u8, attach(3, 2, 0)));
	cr_assert(zero(u8, attach(4, 3, 1)));
	cr_assert(zero(u8, attach(NONE, 4, 2)));
	cr_assert(eq(u8, detach(3, 3), INVAL), "another domain");
	cr_assert(eq(u8, detach(5, 2), INVAL), "which is not attached");
	cr_assert(eq(u8, detach(0x100000, 2), INVAL), "which is no PASID");
	cr_assert(zero(u8, detach(3, 2)));
	cr_assert(zero(u64, reach(3, 0)));
	cr_assert(eq(u64, reach(4, 0), D + 0x10000));
	cr_assert(zero(u8, detach(NONE, 4)));
	cr_assert(zero(u64, reach(NONE, 0)));
	cr_assert(eq(u64, reach(4, 0), D + 0x10000));
	cr_assert(eq(u64, fake_viommu_counts(&f).domains, 1));
	fake_viommu_reset(&f, 0);
	cr_assert(zero(u64, reach(4, 0)));
}

Test(viommu_process, a_detach_with_an_unknown_flag_is_refused)
{
	u8 rq[20];

	cr_assert(zero(u8, attach(3, 2, 0)));
	for (unsigned int bit = 1; bit < 32; bit++) {
		encode_detach(rq, (struct detach){ 2, bit < 16 ? 0x10 : 0x99, 1u << bit | 1, 3 });
		cr_assert(eq(u8, fake_viommu_send(&f, rq, sizeof(rq)), INVAL), "bit %u", bit);
	}
	cr_assert(eq(u64, reach(3, 8), D + 8));
}

Test(viommu_process, what_is_invalidated_is_of_one_domain)
{
	cr_assert(zero(u8, attach(3, 1, 0)));
	cr_assert(zero(u8, attach(4, 2, 1)));
	cr_assert(eq(u64, reach(3, 0), D));
	cr_assert(eq(u64, reach(4, 0), D + 0x10000));
	table_to(0, 0);
	table_to(1, 0);
	cr_assert(zero(u8, guest_invalidate_all(&f)));
	cr_assert(zero(u64, reach(3, 0)));
	cr_assert(eq(u64, reach(4, 0), D + 0x10000));
}

Test(viommu_process, a_detach_waits_for_its_transfers_and_for_no_others)
{
	struct held its, others;
	u8 rq[20];

	cr_assert(zero(u8, attach(3, 2, 0)));
	cr_assert(zero(u8, attach(4, 3, 1)));
	begin(&its, 3, 0);
	begin(&others, 4, 0);
	detach_bytes(rq, 3, 2);
	fake_viommu_queue(&f, 1, rq, sizeof(rq), TAIL);
	fake_viommu_kick(&f);
	cr_assert(eq(int, fake_viommu_used(&f, 1), -1));
	let_go(&its);
	cr_assert(eq(int, fake_viommu_used(&f, 1), TAIL));
	virtio_set_status(f.dev, 0);
	cr_assert(ne(u32, f.dev->status, 0), "a reset waits for all");
	let_go(&others);
	cr_assert(zero(u32, f.dev->status));
}

Test(viommu_process, those_of_any_endpoint_share_a_domain)
{
	cr_assert(zero(u8, attach(3, 2, 0)));
	cr_assert(zero(u8, attach_at(0x11, 7, 2, T)));
	cr_assert(zero(u8, attach(NONE, 2, 0)));
	cr_assert(eq(u64, fake_viommu_counts(&f).domains, 1));
	cr_assert(eq(u64, reach(3, 0), D));
	cr_assert(eq(u64, reach(NONE, 0), D));
	cr_assert(zero(u8, detach(3, 2)));
	cr_assert(zero(u64, reach(3, 0)));
	cr_assert(eq(u64, reach(NONE, 0), D));
}

Test(viommu_process, attaching_one_elsewhere_leaves_its_domain)
{
	cr_assert(zero(u8, attach(3, 2, 0)));
	cr_assert(eq(u64, reach(3, 0), D));
	cr_assert(zero(u8, attach(3, 3, 1)));
	cr_assert(eq(u64, reach(3, 0), D + 0x10000));
	cr_assert(eq(u64, fake_viommu_counts(&f).domains, 1));
	cr_assert(eq(u8, detach(3, 2), INVAL));
}

Test(viommu_process, there_are_64_of_an_endpoint)
{
	for (u32 i = 0; i < 64; i++)
		cr_assert(zero(u8, attach(i, 2, 0)));
	cr_assert(eq(u8, attach(64, 2, 0), NOMEM));
	cr_assert(zero(u8, attach(63, 3, 1)), "one that is attached may be elsewhere");
	cr_assert(zero(u8, detach(5, 2)));
	cr_assert(zero(u8, attach(64, 2, 0)));
	cr_assert(eq(u64, reach(64, 0), D));
	cr_assert(eq(u8, attach(0x100000, 2, 0), INVAL), "which is no PASID");
}

static struct dma_page_response answers[16];
static unsigned int nr_answers;
static bool again, taken; /* the next one that is refused is asked for again: was it taken? */

static bool ask(u32 pasid, u16 group)
{
	const struct dma_page_request rq = { 0, DMA_READ, pasid, group, true };

	driver_desc(&f.events, group, VIOMMU_EVENT, 32, VRING_DESC_F_WRITE, 0);
	driver_avail(&f.events, group);
	return dma_request_page(fake_viommu_dma(&f, 0), &rq);
}

static void respond(struct dma_device *d, const struct dma_page_response *r)
{
	const bool now = again;

	(void)d;
	cr_assert(lt(u32, nr_answers, ARRAY_SIZE(answers)));
	answers[nr_answers++] = *r;
	again = false;
	if (now)
		taken = ask(r->pasid, r->group);
}

static void start_asking(void)
{
	static struct dma_device device = { .page_response = respond };

	nr_answers = 0;
	again = false;
	fake_viommu_dma(&f, 0)->device = &device;
}

/* The group is among the last @of of so many answers, once. */
static void expect_answer(unsigned int nr, unsigned int of, u32 pasid, u16 group, int code)
{
	unsigned int found = 0;

	cr_assert(eq(u32, nr_answers, nr));
	for (unsigned int i = nr - of; i < nr; i++)
		found += answers[i].pasid == pasid && answers[i].group == group &&
		         (int)answers[i].code == code;
	cr_assert(eq(u32, found, 1), "group %u", group);
}

static u8 answer(u32 pasid, u8 group)
{
	u8 response[20] = { 0x80, 0, 0, 0, 0x10 };

	response[8] = 1;
	memcpy(response + 12, &pasid, 4);
	response[16] = group;
	return fake_viommu_send(&f, response, sizeof(response));
}

Test(viommu_process, what_one_asks_for_is_its_own_and_ends_with_it)
{
	start_asking();
	cr_assert(zero(u8, attach(3, 2, 0)));
	cr_assert(not(ask(NONE, 1)), "the endpoint itself is not attached");
	cr_assert(not(ask(4, 2)));
	cr_assert(ask(3, 3));
	cr_assert(zero(u8, attach(NONE, 3, 1)));
	cr_assert(ask(NONE, 4));
	cr_assert(ask(4, 5), "which is asked of the endpoint's driver");
	cr_assert(zero(u8, detach(3, 2)));
	expect_answer(1, 1, 3, 3, DMA_PAGE_INVALID);
	cr_assert(zero(u8, attach(3, 2, 0)));
	cr_assert(ask(3, 6));
	cr_assert(zero(u8, detach(NONE, 3)));
	expect_answer(3, 2, NONE, 4, DMA_PAGE_INVALID);
	expect_answer(3, 2, 4, 5, DMA_PAGE_INVALID);
	fake_viommu_reset(&f, 0);
	expect_answer(4, 1, 3, 6, DMA_PAGE_INVALID);
}

Test(viommu_process, what_one_asks_for_before_it_is_attached_waits_on)
{
	start_asking();
	cr_assert(zero(u8, attach(NONE, 3, 1)));
	cr_assert(ask(5, 1));
	cr_assert(ask(5, 2));
	cr_assert(zero(u8, attach(5, 2, 0)));
	cr_assert(zero(u32, nr_answers));
	cr_assert(zero(u8, answer(5, 1)));
	expect_answer(1, 1, 5, 1, DMA_PAGE_SUCCESS);
	cr_assert(zero(u8, detach(NONE, 3)));
	cr_assert(eq(u32, nr_answers, 1), "it is the process's now");
	cr_assert(zero(u8, detach(5, 2)));
	expect_answer(2, 1, 5, 2, DMA_PAGE_INVALID);
}

Test(viommu_process, what_one_asks_for_again_at_its_end_is_its_endpoints)
{
	start_asking();
	cr_assert(zero(u8, attach(NONE, 3, 1)));
	cr_assert(zero(u8, attach(5, 2, 0)));
	cr_assert(ask(5, 1));
	again = true;
	cr_assert(zero(u8, detach(5, 2)));
	expect_answer(1, 1, 5, 1, DMA_PAGE_INVALID);
	cr_assert(taken);
	cr_assert(zero(u8, detach(NONE, 3)));
	expect_answer(2, 1, 5, 1, DMA_PAGE_INVALID);
}

Test(viommu_process, what_is_asked_for_again_where_none_is_attached_is_refused)
{
	const u32 pasids[] = { 5, NONE };

	start_asking();
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert(zero(u8, attach(pasids[i], 2, 0)));
		cr_assert(ask(pasids[i], 1));
		again = taken = true;
		cr_assert(zero(u8, detach(pasids[i], 2)));
		expect_answer(i + 1, 1, pasids[i], 1, DMA_PAGE_INVALID);
		cr_assert(not(taken));
	}
}
