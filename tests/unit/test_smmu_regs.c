// SPDX-License-Identifier: GPL-2.0-only
/* An SMMU's registers: widths, what may be written when, and what the ID registers turn off. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_smmu.h"
#include "tests/unit/held.h"

static struct fake_smmu f;

static void make(void)
{
	fake_smmu_make(&f, NULL);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_regs, .init = make, .fini = unmake, .timeout = 20);

static void remake(const char *field, u64 value)
{
	const struct smmu_id id = fake_smmu_id(field, value);

	fake_smmu_unmake(&f);
	fake_smmu_make(&f, &id);
}

static u64 get(u32 at, unsigned int size)
{
	return fake_read(&f.vm, FAKE_SMMU_BASE + at, size);
}

static void put(u32 at, unsigned int size, u64 val)
{
	fake_write(&f.vm, FAKE_SMMU_BASE + at, size, val);
}

/* Those that a driver writes, and what they keep of it: with queues of 2^10 entries. */
static const struct row {
	u32 at;
	unsigned int size;
	u64 keeps;
	u32 by; /* CR0: what it is guarded by */
	u32 by_irq;
} rows[] = {
	{ .at = CMDQ_BASE, .size = 8, .keeps = 0x40ffffffffffffff, .by = CR0_CMDQEN },
	{ .at = EVENTQ_BASE, .size = 8, .keeps = 0x40ffffffffffffff, .by = CR0_EVENTQEN },
	{ .at = CMDQ_PROD, .size = 4, .keeps = 0xfffff },
	{ .at = CMDQ_CONS, .size = 4, .keeps = 0x7f0007ff, .by = CR0_CMDQEN },
	{ .at = EVENTQ_PROD, .size = 4, .keeps = 0x800007ff, .by = CR0_EVENTQEN },
	{ .at = EVENTQ_CONS, .size = 4, .keeps = 0x800fffff },
	{ .at = STRTAB_BASE, .size = 8, .keeps = 0x40ffffffffffffc0, .by = CR0_SMMUEN },
	{ .at = STRTAB_BASE_CFG, .size = 4, .keeps = 0x307ff, .by = CR0_SMMUEN },
	{ .at = CR1, .size = 4, .keeps = 0xfff },
	{ .at = CR2, .size = 4, .keeps = 3, .by = CR0_SMMUEN },
	{ .at = GERRORN, .size = 4, .keeps = 0x1b5 },
	{ .at = GERROR_IRQ_CFG0, .size = 8, .keeps = 0x00fffffffffffffc, .by_irq = IRQ_GERROR },
	{ .at = GERROR_IRQ_CFG1, .size = 4, .keeps = 0xffffffff, .by_irq = IRQ_GERROR },
	{ .at = GERROR_IRQ_CFG2, .size = 4, .keeps = 0x3f, .by_irq = IRQ_GERROR },
	{ .at = EVENTQ_IRQ_CFG0, .size = 8, .keeps = 0x00fffffffffffffc, .by_irq = IRQ_EVENTQ },
	{ .at = EVENTQ_IRQ_CFG1, .size = 4, .keeps = 0xffffffff, .by_irq = IRQ_EVENTQ },
	{ .at = EVENTQ_IRQ_CFG2, .size = 4, .keeps = 0x3f, .by_irq = IRQ_EVENTQ },
	{ .at = IRQ_CTRL, .size = 4, .keeps = 5 },
};
#define for_each_row(r) for (const struct row *r = rows; r < rows + ARRAY_SIZE(rows); r++)

static void is(u32 at, unsigned int size, u64 expected)
{
	u64 got = get(at, size);

	cr_assert(eq(u64, got, expected), "%#x, %u bytes: %#llx", at, size,
	          (unsigned long long)got);
}

static void fill(void)
{
	for_each_row(r) put(r->at, r->size, ~0ULL);
}

static void all_are_as_filled(void)
{
	for_each_row(r) is(r->at, r->size, r->keeps);
}

