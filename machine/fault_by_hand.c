// SPDX-License-Identifier: GPL-2.0-only
/* Page faults that somebody raises at a function, as if its own: one after the other, or so many a
 * second; or one group of page requests. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/pci/pci.h"
#include "machine/fault_control.h"
#include "machine/iommu.h"
#include "machine/iommu_kind.h"
#include "machine/machine.h"
#include "vmm/pause.h"

#define PASID_BITS  20
#define MOST        100000 /* in one go, and in a second */
#define PAGE        4096   /* from one to the next */
#define PATIENCE    10000  /* ms that a guest has for one that was raised by hand */
#define MAX_GROUP   511    /* 9 bits */
#define FIRST_GROUP 256    /* of names that are chosen here: guests begin at 0 */
#define A_TURN      32     /* so many at once */
#define SLICE       50     /* ms */
#define LONGEST     3600   /* s that all may take, by their rate */
#define MS          1000000ULL
#define SECOND      1000000000ULL

/* What became of a group. */
enum group_end { NOBODY, SUCCESS, INVALID, FAILURE, TIMED_OUT, FORGOTTEN, NO_ROOM, REFUSED };
static const char *const group_words[] = {
	[SUCCESS] = "success",     [INVALID] = "invalid", [FAILURE] = "failure",
	[TIMED_OUT] = "timed-out", [FORGOTTEN] = "ended", [NO_ROOM] = "no-room",
	[REFUSED] = "refused",
};

struct hand_timer {
	struct loop_op op;
	struct __kernel_timespec time;
	bool runs;
};

struct by_hand {
	struct fault_source source;
	struct fault_bridge bridge;
	char name[40];
	struct machine *machine;
	struct control_answer *answer; /* NULL: nothing is under way */
	struct control_fault what;
	u32 perm;
	unsigned int raised, nr; /* of what.count; and those that have ended */
	bool raising, over;      /* over: no more are raised */
	u64 begun, outcomes[FAULT_OUTCOMES];
	u64 *since, *times; /* ns: when each was raised; how long those took that have ended */
	struct fault_asker *asker;
	struct fault_taker taker; /* of a group */
	enum group_end group;
	bool waits;                   /* the group does */
	u64 limit;                    /* ns: until then */
	unsigned int holds;           /* vcpus_nr_holds(), as the limit was set */
	struct hand_timer next, late; /* the next one is due; the group is */
};

