// SPDX-License-Identifier: GPL-2.0-only
/* Stream tables (Arm IHI 0070, 3.3.1, 5.1, 6.3.24, 6.3.25): which STE is a StreamID's, linear and
 * in two levels, and what there is none for. */
#include "tests/unit/smmu_expect.h"

#define D      FAKE_SMMU_DATA
#define L1     (D + 0x10000)
#define L2     (D + 0x20000) /* aligned to 128 KiB */
#define NO_RAM 0x40000000ULL

static struct fake_smmu f;

TestSuite(smmu_stream, .timeout = 20);

static void start(const struct smmu_id *id, u64 base, unsigned int fmt, unsigned int split,
                  unsigned int log2size)
{
	make_afresh(&f, id);
	f.strtab_base = base;
	f.strtab_cfg = FIELD_PREP(STRTAB_FMT, (u64)fmt) | FIELD_PREP(STRTAB_SPLIT, (u64)split) |
	               FIELD_PREP(STRTAB_LOG2SIZE, (u64)log2size);
	fake_smmu_write32(&f, CR2, CR2_RECINVSID);
	fake_smmu_enable(&f);
}

/* An STE that bypasses. */
static void put_ste(gpa_t at)
{
	fake_smmu_put(&f, at, STE0_V | FIELD_PREP(STE0_CONFIG, 4ULL));
}

static bool is_found(u32 sid)
{
	f.sids[0] = sid;
	return fake_smmu_gpa(&f, D, DMA_READ) == D;
}

static void expect_none(u32 sid)
{
	cr_assert(not(is_found(sid)), "%#x", sid);
	expect_event(&f, C_BAD_STREAMID | SID(sid), 0, 0, 0);
}

static void expect_fetch(u32 sid, u64 addr)
{
	cr_assert(not(is_found(sid)), "%#x", sid);
	expect_event(&f, F_STE_FETCH | SID(sid), 0, 0, addr);
}

Test(smmu_stream, linear_from_the_first_to_the_last)
{
	start(NULL, L1, 0, 0, 8);
	put_ste(L1);
	put_ste(L1 + 255 * 64);
	cr_assert(is_found(0));
	cr_assert(is_found(255));
	cr_assert(not(is_found(254)));
	expect_event(&f, C_BAD_STE | SID(254), 0, 0, 0);
	expect_none(256);
	expect_none(~0u);
	fake_smmu_unmake(&f);
}

Test(smmu_stream, one_ste)
{
	start(NULL, L1, 0, 0, 0);
	put_ste(L1);
	cr_assert(is_found(0));
	expect_none(1);
	fake_smmu_unmake(&f);
}

Test(smmu_stream, an_event_says_which_pasid_it_was)
{
	start(NULL, L1, 0, 0, 0);
	f.sids[0] = 1;
	cr_assert(eq(int, fake_smmu_reach(&f, 0, D, DMA_READ, 0x12345).reason, DMA_NOT_ATTACHED));
	expect_event(&f, C_BAD_STREAMID | SID(1) | SSID(0x12345), 0, 0, 0);
	f.sids[0] = 0;
	cr_assert(eq(int, fake_smmu_reach(&f, 0, D, DMA_READ, 0).reason, DMA_NOT_ATTACHED));
	expect_event(&f, C_BAD_STE | SSID(0), 0, 0, 0);
	fake_smmu_unmake(&f);
}

Test(smmu_stream, without_recinvsid_nothing_is_said)
{
	start(NULL, L1, 0, 0, 4);
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write32(&f, CR2, 0);
	fake_smmu_enable(&f);
	f.sids[0] = 16;
	expect_fault(&f, D, DMA_READ, DMA_NOT_ATTACHED);
	expect_no_event(&f);
	f.sids[0] = 15;
	expect_fault(&f, D, DMA_READ, DMA_NOT_ATTACHED);
	cr_assert(eq(u32, event_id(&f), C_BAD_STE), "of others it is said");
	fake_smmu_unmake(&f);
}

