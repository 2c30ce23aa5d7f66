// SPDX-License-Identifier: GPL-2.0-only
/* CDs (Arm IHI 0070, 5.4, 5.5): which field makes one ILLEGAL, by what the ID registers say and
 * whose it is; what the others say. */
#include <string.h>

#include "tests/unit/smmu_expect.h"

#define D     FAKE_SMMU_DATA
#define UPPER (~0ULL << 39 | D) /* in the other half */

static struct fake_smmu f;
static gpa_t root;

TestSuite(smmu_cd, .timeout = 20);

enum { EL1, EL2, E2H };

/* D is at D; the CD is still to be put. */
static void prepare(const struct smmu_id *id, unsigned int world)
{
	u64 w[8];

	make_afresh(&f, id);
	root = fake_smmu_table(&f);
	fake_smmu_map(&f, root, D, D, FAKE_S1_RW);
	fake_smmu_ste_words(&f, w, 5, 0, 0, 0);
	w[1] = FIELD_PREP(STE1_STRW, world == EL1 ? 0 : 2ULL);
	fake_smmu_ste(&f, 0x10, w);
	fake_smmu_write32(&f, CR2, world == E2H ? CR2_E2H : 0);
	fake_smmu_enable(&f);
}

static void put(const u64 w[8])
{
	fake_smmu_cd(&f, 0, w);
	fake_smmu_forget(&f);
}

struct cd_case {
	char id[2][16];
	u32 value[2];
	struct {
		u8 word;
		u64 mask, val;
	} set[3];
	/* Of which it is ILLEGAL, and of which it translates as before; a bit of each. */
	u8 illegal, same;
};

#define ALL (BIT(EL1) | BIT(EL2) | BIT(E2H))
#define TWO (BIT(EL1) | BIT(E2H)) /* those that have two halves */

#define ID(field, val)      .id = { field }, .value = { val }
#define IDS(f0, v0, f1, v1) .id = { f0, f1 }, .value = { v0, v1 }
#define SET(...)            .set = { __VA_ARGS__ }
#define W(i, m, v)                                   \
	{                                            \
		i, m, FIELD_PREP((u64)(m), (u64)(v)) \
	}
#define BAD     .illegal = ALL
#define BAD_TWO .illegal = TWO, .same = BIT(EL2)
#define SAME    .same = ALL
#define OTHER   .same = 0 /* legal, but other tables would be needed */
/* The other half is there; in 4 KiB, of 39 bits */
#define HALF1(tg, tsz)                                                                    \
	{                                                                                 \
		0, CD0_EPD1 | CD0_TG1 | CD0_T1SZ,                                         \
			FIELD_PREP(CD0_TG1, (u64)(tg)) | FIELD_PREP(CD0_T1SZ, (u64)(tsz)) \
	}
#define HALF0(tg, tsz)                                                                    \
	{                                                                                 \
		0, CD0_TG0 | CD0_T0SZ,                                                    \
			FIELD_PREP(CD0_TG0, (u64)(tg)) | FIELD_PREP(CD0_T0SZ, (u64)(tsz)) \
	}
#define NO_HALF0 W(0, CD0_EPD0, 1)
#define TTB0(a)                \
	{                      \
		1, CD1_TTB0, a \
	}
#define TTB1(a)                \
	{                      \
		2, CD2_TTB1, a \
	}
#define DS W(2, CD2_DS, 1)

