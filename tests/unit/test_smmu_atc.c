// SPDX-License-Identifier: GPL-2.0-only
/* CMD_ATC_INV (Arm IHI 0070, 4.5.1, 3.9.1.4): what endpoints are told, and CMD_SYNC, which waits
 * for their answers, or fails. */
#include <string.h>

#include "tests/unit/smmu_expect.h"
#include "vmm/loop.h"
#include "vmm/pause.h"

#define PAGE 0x1000ULL
#define ON   (CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN)
#define SSV  BIT(11)
#define G    BIT(9)

static struct fake_smmu f;

/* An endpoint's cache, which remembers what it was told, and answers at once if it is willing. */
static struct cache {
	struct dma_device device;
	unsigned int endpoint;
	bool willing;
	unsigned int nr;
	u32 pasid, tags[64];
	u64 first, last;
} caches[2];

static void invalidate(struct dma_device *d, u32 pasid, u64 first, u64 last, u32 tag)
{
	struct cache *c = container_of(d, struct cache, device);

	c->pasid = pasid;
	c->first = first;
	c->last = last;
	c->tags[c->nr++ % 64] = tag;
	if (c->willing)
		dma_invalidated(fake_smmu_dma(&f, c->endpoint), tag);
}

static void answer(struct cache *c, unsigned int n)
{
	dma_invalidated(fake_smmu_dma(&f, c->endpoint), c->tags[n]);
}

static void start(const struct smmu_id *id)
{
	make_afresh(&f, id);
	for (unsigned int i = 0; i < 2; i++) {
		caches[i] = (struct cache){ .device = { .invalidate = invalidate },
			                    .endpoint = i,
			                    .willing = true };
		fake_smmu_dma(&f, i)->device = &caches[i].device;
	}
	fake_smmu_enable(&f);
}

static void make(void)
{
	start(NULL);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_atc, .init = make, .fini = unmake, .timeout = 20);

static bool atc_inv(u32 sid, u64 w0, u64 w1)
{
	return fake_smmu_command(&f, ATC_INV | SID(sid) | w0, w1);
}

static bool is_consumed(void)
{
	return (fake_smmu_read32(&f, CMDQ_CONS) & QUEUE_INDEX) == f.prod;
}

static void acknowledge(void)
{
	fake_smmu_write32(&f, GERRORN, fake_smmu_read32(&f, GERROR));
}

static void inject(const char *error)
{
	const char *expected = smmu_inject(f.smmu, error);

	cr_assert(zero(ptr, (void *)expected), "%s: %s", error, expected);
}

static void expect_span(u64 first, u64 last)
{
	cr_assert(eq(u64, caches[0].first, first));
	cr_assert(eq(u64, caches[0].last, last));
}

Test(smmu_atc, it_is_told_to_the_endpoint_that_it_names)
{
	cr_assert(atc_inv(0x11, 0, 5 * PAGE));
	cr_assert(eq(u32, caches[1].nr, 1));
	cr_assert(eq(u32, caches[1].pasid, DMA_NO_PASID));
	cr_assert(eq(u64, caches[1].first, 5 * PAGE));
	cr_assert(zero(u32, caches[0].nr));
	cr_assert(eq(u64, fake_smmu_counts(&f).atc_invalidations, 1));
	cr_assert(fake_smmu_sync(&f));
}

Test(smmu_atc, where_nobody_caches_it_is_ignored)
{
	cr_assert(atc_inv(0x12, 0, 0)); /* it has no ATS */
	cr_assert(atc_inv(0x77, 0, 0));
	cr_assert(atc_inv(~0u, 0, 0));
	cr_assert(fake_smmu_sync(&f));
	cr_assert(zero(u64, fake_smmu_counts(&f).atc_invalidations));
}

Test(smmu_atc, while_translation_is_disabled_it_is_ignored)
{
	fake_smmu_write32(&f, CR0, CR0_CMDQEN);
	cr_assert(atc_inv(0x10, 0, 0));
	cr_assert(zero(u32, caches[0].nr));
}

