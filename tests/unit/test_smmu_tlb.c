// SPDX-License-Identifier: GPL-2.0-only
/* The SMMU's TLB (Arm IHI 0070, 3.17, 4.4): what each CMD_TLBI_* takes from it and what it leaves,
 * what hits and what does not. */
#include "tests/unit/smmu_expect.h"

#define D     FAKE_SMMU_DATA
#define P1    0x10000ULL
#define P2    0x11000ULL
#define P3    0x1f000ULL
#define G     0x30000ULL /* a global page */
#define BLOCK 0x40000000ULL
#define WHERE 0x80000000ULL /* it is there: all of RAM, and what follows it */
#define NG    BIT(11)

static struct fake_smmu f;
static gpa_t root, root2;

TestSuite(smmu_tlb, .timeout = 20);

/* A stream of EL1 or (STRW) EL2, with a CD of the same number. */
static void stream(unsigned int i, u16 vmid, u16 asid, u8 strw, bool aset)
{
	u64 w[8];

	fake_smmu_cd_words(&f, w, asid, root);
	w[0] &= ~CD0_ASET;
	w[0] |= aset ? CD0_ASET : 0;
	fake_smmu_cd(&f, i, w);
	fake_smmu_ste_words(&f, w, 5, i, vmid, 0);
	w[1] = FIELD_PREP(STE1_STRW, (u64)strw);
	fake_smmu_ste(&f, 0x10 + i, w);
}

/* VMID 1's ASIDs 1 and 2, VMID 2's ASID 1, and VMID 1's stage 2. */
static void start(const struct smmu_id *id)
{
	make_afresh(&f, id);
	root = fake_smmu_table(&f);
	root2 = fake_smmu_table(&f);
	for (u64 at = P1; at < P1 + 0x20000; at += 0x1000)
		fake_smmu_map(&f, root, at, D, FAKE_S1_RW);
	fake_smmu_map(&f, root, G, D, FAKE_S1_RW & ~NG);
	fake_smmu_map_at(&f, root, 1, 2, BLOCK, WHERE, FAKE_S1_RW);
	for (u64 at = P1; at < P1 + 0x20000; at += 0x1000)
		fake_smmu_map(&f, root2, at, D, FAKE_S2_RW);
	stream(0, 1, 1, 0, true);
	stream(1, 1, 2, 0, true);
	stream(2, 2, 1, 0, true);
	fake_smmu_stage2(&f, 0x13, 1, root2);
	fake_smmu_enable(&f);
}

/* What there may be in it. */
enum { A1, A2, A3, AG, AB, OTHER_ASID, OTHER_VMID, IPA1, IPA2, NR };
#define ALL (BIT(NR) - 1)
static const struct {
	u8 endpoint;
	u64 iova;
} probes[NR] = {
	[A1] = { 0, P1 },         [A2] = { 0, P2 },    [A3] = { 0, P3 },
	[AG] = { 0, G },          [AB] = { 0, BLOCK }, [OTHER_ASID] = { 1, P1 },
	[OTHER_VMID] = { 2, P1 }, [IPA1] = { 3, P1 },  [IPA2] = { 3, P2 },
};

/* One access: whether the TLB answered it. */
static bool hits(unsigned int endpoint, u64 iova)
{
	const u64 before = fake_smmu_counts(&f).hits;
	const struct fake_smmu_reached got =
		fake_smmu_reach(&f, endpoint, iova, DMA_READ, DMA_NO_PASID);

	cr_assert(eq(int, got.status, DMA_OK), "%u %#llx", endpoint, (unsigned long long)iova);
	return fake_smmu_counts(&f).hits != before;
}

/* What of all that there may be is there; all of it is, afterwards. */
static u64 what_is_there(void)
{
	u64 there = 0;

	for (unsigned int i = 0; i < NR; i++)
		if (hits(probes[i].endpoint, probes[i].iova))
			there |= BIT(i);
	return there;
}

