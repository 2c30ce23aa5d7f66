// SPDX-License-Identifier: GPL-2.0-only
/* Page requests of an SMMUv3 against a model: every order of a few requests, responses, records
 * taken, overflows, queues and translation disabled, time-outs, and resets. PRI_STEPS=N: that many
 * steps (5).
 */
#include "tests/unit/orders.h"
#include "tests/unit/smmu_pri.h"
#include "tests/unit/smmu_time.h"

#define GROUPS 2 /* of one index: without a PASID, and with one */
#define ROOM   2 /* in the queue */
#define INDEX  1
#define OTHER  5 /* an index of no group */

static const u32 pasids[GROUPS] = { NONE, 7 };

/* By the model: */
static enum fault_state groups[GROUPS];
static struct {
	u64 w0[ROOM], w1[ROOM];
	unsigned int nr;
	u32 prod, cons; /* the registers */
} queue;
static u32 cr0;
static struct fault_counts counted;
static unsigned int answers; /* in this step */
static struct dma_page_response last;

static void expect(u32 pasid, u16 group, enum dma_page_code code)
{
	answers++;
	last = (struct dma_page_response){ pasid, group, code };
}

static u32 next(u32 index)
{
	return (index & QUEUE_OVERFLOW) | ((index + 1) & (2 * ROOM - 1));
}

static void append(unsigned int g, bool ends)
{
	queue.w0[queue.nr] = STREAM | PRI0_R | (ends ? PRI0_LAST : 0) |
	                     (g ? PRI0_SSV | (u64)pasids[g] << 32 : 0);
	queue.w1[queue.nr++] = 0x5000 | INDEX;
	queue.prod = next(queue.prod);
	counted.raised++;
}

static bool is_on(void)
{
	return (cr0 & (CR0_SMMUEN | CR0_PRIQEN)) == (CR0_SMMUEN | CR0_PRIQEN);
}

static void expect_ask(unsigned int g, bool ends)
{
	if (!is_on()) {
		expect(NONE, INDEX, DMA_PAGE_FAILURE);
		counted.automatic++;
		counted.refused++;
	} else if ((queue.prod ^ queue.cons) & QUEUE_OVERFLOW || queue.nr == ROOM) {
		if (!((queue.prod ^ queue.cons) & QUEUE_OVERFLOW))
			queue.prod ^= QUEUE_OVERFLOW;
		if (ends)
			expect(pasids[g], INDEX, DMA_PAGE_SUCCESS);
		counted.automatic += ends;
		counted.refused++;
	} else if (groups[g] == FAULT_OVERDUE) { /* as though there were no room */
		if (ends)
			expect(pasids[g], INDEX, DMA_PAGE_SUCCESS);
		counted.automatic += ends;
		counted.refused++;
	} else {
		append(g, ends);
		if (ends)
			groups[g] = FAULT_WAITS;
	}
}

static void ask_for(unsigned int g, bool ends)
{
	if (groups[g] == FAULT_WAITS)
		return; /* an endpoint does not use its name meanwhile */
	expect_ask(g, ends);
	cr_assert(ask(pasids[g], INDEX, ends));
}

static void ask_more(unsigned int g)
{
	ask_for(g, false);
}

static void ask_last(unsigned int g)
{
	ask_for(g, true);
}

static void count_answer(enum fault_state *state)
{
	switch (*state) {
	case FAULT_UNKNOWN: counted.unknown++; return;
	case FAULT_WAITS: counted.answered++; break;
	case FAULT_ANSWERED: counted.duplicate++; return;
	case FAULT_ENDED: counted.late++; return;
	case FAULT_OVERDUE:
	case FAULT_FORGOTTEN: counted.late++; break;
	}
	*state = FAULT_ANSWERED;
}

static void respond_to(u32 pasid, u16 index, enum fault_state *state)
{
	if (cr0 & CR0_SMMUEN) {
		expect(pasid, index, DMA_PAGE_SUCCESS);
		count_answer(state);
	}
	cr_assert(pri_respond(STREAM, pasid, index, 2));
}

static void respond(unsigned int g)
{
	respond_to(pasids[g], INDEX, &groups[g]);
}

static void respond_wrongly(unsigned int unused)
{
	enum fault_state none = FAULT_UNKNOWN;

	(void)unused;
	respond_to(NONE, OTHER, &none);
}

static void take_one(unsigned int unused)
{
	(void)unused;
	if (!queue.nr) {
		expect_empty();
		return;
	}
	expect_record(queue.w0[0], queue.w1[0]);
	queue.w0[0] = queue.w0[1];
	queue.w1[0] = queue.w1[1];
	queue.nr--;
	queue.cons = next(queue.cons);
}

