/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver of a virtio-iommu that misbehaves: chains and rings that are none, in either queue;
 * requests that another CPU rewrites while they are decoded; and what it can make the device keep.
 */
#include "lib/viommu.h"

#define PAGE 0x1000UL

static struct viommu v;
static struct device rng;
static u32 ep;
static u64 features;

/* "pages=1": of a device with page requests. */
static void find(void)
{
	features = VIOMMU_FEATURES | (parameter_after("pages=", 0) ? F_PAGE_REQUEST : 0);
	viommu_find(&v);
	device_find(&rng, VIRTIO_RNG, 1);
	ep = endpoint_of(&rng.where);
}

/* Of a group that does not wait. */
static u8 respond(void)
{
	u32 *w = (u32 *)&v.request;

	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_PAGE_RESPONSE;
	w[1] = ep;
	return viommu_ask(&v, 20, 4);
}

static void works(const char *after)
{
	viommu_start(&v, features);
	check(!viommu_attach(&v, 1, ep, 0), "%s: attach", after);
	check(!viommu_map(&v, 1, 0, PAGE - 1, RAM_BASE, MAP_READ), "%s: map", after);
	check(!viommu_unmap(&v, 1, 0, PAGE - 1), "%s: unmap", after);
	check(!viommu_detach(&v, 1, ep), "%s: detach", after);
	check(respond() == (features & F_PAGE_REQUEST ? S_NOENT : S_NONE), "%s: respond", after);
}

static void request_chains(void)
{
	find();
	works("the beginning");
	for (unsigned int i = 0; i < nr_chains; i++) {
		offer_chain(&v.dev, REQUESTQ, &chains[i], features);
		expect_outcome(&v.dev, REQUESTQ, i == NOTHING_AT_ALL ? USED : BROKEN,
		               chains[i].name);
		works(chains[i].name);
	}
}

/* An access of the entropy device's that faults: its rings are mapped nowhere. */
static void cause_fault(void)
{
	check(device_start(&rng, F_ACCESS_PLATFORM), "the entropy device refuses its driver");
	device_offer(&rng, 0, 0);
	check(wait_for(device_needs_reset(&rng), LONG), "no fault");
}

/* Only when there is a fault does anyone look at them. */
static void event_chains(void)
{
	find();
	works("the beginning");
	for (unsigned int i = 0; i < nr_chains; i++) {
		offer_chain(&v.dev, EVENTQ, &chains[i], features);
		expect_outcome(&v.dev, EVENTQ, HELD, chains[i].name);
		check(!viommu_attach(&v, 1, ep, 0), "attach");
		cause_fault();
		expect_outcome(&v.dev, EVENTQ, i == NOTHING_AT_ALL ? USED : BROKEN, chains[i].name);
		works(chains[i].name);
	}
}

static void rings(void)
{
	find();
	for (unsigned int i = 0; i < nr_places; i++) {
		misplace_rings(&v.dev, REQUESTQ, i, features, (struct desc)LAST_OUT(64));
		expect_outcome(&v.dev, REQUESTQ, BROKEN, place_name(i));
		works(place_name(i));
		misplace_rings(&v.dev, EVENTQ, i, features, (struct desc)LAST_IN(64));
		check(!viommu_attach(&v, 1, ep, 0), "%s: attach", place_name(i));
		cause_fault();
		expect_outcome(&v.dev, EVENTQ, BROKEN, place_name(i));
		works(place_name(i));
	}
}

static volatile bool over;

/* Every byte of the request, to anything, all the time. */
static void rewrite(void)
{
	volatile u8 *bytes = (volatile u8 *)&v.request;
	u64 random = 88172645463325252UL;

	while (!over) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		bytes[random % 36] = random >> 32 & (random & 0x10000 ? 7 : 0xff);
	}
	psci_cpu_off();
}

