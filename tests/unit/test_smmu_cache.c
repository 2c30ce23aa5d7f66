// SPDX-License-Identifier: GPL-2.0-only
/* What the SMMU's caches may keep and what they may not (Arm IHI 0070, 3.17, 3.21, 4.3): faults,
 * permissions, blocks in pieces, configurations, more than there is room for. */
#include "tests/unit/smmu_expect.h"

#define D       FAKE_SMMU_DATA
#define PAGE    0x1000ULL
#define P1      0x10000ULL
#define BLOCK   0x40000000ULL
#define VMID(v) ((u64)(v) << 32)
#define ASID(a) ((u64)(a) << 48)

static struct fake_smmu f;
static gpa_t root, root2;

TestSuite(smmu_cache, .timeout = 20);

/* Stage 1 alone, or over a stage 2 of pages of 4 KiB, each where it is. */
static void start(unsigned int config)
{
	u64 w[8];

	make_afresh(&f, NULL);
	root = fake_smmu_table(&f);
	root2 = fake_smmu_table(&f);
	fake_smmu_cd_words(&f, w, 1, root);
	fake_smmu_cd(&f, 0, w);
	fake_smmu_ste_words(&f, w, config, 0, 1, root2);
	fake_smmu_ste(&f, 0x10, w);
	for (gpa_t at = FAKE_RAM_BASE; at < FAKE_RAM_BASE + FAKE_RAM_SIZE; at += PAGE)
		fake_smmu_map(&f, root2, at, at, FAKE_S2_RW);
	fake_smmu_enable(&f);
}

static u64 hits(void)
{
	return fake_smmu_counts(&f).hits;
}

Test(smmu_cache, faults_are_not_kept)
{
	start(5);
	expect_fault(&f, P1, DMA_READ, DMA_NOT_MAPPED);
	cr_assert(eq(u32, event_id(&f), F_TRANSLATION));
	cr_assert(zero(u64, fake_smmu_counts(&f).cached));
	fake_smmu_map(&f, root, P1, D, FAKE_S1_RW & ~BIT(10));
	expect_fault(&f, P1, DMA_READ, DMA_NOT_PERMITTED);
	cr_assert(eq(u32, event_id(&f), F_ACCESS));
	fake_smmu_map(&f, root, P1, D, FAKE_S1_RW);
	expect_reached(&f, P1, DMA_WRITE, D);
	fake_smmu_unmake(&f);
}

/* What was not permitted is walked for again. */
Test(smmu_cache, permissions_that_grow_are_seen)
{
	start(5);
	fake_smmu_map(&f, root, P1, D, FAKE_S1_RO);
	expect_reached(&f, P1, DMA_READ, D);
	expect_fault(&f, P1, DMA_WRITE, DMA_NOT_PERMITTED);
	cr_assert(eq(u32, event_id(&f), F_PERMISSION));
	fake_smmu_map(&f, root, P1, D, FAKE_S1_RW);
	expect_reached(&f, P1, DMA_WRITE, D);
	cr_assert(zero(u64, hits()));
	expect_reached(&f, P1, DMA_WRITE, D);
	cr_assert(eq(u64, hits(), 1));
	cr_assert(eq(u64, fake_smmu_counts(&f).cached, 1));
	fake_smmu_unmake(&f);
}

Test(smmu_cache, permissions_that_shrink_are_seen_when_told)
{
	start(5);
	fake_smmu_map(&f, root, P1, D, FAKE_S1_RW);
	expect_reached(&f, P1, DMA_READ, D);
	fake_smmu_map(&f, root, P1, D, FAKE_S1_RO);
	cr_assert(fake_smmu_command(&f, TLBI_NH_VA | VMID(1) | ASID(1), P1 | 1));
	expect_fault(&f, P1, DMA_WRITE, DMA_NOT_PERMITTED);
	fake_smmu_unmake(&f);
}

/* A read does not make a page writable without its being marked. */
Test(smmu_cache, the_first_write_is_seen_by_the_tables)
{
	u64 w[8];
	gpa_t entry;

	start(5);
	fake_smmu_cd_words(&f, w, 1, root);
	w[0] |= CD0_HA | CD0_HD;
	fake_smmu_cd(&f, 0, w);
	fake_smmu_map(&f, root, P1, D, FAKE_S1_RO | BIT(51));
	entry = fake_smmu_entry(&f, root, 1, 3, P1);
	expect_reached(&f, P1, DMA_READ, D);
	cr_assert(eq(u64, fake_smmu_get(&f, entry), D | FAKE_S1_RO | BIT(51)));
	expect_reached(&f, P1, DMA_WRITE, D);
	cr_assert(eq(u64, fake_smmu_get(&f, entry), D | FAKE_S1_RW | BIT(51)));
	cr_assert(zero(u64, hits()));
	expect_reached(&f, P1, DMA_WRITE, D);
	cr_assert(eq(u64, hits(), 1));
	fake_smmu_unmake(&f);
}

