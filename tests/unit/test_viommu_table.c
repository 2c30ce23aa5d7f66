// SPDX-License-Identifier: GPL-2.0-only
/* Tables that the driver owns: attaching them, and what endpoints reach
 * (docs/virtio-iommu-experimental.md). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/unit/fake_guest_table.h"

#define D     GUEST_DATA
#define PAGE  GUEST_PAGE
#define T     GUEST_TABLE
#define EVENT 24

enum { OK, UNSUPP = 2, INVAL = 4, RANGE = 5, NOENT = 6 };
enum { R_UNKNOWN, R_DOMAIN, R_MAPPING };

static struct fake_viommu f;
static struct viommu_config config;
static u16 given, told; /* events */

static void start(u64 without)
{
	fake_viommu_make(&f, &config, BIT(VIRTIO_RING_F_EVENT_IDX) | without);
	guest_clear();
	given = told = 0;
}

static void make(void)
{
	config = fake_viommu_config();
	config.attach_table = true;
	config.last_domain = 9;
	start(0);
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_table, .init = make, .fini = unmake);

static void restart(u64 without)
{
	unmake();
	start(without);
}

static u8 attach_tcr(u64 tcr)
{
	struct guest_attach a = GUEST_ATTACH;

	a.tcr = tcr;
	return guest_attach(&f, a);
}

static gpa_t reach(u64 iova, u32 perm)
{
	return fake_viommu_reach(&f, 0, iova, perm);
}

/* What does not reach it is told, once. */
static void expect_fault(u64 iova, u32 perm, u8 reason)
{
	u8 *event = fake_viommu_mem.host + (VIOMMU_EVENT - VIOMMU_BASE);
	u64 address;

	driver_desc(&f.events, given, VIOMMU_EVENT, EVENT, VRING_DESC_F_WRITE, 0);
	driver_avail(&f.events, given++);
	cr_assert(zero(u64, reach(iova, perm)));
	cr_assert(eq(u16, driver_used_idx(&f.events), ++told), "an event");
	memcpy(&address, event + 16, 8);
	cr_assert(eq(u8, event[0], reason));
	cr_assert(eq(u64, address, iova));
}

Test(viommu_table, it_is_no_feature_unless_it_is_asked_for)
{
	cr_assert(ne(u64, f.dev->features & BIT(57), 0));
	config.attach_table = false;
	restart(0);
	cr_assert(zero(u64, f.dev->features & BIT(57)));
}

static void expect_unwritten(u8 type, u32 len)
{
	u8 rq[128] = { type };

	fake_viommu_queue(&f, 1, rq, len, 4);
	fake_viommu_kick(&f);
	cr_assert(zero(int, fake_viommu_used(&f, 1)), "type %#x", type);
}

Test(viommu_table, its_requests_are_unknown_without_the_feature)
{
	restart(BIT(57));
	expect_unwritten(0x81, 124);
	expect_unwritten(0x82, 60);
}

Test(viommu_table, its_requests_that_are_too_short_are_not_done)
{
	expect_unwritten(0x81, 123);
	expect_unwritten(0x82, 59);
}

static const u8 *probe(void)
{
	struct virtio_iommu_req_probe rq = { .head.type = VIRTIO_IOMMU_T_PROBE, .endpoint = 0x10 };

	fake_viommu_queue(&f, 0, &rq, sizeof(rq), 72 + 4);
	fake_viommu_kick(&f);
	cr_assert(eq(int, fake_viommu_used(&f, 0), 72 + 4));
	cr_assert(zero(u8, fake_viommu_answer(0)[72]));
	return fake_viommu_answer(0);
}

Test(viommu_table, a_probe_tells_sizes_output_and_format_behind_what_is_reserved)
{
	/* 4 KiB, 16 KiB, 64 KiB, 2 MiB, 32 MiB, 512 MiB, 1 GiB; 48 and 20 bits; HA, HD, HPD */
	static const u8 want[48] = { 2,    0xf, 12, 0,    0, 0,  0,   0,   0, 0x50, 0x21,
		                     0x62, 0,   0,  0,    0, 4,  0xf, 4,   0, 48,   0,
		                     0,    0,   5,  0xf,  4, 0,  20,  0,   0, 0,    6,
		                     0xf,  12,  0,  0x80, 0, 16, 0,   0x0b };

	config.reserved[0] = (struct viommu_range){ 0, 0xfff };
	config.nr_reserved = 1;
	restart(0);
	cr_assert(zero(int, memcmp(probe() + 24, want, sizeof(want))));
	restart(BIT(57));
	for (unsigned int i = 24; i < 72; i++)
		cr_assert(zero(u8, probe()[i]), "a driver without the feature is told nothing");
}

