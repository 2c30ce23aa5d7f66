// SPDX-License-Identifier: GPL-2.0-only
/* Stalls of an SMMUv3 against a model: every order of a few accesses, answers, cancels, full queues
 * and disabled translation, at small sizes. STALL_STEPS=N: that many steps (5). */
#include <stdlib.h>

#include "tests/unit/smmu_expect.h"

#define AT      0x1000ULL
#define PAGE    0x1000ULL
#define STREAM  0x10
#define DEVICES 3
#define EVENTS  2 /* room in the queue */
#define STALLS  2 /* IDR5.STALL_MAX */

static struct fake_smmu f;
static gpa_t ttb0;

/* What a device's one access is doing, by the model. */
enum state { IDLE, HELD, STALLED };
static struct device {
	struct dma_token token;
	enum state state;
	u64 seq;  /* HELD: who came first */
	u64 stag; /* STALLED, once its record was read: */
	bool read;
	unsigned int nr, records; /* of its records: written; read */
	bool waits;               /* in truth */
	enum dma_status last;
	unsigned int ended;
	bool has_old;
	u64 old; /* the name that it last answered to */
} d[DEVICES];
static bool mapped[DEVICES];
static unsigned int unread; /* records in the queue */
static u64 seqs;
static unsigned int zombies; /* slots of what was cancelled */

static u64 iova(unsigned int i)
{
	return AT + i * PAGE;
}

static void attempt(unsigned int i)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = dma_access_to(iova(i), 1, DMA_READ);

	d[i].last = dma_map(fake_smmu_dma(&f, 0), &a, &sg, &d[i].token);
	dma_unmap(fake_smmu_dma(&f, 0), &sg);
	d[i].waits = d[i].last == DMA_PENDING;
	d[i].ended += !d[i].waits;
}

static void resumed(struct dma_token *token)
{
	struct device *x = container_of(token, struct device, token);

	cr_assert(x->waits, "it waits for nothing");
	attempt(x - d);
}

static unsigned int outstanding(void)
{
	unsigned int n = zombies;

	for (unsigned int i = 0; i < DEVICES; i++)
		n += d[i].state == STALLED;
	return n;
}

/* What the model expects of an access now: OK, a record, or to be held. */
static void expect_attempt(unsigned int i)
{
	if (mapped[i]) {
		d[i].state = IDLE;
	} else if (unread < EVENTS && outstanding() < STALLS) {
		d[i].state = STALLED;
		d[i].read = false;
		d[i].nr++;
		unread++;
	} else {
		d[i].state = HELD;
		d[i].seq = ++seqs;
	}
}

/* Room has come: those that are held have their turn, the first first. */
static void expect_room(void)
{
	const u64 until = seqs;

	while (unread < EVENTS && outstanding() < STALLS) {
		struct device *first = NULL;

		for (unsigned int i = 0; i < DEVICES; i++)
			if (d[i].state == HELD && d[i].seq <= until &&
			    (!first || d[i].seq < first->seq))
				first = &d[i];
		if (!first)
			return;
		first->state = IDLE;
		expect_attempt(first - d);
	}
}

/* Nothing is run that was not let go, and nothing waits that was. */
static void agree(const char *what, unsigned int i)
{
	for (unsigned int n = 0; n < DEVICES; n++)
		cr_assert(eq(int, d[n].waits, d[n].state != IDLE), "%s %u: device %u", what, i, n);
}

static void access_by(unsigned int i)
{
	if (d[i].state != IDLE)
		return; /* a device waits */
	expect_attempt(i);
	attempt(i);
	if (d[i].state == IDLE)
		cr_assert(eq(int, d[i].last, DMA_OK));
}

/* The oldest record. Whose it is, its address says; of what was cancelled, too. */
static void read_event(unsigned int unused)
{
	u64 w[4];
	unsigned int i;

	(void)unused;
	if (!unread) {
		cr_assert(not(fake_smmu_event(&f, w)));
		return;
	}
	unread--;
	expect_room();
	cr_assert(fake_smmu_event(&f, w), "a record is not lost");
	cr_assert(ne(u64, w[1] & EVT1_STALL, 0));
	i = (w[2] - AT) / PAGE;
	d[i].records++;
	if (d[i].state == STALLED && d[i].nr == d[i].records) {
		d[i].read = true;
		d[i].stag = FIELD_GET(EVT1_STAG, w[1]);
	}
}

