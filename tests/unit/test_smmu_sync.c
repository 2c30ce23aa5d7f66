// SPDX-License-Identifier: GPL-2.0-only
/* An SMMU's signals: of CMD_SYNC and of global errors, by wire and by message. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_smmu.h"

#define WORD 0xcafe0001ULL

static struct fake_smmu f;
static unsigned int edges[64];
static u32 cons_then, gerror_then; /* what registers said at the last signal */

static void line_changed(unsigned int spi, bool level)
{
	edges[spi] += level;
	cons_then = fake_smmu_read32(&f, CMDQ_CONS);
	gerror_then = fake_smmu_read32(&f, GERROR);
}

static void make(void)
{
	fake_smmu_make(&f, NULL);
	fake.line_changed = line_changed;
	fake_smmu_enable(&f);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_sync, .init = make, .fini = unmake, .timeout = 20);

static void remake(const char *field, u64 value)
{
	const struct smmu_id id = fake_smmu_id(field, value);

	fake_smmu_unmake(&f);
	fake_smmu_make(&f, &id);
	fake_smmu_enable(&f);
}

static bool sync(u64 signal, u64 data, u64 addr)
{
	return fake_smmu_command(
		&f, SYNC | FIELD_PREP(SYNC0_CS, signal) | FIELD_PREP(SYNC0_MSIDATA, data), addr);
}

static u32 active(void)
{
	return fake_smmu_read32(&f, GERROR) ^ fake_smmu_read32(&f, GERRORN);
}

/* How many signals there were, and that those on wires were of @spi. */
static unsigned int signals(unsigned int spi)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(edges); i++)
		cr_assert(i == spi || !edges[i], "SPI %u", i);
	cr_assert(not(fake.lines[spi]), "an edge, no level");
	return edges[spi] + fake.nr_msis;
}

Test(smmu_sync, none_signals_nothing)
{
	cr_assert(sync(SIG_NONE, WORD, FAKE_SMMU_DATA));
	cr_assert(sync(SIG_SEV, WORD, FAKE_SMMU_DATA));
	cr_assert(zero(u64, fake_smmu_get(&f, FAKE_SMMU_DATA)));
	cr_assert(zero(u32, signals(0)));
	cr_assert(eq(u64, fake_smmu_counts(&f).syncs, 2));
}

Test(smmu_sync, an_event_goes_to_the_cpus_for_each_that_asks)
{
	cr_assert(sync(SIG_NONE, 0, 0));
	cr_assert(zero(u32, fake.nr_events));
	cr_assert(sync(SIG_SEV, 0, 0));
	cr_assert(eq(u32, fake.nr_events, 1));
	fake_smmu_queue(&f, SYNC | FIELD_PREP(SYNC0_CS, SIG_SEV), 0);
	fake_smmu_queue(&f, SYNC | FIELD_PREP(SYNC0_CS, SIG_SEV), 0);
	cr_assert(eq(u32, fake.nr_events, 1));
	cr_assert(fake_smmu_kick(&f));
	cr_assert(eq(u32, fake.nr_events, 3));
}

Test(smmu_sync, without_idr0_sev_no_event_goes_to_the_cpus)
{
	remake("idr0.sev", 0);
	cr_assert(sync(SIG_SEV, 0, 0));
	cr_assert(zero(u32, fake.nr_events));
}

Test(smmu_sync, a_message_to_memory_is_one_word)
{
	fake_smmu_put(&f, FAKE_SMMU_DATA, ~0ULL);
	fake_smmu_put(&f, FAKE_SMMU_DATA + 8, ~0ULL);
	cr_assert(sync(SIG_IRQ, WORD, FAKE_SMMU_DATA + 4));
	cr_assert(eq(u64, fake_smmu_get(&f, FAKE_SMMU_DATA), WORD << 32 | 0xffffffff));
	cr_assert(eq(u64, fake_smmu_get(&f, FAKE_SMMU_DATA + 8), ~0ULL));
	cr_assert(zero(u32, signals(0)), "nor an interrupt, nor a wire");
}

