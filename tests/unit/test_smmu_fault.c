// SPDX-License-Identifier: GPL-2.0-only
/* Faults of translation (Arm IHI 0070, 3.4, 5.5, 7.3, 13.1.1): what is recorded of each, in which
 * order they are found, and what is kept silent. */
#include "tests/unit/smmu_expect.h"

#define D      FAKE_SMMU_DATA
#define PAGE   0x1000ULL
#define NO_RAM 0x40000000ULL
#define VA     (0x12345678000ULL >> 4 & ~0xfffULL) /* with an index at each level */
#define AT     (VA + 0x9a8)
#define IN     CLASS(CLASS_IN)
#define TT     CLASS(CLASS_TT)
#define CD     CLASS(CLASS_CD)
#define S2     EVT1_S2
#define RD     EVT1_RNW
#define AF     BIT(10)

static struct fake_smmu f;
static gpa_t root1, root2;
static u64 ste[8], cd[8];

static void put(void)
{
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_cd(&f, 0, cd);
	fake_smmu_forget(&f);
}

/* VA is at D, through the stages of @config; stage 2 has pages of 4 KiB for all of RAM. */
static void start(unsigned int config)
{
	make_afresh(&f, NULL);
	root1 = fake_smmu_table(&f);
	root2 = fake_smmu_table(&f);
	for (gpa_t at = FAKE_RAM_BASE; at < FAKE_RAM_BASE + FAKE_RAM_SIZE; at += PAGE)
		fake_smmu_map(&f, root2, at, at, FAKE_S2_RW);
	fake_smmu_map(&f, root1, VA, D, FAKE_S1_RW);
	fake_smmu_ste_words(&f, ste, config, 0, 0, root2);
	fake_smmu_cd_words(&f, cd, 0, root1);
	fake_smmu_enable(&f);
	put();
}

static void stop(void)
{
	expect_no_event(&f);
	fake_smmu_unmake(&f);
}

TestSuite(smmu_fault, .timeout = 20);

/* One fault, of @perm at @iova: everything that is recorded of it. */
static void expect(u64 iova, u32 perm, enum dma_reason reason, u32 id, u64 w1, u64 w3)
{
	expect_fault(&f, iova, perm, reason);
	expect_event(&f, id | SID(0x10), w1, iova, w3);
}

static gpa_t entry1(int level)
{
	return fake_smmu_entry(&f, root1, 1, level, VA);
}

static gpa_t entry2(int level, u64 ipa)
{
	return fake_smmu_entry(&f, root2, 1, level, ipa);
}

Test(smmu_fault, it_says_what_the_access_was)
{
	start(5);
	expect(AT + PAGE, DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, RD | IN, 0);
	expect(AT + PAGE, DMA_WRITE, DMA_NOT_MAPPED, F_TRANSLATION, IN, 0);
	expect(AT + PAGE, DMA_READ | DMA_WRITE, DMA_NOT_MAPPED, F_TRANSLATION, IN, 0);
	expect(AT + PAGE, DMA_EXEC, DMA_NOT_MAPPED, F_TRANSLATION, RD | EVT1_IND | IN, 0);
	expect(AT + PAGE, DMA_READ | DMA_EXEC, DMA_NOT_MAPPED, F_TRANSLATION, RD | EVT1_IND | IN,
	       0);
	ste[1] = FIELD_PREP(STE1_PRIVCFG, 3ULL) | FIELD_PREP(STE1_INSTCFG, 3ULL);
	put();
	expect(AT + PAGE, DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, RD | EVT1_IND | EVT1_PNU | IN,
	       0);
	expect(AT + PAGE, DMA_WRITE, DMA_NOT_MAPPED, F_TRANSLATION, EVT1_PNU | IN, 0);
	stop();
}

