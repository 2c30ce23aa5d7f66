/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver of an entropy device that is behind an SMMUv3: memory elsewhere than it is, and messages
 * through a doorbell that is mapped. */
#include "lib/device.h"
#include "lib/gic.h"
#include "lib/smmu.h"

#define MOVED             0x4000000000UL /* where all of RAM is mapped */
#define DOORBELL          0x30000000UL
#define ITS_PAGE          0x08000000UL
#define VIRTIO_RNG        4
#define F_ACCESS_PLATFORM (1UL << 33)

static struct smmu s;
static struct device rng;
static struct tables t;
static struct cd cd;
static u8 target[64];

static u64 moved(const void *p)
{
	return (u64)p - RAM_BASE + MOVED;
}

static void find(void)
{
	struct ste ste;

	device_find(&rng, VIRTIO_RNG, 1);
	smmu_start(&s);
	tables_clear(&t);
	for (u64 at = 0; at < RAM_SIZE; at += 1UL << 21)
		*tables_entry(&t, MOVED + at, 2) = (RAM_BASE + at) | (S1_PAGE & ~2UL);
	cd = smmu_cd(&t, 1);
	ste = smmu_s1(&cd);
	smmu_set_ste(&s, rng.where.rid, &ste);
}

static void offer(u64 to)
{
	struct ring *r = &rng.ring[0];

	check(device_negotiate(&rng, F_ACCESS_PLATFORM), "the entropy device refuses its driver");
	where_set_queue(&rng.where, 0, moved(r->desc), moved(&r->avail), moved(&r->used));
	where_go(&rng.where);
	memset(target, 0, sizeof(target));
	r->desc[0] = (struct desc){ to, sizeof(target), DESC_WRITE, 0 };
	device_offer(&rng, 0, 0);
}

static void works(const char *when)
{
	unsigned int set = 0;

	offer(moved(target));
	check(wait_for(device_done(&rng, 0), LONG), "%s: no answer", when);
	check(!device_needs_reset(&rng), "%s: NEEDS_RESET", when);
	for (unsigned int i = 0; i < sizeof(target); i++)
		set += !!((volatile u8 *)target)[i];
	check(set > sizeof(target) / 2, "%s: nothing is written", when);
}

static void entropy(void)
{
	struct smmu_event e = { { 0, EVENT1_IN, (u64)target } };

	find();
	works("mapped elsewhere");
	smmu_expect_none(&s, "mapped elsewhere");
	offer((u64)target);
	check(wait_for(device_needs_reset(&rng), LONG), "no NEEDS_RESET");
	e.w[0] = EVENT0(F_TRANSLATION, rng.where.rid);
	smmu_expect(&s, &e, "where it is");
	works("after that");
}

/* A page that is not there yet is waited for; one that there will not be is as any other. */
static void stalled(void)
{
	const u64 to = MOVED - PAGE + ((u64)target & (PAGE - 1));
	struct smmu_event e;

	find();
	tables_map(&t, MOVED - PAGE, 0, 1, 0);
	cd.w[0] = (cd.w[0] & ~CD0_R) | CD0_S;
	smmu_set_ste(&s, rng.where.rid, &s.streams[rng.where.rid]);
	for (unsigned int retries = 0; retries < 2; retries++) {
		offer(to);
		check(wait_for(smmu_event(&s, &e), LONG), "no event");
		check(e.w[0] == EVENT0(F_TRANSLATION, rng.where.rid) && e.w[2] == to &&
		              e.w[1] & EVENT1_STALL,
		      "event %lx %lx at %lx", e.w[0], e.w[1], e.w[2]);
		check(!device_done(&rng, 0) && !device_needs_reset(&rng), "it does not wait");
		if (retries)
			*tables_entry(&t, MOVED - PAGE, 3) = ((u64)target & ~(PAGE - 1)) | S1_PAGE;
		barrier();
		smmu_push(&s, CMD_RESUME | (retries ? RETRY : 0) | CMD_SID(rng.where.rid),
		          e.w[1] & EVENT1_STAG);
		smmu_sync(&s);
		if (!retries)
			check(wait_for(device_needs_reset(&rng), LONG), "no NEEDS_RESET");
	}
	check(wait_for(device_done(&rng, 0), LONG), "no answer");
	check(!device_needs_reset(&rng), "NEEDS_RESET");
	smmu_expect_none(&s, "it was answered");
}

static struct message message;
static volatile unsigned int interrupts;

static void took(u32 intid)
{
	check(intid == message.intid, "interrupt %u", intid);
	interrupts++;
}

static void interrupts_by(unsigned int nr, const char *when)
{
	unsigned int before = interrupts;

	works(when);
	wait_for(interrupts >= before + nr, nr ? LONG : 0);
	wait_for(false, 20);
	check(interrupts == before + nr, "%s: %u interrupts", when, interrupts - before);
}

static void with_vector(void)
{
	const struct msix *m = &rng.where.msix;

	gic_init();
	irq_handler = took;
	messages_init(rng.where.rid);
	message = message_map(0);
	irqs_on();
	msix_set(m, 0, DOORBELL + (message.addr & (PAGE - 1)), message.data);
	msix_mask(m, 0, false);
	msix_control(m, MSIX_ENABLE);
	rng.where.vector = 0;
}

static void map_doorbell(u64 attributes)
{
	*tables_entry(&t, DOORBELL, 3) = attributes ? ITS_PAGE | attributes : 0;
	barrier();
	smmu_push(&s, CMD_TLBI_NH_VA | CMD_ASID(1), DOORBELL | CMD_LEAF);
	smmu_sync(&s);
}

static void messages(void)
{
	struct smmu_event e;

	find();
	with_vector();
	interrupts_by(0, "not mapped");
	check(smmu_event(&s, &e) && e.w[2] >> 12 == DOORBELL >> 12 &&
	              (e.w[0] & 0xff) == F_TRANSLATION,
	      "no event of its own");
	map_doorbell(S1_PAGE);
	interrupts_by(1, "mapped");
	interrupts_by(1, "mapped, the second time");
	map_doorbell(0);
	interrupts_by(0, "unmapped");
	check(smmu_event(&s, &e), "no event of its own");
	map_doorbell(S1_PAGE | ENTRY_RO);
	interrupts_by(0, "read-only");
	check(smmu_event(&s, &e), "no event of its own");
	map_doorbell(S1_PAGE);
	interrupts_by(1, "mapped again");
}

static const struct test tests[] = {
	{ "entropy", entropy },
	{ "stalled", stalled },
	{ "messages", messages },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