Test(smmu_sync, of_its_address_only_the_fields_bits_count)
{
	cr_assert(sync(SIG_IRQ, WORD, FAKE_SMMU_DATA | 3 | GENMASK(63, 56)));
	cr_assert(eq(u64, fake_smmu_get(&f, FAKE_SMMU_DATA), WORD));
	cr_assert(sync(SIG_IRQ, 7, FAKE_SMMU_DATA | GENMASK(55, 44)));
	cr_assert(eq(u64, fake_smmu_get(&f, FAKE_SMMU_DATA), 7), "cut to the SMMU's addresses");
	cr_assert(zero(u32, active()));
}

Test(smmu_sync, a_message_to_the_doorbell_is_an_interrupt_of_the_smmus_own)
{
	cr_assert(sync(SIG_IRQ, WORD, FAKE_SMMU_DOORBELL));
	cr_assert(eq(u32, signals(0), 1));
	cr_assert(eq(u32, fake.msi.address_lo, FAKE_SMMU_DOORBELL));
	cr_assert(zero(u32, fake.msi.address_hi));
	cr_assert(eq(u32, fake.msi.data, WORD));
	cr_assert(eq(u32, fake.msi.devid, FAKE_SMMU_DEVID));
	cr_assert(zero(u32, active()));
}

Test(smmu_sync, without_an_address_it_is_the_wire)
{
	cr_assert(sync(SIG_IRQ, WORD, 3));
	cr_assert(eq(u32, signals(FAKE_SMMU_SYNC_SPI), 1));
	cr_assert(eq(u32, cons_then, 1), "it is consumed by then");
}

Test(smmu_sync, without_messages_it_is_the_wire)
{
	remake("idr0.msi", 0);
	fake.line_changed = line_changed;
	cr_assert(sync(SIG_IRQ, WORD, FAKE_SMMU_DATA));
	cr_assert(eq(u32, signals(FAKE_SMMU_SYNC_SPI), 1));
	cr_assert(zero(u64, fake_smmu_get(&f, FAKE_SMMU_DATA)));
}

Test(smmu_sync, each_of_several_signals)
{
	for (u64 i = 0; i < 5; i++)
		fake_smmu_queue(&f, SYNC | FIELD_PREP(SYNC0_CS, SIG_IRQ), 0);
	cr_assert(fake_smmu_kick(&f));
	cr_assert(eq(u32, signals(FAKE_SMMU_SYNC_SPI), 5));
}

Test(smmu_sync, a_message_that_is_aborted_is_a_global_error_and_the_command_is_done)
{
	fake.msi_ret = -EINVAL;
	cr_assert(sync(SIG_IRQ, WORD, FAKE_SMMU_BASE));
	cr_assert(eq(u32, active(), GERROR_MSI_CMDQ_ABT));
	cr_assert(sync(SIG_IRQ, WORD, FAKE_RAM_BASE + FAKE_RAM_SIZE));
	cr_assert(eq(u32, active(), GERROR_MSI_CMDQ_ABT), "it stays, and nothing stops");
	cr_assert(zero(u32, fake_smmu_cerror(&f)));
	fake_smmu_write32(&f, GERRORN, GERROR_MSI_CMDQ_ABT);
	cr_assert(sync(SIG_IRQ, WORD, FAKE_SMMU_DATA));
	cr_assert(zero(u32, active()));
}

Test(smmu_sync, a_reserved_signal_is_illegal)
{
	cr_assert(not(sync(3, WORD, FAKE_SMMU_DATA)));
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ILL));
	cr_assert(zero(u64, fake_smmu_get(&f, FAKE_SMMU_DATA)));
	cr_assert(zero(u32, signals(0)));
}