Test(smmu_regs, id_registers_say_what_it_was_made_with_and_are_read_only)
{
	const struct smmu_id id = { { 1, 2, 3, 4, 5, 6 }, 7, 8, { 0 } };

	fake_smmu_unmake(&f);
	fake_smmu_make(&f, &id);
	for (u32 i = 0; i < 8; i++) {
		put(IDR0 + i * 4, 4, ~0U);
		is(IDR0 + i * 4, 4, i + 1);
	}
}

Test(smmu_regs, after_a_reset_all_is_off)
{
	for_each_row(r) is(r->at, r->size, 0);
	is(CR0, 4, 0);
	is(CR0ACK, 4, 0);
	is(GERROR, 4, 0);
	is(IRQ_CTRLACK, 4, 0);
	is(GBPA, 4, GBPA_SHCFG & 0x1000);
}

Test(smmu_regs, each_keeps_the_fields_it_has)
{
	fill();
	all_are_as_filled();
	for_each_row(r)
	{
		put(IRQ_CTRL, 4, 0);
		if (r->at != CMDQ_BASE && r->at != EVENTQ_BASE) { /* the indexes' width */
			put(r->at, r->size, 0);
			is(r->at, r->size, 0);
		}
	}
}

Test(smmu_regs, halves_of_64_bits_are_registers_of_their_own)
{
	fill();
	put(IRQ_CTRL, 4, 0);
	for_each_row(r)
	{
		if (r->size != 8)
			continue;
		is(r->at, 4, (u32)r->keeps);
		is(r->at + 4, 4, r->keeps >> 32);
		put(r->at, 4, 0);
		is(r->at, 8, r->keeps & ~0xffffffffULL);
		put(r->at, 8, ~0ULL);
		put(r->at + 4, 4, 0);
		is(r->at, 8, (u32)r->keeps);
		put(r->at, 8, ~0ULL);
	}
}

Test(smmu_regs, less_than_a_word_is_neither_read_nor_written)
{
	fill();
	for_each_row(r)
	{
		for (u32 at = r->at; at < r->at + r->size; at++) {
			is(at, 1, 0);
			put(at, 1, 0);
			if (at % 2)
				continue;
			is(at, 2, 0);
			put(at, 2, 0);
		}
	}
	all_are_as_filled();
}

Test(smmu_regs, two_words_at_once_are_neither_read_nor_written)
{
	fill();
	for_each_row(r)
	{
		if (r->size == 8)
			continue;
		is(r->at & ~7u, 8, 0);
		put(r->at & ~7u, 8, 0);
	}
	is(IDR0, 8, 0);
	put(CR0, 8, ~0ULL);
	is(CR0, 4, 0);
	all_are_as_filled();
}

static bool is_register(u32 at)
{
	for_each_row(r) if (at >= r->at && at < r->at + r->size) return true;
	return at < CR1 || at == GBPA || at == IRQ_CTRLACK || at == GERROR;
}

Test(smmu_regs, elsewhere_nothing_is_kept)
{
	for (u32 at = 0; at < SMMU_SIZE; at += 4) {
		if (is_register(at))
			continue;
		put(at, 4, ~0U);
		is(at, 4, 0);
	}
	for (u32 at = 0; at < SMMU_SIZE; at += 8)
		if (!is_register(at) && !is_register(at + 4)) {
			put(at, 8, ~0ULL);
			is(at, 8, 0);
		}
	for_each_row(r) is(r->at, r->size, 0);
}

Test(smmu_regs, cr0_is_acknowledged_at_once)
{
	for (u32 bit = 0; bit < 32; bit++) {
		const u32 keeps = BIT(bit) &
		                  (CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN | CR0_ATSCHK | CR0_VMW);

		put(CR0, 4, BIT(bit));
		is(CR0, 4, keeps);
		is(CR0ACK, 4, keeps);
	}
	put(CR0, 4, 0);
	put(CR0ACK, 4, ~0U);
	is(CR0ACK, 4, 0);
}

Test(smmu_regs, irq_ctrl_is_acknowledged_at_once)
{
	put(IRQ_CTRL, 4, ~0U);
	is(IRQ_CTRLACK, 4, IRQ_GERROR | IRQ_EVENTQ);
	put(IRQ_CTRL, 4, IRQ_EVENTQ);
	is(IRQ_CTRLACK, 4, IRQ_EVENTQ);
	put(IRQ_CTRLACK, 4, ~0U);
	is(IRQ_CTRLACK, 4, IRQ_EVENTQ);
}