Test(smmu_atc, its_address_is_aligned_to_its_size)
{
	atc_inv(0x10, 0, 0x12345fc0);
	expect_span(0x12345000, 0x12345fff);
	atc_inv(0x10, 0, 0x12345000 | 4);
	expect_span(0x12340000, 0x1234ffff);
	atc_inv(0x10, 0, (~0ULL << 12) | 0);
	expect_span(~0ULL << 12, ~0ULL);
	atc_inv(0x10, 0, (1ULL << 63) | 51);
	expect_span(1ULL << 63, ~0ULL);
	atc_inv(0x10, 0, (1ULL << 63) | 52);
	expect_span(0, ~0ULL);
	atc_inv(0x10, 0, 63);
	expect_span(0, ~0ULL);
}

Test(smmu_atc, a_substream_is_a_pasid)
{
	atc_inv(0x10, SSV | 0xabcdeULL << 12, 0);
	cr_assert(eq(u32, caches[0].pasid, 0xabcde));
	atc_inv(0x10, SSV | G | 5ULL << 12, 0);
	cr_assert(eq(u32, caches[0].pasid, 5), "whatever Global is");
	atc_inv(0x10, G | 5ULL << 12, 0);
	cr_assert(eq(u32, caches[0].pasid, DMA_NO_PASID));
}

Test(smmu_atc, without_substreams_there_is_no_pasid)
{
	const struct smmu_id id = fake_smmu_id("idr1.ssidsize", 0);

	fake_smmu_unmake(&f);
	start(&id);
	atc_inv(0x10, SSV | 5ULL << 12, 0);
	cr_assert(eq(u32, caches[0].pasid, DMA_NO_PASID));
}

Test(smmu_atc, a_sync_waits_for_every_answer)
{
	caches[0].willing = caches[1].willing = false;
	cr_assert(atc_inv(0x10, 0, 0), "it is consumed at once");
	cr_assert(atc_inv(0x11, 0, 0));
	cr_assert(atc_inv(0x10, 0, 0));
	cr_assert(not(fake_smmu_sync(&f)));
	answer(&caches[0], 1);
	answer(&caches[1], 0);
	cr_assert(not(is_consumed()));
	answer(&caches[0], 0);
	cr_assert(is_consumed());
	cr_assert(zero(u32, fake_smmu_cerror(&f)));
}

Test(smmu_atc, other_commands_do_not_wait)
{
	caches[0].willing = false;
	atc_inv(0x10, 0, 0);
	cr_assert(fake_smmu_command(&f, TLBI_NSNH_ALL, 0));
	cr_assert(atc_inv(0x11, 0, 0));
	cr_assert(eq(u32, caches[1].nr, 1));
	answer(&caches[0], 0);
}

/* PCIe: the depth of an endpoint's queue, by which it has as many tags. */
Test(smmu_atc, an_endpoint_has_32_tags)
{
	u32 used = 0;

	caches[0].willing = false;
	for (unsigned int i = 0; i < 32; i++)
		cr_assert(atc_inv(0x10, 0, 0));
	for (unsigned int i = 0; i < 32; i++)
		used |= BIT(caches[0].tags[i]);
	cr_assert(eq(u32, used, ~0u));
	cr_assert(not(atc_inv(0x10, 0, 0)));
	cr_assert(eq(u32, caches[0].nr, 32));
	answer(&caches[0], 7);
	cr_assert(is_consumed());
	cr_assert(eq(u32, caches[0].nr, 33));
	cr_assert(eq(u32, caches[0].tags[32], caches[0].tags[7]));
	for (unsigned int i = 0; i < 33; i++)
		if (i != 7)
			answer(&caches[0], i);
	cr_assert(fake_smmu_sync(&f));
}