Test(smmu_fault, it_says_whose_it_was)
{
	start(5);
	ste[0] |= FIELD_PREP(STE0_S1CDMAX, 1ULL);
	put();
	cr_assert(eq(int, fake_smmu_reach(&f, 0, PAGE, DMA_READ, 0).reason, DMA_NOT_MAPPED));
	expect_event(&f, F_TRANSLATION | SID(0x10) | SSID(0), RD | IN, PAGE, 0);
	stop();
}

Test(smmu_fault, stage_1_in_its_order)
{
	start(5);
	/* From the last that is looked at to the first. */
	fake_smmu_put(&f, entry1(3), D | (FAKE_S1_RO));
	expect(AT, DMA_WRITE, DMA_NOT_PERMITTED, F_PERMISSION, IN, 0);
	fake_smmu_put(&f, entry1(3), D | (FAKE_S1_RO & ~AF));
	expect(AT, DMA_WRITE, DMA_NOT_PERMITTED, F_ACCESS, IN, 0);
	fake_smmu_put(&f, entry1(3), BIT(44) | D | (FAKE_S1_RO & ~AF));
	expect(AT, DMA_WRITE, DMA_NOT_MAPPED, F_ADDR_SIZE, IN, 0);
	fake_smmu_put(&f, entry1(3), BIT(44) | D | (FAKE_S1_RO & ~AF & ~1ULL));
	expect(AT, DMA_WRITE, DMA_NOT_MAPPED, F_TRANSLATION, IN, 0);
	fake_smmu_put(&f, entry1(2), NO_RAM | 3);
	expect(AT, DMA_WRITE, DMA_NOT_MAPPED, F_WALK_EABT, TT, NO_RAM | (VA >> 12 & 511) << 3);
	fake_smmu_put(&f, entry1(2), BIT(44) | NO_RAM | 3);
	expect(AT, DMA_WRITE, DMA_NOT_MAPPED, F_ADDR_SIZE, IN, 0);
	fake_smmu_put(&f, entry1(1), 0);
	expect(AT, DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, RD | IN, 0);
	expect(AT | BIT(39), DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, RD | IN, 0);
	expect(AT | BIT(63), DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, RD | IN, 0);
	stop();
}

Test(smmu_fault, the_first_table_may_be_missing)
{
	start(5);
	cd[1] = NO_RAM;
	put();
	expect(AT, DMA_READ, DMA_NOT_MAPPED, F_WALK_EABT, RD | TT, NO_RAM | VA >> 30 << 3);
	stop();
}

Test(smmu_fault, cd_r_keeps_four_of_them_silent)
{
	start(5);
	cd[0] &= ~CD0_R;
	put();
	expect_fault(&f, AT + PAGE, DMA_READ, DMA_NOT_MAPPED);
	fake_smmu_put(&f, entry1(3), D | FAKE_S1_RO);
	expect_fault(&f, AT, DMA_WRITE, DMA_NOT_PERMITTED);
	fake_smmu_put(&f, entry1(3), D | (FAKE_S1_RW & ~AF));
	expect_fault(&f, AT, DMA_WRITE, DMA_NOT_PERMITTED);
	fake_smmu_put(&f, entry1(3), BIT(44) | FAKE_S1_RW);
	expect_fault(&f, AT, DMA_WRITE, DMA_NOT_MAPPED);
	expect_no_event(&f);
	cd[1] = NO_RAM;
	put();
	expect(AT, DMA_WRITE, DMA_NOT_MAPPED, F_WALK_EABT, TT, NO_RAM | VA >> 30 << 3);
	stop();
}

