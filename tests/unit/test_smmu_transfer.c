// SPDX-License-Identifier: GPL-2.0-only
/* Transfers through the SMMU: how far they come and why no farther, what bypasses it (Arm IHI 0070,
 * 3.4), and where messages arrive. */
#include "tests/unit/smmu_expect.h"

#define D      FAKE_SMMU_DATA
#define PAGE   0x1000ULL
#define NO_RAM 0x40000000ULL
#define IN     CLASS(CLASS_IN)

static struct fake_smmu f;
static gpa_t root;
static u64 cd[8];

/* Pages 1 to 3 are at D + 2 pages, D + 1 page and D; page 6 is not RAM. */
static void make(void)
{
	fake_smmu_make(&f, NULL);
	root = fake_smmu_table(&f);
	for (unsigned int i = 1; i < 4; i++)
		fake_smmu_map(&f, root, i * PAGE, D + (3 - i) * PAGE, FAKE_S1_RW);
	fake_smmu_map(&f, root, 5 * PAGE, D, FAKE_S1_RO);
	fake_smmu_map(&f, root, 6 * PAGE, NO_RAM, FAKE_S1_RW);
	fake_smmu_map(&f, root, 7 * PAGE, D, FAKE_S1_RW);
	fake_smmu_stage1(&f, 0x10, 0, 1, root);
	fake_smmu_cd_words(&f, cd, 1, root);
	fake_smmu_enable(&f);
}

static void unmake(void)
{
	expect_no_event(&f);
	fake_smmu_unmake(&f);
}

TestSuite(smmu_transfer, .init = make, .fini = unmake, .timeout = 20);

static struct iovec iov[8];
static struct dma_sg sg;

static struct dma_access map(u64 iova, u64 len, bool partial, unsigned int max,
                             enum dma_status status)
{
	struct dma_access a = dma_access_to(iova, len, DMA_WRITE);

	a.partial = partial;
	sg = (struct dma_sg){ .iov = iov, .max = max };
	cr_assert(eq(int, dma_map(fake_smmu_dma(&f, 0), &a, &sg, NULL), status));
	return a;
}

static gpa_t gpa_of(unsigned int i)
{
	return f.vm.mem.base + ((u8 *)iov[i].iov_base - f.vm.mem.host);
}

Test(smmu_transfer, it_is_in_as_many_pieces_as_there_are)
{
	const struct dma_access a = map(PAGE + 0x100, 2 * PAGE, false, 8, DMA_OK);

	cr_assert(eq(u64, a.done, 2 * PAGE));
	cr_assert(eq(int, a.reason, DMA_NO_REASON));
	cr_assert(eq(u32, sg.nr, 3));
	cr_assert(eq(u64, gpa_of(0), D + 2 * PAGE + 0x100));
	cr_assert(eq(u64, iov[0].iov_len, PAGE - 0x100));
	cr_assert(eq(u64, gpa_of(1), D + PAGE));
	cr_assert(eq(u64, gpa_of(2), D));
	cr_assert(eq(u64, iov[2].iov_len, 0x100));
	cr_assert(eq(u64, fake_smmu_counts(&f).accesses, 1));
}

/* An event has the address of the first byte that may not be reached. */
Test(smmu_transfer, it_stops_where_nothing_is_mapped)
{
	struct dma_access a = map(2 * PAGE + 0x100, 4 * PAGE, true, 8, DMA_FAULT);

	cr_assert(eq(u64, a.done, 2 * PAGE - 0x100));
	cr_assert(eq(int, a.reason, DMA_NOT_MAPPED));
	cr_assert(eq(u32, sg.nr, 2));
	expect_event(&f, F_TRANSLATION | SID(0x10), IN, 4 * PAGE, 0);
	a = map(2 * PAGE + 0x100, 4 * PAGE, false, 8, DMA_FAULT);
	cr_assert(eq(u64, a.done, 2 * PAGE - 0x100));
	cr_assert(zero(u32, sg.nr));
	expect_event(&f, F_TRANSLATION | SID(0x10), IN, 4 * PAGE, 0);
	cr_assert(eq(u64, fake_smmu_counts(&f).faults, 2));
}

Test(smmu_transfer, it_stops_where_it_is_not_permitted)
{
	const struct dma_access a = map(5 * PAGE + 8, PAGE, true, 8, DMA_FAULT);

	cr_assert(zero(u64, a.done));
	cr_assert(eq(int, a.reason, DMA_NOT_PERMITTED));
	expect_event(&f, F_PERMISSION | SID(0x10), IN, 5 * PAGE + 8, 0);
}