/* 7.1: CONS stays at the CMD_SYNC, which is well when it is looked at again. */
Test(smmu_atc, what_takes_too_long_is_the_syncs_error)
{
	u32 cons;

	caches[0].willing = false;
	atc_inv(0x10, 0, 0);
	cons = f.prod;
	cr_assert(not(fake_smmu_sync(&f)));
	inject("atc-inv-timeout");
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ATC_INV_SYNC));
	cr_assert(eq(u32, fake_smmu_read32(&f, CMDQ_CONS) & QUEUE_INDEX, cons));
	acknowledge();
	cr_assert(is_consumed());
	answer(&caches[0], 0); /* late: nobody waits */
	atc_inv(0x10, 0, 0);
	cr_assert(not(fake_smmu_sync(&f)));
	answer(&caches[0], 1);
	cr_assert(is_consumed());
	cr_assert(zero(u32, fake_smmu_cerror(&f)));
}

Test(smmu_atc, who_answers_nothing_any_more_does_not_hold_the_queue)
{
	caches[0].willing = false;
	for (unsigned int i = 0; i < 32; i++)
		atc_inv(0x10, 0, 0);
	cr_assert(not(atc_inv(0x10, 0, 0)));
	inject("atc-inv-timeout");
	cr_assert(is_consumed());
	cr_assert(eq(u32, caches[0].nr, 32), "it has no tag for it");
	cr_assert(not(fake_smmu_sync(&f)));
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ATC_INV_SYNC));
	acknowledge();
	for (unsigned int i = 0; i < 32; i++)
		answer(&caches[0], i);
	cr_assert(atc_inv(0x10, 0, 0));
	cr_assert(eq(u32, caches[0].nr, 33));
	answer(&caches[0], 32);
	cr_assert(fake_smmu_sync(&f));
}

Test(smmu_atc, a_lost_answer_is_waited_for_until_it_takes_too_long)
{
	inject("atc-inv-lost");
	cr_assert(atc_inv(0x10, 0, 0));
	cr_assert(eq(u32, caches[0].nr, 1));
	cr_assert(atc_inv(0x11, 0, 0), "the next one is well");
	cr_assert(not(fake_smmu_sync(&f)));
	inject("atc-inv-timeout");
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ATC_INV_SYNC));
	acknowledge();
	cr_assert(is_consumed());
	for (unsigned int i = 0; i < 40; i++) { /* no tag was lost */
		inject("atc-inv-lost");
		cr_assert(atc_inv(0x10, 0, 0));
		inject("atc-inv-timeout");
	}
	cr_assert(not(fake_smmu_sync(&f)));
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ATC_INV_SYNC));
}

Test(smmu_atc, a_slow_answer_comes)
{
	inject("atc-inv-slow=1");
	cr_assert(atc_inv(0x10, 0, 0));
	cr_assert(eq(str, (char *)smmu_inject(f.smmu, "atc-inv-slow=1"),
	             "no CMD_ATC_INV that waits already"));
	cr_assert(not(fake_smmu_sync(&f)));
	for (unsigned int i = 0; i < 5000 && !is_consumed(); i++)
		fake_vm_run(&f.vm, 1);
	cr_assert(is_consumed());
	cr_assert(zero(u32, fake_smmu_cerror(&f)));
	inject("atc-inv-slow=60000"); /* its end comes first */
	cr_assert(atc_inv(0x10, 0, 0));
}

static bool is_over;

static void over(struct loop_op *op, int res)
{
	(void)op, (void)res;
	is_over = true;
}

/* Long enough for a timer of a millisecond that was started before. */
static void outlast_timer(void)
{
	static struct loop_op op = { .done = over, .endless = true };
	static struct __kernel_timespec time = { .tv_nsec = 5000000 };

	is_over = false;
	loop_timeout(f.vm.loop, &op, &time);
	while (!is_over)
		fake_vm_run(&f.vm, 1);
}

static void expect_time_out(void)
{
	while (!fake_smmu_cerror(&f))
		fake_vm_run(&f.vm, 1);
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ATC_INV_SYNC));
}

