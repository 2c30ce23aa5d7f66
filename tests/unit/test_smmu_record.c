// SPDX-License-Identifier: GPL-2.0-only
/* What an SMMU records of each event, word by word (Arm IHI 0070, 7.3). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_smmu.h"

#define SID  0x10ULL
#define SSID 0x6789aULL
#define NOWHERE                                                                          \
	0x4000000000ULL /* no memory; 0x1000 bytes of it are aligned to all that is used \
	                 */
#define WRITES  0ULL
#define READS   BIT(35)
#define FETCHES (BIT(35) | BIT(34))
#define PRIV    BIT(33)
#define S2      BIT(39)
#define OF_CD   0ULL
#define OF_TT   (1ULL << 40)
#define OF_IN   (2ULL << 40)
#define TT_READ BIT(44)

static struct fake_smmu f;
static gpa_t s1, s2;
static u64 ste[8], cd[8];

/* Stream SID has both stages: IPAs are GPAs, and page 5 is a page of data. */
static void make(void)
{
	fake_smmu_make(&f, NULL);
	s1 = fake_smmu_table(&f);
	s2 = fake_smmu_table(&f);
	fake_smmu_map(&f, s1, 0x5000, FAKE_SMMU_DATA, FAKE_S1_RW);
	fake_smmu_map_at(&f, s2, 1, 1, 0x80000000, 0x80000000, FAKE_S2_RW);
	fake_smmu_ste_words(&f, ste, CONFIG_TRAFFIC | CONFIG_S1 | CONFIG_S2, 0, 1, s2);
	fake_smmu_cd_words(&f, cd, 1, s1);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_record, .init = make, .fini = unmake, .timeout = 20);

static void start(void)
{
	fake_smmu_ste(&f, SID, ste);
	fake_smmu_cd(&f, 0, cd);
	fake_smmu_write32(&f, CR2, CR2_RECINVSID);
	fake_smmu_enable(&f);
}

/* One access, aborted, of which @w0 to @w3 are recorded and nothing else. */
static void records(u64 iova, u32 perm, u32 pasid, u64 w0, u64 w1, u64 w2, u64 w3)
{
	const u64 expected[] = { w0, w1, w2, w3 };
	const struct fake_smmu_reached got = fake_smmu_reach(&f, 0, iova, perm, pasid);
	u64 w[4];

	cr_assert(eq(int, got.status, DMA_FAULT));
	cr_assert(fake_smmu_event(&f, w), "nothing is recorded");
	for (int i = 0; i < 4; i++)
		cr_assert(eq(u64, w[i], expected[i]), "word %d: %#llx, not %#llx", i,
		          (unsigned long long)w[i], (unsigned long long)expected[i]);
	cr_assert(not(fake_smmu_event(&f, w)), "but one");
}

/* Of one without a SubstreamID. */
static void expect(u64 id, u64 iova, u32 perm, u64 w1, u64 w2, u64 w3)
{
	records(iova, perm, DMA_NO_PASID, SID << 32 | id, w1, w2, w3);
}

static u64 with(u64 ssid, u64 id)
{
	return SID << 32 | ssid << 12 | BIT(11) | id;
}

Test(smmu_record, c_bad_streamid)
{
	start();
	f.sids[0] = 0x40;
	records(0x5000, DMA_READ, DMA_NO_PASID, 0x40ULL << 32 | 0x02, 0, 0, 0);
	f.sids[0] = 0xffffffff;
	records(0x5000, DMA_WRITE, 0xfffff, 0xffffffffffffff02 & ~GENMASK(10, 8), 0, 0, 0);
}

Test(smmu_record, f_ste_fetch)
{
	f.strtab_base = NOWHERE;
	start();
	expect(0x03, 0x5000, DMA_READ, 0, 0, NOWHERE + SID * 64);
	records(0x5000, DMA_READ, SSID, with(SSID, 0x03), 0, 0, NOWHERE + SID * 64);
}

