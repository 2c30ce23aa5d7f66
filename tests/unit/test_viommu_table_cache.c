// SPDX-License-Identifier: GPL-2.0-only
/* Tables that the driver owns: what is cached of them, and INVALIDATE
 * (docs/virtio-iommu-experimental.md). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/unit/fake_guest_table.h"
#include "tests/unit/held.h"
#include "vmm/mem.h"

#define D     GUEST_DATA
#define PAGE  GUEST_PAGE
#define TAIL  4
#define OTHER (D + 9 * PAGE) /* where a page leads after a change */

enum { OK, INVAL = 4, RANGE = 5, NOENT = 6 };

static struct fake_viommu f;
static struct viommu_config config;

/* Pages 0 to 3 of domain 1, which endpoints 0 and 1 are attached to; page 3 is global. */
static void start(void)
{
	struct guest_attach a = GUEST_ATTACH;

	fake_viommu_make(&f, &config, BIT(VIRTIO_RING_F_EVENT_IDX));
	guest_clear();
	for (u64 i = 0; i < 4; i++)
		guest_map(IOVA + i * PAGE, D + i * PAGE, i == 3 ? G_RW & ~G_NG : G_RW);
	cr_assert(zero(u8, guest_attach(&f, a)));
	a.endpoint = 0x11;
	cr_assert(zero(u8, guest_attach(&f, a)));
}

static void make(void)
{
	config = fake_viommu_config();
	config.attach_table = config.page_requests = true;
	start();
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_inval, .init = make, .fini = unmake);

static gpa_t reach(u64 iova, u32 perm)
{
	return fake_viommu_reach(&f, 0, iova, perm);
}

/* They are cached; then the table leads elsewhere. */
static void change(void)
{
	for (u64 i = 0; i < 4; i++) {
		cr_assert(eq(u64, reach(IOVA + i * PAGE, DMA_READ), D + i * PAGE));
		guest_map(IOVA + i * PAGE, OTHER, i == 3 ? G_RW & ~G_NG : G_RW);
	}
}

/* Which of the pages are what the table says now; the others are what it said. */
static void expect_taken(u32 pages)
{
	for (u64 i = 0; i < 4; i++) {
		const u64 want = pages & BIT(i) ? OTHER : D + i * PAGE;

		cr_assert(eq(u64, reach(IOVA + i * PAGE, DMA_READ), want), "page %llu",
		          (unsigned long long)i);
	}
}

Test(viommu_inval, what_was_translated_stays_until_it_is_invalidated)
{
	change();
	expect_taken(0);
	cr_assert(zero(u8, guest_invalidate_all(&f)));
	expect_taken(0xf);
}

Test(viommu_inval, what_was_not_there_is_found_without)
{
	cr_assert(zero(u64, reach(IOVA + 8 * PAGE, DMA_READ)));
	guest_map(IOVA + 8 * PAGE, D, G_RDONLY);
	cr_assert(eq(u64, reach(IOVA + 8 * PAGE, DMA_READ), D));
	cr_assert(zero(u64, reach(IOVA + 8 * PAGE, DMA_WRITE)));
	guest_map(IOVA + 8 * PAGE, D, G_RW);
	cr_assert(eq(u64, reach(IOVA + 8 * PAGE, DMA_WRITE), D), "nor what was not permitted");
}

Test(viommu_inval, addresses_take_their_pages_and_no_others)
{
	change();
	cr_assert(zero(u8, guest_invalidate(&f, guest_pages(1, 1))));
	expect_taken(2);
	cr_assert(zero(u8, guest_invalidate(&f, guest_pages(2, 2))));
	expect_taken(0xe);
}

Test(viommu_inval, an_address_below_the_size_of_a_page_is_in_it)
{
	struct guest_inval i = guest_pages(1, 1);

	change();
	i.address += 0xfff;
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken(2);
	i = guest_pages(0, 1);
	i.page_size = 14; /* the four from the one that is a multiple of 16 KiB */
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken((IOVA / PAGE) % 4 == 3 ? 3 : 0xf);
}

