// SPDX-License-Identifier: GPL-2.0-only
/* Errors of an SMMU that were asked for: what its driver sees of them, and how they end. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/fake_smmu.h"

#define D  FAKE_SMMU_DATA
#define ON (CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN)

static struct fake_smmu f;
static gpa_t root; /* of stream 0x10 */

/* Stream 0x10 has stage 1, with page 0. */
static void make_with(const struct smmu_id *id)
{
	fake_smmu_make(&f, id);
	root = fake_smmu_table(&f);
	fake_smmu_map(&f, root, 0, D, FAKE_S1_RW);
	fake_smmu_stage1(&f, 0x10, 0, 1, root);
	fake_smmu_enable(&f);
}

static void make(void)
{
	make_with(NULL);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_inject, .init = make, .fini = unmake, .timeout = 20);

static void inject(const char *error)
{
	const char *expected = smmu_inject(f.smmu, error);

	cr_assert(zero(ptr, (void *)expected), "%s: %s", error, expected);
}

static u32 cons(void)
{
	return fake_smmu_read32(&f, CMDQ_CONS) & QUEUE_INDEX;
}

static u32 active(void)
{
	return fake_smmu_read32(&f, GERROR) ^ fake_smmu_read32(&f, GERRORN);
}

static void acknowledge(void)
{
	fake_smmu_write32(&f, GERRORN, fake_smmu_read32(&f, GERROR));
}

Test(smmu_inject, a_command_error_is_the_next_commands_and_no_others)
{
	static const struct {
		const char *error;
		unsigned int cerror;
	} cases[] = {
		{ "cerror-ill", CERROR_ILL },
		{ "cerror-abt", CERROR_ABT },
		{ "cerror-atc-inv-sync", CERROR_ATC_INV_SYNC },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const u32 before = cons();

		inject(cases[i].error);
		cr_assert(zero(u32, active()));
		cr_assert(not(cases[i].cerror == CERROR_ILL
		                      ? fake_smmu_command(&f, TLBI_NSNH_ALL, 0)
		                      : fake_smmu_sync(&f)));
		cr_assert(eq(u32, active(), GERROR_CMDQ));
		cr_assert(eq(u32, fake_smmu_cerror(&f), cases[i].cerror));
		cr_assert(eq(u32, cons(), before));
		acknowledge(); /* the same command again: it is well */
		cr_assert(eq(u32, cons(), before + 1));
		cr_assert(fake_smmu_sync(&f));
		cr_assert(zero(u32, active()));
	}
}

/* Linux puts a CMD_SYNC in its place (arm_smmu_cmdq_skip_err()). */
Test(smmu_inject, what_is_called_illegal_has_been_executed_and_is_no_sync)
{
	cr_assert(eq(u64, fake_smmu_gpa(&f, 0, DMA_READ), D));
	fake_smmu_map(&f, root, 0, D + 0x1000, FAKE_S1_RW);
	cr_assert(eq(u64, fake_smmu_gpa(&f, 0, DMA_READ), D));
	inject("cerror-ill");
	cr_assert(fake_smmu_sync(&f));
	cr_assert(not(fake_smmu_command(&f, TLBI_NSNH_ALL, 0)));
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ILL));
	cr_assert(eq(u64, fake_smmu_gpa(&f, 0, DMA_READ), D + 0x1000));
}

Test(smmu_inject, the_error_of_invalidations_waits_for_a_sync)
{
	inject("cerror-atc-inv-sync");
	cr_assert(fake_smmu_command(&f, TLBI_NSNH_ALL, 0));
	cr_assert(not(fake_smmu_sync(&f)));
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ATC_INV_SYNC));
}