Test(smmu_record, f_ste_fetch_has_the_address_that_was_put_out)
{
	f.strtab_base = NOWHERE | BIT(50);
	start();
	expect(0x03, 0x5000, DMA_READ, 0, 0, NOWHERE + SID * 64);
	fake_smmu_write32(&f, CR0, 0);
	f.strtab_cfg = 1 << 16 | 6 << 6 | 6;
	fake_smmu_enable(&f);
	expect(0x03, 0x5000, DMA_READ, 0, 0, NOWHERE);
	fake_smmu_write32(&f, CR0, 0);
	f.strtab_base = FAKE_SMMU_DATA;
	fake_smmu_put(&f, FAKE_SMMU_DATA, NOWHERE | BIT(50) | BIT(44) | 7);
	fake_smmu_enable(&f);
	expect(0x03, 0x5000, DMA_READ, 0, 0, NOWHERE + SID * 64);
}

Test(smmu_record, c_bad_ste)
{
	ste[0] &= ~STE0_V;
	start();
	expect(0x04, 0x5000, DMA_READ, 0, 0, 0);
	records(0x5000, DMA_READ, SSID, with(SSID, 0x04), 0, 0, 0);
}

Test(smmu_record, f_stream_disabled)
{
	ste[0] |= FIELD_PREP(STE0_S1CDMAX, 4ULL);
	start();
	expect(0x06, 0x5000, DMA_READ, 0, 0, 0);
	ste[1] |= S1DSS_SSID0;
	fake_smmu_ste(&f, SID, ste);
	fake_smmu_forget(&f);
	records(0x5000, DMA_READ, 0, SID << 32 | 0x06, 0, 0, 0);
}

Test(smmu_record, c_bad_substreamid)
{
	start();
	records(0x5000, DMA_READ, SSID, SID << 32 | SSID << 12 | 0x08, 0, 0, 0);
	ste[0] |= FIELD_PREP(STE0_S1CDMAX, 4ULL);
	fake_smmu_ste(&f, SID, ste);
	fake_smmu_forget(&f);
	records(0x5000, DMA_READ, 16, SID << 32 | 16 << 12 | 0x08, 0, 0, 0);
}

Test(smmu_record, f_cd_fetch)
{
	fake_smmu_ste_words(&f, ste, CONFIG_TRAFFIC | CONFIG_S1, 0, 0, 0);
	ste[0] = (ste[0] & ~STE0_S1CONTEXTPTR) | NOWHERE | FIELD_PREP(STE0_S1CDMAX, 20ULL);
	start();
	records(0x5000, DMA_READ, SSID, with(SSID, 0x09), 0, 0, NOWHERE + SSID * 64);
}

Test(smmu_record, f_cd_fetch_behind_stage_2_has_the_physical_address)
{
	fake_smmu_map(&f, s2, 0x40001000, NOWHERE, FAKE_S2_RW);
	ste[0] = (ste[0] & ~STE0_S1CONTEXTPTR) | 0x40001040;
	start();
	expect(0x09, 0x5000, DMA_READ, 0, 0, NOWHERE + 0x40);
}

Test(smmu_record, c_bad_cd)
{
	cd[0] &= ~CD0_V;
	start();
	expect(0x0a, 0x5000, DMA_READ, 0, 0, 0);
}

Test(smmu_record, f_walk_eabt_of_stage_1_alone)
{
	fake_smmu_ste_words(&f, ste, CONFIG_TRAFFIC | CONFIG_S1, 0, 0, 0);
	cd[1] = NOWHERE;
	start();
	expect(0x0b, 0x80005123, DMA_READ, READS | OF_TT, 0x80005123, NOWHERE + 16);
}

Test(smmu_record, f_walk_eabt_of_stage_1_behind_stage_2)
{
	fake_smmu_map(&f, s2, 0x40001000, NOWHERE, FAKE_S2_RW);
	cd[1] = 0x40001000;
	start();
	expect(0x0b, 0x80005123, DMA_WRITE, WRITES | OF_TT, 0x80005123, NOWHERE + 16);
}