Test(smmu_fault, stage_2_in_its_order)
{
	const u64 w1 = S2 | IN;

	start(6);
	fake_smmu_put(&f, entry2(3, D), D | FAKE_S2_RO);
	expect(D + 5, DMA_WRITE, DMA_NOT_PERMITTED, F_PERMISSION, w1, D);
	fake_smmu_put(&f, entry2(3, D), D | (FAKE_S2_RO & ~AF));
	expect(D + 5, DMA_WRITE, DMA_NOT_PERMITTED, F_ACCESS, w1, D);
	fake_smmu_put(&f, entry2(3, D), BIT(44) | D | (FAKE_S2_RO & ~AF));
	expect(D + 5, DMA_WRITE, DMA_NOT_MAPPED, F_ADDR_SIZE, w1, D);
	fake_smmu_put(&f, entry2(3, D), 0);
	expect(D + 5, DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, w1 | RD, D);
	fake_smmu_put(&f, entry2(2, D), NO_RAM | 3);
	expect(D + 5, DMA_READ, DMA_NOT_MAPPED, F_WALK_EABT, w1 | RD,
	       NO_RAM | (D >> 12 & 511) << 3);
	fake_smmu_put(&f, entry2(1, D), BIT(44) | 3);
	expect(D + 5, DMA_READ, DMA_NOT_MAPPED, F_ADDR_SIZE, w1 | RD, D);
	expect(BIT(39) | D, DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, w1 | RD, BIT(39) | D);
	/* What stage 1 would bypass has to be an IPA, at all. */
	expect(BIT(44) | D, DMA_READ, DMA_NOT_MAPPED, F_ADDR_SIZE, IN | RD, 0);
	stop();
}

Test(smmu_fault, s2r_keeps_four_of_them_silent)
{
	start(6);
	ste[2] &= ~STE2_S2R;
	put();
	expect_fault(&f, BIT(39), DMA_READ, DMA_NOT_MAPPED);
	fake_smmu_put(&f, entry2(3, D), D | FAKE_S2_RO);
	expect_fault(&f, D, DMA_WRITE, DMA_NOT_PERMITTED);
	fake_smmu_put(&f, entry2(3, D), D | (FAKE_S2_RW & ~AF));
	expect_fault(&f, D, DMA_WRITE, DMA_NOT_PERMITTED);
	fake_smmu_put(&f, entry2(3, D), BIT(44) | FAKE_S2_RW);
	expect_fault(&f, D, DMA_WRITE, DMA_NOT_MAPPED);
	expect_no_event(&f);
	expect(BIT(44), DMA_READ, DMA_NOT_MAPPED, F_ADDR_SIZE, IN | RD, 0); /* of stage 1 */
	fake_smmu_put(&f, entry2(2, D), NO_RAM | 3);
	expect(D, DMA_READ, DMA_NOT_MAPPED, F_WALK_EABT, S2 | IN | RD,
	       NO_RAM | (D >> 12 & 511) << 3);
	stop();
}

/* 13.1.1: of atomics, RnW is 1 where the write is allowed, and the read is not. */
struct atomic_case {
	const char *what;
	u64 page; /* of stage 2 */
	u32 perm;
	bool hd, reached, rnw;
};

static const struct atomic_case atomic_cases[] = {
	{ "to what can be read", FAKE_S2_RO, DMA_READ | DMA_WRITE, false, false, false },
	{ "to what can be written", FAKE_S2_RW & ~BIT(6), DMA_READ | DMA_WRITE, false, false,
	  true },
	{ "to neither", FAKE_S2_RW & ~(3ULL << 6), DMA_READ | DMA_WRITE, false, false, false },
	{ "to what becomes writable", (FAKE_S2_RW & ~(3ULL << 6)) | BIT(51), DMA_READ | DMA_WRITE,
	  true, false, true },
	{ "to what would, with HD", (FAKE_S2_RW & ~(3ULL << 6)) | BIT(51), DMA_READ | DMA_WRITE,
	  false, false, false },
	{ "to both", FAKE_S2_RW, DMA_READ | DMA_WRITE, false, true, false },
	{ "a write to what can be written", FAKE_S2_RW & ~BIT(6), DMA_WRITE, false, true, false },
	{ "a read of it", FAKE_S2_RW & ~BIT(6), DMA_READ, false, false, true },
	{ "a write of what can be read", FAKE_S2_RO, DMA_WRITE, false, false, false },
	{ "AF 0", FAKE_S2_RW & ~(BIT(6) | AF), DMA_READ | DMA_WRITE, false, false, false },
};