/* A transfer is looked up page by page. */
Test(smmu_cache, hits_are_counted)
{
	start(5);
	fake_smmu_map_at(&f, root, 1, 2, BLOCK, FAKE_RAM_BASE, FAKE_S1_RW);
	for (u64 at = 0; at < 4 * PAGE; at += PAGE)
		expect_reached(&f, BLOCK + (D - FAKE_RAM_BASE) + at, DMA_READ, D + at);
	cr_assert(eq(u64, hits(), 3));
	cr_assert(eq(u64, fake_smmu_counts(&f).walks, 1));
	cr_assert(eq(u64, fake_smmu_counts(&f).cached, 1));
	fake_smmu_unmake(&f);
}

/*
 * A block of stage 1 that stage 2 has in pages is kept in pieces; whoever takes the block away
 * names one address of it.
 */
struct piece_case {
	const char *what;
	u64 w0, w1;
	bool taken;
};

Test(smmu_cache, all_of_a_block_goes_with_any_address_in_it)
{
	static const struct piece_case cases[] = {
		{ "NH_VA", TLBI_NH_VA | VMID(1) | ASID(1), BLOCK, true },
		{ "NH_VA, its end", TLBI_NH_VA | VMID(1) | ASID(1), BLOCK + 0x1ff000, true },
		{ "NH_VA, by its level", TLBI_NH_VA | VMID(1) | ASID(1),
		  BLOCK | 1 << 10 | 2 << 8 | 1, true },
		{ "NH_VAA", TLBI_NH_VAA | VMID(1), BLOCK + 0x100000, true },
		{ "NH_VA, after it", TLBI_NH_VA | VMID(1) | ASID(1), BLOCK + 0x200000, false },
		{ "NH_VA, before it", TLBI_NH_VA | VMID(1) | ASID(1), BLOCK - PAGE, false },
		{ "NH_VA, a range into it", TLBI_NH_VA | VMID(1) | ASID(1) | 1 << 12,
		  (BLOCK - PAGE) | 1 << 10, true },
		{ "NH_VA, another ASID", TLBI_NH_VA | VMID(1) | ASID(2), BLOCK, false },
	};
	const u64 at = BLOCK + (D - FAKE_RAM_BASE);

	for (unsigned int full = 0; full < 2; full++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			const struct piece_case *c = &cases[i];

			start(7);
			for (u64 p = 0; full && p < 64; p++) {
				fake_smmu_map(&f, root, p * PAGE, D, FAKE_S1_RW);
				expect_reached(&f, p * PAGE, DMA_READ, D);
			}
			fake_smmu_map_at(&f, root, 1, 2, BLOCK, FAKE_RAM_BASE, FAKE_S1_RW);
			expect_reached(&f, at, DMA_READ, D);
			expect_reached(&f, at + PAGE, DMA_READ, D + PAGE);
			fake_smmu_map_at(&f, root, 1, 2, BLOCK, 0, 0);
			cr_assert(fake_smmu_command(&f, c->w0, c->w1));
			cr_assert(eq(u64, fake_smmu_gpa(&f, at, DMA_READ), c->taken ? 0 : D), "%s",
			          c->what);
			cr_assert(eq(u64, fake_smmu_gpa(&f, at + PAGE, DMA_READ),
			             c->taken ? 0 : D + PAGE),
			          "%s", c->what);
			fake_smmu_unmake(&f);
		}
	}
}

/* A page of 64 KiB in 16 pieces, among so many that each place of it is looked at. */
Test(smmu_cache, all_of_a_large_page_goes_too)
{
	u64 w[8];

	start(7);
	fake_smmu_cd_words(&f, w, 1, root);
	w[0] &= ~(CD0_T0SZ | CD0_TG0);
	w[0] |= FIELD_PREP(CD0_T0SZ, 40ULL) | FIELD_PREP(CD0_TG0, 1ULL); /* level 3 alone */
	fake_smmu_cd(&f, 0, w);
	for (u64 i = 0; i < 16; i++) {
		fake_smmu_put(&f, root + i * 8, D | FAKE_S1_RW);
		for (u64 piece = 0; piece < 16; piece++)
			expect_reached(&f, i << 16 | piece << 12, DMA_READ, D + piece * PAGE);
	}
	cr_assert(eq(u64, fake_smmu_counts(&f).cached, 256));
	cr_assert(fake_smmu_command(&f, TLBI_NH_VA | VMID(1) | ASID(1), 5 << 16 | 8 << 12));
	cr_assert(eq(u64, fake_smmu_counts(&f).cached, 240));
	for (u64 piece = 0; piece < 256; piece++)
		expect_reached(&f, piece << 12, DMA_READ, D + piece % 16 * PAGE);
	cr_assert(eq(u64, hits(), 240));
	fake_smmu_unmake(&f);
}

