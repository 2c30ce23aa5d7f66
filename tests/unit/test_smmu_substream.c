// SPDX-License-Identifier: GPL-2.0-only
/* PASIDs (Arm IHI 0070, 5.2, 5.3): which CD is a SubstreamID's, or of a transaction without one;
 * CD tables, linear and in two levels. */
#include "tests/unit/smmu_expect.h"

#define D      FAKE_SMMU_DATA
#define TABLE  (D + 0x10000) /* of CDs, or of L1CDs */
#define LEAF   (D + 0x20000) /* of CDs; aligned to 64 KiB */
#define NO_RAM 0x40000000ULL
#define IOVA   0x1000ULL /* it is at D + CD's number * 4 KiB */
#define BLOCK  FAKE_RAM_BASE

static struct fake_smmu f;

TestSuite(smmu_substream, .timeout = 20);

static void start(const struct smmu_id *id)
{
	make_afresh(&f, id);
	fake_smmu_enable(&f);
}

/* S1CDMax, S1Fmt, S1DSS. */
static void put_ste(unsigned int config, unsigned int cdmax, unsigned int fmt, unsigned int dss,
                    u64 ptr)
{
	gpa_t root2 = fake_smmu_table(&f);
	u64 w[8];

	fake_smmu_map_at(&f, root2, 1, 2, BLOCK, BLOCK, FAKE_S2_RW);
	fake_smmu_ste_words(&f, w, config, 0, 0, root2);
	w[0] = STE0_V | FIELD_PREP(STE0_CONFIG, (u64)config) | FIELD_PREP(STE0_S1FMT, (u64)fmt) |
	       FIELD_PREP(STE0_S1CDMAX, (u64)cdmax) | ptr;
	w[1] = dss;
	fake_smmu_ste(&f, 0x10, w);
	fake_smmu_forget(&f);
}

static void put_cd(gpa_t at, u16 nr)
{
	const gpa_t root = fake_smmu_table(&f);
	u64 w[8];

	fake_smmu_map(&f, root, IOVA, D + nr * 0x1000, FAKE_S1_RW);
	fake_smmu_cd_words(&f, w, nr, root);
	for (unsigned int i = 0; i < 8; i++)
		fake_smmu_put(&f, at + i * 8, w[i]);
}

static void expect_cd(u32 pasid, u16 nr)
{
	cr_assert(eq(u64, fake_smmu_reach(&f, 0, IOVA, DMA_READ, pasid).gpa, D + nr * 0x1000));
	expect_no_event(&f);
}

static void expect_refused(u32 pasid, u64 w0, u64 w3)
{
	const struct fake_smmu_reached got = fake_smmu_reach(&f, 0, IOVA, DMA_READ, pasid);

	cr_assert(eq(int, got.reason, DMA_NOT_ATTACHED));
	expect_event(&f, w0 | SID(0x10), 0, 0, w3);
	expect_no_event(&f);
}

static void expect_bad(u32 pasid)
{
	expect_refused(pasid, C_BAD_SUBSTREAMID | (u64)pasid << 12, 0);
}

Test(smmu_substream, a_linear_table)
{
	start(NULL);
	put_cd(TABLE, 0);
	put_cd(TABLE + 3 * 64, 3);
	put_ste(5, 2, 0, S1DSS_TERMINATE, TABLE);
	expect_cd(0, 0);
	expect_cd(3, 3);
	expect_refused(1, C_BAD_CD | SSID(1), 0);
	expect_bad(4);
	expect_bad(0xfffff);
	fake_smmu_unmake(&f);
}

Test(smmu_substream, format_3_is_linear_and_a_table_is_aligned_to_its_size)
{
	start(NULL);
	put_cd(TABLE + 3 * 64, 3);
	put_ste(5, 2, 3, S1DSS_TERMINATE, TABLE | 0xc0);
	expect_cd(3, 3);
	fake_smmu_unmake(&f);
}

