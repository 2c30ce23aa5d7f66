// SPDX-License-Identifier: GPL-2.0-only
/* Transfers in flight that use what the SMMU is told to forget: CMD_SYNC waits for them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_smmu.h"
#include "tests/unit/held.h"

#define PAGE   0x1000ULL
#define D      FAKE_SMMU_DATA
#define GLOBAL (4 * PAGE) /* a page of all ASIDs */
#define OTHER  (D + 8 * PAGE)

static struct fake_smmu f;
static gpa_t root, root2;
static unsigned int edges[64];

static void line_changed(unsigned int spi, bool level)
{
	edges[spi] += level;
}

/*
 * Endpoints 0 and 1 have stage 1, ASID 1 of VMID 0, with pages 0 to 3 at as many guest pages, and a
 * global one; 2 has stage 2, VMID 2, alike; 3 has both, ASID 3 of VMID 3.
 */
static void make(void)
{
	u64 w[8];

	fake_smmu_make(&f, NULL);
	fake.line_changed = line_changed;
	root = fake_smmu_table(&f);
	root2 = fake_smmu_table(&f);
	for (u64 at = 0; at < 4 * PAGE; at += PAGE) {
		fake_smmu_map(&f, root, at, D + at, FAKE_S1_RW);
		fake_smmu_map(&f, root2, at, D + at, FAKE_S2_RW);
	}
	fake_smmu_map(&f, root, GLOBAL, D + GLOBAL, FAKE_S1_RW & ~(1ULL << 11));
	fake_smmu_map_at(&f, root2, 1, 1, 0x80000000, 0x80000000, FAKE_S2_RW);
	fake_smmu_stage1(&f, 0x10, 0, 1, root);
	fake_smmu_stage1(&f, 0x11, 0, 1, root);
	fake_smmu_stage2(&f, 0x12, 2, root2);
	fake_smmu_cd_words(&f, w, 3, root);
	fake_smmu_cd(&f, 3, w);
	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S1 | CONFIG_S2, 3, 3, root2);
	fake_smmu_ste(&f, 0x13, w);
	fake_smmu_enable(&f);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_flight, .init = make, .fini = unmake, .timeout = 60);

static void begin(struct held *h, unsigned int endpoint, u64 iova, u64 len)
{
	cr_assert(eq(int, hold(h, fake_smmu_dma(&f, endpoint), iova, len, DMA_READ), DMA_OK));
}

static u64 tlbi(u64 op, u64 vmid, u64 asid)
{
	return op | vmid << 32 | asid << 48;
}

static u64 cfgi(u64 op, u64 sid, u64 ssid)
{
	return op | sid << 32 | ssid << 12;
}

static bool is_consumed(void)
{
	return (fake_smmu_read32(&f, CMDQ_CONS) & QUEUE_INDEX) == f.prod;
}

Test(smmu_flight, a_sync_waits_for_who_uses_what_was_invalidated)
{
	struct held h;

	begin(&h, 0, 0, 8);
	fake_smmu_map(&f, root, 0, OTHER, FAKE_S1_RW);
	cr_assert(eq(u64, fake_smmu_gpa(&f, 0, DMA_READ), D), "it is cached");
	cr_assert(fake_smmu_command(&f, tlbi(TLBI_NH_VA, 0, 1), 0));
	cr_assert(eq(u64, fake_smmu_gpa(&f, 0, DMA_READ), OTHER), "new ones have what is new");
	cr_assert(not(fake_smmu_command(&f, SYNC | FIELD_PREP(SYNC0_CS, SIG_IRQ), 0)));
	cr_assert(not(fake_smmu_kick(&f)));
	cr_assert(zero(u32, edges[FAKE_SMMU_SYNC_SPI]));
	let_go(&h);
	cr_assert(is_consumed());
	cr_assert(eq(u32, edges[FAKE_SMMU_SYNC_SPI], 1));
	cr_assert(eq(u64, fake_smmu_counts(&f).syncs, 1));
}