static void rewritten(void)
{
	static const u8 types[] = { T_ATTACH, T_DETACH, T_MAP, T_UNMAP, T_PAGE_RESPONSE };
	const u64 count = parameter_after("count=", 2000);
	unsigned int seen = 0;

	find();
	works("the beginning");
	check(psci_cpu_on(1, rewrite) == PSCI_OK, "no second CPU");
	for (u64 i = 0; i < count; i++) {
		u8 status;

		v.request.type = types[i % ARRAY_SIZE(types)];
		v.request.domain = v.request.type == T_PAGE_RESPONSE ? ep : 1;
		v.request.endpoint = ep;
		status = viommu_ask(&v, 36, 4);
		check(status <= S_NOMEM || status == S_NONE, "request %lu: status %u", i, status);
		check(!device_needs_reset(&v.dev), "request %lu: NEEDS_RESET", i);
		seen |= 1u << status % 32;
	}
	over = true;
	check(wait_for(psci_affinity_info(1) == AFFINITY_OFF, LONG), "the second CPU goes on");
	check(seen & ~1u, "every request was taken as it was");
	works("all that");
}

/* Rings, descriptors and buffers anywhere in one another. */
static void scramble(void)
{
	volatile u8 *bytes = (volatile u8 *)v.dev.ring;
	u64 random = 362436069362436069UL;

	while (!over) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		bytes[random % (2 * sizeof(struct ring))] = random >> 40;
	}
	psci_cpu_off();
}

static void scrambled(void)
{
	const u64 count = parameter_after("count=", 2000);

	find();
	works("the beginning");
	check(psci_cpu_on(1, scramble) == PSCI_OK, "no second CPU");
	for (u64 i = 0; i < count; i++) {
		if (device_needs_reset(&v.dev))
			check(device_start(&v.dev, features), "no start");
		where_kick(&v.dev.where, REQUESTQ);
		if (!(i % 16))
			cause_fault();
	}
	over = true;
	check(wait_for(psci_affinity_info(1) == AFFINITY_OFF, LONG), "the second CPU goes on");
	works("all that");
}

static void overlaps(void)
{
	struct ring *r;

	find();
	for (unsigned int i = 0; i < 8; i++) {
		r = &v.dev.ring[REQUESTQ];
		check(device_negotiate(&v.dev, features), "no start");
		memset(&v.request, 0, sizeof(v.request));
		v.request.type = T_ATTACH;
		r->desc[0] =
			(struct desc){ (u64)(i & 4 ? (void *)r : &v.request), 20, DESC_NEXT, 1 };
		r->desc[1] = (struct desc){ (u64)r, sizeof(*r), DESC_WRITE, 0 };
		where_set_queue(&v.dev.where, REQUESTQ, (u64)r->desc,
		                (u64)(i & 1 ? (void *)r->desc : &r->avail),
		                (u64)(i & 2 ? (void *)r->desc : &r->used));
		where_go(&v.dev.where);
		device_offer(&v.dev, REQUESTQ, 0);
		wait_for(device_needs_reset(&v.dev), 5);
		works("rings in one another");
	}
}

static void map_away(u64 i)
{
	const u64 iova = (4096 + i) << 20; /* past the window for messages */

	check(!viommu_map(&v, 1, iova, iova + PAGE - 1, RAM_BASE, MAP_READ), "map %lu", i);
}

/* As many as the scenario says; they go with an UNMAP of everything, or with a reset. */
static void many(void)
{
	const u64 count = parameter_after("count=", 3000);

	find();
	viommu_start(&v, features);
	check(!viommu_attach(&v, 1, ep, 0), "attach");
	for (u64 i = 0; i < count; i++)
		map_away(i);
	check(!viommu_unmap(&v, 1, 0, ~0UL), "unmap");
	works("many mappings");
	viommu_start(&v, features);
	check(!viommu_attach(&v, 1, ep, 0), "attach");
	for (u64 i = 0; i < count; i++)
		map_away(i);
	works("many mappings that a reset took away");
}

static const struct test tests[] = {
	{ "request-chains", request_chains },
	{ "event-chains", event_chains },
	{ "rings", rings },
	{ "rewritten", rewritten },
	{ "many", many },
	{ "scrambled", scrambled },
	{ "overlaps", overlaps },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}
