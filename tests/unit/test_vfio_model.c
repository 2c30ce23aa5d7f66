// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's IOMMU has beside the model of the IOMMU device (viommu_model.h), for devices of
 * the host's and emulated ones in the same domains: random requests; after each, the address space
 * that each device is attached to is its domain's mappings of RAM, and nothing else.
 * VFIO_REQUESTS=N requests, VIOMMU_SEED=N to see a failure again.
 */
#include <errno.h>
#include <linux/iommufd.h>
#include <stdio.h>
#include <stdlib.h>

#include "devices/virtio/transport.h"
#include "tests/unit/fake_follower.h"
#include "tests/unit/viommu_stream.h"

#define NR_REQUESTS 40000
#define LIFE        1000 /* requests to one device */
#define V           (&fake_f.viommu)
#define U           (&fake_f.context.uapi)
#define END         (VIOMMU_BASE + VIOMMU_RAM)

static struct model model;
static u64 seed, step;
static u64 nr_mapped, nr_bypassing, nr_nothing, nr_failed; /* that the streams reach everything */

#define expect(cond, ...)                                                                     \
	do {                                                                                  \
		if (!(cond)) {                                                                \
			fprintf(stderr,                                                       \
			        "VIOMMU_SEED=%llu, request %llu: ", (unsigned long long)seed, \
			        (unsigned long long)step);                                    \
			fprintf(stderr, __VA_ARGS__);                                         \
			fputc('\n', stderr);                                                  \
			cr_fatal("the host is not as the model");                             \
		}                                                                             \
	} while (0)

/* Functions 0 and 2, each behind an IOMMU of its own; 1 and 3 are emulated. */
static bool is_assigned(unsigned int i)
{
	return !(i & 1);
}

static struct viommu_config config(void)
{
	struct viommu_config c = stream_config();

	c.page_size_mask = ~0xfffULL; /* as the host has it */
	return c;
}

static void make(const struct viommu_config *c)
{
	fake_iommufd.iommu_of[2] = 1;
	fake_followers_make(c);
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++)
		if (is_assigned(i))
			cr_assert(zero(int, fake_follow(i)));
}

/* How much of a mapping is RAM that somebody may reach: its first and last address. */
static bool in_ram(const struct model_mapping *p, u64 *first, u64 *last)
{
	const gpa_t end = p->gpa + (p->last - p->first);

	*first = p->gpa < VIOMMU_BASE ? p->first + (VIOMMU_BASE - p->gpa) : p->first;
	*last = end >= END ? p->last - (end - END + 1) : p->last;
	return p->flags & 3 && p->gpa < END && end >= VIOMMU_BASE;
}

static void check_mapping(u32 ioas, const struct model_mapping *p, unsigned int *nr)
{
	const struct fake_area *a;
	u64 first, last;

	if (!in_ram(p, &first, &last))
		return;
	a = fake_area_at(ioas, first);
	expect(a, "%#llx is not there", (unsigned long long)first);
	expect(a->first == first && a->last == last && a->from == p->gpa + (first - p->first),
	       "%#llx leads elsewhere", (unsigned long long)first);
	expect(!(a->flags & IOMMU_IOAS_MAP_READABLE) == !(p->flags & VIRTIO_IOMMU_MAP_F_READ) &&
	               !(a->flags & IOMMU_IOAS_MAP_WRITEABLE) ==
	                       !(p->flags & VIRTIO_IOMMU_MAP_F_WRITE),
	       "%#llx: who may what", (unsigned long long)first);
	++*nr;
}

static bool is_bypass(u32 domain)
{
	for (unsigned int n = 0; n < MODEL_DOMAINS; n++)
		if (model.domains[n].there && model.domains[n].id == domain)
			return model.domains[n].bypass;
	return false;
}

static void check(unsigned int i)
{
	const u32 ioas = fake_ioas_of(i), domain = model.endpoints[i].domain;
	const bool attached = model.endpoints[i].attached;
	unsigned int nr = 0;

	if (attached ? is_bypass(domain) : model.bypass) {
		nr_bypassing++;
		expect(ioas == fake_f.context.ioas, "function %u: all of RAM", i);
		return;
	}
	nr_nothing += !attached;
	expect(!ioas == !attached, "function %u: an address space", i);
	for (unsigned int n = 0; n < MODEL_MAPPINGS && attached; n++)
		if (model.mappings[n].there && model.mappings[n].domain == domain)
			check_mapping(ioas, &model.mappings[n], &nr);
	expect(!attached || fake_ioas(ioas)->nr == nr, "function %u: %u areas, not %u", i,
	       fake_ioas(ioas)->nr, nr);
	nr_mapped += nr;
}

static void check_all(void)
{
	for (unsigned int i = 0; i < VIOMMU_ENDPOINTS; i++)
		if (is_assigned(i))
			check(i);
}

