// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOMMU device beside a model of it that is nothing but arrays (viommu_model.h): random
 * requests, good, bad and torn, transfers in flight, resets; after each, statuses and what
 * endpoints reach. VIOMMU_REQUESTS=N requests, VIOMMU_SEED=N to see a failure again.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/transport.h"
#include "tests/unit/fake_viommu.h"
#include "tests/unit/held.h"
#include "tests/unit/viommu_stream.h"

#define NR_REQUESTS 100000
#define NR_HELD     3

static struct fake_viommu f;
static struct model model;
static u64 seed, step;
static u64 nr_by_status[10], nr_unwritten, nr_pending; /* that the streams reach everything */

/* Transfers, and requests that wait for them. */
static struct transfer {
	struct held held;
	bool active;
	struct model_transfer m;
} transfers[NR_HELD];

static struct pending {
	bool active;
	u64 waits_for;    /* BIT(transfer) */
} pendings[VIOMMU_SLOTS]; /* by slot */

#define expect(cond, ...)                                                                     \
	do {                                                                                  \
		if (!(cond)) {                                                                \
			fprintf(stderr,                                                       \
			        "VIOMMU_SEED=%llu, request %llu: ", (unsigned long long)seed, \
			        (unsigned long long)step);                                    \
			fprintf(stderr, __VA_ARGS__);                                         \
			fputc('\n', stderr);                                                  \
			cr_fatal("the device is not as its model");                           \
		}                                                                             \
	} while (0)

static unsigned int free_slot(void)
{
	unsigned int slot = 0;

	while (slot < VIOMMU_SLOTS && pendings[slot].active)
		slot++;
	return slot;
}

/* The answer is what the model says that it may be. */
static void check_answer(const struct model_request *rq, unsigned int slot, int used)
{
	const u8 *answer = fake_viommu_answer(slot);
	const struct model_answer *want = &rq->answer;
	u8 status;

	if (!want->used) {
		expect(!used, "type %u: %d bytes written", rq->body.head.type, used);
		nr_unwritten++;
	} else {
		expect((u32)used == want->used, "type %u: %d bytes used, not %u",
		       rq->body.head.type, used, want->used);
		expect(!memcmp(answer, want->properties, used - 4), "properties");
		status = answer[used - 4];
		expect(status < 9 && want->statuses & BIT(status),
		       "type %u: status %u not of %#llx", rq->body.head.type, status,
		       (unsigned long long)want->statuses);
		expect(!answer[used - 3] && !answer[used - 2] && !answer[used - 1], "reserved");
		nr_by_status[status]++;
	}
	for (u32 i = used; i < VIOMMU_SLOT_SIZE; i++)
		expect(answer[i] == VIOMMU_UNWRITTEN, "byte %u was written, of %d", i, used);
}

/* The model's transfers, as it knows them. */
static u64 active_transfers(const struct model_transfer *m[NR_HELD])
{
	u64 which = 0;

	for (unsigned int i = 0; i < NR_HELD; i++) {
		m[i] = transfers[i].active ? &transfers[i].m : NULL;
		which |= transfers[i].active ? BIT(i) : 0;
	}
	return which;
}

static void request(void)
{
	const struct model_transfer *m[NR_HELD];
	unsigned int slot = free_slot();
	struct model_request rq;
	int used;

	if (slot == VIOMMU_SLOTS)
		return;
	stream_request(&model, &rq);
	f.nr_pieces = stream_one_in(3) ? 1 + stream_below(8) : 1;
	fake_viommu_queue(&f, slot, &rq.body, rq.len, rq.room);
	fake_viommu_kick(&f);
	used = fake_viommu_used(&f, slot);
	active_transfers(m);
	model_run(&model, &rq, m, NR_HELD);
	if (rq.answer.waits_for) {
		expect(used < 0, "type %u: it came back before transfers ended", rq.body.head.type);
		pendings[slot] = (struct pending){ true, rq.answer.waits_for };
		nr_pending++;
		return;
	}
	expect(used >= 0, "type %u: it has not come back", rq.body.head.type);
	check_answer(&rq, slot, used);
}