Test(smmu_flight, it_waits_for_all_of_them_of_any_endpoint)
{
	struct held h[4];

	begin(&h[0], 0, 8, 8);
	begin(&h[1], 1, PAGE - 4, 8);
	begin(&h[2], 0, PAGE, 8);
	begin(&h[3], 0, 2 * PAGE, 8);
	cr_assert(fake_smmu_command(&f, tlbi(TLBI_NH_ASID, 0, 1), 0));
	cr_assert(not(fake_smmu_sync(&f)));
	for (int i = 0; i < 4; i++) {
		cr_assert(not(is_consumed()));
		let_go(&h[i]);
	}
	cr_assert(is_consumed());
}

Test(smmu_flight, it_does_not_wait_for_what_nothing_took_away)
{
	struct held h;

	begin(&h, 0, 0, 8);
	cr_assert(fake_smmu_sync(&f));
	let_go(&h);
}

Test(smmu_flight, it_does_not_wait_for_who_began_afterwards)
{
	struct held before, after;

	begin(&before, 0, 0, 8);
	cr_assert(fake_smmu_command(&f, tlbi(TLBI_NH_VA, 0, 1), 0));
	begin(&after, 0, 0, 8);
	let_go(&before);
	cr_assert(fake_smmu_sync(&f));
	let_go(&after);
}

/* Who holds which page, and which commands then make a CMD_SYNC wait, and which do not. */
struct taken {
	unsigned int endpoint;
	u64 iova;
	bool waits;
	u64 w0, w1;
};

