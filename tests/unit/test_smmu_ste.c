// SPDX-License-Identifier: GPL-2.0-only
/* STEs (Arm IHI 0070, 5.2): which field makes one ILLEGAL, by what the ID registers say, and in
 * which configurations it is IGNORED; what the others say. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/smmu_expect.h"

#define D     FAKE_SMMU_DATA
#define BLOCK FAKE_RAM_BASE /* 2 MiB, all of RAM */

static struct fake_smmu f;
static gpa_t root1, root2;

/* D is at D through each stage, whatever Config is. */
static void prepare(const struct smmu_id *id)
{
	u64 w[8];

	make_afresh(&f, id);
	root1 = fake_smmu_table(&f);
	root2 = fake_smmu_table(&f);
	fake_smmu_map(&f, root1, D, D, FAKE_S1_RW);
	fake_smmu_map_at(&f, root2, 1, 2, BLOCK, BLOCK, FAKE_S2_RW);
	fake_smmu_cd_words(&f, w, 0, root1);
	fake_smmu_cd(&f, 0, w);
	fake_smmu_enable(&f);
}

static void put(const u64 w[8])
{
	fake_smmu_ste(&f, 0x10, w);
	fake_smmu_forget(&f);
}

static void words(u64 w[8], unsigned int config)
{
	fake_smmu_ste_words(&f, w, config, 0, 0, root2);
}

TestSuite(smmu_ste, .timeout = 20);

/* Where: in which Configs; the bit of its number. */
#define BYPASS BIT(4)
#define S1     BIT(5)
#define S2     BIT(6)
#define S1S2   BIT(7)
#define ANY_S1 (S1 | S1S2)
#define ANY_S2 (S2 | S1S2)
#define ALL    (BYPASS | S1 | S2 | S1S2)

struct ste_case {
	char id[2][16];
	u32 value[2];
	struct {
		u8 word;
		u64 mask, val;
	} set[2];
	/* In which it is ILLEGAL, and in which it translates as before. In the rest it is legal. */
	u8 illegal, same;
};

#define ID(field, val)      .id = { field }, .value = { val }
#define IDS(f0, v0, f1, v1) .id = { f0, f1 }, .value = { v0, v1 }
#define SET(...)            .set = { __VA_ARGS__ }
#define W(i, m, v)                                   \
	{                                            \
		i, m, FIELD_PREP((u64)(m), (u64)(v)) \
	}
#define ILLEGAL_IN(where) .illegal = (where), .same = ALL & ~(where)
#define SAME              .same = ALL

#define T0SZ_SL0(tsz, sl)                                                                       \
	{                                                                                       \
		2, STE2_S2T0SZ | STE2_S2SL0,                                                    \
			FIELD_PREP(STE2_S2T0SZ, (u64)(tsz)) | FIELD_PREP(STE2_S2SL0, (u64)(sl)) \
	}
#define SHAPE(tg, tsz, sl)                                                                       \
	{                                                                                        \
		2, STE2_S2TG | STE2_S2T0SZ | STE2_S2SL0,                                         \
			FIELD_PREP(STE2_S2TG, (u64)(tg)) | FIELD_PREP(STE2_S2T0SZ, (u64)(tsz)) | \
				FIELD_PREP(STE2_S2SL0, (u64)(sl))                                \
	}
#define TTB_PS(ps)                                             \
	{                                                      \
		2, STE2_S2PS, FIELD_PREP(STE2_S2PS, (u64)(ps)) \
	}
#define BAD_S2 ILLEGAL_IN(ANY_S2)
/* Legal, but other tables would be needed. */
#define OTHER_S2 .same = ALL & ~ANY_S2
#define OTHER_S1 .same = ALL & ~ANY_S1

