// SPDX-License-Identifier: GPL-2.0-only
/* A mailbox against a model, by every order of a few steps: a driver that reads in order and
 * answers what it has read finds each entry once and whole, and each group has exactly one end. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "fault/mailbox.h"
#include "tests/unit/orders.h"
#include "vmm/log.h"
#include "vmm/mem.h"

#define BASE    0x80000000ULL
#define NAMES   3
#define HISTORY 64

enum { CONTROL = 0x0c, RING = 0x10, RESPONSE = 0x24 };

/* All that a step changes: an order begins with a copy of it as it was. */
static struct world {
	struct mailbox m;
	u8 config[MAILBOX_SIZE], writable[MAILBOX_SIZE], clears[MAILBOX_SIZE], ring[4096];
	/* the function: groups that have no end yet */
	bool asks[NAMES];
	bool late[NAMES]; /* it had its end in time; its answer is to come */
	/* the driver */
	struct dma_page_request shown[HISTORY]; /* since it enabled the mailbox */
	unsigned int nr_shown, nr_read;
	bool has_read[NAMES]; /* and not answered */
} w;
static struct dma_space space;
static struct guest_mem mem = { .base = BASE, .size = sizeof(w.ring), .host = w.ring };
static struct log quiet;
static u64 answers, refused, told;

static u64 clock_at(void)
{
	return told;
}

static void set(unsigned int at, unsigned int size, u32 val)
{
	val = htole32(val);
	memcpy(&w.config[at], &val, size);
	mailbox_written(&w.m, at, size);
}

static void answered(struct dma_device *d, const struct dma_page_response *r)
{
	(void)d;
	cr_assert(lt(u32, r->group, NAMES));
	if (w.late[r->group] && !w.asks[r->group]) {
		w.late[r->group] = false;
		return;
	}
	cr_assert(w.asks[r->group], "an answer to nothing");
	w.asks[r->group] = false;
	answers++;
}

static void send(void *ctx, u64 addr, u32 data)
{
	(void)ctx;
	(void)addr;
	(void)data;
}

static struct dma_device device = { .page_response = answered };

static void begin(unsigned int log2)
{
	dma_identity(&space, &mem);
	memset(&w, 0, sizeof(w));
	mailbox_init(&w.m, &(struct mailbox_function){ .name = "model",
	                                               .dma = &space,
	                                               .device = &device,
	                                               .send = send,
	                                               .config = w.config,
	                                               .writable = w.writable,
	                                               .clears = w.clears,
	                                               .log = &quiet,
	                                               .timeout = 1,
	                                               .clock = clock_at });
	w.m.patience.timing = true; /* no loop looks */
	set(RING, 4, BASE | log2);
	set(CONTROL, 2, 1);
}

static void ask(unsigned int name, bool last)
{
	const struct dma_page_request rq = { .iova = (w.nr_shown + 1) * 0x1000,
		                             .perm = DMA_READ,
		                             .pasid = DMA_NO_PASID,
		                             .group = name,
		                             .last = last };

	if (w.asks[name] || w.nr_shown == HISTORY)
		return;
	w.asks[name] = last;
	if (mailbox_request(&w.m, &rq)) {
		w.shown[w.nr_shown] = rq;
		w.nr_shown += w.m.enabled;
	} else {
		w.asks[name] = false;
		refused++;
	}
}

static void ask_last(unsigned int name)
{
	ask(name, true);
}

static void ask_first(unsigned int name)
{
	ask(name, false);
}

/* By the phase alone. */
static void read_next(unsigned int n)
{
	const unsigned int i = w.nr_read & (w.m.entries - 1);
	const u64 phase = !(w.nr_read / w.m.entries % 2);
	const struct dma_page_request *rq = &w.shown[w.nr_read];
	u64 words[2];

	(void)n;
	memcpy(words, &w.ring[i * 16], sizeof(words));
	if (!w.m.enabled || words[1] >> 63 != phase || (!w.nr_read && !words[1]))
		return;
	cr_assert(lt(u32, w.nr_read, w.nr_shown), "an entry that was not written");
	cr_assert(eq(u64, words[0] & ~0xfffULL, rq->iova), "another entry is in its place");
	cr_assert(eq(u32, words[1] >> 21 & 511, rq->group));
	w.nr_read++;
	if (rq->last)
		w.has_read[rq->group] = true;
}

