// SPDX-License-Identifier: GPL-2.0-only
/* Translation requests (Arm IHI 0070, 3.9.1.2, 13.6, 13.7): what each is answered, and what tables
 * and the Event queue have of it. */
#include "tests/unit/smmu_expect.h"

#define D      FAKE_SMMU_DATA
#define PAGE   0x1000ULL
#define IPA    0x40000000ULL /* no RAM: where stage 1 leads, before stage 2 */
#define NO_RAM 0x50000000ULL
#define RW     (DMA_READ | DMA_WRITE)
#define UXN    BIT(54)
#define AF     BIT(10)
#define DBM    BIT(51)
#define ON     (CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN)

static struct fake_smmu f;
static gpa_t root, root2;
static u64 ste[8], cd[8];

/*
 * Stream 0x10 has stage 1, whose CD is 0, or both; CDs are where they are by stage 2, too. Page 1
 * is at IPA + 1 page and, behind stage 2, at D + 1 page; and so on.
 */
static void start(const struct smmu_id *id)
{
	make_afresh(&f, id);
	root = fake_smmu_table(&f);
	root2 = fake_smmu_table(&f);
	fake_smmu_map_at(&f, root2, 1, 2, FAKE_RAM_BASE, FAKE_RAM_BASE, FAKE_S2_RW);
	fake_smmu_cd_words(&f, cd, 1, root);
	fake_smmu_cd(&f, 0, cd);
	fake_smmu_enable(&f);
}

static void put(unsigned int config, unsigned int eats)
{
	fake_smmu_ste_words(&f, ste, config, 0, 0, root2);
	ste[1] = FIELD_PREP(STE1_EATS, (u64)eats);
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_forget(&f);
}

static void put_cd(void)
{
	fake_smmu_cd(&f, 0, cd);
	fake_smmu_forget(&f);
}

static void make(void)
{
	start(NULL);
	put(5, EATS_FULL);
}

static void unmake(void)
{
	expect_no_event(&f);
	fake_smmu_unmake(&f);
}

TestSuite(smmu_ats, .init = make, .fini = unmake, .timeout = 20);

static void restart(const char *field, u64 value)
{
	const struct smmu_id id = fake_smmu_id(field, value);

	fake_smmu_unmake(&f);
	start(&id);
	put(5, EATS_FULL);
}

static void set_cr0(u32 cr0)
{
	fake_smmu_write32(&f, CR0, cr0);
}

static void map1(u64 page, u64 to, u64 attrs)
{
	fake_smmu_map(&f, root, page * PAGE, to, attrs);
}

static void map2(u64 ipa, u64 to, u64 attrs)
{
	fake_smmu_map(&f, root2, ipa, to, attrs);
}

static struct dma_translation got;

static enum dma_reason ask_of(u64 iova, u32 perm, u32 pasid)
{
	struct dma_access a = { .iova = iova, .len = PAGE, .perm = perm, .pasid = pasid };

	return dma_translate(fake_smmu_dma(&f, 0), &a, &got) == DMA_OK ? DMA_NO_REASON : a.reason;
}

static enum dma_reason ask(u64 iova, u32 perm)
{
	return ask_of(iova, perm, DMA_NO_PASID);
}

/* Success, with that. */
static void expect_granted(u64 iova, u32 perm, u32 granted)
{
	cr_assert(eq(int, ask(iova, perm), DMA_NO_REASON));
	cr_assert(eq(u32, got.perm, granted));
	expect_no_event(&f);
}

static void expect_answer(u64 iova, enum dma_reason reason)
{
	cr_assert(eq(int, ask(iova, DMA_READ), reason), "%s", dma_reason_words(reason));
	expect_no_event(&f);
}

static void expect_bad_request(u64 iova)
{
	cr_assert(eq(int, ask(iova, RW), DMA_UNSUPPORTED));
	expect_event(&f, F_BAD_ATS_TREQ | SID(0x10), EVT1_R | EVT1_W | EVT1_SPAN, iova, 0);
	expect_no_event(&f);
}

static void expect_place(u64 iova, u64 len, gpa_t gpa)
{
	cr_assert(eq(u64, got.iova, iova));
	cr_assert(eq(u64, got.len, len));
	cr_assert(eq(u64, got.gpa, gpa));
}