Test(viommu_table, an_endpoint_reaches_what_the_table_says)
{
	guest_map(IOVA, D, G_RW);
	guest_map(IOVA + PAGE, D + 5 * PAGE, G_RDONLY);
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	cr_assert(eq(u64, reach(IOVA + 0x123, DMA_READ | DMA_WRITE), D + 0x123));
	cr_assert(eq(u64, reach(IOVA + PAGE, DMA_READ), D + 5 * PAGE));
	expect_fault(IOVA + PAGE + 8, DMA_WRITE, R_MAPPING);
	expect_fault(IOVA + 2 * PAGE, DMA_READ, R_MAPPING);
	expect_fault(D, DMA_READ, R_MAPPING);
	expect_fault(BIT(39), DMA_READ, R_MAPPING);
	cr_assert(zero(u64, fake_viommu_reach(&f, 1, IOVA, DMA_READ)), "of another endpoint");
	cr_assert(zero(u64, fake_viommu_counts(&f).mappings), "there are no mappings");
	cr_assert(eq(u64, fake_viommu_counts(&f).domains, 1));
}

Test(viommu_table, an_access_goes_on_from_page_to_page)
{
	struct iovec iov[3];
	struct dma_sg sg = { .iov = iov, .max = 3 };
	struct dma_access a = dma_access_to(IOVA + PAGE - 16, 32, DMA_READ);

	guest_map(IOVA, D + 7 * PAGE, G_RW);
	guest_map(IOVA + PAGE, D, G_RW);
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	cr_assert(eq(int, dma_map(fake_viommu_dma(&f, 0), &a, &sg, NULL), DMA_OK));
	cr_assert(eq(u32, sg.nr, 2));
	cr_assert(eq(u64, iov[0].iov_len, 16));
	cr_assert(eq(ptr, iov[1].iov_base, guest_ptr(&fake_viommu_mem, D, 16)));
}

Test(viommu_table, a_page_of_nobodys_that_is_privileged_or_not_accessed_is_not_reached)
{
	guest_map(IOVA, D, G_RW & ~G_USER);
	guest_map(IOVA + PAGE, D, G_RW & ~G_AF);
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	expect_fault(IOVA, DMA_READ, R_MAPPING);
	expect_fault(IOVA + PAGE, DMA_READ, R_MAPPING);
}

Test(viommu_table, each_half_has_its_table)
{
	struct guest_attach a = GUEST_ATTACH;

	guest_map(0, D, G_RW);
	a.tcr &= ~TCR_EPD1;
	a.ttbr[0] = T + 0x8000; /* empty */
	cr_assert(zero(u8, guest_attach(&f, a)));
	cr_assert(eq(u64, reach(UPPER + 1, DMA_READ), D + 1));
	expect_fault(1, DMA_READ, R_MAPPING);
	expect_fault(UPPER - 1, DMA_READ, R_MAPPING);
	a.tcr |= BIT(7) | TCR_EPD1;
	a.domain = 2;
	cr_assert(zero(u8, guest_attach(&f, a)));
	expect_fault(UPPER, DMA_READ, R_MAPPING);
	expect_fault(0, DMA_READ, R_MAPPING);
}