static const struct ste_case ste_cases[] = {
	{ SET(W(0, STE0_V, 0)), .illegal = 0xff },
	{ SAME },
	/* Config */
	{ ID("idr0.s1p", 0), ILLEGAL_IN(ANY_S1) },
	{ ID("idr0.s2p", 0), ILLEGAL_IN(ANY_S2) },
	/* S1Fmt, S1CDMax, S1DSS */
	{ ID("idr1.ssidsize", 4), SET(W(0, STE0_S1CDMAX, 5)), ILLEGAL_IN(ANY_S1) },
	{ ID("idr1.ssidsize", 4), SET(W(0, STE0_S1CDMAX, 4)), OTHER_S1 },
	{ SET(W(0, STE0_S1CDMAX, 21)), ILLEGAL_IN(ANY_S1) },
	{ ID("idr1.ssidsize", 0), SET(W(0, STE0_S1CDMAX, 31)), SAME },
	{ ID("idr0.cd2l", 0), SET(W(0, STE0_S1CDMAX, 1), W(0, STE0_S1FMT, 1)), ILLEGAL_IN(ANY_S1) },
	{ ID("idr0.cd2l", 0), SET(W(0, STE0_S1CDMAX, 1), W(0, STE0_S1FMT, 2)), ILLEGAL_IN(ANY_S1) },
	{ ID("idr0.cd2l", 0), SET(W(0, STE0_S1CDMAX, 1), W(0, STE0_S1FMT, 3)), OTHER_S1 },
	{ ID("idr0.cd2l", 0), SET(W(0, STE0_S1FMT, 1)), SAME },
	{ ID("idr0.cd2l", 0), SET(W(0, STE0_S1FMT, 2)), SAME },
	{ IDS("idr0.cd2l", 0, "idr1.ssidsize", 0), SET(W(0, STE0_S1CDMAX, 9), W(0, STE0_S1FMT, 2)),
	  SAME },
	{ SET(W(1, STE1_S1DSS, 3)), SAME },
	{ SET(W(1, STE1_S1DSS, 0), W(0, STE0_S1CDMAX, 1)), OTHER_S1 },
	{ SET(W(1, STE1_S1DSS, 3), W(0, STE0_S1CDMAX, 1)), OTHER_S1 },
	{ SET(W(1, STE1_S1DSS, 2), W(0, STE0_S1CDMAX, 1)), SAME },
	/* S1ContextPtr: beyond OAS, and at its end */
	{ SET({ 0, STE0_S1CONTEXTPTR, BIT(44) }), ILLEGAL_IN(ANY_S1) },
	{ SET({ 0, STE0_S1CONTEXTPTR, BIT(55) }), ILLEGAL_IN(ANY_S1) },
	{ SET({ 0, STE0_S1CONTEXTPTR, BIT(43) }), OTHER_S1 },
	{ ID("idr5.oas", 2), SET({ 0, STE0_S1CONTEXTPTR, BIT(40) }), ILLEGAL_IN(ANY_S1) },
	/* Stalls: there are, there are none, there is nothing else */
	{ SET(W(1, STE1_S1STALLD, 1)), SAME },
	{ SET(W(2, STE2_S2S, 1)), SAME },
	{ ID("idr0.stall_model", 1), SET(W(1, STE1_S1STALLD, 1)), ILLEGAL_IN(ANY_S1) },
	{ ID("idr0.stall_model", 1), SET(W(2, STE2_S2S, 1)), BAD_S2 },
	{ ID("idr0.stall_model", 2), SET(W(1, STE1_S1STALLD, 1), W(2, STE2_S2S, 1)),
	  ILLEGAL_IN(ANY_S1) },
	{ ID("idr0.stall_model", 2), SET(W(2, STE2_S2S, 0)), .illegal = ANY_S2,
	  .same = ALL & ~(ANY_S1 | ANY_S2) },
	/* STRW counts of stage 1 alone, where there is an EL2 */
	{ SET(W(1, STE1_STRW, 1)), ILLEGAL_IN(S1) },
	{ SET(W(1, STE1_STRW, 3)), ILLEGAL_IN(S1) },
	{ SET(W(1, STE1_STRW, 2)), SAME },
	{ ID("idr0.hyp", 0), SET(W(1, STE1_STRW, 1)), SAME },
	{ ID("idr0.hyp", 0), SET(W(1, STE1_STRW, 3)), SAME },
	/* S2VMID, of what is EL1's */
	{ ID("idr0.vmid16", 0), SET(W(2, STE2_S2VMID, 0x100)), ILLEGAL_IN(S1 | ANY_S2) },
	{ ID("idr0.vmid16", 0), SET(W(2, STE2_S2VMID, 0xff)), SAME },
	{ SET(W(2, STE2_S2VMID, 0xffff)), SAME },
	{ IDS("idr0.s2p", 0, "idr0.vmid16", 0), SET(W(2, STE2_S2VMID, 0x100)), ILLEGAL_IN(ANY_S2) },
	{ ID("idr0.vmid16", 0), SET(W(2, STE2_S2VMID, 0x100), W(1, STE1_STRW, 2)),
	  ILLEGAL_IN(ANY_S2) },
	/* S2AA64, S2ENDI, S2HA, S2HD */
	{ SET(W(2, STE2_S2AA64, 0)), BAD_S2 },
	{ SET(W(2, STE2_S2ENDI, 1)), OTHER_S2 },
	{ ID("idr0.ttendian", 2), SET(W(2, STE2_S2ENDI, 1)), BAD_S2 },
	{ ID("idr0.ttendian", 2), SAME },
	{ ID("idr0.ttendian", 3), .illegal = ANY_S2, .same = BYPASS },
	{ ID("idr0.ttendian", 3), SET(W(2, STE2_S2ENDI, 1)), .same = BYPASS },
	{ ID("idr0.httu", 0), SET(W(2, STE2_S2HA, 1)), BAD_S2 },
	{ ID("idr0.httu", 0), SET(W(2, STE2_S2HD, 1)), BAD_S2 },
	{ ID("idr0.httu", 1), SET(W(2, STE2_S2HA, 1)), SAME },
	{ ID("idr0.httu", 1), SET(W(2, STE2_S2HD, 1)), BAD_S2 },
	{ ID("idr0.httu", 1), SET(W(2, STE2_S2HA, 1), W(2, STE2_S2HD, 1)), BAD_S2 },
	{ SET(W(2, STE2_S2HD, 1)), SAME },
	{ SET(W(2, STE2_S2HA, 1), W(2, STE2_S2HD, 1)), SAME },
	/* S2TG */
	{ SET(W(2, STE2_S2TG, 3)), BAD_S2 },
	{ ID("idr5.gran4k", 0), .illegal = ANY_S2, .same = BYPASS },
	{ ID("idr5.gran16k", 0), SET(W(2, STE2_S2TG, 2)), BAD_S2 },
	{ ID("idr5.gran64k", 0), SET(W(2, STE2_S2TG, 1)), BAD_S2 },
	{ SET(SHAPE(1, 25, 1)), OTHER_S2 },
	{ SET(SHAPE(2, 25, 2)), OTHER_S2 },
	/* S2T0SZ's least: OAS, and 48 or 52 bits */
	{ SET(T0SZ_SL0(20, 2)), OTHER_S2 },
	{ SET(T0SZ_SL0(19, 2)), BAD_S2 },
	{ ID("idr5.oas", 5), SET(T0SZ_SL0(16, 2)), OTHER_S2 },
	{ ID("idr5.oas", 5), SET(T0SZ_SL0(15, 2)), BAD_S2 },
	{ ID("idr5.oas", 6), SET(T0SZ_SL0(15, 2)), BAD_S2 },
	{ ID("idr5.oas", 6), SET(T0SZ_SL0(12, 0), { 3, 0xc, 0xc }), OTHER_S2 },
	{ ID("idr5.oas", 6), SET(T0SZ_SL0(11, 0), { 3, 0xc, 0xc }), BAD_S2 },
	{ ID("idr5.oas", 6), SET(SHAPE(1, 12, 2)), OTHER_S2 },
	{ ID("idr5.oas", 6), SET(SHAPE(1, 11, 2)), BAD_S2 },
	{ ID("idr5.oas", 5), SET(SHAPE(1, 15, 2)), BAD_S2 },
	{ ID("idr5.oas", 6), SET(SHAPE(2, 12, 3), { 3, 0xc, 8 }), OTHER_S2 },
	{ ID("idr5.oas", 6), SET(SHAPE(2, 15, 2)), BAD_S2 },
	/* and its largest: 39, or of small tables 48 or 47 */
	{ SET(T0SZ_SL0(48, 3)), OTHER_S2 },
	{ SET(T0SZ_SL0(49, 3)), BAD_S2 },
	{ SET(SHAPE(1, 47, 0)), OTHER_S2 },
	{ SET(SHAPE(1, 48, 0)), BAD_S2 },
	{ SET(SHAPE(2, 48, 0)), OTHER_S2 },
	{ ID("idr3.stt", 0), SET(T0SZ_SL0(39, 0)), OTHER_S2 },
	{ ID("idr3.stt", 0), SET(T0SZ_SL0(40, 0)), BAD_S2 },
	{ SET(T0SZ_SL0(40, 0)), OTHER_S2 },
	/* S2SL0 with S2T0SZ */
	{ ID("idr3.stt", 0), SET(T0SZ_SL0(39, 3)), BAD_S2 },
	{ SET(T0SZ_SL0(39, 3)), OTHER_S2 },
	{ SET(T0SZ_SL0(25, 2)), BAD_S2 },
	{ SET(T0SZ_SL0(25, 0)), BAD_S2 },
	{ SET(T0SZ_SL0(30, 0)), OTHER_S2 },
	{ SET(T0SZ_SL0(29, 0)), BAD_S2 },
	{ SET(T0SZ_SL0(21, 1)), OTHER_S2 },
	{ SET(T0SZ_SL0(20, 1)), BAD_S2 },
	{ SET(T0SZ_SL0(34, 1)), BAD_S2 },
	{ SET(SHAPE(1, 25, 3)), BAD_S2 },
	{ SET(SHAPE(2, 25, 3)), BAD_S2 },
	/* S2SL0_2 counts with S2DS and 4 KiB */
	{ SET({ 3, 0xc, 4 }), SAME },
	{ ID("idr5.ds", 0), SET({ 3, 0xc, 0xc }), SAME },
	{ SET({ 3, 0xc, 8 }), OTHER_S2 },
	{ SET({ 3, 0xc, 0xc }), BAD_S2 },
	{ SET(SHAPE(2, 25, 2), { 3, 0xc, 0xc }), OTHER_S2 },
	/* S2PS, and S2TTB with it */
	{ SET(TTB_PS(0)), SAME },
	{ SET(TTB_PS(7)), SAME },
	{ SET(TTB_PS(0), { 3, STE3_S2TTB, BIT(32) }), BAD_S2 },
	{ SET(TTB_PS(1), { 3, STE3_S2TTB, BIT(35) }), OTHER_S2 },
	{ SET(TTB_PS(1), { 3, STE3_S2TTB, BIT(36) }), BAD_S2 },
	{ SET(TTB_PS(2), { 3, STE3_S2TTB, BIT(40) }), BAD_S2 },
	{ SET(TTB_PS(3), { 3, STE3_S2TTB, BIT(42) }), BAD_S2 },
	{ SET(TTB_PS(5), { 3, STE3_S2TTB, BIT(44) }), BAD_S2 },
	{ SET(TTB_PS(5), { 3, STE3_S2TTB, BIT(43) }), OTHER_S2 },
	{ ID("idr5.oas", 6), SET(TTB_PS(6), { 3, STE3_S2TTB, BIT(48) }), BAD_S2 },
	{ ID("idr5.oas", 6), SET(TTB_PS(5), { 3, STE3_S2TTB | 8, BIT(48) | 8 }), BAD_S2 },
	{ ID("idr5.oas", 6), SET(TTB_PS(6), { 3, STE3_S2TTB | 8, BIT(51) | 8 }), OTHER_S2 },
	{ ID("idr5.oas", 6), SET(SHAPE(1, 25, 1), { 3, STE3_S2TTB, BIT(51) }), OTHER_S2 },
	/* EATS: split of both stages only; neither kind where stage 2 stalls */
	{ SET(W(1, STE1_EATS, 1)), SAME },
	{ SET(W(1, STE1_EATS, 2)), ILLEGAL_IN(BIT(5) | BIT(6)) },
	{ SET(W(1, STE1_EATS, 3), W(2, STE2_S2S, 1)), SAME },
	{ SET(W(1, STE1_EATS, 1), W(2, STE2_S2S, 1)), BAD_S2 },
	{ SET(W(1, STE1_EATS, 2), W(2, STE2_S2S, 1)), ILLEGAL_IN(BIT(5) | ANY_S2) },
	{ ID("idr0.ns1ats", 1), SET(W(1, STE1_EATS, 2)), ILLEGAL_IN(BIT(5) | ANY_S2) },
	{ ID("idr0.ns1ats", 1), SET(W(1, STE1_EATS, 1)), SAME },
	{ ID("idr0.ats", 0), SET(W(1, STE1_EATS, 1), W(2, STE2_S2S, 1)), SAME },
	{ ID("idr0.ats", 0), SET(W(1, STE1_EATS, 2)), SAME },
	/* The rest says nothing here, and makes nothing ILLEGAL */
	{ SET(W(0, GENMASK(58, 56), 7)), SAME },
	{ SET({ 1, GENMASK(26, 2), GENMASK(26, 2) }), SAME },
	{ ID("idr3.fwb", 0), SET({ 1, STE1_S2FWB, STE1_S2FWB }), SAME },
	{ SET({ 1, GENMASK(47, 32), GENMASK(47, 32) }, { 1, GENMASK(63, 52), GENMASK(63, 52) }),
	  SAME },
	{ SET({ 2, GENMASK(31, 16), GENMASK(31, 16) }, { 2, GENMASK(45, 40), GENMASK(45, 40) }),
	  SAME },
	{ SET({ 2, STE2_S2AFFD | STE2_S2PTW, ~0ULL }, { 2, GENMASK(63, 59), GENMASK(63, 59) }),
	  SAME },
	{ SET(W(2, STE2_S2R, 0)), SAME },
	{ SET({ 3, GENMASK(1, 0), 3 }, { 3, GENMASK(63, 52), GENMASK(63, 52) }), SAME },
	{ SET({ 4, ~0ULL, ~0ULL }, { 5, ~0ULL, ~0ULL }), SAME },
	{ SET({ 6, ~0ULL, ~0ULL }, { 7, ~0ULL, ~0ULL }), SAME },
};