Test(smmu_regs, what_is_guarded_is_not_written_meanwhile)
{
	for_each_row(r)
	{
		put(r->at, r->size, 0);
		put(CR0, 4, r->by);
		put(IRQ_CTRL, 4, r->by_irq);
		put(r->at, r->size, ~0ULL);
		if (r->size == 8) {
			put(r->at, 4, ~0U);
			put(r->at + 4, 4, ~0U);
		}
		cr_assert(eq(u32, !get(r->at, r->size), r->by || r->by_irq), "%#x", r->at);
		put(CR0, 4, 0);
		put(IRQ_CTRL, 4, 0);
		put(r->at, r->size, ~0ULL);
		cr_assert(ne(u64, get(r->at, r->size), 0), "%#x", r->at);
		put(r->at, r->size, 0);
	}
}

Test(smmu_regs, what_is_guarded_is_guarded_by_nothing_else)
{
	const u32 all = CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN | CR0_VMW;

	for_each_row(r)
	{
		put(CR0, 4, all & ~r->by);
		put(IRQ_CTRL, 4, (IRQ_GERROR | IRQ_EVENTQ) & ~r->by_irq);
		put(r->at, r->size, ~0ULL);
		/* Commands are consumed, where there can be some. */
		if (r->at != CR1)
			cr_assert(ne(u64, get(r->at, r->size), 0), "%#x", r->at);
		put(CR0, 4, 0);
		put(IRQ_CTRL, 4, 0);
	}
}

Test(smmu_regs, cr1s_tables_and_queues_are_guarded_apart)
{
	static const u32 queues[] = { CR0_CMDQEN, CR0_EVENTQEN, CR0_CMDQEN | CR0_EVENTQEN };

	for (size_t i = 0; i < ARRAY_SIZE(queues); i++) {
		put(CR0, 4, queues[i]);
		put(CR1, 4, ~0U);
		is(CR1, 4, CR1_TABLES);
		put(CR0, 4, 0);
		put(CR1, 4, 0);
	}
	put(CR0, 4, CR0_SMMUEN);
	put(CR1, 4, ~0U);
	is(CR1, 4, CR1_QUEUES);
	put(CR0, 4, CR0_SMMUEN | CR0_CMDQEN);
	put(CR1, 4, 0);
	is(CR1, 4, CR1_QUEUES);
}

Test(smmu_regs, gbpa_is_written_with_update_only)
{
	const u32 keeps = 0x1f3f1f;

	put(GBPA, 4, 0x7fffffff);
	is(GBPA, 4, 0x1000);
	put(GBPA, 4, ~0U);
	is(GBPA, 4, keeps);
	put(GBPA, 4, 0);
	is(GBPA, 4, keeps);
	put(GBPA, 4, GBPA_UPDATE);
	is(GBPA, 4, 0);
}

Test(smmu_regs, gbpa_says_what_becomes_of_traffic_without_translation)
{
	struct fake_smmu_reached got;
	u64 w[4];

	cr_assert(eq(u64, fake_smmu_gpa(&f, FAKE_SMMU_DATA, DMA_WRITE), FAKE_SMMU_DATA));
	got = fake_smmu_reach(&f, 1, FAKE_SMMU_DATA, DMA_READ, 5);
	cr_assert(eq(u64, got.gpa, FAKE_SMMU_DATA), "with a SubstreamID, too");
	put(GBPA, 4, GBPA_ABORT);
	cr_assert(eq(u64, fake_smmu_gpa(&f, FAKE_SMMU_DATA, DMA_WRITE), FAKE_SMMU_DATA));
	put(GBPA, 4, GBPA_UPDATE | GBPA_ABORT);
	put(CR0, 4, CR0_EVENTQEN);
	got = fake_smmu_reach(&f, 0, FAKE_SMMU_DATA, DMA_WRITE, DMA_NO_PASID);
	cr_assert(eq(int, got.status, DMA_FAULT));
	cr_assert(eq(int, got.reason, DMA_NOT_ATTACHED));
	cr_assert(not(fake_smmu_event(&f, w)));
	put(GBPA, 4, GBPA_UPDATE);
	cr_assert(eq(u64, fake_smmu_gpa(&f, FAKE_SMMU_DATA, DMA_WRITE), FAKE_SMMU_DATA));
}

