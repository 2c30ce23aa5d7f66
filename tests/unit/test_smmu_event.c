// SPDX-License-Identifier: GPL-2.0-only
/* An SMMU's Event queue: sizes, overflow, aborts, interrupts, merging. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_smmu.h"

#define ON   (CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN)
#define PAGE 0x1000ULL
#define WORD 0xcafe0002u

static struct fake_smmu f;
static gpa_t s1;
static unsigned int edges[64];
static u32 prod_then; /* what the register said at the last signal */
static u64 w[4];

static void line_changed(unsigned int spi, bool level)
{
	edges[spi] += level;
	prod_then = fake_smmu_read32(&f, EVENTQ_PROD);
}

/* Streams 0x10 and 0x11 have a page at PAGE, and faults elsewhere. */
static void make_with(const struct smmu_id *id)
{
	fake_smmu_make(&f, id);
	fake.line_changed = line_changed;
	s1 = fake_smmu_table(&f);
	fake_smmu_map(&f, s1, PAGE, FAKE_SMMU_DATA, FAKE_S1_RO);
	fake_smmu_stage1(&f, 0x10, 0, 1, s1);
	fake_smmu_stage1(&f, 0x11, 0, 1, s1);
}

static void make(void)
{
	make_with(NULL);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_event, .init = make, .fini = unmake, .timeout = 20);

/* An access that faults, at @iova. */
static void fault(u64 iova)
{
	cr_assert(zero(u64, fake_smmu_gpa(&f, iova, DMA_READ)));
}

/* The next event is of @iova. */
static void expect(u64 iova)
{
	cr_assert(fake_smmu_event(&f, w), "nothing is recorded");
	cr_assert(eq(u64, w[2], iova), "%#llx", (unsigned long long)w[2]);
}

static void expect_none(void)
{
	cr_assert(not(fake_smmu_event(&f, w)));
}

static u32 prod(void)
{
	return fake_smmu_read32(&f, EVENTQ_PROD);
}

static u32 active(void)
{
	return fake_smmu_read32(&f, GERROR) ^ fake_smmu_read32(&f, GERRORN);
}

static void start(unsigned int log2size)
{
	f.eventq_log2size = log2size;
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write32(&f, EVENTQ_PROD, 0);
	fake_smmu_write32(&f, EVENTQ_CONS, 0);
	fake_smmu_enable(&f);
}

Test(smmu_event, events_of_any_size_of_queue_are_written_and_wrap)
{
	for (unsigned int log2size = 0; log2size <= 10; log2size++) {
		start(log2size);
		for (u64 i = 1; i <= (3u << log2size) + 1; i++) {
			fault(i * 8 * PAGE);
			cr_assert(eq(u32, prod(), i % (2u << log2size)));
			expect(i * 8 * PAGE);
		}
		expect_none();
	}
}

Test(smmu_event, a_size_beyond_the_largest_is_the_largest)
{
	const struct smmu_id id = fake_smmu_id("idr1.eventqs", 2);

	unmake();
	make_with(&id);
	start(2);
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write64(&f, EVENTQ_BASE, f.eventq | 31);
	fake_smmu_write32(&f, CR0, ON);
	for (u64 i = 1; i <= 5; i++)
		fault(i * 8 * PAGE);
	cr_assert(eq(u32, prod(), QUEUE_OVERFLOW | 4));
	for (u64 i = 1; i <= 4; i++)
		expect(i * 8 * PAGE);
	expect_none();
}

Test(smmu_event, its_base_is_aligned_to_its_size_and_cut_to_the_smmus_addresses)
{
	start(4);
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write64(&f, EVENTQ_BASE, f.eventq | 0x1e0 | BIT(44) | BIT(55) | BIT(62) | 4);
	fake_smmu_write32(&f, CR0, ON);
	fault(8 * PAGE);
	expect(8 * PAGE);
}