static void check(const struct ste_case *c, unsigned int config)
{
	struct fake_smmu_reached got;
	u64 w[8];

	words(w, config);
	for (unsigned int i = 0; i < ARRAY_SIZE(c->set); i++)
		w[c->set[i].word] = (w[c->set[i].word] & ~c->set[i].mask) |
		                    (c->set[i].val & c->set[i].mask);
	put(w);
	got = fake_smmu_reach(&f, 0, D, DMA_READ, DMA_NO_PASID);
	if (c->same & BIT(config)) {
		cr_assert(eq(u64, got.gpa, D), "Config %u, %s, word %u: %#llx", config, c->id[0],
		          c->set[0].word, (unsigned long long)w[c->set[0].word]);
		expect_no_event(&f);
	} else if (c->illegal & BIT(config)) {
		cr_assert(eq(int, got.reason, DMA_NOT_ATTACHED), "Config %u, %s, word %u: %#llx",
		          config, c->id[0], c->set[0].word, (unsigned long long)w[c->set[0].word]);
		expect_event(&f, C_BAD_STE | SID(0x10), 0, 0, 0);
		expect_no_event(&f);
	} else {
		cr_assert(ne(u32, event_id(&f), C_BAD_STE), "Config %u, %s, word %u: %#llx", config,
		          c->id[0], c->set[0].word, (unsigned long long)w[c->set[0].word]);
	}
}