Test(smmu_substream, where_there_is_one_cd_there_are_no_pasids)
{
	const struct smmu_id id = fake_smmu_id("idr1.ssidsize", 0);

	start(NULL);
	put_cd(TABLE, 1);
	put_ste(5, 0, 1, S1DSS_SSID0, TABLE); /* S1Fmt and S1DSS are IGNORED */
	expect_cd(DMA_NO_PASID, 1);
	expect_bad(0);
	expect_bad(5);
	fake_smmu_unmake(&f);
	start(&id);
	put_cd(TABLE, 1);
	put_ste(5, 6, 2, S1DSS_TERMINATE, TABLE);
	expect_cd(DMA_NO_PASID, 1);
	expect_bad(0);
	fake_smmu_unmake(&f);
}

Test(smmu_substream, without_stage_1_there_are_no_pasids)
{
	start(NULL);
	put_ste(4, 6, 0, S1DSS_SSID0, TABLE);
	expect_bad(0);
	put_ste(6, 6, 0, S1DSS_SSID0, TABLE);
	expect_bad(1);
	fake_smmu_unmake(&f);
}

struct dss_case {
	u8 dss;
	u32 none, zero; /* the event, without a PASID and with PASID 0; 0: it translates by CD 0 */
};

Test(smmu_substream, s1dss)
{
	static const struct dss_case cases[] = {
		{ S1DSS_TERMINATE, F_STREAM_DISABLED, 0 },
		{ S1DSS_SSID0, 0, F_STREAM_DISABLED },
		{ 3, F_STREAM_DISABLED, 0 },
	};

	start(NULL);
	put_cd(TABLE, 0);
	put_cd(TABLE + 64, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_ste(5, 1, 0, cases[i].dss, TABLE);
		if (cases[i].none)
			expect_refused(DMA_NO_PASID, cases[i].none, 0);
		else
			expect_cd(DMA_NO_PASID, 0);
		if (cases[i].zero)
			expect_refused(0, cases[i].zero, 0);
		else
			expect_cd(0, 0);
		expect_cd(1, 1);
	}
	fake_smmu_unmake(&f);
}

/* No CD is looked at. */
Test(smmu_substream, s1dss_may_bypass_stage_1)
{
	start(NULL);
	put_cd(TABLE + 64, 1);
	put_ste(5, 1, 0, S1DSS_BYPASS, TABLE);
	expect_reached(&f, D + 0x5000, DMA_WRITE, D + 0x5000);
	expect_cd(1, 1);
	expect_refused(0, C_BAD_CD | SSID(0), 0);
	expect_fault(&f, BIT(44), DMA_WRITE, DMA_NOT_MAPPED);
	expect_event(&f, F_ADDR_SIZE | SID(0x10), CLASS(CLASS_IN), BIT(44), 0);
	fake_smmu_unmake(&f);
}

Test(smmu_substream, what_bypasses_stage_1_may_have_stage_2)
{
	start(NULL);
	put_cd(TABLE + 64, 1);
	put_ste(7, 1, 0, S1DSS_BYPASS, TABLE);
	expect_reached(&f, D + 0x5000, DMA_READ, D + 0x5000);
	expect_cd(1, 1);
	expect_fault(&f, IOVA, DMA_READ, DMA_NOT_MAPPED);
	expect_event(&f, F_TRANSLATION | SID(0x10), EVT1_RNW | EVT1_S2 | CLASS(CLASS_IN), IOVA,
	             IOVA);
	expect_fault(&f, BIT(44) | D, DMA_READ, DMA_NOT_MAPPED);
	expect_event(&f, F_ADDR_SIZE | SID(0x10), EVT1_RNW | CLASS(CLASS_IN), BIT(44) | D, 0);
	fake_smmu_unmake(&f);
}

/* Of either leaf: log2 of its CDs. */
static void two_levels(unsigned int fmt, unsigned int low)
{
	const u32 second = 1u << low;

	start(NULL);
	put_cd(LEAF, 0);
	put_cd(LEAF + 5 * 64, 5);
	put_cd(LEAF + (second - 1) * 64ULL, 7);
	fake_smmu_put(&f, TABLE + 8, LEAF | L1CD_V);
	put_ste(5, low + 2, fmt, S1DSS_TERMINATE, TABLE);
	expect_cd(second, 0);
	expect_cd(second + 5, 5);
	expect_cd(2 * second - 1, 7);
	expect_refused(second + 6, C_BAD_CD | SSID(second + 6), 0);
	expect_bad(0);
	expect_bad(2 * second);
	expect_bad(4 * second);
	fake_smmu_unmake(&f);
}