Test(smmu_ats, a_page_of_stage_1_is_at_its_address)
{
	map1(1, D + PAGE, FAKE_S1_RW);
	expect_granted(PAGE, RW, RW);
	expect_place(PAGE, PAGE, D + PAGE);
	expect_granted(PAGE + 0xabc, DMA_READ, DMA_READ);
	expect_place(PAGE, PAGE, D + PAGE);
}

Test(smmu_ats, full_ats_gives_what_both_stages_come_to)
{
	put(7, EATS_FULL);
	map1(1, IPA + PAGE, FAKE_S1_RW);
	map2(IPA + PAGE, D + 2 * PAGE, FAKE_S2_RO);
	expect_granted(PAGE, RW, DMA_READ);
	expect_place(PAGE, PAGE, D + 2 * PAGE);
}

Test(smmu_ats, full_ats_of_stage_2_alone)
{
	put(6, EATS_FULL);
	map2(IPA, D, FAKE_S2_RW);
	expect_granted(IPA, RW, RW);
	expect_place(IPA, PAGE, D);
}

/* 13.6.3: permissions are of both. */
Test(smmu_ats, split_stages_give_the_ipa)
{
	set_cr0(ON | CR0_ATSCHK);
	put(7, EATS_SPLIT);
	map1(1, IPA + PAGE, FAKE_S1_RW);
	map2(IPA + PAGE, D + 2 * PAGE, FAKE_S2_RO);
	expect_granted(PAGE, RW, DMA_READ);
	expect_place(PAGE, PAGE, IPA + PAGE);
	map1(2, IPA + 2 * PAGE, FAKE_S1_RW);
	expect_granted(2 * PAGE, RW, 0);
}

Test(smmu_ats, split_stages_without_the_check_are_no_ats)
{
	put(7, EATS_SPLIT);
	map1(1, IPA + PAGE, FAKE_S1_RW);
	map2(IPA + PAGE, D + 2 * PAGE, FAKE_S2_RW);
	expect_bad_request(PAGE);
}

Test(smmu_ats, the_range_is_the_smaller_of_both_stages_blocks)
{
	put(7, EATS_FULL);
	fake_smmu_map_at(&f, root, 1, 2, 0x200000, IPA, FAKE_S1_RW);
	map2(IPA + 3 * PAGE, D, FAKE_S2_RW);
	expect_granted(0x203010, RW, RW);
	expect_place(0x203000, PAGE, D);
	fake_smmu_map_at(&f, root2, 1, 2, IPA + 0x200000, FAKE_RAM_BASE, FAKE_S2_RW);
	fake_smmu_map_at(&f, root, 1, 2, 0x400000, IPA + 0x200000, FAKE_S1_RW);
	expect_granted(0x5ff000, RW, RW);
	expect_place(0x400000, 0x200000, FAKE_RAM_BASE);
	map1(1, IPA + 0x201000, FAKE_S1_RW);
	expect_granted(PAGE, RW, RW);
	expect_place(PAGE, PAGE, FAKE_RAM_BASE + PAGE);
}

/* 3.9.1.2: "Success: R == W == 0", and no event. */
Test(smmu_ats, what_is_not_there_is_denied_without_a_word)
{
	put(7, EATS_FULL);
	expect_granted(PAGE, RW, 0); /* F_TRANSLATION, of stage 1 */
	map1(1, IPA + PAGE, FAKE_S1_RW);
	expect_granted(PAGE, RW, 0); /* of stage 2 */
	map1(1, D, FAKE_S1_RW & ~AF);
	expect_granted(PAGE, RW, 0); /* F_ACCESS */
	map1(1, BIT(44), FAKE_S1_RW);
	expect_granted(PAGE, RW, 0); /* F_ADDR_SIZE */
	expect_granted(BIT(50), RW, 0);
	map1(2, D, FAKE_S1_RW & ~(1ULL << 6));
	expect_granted(2 * PAGE, RW, 0); /* F_PERMISSION: unprivileged */
	/* of a table of stage 1, and of a CD */
	fake_smmu_put(&f, fake_smmu_entry(&f, root, 1, 1, 1ULL << 31), NO_RAM | 3);
	expect_granted(1ULL << 31, RW, 0);
	ste[0] = (ste[0] & ~STE0_S1CONTEXTPTR) | NO_RAM;
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_forget(&f);
	expect_granted(PAGE, RW, 0);
}

