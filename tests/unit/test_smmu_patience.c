// SPDX-License-Identifier: GPL-2.0-only
/* fault-timeout= behind an emulated SMMUv3: what stalls and is not answered in time fails, once;
 * its name is taken until it is answered. */
#include "tests/unit/held.h"
#include "tests/unit/smmu_stall.h"
#include "vmm/pause.h"

static void set_up(void)
{
	begin();
	smmu_set_patience(f.endpoints[0], 1);
}

TestSuite(smmu_patience, .init = set_up, .fini = end, .timeout = 60);

/* The loop has turned until it has ended; false: it has not, in some time. */
static bool ends(const struct access *x)
{
	for (unsigned int i = 0; i < 5000 && x->status == DMA_PENDING; i++)
		fake_vm_run(&f.vm, 1);
	return x->status == DMA_FAULT;
}

static void run_for_a_while(void)
{
	for (unsigned int i = 0; i < 20; i++)
		fake_vm_run(&f.vm, 1);
}

Test(smmu_patience, a_stall_that_nobody_answers_fails_once)
{
	u64 tag;

	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	cr_assert(ends(&a));
	cr_assert(eq(u32, a.resumed, 1));
	cr_assert(eq(u64, fake_smmu_counts(&f).timed_out, 1));
	expect_no_event(&f);
	answer(STREAM, tag, RETRY);
	cr_assert(eq(u32, a.resumed, 1), "it has its end");
	cr_assert(eq(u64, fake_smmu_counts(&f).late, 1));
	cr_assert(zero(u64, fake_smmu_counts(&f).resumed));
	cr_assert(zero(u64, fake_smmu_counts(&f).waiting));
}

Test(smmu_patience, an_answer_in_time_is_the_only_one)
{
	smmu_set_patience(f.endpoints[0], 20);
	start(&a, 0, AT, DMA_READ);
	map(AT);
	answer(STREAM, stag(STREAM, AT, IN | EVT1_RNW, 0), RETRY);
	cr_assert(eq(int, a.status, DMA_OK));
	run_for_a_while();
	run_for_a_while();
	cr_assert(eq(u32, a.resumed, 1));
	cr_assert(zero(u64, fake_smmu_counts(&f).timed_out));
}

Test(smmu_patience, another_device_waits_for_ever)
{
	start(&a, 0, AT, DMA_READ);
	start(&b, 1, AT, DMA_READ);
	cr_assert(ends(&a));
	run_for_a_while();
	cr_assert(eq(int, b.status, DMA_PENDING));
	cr_assert(eq(u64, fake_smmu_counts(&f).waiting, 1));
}

/* The Event queue has four entries here. */
Test(smmu_patience, what_is_held_without_a_record_fails_too)
{
	struct access all[6];

	for (unsigned int i = 0; i < 6; i++)
		start(&all[i], 0, AT + i * PAGE, DMA_READ);
	cr_assert(eq(u64, fake_smmu_counts(&f).held, 2));
	for (unsigned int i = 0; i < 6; i++)
		cr_assert(ends(&all[i]));
	cr_assert(eq(u64, fake_smmu_counts(&f).timed_out, 6));
	cr_assert(zero(u64, fake_smmu_counts(&f).waiting));
	for (unsigned int i = 0; i < 4; i++)
		stag(STREAM, AT + i * PAGE, IN | EVT1_RNW, 0);
	expect_no_event(&f);
}

static void later(struct dma_token *token)
{
	container_of(token, struct access, token)->resumed++;
}

/* There is room for one, and each is run: whoever comes second has waited from its beginning on. */
Test(smmu_patience, what_is_held_again_has_no_more_time_for_that)
{
	const struct smmu_id id = fake_smmu_id("idr5.stall_max", 1);
	struct access c;
	u64 since;

	remake(&id, 5);
	start(&a, 1, AT, DMA_READ);
	start(&b, 0, AT, DMA_READ);
	start(&c, 0, AT + PAGE, DMA_READ);
	b.token.resume = c.token.resume = later;
	since = b.token.since;
	answer(STREAM + 1, stag(STREAM + 1, AT, IN | EVT1_RNW, 0), ABORT);
	cr_assert(b.resumed && c.resumed);
	run(&c);
	run(&b);
	cr_assert(eq(u64, b.token.since, since));
	cr_assert(eq(u64, fake_smmu_counts(&f).held, 2));
	answer(STREAM, stag(STREAM, AT + PAGE, IN | EVT1_RNW, 0), 0);
	run(&c);
	run(&b);
	cr_assert(ge(u64, b.token.since, since));
	map(AT);
	answer(STREAM, stag(STREAM, AT, IN | EVT1_RNW, 0), RETRY);
	cr_assert(eq(int, run(&b), DMA_OK));
}

