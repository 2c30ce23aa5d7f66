// SPDX-License-Identifier: GPL-2.0-only
/* Page faults for who controls the guest: what the bridges have counted, what waits, faults
 * raised by hand, and --strict-io, which ends a guest for what it left unanswered. */
#include "machine/fault_control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/dma_test.h"
#include "devices/pci/pci.h"
#include "devices/smmuv3/smmuv3.h"
#include "machine/iommu.h"
#include "machine/iommu_kind.h"
#include "machine/machine.h"
#include "machine/session.h"
#include "machine/status.h"

#define PASID_BITS 20
#define MOST       100000 /* in one go */
#define PAGE       4096   /* from one to the next */
#define PATIENCE   10000  /* ms that a guest has for one that was raised by hand */

json_t *fault_times_stat(const struct fault_times *t)
{
	json_t *list = json_array();
	unsigned int nr = FAULT_BUCKETS;

	while (nr && !t->answers[nr - 1])
		nr--;
	for (unsigned int i = 0; i < nr; i++)
		json_array_append_new(list, json_integer(t->answers[i]));
	return list;
}

static json_t *bridge_stat(const struct fault_bridge *b)
{
	const struct fault_stats *s = &b->stats;
	json_t *ended = json_object();

	for (unsigned int i = 0; i < FAULT_OUTCOMES; i++)
		json_object_set_new(ended, fault_outcome_word(i), json_integer(s->ended[i]));
	return json_pack("{s:s, s:s, s:I, s:I, s:i, s:o, s:I, s:o}", "kind", "faults", "device",
	                 b->name, "received", (json_int_t)s->received, "shown",
	                 (json_int_t)s->shown, "outstanding", (int)s->outstanding, "ended", ended,
	                 "longest", (json_int_t)s->times.longest, "answers",
	                 fault_times_stat(&s->times));
}

void faults_stat(const struct machine *m, json_t *list)
{
	for (const struct fault_bridge *b = m->faults.bridges; b; b = b->next)
		json_array_append_new(list, bridge_stat(b));
}

static void add_waiting(void *list, const struct fault_request *rq, u64 ns)
{
	json_t *o = json_object();
	char hex[24];

	snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)rq->addr);
	json_object_set_new(o, "address", json_string(hex));
	if (rq->pasid != DMA_NO_PASID)
		json_object_set_new(o, "pasid", json_integer(rq->pasid));
	json_object_set_new(o, "perm", json_integer(rq->perm));
	json_object_set_new(o, "ns", json_integer(ns));
	json_array_append_new(list, o);
}

void faults_debug(const struct machine *m, json_t *list)
{
	for (const struct fault_bridge *b = m->faults.bridges; b; b = b->next) {
		json_t *waiting = json_array();

		fault_bridge_each(b, add_waiting, waiting);
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "kind", "faults", "device",
		                                      b->name, "waiting", waiting));
	}
}

/* Faults that somebody raises, one after the other. */
struct by_hand {
	struct fault_source source;
	struct fault_bridge bridge;
	char name[40];
	struct fault_request request;
	struct control_answer *answer; /* NULL: none is under way */
	struct machine *machine;
	unsigned int left, nr;
	bool raising, told; /* it has been answered already */
	u64 since, outcomes[FAULT_OUTCOMES];
	u64 *times; /* of those that have ended; ns */
};