Test(smmu_fault, atomic_accesses)
{
	for (unsigned int config = 6; config < 8; config++) {
		for (size_t i = 0; i < ARRAY_SIZE(atomic_cases); i++) {
			const struct atomic_case *c = &atomic_cases[i];
			const u64 at = config == 7 ? AT : D;
			u64 w[4];

			start(config);
			ste[2] |= c->hd ? STE2_S2HA | STE2_S2HD : 0;
			put();
			fake_smmu_put(&f, entry2(3, D), D | c->page);
			cr_assert(eq(int, !!fake_smmu_gpa(&f, at, c->perm), c->reached), "%s",
			          c->what);
			cr_assert(eq(int, fake_smmu_event(&f, w), !c->reached), "%s", c->what);
			cr_assert(eq(u64, c->reached ? 0 : w[1],
			             c->reached ? 0 : S2 | IN | (c->rnw ? RD : 0)),
			          "%s", c->what);
			stop();
		}
	}
}

Test(smmu_fault, atomic_accesses_of_stage_1)
{
	start(5);
	fake_smmu_put(&f, entry1(3), D | FAKE_S1_RO);
	expect(AT, DMA_READ | DMA_WRITE, DMA_NOT_PERMITTED, F_PERMISSION, IN, 0);
	stop();
}

Test(smmu_fault, nested_faults_of_the_cd)
{
	const gpa_t cds = FAKE_SMMU_CDS;

	start(7);
	fake_smmu_put(&f, entry2(3, cds), cds | (FAKE_S2_RW & ~BIT(6)));
	expect(AT, DMA_WRITE, DMA_NOT_PERMITTED, F_PERMISSION, S2 | CD, cds);
	fake_smmu_put(&f, entry2(3, cds), cds | (FAKE_S2_RW & ~AF));
	expect(AT, DMA_WRITE, DMA_NOT_PERMITTED, F_ACCESS, S2 | CD, cds);
	fake_smmu_put(&f, entry2(3, cds), BIT(44) | FAKE_S2_RW);
	expect(AT, DMA_WRITE, DMA_NOT_MAPPED, F_ADDR_SIZE, S2 | CD, cds);
	fake_smmu_put(&f, entry2(3, cds), 0);
	expect(AT, DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, S2 | CD | RD, cds);
	ste[2] &= ~STE2_S2R;
	put();
	expect_fault(&f, AT, DMA_READ, DMA_NOT_MAPPED);
	expect_no_event(&f);
	fake_smmu_put(&f, entry2(2, cds), NO_RAM | 3);
	expect(AT, DMA_READ, DMA_NOT_MAPPED, F_WALK_EABT, S2 | CD | RD,
	       NO_RAM | (cds >> 12 & 511) << 3);
	stop();
}

/* Of the access as the STE makes it. */
Test(smmu_fault, overrides_count_in_faults_of_the_cd)
{
	start(7);
	ste[1] = FIELD_PREP(STE1_PRIVCFG, 3ULL) | FIELD_PREP(STE1_INSTCFG, 3ULL);
	put();
	fake_smmu_put(&f, entry2(3, FAKE_SMMU_CDS), 0);
	expect(AT, DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, S2 | CD | RD | EVT1_PNU | EVT1_IND,
	       FAKE_SMMU_CDS);
	expect(AT, DMA_WRITE, DMA_NOT_MAPPED, F_TRANSLATION, S2 | CD | EVT1_PNU, FAKE_SMMU_CDS);
	ste[1] = FIELD_PREP(STE1_INSTCFG, 2ULL);
	put();
	expect(AT, DMA_EXEC, DMA_NOT_MAPPED, F_TRANSLATION, S2 | CD | RD, FAKE_SMMU_CDS);
	stop();
}