/* 4.4.3.1: what both stages together made, S2_IPA need not take; VMALL with it does. */
Test(smmu_cache, stage_2_under_stage_1)
{
	start(7);
	fake_smmu_map(&f, root, P1, D, FAKE_S1_RW);
	expect_reached(&f, P1, DMA_READ, D);
	fake_smmu_map(&f, root2, D, D + PAGE, FAKE_S2_RW);
	cr_assert(fake_smmu_command(&f, TLBI_S2_IPA | VMID(1), D));
	cr_assert(fake_smmu_command(&f, TLBI_NH_ALL | VMID(1), 0));
	expect_reached(&f, P1, DMA_READ, D + PAGE);
	fake_smmu_unmake(&f);
}

/* More than 4096, then all that is there is right, and what was last is there. */
Test(smmu_cache, more_than_there_is_room_for)
{
	const u64 nr = 4096 + 512;

	start(5);
	for (u64 i = 0; i < nr; i++) {
		fake_smmu_map(&f, root, i * PAGE, D + i % 16 * PAGE, FAKE_S1_RW);
		expect_reached(&f, i * PAGE, DMA_READ, D + i % 16 * PAGE);
	}
	cr_assert(eq(u64, fake_smmu_counts(&f).cached, 4096));
	cr_assert(zero(u64, hits()));
	for (u64 i = 512; i < nr; i++)
		expect_reached(&f, i * PAGE, DMA_READ, D + i % 16 * PAGE);
	cr_assert(eq(u64, hits(), 4096), "the oldest went");
	for (u64 i = 0; i < 512; i++)
		expect_reached(&f, i * PAGE, DMA_READ, D + i % 16 * PAGE);
	cr_assert(eq(u64, hits(), 4096));
	fake_smmu_forget(&f);
	cr_assert(zero(u64, fake_smmu_counts(&f).cached));
	fake_smmu_unmake(&f);
}

/* More than 2048 configurations: each of another PASID. */
Test(smmu_cache, more_configurations_than_there_is_room_for)
{
	const gpa_t table = D + 0x40000; /* 4096 CDs: 256 KiB */
	u64 w[8];

	start(5);
	fake_smmu_map(&f, root, P1, D, FAKE_S1_RW);
	fake_smmu_ste_words(&f, w, 5, 0, 1, 0);
	w[0] = STE0_V | FIELD_PREP(STE0_CONFIG, 5ULL) | FIELD_PREP(STE0_S1CDMAX, 12ULL) | table;
	fake_smmu_ste(&f, 0x10, w);
	fake_smmu_cd_words(&f, w, 1, root);
	for (u32 pasid = 0; pasid < 4096; pasid++)
		for (unsigned int i = 0; i < 2; i++)
			fake_smmu_put(&f, table + pasid * 64 + i * 8, w[i]);
	for (u32 pasid = 0; pasid < 4096; pasid++)
		cr_assert(eq(u64, fake_smmu_reach(&f, 0, P1, DMA_READ, pasid).gpa, D));
	fake_smmu_put(&f, table + 4095 * 64, 0);
	cr_assert(eq(u64, fake_smmu_reach(&f, 0, P1, DMA_READ, 4095).gpa, D), "it is kept");
	cr_assert(fake_smmu_command(&f, CFGI_CD | SID(0x10) | 4095 << 12, 1));
	cr_assert(zero(u64, fake_smmu_reach(&f, 0, P1, DMA_READ, 4095).gpa));
	fake_smmu_unmake(&f);
}

/* CDs 0 to 7: PASIDs 0 to 3 of stream 0x10; those without one of streams 0x11 to 0x13. */
#define NR_CONFIGS 7
static const struct {
	u8 endpoint;
	u32 pasid;
	u8 cd;
} configs[NR_CONFIGS] = {
	{ 0, 0, 0 },
	{ 0, 1, 1 },
	{ 0, 2, 2 },
	{ 0, 3, 3 },
	{ 1, DMA_NO_PASID, 4 },
	{ 2, DMA_NO_PASID, 5 },
	{ 3, DMA_NO_PASID, 6 },
};

static void make_configs(void)
{
	u64 w[8];

	start(5);
	fake_smmu_map(&f, root, P1, D, FAKE_S1_RW);
	fake_smmu_cd_words(&f, w, 1, root);
	for (unsigned int i = 0; i < 8; i++)
		fake_smmu_cd(&f, i, w);
	for (unsigned int i = 0; i < 4; i++) {
		fake_smmu_ste_words(&f, w, 5, i ? 3 + i : 0, 1, 0);
		w[0] |= i ? 0 : FIELD_PREP(STE0_S1CDMAX, 2ULL);
		fake_smmu_ste(&f, 0x10 + i, w);
	}
}