/* An access of endpoint @i is as far possible as the model says, and to where it says. */
static void check_access(unsigned int i, u64 iova, u64 len, u32 perm)
{
	struct iovec iov[HELD_MAX];
	struct dma_sg sg = { .iov = iov, .max = HELD_MAX };
	struct dma_access a = {
		.iova = iova, .len = len, .perm = perm, .pasid = DMA_NO_PASID, .partial = true
	};
	enum dma_status status = dma_map(fake_viommu_dma(&f, i), &a, &sg, NULL);
	u64 at = iova;

	for (unsigned int n = 0; n < sg.nr; n++) {
		gpa_t gpa = VIOMMU_BASE + ((u8 *)iov[n].iov_base - fake_viommu_mem.host);

		const u64 len_n = iov[n].iov_len, offs[] = { 0, stream_below(len_n), len_n - 1 };

		for (size_t o = 0; o < ARRAY_SIZE(offs); o++)
			expect(model_reach(&model, i, at + offs[o], perm) == gpa + offs[o],
			       "endpoint %u reaches %#llx by %#llx", i,
			       (unsigned long long)(gpa + offs[o]),
			       (unsigned long long)(at + offs[o]));
		at += iov[n].iov_len;
	}
	expect(at - iova == a.done, "its pieces are what is done");
	if (status == DMA_OK && (a.done == len || sg.nr == sg.max))
		return;
	expect(status == DMA_FAULT && a.done < len, "it ends early");
	expect(at < iova || !model_reach(&model, i, at, perm), "endpoint %u does not reach %#llx",
	       i, (unsigned long long)at);
}

static void check_doorbell(unsigned int i, u64 iova)
{
	gpa_t gpa, want;
	bool ok = model_doorbell(&model, i, iova, &want);

	expect((dma_doorbell(fake_viommu_dma(&f, i), iova, &gpa) == DMA_OK) == ok,
	       "endpoint %u: a message to %#llx", i, (unsigned long long)iova);
	expect(!ok || gpa == want, "endpoint %u: where a message arrives", i);
}

static void look(unsigned int times)
{
	static const u32 perms[] = { DMA_READ, DMA_WRITE, DMA_READ | DMA_WRITE };

	for (unsigned int n = 0; n < times; n++)
		for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++) {
			u64 iova = model_interesting(&model, i, stream_next());

			if (stream_one_in(4))
				iova = stream_address(&model);
			check_access(i, iova, 1 + stream_below(3 * 0x1000), perms[stream_below(3)]);
			if (stream_one_in(8))
				check_doorbell(i, iova);
		}
}

/* One byte: the device allows it as the model does, and to the same place. */
static void check_byte(unsigned int i, u64 iova, u32 perm)
{
	const gpa_t want = model_reach(&model, i, iova, perm);
	const gpa_t got = fake_viommu_reach(&f, i, iova, perm);

	expect(got == want, "endpoint %u reaches %#llx by %#llx, not %#llx", i,
	       (unsigned long long)got, (unsigned long long)iova, (unsigned long long)want);
}

static unsigned int member_of(u32 domain)
{
	unsigned int i = 0;

	while (!model.endpoints[i].attached || model.endpoints[i].domain != domain)
		i++;
	return i;
}

/* Each mapping there is, at its ends and beside them; and the device has no others. */
static void look_at_mappings(void)
{
	static const u32 perms[] = { DMA_READ, DMA_WRITE };

	for (unsigned int n = 0; n < MODEL_MAPPINGS; n++) {
		const struct model_mapping *p = &model.mappings[n];
		const u32 perm = perms[step % 2];
		unsigned int i;

		if (!p->there)
			continue;
		i = member_of(p->domain);
		check_byte(i, p->first - 1, perm);
		check_byte(i, p->first, perm);
		check_byte(i, p->last, perm);
		check_byte(i, p->last + 1, perm);
	}
	expect(fake_viommu_counts(&f).mappings == model_nr_mappings(&model), "mappings");
}