/* 13.7, its table of examples; the fourth is of who is privileged by the STE. */
Test(smmu_ats, as_much_is_granted_as_tables_allow)
{
	static const struct {
		const char *what;
		u64 attrs;
		u32 asked, granted;
	} cases[] = {
		{ "RO", FAKE_S1_RO, DMA_READ, DMA_READ },
		{ "RW", FAKE_S1_RW, RW, RW },
		{ "RO, for a write", FAKE_S1_RO, RW, DMA_READ },
		{ "RW, for no write", FAKE_S1_RW, DMA_READ, DMA_READ },
		{ "RW and XN, for X", FAKE_S1_RW | UXN, DMA_READ | DMA_EXEC, DMA_READ },
		{ "RWX", FAKE_S1_RW, RW | DMA_EXEC, RW | DMA_EXEC },
		{ "RWX, for no X", FAKE_S1_RW, RW, RW },
		{ "RO and X", FAKE_S1_RO, RW | DMA_EXEC, DMA_READ | DMA_EXEC },
		{ "X alone", FAKE_S1_RW & ~(1ULL << 6), RW | DMA_EXEC, 0 },
		{ "a read is implied", FAKE_S1_RW, DMA_WRITE, RW },
	};

	ste[0] |= FIELD_PREP(STE0_S1CDMAX, 1ULL);
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_cd(&f, 1, cd);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		map1(1, D, cases[i].attrs);
		fake_smmu_forget(&f);
		cr_assert(eq(int, ask_of(PAGE, cases[i].asked, 1), DMA_NO_REASON));
		cr_assert(eq(u32, got.perm, cases[i].granted), "%s", cases[i].what);
	}
}

Test(smmu_ats, without_a_pasid_nothing_is_executed)
{
	map1(1, D, FAKE_S1_RW);
	expect_granted(PAGE, RW | DMA_EXEC, RW);
}

/* 13.7.1 */
Test(smmu_ats, an_ste_overrides_what_is_asked_for)
{
	static const struct {
		u64 attrs;
		u8 privcfg, instcfg;
		u32 granted;
	} cases[] = {
		{ FAKE_S1_RW & ~(1ULL << 6), CFG_YES, 0, RW | DMA_EXEC },
		{ FAKE_S1_RW & ~(1ULL << 6), CFG_NO, 0, 0 },
		{ FAKE_S1_RW & ~(1ULL << 6), 0, CFG_YES, DMA_READ | DMA_EXEC },
		{ FAKE_S1_RW | UXN, 0, CFG_YES, DMA_WRITE },
		{ FAKE_S1_RO | UXN, 0, CFG_YES, 0 },
		{ FAKE_S1_RO | UXN, 0, CFG_NO, DMA_READ | DMA_EXEC },
	};

	fake_smmu_cd(&f, 1, cd);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		map1(1, D, cases[i].attrs);
		put(5, EATS_FULL);
		ste[0] |= FIELD_PREP(STE0_S1CDMAX, 1ULL);
		ste[1] |= FIELD_PREP(STE1_PRIVCFG, (u64)cases[i].privcfg) |
		          FIELD_PREP(STE1_INSTCFG, (u64)cases[i].instcfg);
		fake_smmu_ste(&f, 0x10, ste);
		fake_smmu_forget(&f);
		cr_assert(eq(int, ask_of(PAGE, RW | DMA_EXEC, 1), DMA_NO_REASON));
		cr_assert(eq(u32, got.perm, cases[i].granted), "%zu", i);
	}
}

static u64 entry(u64 page)
{
	return fake_smmu_get(&f, fake_smmu_entry(&f, root, 1, 3, page * PAGE));
}

/* 3.13.7.1 */
Test(smmu_ats, flags_are_set_for_what_is_granted)
{
	const u64 clean = FAKE_S1_RO | DBM, ro = FAKE_S1_RO;

	cd[0] |= CD0_HA | CD0_HD;
	put_cd();
	map1(1, D, clean & ~AF);
	expect_granted(PAGE, DMA_READ, DMA_READ);
	cr_assert(eq(u64, entry(1), D | clean), "accessed, and not dirty");
	expect_granted(PAGE, RW, RW);
	cr_assert(eq(u64, entry(1), D | (clean & ~(1ULL << 7))), "dirty");
	map1(2, D, ro & ~AF & ~(1ULL << 6));
	expect_granted(2 * PAGE, RW, 0);
	cr_assert(zero(u64, entry(2) & AF), "denied");
	map1(3, D, ro & ~AF);
	expect_granted(3 * PAGE, RW, DMA_READ);
	cr_assert(eq(u64, entry(3), D | ro));
}