/* Nothing is wrong with the translation: no event. */
Test(smmu_transfer, it_stops_where_no_ram_is)
{
	const struct dma_access a = map(6 * PAGE + 8, PAGE, true, 8, DMA_FAULT);

	cr_assert(zero(u64, a.done));
	cr_assert(eq(int, a.reason, DMA_NO_MEMORY));
}

Test(smmu_transfer, it_stops_where_there_is_no_room)
{
	struct dma_access a = map(PAGE, 3 * PAGE, true, 2, DMA_OK);

	cr_assert(eq(u64, a.done, 2 * PAGE));
	a = map(PAGE, 3 * PAGE, false, 2, DMA_FAULT);
	cr_assert(eq(int, a.reason, DMA_NO_ROOM));
	cr_assert(zero(u32, sg.nr));
}

Test(smmu_transfer, nothing_at_all_is_anywhere)
{
	const struct dma_access a = map(4 * PAGE, 0, false, 8, DMA_OK);

	cr_assert(zero(u64, a.done));
}

Test(smmu_transfer, it_does_not_go_round_the_end)
{
	struct dma_access a;

	fake_smmu_map(&f, root, BIT(39) - PAGE, D, FAKE_S1_RW);
	fake_smmu_map(&f, root, 0, D, FAKE_S1_RW);
	cd[0] &= ~CD0_EPD1;
	cd[0] |= FIELD_PREP(CD0_T1SZ, 25ULL) | FIELD_PREP(CD0_TG1, 2ULL);
	cd[2] = root;
	fake_smmu_cd(&f, 0, cd);
	a = map(-PAGE, 2 * PAGE, true, 8, DMA_FAULT);
	cr_assert(eq(u64, a.done, PAGE));
	cr_assert(eq(int, a.reason, DMA_NOT_MAPPED));
}

/* 3.4: what is beyond the output size is no address. */
Test(smmu_transfer, what_an_ste_lets_through)
{
	u64 w[8];

	fake_smmu_ste_words(&f, w, 4, 0, 0, 0);
	fake_smmu_ste(&f, 0x10, w);
	expect_reached(&f, D + 5, DMA_WRITE, D + 5);
	expect_fault(&f, BIT(43), DMA_WRITE, DMA_NO_MEMORY);
	expect_no_event(&f);
	expect_fault(&f, BIT(44) | D, DMA_WRITE, DMA_NOT_MAPPED);
	expect_event(&f, F_ADDR_SIZE | SID(0x10), IN, BIT(44) | D, 0);
	expect_fault(&f, BIT(63), DMA_READ, DMA_NOT_MAPPED);
	expect_event(&f, F_ADDR_SIZE | SID(0x10), IN | EVT1_RNW, BIT(63), 0);
}

Test(smmu_transfer, while_it_is_disabled)
{
	fake_smmu_write32(&f, CR0, CR0_EVENTQEN | CR0_CMDQEN);
	expect_reached(&f, D + 5, DMA_WRITE, D + 5);
	cr_assert(eq(u64, fake_smmu_reach(&f, 0, D, DMA_READ, 3).gpa, D), "with a PASID, too");
	expect_fault(&f, BIT(44) | D, DMA_WRITE, DMA_NOT_ATTACHED);
	fake_smmu_write32(&f, GBPA, GBPA_UPDATE | GBPA_ABORT);
	expect_fault(&f, D, DMA_WRITE, DMA_NOT_ATTACHED);
	fake_smmu_write32(&f, CR0, CR0_EVENTQEN | CR0_CMDQEN | CR0_SMMUEN);
	expect_reached(&f, PAGE, DMA_WRITE, D + 2 * PAGE);
}

static void expect_doorbell(u64 iova, enum dma_status status, gpa_t gpa)
{
	gpa_t got = 0;

	cr_assert(eq(int, dma_doorbell(fake_smmu_dma(&f, 0), iova, &got), status));
	if (status == DMA_OK)
		cr_assert(eq(u64, got, gpa));
}

