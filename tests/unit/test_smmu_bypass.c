// SPDX-License-Identifier: GPL-2.0-only
/* What is not translated, or not yet; and what an STE says of its own walks (Arm IHI
 * 0070, 3.4, 3.21.1, 4.2, 5.2, 5.4). */
#include "tests/unit/smmu_expect.h"

#define D           FAKE_SMMU_DATA
#define P           0x10000ULL
#define BEYOND      BIT(44) /* OAS */
#define ADDR_SIZE   0x11
#define TRANSLATION 0x10
#define ACCESS      0x12
#define PERMISSION  0x13

static struct fake_smmu f;
static gpa_t root;

TestSuite(smmu_bypass, .timeout = 20);

static void start(const struct smmu_id *id, unsigned int config)
{
	u64 w[8];

	make_afresh(&f, id);
	root = fake_smmu_table(&f);
	fake_smmu_map(&f, root, P, D, config == 6 ? FAKE_S2_RW : FAKE_S1_RW);
	fake_smmu_cd_words(&f, w, 1, root);
	fake_smmu_cd(&f, 0, w);
	fake_smmu_ste_words(&f, w, config, 0, 1, root);
	fake_smmu_ste(&f, 0x10, w);
	fake_smmu_enable(&f);
}

/* The access faults, and the oldest event is @id; 0: there is none. */
static void faults(u64 iova, u32 perm, unsigned int id)
{
	cr_assert(zero(u64, fake_smmu_gpa(&f, iova, perm)));
	cr_assert(eq(u32, event_id(&f), id));
}

/* 3.4: an output beyond OAS; 3.4.1: TBI is stage 1's. */
Test(smmu_bypass, an_address_that_an_ste_bypasses_is_within_oas)
{
	start(NULL, 4);
	cr_assert(eq(u64, fake_smmu_gpa(&f, D, DMA_READ), D));
	faults(BEYOND | D, DMA_READ, ADDR_SIZE);
	faults(0xffULL << 56 | D, DMA_WRITE, ADDR_SIZE);
	fake_smmu_unmake(&f);
}

Test(smmu_bypass, beyond_oas_a_disabled_smmu_aborts_without_an_event)
{
	start(NULL, 4);
	fake_smmu_write32(&f, CR0, CR0_EVENTQEN | CR0_CMDQEN);
	cr_assert(eq(u64, fake_smmu_gpa(&f, D, DMA_READ), D));
	faults(BEYOND | D, DMA_READ, 0);
	faults(0xffULL << 56 | D, DMA_READ, 0);
	fake_smmu_unmake(&f);
}

/* 3.21.1 */
Test(smmu_bypass, what_had_no_translation_is_found_without_an_invalidation)
{
	start(NULL, 5);
	faults(P + 0x1000, DMA_READ, TRANSLATION);
	fake_smmu_map(&f, root, P + 0x1000, D, FAKE_S1_RW);
	cr_assert(eq(u64, fake_smmu_gpa(&f, P + 0x1000, DMA_READ), D));
	fake_smmu_unmake(&f);
}

/* 4.2 */
Test(smmu_bypass, a_prefetch_records_no_event)
{
	static const u64 none[8];

	start(NULL, 5);
	fake_smmu_ste(&f, 0x11, none);
	for (u64 sid = 0x10; sid < 0x80; sid++) {
		cr_assert(fake_smmu_command(&f, PREFETCH_CONFIG | sid << 32, 0));
		cr_assert(fake_smmu_command(&f, PREFETCH_ADDR | sid << 32, 0x7000000));
	}
	cr_assert(zero(u32, fake_smmu_cerror(&f)));
	expect_no_event(&f);
	fake_smmu_unmake(&f);
}

/* 5.4: a table that takes writing away, from what has no use for that. */
static void hierarchical(const struct smmu_id *id, bool writes)
{
	gpa_t at;
	u64 w[8];

	start(id, 5);
	at = fake_smmu_entry(&f, root, 1, 1, P);
	fake_smmu_put(&f, at, fake_smmu_get(&f, at) | BIT(62));
	fake_smmu_cd_words(&f, w, 1, root);
	w[1] |= CD1_HAD0;
	fake_smmu_cd(&f, 0, w);
	fake_smmu_forget(&f);
	cr_assert(eq(u64, fake_smmu_gpa(&f, P, DMA_READ), D));
	if (writes)
		cr_assert(eq(u64, fake_smmu_gpa(&f, P, DMA_WRITE), D));
	else
		faults(P, DMA_WRITE, PERMISSION);
	fake_smmu_unmake(&f);
}