Test(smmu_event, what_is_lost_is_told_once_until_it_is_acknowledged)
{
	start(1);
	for (u64 i = 8; i < 13; i++)
		fault(i * PAGE);
	cr_assert(eq(u32, prod(), QUEUE_OVERFLOW | 2));
	cr_assert(eq(u64, fake_smmu_counts(&f).lost, 3));
	expect(8 * PAGE);
	fault(13 * PAGE);
	cr_assert(eq(u32, prod(), QUEUE_OVERFLOW | 3), "there is room, acknowledged or not");
	fault(14 * PAGE);
	cr_assert(eq(u32, prod(), QUEUE_OVERFLOW | 3), "and it is told once");
	fake_smmu_write32(&f, EVENTQ_CONS, QUEUE_OVERFLOW | 1);
	cr_assert(eq(u32, prod(), QUEUE_OVERFLOW | 3));
	fault(15 * PAGE);
	cr_assert(eq(u32, prod(), 3), "now again");
	expect(9 * PAGE);
	expect(13 * PAGE);
	expect_none();
	cr_assert(zero(u32, active()));
}

Test(smmu_event, while_it_is_off_events_are_lost_without_a_word)
{
	start(2);
	fake_smmu_write32(&f, CR0, CR0_SMMUEN | CR0_CMDQEN);
	for (u64 i = 8; i < 16; i++)
		fault(i * PAGE);
	fake_smmu_write32(&f, CR0, ON);
	cr_assert(zero(u32, prod()));
	cr_assert(eq(u64, fake_smmu_counts(&f).lost, 8));
	fault(8 * PAGE);
	expect(8 * PAGE);
}

Test(smmu_event, an_abort_stops_it_until_it_is_acknowledged)
{
	f.eventq = FAKE_RAM_BASE + FAKE_RAM_SIZE;
	start(2);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_GERROR | IRQ_EVENTQ);
	fault(8 * PAGE);
	cr_assert(eq(u32, active(), GERROR_EVENTQ_ABT));
	cr_assert(zero(u32, prod()));
	cr_assert(eq(u32, edges[FAKE_SMMU_GERROR_SPI], 1));
	cr_assert(zero(u32, edges[FAKE_SMMU_EVENTQ_SPI]));
	f.eventq = FAKE_SMMU_EVENTQ;
	start(2);
	fault(9 * PAGE);
	expect_none();
	fake_smmu_write32(&f, GERRORN, GERROR_EVENTQ_ABT);
	expect_none();
	fault(10 * PAGE);
	expect(10 * PAGE);
	cr_assert(zero(u32, active()));
	cr_assert(eq(u64, fake_smmu_counts(&f).lost, 2));
}

Test(smmu_event, a_queue_that_memory_ends_in_aborts_there)
{
	const struct smmu_id id = fake_smmu_id("idr1.eventqs", 19);
	const u32 last = FAKE_RAM_SIZE / 32 - 1;

	unmake();
	make_with(&id);
	f.eventq = FAKE_RAM_BASE;
	f.eventq_log2size = 19;
	fake_smmu_write64(&f, EVENTQ_BASE, 19);
	fake_smmu_write32(&f, EVENTQ_PROD, last);
	fake_smmu_write32(&f, EVENTQ_CONS, last);
	fake_smmu_enable(&f);
	fault(8 * PAGE);
	fault(9 * PAGE);
	cr_assert(eq(u32, prod(), last + 1));
	cr_assert(eq(u32, active(), GERROR_EVENTQ_ABT));
	expect(8 * PAGE);
	expect_none();
}

Test(smmu_event, an_index_of_the_drivers_that_cannot_be_does_no_harm)
{
	start(2);
	for (u32 cons = 0; cons < 32; cons++) {
		fake_smmu_write32(&f, EVENTQ_CONS, 0x7ff000e8 | cons);
		for (u64 i = 8; i < 32; i++)
			fault(i * PAGE);
	}
	cr_assert(zero(u64, fake_smmu_get(&f, f.eventq + 4 * 32)), "nothing is behind its end");
	cr_assert(zero(u32, active()));
}