#define VMID(v)  ((u64)(v) << 32)
#define ASID(a)  ((u64)(a) << 48)
#define NUM(n)   ((u64)(n) << 12)
#define SCALE(s) ((u64)(s) << 20)
#define TG(t)    ((u64)(t) << 10)
#define TTL(t)   ((u64)(t) << 8)
#define LEAF     1

struct tlbi_case {
	const char *what;
	u64 w0, w1, takes;
};

static const struct tlbi_case cases[] = {
	{ "NH_ALL", TLBI_NH_ALL | VMID(1), 0,
	  BIT(A1) | BIT(A2) | BIT(A3) | BIT(AG) | BIT(AB) | BIT(OTHER_ASID) },
	{ "NH_ALL, no VMID that there is", TLBI_NH_ALL | VMID(3), 0, 0 },
	{ "NH_ALL, VMID 2", TLBI_NH_ALL | VMID(2), 0, BIT(OTHER_VMID) },
	{ "NH_ASID", TLBI_NH_ASID | VMID(1) | ASID(1), 0, BIT(A1) | BIT(A2) | BIT(A3) | BIT(AB) },
	{ "NH_ASID, the other", TLBI_NH_ASID | VMID(1) | ASID(2), 0, BIT(OTHER_ASID) },
	{ "NH_ASID, the other VMID", TLBI_NH_ASID | VMID(2) | ASID(1), 0, BIT(OTHER_VMID) },
	{ "NH_VA", TLBI_NH_VA | VMID(1) | ASID(1), P1, BIT(A1) },
	{ "NH_VA, Leaf", TLBI_NH_VA | VMID(1) | ASID(1), P1 | LEAF, BIT(A1) },
	{ "NH_VA, another page", TLBI_NH_VA | VMID(1) | ASID(1), P1 - 0x1000, 0 },
	{ "NH_VA, global", TLBI_NH_VA | VMID(1) | ASID(2), G, BIT(AG) },
	{ "NH_VA, global, another VMID", TLBI_NH_VA | VMID(2) | ASID(1), G, 0 },
	{ "NH_VA, the other VMID", TLBI_NH_VA | VMID(2) | ASID(1), P1, BIT(OTHER_VMID) },
	{ "NH_VA, in the block", TLBI_NH_VA | VMID(1) | ASID(1), BLOCK + 0x1ff000, BIT(AB) },
	{ "NH_VA, after the block", TLBI_NH_VA | VMID(1) | ASID(1), BLOCK + 0x200000, 0 },
	{ "NH_VA, the top byte", TLBI_NH_VA | VMID(1) | ASID(1), P1 | BIT(60), BIT(A1) },
	{ "NH_VAA", TLBI_NH_VAA | VMID(1), P1, BIT(A1) | BIT(OTHER_ASID) },
	{ "NH_VAA, global", TLBI_NH_VAA | VMID(1), G, BIT(AG) },
	{ "NH_VAA, with an ASID", TLBI_NH_VAA | VMID(2) | ASID(7), P1, BIT(OTHER_VMID) },
	{ "S12_VMALL", TLBI_S12_VMALL | VMID(1), 0, ALL & ~BIT(OTHER_VMID) },
	{ "S12_VMALL, VMID 2", TLBI_S12_VMALL | VMID(2), 0, BIT(OTHER_VMID) },
	{ "S2_IPA", TLBI_S2_IPA | VMID(1), P1, BIT(IPA1) },
	{ "S2_IPA, another VMID", TLBI_S2_IPA | VMID(2), P1, 0 },
	{ "NSNH_ALL", TLBI_NSNH_ALL, 0, ALL },
	{ "EL2_ALL", TLBI_EL2_ALL, 0, 0 },
	{ "EL2_ASID", TLBI_EL2_ASID | ASID(1), 0, 0 },
	{ "EL2_VA", TLBI_EL2_VA | ASID(1), P1, 0 },
	{ "EL2_VAA", TLBI_EL2_VAA, P1, 0 },
	/* Ranges: (NUM + 1) * 2^SCALE granules */
	{ "two pages by NUM", TLBI_NH_VA | VMID(1) | ASID(1) | NUM(1), P1 | TG(1),
	  BIT(A1) | BIT(A2) },
	{ "two pages by SCALE", TLBI_NH_VA | VMID(1) | ASID(1) | SCALE(1), P1 | TG(1),
	  BIT(A1) | BIT(A2) },
	{ "one page by its level", TLBI_NH_VA | VMID(1) | ASID(1), P1 | TG(1) | TTL(3), BIT(A1) },
	{ "15 pages", TLBI_NH_VA | VMID(1) | ASID(1) | NUM(14), P1 | TG(1), BIT(A1) | BIT(A2) },
	{ "16 pages", TLBI_NH_VA | VMID(1) | ASID(1) | NUM(7) | SCALE(1), P1 | TG(1),
	  BIT(A1) | BIT(A2) | BIT(A3) },
	{ "pages before", TLBI_NH_VA | VMID(1) | ASID(1) | NUM(15), (P1 - 0x10000) | TG(1), 0 },
	{ "pages before, and one", TLBI_NH_VA | VMID(1) | ASID(1) | NUM(16), (P1 - 0x10000) | TG(1),
	  BIT(A1) },
	{ "one of 64 KiB", TLBI_NH_VA | VMID(1) | ASID(1), P1 | TG(3) | TTL(3),
	  BIT(A1) | BIT(A2) | BIT(A3) },
	{ "two of 16 KiB", TLBI_NH_VA | VMID(1) | ASID(1) | NUM(1), P1 | TG(2), BIT(A1) | BIT(A2) },
	{ "32 * 2^39 pages", TLBI_NH_VA | VMID(1) | ASID(1) | NUM(31) | SCALE(39), P2 | TG(1),
	  BIT(A2) | BIT(A3) | BIT(AG) | BIT(AB) },
	{ "as many, of 64 KiB, by SCALE 63", TLBI_NH_VAA | VMID(1) | NUM(31) | SCALE(63),
	  P1 | TG(3), BIT(A1) | BIT(A2) | BIT(A3) | BIT(AG) | BIT(AB) | BIT(OTHER_ASID) },
	{ "a range of all ASIDs", TLBI_NH_VAA | VMID(1) | NUM(1), P1 | TG(1),
	  BIT(A1) | BIT(A2) | BIT(OTHER_ASID) },
	{ "a range that ends in the block", TLBI_NH_VA | VMID(1) | ASID(1) | NUM(1),
	  (BLOCK - 0x1000) | TG(1), BIT(AB) },
	{ "a range that ends before it", TLBI_NH_VA | VMID(1) | ASID(1) | NUM(1),
	  (BLOCK - 0x2000) | TG(1), 0 },
	{ "IPAs", TLBI_S2_IPA | VMID(1) | NUM(1), P1 | TG(1), BIT(IPA1) | BIT(IPA2) },
	{ "without TG it is no range", TLBI_NH_VA | VMID(1) | ASID(1) | NUM(31) | SCALE(3), P1,
	  BIT(A1) },
};

