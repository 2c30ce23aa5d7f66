// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fault bridge on this machine: ns for a fault from where it is raised to its answer, by the
 * route of stalls and by that of page requests, of 1, 8 and 64 devices with 16 outstanding each;
 * and bytes of one that waits. Whoever is at either end does nothing. RUNS=5 repetitions; a line a
 * figure: name, median, unit.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/native/figures.h"
#include "fault/bridge_private.h"
#include "fault/mailbox.h"
#include "vmm/pause.h"

#define DEVICES     64
#define OUTSTANDING 16
#define PAGE        4096ULL

/* One that faults, and what its guest was asked. */
struct device {
	struct fault_bridge bridge;
	struct dma_space space;
	struct fault_asker asker;
	struct dma_token *waiting[OUTSTANDING];
	struct dma_page_request asked[OUTSTANDING];
	unsigned int nr;
	bool brought;
};

static struct device devices[DEVICES];
static u64 answers;

void loop_timeout(struct loop *l, struct loop_op *op, struct __kernel_timespec *ts)
{
	(void)l, (void)op, (void)ts;
}

bool vcpus_are_held(struct vm *vm)
{
	(void)vm;
	return false;
}

unsigned int vcpus_nr_holds(struct vm *vm)
{
	(void)vm;
	return 0;
}

static enum dma_status map(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                           struct dma_token *token)
{
	struct device *d = container_of(s, struct device, space);
	static u8 byte;

	if (d->brought) {
		sg->iov[sg->nr++] = (struct iovec){ &byte, a->len };
		return DMA_OK;
	}
	a->reason = DMA_NOT_MAPPED;
	if (!token)
		return DMA_FAULT;
	d->waiting[d->nr++] = token;
	return DMA_PENDING;
}

static const struct dma_ops ops = { .map = map };

static enum fault_asked ask(struct fault_asker *a, const struct dma_page_request *rq)
{
	struct device *d = container_of(a, struct device, asker);

	d->asked[d->nr++] = *rq;
	return FAULT_ASKED;
}

static bool has(const struct fault_asker *a, u32 pasid, u16 group)
{
	(void)a, (void)pasid, (void)group;
	return false;
}

static bool take_answer(struct fault_source *s, u64 cookie, enum fault_outcome o)
{
	(void)s, (void)cookie;
	answers += o == FAULT_RETRIED;
	return true;
}

static void raise(struct device *d)
{
	static struct fault_source source = { .answer = take_answer };

	d->brought = false;
	d->nr = 0;
	for (u64 i = 0; i < OUTSTANDING; i++)
		fault_bridge_raise(
			&d->bridge, &source,
			&(struct fault_request){
				.addr = i * PAGE, .perm = DMA_WRITE, .pasid = 1, .cookie = i });
}

static void bring(struct device *d)
{
	d->brought = true;
	for (unsigned int i = 0; i < OUTSTANDING; i++)
		if (d->bridge.asker)
			fault_bridge_answered(&d->bridge,
			                      &(struct dma_page_response){
						      .pasid = 1, .group = d->asked[i].group });
		else
			d->waiting[i]->resume(d->waiting[i]);
}

static double each(unsigned int nr, bool pages)
{
	const unsigned int rounds = 100000 / nr;
	static struct log log;
	static struct fault_hub hub; /* of the last ones: they stay */
	double ns;

	fault_hub_init(&hub, NULL, &log);
	for (unsigned int i = 0; i < nr; i++) {
		devices[i] =
			(struct device){ .space.ops = &ops, .asker = { .ask = ask, .has = has } };
		devices[i].bridge =
			(struct fault_bridge){ .space = &devices[i].space,
			                       .asker = pages ? &devices[i].asker : NULL };
		fault_bridge_add(&devices[i].bridge, &hub);
	}
	answers = 0;
	ns = now();
	for (unsigned int round = 0; round < rounds; round++) {
		for (unsigned int i = 0; i < nr; i++)
			raise(&devices[i]);
		for (unsigned int i = 0; i < nr; i++)
			bring(&devices[i]);
	}
	ns = now() - ns;
	if (answers != (u64)rounds * nr * OUTSTANDING)
		abort();
	return ns / answers;
}

static double bytes(void)
{
	const size_t before = mallinfo2().uordblks;
	double grown;

	raise(&devices[0]);
	grown = mallinfo2().uordblks - before;
	bring(&devices[0]);
	return grown / OUTSTANDING;
}

static void take(const char *name, unsigned int nr, bool pages)
{
	double results[MAX_RUNS];
	const unsigned int runs = repetitions();

	for (unsigned int run = 0; run < runs; run++)
		results[run] = each(nr, pages);
	printf("fault-%s-%u %.0f ns\n", name, nr, median(results, runs));
}

int main(void)
{
	static const unsigned int numbers[] = { 1, 8, 64 };

	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
		take("stall", numbers[i], false);
		take("pages", numbers[i], true);
	}
	printf("fault-outstanding %.0f bytes\n", bytes());
	printf("fault-mailbox-name %zu bytes\n", sizeof(struct mailbox_group));
	return 0;
}