/* What is there is not the SMMU's to know. */
Test(smmu_transfer, a_message_is_a_write)
{
	expect_doorbell(6 * PAGE + 0x40, DMA_OK, NO_RAM + 0x40);
	expect_doorbell(PAGE, DMA_OK, D + 2 * PAGE);
	expect_doorbell(5 * PAGE, DMA_FAULT, 0);
	expect_event(&f, F_PERMISSION | SID(0x10), IN, 5 * PAGE, 0);
	expect_doorbell(4 * PAGE, DMA_FAULT, 0);
	expect_event(&f, F_TRANSLATION | SID(0x10), IN, 4 * PAGE, 0);
	fake_smmu_write32(&f, CR0, CR0_EVENTQEN);
	expect_doorbell(FAKE_SMMU_DOORBELL, DMA_OK, FAKE_SMMU_DOORBELL);
	expect_doorbell(BIT(44), DMA_FAULT, 0);
	fake_smmu_write32(&f, GBPA, GBPA_UPDATE | GBPA_ABORT);
	expect_doorbell(FAKE_SMMU_DOORBELL, DMA_FAULT, 0);
}

/* Nothing is recorded, and nobody is told that it failed. */
Test(smmu_transfer, a_look_at_where_messages_go_is_no_access)
{
	struct dma_space *dma = fake_smmu_dma(&f, 0);
	gpa_t got;

	cr_assert(eq(int, dma_doorbell_look(dma, 6 * PAGE + 0x40, &got), DMA_OK));
	cr_assert(eq(u64, got, NO_RAM + 0x40));
	cr_assert(eq(int, dma_doorbell_look(dma, 5 * PAGE, &got), DMA_FAULT));
	cr_assert(eq(int, dma_doorbell_look(dma, 4 * PAGE, &got), DMA_FAULT));
	expect_doorbell(4 * PAGE + 4, DMA_FAULT, 0);
	expect_event(&f, F_TRANSLATION | SID(0x10), IN, 4 * PAGE + 4, 0);
	fake_smmu_write32(&f, CR0, CR0_EVENTQEN);
	fake_smmu_write32(&f, GBPA, GBPA_UPDATE | GBPA_ABORT);
	cr_assert(eq(int, dma_doorbell_look(dma, FAKE_SMMU_DOORBELL, &got), DMA_FAULT));
}

/* Who sends messages is told when what they went by may be another. */
static unsigned int nr_changes;

static void changed(struct dma_messages *m)
{
	(void)m;
	nr_changes++;
}

static unsigned int changes(u64 w0, u64 w1)
{
	nr_changes = 0;
	cr_assert(fake_smmu_command(&f, w0, w1));
	return nr_changes;
}

Test(smmu_transfer, a_doorbell_that_goes_is_told)
{
	struct dma_messages m = { changed };

	fake_smmu_dma(&f, 0)->messages = &m;
	expect_doorbell(6 * PAGE, DMA_OK, NO_RAM);
	expect_reached(&f, PAGE, DMA_WRITE, D + 2 * PAGE);
	cr_assert(zero(u32, changes(TLBI_NH_VA | 1ULL << 48, PAGE)), "another page");
	cr_assert(zero(u32, changes(TLBI_NH_ASID | 2ULL << 48, 0)), "another ASID");
	cr_assert(zero(u32, changes(CFGI_STE | SID(0x11), 1)), "another stream");
	cr_assert(eq(u32, changes(TLBI_NH_VA | 1ULL << 48, 6 * PAGE), 1));
	cr_assert(zero(u32, changes(TLBI_NH_VA | 1ULL << 48, 6 * PAGE)), "it has gone");
	expect_doorbell(6 * PAGE, DMA_OK, NO_RAM);
	cr_assert(eq(u32, changes(CFGI_STE | SID(0x10), 1), 1));
	expect_doorbell(6 * PAGE, DMA_OK, NO_RAM);
	cr_assert(eq(u32, changes(TLBI_NSNH_ALL, 0), 1));
	nr_changes = 0;
	fake_smmu_write32(&f, CR0, CR0_EVENTQEN | CR0_CMDQEN);
	cr_assert(eq(u32, nr_changes, 1));
	fake_smmu_write32(&f, GBPA, GBPA_UPDATE | GBPA_ABORT);
	cr_assert(eq(u32, nr_changes, 2));
	fake_smmu_dma(&f, 0)->messages = NULL;
}

Test(smmu_transfer, who_has_no_stream_id_reaches_nothing)
{
	struct smmu_endpoint *e;
	struct fake_smmu_reached got;

	cr_assert(zero(int, smmu_add_endpoint(f.smmu, &e)));
	f.endpoints[0] = e;
	got = fake_smmu_reach(&f, 0, D, DMA_READ, DMA_NO_PASID);
	cr_assert(eq(int, got.reason, DMA_NOT_ATTACHED));
}