Test(smmu_record, f_walk_eabt_of_stage_2)
{
	fake_smmu_map_at(&f, s2, 1, 1, 0, NOWHERE, 0);
	fake_smmu_put(&f, fake_smmu_entry(&f, s2, 1, 1, 0x40000000), NOWHERE | 3);
	fake_smmu_map(&f, s1, 0x6000, 0x40200000, FAKE_S1_RW);
	start();
	expect(0x0b, 0x6123, DMA_READ, READS | S2 | OF_IN, 0x6123, NOWHERE + 8);
	cd[1] = 0x40200000;
	fake_smmu_cd(&f, 0, cd);
	fake_smmu_forget(&f);
	expect(0x0b, 0x6123, DMA_READ, READS | S2 | OF_TT, 0x6123, NOWHERE + 8);
	ste[0] = (ste[0] & ~STE0_S1CONTEXTPTR) | 0x40200000;
	fake_smmu_ste(&f, SID, ste);
	fake_smmu_forget(&f);
	expect(0x0b, 0x6123, DMA_READ, READS | S2 | OF_CD, 0x6123, NOWHERE + 8);
}

Test(smmu_record, faults_of_stage_1)
{
	fake_smmu_map(&f, s1, 0x7000, BIT(45), FAKE_S1_RW);
	fake_smmu_map(&f, s1, 0x8000, FAKE_SMMU_DATA, FAKE_S1_RW & ~(1ULL << 10));
	fake_smmu_map(&f, s1, 0x9000, FAKE_SMMU_DATA, FAKE_S1_RO);
	start();
	expect(0x10, 0x6fff, DMA_READ, READS | OF_IN, 0x6fff, 0);
	expect(0x10, 0x8000000000000000, DMA_WRITE, WRITES | OF_IN, 0x8000000000000000, 0);
	expect(0x11, 0x7001, DMA_READ, READS | OF_IN, 0x7001, 0);
	expect(0x12, 0x8001, DMA_EXEC, FETCHES | OF_IN, 0x8001, 0);
	expect(0x13, 0x9001, DMA_WRITE, WRITES | OF_IN, 0x9001, 0);
}

Test(smmu_record, faults_of_stage_2_alone)
{
	fake_smmu_ste_words(&f, ste, CONFIG_TRAFFIC | CONFIG_S2, 0, 1, s2);
	fake_smmu_map(&f, s2, 0x7000, BIT(45), FAKE_S2_RW);
	fake_smmu_map(&f, s2, 0x8000, FAKE_SMMU_DATA, FAKE_S2_RW & ~(1ULL << 10));
	fake_smmu_map(&f, s2, 0x9000, FAKE_SMMU_DATA, FAKE_S2_RO);
	start();
	expect(0x10, 0x6fff, DMA_READ, READS | S2 | OF_IN, 0x6fff, 0x6000);
	expect(0x11, 0x7001, DMA_READ, READS | S2 | OF_IN, 0x7001, 0x7000);
	expect(0x12, 0x8001, DMA_EXEC, FETCHES | S2 | OF_IN, 0x8001, 0x8000);
	expect(0x13, 0x9001, DMA_WRITE, WRITES | S2 | OF_IN, 0x9001, 0x9000);
	expect(0x11, BIT(44), DMA_READ, READS | OF_IN, BIT(44), 0);
}

Test(smmu_record, faults_of_stage_2_behind_stage_1)
{
	fake_smmu_map(&f, s1, 0x6000, 0x40007000, FAKE_S1_RW);
	fake_smmu_map(&f, s1, 0x7000, 0x40008000, FAKE_S1_RW);
	fake_smmu_map(&f, s2, 0x40008000, FAKE_SMMU_DATA, FAKE_S2_RO);
	start();
	expect(0x10, 0x6123, DMA_READ, READS | S2 | OF_IN, 0x6123, 0x40007000);
	expect(0x13, 0x7123, DMA_WRITE, WRITES | S2 | OF_IN, 0x7123, 0x40008000);
}

Test(smmu_record, faults_of_stage_2_for_tables_of_stage_1)
{
	cd[1] = 0x40001000;
	start();
	expect(0x10, 0x80005123, DMA_WRITE, WRITES | S2 | OF_TT, 0x80005123, 0x40001000);
	fake_smmu_map(&f, s2, 0x40001000, s1, FAKE_S2_RW & ~(1ULL << 6));
	records(0x80005123, DMA_WRITE, DMA_NO_PASID, SID << 32 | 0x13,
	        WRITES | S2 | OF_TT | TT_READ, 0x80005123, 0x40001000);
}