Test(smmu_inject, a_global_error_is_active_and_interrupts)
{
	static const struct {
		const char *error;
		u32 bit;
		bool interrupts;
	} cases[] = {
		{ "gerror=eventq-abt", GERROR_EVENTQ_ABT, true },
		{ "gerror=msi-cmdq-abt", GERROR_MSI_CMDQ_ABT, true },
		{ "gerror=msi-eventq-abt", GERROR_MSI_EVENTQ_ABT, true },
		{ "gerror=msi-gerror-abt", GERROR_MSI_GERROR_ABT, false }, /* 7.5.1 */
	};

	fake_smmu_write64(&f, GERROR_IRQ_CFG0, D);
	fake_smmu_write32(&f, GERROR_IRQ_CFG1, 0x77);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_GERROR);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_smmu_put(&f, D, 0);
		inject(cases[i].error);
		cr_assert(eq(u32, active(), cases[i].bit));
		cr_assert(eq(u64, fake_smmu_get(&f, D), cases[i].interrupts ? 0x77 : 0));
		acknowledge();
		cr_assert(zero(u32, active()));
	}
}

Test(smmu_inject, an_event_queue_that_aborted_takes_events_again_when_acknowledged)
{
	u64 w[4];

	inject("gerror=eventq-abt");
	cr_assert(zero(u64, fake_smmu_gpa(&f, 0x5000, DMA_READ)));
	cr_assert(not(fake_smmu_event(&f, w)));
	acknowledge();
	cr_assert(zero(u64, fake_smmu_gpa(&f, 0x5000, DMA_READ)));
	cr_assert(fake_smmu_event(&f, w));
}

/* 12.3, 6.3.19 */
Test(smmu_inject, in_service_failure_mode_nothing_goes_on)
{
	const u32 before = cons();
	u64 w[4];

	cr_assert(eq(u64, fake_smmu_gpa(&f, 0, DMA_READ), D));
	inject("sfm");
	cr_assert(eq(u32, active(), GERROR_SFM));
	cr_assert(zero(u64, fake_smmu_gpa(&f, 0, DMA_READ)));
	cr_assert(zero(u64, fake_smmu_gpa(&f, 0x5000, DMA_READ)));
	cr_assert(not(fake_smmu_event(&f, w)));
	cr_assert(not(fake_smmu_sync(&f)));
	acknowledge(); /* which is not its end */
	cr_assert(zero(u32, active()));
	cr_assert(zero(u64, fake_smmu_gpa(&f, 0, DMA_READ)));
	fake_smmu_write32(&f, CR0, 0); /* nor is that */
	cr_assert(zero(u64, fake_smmu_gpa(&f, D, DMA_READ)));
	fake_smmu_write32(&f, CR0, ON);
	cr_assert(eq(u32, cons(), before));
	inject("sfm-end");
	cr_assert(eq(u32, cons(), before + 1));
	cr_assert(eq(u64, fake_smmu_gpa(&f, 0, DMA_READ), D));
	cr_assert(zero(u64, fake_smmu_gpa(&f, 0x5000, DMA_READ)));
	cr_assert(fake_smmu_event(&f, w));
}

Test(smmu_inject, a_lost_sync_is_complete_when_it_is_resumed)
{
	const u32 before = cons();

	inject("sync-lost");
	cr_assert(fake_smmu_command(&f, TLBI_NSNH_ALL, 0));
	cr_assert(not(fake_smmu_sync(&f)));
	cr_assert(not(fake_smmu_sync(&f))); /* those behind it wait, too */
	cr_assert(eq(u32, cons(), before + 1));
	cr_assert(zero(u32, active()));
	inject("sync-resume");
	cr_assert(eq(u32, cons(), before + 3));
	cr_assert(fake_smmu_sync(&f));
}

Test(smmu_inject, a_lost_sync_ends_with_its_queue)
{
	inject("sync-lost");
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write32(&f, CR0, ON); /* it has not come yet */
	cr_assert(not(fake_smmu_sync(&f)));
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write32(&f, CR0, ON);
	cr_assert(eq(u32, cons(), f.prod));
	cr_assert(fake_smmu_sync(&f));
}