static u64 after(const struct tlbi_case *c)
{
	what_is_there();
	cr_assert(eq(u64, what_is_there(), ALL), "%s", c->what);
	cr_assert(fake_smmu_command(&f, c->w0, c->w1), "%s", c->what);
	return what_is_there();
}

Test(smmu_tlb, what_is_taken_and_what_is_left)
{
	start(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert(eq(u64, after(&cases[i]), ALL & ~cases[i].takes), "%s", cases[i].what);
	fake_smmu_unmake(&f);
}

/* Narrow ones look at places, wide ones at all there is: they have to come to the same. */
Test(smmu_tlb, what_is_taken_of_a_full_one)
{
	start(NULL);
	for (u64 at = 0; at < 512; at++) {
		fake_smmu_map(&f, root, 0x200000 + at * 0x1000, D, FAKE_S1_RW);
		hits(0, 0x200000 + at * 0x1000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert(eq(u64, after(&cases[i]), ALL & ~cases[i].takes), "%s", cases[i].what);
	fake_smmu_unmake(&f);
}

Test(smmu_tlb, without_ril_there_are_no_ranges)
{
	const struct smmu_id id = fake_smmu_id("idr3.ril", 0);
	const struct tlbi_case c = { "NUM, SCALE, TG are RES0",
		                     TLBI_NH_VA | VMID(1) | ASID(1) | NUM(3) | SCALE(3),
		                     P1 | TG(1) | TTL(2), 0 };

	start(&id);
	cr_assert(eq(u64, after(&c), ALL & ~BIT(A1)));
	fake_smmu_unmake(&f);
}

struct vmw_case {
	u8 offered, vmw, vmid;
	u64 takes;
};

Test(smmu_tlb, vmid_wildcards)
{
	static const struct vmw_case vmws[] = {
		{ 1, 0, 0, 0 },
		{ 1, 1, 0, ALL & ~BIT(OTHER_VMID) },
		{ 1, 1, 3, BIT(OTHER_VMID) },
		{ 1, 2, 0, ALL },
		{ 1, 2, 4, 0 },
		{ 1, 3, 7, ALL },
		{ 1, 4, 15, ALL },
		{ 1, 4, 16, 0 },
		{ 1, 5, 0, 0 }, /* reserved: none */
		{ 1, 7, 1, ALL & ~BIT(OTHER_VMID) },
		{ 0, 2, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(vmws); i++) {
		const struct smmu_id id = fake_smmu_id("idr0.vmw", vmws[i].offered);
		const struct tlbi_case c = { "S12_VMALL", TLBI_S12_VMALL | VMID(vmws[i].vmid), 0,
			                     0 };

		start(&id);
		fake_smmu_write32(&f, CR0,
		                  CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN | (u32)vmws[i].vmw << 6);
		cr_assert(eq(u64, after(&c), ALL & ~vmws[i].takes), "VMW %u, VMID %u", vmws[i].vmw,
		          vmws[i].vmid);
		fake_smmu_unmake(&f);
	}
}

/* By address, too, though VMIDs are where entries are looked for. */
Test(smmu_tlb, a_wildcard_of_one_address)
{
	const struct tlbi_case c = { "NH_VAA", TLBI_NH_VAA | VMID(3), P1, 0 };

	start(NULL);
	fake_smmu_write32(&f, CR0, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN | 2 << 6);
	cr_assert(eq(u64, after(&c), ALL & ~(BIT(A1) | BIT(OTHER_ASID) | BIT(OTHER_VMID))));
	fake_smmu_unmake(&f);
}

/* 3.17.1: for every ASID, of the same ASET. */
Test(smmu_tlb, global_pages)
{
	start(NULL);
	cr_assert(not(hits(0, G)));
	cr_assert(hits(1, G), "another ASID");
	cr_assert(not(hits(2, G)), "another VMID");
	stream(1, 1, 2, 0, false);
	cr_assert(fake_smmu_command(&f, CFGI_STE | SID(0x11), 1));
	cr_assert(not(hits(1, G)), "another ASET");
	cr_assert(hits(1, G));
	cr_assert(hits(0, G), "both are there");
	cr_assert(fake_smmu_command(&f, TLBI_NH_VA | VMID(1) | ASID(9), G));
	cr_assert(not(hits(0, G)));
	cr_assert(not(hits(1, G)), "ASET does not count here");
	fake_smmu_unmake(&f);
}

Test(smmu_tlb, aset_does_not_keep_what_is_not_global_apart)
{
	start(NULL);
	stream(1, 1, 1, 0, false);
	cr_assert(not(hits(0, P1)));
	cr_assert(hits(1, P1), "it has the same ASID");
	cr_assert(fake_smmu_command(&f, TLBI_NH_ASID | VMID(1) | ASID(1), 0));
	cr_assert(not(hits(1, P1)));
	fake_smmu_unmake(&f);
}

/* EL2's, without E2H: no ASIDs; with it: ASIDs. Beside EL1's. */
struct el2_case {
	const char *what;
	u64 w0, w1;
	u64 leaves[2]; /* without E2H, with it: of endpoints 0 to 2 */
};

#define OWN   BIT(0) /* EL2's, ASID 1 */
#define OTHER BIT(1) /* EL2's, ASID 2 */
#define EL1   BIT(2)

static const struct el2_case el2_cases[] = {
	{ "EL2_ALL", TLBI_EL2_ALL, 0, { EL1, EL1 } },
	{ "EL2_VA", TLBI_EL2_VA | ASID(1), P1, { EL1, OTHER | EL1 } },
	{ "EL2_VA, another page",
	  TLBI_EL2_VA | ASID(1),
	  P2,
	  { OWN | OTHER | EL1, OWN | OTHER | EL1 } },
	{ "EL2_VA, another ASID", TLBI_EL2_VA | ASID(7), P1, { EL1, OWN | OTHER | EL1 } },
	{ "EL2_VAA", TLBI_EL2_VAA | ASID(7), P1, { EL1, EL1 } },
	{ "EL2_VA, a range",
	  TLBI_EL2_VA | ASID(2) | NUM(1),
	  (P1 - 0x1000) | TG(1),
	  { EL1, OWN | EL1 } },
	{ "NH_ALL", TLBI_NH_ALL, 0, { OWN | OTHER, OWN | OTHER } },
	{ "NSNH_ALL", TLBI_NSNH_ALL, 0, { OWN | OTHER, OWN | OTHER } },
	{ "NH_VA", TLBI_NH_VA | ASID(1), P1, { OWN | OTHER, OWN | OTHER } },
	{ "S12_VMALL", TLBI_S12_VMALL, 0, { OWN | OTHER, OWN | OTHER } },
};

static void run_el2(const struct el2_case *c, bool e2h)
{
	u64 there = 0;

	start(NULL);
	stream(0, 0, 1, 2, true);
	stream(1, 0, 2, 2, true);
	stream(2, 0, 1, 0, true);
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write32(&f, CR2, e2h ? CR2_E2H : 0);
	f.prod = fake_smmu_read32(&f, CMDQ_PROD);
	fake_smmu_enable(&f);
	cr_assert(not(hits(0, P1)));
	cr_assert(eq(int, hits(1, P1), !e2h), "%s: ASIDs are E2H's", c->what);
	cr_assert(not(hits(2, P1)));
	cr_assert(fake_smmu_command(&f, c->w0, c->w1));
	for (unsigned int i = 0; i < 3; i++) {
		if (hits(i, P1) && !(i == 1 && !e2h))
			there |= BIT(i);
		else if (i == 1 && !e2h)
			there |= there & OWN ? OTHER : 0;
	}
	cr_assert(eq(u64, there, c->leaves[e2h]), "%s, E2H %u", c->what, e2h);
	fake_smmu_unmake(&f);
}

Test(smmu_tlb, el2)
{
	for (size_t i = 0; i < ARRAY_SIZE(el2_cases); i++) {
		run_el2(&el2_cases[i], false);
		run_el2(&el2_cases[i], true);
	}
}

Test(smmu_tlb, el2_by_asid_with_e2h)
{
	const struct el2_case c = { "EL2_ASID", TLBI_EL2_ASID | ASID(1), 0, { 0, OTHER | EL1 } };

	run_el2(&c, true);
}