static int by_time(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static json_t *summary(struct by_hand *h)
{
	json_t *ended = json_object();

	qsort(h->times, h->nr, sizeof(h->times[0]), by_time);
	for (unsigned int i = 0; i < FAULT_OUTCOMES; i++)
		if (h->outcomes[i])
			json_object_set_new(ended, fault_outcome_word(i),
			                    json_integer(h->outcomes[i]));
	return json_pack("{s:i, s:i, s:o, s:{s:I, s:I, s:I}}", "schema", 1, "count", (int)h->nr,
	                 "ended", ended, "ns", "p50", (json_int_t)h->times[h->nr / 2], "p99",
	                 (json_int_t)h->times[h->nr * 99 / 100], "longest",
	                 (json_int_t)h->times[h->nr - 1]);
}

static void finish(struct by_hand *h)
{
	struct control_answer *a = h->answer;

	h->answer = NULL;
	a->done(a, summary(h));
	free(h->times);
	h->times = NULL;
}

/* One that is answered at once is no reason to go deeper. */
static void go_on(struct by_hand *h)
{
	if (h->raising)
		return;
	h->raising = true;
	do {
		h->told = false;
		h->left--;
		h->since = h->machine->faults.clock();
		fault_bridge_raise(&h->bridge, &h->source, &h->request);
	} while (h->told && h->left);
	h->raising = false;
	if (h->told)
		finish(h);
}

static bool answered(struct fault_source *source, u64 cookie, enum fault_outcome o)
{
	struct by_hand *h = container_of(source, struct by_hand, source);

	(void)cookie;
	h->times[h->nr++] = h->machine->faults.clock() - h->since;
	h->outcomes[o]++;
	h->told = true;
	h->request.addr += PAGE;
	if (o == FAULT_ENDED_BY || o == FAULT_TIMED_OUT)
		h->left = 0;
	if (h->raising)
		return true;
	if (h->left)
		go_on(h);
	else
		finish(h);
	return true;
}

static void unmake(void *ctx)
{
	struct by_hand *h = ctx;

	fault_bridge_remove(&h->bridge);
	free(h->times);
	free(h);
}

static struct by_hand *by_hand(struct machine *m, struct endpoint *e, const char *device)
{
	const struct iommu_kind *kind = m->options->iommus[e->iommu].kind;
	struct by_hand *h = e->by_hand;

	if (h)
		return h;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->machine = m;
	h->source.answer = answered;
	snprintf(h->name, sizeof(h->name), "%.16s by hand", device);
	h->bridge = (struct fault_bridge){ .name = h->name,
		                           .space = kind->endpoint_dma(e->behind),
		                           .timeout = PATIENCE };
	fault_bridge_add(&h->bridge, &m->faults);
	machine_own(m, unmake, h);
	e->by_hand = h;
	return h;
}

/* [SEGMENT:]BUS:DEVICE.FUNCTION, as the guest has it now. */
static struct endpoint *find(struct machine *m, const char *device)
{
	unsigned int segment = 0, bus, dev, fn;
	char end;

	if (sscanf(device, "%x:%x:%x.%x%c", &segment, &bus, &dev, &fn, &end) != 4) {
		segment = 0;
		if (sscanf(device, "%x:%x.%x%c", &bus, &dev, &fn, &end) != 3)
			return NULL;
	}
	for (unsigned int i = 0; i < m->nr_endpoints; i++) {
		struct endpoint *e = &m->endpoints[i];

		if (e->func && m->platform.pci[e->segment].segment == segment &&
		    pci_rid(e->func) == (bus << 8 | dev << 3 | fn))
			return e;
	}
	return NULL;
}

static bool take_perm(const char *text, u32 *perm)
{
	static const char letters[] = "rwx";

	*perm = 0;
	for (; *text; text++) {
		const char *at = strchr(letters, *text);

		if (!at)
			return false;
		*perm |= 1u << (at - letters); /* DMA_READ, DMA_WRITE, DMA_EXEC */
	}
	return *perm;
}

const char *faults_raise(struct machine *m, const struct control_fault *f,
                         struct control_answer *answer)
{
	struct endpoint *e = find(m, f->device);
	struct fault_request rq = { .addr = f->addr, .pasid = f->pasid };
	struct by_hand *h;

	if (!e)
		return "a function behind an IOMMU of this guest, as in 0000:00:01.0, as device";
	if (!take_perm(f->perm, &rq.perm))
		return "letters of rwx as perm";
	if (rq.pasid != DMA_NO_PASID && rq.pasid >> PASID_BITS)
		return "20 bits as pasid";
	if (!f->count || f->count > MOST)
		return "1 to 100000 as count";
	h = by_hand(m, e, f->device);
	if (!h)
		return "memory, and there is none";
	if (h->answer)
		return "a function at which nobody raises faults by hand already";
	h->times = malloc(f->count * sizeof(h->times[0]));
	if (!h->times)
		return "memory, and there is none";
	memset(h->outcomes, 0, sizeof(h->outcomes));
	h->answer = answer;
	h->request = rq;
	h->left = f->count;
	h->nr = 0;
	go_on(h);
	return NULL;
}

/* Records that an SMMU had no room for; and that the host's lost, which are that one's as well. */
u64 faults_lost(const struct machine *m)
{
	struct smmu_counts c;
	u64 nr = 0;

	for (unsigned int i = 0; i < m->options->nr_iommus; i++) {
		if (m->options->iommus[i].kind != &iommu_smmuv3)
			continue;
		smmu_count(m->iommus[i], &c);
		nr += c.lost;
	}
	return nr;
}

/* Page requests of DMA endpoints' mailboxes; what had no room there was not sent. */
static u64 unanswered_pages(const struct machine *m)
{
	struct mailbox_counts c;
	u64 nr = 0;

	for (unsigned int i = 0; i < m->options->nr_dma_tests; i++) {
		if (!m->dma_tests[i])
			continue;
		dma_test_count(m->dma_tests[i], &c);
		nr += c.pages.timed_out + c.waiting;
	}
	return nr;
}

int faults_strict(const struct machine *m, int status)
{
	u64 lost = faults_lost(m) + m->faults.ended[FAULT_NO_ROOM];
	u64 unanswered = unanswered_pages(m) + m->faults.ended[FAULT_TIMED_OUT];

	for (const struct fault_bridge *b = m->faults.bridges; b; b = b->next)
		unanswered += b->stats.outstanding;
	if (lost || unanswered) {
		log_error("--strict-io: %llu page faults and events were lost, %llu had no answer",
		          (unsigned long long)lost, (unsigned long long)unanswered);
		m->session->io_lost = true;
	}
	return !status && m->session->io_lost ? STATUS_IO_LOST : status;
}