static void run_ste(const struct ste_case *c)
{
	struct smmu_id id;

	smmu_id_default(&id, 44);
	for (unsigned int i = 0; i < 2 && c->id[i][0]; i++)
		cr_assert(zero(ptr, (void *)smmu_id_set(&id, c->id[i], c->value[i])));
	prepare(&id);
	for (unsigned int config = 0; config < 8; config++)
		check(c, config);
	fake_smmu_unmake(&f);
}

Test(smmu_ste, what_is_illegal)
{
	for (size_t i = 0; i < ARRAY_SIZE(ste_cases); i++)
		run_ste(&ste_cases[i]);
}

Test(smmu_ste, without_traffic_nothing_is_said_and_nothing_else_counts)
{
	u64 w[8];

	prepare(NULL);
	for (unsigned int config = 0; config < 4; config++) {
		memset(w, 0xff, sizeof(w));
		w[0] = STE0_V | FIELD_PREP(STE0_CONFIG, (u64)config) | GENMASK(63, 4);
		put(w);
		expect_fault(&f, D, DMA_READ, DMA_NOT_ATTACHED);
		cr_assert(eq(int, fake_smmu_reach(&f, 0, D, DMA_READ, 1).reason, DMA_NOT_ATTACHED));
		expect_no_event(&f);
	}
	fake_smmu_unmake(&f);
}