Test(smmu_bypass, had0_is_ignored_where_there_is_none)
{
	const struct smmu_id id = fake_smmu_id("idr3.had", 0);

	hierarchical(NULL, true);
	hierarchical(&id, false);
}

/* 5.2: what stage 2's walks do is said by the STE. */
static void with_ste2(u64 set)
{
	u64 w[8];

	fake_smmu_ste_words(&f, w, 6, 0, 1, root);
	w[2] |= set;
	fake_smmu_ste(&f, 0x10, w);
	fake_smmu_forget(&f);
}

static u64 leaf(void)
{
	return fake_smmu_get(&f, fake_smmu_entry(&f, root, 1, 3, P));
}

Test(smmu_bypass, the_access_flag_of_stage_2_is_as_its_ste_says)
{
	start(NULL, 6);
	fake_smmu_map(&f, root, P, D, FAKE_S2_RW & ~BIT(10));
	with_ste2(0);
	faults(P, DMA_READ, ACCESS);
	with_ste2(STE2_S2AFFD);
	cr_assert(eq(u64, fake_smmu_gpa(&f, P, DMA_READ), D));
	cr_assert(zero(u64, leaf() & BIT(10)));
	with_ste2(STE2_S2HA);
	cr_assert(eq(u64, fake_smmu_gpa(&f, P, DMA_READ), D));
	cr_assert(ne(u64, leaf() & BIT(10), 0));
	fake_smmu_unmake(&f);
}

/* A page that is clean: writable once hardware may say so. */
Test(smmu_bypass, the_dirty_state_of_stage_2_is_as_its_ste_says)
{
	start(NULL, 6);
	fake_smmu_map(&f, root, P, D, FAKE_S2_RO | BIT(51));
	with_ste2(STE2_S2HA);
	faults(P, DMA_WRITE, PERMISSION);
	with_ste2(STE2_S2HA | STE2_S2HD);
	cr_assert(eq(u64, fake_smmu_gpa(&f, P, DMA_WRITE), D));
	cr_assert(ne(u64, leaf() & BIT(7), 0));
	fake_smmu_unmake(&f);
}

Test(smmu_bypass, the_endianness_of_stage_2_is_as_its_ste_says)
{
	const struct smmu_id id = fake_smmu_id("idr0.ttendian", 0);
	gpa_t at[3];

	start(&id, 6);
	for (int i = 0; i < 3; i++)
		at[i] = fake_smmu_entry(&f, root, 1, i + 1, P);
	for (int i = 0; i < 3; i++)
		fake_smmu_put(&f, at[i], __builtin_bswap64(fake_smmu_get(&f, at[i])));
	with_ste2(0);
	faults(P, DMA_READ, TRANSLATION);
	with_ste2(STE2_S2ENDI);
	cr_assert(eq(u64, fake_smmu_gpa(&f, P, DMA_READ), D));
	fake_smmu_unmake(&f);
}

/* 3.12, 16.7.4: what is mapped to no memory aborts behind the SMMU, which has nothing to say of it.
 */
Test(smmu_bypass, an_abort_behind_the_smmu_is_the_devices_and_no_event)
{
	start(NULL, 5);
	fake_smmu_map(&f, root, P, 0x60000000, FAKE_S1_RW);
	expect_fault(&f, P, DMA_READ, DMA_NO_MEMORY);
	expect_no_event(&f);
	fake_smmu_unmake(&f);
}

/* 5.2: S2PTW; stage 1's tables are at IPAs that stage 2 says are Device memory. */
Test(smmu_bypass, tables_in_device_memory_are_not_walked_with_s2ptw)
{
	gpa_t root2;
	u64 w[8];

	start(NULL, 5);
	root2 = fake_smmu_table(&f);
	for (gpa_t at = FAKE_RAM_BASE; at < FAKE_RAM_BASE + 0x100000; at += 0x1000)
		fake_smmu_map(&f, root2, at, at,
		              at < FAKE_SMMU_TABLES || at >= FAKE_SMMU_DATA
		                      ? FAKE_S2_RW
		                      : FAKE_S2_RW & ~(0xfULL << 2));
	for (int protects = 0; protects <= 1; protects++) {
		fake_smmu_ste_words(&f, w, 7, 0, 1, root2);
		w[2] |= protects ? STE2_S2PTW : 0;
		fake_smmu_ste(&f, 0x10, w);
		fake_smmu_forget(&f);
		if (protects)
			faults(P, DMA_READ, PERMISSION);
		else
			cr_assert(eq(u64, fake_smmu_gpa(&f, P, DMA_READ), D));
	}
	fake_smmu_unmake(&f);
}