static bool works(unsigned int i)
{
	return fake_smmu_reach(&f, configs[i].endpoint, P1, DMA_READ, configs[i].pasid).gpa == D;
}

struct cfgi_case {
	const char *what;
	u64 w0, w1, takes;
};

static const struct cfgi_case cfgi_cases[] = {
	{ "nothing", SYNC, 0, 0 },
	{ "CFGI_STE", CFGI_STE | SID(0x11), 1, BIT(4) },
	{ "CFGI_STE, not Leaf", CFGI_STE | SID(0x11), 0, BIT(4) },
	{ "CFGI_STE, of PASIDs", CFGI_STE | SID(0x10), 1, 0xf },
	{ "CFGI_STE, another", CFGI_STE | SID(0x14), 1, 0 },
	{ "CFGI_STE_RANGE of two", CFGI_STE_RANGE | SID(0x13), 0, BIT(5) | BIT(6) },
	{ "CFGI_STE_RANGE of four", CFGI_STE_RANGE | SID(0x13), 1, 0x7f },
	{ "CFGI_STE_RANGE of four, others", CFGI_STE_RANGE | SID(0x17), 1, 0 },
	{ "CFGI_STE_RANGE of all but half", CFGI_STE_RANGE | SID(1u << 31), 30, 0 },
	{ "CFGI_ALL", CFGI_STE_RANGE | SID(1u << 31), 31, 0x7f },
	{ "CFGI_CD", CFGI_CD | SID(0x10) | 2 << 12, 1, BIT(2) },
	{ "CFGI_CD, not Leaf", CFGI_CD | SID(0x10) | 2 << 12, 0, BIT(2) },
	{ "CFGI_CD, 0", CFGI_CD | SID(0x10), 1, BIT(0) },
	{ "CFGI_CD, the only one", CFGI_CD | SID(0x12), 1, BIT(5) },
	{ "CFGI_CD, of another stream", CFGI_CD | SID(0x14), 1, 0 },
	{ "CFGI_CD_ALL", CFGI_CD_ALL | SID(0x10), 0, 0xf },
	{ "CFGI_CD_ALL, the only one", CFGI_CD_ALL | SID(0x13), 0, BIT(6) },
	{ "TLBI", TLBI_NSNH_ALL, 0, 0 },
};

Test(smmu_cache, which_configurations_go)
{
	for (size_t i = 0; i < ARRAY_SIZE(cfgi_cases); i++) {
		const struct cfgi_case *c = &cfgi_cases[i];

		make_configs();
		for (unsigned int n = 0; n < NR_CONFIGS; n++)
			cr_assert(works(n), "%u", n);
		for (unsigned int cd = 0; cd < 8; cd++)
			fake_smmu_put(&f, FAKE_SMMU_CDS + cd * 64, 0);
		cr_assert(fake_smmu_command(&f, c->w0, c->w1));
		for (unsigned int n = 0; n < NR_CONFIGS; n++)
			cr_assert(eq(int, works(n), !(c->takes & BIT(n))), "%s: %u", c->what, n);
		fake_smmu_unmake(&f);
	}
}

/* With S1DSS 0b10, what has no PASID is CD 0's. */
Test(smmu_cache, the_cd_of_those_without_pasid)
{
	u64 w[8];

	make_configs();
	fake_smmu_ste_words(&f, w, 5, 0, 1, 0);
	w[0] |= FIELD_PREP(STE0_S1CDMAX, 2ULL);
	w[1] = S1DSS_SSID0;
	fake_smmu_ste(&f, 0x10, w);
	expect_reached(&f, P1, DMA_READ, D);
	fake_smmu_put(&f, FAKE_SMMU_CDS, 0);
	cr_assert(fake_smmu_command(&f, CFGI_CD | SID(0x10) | 1 << 12, 1));
	expect_reached(&f, P1, DMA_READ, D);
	cr_assert(fake_smmu_command(&f, CFGI_CD | SID(0x10), 1));
	cr_assert(zero(u64, fake_smmu_gpa(&f, P1, DMA_READ)));
	fake_smmu_unmake(&f);
}

/* A StreamID that an endpoint no longer has, is not what it is known by. */
Test(smmu_cache, a_stream_id_may_change)
{
	make_configs();
	fake_smmu_put(&f, FAKE_SMMU_CDS + 4 * 64, 0);
	f.sids[0] = 0x12;
	expect_reached(&f, P1, DMA_READ, D);
	f.sids[0] = 0x11;
	cr_assert(zero(u64, fake_smmu_gpa(&f, P1, DMA_READ)));
	f.sids[0] = 0x12;
	cr_assert(eq(u64, fake_smmu_gpa(&f, P1, DMA_READ), D));
	fake_smmu_unmake(&f);
}