Test(smmu_ste, what_bypasses_is_where_it_is)
{
	u64 w[8];

	prepare(NULL);
	words(w, 4);
	put(w);
	expect_reached(&f, D + 0x123, DMA_READ | DMA_WRITE, D + 0x123);
	cr_assert(zero(u64, fake_smmu_counts(&f).walks));
	fake_smmu_unmake(&f);
}

Test(smmu_ste, what_was_illegal_is_looked_at_again)
{
	u64 w[8];

	prepare(NULL);
	words(w, 4);
	w[0] &= ~STE0_V;
	put(w);
	expect_fault(&f, D, DMA_READ, DMA_NOT_ATTACHED);
	expect_event(&f, C_BAD_STE | SID(0x10), 0, 0, 0);
	w[0] |= STE0_V;
	fake_smmu_ste(&f, 0x10, w);
	expect_reached(&f, D, DMA_READ, D);
	fake_smmu_unmake(&f);
}

/* A page that only some may use: what an STE makes of a transaction. */
#define USER      (FAKE_S1_RW | BIT(53)) /* PXN, as writable is */
#define PRIV      (FAKE_S1_RW & ~BIT(6))
#define USER_READ (FAKE_S1_RO)
#define DATA      (FAKE_S1_RO | BIT(53) | BIT(54))