Test(viommu_inval, all_addresses_are_as_many_pages)
{
	struct guest_inval i = guest_pages(0, 2);

	change();
	i.address = 0;
	i.page_size = 63;
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken(0xf);
}

Test(viommu_inval, an_asid_takes_what_is_its_own)
{
	struct guest_inval i = { .scope = S_PASID, .caches = C_TLB, .flags = F_ID, .domain = 1 };

	change();
	i.id = 6;
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken(0);
	i.id = 5 | BIT(16);
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken(0);
	i.id = 5;
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken(7);
	i.flags |= F_GLOBAL;
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken(0xf);
}

Test(viommu_inval, without_an_asid_it_is_all)
{
	change();
	cr_assert(zero(u8, guest_invalidate(&f, (struct guest_inval){ .scope = S_PASID,
	                                                              .caches = C_TLB,
	                                                              .domain = 1 })));
	expect_taken(0xf);
}

Test(viommu_inval, an_address_with_another_asid_takes_global_pages_only)
{
	struct guest_inval i = guest_pages(2, 2);

	change();
	i.flags = F_ID | F_LEAF;
	i.id = 6;
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken(8);
	i.id = 5;
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken(0xc);
}

Test(viommu_inval, a_domain_is_all_of_it_and_no_other)
{
	struct guest_inval i = { .scope = S_DOMAIN, .caches = C_TLB, .flags = F_ID, .id = 6 };
	struct guest_attach a = GUEST_ATTACH;

	a.domain = 2;
	a.endpoint = 0x12;
	cr_assert(zero(u8, guest_attach(&f, a)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 2, IOVA, DMA_READ), D));
	change();
	i.domain = 2;
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken(0);
	cr_assert(eq(u64, fake_viommu_reach(&f, 2, IOVA, DMA_READ), OTHER));
	i.domain = 1;
	cr_assert(zero(u8, guest_invalidate(&f, i)));
	expect_taken(0xf);
}

Test(viommu_inval, a_cache_of_pasids_has_nothing)
{
	change();
	cr_assert(zero(u8, guest_invalidate(&f, (struct guest_inval){ .scope = S_DOMAIN,
	                                                              .caches = C_PASID,
	                                                              .domain = 1 })));
	expect_taken(0);
}

Test(viommu_inval, each_endpoint_of_the_domain_is_meant)
{
	cr_assert(eq(u64, fake_viommu_reach(&f, 1, IOVA, DMA_READ), D));
	change();
	cr_assert(zero(u8, guest_invalidate_page(&f, IOVA)));
	cr_assert(eq(u64, fake_viommu_reach(&f, 1, IOVA, DMA_READ), OTHER));
}

struct refusal {
	char what[40];
	struct guest_inval i;
	u8 status;
};

#define WITH(field, val, what_, status_)                                           \
	({                                                                         \
		struct refusal r_ = { .i = guest_pages(0, 1), .status = status_ }; \
		r_.i.field = val;                                                  \
		strcpy(r_.what, what_);                                            \
		cases[nr++] = r_;                                                  \
	})

ParameterizedTestParameters(viommu_inval, what_makes_no_sense_is_refused_and_takes_nothing)
{
	static struct refusal cases[32];
	size_t nr = 0;

	WITH(scope, 0, "no scope", INVAL);
	WITH(scope, 4, "an unknown scope", INVAL);
	WITH(caches, 6, "an unknown cache", INVAL);
	WITH(flags, 16, "an unknown flag", INVAL);
	WITH(flags, F_PASID, "a PASID", INVAL);
	WITH(reserved[18], 1, "reserved", INVAL);
	WITH(domain, 7, "no such domain", NOENT);
	WITH(domain, 2, "a domain of mappings", INVAL);
	WITH(domain, 3, "a domain of bypass", INVAL);
	WITH(page_size, 64, "pages of more than there is", RANGE);
	WITH(page_size, 255, "pages of far more", RANGE);
	WITH(nr_pages, 0, "no pages", RANGE);
	WITH(nr_pages, BIT(52), "up to the first address again", RANGE);
	WITH(nr_pages, ~0ULL, "more pages than there are", RANGE);
	return cr_make_param_array(struct refusal, cases, nr);
}