static void acknowledge(unsigned int unused)
{
	(void)unused;
	queue.cons = (queue.cons & QUEUE_INDEX) | (queue.prod & QUEUE_OVERFLOW);
	fake_smmu_write32(&f, PRIQ_CONS, queue.cons);
}

static void toggle_queue(unsigned int unused)
{
	(void)unused;
	cr0 ^= CR0_PRIQEN;
	fake_smmu_write32(&f, CR0, cr0);
}

static void toggle_translation(unsigned int unused)
{
	(void)unused;
	cr0 ^= CR0_SMMUEN;
	for (unsigned int g = 0; g < GROUPS && !(cr0 & CR0_SMMUEN); g++)
		if (groups[g] == FAULT_WAITS) {
			groups[g] = FAULT_ENDED;
			counted.ended++;
			expect(NONE, INDEX, DMA_PAGE_FAILURE);
		} else if (groups[g] == FAULT_OVERDUE) {
			groups[g] = FAULT_ENDED;
		}
	fake_smmu_write32(&f, CR0, cr0);
}

static void reset_endpoint(unsigned int unused)
{
	(void)unused;
	for (unsigned int g = 0; g < GROUPS; g++)
		if (groups[g] == FAULT_WAITS) {
			groups[g] = FAULT_FORGOTTEN;
			counted.forgotten++;
		} else if (groups[g] == FAULT_OVERDUE) {
			groups[g] = FAULT_FORGOTTEN;
		}
	dma_forget_pages(fake_smmu_dma(&f, 0));
}

static void time_out(unsigned int unused)
{
	(void)unused;
	for (unsigned int g = 0; g < GROUPS; g++)
		if (groups[g] == FAULT_WAITS) {
			groups[g] = FAULT_OVERDUE;
			counted.timed_out++;
			expect(pasids[g], INDEX, DMA_PAGE_INVALID);
		}
	cr_assert(not(time_passes(f.endpoints[0])));
}

static const struct order_step steps[] = {
	{ "ask", ask_more, GROUPS },    { "ask, last", ask_last, GROUPS },
	{ "respond", respond, GROUPS }, { "respond wrongly", respond_wrongly, 1 },
	{ "take", take_one, 1 },        { "acknowledge", acknowledge, 1 },
	{ "PRIQEN", toggle_queue, 1 },  { "SMMUEN", toggle_translation, 1 },
	{ "reset", reset_endpoint, 1 }, { "time", time_out, 1 },
};

/* Answers of this step, registers, counts. */
static void agree(const char *what, unsigned int g)
{
	struct fault_counts truth = fake_smmu_counts(&f).pages;

	(void)g;
	counted.waiting = 0;
	for (unsigned int i = 0; i < GROUPS; i++)
		counted.waiting += groups[i] == FAULT_WAITS;
	cr_assert(eq(u32, got.nr, answers), "%s", what);
	if (answers) {
		if (answers == 1)
			cr_assert(eq(u32, got.last.pasid, last.pasid), "%s", what);
		cr_assert(eq(u16, got.last.group, last.group), "%s", what);
		cr_assert(eq(int, got.last.code, last.code), "%s", what);
	}
	cr_assert(eq(u32, prod(), queue.prod), "%s", what);
	truth.times = counted.times;
	cr_assert(zero(int, memcmp(&truth, &counted, sizeof(truth))), "%s: counts", what);
	got.nr = answers = 0;
}

/* All is on, nothing is in the queue, and nothing waits. */
static void finish(void)
{
	if (!(cr0 & CR0_SMMUEN))
		toggle_translation(0);
	if (!(cr0 & CR0_PRIQEN))
		toggle_queue(0);
	while (queue.nr)
		take_one(0);
	acknowledge(0);
	reset_endpoint(0);
	agree("finish", 0);
}

Test(smmu_pri_model, every_order_of_a_few_steps_is_as_a_model_has_it)
{
	const struct orders o = { steps, ARRAY_SIZE(steps), orders_length("PRI_STEPS", 5), agree,
		                  finish };
	const struct smmu_id id = pri_id();
	u64 ste[8];

	make_with(&id, 1);
	cr0 = PRI_ON;
	fake_smmu_ste_words(&f, ste, 4, 0, 0, 0);
	ste[1] |= STE1_PPAR;
	fake_smmu_ste(&f, STREAM, ste);
	tell_time(f.endpoints[0]);
	orders_try(&o);
	unmake();
}