/* A page or block of the last table of each granule. */
Test(viommu_table, each_granule_is_walked)
{
	static const struct {
		u64 tcr, entry, iova, want;
	} cases[] = {
		/* levels 2 and 3 of 16 KiB, level 3 of 64 KiB: TG0 is 2, and 1 */
		{ 38ULL | 2 << 14, 0x80030000 | G_TABLE, 0x4000, 0x80014000 },
		{ 39ULL | 1 << 14, 0x80010000 | G_RW, 0x10, 0x80010010 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guest_attach a = GUEST_ATTACH;

		guest_clear();
		/* the first table is at 0x80034000, of which a few entries count, or at 0x80030000
		 */
		a.tcr = cases[i].tcr | TCR_EPD1 | 5ULL << 32;
		a.ttbr[0] = i ? T : T + 0x4000;
		a.asid = 0;
		a.domain = 2 + i;
		memcpy(guest_ptr(&fake_viommu_mem, a.ttbr[0], 8), &cases[i].entry, 8);
		if (!i)
			*(u64 *)guest_ptr(&fake_viommu_mem, T + 8, 8) = 0x80014000 | G_RW;
		cr_assert(zero(u8, guest_attach(&f, a)), "case %zu", i);
		cr_assert(eq(u64, reach(cases[i].iova, DMA_READ), cases[i].want), "case %zu", i);
	}
}

Test(viommu_table, a_block_is_reached_as_far_as_there_is_memory)
{
	*guest_entry(IOVA, 2) = VIOMMU_BASE | (G_RW & ~3) | G_BLOCK;
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	cr_assert(eq(u64, reach((IOVA & ~0x1fffffULL) + 0x10123, DMA_READ), D + 0x123));
	expect_fault((IOVA & ~0x1fffffULL) + VIOMMU_RAM, DMA_READ, R_UNKNOWN);
}

Test(viommu_table, hardware_sets_the_access_flag_where_it_may)
{
	u64 *entry = guest_entry(IOVA, 3);

	*entry = D | (G_RW & ~G_AF);
	cr_assert(zero(u8, attach_tcr(TCR_USUAL | TCR_HA)));
	cr_assert(eq(u64, reach(IOVA, DMA_READ), D));
	cr_assert(eq(u64, *entry, D | G_RW));
}

Test(viommu_table, hardware_makes_a_page_dirty_where_it_may)
{
	u64 *entry = guest_entry(IOVA, 3);

	*entry = D | G_RDONLY | G_DBM;
	cr_assert(zero(u8, attach_tcr(TCR_USUAL | TCR_HA | TCR_HD)));
	cr_assert(eq(u64, reach(IOVA, DMA_READ), D));
	cr_assert(eq(u64, *entry, D | G_RDONLY | G_DBM), "a read leaves it clean");
	cr_assert(eq(u64, reach(IOVA, DMA_WRITE), D), "though it is cached as it was");
	cr_assert(eq(u64, *entry, D | G_RW | G_DBM));
}

Test(viommu_table, dirty_without_access_flag_is_no_update)
{
	guest_map(IOVA, D, G_RDONLY | G_DBM);
	cr_assert(zero(u8, attach_tcr(TCR_USUAL | TCR_HD)));
	expect_fault(IOVA, DMA_WRITE, R_MAPPING);
}

Test(viommu_table, hierarchical_permissions_count_unless_they_are_disabled)
{
	guest_map(IOVA, D, G_RW);
	*guest_entry(IOVA, 2) |= BIT(62);
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	expect_fault(IOVA, DMA_WRITE, R_MAPPING);
	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x10)));
	cr_assert(zero(u8, attach_tcr(TCR_USUAL | BIT(41))));
	cr_assert(eq(u64, reach(IOVA, DMA_WRITE), D));
}

Test(viommu_table, tables_outside_memory_are_an_error_of_their_own)
{
	*guest_entry(IOVA, 2) = 0x1000000 | G_TABLE;
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	expect_fault(IOVA, DMA_READ, R_UNKNOWN);
	*guest_entry(IOVA, 2) = (VIOMMU_BASE + VIOMMU_RAM) | G_TABLE;
	expect_fault(IOVA, DMA_READ, R_UNKNOWN);
}

Test(viommu_table, a_table_that_leads_to_itself_ends)
{
	*guest_entry(0, 1) = T | G_TABLE;
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	expect_fault(0, DMA_READ, R_MAPPING);
	*guest_entry(0, 1) = T | G_TABLE | G_USER | G_AF; /* which is a page at level 3 */
	cr_assert(eq(u64, reach(8, DMA_READ), T + 8));
}

Test(viommu_table, a_process_that_is_not_attached_has_no_address_space)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = { .iova = IOVA, .len = 1, .perm = DMA_READ, .pasid = 3 };

	guest_map(IOVA, D, G_RW);
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	cr_assert(eq(int, dma_map(fake_viommu_dma(&f, 0), &a, &sg, NULL), DMA_FAULT));
	cr_assert(eq(int, a.reason, DMA_NOT_ATTACHED));
}

struct refusal {
	char what[40];
	struct guest_attach a;
	u8 status;
};

#define WITH(field, val, what_, status_)                                      \
	({                                                                    \
		struct refusal r_ = { .a = GUEST_ATTACH, .status = status_ }; \
		r_.a.field = val;                                             \
		strcpy(r_.what, what_);                                       \
		cases[nr++] = r_;                                             \
	})