/* A transfer begins, where it can, or one ends and with it what waited for no other. */
static void transfer(void)
{
	const unsigned int i = stream_below(NR_HELD), e = stream_below(VIOMMU_ENDPOINTS);
	struct transfer *t = &transfers[i];
	const u64 iova = model_interesting(&model, e, stream_next()),
		  len = 1 + stream_below(0x2000);

	if (!t->active) {
		t->active = hold(&t->held, fake_viommu_dma(&f, e), iova, len, DMA_READ) == DMA_OK;
		if (t->active)
			model_begin(&model, &t->m, e, iova, len);
		return;
	}
	let_go(&t->held);
	t->active = false;
	for (unsigned int slot = 0; slot < VIOMMU_SLOTS; slot++) {
		struct pending *p = &pendings[slot];
		const int used = fake_viommu_used(&f, slot);

		if (!p->active)
			continue;
		p->waits_for &= ~BIT(i);
		expect((used < 0) == (p->waits_for != 0), "slot %u: %d used, waits for %#llx", slot,
		       used, (unsigned long long)p->waits_for);
		if (used >= 0)
			expect(used == 4 && !*fake_viommu_answer(slot), "its status");
		p->active = p->waits_for;
	}
}

static void end_transfers(void)
{
	for (unsigned int i = 0; i < NR_HELD; i++) {
		if (transfers[i].active)
			let_go(&transfers[i].held);
		transfers[i].active = false;
	}
	memset(pendings, 0, sizeof(pendings));
}

static void reset(void)
{
	const u64 without = stream_features();

	virtio_set_status(f.dev, 0);
	end_transfers();
	expect(!f.dev->status, "the reset has not ended");
	fake_viommu_reset(&f, without);
	model_reset(&model, without);
}

static void write_bypass(void)
{
	const u8 val = stream_one_in(4) ? stream_next() : stream_below(2);

	virtio_config_write(f.dev, offsetof(struct virtio_iommu_config, bypass), 1, val);
	model_write_bypass(&model, val);
	expect(virtio_config_read(f.dev, offsetof(struct virtio_iommu_config, bypass), 1) ==
	               model.bypass,
	       "bypass");
}

/* One device's life. */
static void live(u64 requests)
{
	const struct viommu_config c = stream_config();
	const u64 without = stream_features();

	fake_viommu_make(&f, &c, without);
	model_init(&model, &c, without);
	for (u64 n = 0; n < requests; n++, step++) {
		request();
		if (stream_one_in(2))
			transfer();
		if (stream_one_in(30))
			write_bypass();
		if (stream_one_in(500))
			reset();
		look(4);
		look_at_mappings();
	}
	end_transfers();
	fake_viommu_unmake(&f);
}

static u64 from_environment(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

Test(viommu_model, random_requests_are_as_the_specification_has_them)
{
	const u64 total = from_environment("VIOMMU_REQUESTS", NR_REQUESTS);

	seed = from_environment("VIOMMU_SEED", 1);
	stream_seed(seed);
	while (step < total)
		live(total - step < 2000 ? total - step : 2000);
	printf("viommu_model: seed %llu, %llu requests: %llu OK, %llu INVAL, %llu RANGE, %llu NOENT, "
	       "%llu NOMEM, %llu unwritten, %llu later\n",
	       (unsigned long long)seed, (unsigned long long)step,
	       (unsigned long long)nr_by_status[VIRTIO_IOMMU_S_OK],
	       (unsigned long long)nr_by_status[VIRTIO_IOMMU_S_INVAL],
	       (unsigned long long)nr_by_status[VIRTIO_IOMMU_S_RANGE],
	       (unsigned long long)nr_by_status[VIRTIO_IOMMU_S_NOENT],
	       (unsigned long long)nr_by_status[VIRTIO_IOMMU_S_NOMEM],
	       (unsigned long long)nr_unwritten, (unsigned long long)nr_pending);
	cr_assert(ge(u64, nr_by_status[VIRTIO_IOMMU_S_OK], total / 10),
	          "the streams say something");
	cr_assert(ge(u64, nr_pending, total / 1000));
	cr_assert(ge(u64, nr_unwritten, total / 1000));
}