static const struct taken takings[] = {
	/* stage 1 of VMID 0, ASID 1 */
	{ 0, PAGE, true, TLBI_NH_ALL, 0 },
	{ 0, PAGE, false, TLBI_NH_ALL | 1ULL << 32, 0 },
	{ 0, PAGE, true, TLBI_NH_ASID | 1ULL << 48, 0 },
	{ 0, PAGE, false, TLBI_NH_ASID | 2ULL << 48, 0 },
	{ 0, PAGE, false, TLBI_NH_ASID | 1ULL << 48 | 1ULL << 32, 0 },
	{ 0, PAGE, true, TLBI_NH_VA | 1ULL << 48, PAGE },
	{ 0, PAGE, true, TLBI_NH_VA | 1ULL << 48, PAGE | CMD1_LEAF },
	{ 0, PAGE, true, TLBI_NH_VA | 1ULL << 48, PAGE | 0xab00000000000000 },
	{ 0, PAGE, false, TLBI_NH_VA | 1ULL << 48, 0 },
	{ 0, PAGE, false, TLBI_NH_VA | 1ULL << 48, 2 * PAGE },
	{ 0, PAGE, false, TLBI_NH_VA | 2ULL << 48, PAGE },
	{ 0, PAGE, false, TLBI_NH_VA | 1ULL << 48 | 1ULL << 32, PAGE },
	{ 0, PAGE, true, TLBI_NH_VAA | 7ULL << 48, PAGE },
	{ 0, PAGE, false, TLBI_NH_VAA, 2 * PAGE },
	{ 0, PAGE, false, TLBI_EL2_ALL, 0 },
	{ 0, PAGE, false, TLBI_EL2_VAA, PAGE },
	{ 0, PAGE, false, TLBI_S2_IPA, PAGE },
	{ 0, PAGE, true, TLBI_S12_VMALL, 0 },
	{ 0, PAGE, false, TLBI_S12_VMALL | 1ULL << 32, 0 },
	{ 0, PAGE, true, TLBI_NSNH_ALL, 0 },
	/* a global page */
	{ 0, GLOBAL, true, TLBI_NH_VA | 2ULL << 48, GLOBAL },
	{ 0, GLOBAL, true, TLBI_NH_VAA, GLOBAL },
	{ 0, GLOBAL, false, TLBI_NH_ASID | 1ULL << 48, 0 },
	{ 0, GLOBAL, true, TLBI_NH_ALL, 0 },
	/* ranges */
	{ 0, 3 * PAGE, true, TLBI_NH_VAA | 1ULL << 12, 2 * PAGE | 1 << 10 },
	{ 0, 3 * PAGE, false, TLBI_NH_VAA | 1ULL << 12, PAGE | 1 << 10 },
	{ 0, 3 * PAGE, true, TLBI_NH_VAA | 1ULL << 20, 2 * PAGE | 1 << 10 },
	{ 0, 3 * PAGE, false, TLBI_NH_VAA | 1ULL << 20, 0 | 1 << 10 },
	{ 0, 3 * PAGE, true, TLBI_NH_VAA | 39ULL << 20 | 31 << 12, 0 | 1 << 10 },
	{ 0, 3 * PAGE, true, TLBI_NH_VAA | 63ULL << 20 | 31 << 12, 0 | 3 << 10 },
	{ 0, 3 * PAGE, true, TLBI_NH_VAA, 0 | 3 << 10 | 3 << 8 },
	{ 0, 3 * PAGE, false, TLBI_NH_VAA | 63ULL << 20 | 31 << 12, 4 * PAGE | 3 << 10 },
	{ 0, 3 * PAGE, false, TLBI_NH_VAA | 9ULL << 20, ~0xfffULL | 1 << 10 },
	/* configuration */
	{ 0, PAGE, true, CFGI_STE | 0x10ULL << 32, 0 },
	{ 0, PAGE, true, CFGI_STE | 0x10ULL << 32, CMD1_LEAF },
	{ 0, PAGE, false, CFGI_STE | 0x11ULL << 32, 0 },
	{ 0, PAGE, true, CFGI_STE_RANGE | 0x1fULL << 32, 3 },
	{ 0, PAGE, true, CFGI_STE_RANGE | 0x11ULL << 32, 0 },
	{ 0, PAGE, false, CFGI_STE_RANGE | 0x12ULL << 32, 0 },
	{ 0, PAGE, true, CFGI_STE_RANGE | 0xffffffffULL << 32, 31 },
	{ 0, PAGE, true, CFGI_CD | 0x10ULL << 32, 0 },
	{ 0, PAGE, false, CFGI_CD | 0x11ULL << 32, 0 },
	{ 0, PAGE, false, CFGI_CD | 0x10ULL << 32 | 1 << 12, 0 },
	{ 0, PAGE, true, CFGI_CD_ALL | 0x10ULL << 32, 0 },
	{ 0, PAGE, false, CFGI_CD_ALL | 0x11ULL << 32, 0 },
	{ 0, PAGE, false, PREFETCH_CONFIG | 0x10ULL << 32, 0 },
	{ 0, PAGE, false, PREFETCH_ADDR | 0x10ULL << 32, PAGE },
	/* stage 2 of VMID 2 */
	{ 2, PAGE, true, TLBI_S2_IPA | 2ULL << 32, PAGE },
	{ 2, PAGE, true, TLBI_S2_IPA | 2ULL << 32, PAGE | CMD1_LEAF | 1ULL << 56 | 1ULL << 63 },
	{ 2, PAGE, false, TLBI_S2_IPA | 2ULL << 32, 0 },
	{ 2, PAGE, false, TLBI_S2_IPA | 3ULL << 32, PAGE },
	{ 2, PAGE, true, TLBI_S2_IPA | 2ULL << 32 | 1 << 12, 0 | 1 << 10 },
	{ 2, PAGE, true, TLBI_S12_VMALL | 2ULL << 32, 0 },
	{ 2, PAGE, false, TLBI_S12_VMALL | 3ULL << 32, 0 },
	{ 2, PAGE, false, TLBI_NH_ALL | 2ULL << 32, 0 },
	{ 2, PAGE, false, TLBI_NH_VAA | 2ULL << 32, PAGE },
	{ 2, PAGE, true, TLBI_NSNH_ALL, 0 },
	{ 2, PAGE, true, CFGI_STE | 0x12ULL << 32, 0 },
	/* both, of VMID 3, ASID 3: by virtual address, or by all that there is */
	{ 3, PAGE, true, TLBI_NH_VA | 3ULL << 48 | 3ULL << 32, PAGE },
	{ 3, PAGE, true, TLBI_NH_ALL | 3ULL << 32, 0 },
	{ 3, PAGE, false, TLBI_NH_ALL, 0 },
	{ 3, PAGE, true, TLBI_S12_VMALL | 3ULL << 32, 0 },
	{ 3, PAGE, true, TLBI_NSNH_ALL, 0 },
	{ 3, PAGE, true, CFGI_CD | 0x13ULL << 32, 0 },
};