static int by_time(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static json_t *ends_of(const struct by_hand *h)
{
	json_t *ended = json_object();

	for (unsigned int i = 0; i < FAULT_OUTCOMES; i++)
		if (h->outcomes[i])
			json_object_set_new(ended, fault_outcome_word(i),
			                    json_integer(h->outcomes[i]));
	if (h->group)
		json_object_set_new(ended, group_words[h->group], json_integer(1));
	return ended;
}

static json_t *summary(struct by_hand *h)
{
	const unsigned int nr = h->nr;
	json_t *all;

	qsort(h->times, nr, sizeof(h->times[0]), by_time);
	all = json_pack("{s:i, s:i, s:o, s:{s:I, s:I, s:I}}", "schema", 1, "count", (int)nr,
	                "ended", ends_of(h), "ns", "p50", (json_int_t)(nr ? h->times[nr / 2] : 0),
	                "p99", (json_int_t)(nr ? h->times[nr * 99 / 100] : 0), "longest",
	                (json_int_t)(nr ? h->times[nr - 1] : 0));
	if (h->what.grouped)
		json_object_set_new(all, "requests", json_integer(h->raised));
	return all;
}

static u64 now(const struct by_hand *h)
{
	return h->machine->faults.clock();
}

/* Who waited may begin the next ones at once: so that is last. */
static void finish(struct by_hand *h)
{
	struct control_answer *a = h->answer;
	json_t *all = summary(h);

	free(h->since);
	free(h->times);
	h->since = h->times = NULL;
	h->answer = NULL;
	a->done(a, all);
}

/* One that runs is for no later than this. */
static void wait_until(struct by_hand *h, struct hand_timer *timer, u64 at)
{
	const u64 t = now(h), ns = at > t ? at - t : 1;

	if (timer->runs)
		return;
	timer->runs = true;
	timer->time = (struct __kernel_timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
	loop_timeout(h->machine->vm.loop, &timer->op, &timer->time);
}

static u64 due_at(const struct by_hand *h)
{
	return h->begun + h->raised * SECOND / h->what.rate;
}

/* Without a rate it is when the one before has ended. */
static bool is_due(const struct by_hand *h)
{
	if (h->over || h->raised == h->what.count)
		return false;
	return h->what.rate ? due_at(h) <= now(h) : h->raised == h->nr;
}

static void raise_one(struct by_hand *h)
{
	const struct fault_request rq = {
		.addr = h->what.addr + (u64)h->raised * PAGE,
		.perm = h->perm,
		.pasid = h->what.pasid,
		.cookie = h->raised,
	};

	h->since[h->raised++] = now(h);
	fault_bridge_raise(&h->bridge, &h->source, &rq);
}

/* When to look again: a rate's next is looked for in short slices, since a timer that runs is not
 * cut short; and vCPUs have the lock between two turns, however many are due. */
static void go_on_later(struct by_hand *h)
{
	const u64 slice = now(h) + SLICE * MS;

	if (is_due(h))
		wait_until(h, &h->next, now(h));
	else if (h->what.rate)
		wait_until(h, &h->next, due_at(h) < slice ? due_at(h) : slice);
}

/* One that is answered at once is no reason to go deeper, nor to stay where the asker is. */
static void go_on(struct by_hand *h)
{
	const bool asks = h->asker && h->asker->held;

	if (h->raising)
		return;
	h->raising = true;
	for (unsigned int i = 0; i < A_TURN && !asks && is_due(h); i++)
		raise_one(h);
	h->raising = false;
	if (!h->over && h->raised < h->what.count)
		go_on_later(h);
	else if (h->nr == h->raised)
		finish(h);
}

static bool answered(struct fault_source *source, u64 cookie, enum fault_outcome o)
{
	struct by_hand *h = container_of(source, struct by_hand, source);

	h->times[h->nr++] = now(h) - h->since[cookie];
	h->outcomes[o]++;
	if (o == FAULT_ENDED_BY || o == FAULT_TIMED_OUT)
		h->over = true;
	go_on(h);
	return true;
}

/* Of a request before the last, too, which can be denied. */
static void group_ends(struct by_hand *h, enum group_end end)
{
	h->waits = false;
	h->group = end;
	h->times[h->nr++] = now(h) - h->begun;
	if (!h->raising)
		finish(h);
}

static bool group_answered(struct fault_taker *t, const struct dma_page_response *r)
{
	static const enum group_end ends[] = {
		[DMA_PAGE_SUCCESS] = SUCCESS,
		[DMA_PAGE_INVALID] = INVALID,
		[DMA_PAGE_FAILURE] = FAILURE,
	};
	struct by_hand *h = container_of(t, struct by_hand, taker);

	if (!h->waits || r->group != h->what.group || r->pasid != h->what.pasid)
		return false;
	group_ends(h, ends[r->code]);
	return true;
}

static void no_matter(struct fault_taker *t)
{
	(void)t;
}

static void group_forgotten(struct fault_taker *t)
{
	struct by_hand *h = container_of(t, struct by_hand, taker);

	if (h->waits)
		group_ends(h, FORGOTTEN);
}

/* False: no more of the group are to be sent. */
static bool ask_next(struct by_hand *h)
{
	const struct dma_page_request rq = {
		.iova = ALIGN_DOWN(h->what.addr, PAGE) + (u64)h->raised * PAGE,
		.perm = h->perm,
		.pasid = h->what.pasid,
		.group = h->what.group,
		.last = h->what.last && h->raised + 1 == h->what.count,
	};
	const enum fault_asked asked = h->asker->ask(h->asker, &rq);

	h->raised += asked == FAULT_ASKED;
	if (asked != FAULT_ASKED)
		group_ends(h, asked == FAULT_TAKES_NONE ? REFUSED : NO_ROOM);
	return h->waits && h->raised < h->what.count;
}

/* How often the guest was paused so far; as it is, it may still be. */
static unsigned int holds(const struct by_hand *h)
{
	struct vm *vm = h->machine->faults.vm;

	return vm ? vcpus_nr_holds(vm) : 0;
}

static void begin_wait(struct by_hand *h)
{
	h->limit = now(h) + PATIENCE * MS;
	h->holds = holds(h);
}

/* With its last request the group waits, and its answer may come at once; without, nothing does. */
static void ask_for_group(struct by_hand *h)
{
	h->waits = h->raising = true;
	while (ask_next(h))
		;
	h->raising = false;
	h->waits = h->waits && h->what.last;
	begin_wait(h);
	if (h->waits)
		wait_until(h, &h->late, h->limit);
	else
		finish(h);
}

/* The timer may have run for one that has ended; and a guest that is, or was, paused
 * could not answer. */
static void look_at_group(struct by_hand *h)
{
	if (h->holds != holds(h) || vcpus_are_held(&h->machine->vm))
		begin_wait(h);
	if (now(h) < h->limit) {
		wait_until(h, &h->late, h->limit);
		return;
	}
	h->waits = false;
	h->asker->give_up(h->asker, h->what.pasid, h->what.group);
	fault_count_timed_out(&h->bridge);
	group_ends(h, TIMED_OUT);
}

static void late(struct loop_op *op, int res)
{
	struct by_hand *h = container_of(op, struct by_hand, late.op);

	h->late.runs = false;
	if (res != -ECANCELED && h->waits)
		look_at_group(h);
}

static void next(struct loop_op *op, int res)
{
	struct by_hand *h = container_of(op, struct by_hand, next.op);

	h->next.runs = false;
	if (res != -ECANCELED && h->answer && !h->what.grouped)
		go_on(h);
}

/* The machine goes. */
static void unmake(void *ctx)
{
	struct by_hand *h = ctx;

	h->over = true;
	fault_bridge_remove(&h->bridge);
	if (h->asker)
		fault_asker_remove(h->asker, &h->taker);
	if (h->waits)
		group_ends(h, FORGOTTEN);
	else if (h->answer)
		finish(h);
	free(h);
}

/* A function that asks for pages does so here, too. */
static struct by_hand *make(struct machine *m, struct endpoint *e, const char *device)
{
	const struct iommu_kind *kind = m->options->iommus[e->iommu].kind;
	struct by_hand *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->machine = m;
	h->source.answer = answered;
	h->next.op = (struct loop_op){ .done = next, .endless = true };
	h->late.op = (struct loop_op){ .done = late, .endless = true };
	h->asker = e->func->ats.asker;
	h->taker = (struct fault_taker){ group_answered, no_matter, group_forgotten, NULL };
	if (h->asker)
		fault_asker_add(h->asker, &h->taker);
	snprintf(h->name, sizeof(h->name), "%.16s by hand", device);
	h->bridge = (struct fault_bridge){ .name = h->name,
		                           .space = kind->endpoint_dma(e->behind),
		                           .asker = h->asker,
		                           .next_group = FIRST_GROUP,
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

/* NULL, or what was expected of a group. */
static const char *refuse_group(const struct endpoint *e, const struct control_fault *f)
{
	if (!f->grouped)
		return f->last ? "a group beside last" : NULL;
	if (f->group > MAX_GROUP)
		return "0 to 511 as group";
	if (f->rate)
		return "no rate beside group";
	return e->func->ats.asker ? NULL : "a function that asks for pages as device, beside group";
}

static const char *refuse(const struct endpoint *e, const struct control_fault *f, u32 *perm)
{
	if (!e)
		return "a function behind an IOMMU of this guest, as in 0000:00:01.0, as device";
	if (!take_perm(f->perm, perm))
		return "letters of rwx as perm";
	if (f->pasid != DMA_NO_PASID && f->pasid >> PASID_BITS)
		return "20 bits as pasid";
	if (!f->count || f->count > MOST)
		return "1 to 100000 as count";
	if (f->rate > MOST)
		return "at most 100000 as rate";
	if (f->rate && f->count / f->rate > LONGEST)
		return "no more than an hour of count at that rate";
	return refuse_group(e, f);
}

static void start(struct by_hand *h, const struct control_fault *f, struct control_answer *answer)
{
	memset(h->outcomes, 0, sizeof(h->outcomes));
	h->what = *f;
	h->group = NOBODY;
	h->raised = h->nr = 0;
	h->over = false;
	h->answer = answer;
	h->begun = now(h);
	if (f->grouped)
		ask_for_group(h);
	else
		go_on(h);
}

const char *faults_raise(struct machine *m, const struct control_fault *f,
                         struct control_answer *answer)
{
	struct endpoint *e = find(m, f->device);
	u32 perm = 0;
	const char *expected = refuse(e, f, &perm);
	struct by_hand *h;

	if (expected)
		return expected;
	h = e->by_hand ? e->by_hand : make(m, e, f->device);
	if (!h)
		return "memory, and there is none";
	if (h->answer)
		return "a function at which nobody raises faults by hand already";
	h->since = malloc(f->count * sizeof(h->since[0]));
	h->times = malloc(f->count * sizeof(h->times[0]));
	if (!h->since || !h->times) {
		free(h->since);
		free(h->times);
		h->since = h->times = NULL;
		return "memory, and there is none";
	}
	h->perm = perm;
	start(h, f, answer);
	return NULL;
}