/* 3.13.7.2 */
Test(smmu_ats, without_updates_a_clean_page_is_not_written)
{
	map1(1, D, FAKE_S1_RO | DBM);
	expect_granted(PAGE, RW, DMA_READ);
	cd[0] |= CD0_HA;
	put_cd();
	expect_granted(PAGE, RW, DMA_READ);
}

Test(smmu_ats, tables_are_looked_at_not_the_tlb)
{
	map1(1, D, FAKE_S1_RW);
	cr_assert(eq(u64, fake_smmu_gpa(&f, PAGE, DMA_READ), D));
	map1(1, D + PAGE, FAKE_S1_RW);
	expect_granted(PAGE, RW, RW);
	expect_place(PAGE, PAGE, D + PAGE);
	cr_assert(eq(u64, fake_smmu_gpa(&f, PAGE, DMA_READ), D), "nor is it changed");
}

/* 3.9.1.2, its first table. */
Test(smmu_ats, what_is_not_to_be_is_an_unsupported_request)
{
	map1(1, D, FAKE_S1_RW);
	put(5, EATS_NONE);
	expect_bad_request(PAGE);
	put(5, 3); /* reserved without DPT */
	expect_bad_request(PAGE);
	put(4, EATS_FULL);
	expect_bad_request(PAGE);
	put(0, EATS_FULL);
	expect_answer(PAGE, DMA_UNSUPPORTED);
	put(5, EATS_FULL);
	set_cr0(CR0_EVENTQEN | CR0_CMDQEN);
	expect_bad_request(PAGE);
	set_cr0(ON);
	expect_granted(PAGE, RW, RW);
}

Test(smmu_ats, without_ats_there_is_neither_answer_nor_event)
{
	restart("idr0.ats", 0);
	map1(1, D, FAKE_S1_RW);
	expect_answer(PAGE, DMA_UNSUPPORTED);
	set_cr0(CR0_EVENTQEN);
	expect_answer(PAGE, DMA_UNSUPPORTED);
}

/* 7.3.6 */
Test(smmu_ats, the_event_has_what_was_asked_for_and_the_pasid)
{
	put(5, EATS_NONE);
	ste[1] |= FIELD_PREP(STE1_PRIVCFG, (u64)CFG_YES) | FIELD_PREP(STE1_INSTCFG, (u64)CFG_YES);
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_forget(&f);
	cr_assert(eq(int, ask_of(PAGE, DMA_EXEC, 9), DMA_UNSUPPORTED), "before C_BAD_SUBSTREAMID");
	expect_event(&f, F_BAD_ATS_TREQ | SID(0x10) | SSID(9), EVT1_R | EVT1_X | EVT1_SPAN, PAGE,
	             0);
	cr_assert(eq(int, ask(PAGE, DMA_READ), DMA_UNSUPPORTED));
	expect_event(&f, F_BAD_ATS_TREQ | SID(0x10), EVT1_R | EVT1_SPAN, PAGE, 0);
}

/* What the event is instead of names the CD's index there (7.3.9). */
Test(smmu_ats, the_event_has_no_pasid_that_the_request_had_not)
{
	put(5, EATS_NONE);
	ste[0] = (ste[0] & ~STE0_S1CONTEXTPTR) | fake_smmu_table(&f);
	ste[0] |= FIELD_PREP(STE0_S1FMT, 1ULL) | FIELD_PREP(STE0_S1CDMAX, 8ULL);
	ste[1] |= FIELD_PREP(STE1_S1DSS, (u64)S1DSS_SSID0);
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_forget(&f);
	cr_assert(eq(int, ask(PAGE, DMA_READ), DMA_UNSUPPORTED));
	expect_event(&f, F_BAD_ATS_TREQ | SID(0x10), EVT1_R | EVT1_SPAN, PAGE, 0);
}