Test(smmu_fault, a_cd_may_be_where_no_ram_is)
{
	start(7);
	ste[0] += 3 * 64;
	put();
	fake_smmu_put(&f, entry2(3, FAKE_SMMU_CDS), NO_RAM | FAKE_S2_RW);
	expect_fault(&f, AT, DMA_READ, DMA_NOT_ATTACHED);
	expect_event(&f, F_CD_FETCH | SID(0x10), 0, 0, NO_RAM + 3 * 64);
	stop();
}

Test(smmu_fault, nested_faults_of_tables)
{
	start(7);
	fake_smmu_put(&f, entry2(3, root1), 0);
	expect(AT, DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, S2 | TT | RD, root1);
	fake_smmu_put(&f, entry2(3, root1), root1 | (FAKE_S2_RW & ~BIT(6)));
	expect(AT, DMA_WRITE, DMA_NOT_PERMITTED, F_PERMISSION, S2 | TT | EVT1_TTRNW, root1);
	fake_smmu_put(&f, entry2(3, root1), root1 | (FAKE_S2_RW & ~AF));
	expect(AT, DMA_WRITE, DMA_NOT_PERMITTED, F_ACCESS, S2 | TT, root1);
	fake_smmu_put(&f, entry2(3, root1), NO_RAM | FAKE_S2_RW);
	expect(AT, DMA_READ, DMA_NOT_MAPPED, F_WALK_EABT, TT | RD, NO_RAM | VA >> 30 << 3);
	fake_smmu_put(&f, entry2(3, root1), root1 | FAKE_S2_RO);
	expect_reached(&f, AT, DMA_READ, D + 0x9a8);
	stop();
}

/* A table's entry is read, and its flags are written: TTRnW is of that, RnW of the access. */
Test(smmu_fault, nested_updates_of_tables)
{
	gpa_t leaf;

	start(7);
	leaf = entry1(3) & ~(PAGE - 1);
	fake_smmu_put(&f, entry1(3), D | (FAKE_S1_RW & ~AF));
	fake_smmu_put(&f, entry2(3, leaf), leaf | FAKE_S2_RO);
	cd[0] |= CD0_HA;
	put();
	expect(AT, DMA_READ, DMA_NOT_PERMITTED, F_PERMISSION, S2 | TT | RD, leaf);
	expect(AT, DMA_WRITE, DMA_NOT_PERMITTED, F_PERMISSION, S2 | TT, leaf);
	fake_smmu_put(&f, entry2(3, leaf), leaf | FAKE_S2_RW);
	expect_reached(&f, AT, DMA_READ, D + 0x9a8);
	cr_assert(eq(u64, fake_smmu_get(&f, entry1(3)), D | FAKE_S1_RW));
	stop();
}

/* Neither of tables nor of CDs, if the STE says so. */
Test(smmu_fault, s2ptw_keeps_from_device_memory)
{
	const u64 device = FAKE_S2_RW & ~(0xfULL << 2);
	gpa_t leaf;

	start(7);
	leaf = entry1(3) & ~(PAGE - 1);
	fake_smmu_put(&f, entry2(3, leaf), leaf | device);
	expect_reached(&f, AT, DMA_READ, D + 0x9a8);
	ste[2] |= STE2_S2PTW;
	put();
	expect(AT + PAGE, DMA_WRITE, DMA_NOT_PERMITTED, F_PERMISSION, S2 | TT | EVT1_TTRNW, leaf);
	fake_smmu_put(&f, entry2(3, leaf), leaf | FAKE_S2_RW);
	fake_smmu_put(&f, entry2(3, D), D | device);
	expect_reached(&f, AT, DMA_READ, D + 0x9a8); /* data may be anywhere */
	fake_smmu_put(&f, entry2(3, FAKE_SMMU_CDS), FAKE_SMMU_CDS | device);
	put();
	expect(AT, DMA_READ, DMA_NOT_PERMITTED, F_PERMISSION, S2 | CD | RD, FAKE_SMMU_CDS);
	stop();
}