static void reach_pages(u64 first, u64 nr)
{
	for (u64 i = 0; i < nr; i++) {
		fake_smmu_map(&f, root, first + i * PAGE, D, FAKE_S1_RW);
		cr_assert(eq(u64, fake_smmu_gpa(&f, first + i * PAGE, DMA_READ), D));
	}
}

static void take(const struct taken *t)
{
	struct held h;

	begin(&h, t->endpoint, t->iova, 8);
	cr_assert(fake_smmu_command(&f, t->w0, t->w1));
	cr_assert(ne(int, fake_smmu_sync(&f), t->waits), "%#llx %#llx", (unsigned long long)t->w0,
	          (unsigned long long)t->w1);
	let_go(&h);
	cr_assert(is_consumed());
}

Test(smmu_flight, what_each_command_takes_away)
{
	for (const struct taken *t = takings; t < takings + ARRAY_SIZE(takings); t++)
		take(t);
}

Test(smmu_flight, what_each_command_takes_away_among_many)
{
	for (const struct taken *t = takings; t < takings + ARRAY_SIZE(takings); t++) {
		reach_pages(0x40000000, 300);
		take(t);
	}
}

Test(smmu_flight, vmids_of_a_wildcard_are_one)
{
	static const u64 widest[] = { 3, 2, 0, 8, 16 }; /* VMID 3 is first met by VMW 0, 1, 2 */

	for (u32 vmw = 0; vmw < 8; vmw++) {
		const u32 bits = vmw <= 4 ? vmw : 0;

		fake_smmu_write32(&f, CR0, 0xd | vmw << 6);
		for (size_t i = 0; i < ARRAY_SIZE(widest); i++) {
			struct held h;

			begin(&h, 3, PAGE, 8);
			cr_assert(fake_smmu_command(&f, tlbi(TLBI_NH_ALL, widest[i], 0), 0));
			cr_assert(eq(int, fake_smmu_sync(&f), (3 ^ widest[i]) >> bits != 0));
			let_go(&h);
			cr_assert(is_consumed());
		}
	}
}

Test(smmu_flight, commands_after_it_wait_and_syncs_end_in_order)
{
	struct held h[2];

	begin(&h[0], 0, 0, 8);
	begin(&h[1], 0, PAGE, 8);
	fake_smmu_queue(&f, tlbi(TLBI_NH_VA, 0, 1), 0);
	fake_smmu_queue(&f, SYNC | FIELD_PREP(SYNC0_CS, SIG_IRQ), 0);
	fake_smmu_queue(&f, tlbi(TLBI_NH_VA, 0, 1), PAGE);
	fake_smmu_queue(&f, SYNC | FIELD_PREP(SYNC0_CS, SIG_IRQ), 0);
	cr_assert(not(fake_smmu_kick(&f)));
	cr_assert(eq(u32, fake_smmu_read32(&f, CMDQ_CONS), 1));
	let_go(&h[0]);
	cr_assert(eq(u32, fake_smmu_read32(&f, CMDQ_CONS), 3));
	cr_assert(eq(u32, edges[FAKE_SMMU_SYNC_SPI], 1));
	let_go(&h[1]);
	cr_assert(is_consumed());
	cr_assert(eq(u32, edges[FAKE_SMMU_SYNC_SPI], 2));
}

Test(smmu_flight, while_the_queue_is_off_a_transfers_end_consumes_nothing)
{
	struct held h;

	begin(&h, 0, 0, 8);
	cr_assert(fake_smmu_command(&f, TLBI_NSNH_ALL, 0));
	cr_assert(not(fake_smmu_sync(&f)));
	fake_smmu_write32(&f, CR0, CR0_SMMUEN);
	let_go(&h);
	cr_assert(not(is_consumed()));
	fake_smmu_write32(&f, CR0, CR0_SMMUEN | CR0_CMDQEN);
	cr_assert(is_consumed());
}

Test(smmu_flight, another_queue_waits_for_what_was_invalidated_by_the_one_before)
{
	struct held h;

	begin(&h, 0, 0, 8);
	cr_assert(fake_smmu_command(&f, TLBI_NSNH_ALL, 0));
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write32(&f, CMDQ_PROD, 0);
	fake_smmu_write32(&f, CMDQ_CONS, 0);
	fake_smmu_write32(&f, CR0, CR0_CMDQEN);
	f.prod = 0;
	cr_assert(not(fake_smmu_sync(&f)));
	let_go(&h);
	cr_assert(is_consumed());
}