/* 3.9.1.2: errors of configuration, and of what cannot be read. */
Test(smmu_ats, what_is_wrong_is_a_completer_abort_without_a_word)
{
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write32(&f, CR2, CR2_RECINVSID);
	set_cr0(ON);
	f.sids[0] = 0x100000;
	expect_answer(PAGE, DMA_ABORTED); /* C_BAD_STREAMID */
	f.sids[0] = 0x10;
	ste[0] &= ~STE0_V;
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_forget(&f);
	expect_answer(PAGE, DMA_ABORTED); /* C_BAD_STE */
	put(5, EATS_SPLIT);
	expect_answer(PAGE, DMA_ABORTED);
	put(5, EATS_FULL);
	cr_assert(eq(int, ask_of(PAGE, DMA_READ, 1), DMA_ABORTED)); /* C_BAD_SUBSTREAMID */
	ste[0] |= FIELD_PREP(STE0_S1CDMAX, 1ULL);
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_forget(&f);
	expect_answer(PAGE, DMA_ABORTED); /* F_STREAM_DISABLED */
	ste[0] = (ste[0] & ~(STE0_S1CONTEXTPTR | STE0_S1CDMAX)) | NO_RAM;
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_forget(&f);
	expect_answer(PAGE, DMA_ABORTED); /* F_CD_FETCH */
	put(5, EATS_FULL);
	cd[0] &= ~CD0_V;
	put_cd();
	expect_answer(PAGE, DMA_ABORTED); /* C_BAD_CD */
	cd[0] |= CD0_V;
	put_cd();
	fake_smmu_put(&f, fake_smmu_entry(&f, root, 1, 1, 1ULL << 31), NO_RAM | 3);
	expect_answer(1ULL << 31, DMA_ABORTED); /* F_WALK_EABT */
}

Test(smmu_ats, a_stream_table_out_of_reach_is_a_completer_abort)
{
	set_cr0(0);
	fake_smmu_write64(&f, STRTAB_BASE, NO_RAM);
	set_cr0(ON);
	expect_answer(PAGE, DMA_ABORTED);
}

Test(smmu_ats, a_fault_that_would_stall_is_denied)
{
	cd[0] |= CD0_S;
	put_cd();
	expect_granted(PAGE, RW, 0);
	cr_assert(zero(u64, fake_smmu_counts(&f).stalls));
}

Test(smmu_ats, a_pasid_has_tables_of_its_own)
{
	const gpa_t other = fake_smmu_table(&f);

	fake_smmu_map(&f, other, PAGE, D + 5 * PAGE, FAKE_S1_RW);
	map1(1, D, FAKE_S1_RW);
	ste[0] |= FIELD_PREP(STE0_S1CDMAX, 2ULL);
	ste[1] |= S1DSS_SSID0;
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_cd_words(&f, cd, 2, other);
	fake_smmu_cd(&f, 3, cd);
	fake_smmu_forget(&f);
	cr_assert(eq(int, ask_of(PAGE, RW, 3), DMA_NO_REASON));
	expect_place(PAGE, PAGE, D + 5 * PAGE);
	expect_granted(PAGE, RW, RW);
	expect_place(PAGE, PAGE, D);
}

static void skip_stage1(unsigned int config, unsigned int eats)
{
	put(config, eats);
	ste[0] |= FIELD_PREP(STE0_S1CDMAX, 1ULL);
	ste[1] |= S1DSS_BYPASS;
	fake_smmu_ste(&f, 0x10, ste);
	fake_smmu_forget(&f);
}

/* 13.6.4 */
Test(smmu_ats, where_stage_1_is_skipped_all_is_where_it_is)
{
	skip_stage1(5, EATS_FULL);
	expect_granted(D + PAGE, DMA_READ, RW);
	expect_place(0, BIT(44), 0);
	expect_granted(BIT(44), DMA_READ, 0);
}

Test(smmu_ats, where_stage_1_is_skipped_stage_2_leads_on)
{
	skip_stage1(7, EATS_FULL);
	map2(IPA, D + PAGE, FAKE_S2_RW);
	expect_granted(IPA, DMA_READ, DMA_READ);
	expect_place(IPA, PAGE, D + PAGE);
}

/* 13.6.5 */
Test(smmu_ats, where_stage_1_is_skipped_split_stages_give_the_address_itself)
{
	set_cr0(ON | CR0_ATSCHK);
	skip_stage1(7, EATS_SPLIT);
	map2(IPA, D + PAGE, FAKE_S2_RO);
	expect_granted(IPA, RW, DMA_READ);
	expect_place(IPA, PAGE, IPA);
	expect_granted(BIT(44), DMA_READ, 0);
}

Test(smmu_ats, of_a_tagged_address_the_tag_stays)
{
	cd[0] |= CD0_TBI0;
	put_cd();
	map1(1, D, FAKE_S1_RW);
	expect_granted(PAGE | 0x5aULL << 56, RW, RW);
	expect_place(PAGE | 0x5aULL << 56, PAGE, D);
}