ParameterizedTest(struct refusal *r, viommu_inval, what_makes_no_sense_is_refused_and_takes_nothing)
{
	cr_assert(zero(u8, fake_viommu_attach(&f, 2, 0x12, 0)));
	cr_assert(zero(u8, fake_viommu_attach(&f, 3, 0x13, VIRTIO_IOMMU_ATTACH_F_BYPASS)));
	change();
	cr_assert(eq(u8, guest_invalidate(&f, r->i), r->status), "%s", r->what);
	expect_taken(0);
}

static void map_block(u64 to)
{
	*guest_entry(IOVA, 2) = to | (G_RW & ~3) | G_BLOCK;
	cr_assert(zero(u8, guest_invalidate_all(&f)));
}

Test(viommu_inval, any_address_of_a_block_takes_all_of_it)
{
	const u64 block = IOVA & ~0x1fffffULL;

	map_block(VIOMMU_BASE);
	cr_assert(eq(u64, reach(block + 0x10000, DMA_READ), D));
	*guest_entry(IOVA, 2) = 0;
	cr_assert(eq(u64, reach(block + 0x11000, DMA_READ), D + PAGE), "it was cached whole");
	cr_assert(zero(u8, guest_invalidate_page(&f, block + 0x1ff000)));
	cr_assert(zero(u64, reach(block + 0x10000, DMA_READ)));
}

Test(viommu_inval, any_address_of_a_block_in_pieces_takes_all_of_them)
{
	const u64 block = IOVA & ~0x1fffffULL;

	config.reserved[0] = (struct viommu_range){ block + 0x12000, block + 0x12fff };
	config.nr_reserved = 1;
	unmake();
	start();
	map_block(VIOMMU_BASE);
	cr_assert(eq(u64, reach(block + 0x10000, DMA_READ), D));
	cr_assert(eq(u64, reach(block + 0x13000, DMA_READ), D + 3 * PAGE));
	*guest_entry(IOVA, 2) = 0;
	cr_assert(zero(u8, guest_invalidate_page(&f, block + 0x13000)));
	cr_assert(zero(u64, reach(block + 0x10000, DMA_READ)));
	cr_assert(zero(u64, reach(block + 0x13000, DMA_READ)));
}

/* A page that is cached still, in a block that has come since. */
Test(viommu_inval, a_block_around_what_is_cached_is_reached_and_goes_as_one)
{
	const u64 block = IOVA & ~0x1fffffULL;

	cr_assert(eq(u64, reach(IOVA, DMA_READ), D));
	*guest_entry(IOVA, 2) = VIOMMU_BASE | (G_RW & ~3) | G_BLOCK;
	cr_assert(eq(u64, reach(block + 0x10000, DMA_READ), D));
	cr_assert(eq(u64, reach(IOVA, DMA_READ), D), "the page");
	*guest_entry(IOVA, 2) = 0;
	cr_assert(zero(u8, guest_invalidate_page(&f, block + 0x1ff000)));
	cr_assert(zero(u64, reach(block + 0x10000, DMA_READ)));
}

static void begin(struct held *h, unsigned int i, u64 iova)
{
	cr_assert(eq(int, hold(h, fake_viommu_dma(&f, i), iova, 8, DMA_WRITE), DMA_OK));
}

static void expect_pending(unsigned int slot)
{
	cr_assert(eq(int, fake_viommu_used(&f, slot), -1));
}