static const struct cd_case cases[] = {
	{ SAME },
	{ SET(W(0, CD0_V, 0)), BAD },
	{ SET(W(0, CD0_AA64, 0)), BAD },
	{ SET(W(0, CD0_S, 1)), SAME },
	{ ID("idr0.stall_model", 1), SET(W(0, CD0_S, 1)), BAD },
	{ ID("idr0.stall_model", 2), BAD },
	{ ID("idr0.stall_model", 2), SET(W(0, CD0_S, 1)), SAME },
	{ SET(W(0, CD0_A, 0)), BAD },
	{ SET(W(0, CD0_R, 0)), SAME },
	/* HA, HD */
	{ ID("idr0.httu", 0), SET(W(0, CD0_HA, 1)), BAD },
	{ ID("idr0.httu", 0), SET(W(0, CD0_HD, 1)), BAD },
	{ ID("idr0.httu", 1), SET(W(0, CD0_HA, 1)), SAME },
	{ ID("idr0.httu", 1), SET(W(0, CD0_HD, 1)), BAD },
	{ ID("idr0.httu", 1), SET(W(0, CD0_HA | CD0_HD, 3)), BAD },
	{ SET(W(0, CD0_HD, 1)), SAME },
	{ SET(W(0, CD0_HA | CD0_HD, 3)), SAME },
	/* ENDI, which does not count where there is no walk */
	{ SET(W(0, CD0_ENDI, 1)), OTHER },
	{ ID("idr0.ttendian", 2), SET(W(0, CD0_ENDI, 1)), BAD },
	{ ID("idr0.ttendian", 2), SAME },
	{ ID("idr0.ttendian", 3), BAD },
	{ ID("idr0.ttendian", 3), SET(W(0, CD0_ENDI, 1)), OTHER },
	{ ID("idr0.ttendian", 2), SET(W(0, CD0_ENDI, 1), NO_HALF0), .illegal = BIT(EL2) },
	{ ID("idr0.ttendian", 2), SET(W(0, CD0_ENDI, 1), NO_HALF0, HALF1(2, 25)), BAD },
	/* EPD0 is there only where there are two halves */
	{ SET(NO_HALF0), .same = BIT(EL2) },
	{ SET(NO_HALF0, HALF0(3, 25)), .illegal = BIT(EL2) },
	{ SET(NO_HALF0, HALF0(0, 0)), .illegal = BIT(EL2) },
	{ SET(NO_HALF0, TTB0(BIT(51))), .illegal = BIT(EL2) },
	/* TG0 */
	{ SET(HALF0(3, 25)), BAD },
	{ SET(HALF0(1, 25)), OTHER },
	{ SET(HALF0(2, 25)), OTHER },
	{ ID("idr5.gran4k", 0), BAD },
	{ ID("idr5.gran64k", 0), SET(HALF0(1, 25)), BAD },
	{ ID("idr5.gran16k", 0), SET(HALF0(2, 25)), BAD },
	/* TG1 */
	{ SET(HALF1(0, 25)), BAD_TWO },
	{ SET(HALF1(1, 25)), SAME },
	{ SET(HALF1(2, 25)), SAME },
	{ SET(HALF1(3, 25)), SAME },
	{ ID("idr5.gran16k", 0), SET(HALF1(1, 25)), BAD_TWO },
	{ ID("idr5.gran64k", 0), SET(HALF1(3, 25)), BAD_TWO },
	{ ID("idr5.gran4k", 0), SET(HALF0(1, 25), HALF1(2, 25)), .illegal = TWO },
	/* T0SZ's least */
	{ SET(HALF0(0, 16)), OTHER },
	{ SET(HALF0(0, 15)), BAD },
	{ SET(HALF0(2, 15)), BAD },
	{ SET(HALF0(0, 12), DS), OTHER },
	{ SET(HALF0(0, 11), DS), BAD },
	{ SET(HALF0(2, 12), DS), OTHER },
	{ SET(HALF0(2, 11), DS), BAD },
	{ SET(HALF0(1, 12)), OTHER },
	{ SET(HALF0(1, 11)), BAD },
	{ ID("idr5.ds", 0), SET(HALF0(0, 15), DS), BAD },
	{ ID("idr5.ds", 0), SET(DS), SAME },
	{ IDS("idr5.ds", 0, "idr5.vax", 0), SET(HALF0(1, 15)), BAD },
	{ IDS("idr5.ds", 0, "idr5.vax", 0), SET(HALF0(1, 16)), OTHER },
	/* and its largest */
	{ SET(HALF0(0, 48)), OTHER },
	{ SET(HALF0(0, 49)), BAD },
	{ SET(HALF0(2, 48)), OTHER },
	{ SET(HALF0(1, 47)), OTHER },
	{ SET(HALF0(1, 48)), BAD },
	{ ID("idr3.stt", 0), SET(HALF0(0, 39)), OTHER },
	{ ID("idr3.stt", 0), SET(HALF0(0, 40)), BAD },
	{ ID("idr3.stt", 0), SET(HALF0(1, 40)), BAD },
	/* T1SZ */
	{ SET(HALF1(2, 15)), BAD_TWO },
	{ SET(HALF1(2, 16)), SAME },
	{ SET(HALF1(3, 12)), SAME },
	{ SET(HALF1(3, 11)), BAD_TWO },
	{ SET(HALF1(2, 48)), SAME },
	{ SET(HALF1(2, 49)), BAD_TWO },
	{ SET(HALF1(3, 48)), BAD_TWO },
	{ SET(W(0, CD0_T1SZ, 63)), SAME },
	/* TTB0, with IPS */
	{ SET(W(0, CD0_IPS, 0)), SAME },
	{ SET(W(0, CD0_IPS, 7)), SAME },
	{ SET(W(0, CD0_IPS, 0), TTB0(BIT(32))), BAD },
	{ SET(W(0, CD0_IPS, 1), TTB0(BIT(35))), OTHER },
	{ SET(W(0, CD0_IPS, 1), TTB0(BIT(36))), BAD },
	{ SET(W(0, CD0_IPS, 2), TTB0(BIT(40))), BAD },
	{ SET(W(0, CD0_IPS, 3), TTB0(BIT(42))), BAD },
	{ SET(W(0, CD0_IPS, 5), TTB0(BIT(43))), OTHER },
	{ SET(W(0, CD0_IPS, 5), TTB0(BIT(44))), BAD },
	{ ID("idr5.oas", 6), SET(W(0, CD0_IPS, 6), TTB0(BIT(48))), BAD },
	{ ID("idr5.oas", 6), SET(W(0, CD0_IPS, 6), TTB0(BIT(51)), DS), OTHER },
	{ ID("idr5.oas", 6), SET(W(0, CD0_IPS, 5), TTB0(BIT(48)), DS), BAD },
	{ ID("idr5.oas", 6), SET({ 0, CD0_IPS | CD0_TG0, 6ULL << 32 | 1 << 6 }, TTB0(BIT(51))),
	  OTHER },
	/* TTB1 */
	{ SET(TTB1(BIT(51))), SAME },
	{ SET(HALF1(2, 25), TTB1(BIT(44))), BAD_TWO },
	{ SET(HALF1(2, 25), TTB1(BIT(43))), SAME },
	{ SET(HALF1(2, 25), TTB1(BIT(36)), W(0, CD0_IPS, 1)), BAD_TWO },
	/* ASID */
	{ ID("idr0.asid16", 0), SET(W(0, CD0_ASID, 0x100)), BAD_TWO },
	{ ID("idr0.asid16", 0), SET(W(0, CD0_ASID, 0xff)), SAME },
	{ SET(W(0, CD0_ASID, 0xffff)), SAME },
	/* The rest makes nothing ILLEGAL */
	{ SET({ 0, GENMASK(13, 8), GENMASK(13, 8) }, { 0, GENMASK(29, 24), GENMASK(29, 24) }),
	  SAME },
	{ SET({ 0, GENMASK(40, 35), GENMASK(40, 35) }), SAME },
	{ SET(W(0, CD0_ASET, 0)), SAME },
	{ SET({ 1, GENMASK(1, 0), 3 }, { 1, BIT(3), BIT(3) },
	      { 1, GENMASK(63, 52), GENMASK(63, 52) }),
	  SAME },
	{ SET({ 1, CD1_E0PD0, CD1_E0PD0 }), .same = BIT(EL2) },
	{ ID("idr3.e0pd", 0), SET({ 1, CD1_E0PD0, CD1_E0PD0 }), SAME },
	{ SET({ 2, GENMASK(57, 0), GENMASK(57, 0) }, { 2, GENMASK(63, 59), GENMASK(63, 59) }),
	  SAME },
	{ SET({ 3, ~0ULL, ~0ULL }, { 4, ~0ULL, ~0ULL }, { 5, ~0ULL, ~0ULL }), SAME },
	{ SET({ 6, ~0ULL, ~0ULL }, { 7, ~0ULL, ~0ULL }), SAME },
};

