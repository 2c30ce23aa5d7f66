// SPDX-License-Identifier: GPL-2.0-only
/*
 * queue COUNT SEED: so many faults of a function with many PASIDs through the fault queue of this
 * host's kernel (its mock device), the bridge, and a guest that answers by chance: each has one
 * answer, and the kernel takes it. Ends with the time that they took: by a loop that does nothing
 * but raise, read and answer one after the other, and by the bridge.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/iommufd.h>

#include "vfio/context.h"
#include "vfio/mock.h"
#include "vmm/clock.h"
#include "vmm/vm.h"

#define DEVICES 32 /* things that the function does at once */
#define PAGE    4096ULL

struct guest;
/* One access after the other. */
struct access {
	struct dma_token token;
	struct guest *guest;
	u64 iova;
	u32 pasid;
	bool goes_on; /* the guest has brought it */
	bool waits, refused;
};

/* Who is below: what stalls waits for an answer by chance. */
struct guest {
	struct dma_space space;
	struct dma_tokens waiting;
	unsigned int nr_waiting;
	struct vm vm;
	struct log log;
	struct fault_hub hub;
	struct mock *mock;
	struct access accesses[DEVICES];
	struct loop_op turn;
	struct __kernel_timespec soon;
	u64 state, left, nr, wrong;
};

static u32 below(struct guest *g, u32 limit)
{
	g->state ^= g->state >> 12;
	g->state ^= g->state << 25;
	g->state ^= g->state >> 27;
	return (g->state * 0x2545f4914f6cdd1dULL >> 32) % limit;
}

static enum dma_status map(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                           struct dma_token *token)
{
	struct guest *g = container_of(s, struct guest, space);
	const struct access *by = &g->accesses[a->iova / PAGE % DEVICES];
	static u8 byte;

	if (token && token->refused) {
		token->refused = false;
		return DMA_FAULT;
	}
	if (by->goes_on) {
		sg->iov[sg->nr++] = (struct iovec){ &byte, a->len };
		return DMA_OK;
	}
	if (!token)
		return DMA_FAULT;
	TAILQ_INSERT_TAIL(&g->waiting, token, next);
	token->iova = a->iova;
	g->nr_waiting++;
	return DMA_PENDING;
}

static void take_out(struct guest *g, struct dma_token *t)
{
	TAILQ_REMOVE(&g->waiting, t, next);
	g->nr_waiting--;
}

static void cancel(struct dma_space *s, struct dma_token *token)
{
	struct guest *g = container_of(s, struct guest, space);
	struct dma_token *t;

	TAILQ_FOREACH(t, &g->waiting, next)
	{
		if (t == token) {
			take_out(g, t);
			return;
		}
	}
}

static const struct dma_ops guest_ops = { .map = map, .cancel = cancel };

static void reach(struct access *a)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access access = dma_access_to(a->iova, 8, DMA_WRITE);
	enum dma_status status;

	access.pasid = a->pasid;
	status = dma_map(mock_space(a->guest->mock), &access, &sg, &a->token);
	if (status == DMA_PENDING) {
		a->waits = true;
		return;
	}
	a->guest->wrong += (status == DMA_OK) == a->refused;
	a->waits = false;
}

static void resume(struct dma_token *token)
{
	struct access *a = container_of(token, struct access, token);

	a->waits = false;
	reach(a);
}

/* Another, elsewhere, of another PASID. */
static void begin(struct guest *g, unsigned int i)
{
	struct access *a = &g->accesses[i];

	*a = (struct access){ .guest = g,
		              .token.resume = resume,
		              .iova = (below(g, 1 << 20) * DEVICES + i) * PAGE,
		              .pasid = below(g, 8) ? 1 + below(g, (1 << 20) - 1) : DMA_NO_PASID };
	g->left--;
	reach(a);
	g->wrong += !a->waits;
}

static void answer(struct guest *g)
{
	unsigned int nth = below(g, g->nr_waiting);
	struct dma_token *t = TAILQ_FIRST(&g->waiting);
	const bool retry = below(g, 4);
	struct access *a;

	while (nth--)
		t = TAILQ_NEXT(t, next);
	a = &g->accesses[t->iova / PAGE % DEVICES];
	take_out(g, t);
	a->goes_on = retry;
	a->refused = !retry;
	t->refused = !retry;
	t->resume(t);
}