struct override_case {
	char what[40];
	u32 offered;
	u8 privcfg, instcfg;
	u64 page;
	u32 perm;
	bool reached;
};

static const struct override_case override_cases[] = {
	{ "as it comes: without privilege", 1, 0, 0, PRIV, DMA_READ, false },
	{ "0b01 is as it comes", 1, 1, 1, PRIV, DMA_READ, false },
	{ "without privilege", 1, 2, 0, PRIV, DMA_READ, false },
	{ "privileged", 1, 3, 0, PRIV, DMA_READ, true },
	{ "privileged writes", 1, 3, 0, PRIV, DMA_WRITE, true },
	{ "not offered", 0, 3, 0, PRIV, DMA_READ, false },
	{ "a fetch as it comes", 1, 0, 0, DATA, DMA_EXEC, false },
	{ "a fetch of what may be executed", 1, 0, 0, USER, DMA_EXEC, true },
	{ "a fetch, with 0b01", 1, 0, 1, DATA, DMA_EXEC, false },
	{ "a fetch made data", 1, 0, 2, DATA, DMA_EXEC, true },
	{ "a read made a fetch", 1, 0, 3, DATA, DMA_READ, false },
	{ "a read made a fetch, executable", 1, 0, 3, USER_READ, DMA_READ, true },
	{ "writes are data", 1, 0, 3, FAKE_S1_RW | BIT(54), DMA_WRITE, true },
	{ "atomics are data", 1, 0, 3, FAKE_S1_RW | BIT(54), DMA_READ | DMA_WRITE, true },
	{ "a read made a fetch, not offered", 0, 0, 3, DATA, DMA_READ, true },
	{ "a privileged fetch of the user's", 1, 3, 3, USER, DMA_READ, false },
	{ "a privileged fetch", 1, 3, 3, PRIV, DMA_READ, true },
};

static void run_override(const struct override_case *c)
{
	struct smmu_id id = fake_smmu_id("idr1.attr_perms_ovr", c->offered);
	u64 w[8];

	prepare(&id);
	fake_smmu_map(&f, root1, D, D, c->page);
	words(w, 5);
	w[1] |= FIELD_PREP(STE1_PRIVCFG, (u64)c->privcfg) |
	        FIELD_PREP(STE1_INSTCFG, (u64)c->instcfg);
	put(w);
	cr_assert(eq(u64, fake_smmu_gpa(&f, D, c->perm), c->reached ? D : 0), "%s", c->what);
	cr_assert(eq(u32, event_id(&f), c->reached ? 0 : F_PERMISSION), "%s", c->what);
	fake_smmu_unmake(&f);
}

Test(smmu_ste, what_it_overrides)
{
	for (size_t i = 0; i < ARRAY_SIZE(override_cases); i++)
		run_override(&override_cases[i]);
}

/* EL2 without E2H has one privilege and no ASIDs; with E2H it has both. */
struct world_case {
	char what[40];
	u32 e2h;
	u8 strw;
	u64 page;
	bool reached;
};

static const struct world_case world_cases[] = {
	{ "EL1: a page for privilege", 0, 0, PRIV, false },
	{ "EL2: AP[1] is taken as 1", 0, 2, PRIV, true },
	{ "EL2 with E2H: as in EL1", 1, 2, PRIV, false },
	{ "E2H without STRW", 1, 0, PRIV, false },
	{ "EL2, for all", 0, 2, FAKE_S1_RW, true },
	{ "EL2 with E2H, for all", 1, 2, FAKE_S1_RW, true },
};

static void run_world(const struct world_case *c)
{
	u64 w[8];

	prepare(NULL);
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write32(&f, CR2, FIELD_PREP(CR2_E2H, c->e2h));
	fake_smmu_enable(&f);
	fake_smmu_map(&f, root1, D, D, c->page);
	words(w, 5);
	w[1] |= FIELD_PREP(STE1_STRW, (u64)c->strw);
	put(w);
	cr_assert(eq(u64, fake_smmu_gpa(&f, D, DMA_READ), c->reached ? D : 0), "%s", c->what);
	fake_smmu_unmake(&f);
}

Test(smmu_ste, which_world_it_is_of)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_cases); i++)
		run_world(&world_cases[i]);
}
