// SPDX-License-Identifier: GPL-2.0-only
/* Random requests to an IOMMU device, and configurations of one: good, bad and torn. */
#include "tests/unit/viommu_stream.h"

#include <string.h>

#define NR_IDS 6 /* of endpoints and of domains, that requests name */

static u64 state;

/* SplitMix64. */
u64 stream_next(void)
{
	u64 z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void stream_seed(u64 seed)
{
	state = seed;
}

u64 stream_below(u64 n)
{
	return stream_next() % n;
}

bool stream_one_in(u64 n)
{
	return !stream_below(n);
}

/* Few addresses, so that they meet: around granules, at both ends, where ranges end. */
u64 stream_address(const struct model *m)
{
	static const u64 places[] = { 0, 0x100000, BIT(32), -64 * 0x10000ULL };
	const u64 granule = FIELD_LOW(m->c.page_size_mask);
	u64 at = places[stream_below(ARRAY_SIZE(places))] + stream_below(64) * granule;

	if (stream_one_in(16))
		at = m->c.input.last;
	if (stream_one_in(16))
		at += stream_below(5) - 2;
	if (stream_one_in(200))
		at = stream_next();
	return at;
}

static gpa_t guest_address(const struct model *m)
{
	const u64 granule = FIELD_LOW(m->c.page_size_mask);
	gpa_t gpa = VIOMMU_DATA + ALIGN_DOWN(stream_below(VIOMMU_RAM - 0x10000), granule);

	if (stream_one_in(20))
		gpa = VIOMMU_BASE + VIOMMU_RAM - granule;
	if (stream_one_in(40))
		gpa = -granule * (1 + stream_below(3));
	if (stream_one_in(40))
		gpa += stream_below(granule);
	return gpa;
}

static u64 granules(const struct model *m)
{
	return (stream_one_in(10) ? stream_below(64) : 1 + stream_below(4)) *
	       FIELD_LOW(m->c.page_size_mask);
}

/* Mostly one that there is. */
static u32 some_domain(const struct model *m)
{
	const unsigned int e = stream_below(VIOMMU_ENDPOINTS);

	if (m->endpoints[e].attached && !stream_one_in(5))
		return m->endpoints[e].domain;
	return stream_one_in(50) ? stream_next() : stream_below(NR_IDS);
}

static u32 some_endpoint(void)
{
	return stream_one_in(50) ? stream_next() : 0x10 + stream_below(NR_IDS);
}

static void random_bytes(void *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((u8 *)to)[i] = stream_next();
}

static void fill_map(const struct model *m, struct virtio_iommu_req_map *rq)
{
	rq->domain = some_domain(m);
	rq->virt_start = stream_address(m);
	rq->virt_end = rq->virt_start + granules(m) - 1;
	if (stream_one_in(50))
		rq->virt_end = stream_address(m);
	rq->phys_start = guest_address(m);
	rq->flags = stream_one_in(25) ? BIT(stream_below(32)) : stream_below(8);
}

static void fill_unmap(const struct model *m, struct virtio_iommu_req_unmap *rq)
{
	struct viommu_range range;

	rq->domain = some_domain(m);
	range = model_some_range(m, stream_next(), rq->domain);
	rq->virt_start = stream_address(m);
	rq->virt_end = stream_one_in(8) ? stream_address(m) : rq->virt_start + granules(m) - 1;
	if (stream_one_in(2)) {
		rq->virt_start = range.first;
		rq->virt_end = range.last;
	}
	if (stream_one_in(100))
		rq->virt_start = 0, rq->virt_end = ~0ULL;
	if (stream_one_in(4))
		random_bytes(rq->reserved, sizeof(rq->reserved));
}

static void fill_attach(const struct model *m, struct virtio_iommu_req_attach *rq)
{
	rq->domain = some_domain(m);
	rq->endpoint = some_endpoint();
	rq->flags = stream_one_in(25) ? BIT(stream_below(32)) : stream_one_in(4);
	if (stream_one_in(25))
		random_bytes(rq->reserved, sizeof(rq->reserved));
}

static void fill_detach(const struct model *m, struct virtio_iommu_req_detach *rq)
{
	rq->domain = some_domain(m);
	rq->endpoint = some_endpoint();
	if (stream_one_in(4))
		random_bytes(rq->reserved, sizeof(rq->reserved));
}

/* What it is, its length and the room for its answer: mostly as they should be. */
void stream_request(const struct model *m, struct model_request *rq)
{
	static const u8 types[] = { 1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 5 };

	memset(rq, 0, sizeof(*rq));
	rq->body.head.type = types[stream_below(ARRAY_SIZE(types))];
	if (stream_one_in(100))
		rq->body.head.type = stream_next();
	switch (rq->body.head.type) {
	case VIRTIO_IOMMU_T_ATTACH: fill_attach(m, &rq->body.attach); break;
	case VIRTIO_IOMMU_T_DETACH: fill_detach(m, &rq->body.detach); break;
	case VIRTIO_IOMMU_T_MAP: fill_map(m, &rq->body.map); break;
	case VIRTIO_IOMMU_T_UNMAP: fill_unmap(m, &rq->body.unmap); break;
	case VIRTIO_IOMMU_T_PROBE: rq->body.probe.endpoint = some_endpoint(); break;
	default: random_bytes(&rq->body, sizeof(rq->body)); break;
	}
	if (stream_one_in(4))
		random_bytes(rq->body.head.reserved, sizeof(rq->body.head.reserved));
	model_sizes(m, rq);
	if (stream_one_in(40))
		rq->len = stream_below(sizeof(rq->body) + 1);
	if (stream_one_in(40))
		rq->room = stream_below(VIOMMU_SLOT_SIZE);
}

u64 stream_features(void)
{
	static const u64 may_lack[] = { VIRTIO_IOMMU_F_MAP_UNMAP,   VIRTIO_IOMMU_F_PROBE,
		                        VIRTIO_IOMMU_F_MMIO,        VIRTIO_IOMMU_F_BYPASS_CONFIG,
		                        VIRTIO_IOMMU_F_INPUT_RANGE, VIRTIO_IOMMU_F_DOMAIN_RANGE };
	u64 without = 0;

	for (size_t i = 0; i < ARRAY_SIZE(may_lack); i++)
		without |= stream_one_in(8) ? BIT(may_lack[i]) : 0;
	return without;
}

struct viommu_config stream_config(void)
{
	static const u64 granule[] = { 0x1000, 0x1000, 0x10000, 1 };
	struct viommu_config c = {
		.page_size_mask = -granule[stream_below(ARRAY_SIZE(granule))],
		.input.last = ~0ULL,
		.last_domain = ~0u,
		.bypass = stream_one_in(2),
		.msi_window = stream_one_in(2),
		.msi = { 0x108000, 0x108fff },
		.nr_reserved = stream_below(3),
		.reserved = { { 0x104000, 0x105fff }, { 0, 0x7ff } },
		.max_mappings = stream_one_in(4) ? 5 : MODEL_MAPPINGS,
	};

	if (stream_one_in(2))
		c.input = (struct viommu_range){ 0x2000, BIT(32) + 0x1ffff };
	if (stream_one_in(3))
		c.first_domain = 1, c.last_domain = 4;
	return c;
}
