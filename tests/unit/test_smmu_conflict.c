// SPDX-License-Identifier: GPL-2.0-only
/* The SMMU's TLB where software made mistakes (Arm IHI 0070, 3.20.1), and what it has nothing of
 * (16.2.2). */
#include "tests/unit/smmu_expect.h"

#define D    FAKE_SMMU_DATA
#define V    0x40000000ULL
#define ALL  0x80000000ULL /* a block: all of RAM */
#define LEFT (V + 0x5000)  /* in the block, and in no page that was used */
#define PRIV (FAKE_S1_RW & ~BIT(6))
#define XN   (3ULL << 53)

static struct fake_smmu f;

TestSuite(smmu_conflict, .timeout = 20);

static gpa_t reach(unsigned int endpoint, u64 iova)
{
	const struct fake_smmu_reached got =
		fake_smmu_reach(&f, endpoint, iova, DMA_READ, DMA_NO_PASID);

	return got.status == DMA_OK ? got.gpa : 0;
}

/* A stream of that VMID and StreamWorld, whose ASID is everyone's: 0, which EL2's have. */
static void stream(unsigned int i, u16 vmid, u8 strw, gpa_t root)
{
	u64 w[8];

	fake_smmu_cd_words(&f, w, 0, root);
	fake_smmu_cd(&f, i, w);
	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S1, i, vmid, 0);
	w[1] = FIELD_PREP(STE1_STRW, (u64)strw);
	fake_smmu_ste(&f, 0x10 + i, w);
}

struct conflict_case {
	const char *what;
	u16 vmid;
	u8 strw; /* of the stream that made no mistake, */
	bool s2; /* or it has stage 2 alone */
};

static const struct conflict_case conflicts[] = {
	{ "another VMID", 2, 0, false },
	{ "another StreamWorld", 0, 2, false },
	{ "stage 2", 1, 0, true },
};

/* The mistake: a page becomes a part of a block, and no TLB is told of it. */
static void make_conflict(gpa_t root)
{
	const gpa_t entry = fake_smmu_entry(&f, root, 1, 2, V);

	cr_assert(eq(u64, reach(0, V), D));
	fake_smmu_put(&f, entry, ALL | (FAKE_S1_RW & ~2ULL));
	cr_assert(eq(u64, reach(0, LEFT), ALL + 0x5000));
}

static void run_conflict(const struct conflict_case *c, bool used_before)
{
	const u16 vmid = c->strw ? 0 : 1;
	const gpa_t other = D + 0x3000;
	gpa_t wrong, right, got;

	make_afresh(&f, NULL);
	wrong = fake_smmu_table(&f);
	right = fake_smmu_table(&f);
	fake_smmu_map(&f, wrong, V, D, FAKE_S1_RW);
	fake_smmu_map(&f, right, V, other, c->s2 ? FAKE_S2_RW : FAKE_S1_RW);
	stream(0, vmid, 0, wrong);
	if (c->s2)
		fake_smmu_stage2(&f, 0x11, c->vmid, right);
	else
		stream(1, c->vmid, c->strw, right);
	fake_smmu_enable(&f);
	if (used_before)
		cr_assert(eq(u64, reach(1, V), other), "%s", c->what);
	make_conflict(wrong);
	/* One of the two that its own tables had. */
	got = reach(0, V);
	cr_assert(got == D || got == ALL, "%s: %#llx", c->what, (unsigned long long)got);
	cr_assert(eq(u64, reach(1, V), other), "%s", c->what);
	cr_assert(zero(u64, reach(1, LEFT)), "%s", c->what);
	fake_smmu_unmake(&f);
}

Test(smmu_conflict, it_leads_nobody_else_elsewhere)
{
	for (size_t i = 0; i < ARRAY_SIZE(conflicts); i++) {
		run_conflict(&conflicts[i], false);
		run_conflict(&conflicts[i], true);
	}
}

/* With both stages, blocks of stage 1 over pages of stage 2: what stage 2 has not is not reached.
 */
