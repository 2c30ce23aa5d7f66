// SPDX-License-Identifier: GPL-2.0-only
/* Stalls of an SMMUv3 against a model: every order of a few accesses of two streams, answers,
 * cancels, time-outs, full, disabled and failing queues, changed STEs and CDs, and disabled
 * translation, at small sizes. STALL_STEPS=N: that many steps (4). */
#include <string.h>

#include "tests/unit/orders.h"
#include "tests/unit/smmu_expect.h"
#include "tests/unit/smmu_time.h"

#define AT      0x1000ULL
#define PAGE    0x1000ULL
#define STREAM  0x10
#define DEVICES 3
#define STREAMS 2
#define EVENTS  2 /* at most */
/* Config of stage 1, without which it is an abort. */
#define STE0_CONFIG_S1 FIELD_PREP(STE0_CONFIG, 5ULL)

/* With little room, or few that may be outstanding, those that are held have their turn soon. */
static const struct size {
	unsigned int log2size, stalls; /* of the queue; IDR5.STALL_MAX */
} sizes[] = { { 1, 2 }, { 0, 2 }, { 1, 1 } };

static struct fake_smmu f;
static const struct size *size;
static gpa_t ttb0;
static u64 ste[8], cd[8];

/* What a device's one access is doing, by the model. */
enum state { IDLE, HELD, STALLED };
static struct device {
	struct dma_token token;
	enum state state;
	u64 seq;  /* HELD: who came first */
	u64 stag; /* STALLED, once its record was read: */
	bool read;
	unsigned int nr; /* of its stalls that are recorded */
	bool waits;      /* in truth */
	enum dma_status last;
	unsigned int ended;
	bool has_old;
	u64 old; /* the name that it last answered to */
} d[DEVICES];
static bool mapped[DEVICES];
static struct record {
	unsigned int of, nr;
	bool stall;
	unsigned int event;
} queue[EVENTS];
static unsigned int unread; /* records in it */
static u32 cr0;
static bool overflow; /* and it is not acknowledged */
static u64 seqs;
static bool failing; /* EVENTQ_ABT_ERR is active */
/* Slots of what was cancelled, or timed out. */
static struct zombie {
	unsigned int of, nr; /* whose stall it was, and which */
	bool read;
	u64 stag;
} zombies[EVENTS];
static unsigned int nr_zombies;
static u64 timed_out, late;

static u64 iova(unsigned int i)
{
	return AT + i * PAGE;
}

/* The last one is behind another stream. */
static unsigned int stream_of(unsigned int i)
{
	return i == DEVICES - 1;
}

static void attempt(unsigned int i)
{
	struct dma_space *dma = fake_smmu_dma(&f, stream_of(i));
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = dma_access_to(iova(i), 1, DMA_READ);

	d[i].last = dma_map(dma, &a, &sg, &d[i].token);
	dma_unmap(dma, &sg);
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
	unsigned int n = nr_zombies;

	for (unsigned int i = 0; i < DEVICES; i++)
		n += d[i].state == STALLED;
	return n;
}

static bool enabled(void)
{
	return cr0 & CR0_EVENTQEN && !failing;
}

static bool writable(void)
{
	return enabled() && unread < BIT(size->log2size);
}

static bool is_reached(unsigned int i)
{
	return mapped[i] && cr0 & CR0_SMMUEN && ste[0] & STE0_CONFIG_S1 && cd[0] & CD0_V;
}

static void append(unsigned int i, bool stall)
{
	const bool valid = cd[0] & CD0_V;

	queue[unread++] =
		(struct record){ i, d[i].nr += stall, stall, valid ? F_TRANSLATION : C_BAD_CD };
}

/* 7.4: a fault that does not stall is recorded, or lost. */
static void expect_record(unsigned int i)
{
	d[i].state = IDLE;
	if (writable())
		append(i, false);
	else if (enabled())
		overflow = true;
}

static void expect_stall(unsigned int i)
{
	if (writable() && outstanding() < size->stalls) {
		d[i].state = STALLED;
		d[i].read = false;
		append(i, true);
	} else {
		d[i].state = HELD;
		d[i].seq = ++seqs;
	}
}

/* What the model expects of an access now: to end, a record, or to be held. */
static void expect_attempt(unsigned int i)
{
	if (!(cr0 & CR0_SMMUEN) || !(ste[0] & STE0_CONFIG_S1) || is_reached(i))
		d[i].state = IDLE;
	else if (cd[0] & CD0_S && cd[0] & CD0_V)
		expect_stall(i);
	else
		expect_record(i);
}