Test(smmu_substream, two_levels_with_leaves_of_4_kib)
{
	two_levels(1, 6);
}

Test(smmu_substream, two_levels_with_leaves_of_64_kib)
{
	two_levels(2, 10);
}

Test(smmu_substream, a_small_table_has_one_leaf)
{
	for (unsigned int fmt = 1; fmt < 3; fmt++) {
		start(NULL);
		put_cd(LEAF + 15 * 64, 5);
		fake_smmu_put(&f, TABLE, LEAF | L1CD_V | 0xffe);
		put_ste(5, 4, fmt, S1DSS_TERMINATE, TABLE);
		expect_cd(15, 5);
		expect_bad(16);
		fake_smmu_unmake(&f);
	}
}

/* To its size: 64 descriptors are 512 bytes, 4 are 64 bytes all the same. */
Test(smmu_substream, the_first_level_is_aligned)
{
	start(NULL);
	put_cd(LEAF + 64, 5);
	fake_smmu_put(&f, TABLE + 3 * 8, LEAF | L1CD_V);
	put_ste(5, 12, 1, S1DSS_TERMINATE, TABLE | 0x1c0);
	expect_cd(3 * 64 + 1, 5);
	put_ste(5, 16, 2, S1DSS_TERMINATE, TABLE | 0x1c0);
	expect_cd(3 * 1024 + 1, 5);
	fake_smmu_put(&f, TABLE + 0x40 + 3 * 8, LEAF | L1CD_V);
	fake_smmu_put(&f, TABLE + 3 * 8, 0);
	put_ste(5, 8, 1, S1DSS_TERMINATE, TABLE | 0x40);
	expect_cd(3 * 64 + 1, 5);
	fake_smmu_unmake(&f);
}

/* 3.4.3 (3): the index is reported, of a transaction without a PASID too. */
Test(smmu_substream, a_leaf_out_of_range)
{
	start(NULL);
	fake_smmu_put(&f, TABLE, BIT(44) | LEAF | L1CD_V);
	put_ste(5, 6, 1, S1DSS_SSID0, TABLE);
	expect_refused(DMA_NO_PASID, C_BAD_SUBSTREAMID, 0);
	expect_bad(3);
	fake_smmu_put(&f, TABLE, LEAF);
	expect_refused(DMA_NO_PASID, C_BAD_SUBSTREAMID, 0);
	expect_bad(3);
	expect_refused(0, F_STREAM_DISABLED, 0);
	fake_smmu_unmake(&f);
}

Test(smmu_substream, what_is_not_in_ram_is_not_fetched)
{
	start(NULL);
	put_ste(5, 8, 0, S1DSS_SSID0, NO_RAM);
	expect_refused(DMA_NO_PASID, F_CD_FETCH, NO_RAM);
	expect_refused(3, F_CD_FETCH | SSID(3), NO_RAM + 3 * 64);
	put_ste(5, 12, 1, S1DSS_SSID0, NO_RAM);
	expect_refused(64 * 3, F_CD_FETCH | SSID(64 * 3), NO_RAM + 3 * 8);
	fake_smmu_put(&f, TABLE + 3 * 8, NO_RAM | L1CD_V);
	put_ste(5, 12, 1, S1DSS_SSID0, TABLE);
	expect_refused(64 * 3 + 2, F_CD_FETCH | SSID(64 * 3 + 2), NO_RAM + 2 * 64);
	fake_smmu_unmake(&f);
}

/* What was found out is not kept where it was no success. */
Test(smmu_substream, what_was_not_there_is_looked_for_again)
{
	start(NULL);
	fake_smmu_put(&f, TABLE, 0);
	put_ste(5, 8, 1, S1DSS_SSID0, TABLE);
	expect_bad(3);
	fake_smmu_put(&f, TABLE, LEAF | L1CD_V);
	expect_refused(3, C_BAD_CD | SSID(3), 0);
	put_cd(LEAF + 3 * 64, 2);
	expect_cd(3, 2);
	fake_smmu_unmake(&f);
}