Test(smmu_record, a_fault_of_stage_2_for_an_access_flag_of_stage_1_is_of_a_write)
{
	fake_smmu_map(&f, s1, 0x5000, FAKE_SMMU_DATA, FAKE_S1_RW & ~(1ULL << 10));
	fake_smmu_map_at(&f, s2, 1, 1, 0x80000000, 0x80000000, FAKE_S2_RO);
	cd[0] |= CD0_HA;
	start();
	expect(0x13, 0x5123, DMA_READ, READS | S2 | OF_TT, 0x5123,
	       fake_smmu_entry(&f, s1, 1, 3, 0x5000) & ~0xfffULL);
}

Test(smmu_record, faults_of_stage_2_for_a_cd)
{
	ste[0] = (ste[0] & ~STE0_S1CONTEXTPTR) | 0x40001040;
	start();
	expect(0x10, 0x5123, DMA_READ, READS | S2 | OF_CD, 0x5123, 0x40001000);
	expect(0x10, 0x5123, DMA_EXEC, FETCHES | S2 | OF_CD, 0x5123, 0x40001000);
	expect(0x10, 0x5123, DMA_WRITE, WRITES | S2 | OF_CD, 0x5123, 0x40001000);
}

/* PRIVCFG and INSTCFG, both of the CD's fetch and of the access itself. */
static void overridden(u32 perm, u64 privcfg, u64 instcfg, u64 w1)
{
	ste[1] = FIELD_PREP(STE1_PRIVCFG, privcfg) | FIELD_PREP(STE1_INSTCFG, instcfg);
	ste[0] = (ste[0] & ~STE0_S1CONTEXTPTR) | FAKE_SMMU_CDS;
	fake_smmu_ste(&f, SID, ste);
	fake_smmu_forget(&f);
	expect(0x10, 0x6123, perm, w1 | OF_IN, 0x6123, 0);
	ste[0] = (ste[0] & ~STE0_S1CONTEXTPTR) | 0x40001040;
	fake_smmu_ste(&f, SID, ste);
	fake_smmu_forget(&f);
	expect(0x10, 0x6123, perm, w1 | S2 | OF_CD, 0x6123, 0x40001000);
}

Test(smmu_record, attributes_are_those_that_the_ste_made_of_them)
{
	start();
	overridden(DMA_READ, 0, 0, READS);
	overridden(DMA_READ, 2, 2, READS);
	overridden(DMA_READ, 3, 0, READS | PRIV);
	overridden(DMA_READ, 0, 3, FETCHES);
	overridden(DMA_EXEC, 0, 2, READS);
	overridden(DMA_EXEC, 3, 1, FETCHES | PRIV);
	overridden(DMA_WRITE, 3, 3, WRITES | PRIV);
	overridden(DMA_READ | DMA_WRITE, 0, 3, WRITES);
}

Test(smmu_record, faults_of_substreams)
{
	ste[0] |= FIELD_PREP(STE0_S1CDMAX, 4ULL);
	start();
	fake_smmu_cd(&f, 7, cd);
	records(0x6123, DMA_READ, 7, with(7, 0x10), READS | OF_IN, 0x6123, 0);
}

Test(smmu_record, the_address_is_as_it_came)
{
	cd[0] |= CD0_TBI0;
	start();
	expect(0x10, 0xab00000000006123, DMA_READ, READS | OF_IN, 0xab00000000006123, 0);
}

Test(smmu_record, an_address_within_a_transfer_is_that_of_the_part_that_faults)
{
	struct iovec iov[4];
	struct dma_sg sg = { .iov = iov, .max = 4 };
	struct dma_access a = dma_access_to(0x5ff0, 0x20, DMA_READ);
	u64 w[4];

	start();
	cr_assert(eq(int, dma_map(fake_smmu_dma(&f, 0), &a, &sg, NULL), DMA_FAULT));
	cr_assert(eq(u64, a.done, 0x10));
	cr_assert(fake_smmu_event(&f, w));
	cr_assert(eq(u64, w[2], 0x6000));
}