Test(smmu_flight, traffic_that_bypasses_is_nobodys)
{
	struct held off, on;
	u64 ste[8];

	fake_smmu_write32(&f, CR0, CR0_CMDQEN);
	begin(&off, 0, D, 8);
	fake_smmu_write32(&f, CR0, CR0_CMDQEN | CR0_SMMUEN);
	cr_assert(fake_smmu_command(&f, CFGI_STE_RANGE, 31));
	cr_assert(fake_smmu_sync(&f), "no configuration was used");
	fake_smmu_ste_words(&f, ste, CONFIG_TRAFFIC, 0, 0, 0);
	fake_smmu_ste(&f, 0x10, ste);
	begin(&on, 0, D, 8);
	cr_assert(fake_smmu_command(&f, TLBI_NSNH_ALL, 0));
	cr_assert(fake_smmu_sync(&f));
	cr_assert(fake_smmu_command(&f, cfgi(CFGI_STE, 0x10, 0), 0));
	cr_assert(not(fake_smmu_sync(&f)), "one was");
	let_go(&on);
	cr_assert(is_consumed());
	let_go(&off);
}

/* A page that has become writable replaces what a reader uses. */
Test(smmu_flight, what_was_replaced_while_in_use_is_waited_for)
{
	struct held h;

	fake_smmu_map(&f, root, 0, D, FAKE_S1_RO);
	begin(&h, 0, 0, 8);
	fake_smmu_map(&f, root, 0, D, FAKE_S1_RW);
	cr_assert(eq(u64, fake_smmu_gpa(&f, 0, DMA_WRITE), D));
	cr_assert(fake_smmu_command(&f, tlbi(TLBI_NH_VA, 0, 1), 0));
	cr_assert(not(fake_smmu_sync(&f)));
	let_go(&h);
	cr_assert(is_consumed());
}

static struct {
	struct dma_messages messages;
	unsigned int changes;
} listener;

static void changed(struct dma_messages *m)
{
	(void)m;
	listener.changes++;
}

/* Endpoint 0 sends messages to page 3. */
static gpa_t listen(void)
{
	gpa_t gpa = 0;

	listener.messages.changed = changed;
	fake_smmu_dma(&f, 0)->messages = &listener.messages;
	if (dma_doorbell(fake_smmu_dma(&f, 0), 3 * PAGE + 0x40, &gpa) != DMA_OK)
		return 0;
	listener.changes = 0;
	return gpa;
}

Test(smmu_flight, who_sends_messages_is_told_when_their_way_is_taken_away)
{
	fake_smmu_map(&f, root, 3 * PAGE, FAKE_SMMU_DOORBELL & ~0xfffULL, FAKE_S1_RW);
	cr_assert(eq(u64, listen(), FAKE_SMMU_DOORBELL));
	cr_assert(ne(u64, fake_smmu_gpa(&f, 0, DMA_READ), 0));
	cr_assert(fake_smmu_command(&f, tlbi(TLBI_NH_VA, 0, 1), 0));
	cr_assert(zero(u32, listener.changes), "of another page");
	cr_assert(fake_smmu_command(&f, tlbi(TLBI_NH_VA, 0, 1), 3 * PAGE));
	cr_assert(eq(u32, listener.changes, 1));
	listen();
	cr_assert(fake_smmu_command(&f, cfgi(CFGI_STE, 0x10, 0), 0));
	cr_assert(eq(u32, listener.changes, 1));
	listen();
	fake_smmu_write32(&f, CR0, CR0_CMDQEN);
	cr_assert(eq(u32, listener.changes, 1));
	cr_assert(eq(u64, listen(), 3 * PAGE + 0x40));
	fake_smmu_write32(&f, GBPA, GBPA_UPDATE | GBPA_ABORT);
	cr_assert(eq(u32, listener.changes, 1));
	cr_assert(zero(u64, listen()));
}