static void reply(unsigned int i, u64 action)
{
	const unsigned int ended = d[i].ended;

	if (d[i].state != STALLED || !d[i].read)
		return;
	d[i].state = IDLE;
	if (action)
		expect_attempt(i);
	expect_room();
	d[i].has_old = true;
	d[i].old = d[i].stag;
	cr_assert(fake_smmu_command(&f, RESUME | SID(STREAM) | action, d[i].stag));
	if (!action)
		cr_assert(eq(u32, d[i].ended, ended + 1), "an answer ends it once");
}

static void retry(unsigned int i)
{
	reply(i, BIT(12));
}

static void refuse(unsigned int i)
{
	reply(i, 0);
}

/* What was answered is nobody's name any more. */
static void again(unsigned int i)
{
	const unsigned int ended = d[i].ended;

	if (!d[i].has_old || (d[i].state == STALLED && d[i].read && d[i].old == d[i].stag))
		return;
	cr_assert(fake_smmu_command(&f, RESUME | SID(STREAM), d[i].old));
	cr_assert(eq(u32, d[i].ended, ended));
}

static void cancel(unsigned int i)
{
	if (d[i].state == IDLE)
		return;
	zombies += d[i].state == STALLED;
	d[i].state = IDLE;
	d[i].waits = false;
	dma_cancel(fake_smmu_dma(&f, 0), &d[i].token);
}

static void toggle_map(unsigned int i)
{
	mapped[i] = !mapped[i];
	fake_smmu_map(&f, ttb0, iova(i), FAKE_SMMU_DATA, mapped[i] ? FAKE_S1_RW : 0);
	fake_smmu_forget(&f);
}

/* Of all streams, whatever has a name. */
static void stall_term(unsigned int unused)
{
	(void)unused;
	zombies = 0;
	for (unsigned int n = 0; n < DEVICES; n++)
		d[n].state = IDLE;
	cr_assert(fake_smmu_command(&f, STALL_TERM | SID(STREAM), 0));
	agree("all have ended", 0);
}

static const struct step {
	const char *name;
	void (*run)(unsigned int i);
	bool each;
} steps[] = {
	{ "access", access_by, true }, { "read", read_event, false }, { "retry", retry, true },
	{ "refuse", refuse, true },    { "again", again, true },      { "cancel", cancel, false },
	{ "map", toggle_map, false },  { "term", stall_term, false },
};

static void make(void)
{
	struct smmu_id id = fake_smmu_id("idr5.stall_max", STALLS);
	u64 cd[8], ste[8];

	make_afresh(&f, &id);
	f.eventq_log2size = 1;
	fake_smmu_enable(&f);
	ttb0 = fake_smmu_table(&f);
	fake_smmu_cd_words(&f, cd, 1, ttb0);
	fake_smmu_ste_words(&f, ste, 5, 0, 0, 0);
	cd[0] |= CD0_S;
	fake_smmu_ste(&f, STREAM, ste);
	fake_smmu_cd(&f, 0, cd);
	for (unsigned int i = 0; i < DEVICES; i++)
		d[i].token.resume = resumed;
}

/* Everything is answered in the end: then nothing waits, and nothing is left in the queue. */
static void finish(void)
{
	stall_term(0);
	while (unread)
		read_event(0);
	read_event(0);
	for (unsigned int i = 0; i < DEVICES; i++) {
		cr_assert(eq(int, d[i].state, IDLE));
		cr_assert(eq(u32, d[i].records, d[i].nr));
		d[i].has_old = false;
		if (mapped[i])
			toggle_map(i);
	}
}

static unsigned int choices(void)
{
	unsigned int n = 0;

	for (size_t s = 0; s < ARRAY_SIZE(steps); s++)
		n += steps[s].each ? DEVICES : 1;
	return n;
}

static void choose(unsigned int n)
{
	for (size_t s = 0; s < ARRAY_SIZE(steps); s++) {
		const unsigned int of = steps[s].each ? DEVICES : 1;

		if (n < of) {
			steps[s].run(n);
			agree(steps[s].name, n);
			return;
		}
		n -= of;
	}
}

Test(smmu_stall, every_order_of_a_few_steps_is_as_a_model_has_it)
{
	const char *said = getenv("STALL_STEPS");
	const unsigned int nr = said ? atoi(said) : 4;
	u64 all = 1;

	make();
	for (unsigned int i = 0; i < nr; i++)
		all *= choices();
	for (u64 order = 0; order < all; order++) {
		u64 left = order;

		for (unsigned int i = 0; i < nr; i++, left /= choices())
			choose(left % choices());
		finish();
	}
	fake_smmu_unmake(&f);
}