/* 3.9.1.4: nobody has to say so. */
Test(smmu_atc, what_is_not_answered_in_time_is_the_syncs_error)
{
	inject("atc-inv-limit=1");
	caches[0].willing = false;
	cr_assert(atc_inv(0x10, 0, 0));
	cr_assert(not(fake_smmu_sync(&f)));
	expect_time_out();
	acknowledge();
	cr_assert(is_consumed());
	answer(&caches[0], 0); /* late: its tag is free again */
	caches[0].willing = true;
	for (unsigned int i = 0; i < 33; i++)
		cr_assert(atc_inv(0x10, 0, 0));
	cr_assert(fake_smmu_sync(&f));
}

Test(smmu_atc, who_waits_for_a_tag_is_let_go_when_time_is_over)
{
	inject("atc-inv-limit=1");
	caches[0].willing = false;
	for (unsigned int i = 0; i < 32; i++)
		cr_assert(atc_inv(0x10, 0, 0));
	cr_assert(not(atc_inv(0x10, 0, 0)));
	fake_smmu_queue(&f, SYNC, 0);
	fake_smmu_kick(&f);
	expect_time_out();
	cr_assert(eq(u32, caches[0].nr, 32));
}

/* Each has all of its time: a timer that is older than what is waited for does not count. */
Test(smmu_atc, time_that_began_before_begins_anew)
{
	inject("atc-inv-limit=1");
	caches[0].willing = false;
	atc_inv(0x10, 0, 0);
	cr_assert(not(fake_smmu_sync(&f)));
	answer(&caches[0], 0);
	atc_inv(0x10, 0, 0);
	cr_assert(not(fake_smmu_sync(&f)));
	inject("atc-inv-limit=60000");
	outlast_timer();
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_NONE));
	answer(&caches[0], 1);
	cr_assert(is_consumed());
}

Test(smmu_atc, time_that_ends_while_the_guest_is_paused_begins_anew)
{
	inject("atc-inv-limit=1");
	caches[0].willing = false;
	atc_inv(0x10, 0, 0);
	cr_assert(not(fake_smmu_sync(&f)));
	vcpus_hold(&f.vm);
	outlast_timer();
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_NONE));
	vcpus_release(&f.vm);
	expect_time_out();
}

/* A driver skips what is said to be illegal. */
Test(smmu_atc, what_waits_for_a_tag_is_not_called_illegal_before_it_was_sent)
{
	caches[0].willing = false;
	for (unsigned int i = 0; i < 32; i++)
		cr_assert(fake_smmu_command(&f, ATC_INV | SID(0x10), 0));
	cr_assert(zero(ptr, (void *)smmu_inject(f.smmu, "cerror-ill")));
	cr_assert(not(fake_smmu_command(&f, ATC_INV | SID(0x10), 0)));
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_NONE));
	answer(&caches[0], 0);
	cr_assert(eq(u32, caches[0].nr, 33));
	cr_assert(eq(u32, fake_smmu_cerror(&f), CERROR_ILL));
}

Test(smmu_atc, what_cannot_be_injected_is_refused)
{
	const struct smmu_id id = fake_smmu_id("idr0.ats", 0);

	cr_assert(eq(str, (char *)smmu_inject(f.smmu, "atc-inv-timeout"),
	             "a CMD_ATC_INV that waits"));
	fake_smmu_unmake(&f);
	start(&id);
	cr_assert(eq(str, (char *)smmu_inject(f.smmu, "atc-inv-lost"),
	             "idr0.ats=1 with an error of invalidations"));
	cr_assert(eq(str, (char *)smmu_inject(f.smmu, "atc-inv-limit=5"),
	             "idr0.ats=1 with an error of invalidations"));
}

Test(smmu_atc, a_queue_that_is_turned_off_leaves_answers_to_come)
{
	caches[0].willing = false;
	atc_inv(0x10, 0, 0);
	cr_assert(not(fake_smmu_sync(&f)));
	fake_smmu_write32(&f, CR0, 0);
	answer(&caches[0], 0);
	fake_smmu_write32(&f, CR0, ON);
	cr_assert(is_consumed());
}