static void answer(unsigned int name)
{
	if (!w.has_read[name])
		return;
	w.has_read[name] = false;
	set(RESPONSE, 4, name << 21);
}

/* Whatever waits has waited for too long: it has its end, and its name is taken until the answer.
 */
static void time_passes(unsigned int n)
{
	bool ends[NAMES];
	u64 oldest;

	(void)n;
	memcpy(ends, w.asks, sizeof(ends));
	told += 2000000;
	cr_assert(not(w.m.patience.look(&w.m.patience, &oldest)));
	for (unsigned int i = 0; i < NAMES; i++) {
		cr_assert(not(w.asks[i]), "group %u has no end", i);
		w.late[i] |= ends[i];
	}
}

/* The driver begins anew. */
static void restart(unsigned int n)
{
	(void)n;
	set(CONTROL, 2, 0);
	for (unsigned int i = 0; i < NAMES; i++)
		cr_assert(not(w.asks[i]), "group %u has no end", i);
	memset(w.ring, 0, sizeof(w.ring));
	memset(w.has_read, 0, sizeof(w.has_read));
	memset(w.late, 0, sizeof(w.late));
	w.nr_shown = w.nr_read = 0;
	set(CONTROL, 2, 1);
}

static void agree(const char *step, unsigned int n)
{
	for (unsigned int i = 0; i < NAMES; i++)
		cr_assert(not(w.has_read[i] && !w.asks[i] && !w.late[i]),
		          "%s %u: group %u has an end", step, n, i);
}

/* What is left is read and answered: nothing was lost. */
static void finish(void)
{
	for (unsigned int i = 0; i < HISTORY; i++)
		read_next(0);
	cr_assert(eq(u32, w.nr_read, w.nr_shown), "an entry was lost");
	for (unsigned int i = 0; i < NAMES; i++)
		answer(i);
	for (unsigned int i = 0; i < NAMES; i++)
		cr_assert(not(w.asks[i] || w.late[i]), "group %u has no end", i);
	if (w.nr_shown && w.shown[w.nr_shown - 1].last)
		cr_assert(eq(u64, w.m.read, w.m.written), "its ring has no room again");
}

static const struct order_step steps[] = {
	{ "ask", ask_last, NAMES },  { "ask for more", ask_first, 1 }, { "read", read_next, 1 },
	{ "answer", answer, NAMES }, { "time", time_passes, 1 },       { "restart", restart, 1 },
};

/* As many of each size; MAILBOX_STEPS: longer ones. */
static void explore(unsigned int log2, unsigned int left)
{
	static struct world at[16];
	const struct orders o = { steps, ARRAY_SIZE(steps), 0, agree, finish };

	at[left] = w;
	finish();
	w = at[left];
	for (unsigned int i = 0; left && i < orders_choices(&o); i++) {
		orders_choose(&o, i);
		explore(log2, left - 1);
		w = at[left];
	}
}

Test(mailbox_model, every_order_of_a_few_steps, .timeout = 900)
{
	const char *said = getenv("MAILBOX_STEPS");
	const unsigned int length = said ? atoi(said) : 5;

	for (unsigned int log2 = 0; log2 <= 2; log2++) {
		begin(log2);
		explore(log2, length);
	}
	cr_assert(gt(u64, answers, 1000));
	cr_assert(gt(u64, refused, 100));
}

/* Longer ones, by chance. */
Test(mailbox_model, long_orders_of_chance, .timeout = 300)
{
	const struct orders o = { steps, ARRAY_SIZE(steps), 0, agree, finish };

	srand(11);
	for (unsigned int n = 0; n < 2000; n++) {
		begin(n % 4);
		for (unsigned int i = 0; i < 60; i++) {
			const unsigned int step = rand() % (orders_choices(&o) - 1);

			orders_choose(&o, rand() % 40 ? step : orders_choices(&o) - 1);
		}
		finish();
	}
}