static void make_words(const struct cd_case *c, u64 w[8])
{
	fake_smmu_cd_words(&f, w, 0, root);
	for (unsigned int i = 0; i < ARRAY_SIZE(c->set); i++)
		w[c->set[i].word] = (w[c->set[i].word] & ~c->set[i].mask) |
		                    (c->set[i].val & c->set[i].mask);
}

static void check(size_t i, unsigned int world)
{
	const struct cd_case *c = &cases[i];
	struct fake_smmu_reached got;
	struct smmu_id id;
	u64 w[8];

	smmu_id_default(&id, 44);
	for (unsigned int n = 0; n < 2 && c->id[n][0]; n++)
		cr_assert(zero(ptr, (void *)smmu_id_set(&id, c->id[n], c->value[n])));
	prepare(&id, world);
	make_words(c, w);
	put(w);
	got = fake_smmu_reach(&f, 0, D, DMA_READ, DMA_NO_PASID);
	if (c->same & BIT(world)) {
		cr_assert(eq(u64, got.gpa, D), "case %zu, world %u", i, world);
		expect_no_event(&f);
	} else if (c->illegal & BIT(world)) {
		cr_assert(eq(int, got.reason, DMA_NOT_ATTACHED), "case %zu, world %u", i, world);
		expect_event(&f, C_BAD_CD | SID(0x10), 0, 0, 0);
	} else {
		cr_assert(ne(u32, event_id(&f), C_BAD_CD), "case %zu, world %u", i, world);
	}
	fake_smmu_unmake(&f);
}