/* Whatever does not wait begins anew; the guest answers some of what does. */
static void turn(struct loop_op *op, int res)
{
	struct guest *g = container_of(op, struct guest, turn);

	if (res == -ECANCELED)
		return;
	for (unsigned int i = 0; i < DEVICES && g->left; i++)
		if (!g->accesses[i].waits)
			begin(g, i);
	for (unsigned int n = below(g, DEVICES); n && g->nr_waiting; n--)
		answer(g);
	for (unsigned int i = 0; i < DEVICES && !g->left; i++)
		if (g->accesses[i].waits) {
			loop_timeout(g->vm.loop, &g->turn, &g->soon);
			return;
		}
	if (g->left)
		loop_timeout(g->vm.loop, &g->turn, &g->soon);
	else
		loop_stop(g->vm.loop);
}

/* ns of each, one after the other, by nothing but the calls. */
static int alone(u64 *each)
{
	struct log log = { .topics = 0 };
	struct vfio_context c = { .uapi = { .ops = &uapi_host, .log = &log, .iommufd = -1 } };
	struct uapi *u = &c.uapi;
	struct iommu_fault_alloc queue = { 0 };
	const u64 rounds = 2000;
	u64 since;
	int dev, err = vfio_context_open(&c);

	err = err ? err : u->ops->fault_queue_alloc(u, &queue);
	dev = err ? err : mock_wire->create(u, c.ioas, queue.out_fault_id);
	since = clock_now();
	for (u64 i = 0; i < rounds && dev >= 0; i++) {
		const struct fault_request rq = { .addr = i * PAGE, .perm = DMA_WRITE, .pasid = 1 };
		struct iommu_hwpt_page_response r = { .code = IOMMUFD_PAGE_RESP_SUCCESS };
		struct iommu_hwpt_pgfault f;

		if (mock_wire->raise(u, dev, &rq, 0) ||
		    u->ops->read_events(u, queue.out_fault_fd, &f, sizeof(f)) != sizeof(f))
			return -EPROTO;
		r.cookie = f.cookie;
		if (u->ops->write_answers(u, queue.out_fault_fd, &r, sizeof(r)) != sizeof(r))
			return -EPROTO;
	}
	*each = (clock_now() - since) / rounds;
	if (dev < 0)
		return dev;
	u->ops->close(u, queue.out_fault_fd);
	u->ops->close(u, u->iommufd);
	return 0;
}

static int make(struct guest *g)
{
	struct mock_config c = { .vm = &g->vm,
		                 .wire = mock_wire,
		                 .ops = &uapi_host,
		                 .name = "queue",
		                 .under = &g->space,
		                 .hub = &g->hub,
		                 .stalls = true };
	int err;

	pthread_mutex_init(&g->vm.lock, NULL);
	TAILQ_INIT(&g->waiting);
	g->space.ops = &guest_ops;
	g->vm.log = &g->log;
	g->turn = (struct loop_op){ .done = turn, .endless = true };
	err = loop_create(&g->vm.loop, &g->vm.lock);
	if (err)
		return err;
	fault_hub_init(&g->hub, g->vm.loop, &g->log);
	pthread_mutex_lock(&g->vm.lock);
	err = mock_create(&g->mock, &c);
	if (!err)
		loop_timeout(g->vm.loop, &g->turn, &g->soon);
	pthread_mutex_unlock(&g->vm.lock);
	return err;
}

int main(int argc, char **argv)
{
	static struct guest g;
	u64 each = 0, since;
	int err = argc == 3 ? alone(&each) : -EINVAL;

	g.nr = g.left = err ? 0 : strtoull(argv[1], NULL, 0);
	g.state = err ? 0 : strtoull(argv[2], NULL, 0) * 2 + 1;
	err = err ? err : make(&g);
	since = clock_now();
	err = err ? err : loop_run(g.vm.loop);
	if (err) {
		printf("queue: %s\n", strerror(-err));
		return 1;
	}
	since = clock_now() - since;
	loop_drain(g.vm.loop);
	printf("queue: %llu faults: retried %llu, aborted %llu, other %llu; wrong %llu\n",
	       (unsigned long long)g.nr, (unsigned long long)g.hub.ended[FAULT_RETRIED],
	       (unsigned long long)g.hub.ended[FAULT_ABORTED],
	       (unsigned long long)(g.nr - g.hub.ended[FAULT_RETRIED] - g.hub.ended[FAULT_ABORTED]),
	       (unsigned long long)g.wrong);
	printf("queue: ns each: alone %llu, by the bridge %llu\n", (unsigned long long)each,
	       (unsigned long long)(since / (g.nr ? g.nr : 1)));
	g.log.topics = BIT(TRACE_FAULT);
	mock_destroy(g.mock);
	loop_destroy(g.vm.loop);
	return g.wrong ? 1 : 0;
}