Test(smmu_stream, beyond_sidsize_there_is_none)
{
	const struct smmu_id id = fake_smmu_id("idr1.sidsize", 4);

	start(&id, L1, 0, 0, 6);
	put_ste(L1 + 15 * 64);
	put_ste(L1 + 16 * 64);
	cr_assert(is_found(15));
	expect_none(16);
	fake_smmu_unmake(&f);
}

/* By LOG2SIZE, even if SIDSIZE is less. */
Test(smmu_stream, a_linear_table_is_aligned_to_its_size)
{
	const struct smmu_id id = fake_smmu_id("idr1.sidsize", 4);

	start(&id, L1 | 0xfc0, 0, 0, 6);
	put_ste(L1 + 3 * 64);
	cr_assert(is_found(3));
	fake_smmu_unmake(&f);
}

Test(smmu_stream, the_largest_table_is_at_0)
{
	start(NULL, L1, 0, 0, 63);
	expect_fetch(3, 3 * 64);
	fake_smmu_unmake(&f);
}

Test(smmu_stream, other_formats_are_linear)
{
	for (unsigned int fmt = 2; fmt < 4; fmt++) {
		start(NULL, L1, fmt, 6, 8);
		put_ste(L1 + 200 * 64);
		cr_assert(is_found(200));
		fake_smmu_unmake(&f);
	}
}

Test(smmu_stream, without_st_level_it_is_linear)
{
	struct smmu_id id = fake_smmu_id("idr0.st_level", 0);

	smmu_id_set(&id, "idr1.sidsize", 6);
	start(&id, L1, 1, 6, 6);
	put_ste(L1 + 63 * 64);
	cr_assert(is_found(63));
	fake_smmu_unmake(&f);
}

Test(smmu_stream, what_is_not_in_ram_is_not_fetched)
{
	start(NULL, NO_RAM, 0, 0, 8);
	expect_fetch(7, NO_RAM + 7 * 64);
	expect_no_event(&f);
	fake_smmu_unmake(&f);
	start(NULL, FAKE_RAM_BASE + FAKE_RAM_SIZE - 0x1000, 0, 0, 6);
	f.sids[0] = 63;
	put_ste(FAKE_RAM_BASE + FAKE_RAM_SIZE - 64);
	cr_assert(is_found(63));
	fake_smmu_unmake(&f);
}

/* 3.4.3: it is the address that is put out that is reported. */
Test(smmu_stream, addresses_are_cut_to_the_output_size)
{
	start(NULL, BIT(44) | BIT(55) | L1, 0, 0, 6);
	put_ste(L1 + 64);
	cr_assert(is_found(1));
	fake_smmu_unmake(&f);
	start(NULL, BIT(44) | NO_RAM, 0, 0, 6);
	expect_fetch(1, NO_RAM + 64);
	fake_smmu_unmake(&f);
	start(NULL, BIT(50) | L1, 1, 6, 8);
	fake_smmu_put(&f, L1, BIT(44) | BIT(55) | L2 | 7);
	put_ste(L2 + 5 * 64);
	cr_assert(is_found(5));
	fake_smmu_put(&f, L1 + 8, BIT(44) | NO_RAM | 7);
	expect_fetch(64 + 5, NO_RAM + 5 * 64);
	fake_smmu_unmake(&f);
}

struct level_case {
	const char *what;
	u8 split, log2size, span;
	u32 sid, l1, l2; /* the descriptor's index, the STE's; */
	bool found;
};