Test(smmu_inject, a_slow_sync_is_complete_after_that_time)
{
	inject("sync-slow=200");
	cr_assert(not(fake_smmu_command(&f, SYNC | (u64)SIG_IRQ << 12 | 5ULL << 32, D)));
	cr_assert(eq(str, (char *)smmu_inject(f.smmu, "sync-slow=1"),
	             "no CMD_SYNC that waits already"));
	fake_vm_run(&f.vm, 20);
	cr_assert(ne(u32, cons(), f.prod));
	cr_assert(zero(u64, fake_smmu_get(&f, D)));
	for (int i = 0; i < 100 && cons() != f.prod; i++)
		fake_vm_run(&f.vm, 50);
	cr_assert(eq(u32, cons(), f.prod));
	cr_assert(eq(u64, fake_smmu_get(&f, D), 5));
	cr_assert(fake_smmu_sync(&f));
}

/* Its time is over when nothing waits for it any more. */
Test(smmu_inject, a_slow_sync_may_be_gone_before_it_is_complete)
{
	inject("sync-slow=100");
	cr_assert(not(fake_smmu_sync(&f)));
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write32(&f, CR0, ON);
	cr_assert(eq(u32, cons(), f.prod));
	inject("sync-lost");
	cr_assert(not(fake_smmu_sync(&f)));
	fake_vm_run(&f.vm, 300);
	cr_assert(ne(u32, cons(), f.prod));
}

Test(smmu_inject, a_message_that_aborts_is_the_next_one)
{
	inject("msi-abort");
	cr_assert(fake_smmu_command(&f, SYNC | (u64)SIG_IRQ << 12 | 5ULL << 32, D));
	cr_assert(zero(u64, fake_smmu_get(&f, D)));
	cr_assert(eq(u32, active(), GERROR_MSI_CMDQ_ABT));
	cr_assert(fake_smmu_command(&f, SYNC | (u64)SIG_IRQ << 12 | 6ULL << 32, D));
	cr_assert(eq(u64, fake_smmu_get(&f, D), 6));
}

Test(smmu_inject, the_message_of_an_error_may_be_the_one_that_aborts)
{
	fake_smmu_write64(&f, GERROR_IRQ_CFG0, D);
	fake_smmu_write32(&f, IRQ_CTRL, IRQ_GERROR);
	inject("msi-abort");
	inject("gerror=eventq-abt");
	cr_assert(eq(u32, active(), GERROR_EVENTQ_ABT | GERROR_MSI_GERROR_ABT));
}

Test(smmu_inject, without_messages_their_errors_are_reserved)
{
	const struct smmu_id id = fake_smmu_id("idr0.msi", 0);
	static const char *const errors[] = { "gerror=msi-cmdq-abt", "gerror=msi-eventq-abt",
		                              "gerror=msi-gerror-abt", "msi-abort" };

	fake_smmu_unmake(&f);
	make_with(&id);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		cr_assert(eq(str, (char *)smmu_inject(f.smmu, errors[i]),
		             "idr0.msi=1 with an error of messages"));
	cr_assert(zero(u32, active()));
	inject("gerror=eventq-abt");
	cr_assert(eq(u32, active(), GERROR_EVENTQ_ABT));
}

Test(smmu_inject, what_is_no_error_is_refused)
{
	static const char *const errors[] = { "",
		                              "cerror",
		                              "cerror-ill ",
		                              "CERROR-ILL",
		                              "gerror=",
		                              "gerror=cmdq",
		                              "sync-slow",
		                              "sync-slow=",
		                              "sync-slow=0",
		                              "sync-slow=x",
		                              "sync-slow=1s",
		                              "sync-slow=-1",
		                              "sync-slow=60001",
		                              "sync-slow=4294967297",
		                              "sfm=1" };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		const char *expected = smmu_inject(f.smmu, errors[i]);

		cr_assert(ne(ptr, (void *)expected, NULL), "%s", errors[i]);
		cr_assert(zero(int, strncmp(expected, "cerror-ill, ", 12)));
	}
	cr_assert(fake_smmu_sync(&f));
	cr_assert(zero(u32, active()));
}