Test(smmu_flight, what_is_in_use_is_not_forgotten_for_others)
{
	struct held h;

	begin(&h, 0, 0, 8);
	reach_pages(0x40000000, 5000);
	cr_assert(le(u64, fake_smmu_counts(&f).cached, 4096));
	cr_assert(fake_smmu_command(&f, tlbi(TLBI_NH_VA, 0, 1), 0));
	cr_assert(not(fake_smmu_sync(&f)));
	let_go(&h);
	cr_assert(is_consumed());
	cr_assert(fake_smmu_command(&f, TLBI_NSNH_ALL, 0));
	cr_assert(zero(u64, fake_smmu_counts(&f).cached));
}

Test(smmu_flight, more_than_the_cache_holds_can_be_in_use)
{
	enum { NR = 4500 };
	static struct iovec iov[NR];
	static struct dma_use *uses[NR];
	struct dma_sg sg = { .iov = iov, .uses = uses, .max = NR };
	struct dma_access a = dma_access_to(0x40000000, NR * PAGE, DMA_READ);

	for (u64 i = 0; i < NR; i++)
		fake_smmu_map(&f, root, 0x40000000 + i * PAGE, D + i % 2 * 2 * PAGE, FAKE_S1_RW);
	cr_assert(eq(int, dma_map(fake_smmu_dma(&f, 0), &a, &sg, NULL), DMA_OK));
	cr_assert(eq(u64, fake_smmu_counts(&f).cached, NR));
	cr_assert(fake_smmu_command(&f, tlbi(TLBI_NH_VAA, 0, 0), 0x40000000 + (NR - 1) * PAGE));
	cr_assert(not(fake_smmu_sync(&f)));
	dma_unmap(fake_smmu_dma(&f, 0), &sg);
	cr_assert(is_consumed());
	reach_pages(0x60000000, 20);
	cr_assert(le(u64, fake_smmu_counts(&f).cached, 4096), "it shrinks again");
}

/* 4096 STEs at the end of memory, all but 0x10's of traffic that bypasses. */
static void many_streams(void)
{
	const gpa_t strtab = FAKE_RAM_BASE + FAKE_RAM_SIZE - 0x40000;
	u64 ste[8];

	fake_smmu_ste_words(&f, ste, CONFIG_TRAFFIC, 0, 0, 0);
	for (u64 i = 0; i < 4096; i++)
		fake_smmu_put(&f, strtab + i * 64, ste[0]);
	for (u64 i = 0; i < 8; i++)
		fake_smmu_put(&f, strtab + 0x10 * 64 + i * 8,
		              fake_smmu_get(&f, FAKE_SMMU_STRTAB + 0x10 * 64 + i * 8));
	f.strtab_base = strtab;
	f.strtab_cfg = 12;
	fake_smmu_write32(&f, CR0, CR0_CMDQEN);
	fake_smmu_write64(&f, STRTAB_BASE, f.strtab_base);
	fake_smmu_write32(&f, STRTAB_BASE_CFG, f.strtab_cfg);
	fake_smmu_write32(&f, CR0, CR0_CMDQEN | CR0_SMMUEN);
}

Test(smmu_flight, a_configuration_in_use_is_not_forgotten_for_others)
{
	struct held h;

	many_streams();
	begin(&h, 0, 0, 8);
	for (f.sids[1] = 0x11; f.sids[1] < 4096; f.sids[1]++)
		cr_assert(eq(u64, fake_smmu_reach(&f, 1, D, DMA_READ, DMA_NO_PASID).gpa, D));
	cr_assert(fake_smmu_command(&f, cfgi(CFGI_STE, 0x10, 0), 0));
	cr_assert(not(fake_smmu_sync(&f)));
	let_go(&h);
	cr_assert(is_consumed());
}

Test(smmu_flight, it_may_go_when_a_sync_never_came_to_its_end)
{
	struct held h;

	begin(&h, 0, 0, 8);
	cr_assert(fake_smmu_command(&f, TLBI_NSNH_ALL, 0));
	cr_assert(not(fake_smmu_sync(&f)));
	fake_smmu_write32(&f, CR0, 0);
	let_go(&h);
	begin(&h, 0, D, 8);
	let_go(&h);
}