Test(smmu_cd, what_is_illegal)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned int world = 0; world < 3; world++)
			check(i, world);
}

Test(smmu_cd, a_half_that_is_disabled_has_no_translation)
{
	u64 w[8];

	prepare(NULL, EL1);
	fake_smmu_cd_words(&f, w, 0, root);
	put(w);
	expect_fault(&f, UPPER, DMA_READ, DMA_NOT_MAPPED);
	expect_event(&f, F_TRANSLATION | SID(0x10), EVT1_RNW | CLASS(CLASS_IN), UPPER, 0);
	w[0] ^= CD0_EPD0 | CD0_EPD1;
	w[0] |= FIELD_PREP(CD0_T1SZ, 25ULL) | FIELD_PREP(CD0_TG1, 2ULL);
	w[2] = root;
	put(w);
	expect_reached(&f, UPPER, DMA_READ, D);
	expect_fault(&f, D, DMA_READ, DMA_NOT_MAPPED);
	expect_event(&f, F_TRANSLATION | SID(0x10), EVT1_RNW | CLASS(CLASS_IN), D, 0);
	fake_smmu_unmake(&f);
}

Test(smmu_cd, el2_has_no_second_half)
{
	u64 w[8];

	prepare(NULL, EL2);
	fake_smmu_cd_words(&f, w, 0, root);
	w[0] &= ~CD0_EPD1;
	w[0] |= FIELD_PREP(CD0_T1SZ, 25ULL) | FIELD_PREP(CD0_TG1, 2ULL);
	w[2] = root;
	put(w);
	expect_reached(&f, D, DMA_READ, D);
	expect_fault(&f, UPPER, DMA_READ, DMA_NOT_MAPPED);
	expect_event(&f, F_TRANSLATION | SID(0x10), EVT1_RNW | CLASS(CLASS_IN), UPPER, 0);
	fake_smmu_unmake(&f);
}

Test(smmu_cd, each_half_has_its_own_table_and_size)
{
	const gpa_t other = D + 0x1000;
	u64 w[8];
	gpa_t root1;

	prepare(NULL, EL1);
	root1 = fake_smmu_table(&f);
	fake_smmu_map_at(&f, root1, 2, 3, 0x1000, other, FAKE_S1_RW);
	fake_smmu_cd_words(&f, w, 0, root);
	w[0] &= ~CD0_EPD1;
	w[0] |= FIELD_PREP(CD0_T1SZ, 34ULL) | FIELD_PREP(CD0_TG1, 2ULL); /* 30 bits: level 2 */
	w[2] = root1;
	put(w);
	expect_reached(&f, D, DMA_READ, D);
	expect_reached(&f, ~0ULL << 30 | 0x1234, DMA_READ, other + 0x234);
	expect_fault(&f, (~0ULL << 30 | 0x1234) - BIT(30), DMA_READ, DMA_NOT_MAPPED);
	fake_smmu_unmake(&f);
}