ParameterizedTestParameters(viommu_table, what_cannot_be_attached_is_refused)
{
	static struct refusal cases[40];
	static const u8 bits[] = { 6, 22, 35, 37, 38, 51, 52, 53, 54, 55, 56, 57, 58, 59, 63 };
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		WITH(tcr, TCR_USUAL | BIT(bits[i]), "a bit of TCR that is not offered", INVAL);
	WITH(format, 1, "another format", UNSUPP);
	WITH(flags, 2, "an unknown flag", INVAL);
	WITH(pasid, 1, "a PASID without its flag", INVAL);
	WITH(reserved[71], 1, "reserved", INVAL);
	WITH(tcr, (TCR_USUAL & ~63ULL) | 15, "T0SZ below 16", INVAL);
	WITH(tcr, (TCR_USUAL & ~63ULL) | 40, "T0SZ above 39", INVAL);
	WITH(tcr, TCR_USUAL | 3 << 14, "TG0 3", INVAL);
	WITH(tcr, (TCR_USUAL & ~TCR_EPD1) & ~(3ULL << 30), "TG1 0", INVAL);
	WITH(tcr, (TCR_USUAL & ~TCR_EPD1) | 40 << 16, "T1SZ above 39", INVAL);
	WITH(tcr, TCR_USUAL | 7ULL << 32, "IPS 7", INVAL);
	WITH(tcr, TCR_USUAL | BIT(7) | 7ULL << 32, "IPS 7, halves disabled", INVAL);
	WITH(tcr, TCR_USUAL | BIT(7), "both halves disabled", OK);
	WITH(ttbr[0], T | BIT(48), "TTBR with an ASID in it", INVAL);
	WITH(ttbr[0], T | 1, "TTBR with CnP", INVAL);
	WITH(ttbr[0], BIT(47), "TTBR", OK); /* 48 bits */
	WITH(tcr, TCR_USUAL & ~BIT(36), "8 bits of ASID", OK);
	WITH(endpoint, 0x20, "no such endpoint", NOENT);
	WITH(domain, 10, "no such domain", RANGE);
	return cr_make_param_array(struct refusal, cases, nr);
}

ParameterizedTest(struct refusal *r, viommu_table, what_cannot_be_attached_is_refused)
{
	cr_assert(eq(u8, guest_attach(&f, r->a), r->status), "%s", r->what);
	cr_assert(eq(u64, fake_viommu_counts(&f).domains, r->status == OK));
}

Test(viommu_table, a_table_beyond_the_output_size_and_an_asid_beyond_its_size_are_refused)
{
	struct guest_attach a = GUEST_ATTACH;

	a.tcr = TCR_USUAL & ~(7ULL << 32); /* 32 bits */
	a.ttbr[0] = BIT(32);
	cr_assert(eq(u8, guest_attach(&f, a), INVAL));
	a.ttbr[0] = T;
	cr_assert(zero(u8, guest_attach(&f, a)));
	a = GUEST_ATTACH;
	a.domain = 2;
	a.asid = 256;
	a.tcr &= ~BIT(36);
	cr_assert(eq(u8, guest_attach(&f, a), INVAL));
	a.tcr |= BIT(36);
	cr_assert(zero(u8, guest_attach(&f, a)));
}

Test(viommu_table, what_is_larger_than_the_output_size_is_not_reached)
{
	guest_map(IOVA, D | BIT(36), G_RW);
	cr_assert(zero(u8, attach_tcr((TCR_USUAL & ~(7ULL << 32)) | 1ULL << 32)));
	expect_fault(IOVA, DMA_READ, R_MAPPING);
}