static void request(struct model_request *rq)
{
	stream_request(&model, rq);
	fake_viommu_queue(V, 0, &rq->body, rq->len, rq->room);
	fake_viommu_kick(V);
	expect(fake_viommu_used(V, 0) >= 0, "it has not come back");
}

static void change(void)
{
	const u8 bypass = stream_below(2);

	if (stream_one_in(30)) {
		virtio_config_write(V->dev, offsetof(struct virtio_iommu_config, bypass), 1,
		                    bypass);
		model_write_bypass(&model, bypass);
	}
	if (stream_one_in(300)) {
		fake_viommu_reset(V, 0);
		model_reset(&model, 0);
	}
}

static void live(u64 requests)
{
	const struct viommu_config c = config();
	struct model_request rq;

	make(&c);
	model_init(&model, &c, 0);
	for (u64 n = 0; n < requests; n++, step++) {
		request(&rq);
		model_run(&model, &rq, NULL, 0);
		change();
		check_all();
	}
	fake_followers_unmake();
}

static u64 from_environment(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

Test(vfio_model, what_a_device_reaches_on_the_host_is_what_its_domain_has_of_ram)
{
	const u64 total = from_environment("VFIO_REQUESTS", NR_REQUESTS);

	seed = from_environment("VIOMMU_SEED", 1);
	stream_seed(seed);
	while (step < total)
		live(total - step < LIFE ? total - step : LIFE);
	cr_assert(ge(u64, nr_mapped, total), "the streams say something");
	cr_assert(ge(u64, nr_bypassing, total / 10));
	cr_assert(ge(u64, nr_nothing, total / 100));
}

/* What takes away does not fail: that is another test's. */
static int safely(struct uapi *u, int ret, unsigned int fail_at)
{
	u->fail_at = fail_at;
	return ret;
}

static int destroy(struct uapi *u, struct iommu_destroy *arg)
{
	const unsigned int at = u->fail_at;

	u->fail_at = 0;
	return safely(u, fake_iommufd_ops.destroy(u, arg), at);
}

static int detach(struct uapi *u, int fd, struct vfio_device_detach_iommufd_pt *arg)
{
	const unsigned int at = u->fail_at;

	u->fail_at = 0;
	return safely(u, fake_iommufd_ops.detach(u, fd, arg), at);
}

static int unmap(struct uapi *u, struct iommu_ioas_unmap *arg)
{
	const unsigned int at = u->fail_at;

	u->fail_at = 0;
	return safely(u, fake_iommufd_ops.ioas_unmap(u, arg), at);
}

/* What the function reaches by @iova is what the endpoint's own view says. */
static void check_view(unsigned int i, u64 iova)
{
	const u32 ioas = fake_ioas_of(i);
	const struct fake_area *a = ioas ? fake_area_at(ioas, iova) : NULL;
	const bool write = stream_one_in(2);
	const u32 may = write ? IOMMU_IOAS_MAP_WRITEABLE : IOMMU_IOAS_MAP_READABLE;
	const gpa_t seen = fake_viommu_reach(V, i, iova, write ? DMA_WRITE : DMA_READ);
	const u64 have = a && a->flags & may ? a->from + (iova - a->first) : 0;

	expect(have == seen, "function %u: %#llx is %#llx and not %#llx", i,
	       (unsigned long long)iova, (unsigned long long)have, (unsigned long long)seen);
}

static void live_with_failures(u64 requests)
{
	static struct uapi_ops table;
	const struct viommu_config c = config();
	struct model_request rq;

	table = fake_iommufd_ops;
	table.destroy = destroy;
	table.detach = detach;
	table.ioas_unmap = unmap;
	make(&c);
	U->ops = &table;
	U->fail_err = stream_one_in(2) ? -ENOMEM : -EIO;
	model_init(&model, &c, 0); /* as if nothing failed: what the stream goes by */
	for (u64 n = 0; n < requests; n++, step++) {
		U->fail_at = stream_one_in(2) ? U->calls + 1 + stream_below(3) : 0;
		request(&rq);
		model_run(&model, &rq, NULL, 0);
		nr_failed += U->fail_at && U->calls >= U->fail_at;
		change();
		U->fail_at = 0;
		for (unsigned int k = 0; k < 16; k++)
			check_view(k & 2, stream_address(&model));
	}
	fake_followers_unmake();
}

Test(vfio_model, a_host_that_fails_now_and_then_and_the_guest_see_the_same)
{
	const u64 total = from_environment("VFIO_REQUESTS", NR_REQUESTS);

	seed = from_environment("VIOMMU_SEED", 1);
	stream_seed(seed + 1000);
	while (step < total)
		live_with_failures(total - step < LIFE ? total - step : LIFE);
	cr_assert(ge(u64, nr_failed, total / 100), "the streams say something");
}