/* Room has come: those that are held have their turn, the first first. */
static void expect_room(void)
{
	const u64 until = seqs;

	while (writable() && outstanding() < size->stalls) {
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

static bool overflows(void)
{
	return (fake_smmu_read32(&f, EVENTQ_PROD) ^ fake_smmu_read32(&f, EVENTQ_CONS)) >> 31;
}

/* Nothing is run that was not let go, and nothing waits that was. */
static void agree(const char *what, unsigned int i)
{
	for (unsigned int n = 0; n < DEVICES; n++)
		cr_assert(eq(int, d[n].waits, d[n].state != IDLE), "%s %u: device %u", what, i, n);
	cr_assert(eq(int, overflow, overflows()), "%s %u: overflow", what, i);
	cr_assert(eq(u64, fake_smmu_counts(&f).timed_out, timed_out), "%s %u", what, i);
	cr_assert(eq(u64, fake_smmu_counts(&f).late, late), "%s %u", what, i);
}

static void access_by(unsigned int i)
{
	if (d[i].state != IDLE)
		return; /* a device waits */
	expect_attempt(i);
	attempt(i);
	if (d[i].state == IDLE)
		cr_assert(eq(int, d[i].last, is_reached(i) ? DMA_OK : DMA_FAULT));
}

/* The name of what has that record, if it was not answered with translation. */
static void learn(const struct record *r, u64 stag)
{
	if (d[r->of].state == STALLED && d[r->of].nr == r->nr) {
		d[r->of].read = true;
		d[r->of].stag = stag;
	}
	for (unsigned int n = 0; n < nr_zombies; n++) {
		if (zombies[n].of == r->of && zombies[n].nr == r->nr) {
			zombies[n].read = true;
			zombies[n].stag = stag;
		}
	}
}

/* The oldest record, of what was cancelled, too. */
static void read_event(unsigned int unused)
{
	const struct record r = queue[0];
	u64 w[4];

	(void)unused;
	if (!unread) {
		cr_assert(not(fake_smmu_event(&f, w)));
		return;
	}
	queue[0] = queue[1];
	unread--;
	expect_room();
	cr_assert(fake_smmu_event(&f, w), "a record is not lost");
	cr_assert(eq(u64, w[0], r.event | SID(STREAM + stream_of(r.of))), "in their order");
	cr_assert(eq(u64, w[2], r.event == C_BAD_CD ? 0 : iova(r.of)), "in their order");
	cr_assert(eq(int, (w[1] & EVT1_STALL) != 0, r.stall));
	if (r.stall)
		learn(&r, FIELD_GET(EVT1_STAG, w[1]));
}

static void resume(unsigned int stream, u64 stag, u64 action)
{
	cr_assert(fake_smmu_command(&f, RESUME | SID(STREAM + stream) | action, stag));
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
	resume(stream_of(i), d[i].stag, action);
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

/* What was answered is nobody's name any more, and what was not is no other stream's. */
static void again(unsigned int unused)
{
	unsigned int ended[DEVICES];

	(void)unused;
	for (unsigned int i = 0; i < DEVICES; i++)
		ended[i] = d[i].ended;
	for (unsigned int i = 0; i < DEVICES; i++) {
		const bool waits = d[i].state == STALLED && d[i].read;

		if (d[i].has_old && !(waits && d[i].old == d[i].stag))
			resume(stream_of(i), d[i].old, 0);
		if (waits)
			resume(!stream_of(i), d[i].stag, 0);
	}
	for (unsigned int i = 0; i < DEVICES; i++)
		cr_assert(eq(u32, d[i].ended, ended[i]));
}

/* What was cancelled is answered: its name is free, and nothing is run. */
static void reply_to_zombie(unsigned int unused)
{
	const struct zombie z = zombies[0];

	(void)unused;
	if (!nr_zombies || !z.read)
		return;
	zombies[0] = zombies[--nr_zombies];
	late++;
	expect_room();
	resume(stream_of(z.of), z.stag, BIT(12));
}

static void expect_zombie(unsigned int i)
{
	if (d[i].state == STALLED)
		zombies[nr_zombies++] = (struct zombie){ i, d[i].nr, d[i].read, d[i].stag };
	d[i].state = IDLE;
}

/* Once for each that waited, with a fault. */
static void time_out(unsigned int stream)
{
	for (unsigned int n = 0; n < DEVICES; n++)
		if (stream_of(n) == stream) {
			timed_out += d[n].state != IDLE;
			expect_zombie(n);
		}
	cr_assert(not(time_passes(f.endpoints[stream])));
}

static void cancel(unsigned int i)
{
	if (d[i].state == IDLE)
		return;
	expect_zombie(i);
	d[i].waits = false;
	dma_cancel(fake_smmu_dma(&f, stream_of(i)), &d[i].token);
}

static void toggle_map(unsigned int i)
{
	mapped[i] = !mapped[i];
	fake_smmu_map(&f, ttb0, iova(i), FAKE_SMMU_DATA, mapped[i] ? FAKE_S1_RW : 0);
	fake_smmu_forget(&f);
}

static void expect_end(unsigned int stream)
{
	unsigned int left = 0;

	for (unsigned int n = 0; n < nr_zombies; n++)
		if (stream_of(zombies[n].of) != stream)
			zombies[left++] = zombies[n];
	late += nr_zombies - left;
	nr_zombies = left;
	for (unsigned int n = 0; n < DEVICES; n++)
		if (stream_of(n) == stream)
			d[n].state = IDLE;
}

/* Of one stream: which makes room for the other's. */
static void stall_term(unsigned int stream)
{
	expect_end(stream);
	expect_room();
	cr_assert(fake_smmu_command(&f, STALL_TERM | SID(STREAM + stream), 0));
}

/* 6.3.9.6 */
static void toggle_translation(unsigned int unused)
{
	(void)unused;
	cr0 ^= CR0_SMMUEN;
	for (unsigned int n = 0; n < STREAMS && !(cr0 & CR0_SMMUEN); n++)
		expect_end(n);
	fake_smmu_write32(&f, CR0, cr0);
}

/* 7.2.1 */
static void toggle_queue(unsigned int unused)
{
	(void)unused;
	cr0 ^= CR0_EVENTQEN;
	expect_room();
	fake_smmu_write32(&f, CR0, cr0);
}

/* 7.2.2: nothing is recorded until it is acknowledged, and nothing is an overflow. */
static void toggle_failure(unsigned int unused)
{
	(void)unused;
	failing = !failing;
	expect_room();
	if (failing)
		cr_assert(zero(ptr, (void *)smmu_inject(f.smmu, "gerror=eventq-abt")));
	else
		fake_smmu_write32(&f, GERRORN, fake_smmu_read32(&f, GERROR));
}

/* What waits goes on to wait, for what an access meets next. */
static void configure(void)
{
	fake_smmu_ste(&f, STREAM, ste);
	fake_smmu_ste(&f, STREAM + 1, ste);
	fake_smmu_cd(&f, 0, cd);
	fake_smmu_forget(&f);
}

static const struct word {
	u64 *word, bit;
} words[] = { { ste, STE0_CONFIG_S1 }, { cd, CD0_S }, { cd, CD0_V } };

static void toggle_word(unsigned int i)
{
	*words[i].word ^= words[i].bit;
	configure();
}

static const struct order_step steps[] = {
	{ "access", access_by, DEVICES },
	{ "read", read_event, 1 },
	{ "retry", retry, DEVICES },
	{ "refuse", refuse, DEVICES },
	{ "again", again, 1 },
	{ "cancel", cancel, 1 },
	{ "zombie", reply_to_zombie, 1 },
	{ "time", time_out, STREAMS },
	{ "map", toggle_map, 1 },
	{ "term", stall_term, STREAMS },
	{ "SMMUEN", toggle_translation, 1 },
	{ "EVENTQEN", toggle_queue, 1 },
	{ "EVENTQ_ABT", toggle_failure, 1 },
	{ "STE, CD.S, CD.V", toggle_word, ARRAY_SIZE(words) },
};

static void make(void)
{
	struct smmu_id id = fake_smmu_id("idr5.stall_max", size->stalls);

	make_afresh(&f, &id);
	f.eventq_log2size = size->log2size;
	fake_smmu_enable(&f);
	cr0 = CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN;
	ttb0 = fake_smmu_table(&f);
	fake_smmu_cd_words(&f, cd, 1, ttb0);
	fake_smmu_ste_words(&f, ste, 5, 0, 0, 0);
	cd[0] |= CD0_S;
	configure();
	timed_out = late = 0;
	for (unsigned int n = 0; n < STREAMS; n++)
		tell_time(f.endpoints[n]);
	memset(d, 0, sizeof(d));
	for (unsigned int i = 0; i < DEVICES; i++)
		d[i].token.resume = resumed;
}

/* All is as it was. */
static void restore(void)
{
	if (!(cr0 & CR0_SMMUEN))
		toggle_translation(0);
	if (!(cr0 & CR0_EVENTQEN))
		toggle_queue(0);
	if (failing)
		toggle_failure(0);
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		if (!(*words[i].word & words[i].bit))
			toggle_word(i);
	for (unsigned int i = 0; i < DEVICES; i++)
		if (mapped[i])
			toggle_map(i);
}

/* Everything is answered in the end: then nothing waits, and nothing is left in the queue. */
static void finish(void)
{
	for (unsigned int n = 0; n < STREAMS; n++)
		stall_term(n);
	agree("all have ended", 0);
	while (unread)
		read_event(0);
	read_event(0);
	overflow = false;
	fake_smmu_write32(&f, EVENTQ_CONS, fake_smmu_read32(&f, EVENTQ_PROD));
	restore();
	agree("finish", 0);
	for (unsigned int i = 0; i < DEVICES; i++)
		d[i].has_old = false;
}

Test(smmu_stall, every_order_of_a_few_steps_is_as_a_model_has_it)
{
	const struct orders o = { steps, ARRAY_SIZE(steps), orders_length("STALL_STEPS", 4), agree,
		                  finish };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = &sizes[i];
		make();
		orders_try(&o);
		fake_smmu_unmake(&f);
	}
}