static void expect_done(unsigned int slot)
{
	cr_assert(eq(int, fake_viommu_used(&f, slot), TAIL));
	cr_assert(zero(u8, *fake_viommu_answer(slot)));
}

Test(viommu_inval, it_comes_back_when_no_transfer_uses_what_it_took)
{
	struct held h[2];

	begin(&h[0], 0, IOVA);
	begin(&h[1], 1, IOVA);
	guest_map(IOVA, OTHER, G_RW);
	guest_begin_invalidate(&f, 1, guest_pages(0, 1));
	expect_pending(1);
	cr_assert(eq(u64, reach(IOVA, DMA_READ), OTHER), "for others it is gone");
	let_go(&h[0]);
	expect_pending(1);
	let_go(&h[1]);
	expect_done(1);
	cr_assert(zero(u32, f.dev->in_flight));
}

Test(viommu_inval, it_waits_for_none_that_uses_something_else)
{
	struct held h;

	begin(&h, 0, IOVA);
	cr_assert(zero(u8, guest_invalidate(&f, guest_pages(1, 3))));
	let_go(&h);
}

Test(viommu_inval, a_detach_and_a_reset_wait_for_transfers)
{
	struct held h;

	begin(&h, 0, IOVA);
	fake_viommu_begin_detach(&f, 1, 1, 0x10);
	expect_pending(1);
	cr_assert(zero(u64, reach(IOVA, DMA_READ)));
	let_go(&h);
	expect_done(1);
	begin(&h, 1, IOVA);
	virtio_set_status(f.dev, 0);
	cr_assert(ne(u32, f.dev->status, 0));
	let_go(&h);
	cr_assert(zero(u32, f.dev->status));
}

/* It changes without an INVALIDATE between, as no driver may: transfers keep what they have. */
Test(viommu_inval, what_a_transfer_uses_is_kept_until_it_is_invalidated)
{
	struct held h;

	guest_map(IOVA, D, G_RDONLY);
	cr_assert(eq(int, hold(&h, fake_viommu_dma(&f, 0), IOVA, 8, DMA_READ), DMA_OK));
	guest_map(IOVA, OTHER, G_RW);
	cr_assert(zero(u64, reach(IOVA, DMA_WRITE)), "it may write elsewhere only");
	guest_begin_invalidate(&f, 1, guest_pages(0, 1));
	expect_pending(1);
	cr_assert(eq(u64, reach(IOVA, DMA_WRITE), OTHER));
	let_go(&h);
	expect_done(1);
}

Test(viommu_inval, what_no_transfer_uses_gives_way_to_what_the_table_allows)
{
	guest_map(IOVA, D, G_RDONLY);
	cr_assert(eq(u64, reach(IOVA, DMA_READ), D));
	guest_map(IOVA, OTHER, G_RW);
	cr_assert(eq(u64, reach(IOVA, DMA_WRITE), OTHER));
	cr_assert(eq(u64, reach(IOVA, DMA_READ), OTHER));
}

/* Level 2 leads to the same pages often enough; what is in use is first by address. */
Test(viommu_inval, more_pages_than_are_cached_leave_those_in_use)
{
	const u64 table = *guest_entry(IOVA, 2);
	struct guest_inval first = guest_pages(0, 1);
	struct held h;

	first.address = 0;
	for (u64 i = 0; i < 512; i++) {
		*guest_entry(i << 21, 2) = table;
		guest_map(i * PAGE, D + i % 4 * PAGE, G_RW);
	}
	begin(&h, 0, 0);
	for (u64 i = 1; i < 10000; i++)
		cr_assert(eq(u64, reach(i * PAGE, DMA_READ), D + i % 4 * PAGE));
	guest_begin_invalidate(&f, 1, first);
	expect_pending(1);
	let_go(&h);
	expect_done(1);
}