/* Errors: an illegal command, acknowledged, and mended. */
static void err(void)
{
	const gpa_t at = f.cmdq + (f.prod & 0xff) * 16;

	cr_assert(not(fake_smmu_command(&f, 0, 0)));
	fake_smmu_put(&f, at, CFGI_STE);
}

static void acknowledge(void)
{
	fake_smmu_write32(&f, GERRORN, fake_smmu_read32(&f, GERROR));
}

static void program(u64 addr, u32 data)
{
	fake_smmu_write64(&f, GERROR_IRQ_CFG0, addr);
	fake_smmu_write32(&f, GERROR_IRQ_CFG1, data);
}

Test(smmu_sync, a_global_error_interrupts_if_it_is_to)
{
	err();
	cr_assert(zero(u32, signals(0)));
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_GERROR | IRQ_EVENTQ);
	cr_assert(zero(u32, signals(0)), "what was before does not count");
	acknowledge();
	cr_assert(zero(u32, signals(0)), "nor does the acknowledgement");
	err();
	cr_assert(eq(u32, signals(FAKE_SMMU_GERROR_SPI), 1));
	cr_assert(eq(u32, gerror_then, fake_smmu_read32(&f, GERROR)));
	cr_assert(eq(u32, cons_then, 1 | FIELD_PREP(CMDQ_CONS_ERR, CERROR_ILL)));
	acknowledge();
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_EVENTQ);
	err();
	cr_assert(eq(u32, signals(FAKE_SMMU_GERROR_SPI), 1));
}

Test(smmu_sync, an_error_while_it_is_active_interrupts_no_more)
{
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_GERROR);
	fake.msi_ret = -EINVAL;
	for (int i = 0; i < 3; i++)
		cr_assert(sync(SIG_IRQ, WORD, FAKE_SMMU_BASE));
	cr_assert(eq(u32, edges[FAKE_SMMU_GERROR_SPI], 1));
	acknowledge();
	cr_assert(sync(SIG_IRQ, WORD, FAKE_SMMU_BASE));
	cr_assert(eq(u32, edges[FAKE_SMMU_GERROR_SPI], 2));
}

Test(smmu_sync, a_global_errors_message)
{
	program(FAKE_SMMU_DOORBELL, WORD);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_GERROR);
	err();
	cr_assert(eq(u32, signals(0), 1));
	cr_assert(eq(u32, fake.msi.data, WORD));
	cr_assert(eq(u32, fake.msi.devid, FAKE_SMMU_DEVID));
	fake_smmu_write32(&f, IRQ_CTRL, 0);
	program(FAKE_SMMU_DATA + 4, 5);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_GERROR);
	acknowledge();
	err();
	cr_assert(eq(u64, fake_smmu_get(&f, FAKE_SMMU_DATA), 5ULL << 32));
	cr_assert(eq(u32, signals(0), 1));
}

Test(smmu_sync, one_that_is_aborted_is_an_error_that_tells_nobody)
{
	program(FAKE_SMMU_BASE, WORD);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_GERROR);
	fake.msi_ret = -EINVAL;
	err();
	cr_assert(eq(u32, active(), GERROR_CMDQ | GERROR_MSI_GERROR_ABT));
	cr_assert(eq(u32, signals(0), 1), "tried once");
	fake_smmu_write32(&f, GERRORN, GERROR_CMDQ);
	err();
	cr_assert(eq(u32, active(), GERROR_CMDQ | GERROR_MSI_GERROR_ABT));
	cr_assert(eq(u32, signals(0), 2), "another error is");
}

Test(smmu_sync, what_the_driver_makes_active_is_no_error_of_the_smmus)
{
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_GERROR);
	fake_smmu_write32(&f, GERRORN, ~0u);
	cr_assert(zero(u32, signals(0)));
	cr_assert(zero(u32, fake_smmu_read32(&f, GERROR)));
	fake_smmu_write32(&f, GERRORN, 0);
	cr_assert(fake_smmu_sync(&f));
}