Test(smmu_event, the_interrupt_is_when_the_queue_ceases_to_be_empty)
{
	start(3);
	fault(8 * PAGE);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_EVENTQ);
	cr_assert(zero(u32, edges[FAKE_SMMU_EVENTQ_SPI]), "none for what was before");
	fault(9 * PAGE);
	cr_assert(zero(u32, edges[FAKE_SMMU_EVENTQ_SPI]));
	expect(8 * PAGE);
	fault(10 * PAGE);
	cr_assert(zero(u32, edges[FAKE_SMMU_EVENTQ_SPI]));
	expect(9 * PAGE);
	expect(10 * PAGE);
	fault(11 * PAGE);
	cr_assert(eq(u32, edges[FAKE_SMMU_EVENTQ_SPI], 1));
	cr_assert(eq(u32, prod_then, 4), "it is there by then");
	fault(12 * PAGE);
	cr_assert(eq(u32, edges[FAKE_SMMU_EVENTQ_SPI], 1));
	cr_assert(not(fake.lines[FAKE_SMMU_EVENTQ_SPI]));
	cr_assert(zero(u32, fake.nr_msis));
}

Test(smmu_event, no_interrupt_without_its_enable)
{
	start(3);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_GERROR);
	fault(8 * PAGE);
	cr_assert(zero(u32, fake.line_changes));
	cr_assert(zero(u32, fake.nr_msis));
}

static void program(u64 addr)
{
	fake_smmu_write64(&f, EVENTQ_IRQ_CFG0, addr);
	fake_smmu_write32(&f, EVENTQ_IRQ_CFG1, WORD);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_EVENTQ | IRQ_GERROR);
}

Test(smmu_event, its_interrupt_as_a_message)
{
	start(3);
	program(FAKE_SMMU_DOORBELL);
	fault(8 * PAGE);
	fault(9 * PAGE);
	cr_assert(eq(u32, fake.nr_msis, 1));
	cr_assert(eq(u32, fake.msi.address_lo, FAKE_SMMU_DOORBELL));
	cr_assert(eq(u32, fake.msi.data, WORD));
	cr_assert(eq(u32, fake.msi.devid, FAKE_SMMU_DEVID));
	cr_assert(zero(u32, fake.line_changes));
}

Test(smmu_event, its_message_to_memory)
{
	start(3);
	program(FAKE_SMMU_DATA + 4);
	fault(8 * PAGE);
	cr_assert(eq(u64, fake_smmu_get(&f, FAKE_SMMU_DATA), (u64)WORD << 32));
	cr_assert(zero(u32, fake.line_changes + fake.nr_msis));
}

Test(smmu_event, a_message_that_is_aborted_is_a_global_error)
{
	start(3);
	program(FAKE_SMMU_BASE);
	fake.msi_ret = -EINVAL;
	fault(8 * PAGE);
	cr_assert(eq(u32, active(), GERROR_MSI_EVENTQ_ABT));
	cr_assert(eq(u32, edges[FAKE_SMMU_GERROR_SPI], 1));
	expect(8 * PAGE);
	fault(9 * PAGE);
	expect(9 * PAGE);
}

static void let_merge(u32 sid)
{
	u64 ste[8];

	fake_smmu_ste_words(&f, ste, CONFIG_TRAFFIC | CONFIG_S1, 0, 0, 0);
	ste[1] |= STE1_MEV;
	fake_smmu_ste(&f, sid, ste);
}

Test(smmu_event, the_same_event_again_is_one_record_where_the_stream_lets_it_be)
{
	let_merge(0x10);
	start(5);
	for (u64 i = 0; i < PAGE; i += 8)
		fault(8 * PAGE + i);
	expect(8 * PAGE);
	expect_none();
	fault(8 * PAGE);
	expect(8 * PAGE);
	expect_none();
	cr_assert(zero(u64, fake_smmu_counts(&f).lost));
}

Test(smmu_event, another_event_is_another_record)
{
	let_merge(0x10);
	let_merge(0x11);
	start(5);
	fault(8 * PAGE);
	fault(9 * PAGE);
	fault(8 * PAGE);
	expect(8 * PAGE);
	expect(9 * PAGE);
	expect(8 * PAGE);
	expect_none();
	fault(8 * PAGE);
	cr_assert(zero(u64, fake_smmu_gpa(&f, 8 * PAGE, DMA_WRITE)));
	fake_smmu_reach(&f, 1, 8 * PAGE, DMA_WRITE, DMA_NO_PASID);
	fake_smmu_reach(&f, 1, PAGE, DMA_WRITE, DMA_NO_PASID);
	for (int i = 0; i < 4; i++)
		cr_assert(fake_smmu_event(&f, w));
	expect_none();
}