Test(viommu_table, a_domain_is_of_one_kind)
{
	struct guest_attach a = GUEST_ATTACH;

	cr_assert(zero(u8, guest_attach(&f, a)));
	cr_assert(eq(u8, fake_viommu_map(&f, 1, 0, PAGE - 1, D, 1), INVAL));
	cr_assert(eq(u8, fake_viommu_unmap(&f, 1, 0, ~0ULL), INVAL));
	cr_assert(eq(u8, fake_viommu_attach(&f, 1, 0x11, 0), INVAL));
	cr_assert(eq(u8, fake_viommu_attach(&f, 1, 0x11, VIRTIO_IOMMU_ATTACH_F_BYPASS), INVAL));
	a.ttbr[0] += PAGE;
	a.endpoint = 0x11;
	cr_assert(eq(u8, guest_attach(&f, a), INVAL), "another table");
	cr_assert(zero(u8, fake_viommu_attach(&f, 2, 0x12, 0)));
	cr_assert(zero(u8, fake_viommu_attach(&f, 3, 0x13, VIRTIO_IOMMU_ATTACH_F_BYPASS)));
	a = GUEST_ATTACH;
	a.domain = 2;
	cr_assert(eq(u8, guest_attach(&f, a), INVAL), "a domain of mappings");
	a.domain = 3;
	cr_assert(eq(u8, guest_attach(&f, a), INVAL), "a domain of bypass");
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)), "where it is already");
}

Test(viommu_table, endpoints_share_a_domain_whose_table_is_the_same)
{
	struct guest_attach a = GUEST_ATTACH;

	guest_map(IOVA, D, G_RW);
	cr_assert(zero(u8, guest_attach(&f, a)));
	a.endpoint = 0x11;
	cr_assert(zero(u8, guest_attach(&f, a)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 1, IOVA, DMA_READ), D));
	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x10)));
	cr_assert(zero(u64, reach(IOVA, DMA_READ)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 1, IOVA, DMA_READ), D));
	cr_assert(zero(u8, fake_viommu_detach(&f, 1, 0x11)));
	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)), "the number is free");
}

Test(viommu_table, a_reset_ends_it)
{
	guest_map(IOVA, D, G_RW);
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	cr_assert(eq(u64, reach(IOVA, DMA_READ), D));
	fake_viommu_reset(&f, 0);
	cr_assert(zero(u64, reach(IOVA, DMA_READ)));
	cr_assert(zero(u64, fake_viommu_counts(&f).domains));
}

/* 5.13.6.8.1.2: the device cannot refuse what is in the table, and so refuses the access. */
Test(viommu_table, what_is_reserved_is_not_reached_whatever_the_table_says)
{
	const u64 block = IOVA & ~0x1fffffULL;

	config.reserved[0] = (struct viommu_range){ block + 0x12000, block + 0x12fff };
	config.nr_reserved = 1;
	config.msi_window = true;
	config.msi = (struct viommu_range){ block + 0x14000, block + 0x14fff };
	config.input = (struct viommu_range){ 0x1000, block + 0x15fff };
	restart(0);
	*guest_entry(block, 2) = VIOMMU_BASE | (G_RW & ~3) | G_BLOCK;
	guest_map(0, D, G_RW);
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	for (u64 at = 0x10000; at < 0x18000; at += PAGE) {
		const bool may = at != 0x12000 && at < 0x16000 && at != 0x14000;

		cr_assert(eq(u64, reach(block + at, DMA_READ), may ? VIOMMU_BASE + at : 0), "%#llx",
		          (unsigned long long)at);
	}
	expect_fault(block + 0x12fff, DMA_READ, R_MAPPING);
	cr_assert(zero(u64, reach(0, DMA_READ)), "below the input range");
}

static struct dma_page_response answered;

static void respond(struct dma_device *d, const struct dma_page_response *r)
{
	(void)d;
	answered = *r;
}

Test(viommu_table, what_an_endpoint_asks_for_the_driver_maps_in_its_table)
{
	static struct dma_device device = { .page_response = respond };
	const struct dma_page_request rq = { IOVA, DMA_READ, DMA_NO_PASID, 7, true };
	u8 response[20] = { 0x80, 0, 0, 0, 0x10 };

	config.page_requests = true;
	restart(0);
	answered.code = DMA_PAGE_FAILURE;
	fake_viommu_dma(&f, 0)->device = &device;
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	cr_assert(zero(u64, reach(IOVA, DMA_READ)));
	driver_desc(&f.events, 0, VIOMMU_EVENT, 32, VRING_DESC_F_WRITE, 0);
	driver_avail(&f.events, 0);
	cr_assert(dma_request_page(fake_viommu_dma(&f, 0), &rq));
	guest_map(IOVA, D, G_RW);
	response[16] = 7;
	cr_assert(zero(u8, fake_viommu_send(&f, response, sizeof(response))));
	cr_assert(eq(int, answered.code, DMA_PAGE_SUCCESS));
	cr_assert(eq(u64, reach(IOVA, DMA_READ), D));
}