/* The top byte is ignored in a half, and cached without it; an event has it as it came. */
Test(smmu_cd, tbi_is_of_each_half)
{
	u64 w[8];

	prepare(NULL, EL1);
	fake_smmu_cd_words(&f, w, 0, root);
	w[0] &= ~CD0_EPD1;
	w[0] |= FIELD_PREP(CD0_T1SZ, 25ULL) | FIELD_PREP(CD0_TG1, 2ULL) | CD0_TBI1;
	w[2] = root;
	put(w);
	expect_reached(&f, UPPER & GENMASK(55, 0), DMA_READ, D);
	expect_reached(&f, UPPER ^ 0x5aULL << 56, DMA_READ, D);
	cr_assert(eq(u64, fake_smmu_counts(&f).hits, 1), "it is one address");
	expect_fault(&f, D | BIT(60), DMA_READ, DMA_NOT_MAPPED);
	expect_event(&f, F_TRANSLATION | SID(0x10), EVT1_RNW | CLASS(CLASS_IN), D | BIT(60), 0);
	w[0] ^= CD0_TBI0 | CD0_TBI1;
	put(w);
	expect_reached(&f, D | BIT(60), DMA_READ, D);
	expect_fault(&f, UPPER ^ BIT(60), DMA_READ, DMA_NOT_MAPPED);
	cr_assert(eq(u32, event_id(&f), F_TRANSLATION));
	expect_fault(&f, (D + 0x1000) | BIT(63), DMA_READ, DMA_NOT_MAPPED);
	expect_event(&f, F_TRANSLATION | SID(0x10), EVT1_RNW | CLASS(CLASS_IN),
	             (D + 0x1000) | BIT(63), 0);
	fake_smmu_unmake(&f);
}

/* What fields of permissions and flags make of one page. */
struct page_case {
	char what[40];
	u64 page, cd0, cd1;
	u8 privcfg;
	u32 perm;
	u32 event;   /* 0: none */
	u64 becomes; /* the page's entry; 0: as it was */
};

#define AF    BIT(10)
#define RO    BIT(7)
#define DIRTY BIT(51) /* DBM */

static const struct page_case page_cases[] = {
	{ "AF 0", FAKE_S1_RW & ~AF, 0, 0, 0, DMA_READ, F_ACCESS, 0 },
	{ "AFFD", FAKE_S1_RW & ~AF, CD0_AFFD, 0, 0, DMA_READ, 0, 0 },
	{ "HA", FAKE_S1_RW & ~AF, CD0_HA, 0, 0, DMA_READ, 0, FAKE_S1_RW },
	{ "HA and AFFD", FAKE_S1_RW & ~AF, CD0_HA | CD0_AFFD, 0, 0, DMA_READ, 0, FAKE_S1_RW },
	{ "HD alone", FAKE_S1_RW & ~AF, CD0_HD, 0, 0, DMA_READ, F_ACCESS, 0 },
	{ "HD alone, clean", FAKE_S1_RO | DIRTY, CD0_HD, 0, 0, DMA_WRITE, F_PERMISSION, 0 },
	{ "HD, clean", FAKE_S1_RO | DIRTY, CD0_HA | CD0_HD, 0, 0, DMA_WRITE, 0,
	  FAKE_S1_RW | DIRTY },
	{ "HD, a read", FAKE_S1_RO | DIRTY, CD0_HA | CD0_HD, 0, 0, DMA_READ, 0, 0 },
	{ "HA, clean", FAKE_S1_RO | DIRTY, CD0_HA, 0, 0, DMA_WRITE, F_PERMISSION, 0 },
	{ "PAN", FAKE_S1_RW, CD0_PAN, 0, 3, DMA_READ, F_PERMISSION, 0 },
	{ "PAN, without privilege", FAKE_S1_RW, CD0_PAN, 0, 0, DMA_READ, 0, 0 },
	{ "WXN", FAKE_S1_RW, CD0_WXN, 0, 0, DMA_EXEC, F_PERMISSION, 0 },
	{ "WXN, a read", FAKE_S1_RW, CD0_WXN, 0, 0, DMA_READ, 0, 0 },
	{ "no WXN", FAKE_S1_RW, 0, 0, 0, DMA_EXEC, 0, 0 },
	{ "UWXN", FAKE_S1_RW, BIT(37), 0, 0, DMA_EXEC, 0, 0 },
	{ "E0PD0", FAKE_S1_RW, 0, CD1_E0PD0, 0, DMA_READ, F_TRANSLATION, 0 },
	{ "E0PD0, privileged", FAKE_S1_RW, 0, CD1_E0PD0, 3, DMA_READ, 0, 0 },
};