static const struct level_case level_cases[] = {
	{ "split 6, the first", 6, 16, 7, 0, 0, 0, true },
	{ "split 6, the last of the first", 6, 16, 7, 63, 0, 63, true },
	{ "split 6, the second's", 6, 16, 7, 64, 1, 0, true },
	{ "split 6, the last", 6, 16, 7, 0xffff, 0x3ff, 63, true },
	{ "split 6, beyond", 6, 16, 7, 0x10000, 0x400, 0, false },
	{ "split 8, its last", 8, 16, 9, 255, 0, 255, true },
	{ "split 8, the second's", 8, 16, 9, 256 + 3, 1, 3, true },
	{ "split 10, its last", 10, 16, 11, 1023, 0, 1023, true },
	{ "split 10, the second's", 10, 16, 11, 1024 + 3, 1, 3, true },
	{ "split 0 is 6", 0, 16, 7, 64 + 3, 1, 3, true },
	{ "split 7 is 6", 7, 16, 7, 64 + 3, 1, 3, true },
	{ "split 9 is 6", 9, 16, 7, 64 + 3, 1, 3, true },
	{ "split 31 is 6", 31, 16, 7, 64 + 3, 1, 3, true },
	{ "split 7, a span of 8", 7, 16, 8, 64 + 3, 1, 3, false },
	{ "span 0", 6, 16, 0, 64, 1, 0, false },
	{ "span 1", 6, 16, 1, 64, 1, 0, true },
	{ "span 1, the second", 6, 16, 1, 65, 1, 1, false },
	{ "span 4, the last", 6, 16, 4, 64 + 7, 1, 7, true },
	{ "span 4, beyond", 6, 16, 4, 64 + 8, 1, 8, false },
	{ "span 8 with split 6", 6, 16, 8, 64, 1, 0, false },
	{ "span 10 with split 8", 8, 16, 10, 256, 1, 0, false },
	{ "span 11 with split 8", 8, 16, 11, 256, 1, 0, false },
	{ "span 12", 10, 16, 12, 1024, 1, 0, false },
	{ "span 31", 10, 16, 31, 1024, 1, 0, false },
	{ "span 7 with split 10", 10, 16, 7, 1024 + 63, 1, 63, true },
	{ "span 7 with split 10, beyond", 10, 16, 7, 1024 + 64, 1, 64, false },
	{ "no more than SPLIT", 8, 6, 9, 63, 0, 63, true },
	{ "no more than SPLIT, beyond", 8, 6, 9, 64, 0, 64, false },
	{ "as much as SPLIT", 6, 6, 7, 63, 0, 63, true },
};

Test(smmu_stream, two_levels)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_cases); i++) {
		const struct level_case *c = &level_cases[i];

		start(NULL, L1, 1, c->split, c->log2size);
		fake_smmu_put(&f, L1 + c->l1 * 8, L2 | c->span);
		put_ste(L2 + c->l2 * 64);
		cr_assert(eq(int, is_found(c->sid), c->found), "%s", c->what);
		cr_assert(eq(u32, event_id(&f), c->found ? 0 : C_BAD_STREAMID), "%s", c->what);
		fake_smmu_unmake(&f);
	}
}

/* To 64 bytes, or their size. */
Test(smmu_stream, both_levels_are_aligned)
{
	start(NULL, L1 | 0x1c0, 1, 6, 12); /* 64 descriptors: 512 bytes */
	fake_smmu_put(&f, L1 + 8, L2 | 0xfc0 | 7);
	put_ste(L2 + 3 * 64);
	cr_assert(is_found(64 + 3));
	fake_smmu_put(&f, L1 + 16, L2 | 0xfc0 | 2); /* two STEs: 128 bytes */
	put_ste(L2 + 0xf80 + 64);
	cr_assert(is_found(128 + 1));
	fake_smmu_unmake(&f);
	start(NULL, L1 | 0x40, 1, 6, 8); /* 4 descriptors: 64 bytes all the same */
	fake_smmu_put(&f, L1 + 0x40 + 8, L2 | 7);
	put_ste(L2 + 3 * 64);
	cr_assert(is_found(64 + 3));
	fake_smmu_unmake(&f);
}

Test(smmu_stream, neither_level_is_fetched_from_what_is_not_ram)
{
	start(NULL, NO_RAM, 1, 6, 12);
	expect_fetch(64 * 5 + 1, NO_RAM + 5 * 8);
	fake_smmu_unmake(&f);
	start(NULL, L1, 1, 6, 12);
	fake_smmu_put(&f, L1 + 5 * 8, NO_RAM | 7);
	expect_fetch(64 * 5 + 1, NO_RAM + 64);
	fake_smmu_unmake(&f);
}

Test(smmu_stream, the_rest_of_a_descriptor_says_nothing)
{
	start(NULL, L1, 1, 6, 12);
	fake_smmu_put(&f, L1 + 8, L2 | GENMASK(63, 56) | BIT(5) | 7);
	put_ste(L2);
	cr_assert(is_found(64));
	fake_smmu_unmake(&f);
}