Test(smmu_regs, who_has_no_stream_yet_reaches_nothing_while_it_translates)
{
	struct smmu_endpoint *e;
	struct held h;
	u64 w[4];

	cr_assert(zero(int, smmu_add_endpoint(f.smmu, &e)));
	cr_assert(eq(int, hold(&h, smmu_endpoint_dma(e), FAKE_SMMU_DATA, 4, DMA_READ), DMA_OK));
	let_go(&h);
	fake_smmu_enable(&f);
	cr_assert(eq(int, hold(&h, smmu_endpoint_dma(e), FAKE_SMMU_DATA, 4, DMA_READ), DMA_FAULT));
	cr_assert(not(fake_smmu_event(&f, w)));
	cr_assert(eq(u64, fake_smmu_counts(&f).accesses, 2));
	cr_assert(eq(u64, fake_smmu_counts(&f).faults, 1));
}

Test(smmu_regs, two_have_not_the_same_registers)
{
	const struct smmu_config c = { .name = "another", .base = FAKE_SMMU_BASE + 0x10000 };
	struct smmu *another;

	cr_assert(eq(int, smmu_create(&another, &f.vm, &c), -EEXIST));
}

Test(smmu_regs, indexes_of_the_smmu_have_the_width_of_their_queue)
{
	for (u32 log2size = 0; log2size <= 31; log2size++) {
		const u32 width = (2u << (log2size < 10 ? log2size : 10)) - 1;

		put(CMDQ_BASE, 8, log2size);
		put(EVENTQ_BASE, 8, log2size);
		put(CMDQ_CONS, 4, ~0U);
		put(EVENTQ_PROD, 4, ~0U);
		is(CMDQ_BASE, 8, log2size);
		is(CMDQ_CONS, 4, 0x7f000000 | width);
		is(EVENTQ_PROD, 4, 0x80000000 | width);
	}
	put(CMDQ_BASE, 8, 3);
	put(EVENTQ_BASE, 8, 2);
	is(CMDQ_CONS, 4, 0x7f00000f);
	is(EVENTQ_PROD, 4, 0x80000007);
}

Test(smmu_regs, without_msis_their_registers_and_errors_are_not_there)
{
	remake("idr0.msi", 0);
	fill();
	put(IRQ_CTRL, 4, 0);
	for_each_row(r)
	{
		if (r->by_irq) {
			put(r->at, r->size, ~0ULL);
			is(r->at, r->size, 0);
		}
	}
	is(GERRORN, 4, GERROR_SFM | GERROR_EVENTQ_ABT | GERROR_CMDQ);
}

Test(smmu_regs, without_vmid_wildcards_cr0_has_none)
{
	remake("idr0.vmw", 0);
	put(CR0, 4, CR0_VMW);
	is(CR0, 4, 0);
	is(CR0ACK, 4, 0);
}

Test(smmu_regs, without_ats_cr0_checks_none)
{
	remake("idr0.ats", 0);
	put(CR0, 4, CR0_ATSCHK);
	is(CR0, 4, 0);
	is(CR0ACK, 4, 0);
}

Test(smmu_regs, without_hyp_cr2_has_no_e2h)
{
	remake("idr0.hyp", 0);
	put(CR2, 4, ~0U);
	is(CR2, 4, CR2_RECINVSID);
}

Test(smmu_regs, with_linear_stream_tables_only_they_have_no_format)
{
	struct smmu_id id = fake_smmu_id("idr1.sidsize", 6);

	smmu_id_set(&id, "idr0.st_level", 0);
	fake_smmu_unmake(&f);
	fake_smmu_make(&f, &id);
	put(STRTAB_BASE_CFG, 4, ~0U);
	is(STRTAB_BASE_CFG, 4, STRTAB_LOG2SIZE);
}