Test(smmu_event, where_the_stream_does_not_let_it_each_is_recorded)
{
	start(5);
	fault(8 * PAGE);
	fault(8 * PAGE);
	expect(8 * PAGE);
	expect(8 * PAGE);
	expect_none();
}

Test(smmu_event, a_full_queue_that_ends_with_the_same_loses_none)
{
	let_merge(0x10);
	start(1);
	fault(8 * PAGE);
	fault(9 * PAGE);
	fault(9 * PAGE);
	cr_assert(eq(u32, prod(), 2), "no overflow");
	fault(8 * PAGE);
	cr_assert(eq(u32, prod(), QUEUE_OVERFLOW | 2));
}

Test(smmu_event, events_of_configuration_merge_too)
{
	u64 cd[8] = { 0 };

	let_merge(0x10);
	fake_smmu_cd(&f, 0, cd);
	start(5);
	fault(8 * PAGE);
	fault(9 * PAGE);
	fake_smmu_reach(&f, 1, 8 * PAGE, DMA_READ, DMA_NO_PASID);
	fake_smmu_reach(&f, 1, 8 * PAGE, DMA_READ, DMA_NO_PASID);
	for (int i = 0; i < 3; i++)
		cr_assert(fake_smmu_event(&f, w));
	expect_none();
}

Test(smmu_event, nothing_merges_with_what_was_in_another_queue)
{
	let_merge(0x10);
	start(3);
	fault(8 * PAGE);
	start(3);
	fault(8 * PAGE);
	expect(8 * PAGE);
	start(3);
	fault(9 * PAGE);
	fake_smmu_write32(&f, CR0, 0);
	f.eventq = FAKE_SMMU_DATA;
	fake_smmu_write32(&f, EVENTQ_PROD, 4);
	fake_smmu_write32(&f, EVENTQ_CONS, 3);
	fake_smmu_enable(&f);
	fault(9 * PAGE);
	cr_assert(eq(u32, prod(), 5));
}

/* Two levels of 2^6: StreamID 0x10 behind an L1STD of @span, of a table at @l2. */
static void two_level(u64 span, gpa_t l2)
{
	fake_smmu_write32(&f, CR0, 0);
	f.strtab_base = FAKE_SMMU_DATA;
	f.strtab_cfg = 1 << 16 | 6 << 6 | 8;
	fake_smmu_put(&f, FAKE_SMMU_DATA, l2 | span);
	fake_smmu_enable(&f);
	fake_smmu_forget(&f);
}

Test(smmu_event, streams_that_are_not_there_are_recorded_if_they_are_to)
{
	for (u32 record = 0; record < 2; record++) {
		fake_smmu_write32(&f, CR0, 0);
		fake_smmu_write32(&f, CR2, record ? CR2_RECINVSID : 0);
		for (u64 span = 0; span < 32; span++) {
			const bool there = span >= 6 && span <= 7;

			two_level(span, FAKE_SMMU_STRTAB);
			cr_assert(eq(int, !!fake_smmu_gpa(&f, PAGE, DMA_READ), there));
			cr_assert(eq(int, fake_smmu_event(&f, w), record && !there));
			cr_assert(there || !record || (w[0] & EVT0_ID) == C_BAD_STREAMID);
		}
		f.sids[0] = 0x100;
		fault(PAGE);
		cr_assert(eq(int, fake_smmu_event(&f, w), record));
		f.sids[0] = 0x10;
	}
}

Test(smmu_event, streams_beyond_what_the_smmu_has_are_not_there)
{
	const struct smmu_id id = fake_smmu_id("idr1.sidsize", 4);

	unmake();
	make_with(&id);
	fake_smmu_write32(&f, CR2, CR2_RECINVSID);
	start(5);
	fault(PAGE);
	cr_assert(fake_smmu_event(&f, w));
	cr_assert(eq(u64, w[0], C_BAD_STREAMID | 0x10ULL << 32));
	f.sids[0] = 0xf;
	fake_smmu_stage1(&f, 0xf, 0, 1, s1);
	cr_assert(eq(u64, fake_smmu_gpa(&f, PAGE, DMA_READ), FAKE_SMMU_DATA));
}