Test(smmu_conflict, it_leads_nowhere_that_stage_2_does_not)
{
	gpa_t root, root2;
	u64 w[8];

	make_afresh(&f, NULL);
	root = fake_smmu_table(&f);
	root2 = fake_smmu_table(&f);
	for (u64 at = 0; at < FAKE_RAM_SIZE; at += 0x1000) /* stage 1's own tables, and the CD */
		if (FAKE_RAM_BASE + at < D || at + FAKE_RAM_BASE == ALL + 0x5000)
			fake_smmu_map(&f, root2, FAKE_RAM_BASE + at, FAKE_RAM_BASE + at,
			              FAKE_S2_RW);
	fake_smmu_map(&f, root2, D, D, FAKE_S2_RW);
	fake_smmu_map(&f, root, V, D, FAKE_S1_RW);
	fake_smmu_cd_words(&f, w, 1, root);
	fake_smmu_cd(&f, 0, w);
	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S1 | CONFIG_S2, 0, 1, root2);
	fake_smmu_ste(&f, 0x10, w);
	fake_smmu_enable(&f);
	make_conflict(root);
	cr_assert(eq(u64, reach(0, V + 0x80000), D));
	cr_assert(zero(u64, reach(0, V + 0x81000)), "stage 2 has nothing there");
	cr_assert(zero(u64, reach(0, V + 0x1ff000)));
	fake_smmu_unmake(&f);
}

/* 5.2, 5.4: fields of which is not said that a TLB may have them. CFGI_STE alone tells of them. */
struct field_case {
	const char *what;
	u64 page;
	u64 before[2], after[2]; /* what is in words 0 and 1 of the STE besides */
	gpa_t reaches, then;
};

#define PRIVCFG(n) FIELD_PREP(STE1_PRIVCFG, (u64)(n))
#define INSTCFG(n) FIELD_PREP(STE1_INSTCFG, (u64)(n))
#define CONFIG(n)  FIELD_PREP(STE0_CONFIG, (u64)(n))
static const struct field_case fields[] = {
	{ "no more privilege", PRIV, { 0, PRIVCFG(3) }, { 0, PRIVCFG(2) }, D, 0 },
	{ "privilege", PRIV, { 0, PRIVCFG(2) }, { 0, PRIVCFG(3) }, 0, D },
	{ "a fetch from now on", FAKE_S1_RW | XN, { 0, 0 }, { 0, INSTCFG(3) }, D, 0 },
	{ "no fetch any more", FAKE_S1_RW | XN, { 0, INSTCFG(3) }, { 0, INSTCFG(2) }, 0, D },
	{ "abort", FAKE_S1_RW, { 0, 0 }, { CONFIG(5), 0 }, D, 0 },
	{ "bypass", FAKE_S1_RW, { 0, 0 }, { CONFIG(1), 0 }, D, ALL },
};

static void write_ste(const u64 more[2])
{
	u64 w[8];

	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S1, 0, 1, 0);
	w[0] ^= more[0];
	w[1] |= more[1];
	fake_smmu_ste(&f, 0x10, w);
}

Test(smmu_conflict, fields_that_no_tlb_has_need_no_tlbi)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field_case *c = &fields[i];
		gpa_t root;
		u64 w[8];

		make_afresh(&f, NULL);
		root = fake_smmu_table(&f);
		fake_smmu_map(&f, root, ALL, D, c->page);
		fake_smmu_cd_words(&f, w, 1, root);
		fake_smmu_cd(&f, 0, w);
		write_ste(c->before);
		fake_smmu_enable(&f);
		cr_assert(eq(u64, reach(0, ALL), c->reaches), "%s", c->what);
		cr_assert(eq(u64, reach(0, ALL), c->reaches), "%s", c->what);
		write_ste(c->after);
		cr_assert(fake_smmu_command(&f, CFGI_STE | SID(0x10), 1));
		cr_assert(fake_smmu_sync(&f));
		cr_assert(eq(u64, reach(0, ALL), c->then), "%s", c->what);
		fake_smmu_unmake(&f);
	}
}

/* A CD of another ASID: what the TLB has of the one before is not its. */
Test(smmu_conflict, another_asid_needs_no_tlbi)
{
	gpa_t root, root2;
	u64 w[8];

	make_afresh(&f, NULL);
	root = fake_smmu_table(&f);
	root2 = fake_smmu_table(&f);
	fake_smmu_map(&f, root, V, D, FAKE_S1_RW);
	fake_smmu_map(&f, root2, V, D + 0x1000, FAKE_S1_RW);
	fake_smmu_cd_words(&f, w, 1, root);
	fake_smmu_cd(&f, 0, w);
	fake_smmu_cd_words(&f, w, 2, root2);
	fake_smmu_cd(&f, 1, w);
	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S1, 0, 1, 0);
	fake_smmu_ste(&f, 0x10, w);
	fake_smmu_enable(&f);
	cr_assert(eq(u64, reach(0, V), D));
	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S1, 1, 1, 0);
	fake_smmu_ste(&f, 0x10, w);
	cr_assert(fake_smmu_command(&f, CFGI_STE | SID(0x10), 1));
	cr_assert(fake_smmu_sync(&f));
	cr_assert(eq(u64, reach(0, V), D + 0x1000));
	fake_smmu_unmake(&f);
}