Test(smmu_fault, nested_faults_of_the_output)
{
	const u64 w1 = S2 | IN;
	const gpa_t ipa = D + 7 * PAGE;

	start(7);
	fake_smmu_map(&f, root1, VA, ipa, FAKE_S1_RW);
	fake_smmu_put(&f, entry2(3, ipa), D | FAKE_S2_RO);
	expect(AT, DMA_WRITE, DMA_NOT_PERMITTED, F_PERMISSION, w1, ipa);
	expect_reached(&f, AT, DMA_READ, D + 0x9a8);
	fake_smmu_forget(&f);
	fake_smmu_put(&f, entry2(3, ipa), D | (FAKE_S2_RW & ~AF));
	expect(AT, DMA_WRITE, DMA_NOT_PERMITTED, F_ACCESS, w1, ipa);
	fake_smmu_put(&f, entry2(3, ipa), BIT(44) | D | FAKE_S2_RW);
	expect(AT, DMA_WRITE, DMA_NOT_MAPPED, F_ADDR_SIZE, w1, ipa);
	fake_smmu_put(&f, entry2(3, ipa), 0);
	expect(AT, DMA_WRITE, DMA_NOT_MAPPED, F_TRANSLATION, w1, ipa);
	/* Stage 1's own come first, and say nothing of stage 2. */
	fake_smmu_map(&f, root1, VA, ipa, FAKE_S1_RO);
	expect(AT, DMA_WRITE, DMA_NOT_PERMITTED, F_PERMISSION, IN, 0);
	fake_smmu_map(&f, root1, VA, BIT(40), FAKE_S1_RW);
	expect(AT, DMA_WRITE, DMA_NOT_MAPPED, F_TRANSLATION, w1, BIT(40));
	stop();
}

/* Which of R and S2R counts is the fault's stage's. */
Test(smmu_fault, each_stage_has_its_own_silence)
{
	start(7);
	cd[0] &= ~CD0_R;
	put();
	expect_fault(&f, AT + PAGE, DMA_READ, DMA_NOT_MAPPED);
	fake_smmu_put(&f, entry2(3, D), 0);
	expect(AT, DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, S2 | IN | RD, D);
	cd[0] |= CD0_R;
	ste[2] &= ~STE2_S2R;
	put();
	expect_fault(&f, AT, DMA_READ, DMA_NOT_MAPPED);
	fake_smmu_put(&f, entry2(3, root1), 0);
	expect_fault(&f, AT, DMA_READ, DMA_NOT_MAPPED);
	fake_smmu_put(&f, entry2(3, root1), root1 | FAKE_S2_RW);
	expect(AT + PAGE, DMA_READ, DMA_NOT_MAPPED, F_TRANSLATION, IN | RD, 0);
	stop();
}

/* 7.3.22: what is wrong with the configuration is found before what is wrong with the address. */
Test(smmu_fault, configuration_comes_first)
{
	start(5);
	cd[0] &= ~CD0_V;
	cd[1] = NO_RAM;
	ste[0] |= FIELD_PREP(STE0_S1CDMAX, 2ULL);
	put();
	cr_assert(eq(int, fake_smmu_reach(&f, 0, AT, DMA_READ, 4).reason, DMA_NOT_ATTACHED));
	expect_event(&f, C_BAD_SUBSTREAMID | SID(0x10) | 4 << 12, 0, 0, 0);
	expect_fault(&f, AT, DMA_READ, DMA_NOT_ATTACHED);
	expect_event(&f, F_STREAM_DISABLED | SID(0x10), 0, 0, 0);
	cr_assert(eq(int, fake_smmu_reach(&f, 0, AT, DMA_READ, 0).reason, DMA_NOT_ATTACHED));
	expect_event(&f, C_BAD_CD | SID(0x10) | SSID(0), 0, 0, 0);
	ste[1] = FIELD_PREP(STE1_STRW, 1ULL);
	put();
	cr_assert(eq(int, fake_smmu_reach(&f, 0, AT, DMA_READ, 4).reason, DMA_NOT_ATTACHED));
	expect_event(&f, C_BAD_STE | SID(0x10) | SSID(4), 0, 0, 0);
	stop();
}