static void run_page(const struct page_case *c)
{
	gpa_t entry;
	u64 w[8];

	prepare(NULL, EL1);
	fake_smmu_map(&f, root, D, D, c->page);
	entry = fake_smmu_entry(&f, root, 1, 3, D);
	fake_smmu_ste_words(&f, w, 5, 0, 0, 0);
	w[1] = FIELD_PREP(STE1_PRIVCFG, (u64)c->privcfg);
	fake_smmu_ste(&f, 0x10, w);
	fake_smmu_cd_words(&f, w, 0, root);
	w[0] |= c->cd0;
	w[1] |= c->cd1;
	put(w);
	cr_assert(eq(u64, fake_smmu_gpa(&f, D, c->perm), c->event ? 0 : D), "%s", c->what);
	cr_assert(eq(u32, event_id(&f), c->event), "%s", c->what);
	cr_assert(eq(u64, fake_smmu_get(&f, entry), D | (c->becomes ? c->becomes : c->page)), "%s",
	          c->what);
	fake_smmu_unmake(&f);
}

Test(smmu_cd, what_it_says_of_pages)
{
	for (size_t i = 0; i < ARRAY_SIZE(page_cases); i++)
		run_page(&page_cases[i]);
}

static void set_privcfg(u64 privcfg)
{
	u64 w[8];

	fake_smmu_ste_words(&f, w, 5, 0, 0, 0);
	w[1] = FIELD_PREP(STE1_PRIVCFG, privcfg);
	fake_smmu_ste(&f, 0x10, w);
	cr_assert(fake_smmu_command(&f, CFGI_STE | FIELD_PREP(CMD0_SID, 0x10ULL), 1));
}

Test(smmu_cd, with_e0pd_what_privilege_has_had_translated_is_not_for_users)
{
	u64 w[8];

	prepare(NULL, EL1);
	fake_smmu_map(&f, root, D, D, FAKE_S1_RW);
	fake_smmu_cd_words(&f, w, 0, root);
	w[1] |= CD1_E0PD0;
	put(w);
	set_privcfg(3);
	expect_reached(&f, D, DMA_READ, D);
	set_privcfg(2);
	cr_assert(zero(u64, fake_smmu_gpa(&f, D, DMA_READ)));
	cr_assert(eq(u32, event_id(&f), F_TRANSLATION));
	set_privcfg(3);
	expect_reached(&f, D, DMA_READ, D);
	fake_smmu_unmake(&f);
}

Test(smmu_cd, had_leaves_the_limits_of_tables_alone)
{
	gpa_t table;
	u64 w[8];

	prepare(NULL, EL1);
	table = fake_smmu_entry(&f, root, 1, 2, D);
	fake_smmu_put(&f, table, fake_smmu_get(&f, table) | BIT(62)); /* APTable[1]: no writes */
	fake_smmu_cd_words(&f, w, 0, root);
	put(w);
	cr_assert(zero(u64, fake_smmu_gpa(&f, D, DMA_WRITE)));
	cr_assert(eq(u32, event_id(&f), F_PERMISSION));
	w[1] |= CD1_HAD0;
	put(w);
	expect_reached(&f, D, DMA_WRITE, D);
	fake_smmu_unmake(&f);
}

Test(smmu_cd, tables_may_be_of_the_other_byte_order)
{
	const struct smmu_id id = fake_smmu_id("idr0.ttendian", 3);
	u64 w[8];

	prepare(&id, EL1);
	for (int level = 3; level >= 1; level--) {
		const gpa_t at = fake_smmu_entry(&f, root, 1, level, D);

		fake_smmu_put(&f, at, __builtin_bswap64(fake_smmu_get(&f, at)));
	}
	fake_smmu_cd_words(&f, w, 0, root);
	w[0] |= CD0_ENDI;
	put(w);
	expect_reached(&f, D, DMA_READ, D);
	fake_smmu_unmake(&f);
}
