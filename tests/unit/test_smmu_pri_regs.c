// SPDX-License-Identifier: GPL-2.0-only
/* Registers that an SMMU has with IDR0.PRI (Arm IHI 0070, 6.3.9, 6.3.16, 6.3.19, 6.3.33 to 6.3.36,
 * 6.3.97, 6.3.98): widths, guards, and what is there without it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/smmu_pri.h"

static void make_idle(void)
{
	const struct smmu_id id = pri_id();

	make_afresh(&f, &id);
}

TestSuite(smmu_pri_regs, .init = make_idle, .fini = unmake, .timeout = 20);

/* Those that a driver writes, and what they keep of it: with a queue of 2^10 entries. */
static const struct row {
	u32 at;
	unsigned int size;
	u64 keeps;
	u32 by, by_irq; /* guarded by: of CR0, of IRQ_CTRL */
} rows[] = {
	{ PRIQ_BASE, 8, 0x40ffffffffffffff, CR0_PRIQEN, 0 },
	{ PRIQ_IRQ_CFG0, 8, 0x00fffffffffffffc, 0, IRQ_PRIQ },
	{ PRIQ_IRQ_CFG1, 4, 0xffffffff, 0, IRQ_PRIQ },
	{ PRIQ_IRQ_CFG2, 4, 0x8000003f, 0, IRQ_PRIQ },
	{ PRIQ_PROD, 4, 0x800007ff, CR0_PRIQEN, 0 },
	{ PRIQ_CONS, 4, 0x800fffff, 0, 0 },
};
#define for_each_row(r) for (const struct row *r = rows; r < rows + ARRAY_SIZE(rows); r++)

static u64 get(const struct row *r)
{
	return fake_read(&f.vm, FAKE_SMMU_BASE + r->at, r->size);
}

static void put(const struct row *r, u64 val)
{
	fake_write(&f.vm, FAKE_SMMU_BASE + r->at, r->size, val);
}

Test(smmu_pri_regs, each_keeps_the_fields_it_has)
{
	for_each_row(r) cr_assert(zero(u64, get(r)), "after a reset");
	for_each_row(r) put(r, ~0ULL);
	for_each_row(r) cr_assert(eq(u64, get(r), r->keeps), "%#x", r->at);
}

Test(smmu_pri_regs, prod_is_as_wide_as_the_queue)
{
	fake_smmu_write32(&f, PRIQ_PROD, ~0u);
	cr_assert(eq(u32, fake_smmu_read32(&f, PRIQ_PROD), 0x80000001), "of one entry");
	fake_smmu_write64(&f, PRIQ_BASE, 4);
	fake_smmu_write32(&f, PRIQ_PROD, ~0u);
	cr_assert(eq(u32, fake_smmu_read32(&f, PRIQ_PROD), 0x8000001f));
	fake_smmu_write64(&f, PRIQ_BASE, 1);
	cr_assert(eq(u32, fake_smmu_read32(&f, PRIQ_PROD), 0x80000003));
}

Test(smmu_pri_regs, what_is_guarded_is_not_written_meanwhile)
{
	for_each_row(r)
	{
		fake_smmu_write32(&f, CR0, r->by);
		fake_smmu_write32(&f, IRQ_CTRL, r->by_irq);
		put(r, ~0ULL);
		cr_assert(eq(u32, !get(r), r->by || r->by_irq), "%#x", r->at);
		fake_smmu_write32(&f, CR0, PRI_ON & ~r->by);
		fake_smmu_write32(&f, IRQ_CTRL, 7 & ~r->by_irq);
		put(r, ~0ULL);
		cr_assert(ne(u64, get(r), 0), "%#x: by something else", r->at);
		fake_smmu_write32(&f, CR0, 0);
		fake_smmu_write32(&f, IRQ_CTRL, 0);
		put(r, 0);
	}
}

/* 6.3.9.5: the guard is the bit itself, not whether the queue is written. */
Test(smmu_pri_regs, the_queue_is_guarded_without_smmuen_too)
{
	fake_smmu_write32(&f, CR0, CR0_PRIQEN);
	cr_assert(eq(u32, fake_smmu_read32(&f, CR0ACK), CR0_PRIQEN));
	fake_smmu_write64(&f, PRIQ_BASE, 5);
	cr_assert(zero(u64, fake_smmu_read64(&f, PRIQ_BASE)));
}

Test(smmu_pri_regs, controls_are_acknowledged_at_once)
{
	fake_smmu_write32(&f, CR0, ~0u);
	cr_assert(eq(u32, fake_smmu_read32(&f, CR0ACK), PRI_ON | CR0_ATSCHK | CR0_VMW));
	fake_smmu_write32(&f, IRQ_CTRL, ~0u);
	cr_assert(eq(u32, fake_smmu_read32(&f, IRQ_CTRLACK), 7));
	fake_smmu_write32(&f, GERRORN, ~0u);
	cr_assert(eq(u32, fake_smmu_read32(&f, GERRORN), 0x1fd));
}

Test(smmu_pri_regs, priqen_guards_the_queues_attributes_in_cr1)
{
	fake_smmu_write32(&f, CR0, CR0_PRIQEN);
	fake_smmu_write32(&f, CR1, ~0u);
	cr_assert(eq(u32, fake_smmu_read32(&f, CR1), CR1_TABLES));
}

Test(smmu_pri_regs, without_pri_there_are_none)
{
	const struct smmu_id id = fake_smmu_id("idr0.ats", 1);

	unmake();
	make_afresh(&f, &id);
	for_each_row(r)
	{
		put(r, ~0ULL);
		cr_assert(zero(u64, get(r)), "%#x", r->at);
	}
	fake_smmu_write32(&f, CR0, CR0_PRIQEN);
	cr_assert(zero(u32, fake_smmu_read32(&f, CR0)));
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_PRIQ);
	cr_assert(zero(u32, fake_smmu_read32(&f, IRQ_CTRL)));
	fake_smmu_write32(&f, GERRORN, ~0u);
	cr_assert(eq(u32, fake_smmu_read32(&f, GERRORN), 0x1b5));
}

Test(smmu_pri_regs, without_messages_lo_is_there_all_the_same)
{
	struct smmu_id id = pri_id();

	cr_assert(zero(ptr, (void *)smmu_id_set(&id, "idr0.msi", 0)));
	unmake();
	make_afresh(&f, &id);
	fake_smmu_write32(&f, PRIQ_IRQ_CFG2, ~0u);
	cr_assert(eq(u32, fake_smmu_read32(&f, PRIQ_IRQ_CFG2), BIT(31)));
	fake_smmu_write64(&f, PRIQ_IRQ_CFG0, ~0ULL);
	cr_assert(zero(u64, fake_smmu_read64(&f, PRIQ_IRQ_CFG0)));
	fake_smmu_write32(&f, GERRORN, ~0u);
	cr_assert(eq(u32, fake_smmu_read32(&f, GERRORN), 0x10d));
}