/* 3.12.2: by what it was, a STAG is not used again before its answer. */
Test(smmu_patience, names_are_taken_until_they_are_answered)
{
	const struct smmu_id id = fake_smmu_id("idr5.stall_max", 1);
	u64 tag;

	remake(&id, 5);
	smmu_set_patience(f.endpoints[0], 1);
	start(&a, 0, AT, DMA_READ);
	tag = stag(STREAM, AT, IN | EVT1_RNW, 0);
	cr_assert(ends(&a));
	start(&b, 0, AT, DMA_READ);
	expect_no_event(&f);
	answer(STREAM, tag, 0);
	stag(STREAM, AT, IN | EVT1_RNW, 0);
	cr_assert(ends(&b));
}

Test(smmu_patience, terminating_the_stream_frees_names_whose_time_is_over)
{
	start(&a, 0, AT, DMA_READ);
	cr_assert(ends(&a));
	cr_assert(fake_smmu_command(&f, STALL_TERM | SID(STREAM), 0));
	cr_assert(eq(u64, fake_smmu_counts(&f).late, 1));
	cr_assert(zero(u64, fake_smmu_counts(&f).terminated));
	cr_assert(eq(u32, a.resumed, 1));
}

Test(smmu_patience, what_its_device_gives_up_is_not_ended_again)
{
	start(&a, 0, AT, DMA_READ);
	dma_cancel(fake_smmu_dma(&f, 0), &a.token);
	run_for_a_while();
	cr_assert(zero(u32, a.resumed));
	cr_assert(zero(u64, fake_smmu_counts(&f).timed_out));
	cr_assert(zero(u64, fake_smmu_counts(&f).waiting));
	answer(STREAM, stag(STREAM, AT, IN | EVT1_RNW, 0), RETRY);
	cr_assert(eq(u64, fake_smmu_counts(&f).late, 1));
}

/* A fault bridge's. */
Test(smmu_patience, what_its_owner_times_is_not_ended_nor_counted_here)
{
	a = (struct access){ { .resume = resumed, .timed = true }, 0, AT, 8, DMA_READ, 0, 0, 0 };
	run(&a);
	start(&b, 0, AT, DMA_READ);
	cr_assert(eq(u64, fake_smmu_counts(&f).waiting, 1));
	cr_assert(ends(&b), "the clock is looked at");
	cr_assert(eq(int, a.status, DMA_PENDING));
	cr_assert(zero(u64, fake_smmu_counts(&f).waiting));
	answer(STREAM, stag(STREAM, AT, IN | EVT1_RNW, 0), 0);
	cr_assert(eq(int, a.status, DMA_FAULT));
	cr_assert(eq(u64, fake_smmu_counts(&f).resumed, 1));
}

/* Buses are numbered anew while it is held. */
Test(smmu_patience, what_is_held_has_its_end_by_whatever_name)
{
	struct access all[6];

	for (unsigned int i = 0; i < 6; i++)
		start(&all[i], 0, AT + i * PAGE, DMA_READ);
	f.sids[0] = STREAM + 7;
	for (unsigned int i = 0; i < 6; i++)
		cr_assert(ends(&all[i]));
}

Test(smmu_patience, while_the_guest_is_held_time_stands)
{
	start(&a, 0, AT, DMA_READ);
	vcpus_hold(&f.vm);
	run_for_a_while();
	cr_assert(eq(int, a.status, DMA_PENDING));
	vcpus_release(&f.vm);
	cr_assert(ends(&a));
}

static struct fault_waiting last;
static unsigned int nr_seen;

static void see(void *ctx, const struct fault_waiting *w)
{
	(void)ctx;
	last = *w;
	nr_seen++;
}

static void look(unsigned int nr)
{
	nr_seen = 0;
	smmu_each_waiting(f.smmu, see, NULL);
	cr_assert(eq(u32, nr_seen, nr));
}

Test(smmu_patience, what_waits_can_be_looked_at)
{
	struct access all[5];
	u64 tag;

	smmu_set_patience(f.endpoints[0], 0);
	look(0);
	start(&a, 1, AT + 8, DMA_READ);
	look(1);
	tag = stag(STREAM + 1, AT + 8, IN | EVT1_RNW, 0);
	cr_assert(last.stalls && last.named);
	cr_assert(eq(u32, last.requester, STREAM + 1));
	cr_assert(eq(u64, last.name, tag));
	cr_assert(eq(u64, last.iova, AT + 8));
	cr_assert(eq(u32, last.pasid, DMA_NO_PASID));
	answer(STREAM + 1, tag, 0);
	look(0);
	for (unsigned int i = 0; i < 5; i++)
		start(&all[i], 0, AT + i * PAGE, DMA_READ);
	look(5);
	cr_assert(not(last.named), "the queue has four entries");
}