Test(viommu_inval, what_has_become_writable_is_cached_as_that)
{
	guest_map(IOVA, D, G_RDONLY);
	cr_assert(eq(u64, reach(IOVA, DMA_READ), D));
	guest_map(IOVA, D, G_RW);
	cr_assert(eq(u64, reach(IOVA, DMA_WRITE), D));
	guest_map(IOVA, OTHER, 0);
	cr_assert(eq(u64, reach(IOVA, DMA_WRITE), D), "with no other walk");
}

static unsigned int nr_changed;

static void changed(struct dma_messages *m)
{
	(void)m;
	nr_changed++;
}

static struct dma_messages messages = { .changed = changed };

Test(viommu_inval, messages_go_where_the_table_says)
{
	gpa_t to = 0;

	nr_changed = 0;
	guest_map(IOVA + 8 * PAGE, 0x8020000, G_RW);
	fake_viommu_dma(&f, 0)->messages = &messages;
	cr_assert(
		eq(int, dma_doorbell(fake_viommu_dma(&f, 0), IOVA + 8 * PAGE + 0x40, &to), DMA_OK));
	cr_assert(eq(u64, to, 0x8020040));
	cr_assert(zero(u8, guest_invalidate(&f, guest_pages(0, 4))));
	cr_assert(zero(u32, nr_changed), "other pages");
	guest_map(IOVA + 8 * PAGE, 0x8030000, G_RW);
	cr_assert(zero(u8, guest_invalidate_page(&f, IOVA + 8 * PAGE)));
	cr_assert(eq(u32, nr_changed, 1));
	cr_assert(eq(int, dma_doorbell(fake_viommu_dma(&f, 0), IOVA + 8 * PAGE, &to), DMA_OK));
	cr_assert(eq(u64, to, 0x8030000));
	guest_map(IOVA + 8 * PAGE, 0x8030000, G_RDONLY);
	cr_assert(zero(u8, guest_invalidate_page(&f, IOVA + 8 * PAGE)));
	cr_assert(eq(int, dma_doorbell(fake_viommu_dma(&f, 0), IOVA + 8 * PAGE, &to), DMA_FAULT));
}

/* It is the first by address, and so the first to make room. */
Test(viommu_inval, messages_whose_page_made_room_are_told_at_the_next)
{
	const u64 above = ALIGN_UP(IOVA, BIT(30));
	gpa_t to = 0;

	nr_changed = 0;
	fake_viommu_dma(&f, 0)->messages = &messages;
	cr_assert(eq(int, dma_doorbell(fake_viommu_dma(&f, 0), IOVA, &to), DMA_OK));
	for (u64 i = 0; i < 512; i++) {
		*guest_entry(above + (i << 21), 2) = *guest_entry(IOVA, 2);
		guest_map(above + i * PAGE, D, G_RW);
	}
	for (u64 i = 0; i < 5000; i++)
		cr_assert(eq(u64, reach(above + i * PAGE, DMA_READ), D));
	cr_assert(zero(u32, nr_changed));
	cr_assert(zero(u8, guest_invalidate_page(&f, UPPER)));
	cr_assert(eq(u32, nr_changed, 1));
}

/* In the host's own window doorbells are reached, and nothing else. */
Test(viommu_inval, in_the_hosts_window_there_are_doorbells)
{
	const u64 window = 0x8000000;
	gpa_t to = 0;

	config.host_window = true;
	config.host_msi = (struct viommu_range){ window, window + 0xfffff };
	config.doorbell = (struct viommu_range){ 0x8020000, 0x8020fff };
	unmake();
	start();
	guest_map(window, 0x8020000, G_RW);
	guest_map(window + PAGE, D, G_RW);
	cr_assert(eq(int, dma_doorbell(fake_viommu_dma(&f, 0), window + 0x40, &to), DMA_OK));
	cr_assert(eq(u64, to, 0x8020040));
	cr_assert(zero(u64, reach(window + PAGE, DMA_READ)));
	cr_assert(eq(u64, reach(IOVA, DMA_READ), D), "elsewhere there is memory");
}
