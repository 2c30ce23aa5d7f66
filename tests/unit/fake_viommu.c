// SPDX-License-Identifier: GPL-2.0-only
/* An IOMMU device with endpoints, and its driver, for tests. */
#include "tests/unit/fake_viommu.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/leak.h"

#define EVENT_RINGS 0x4000 /* behind those of the requests */
#define SLOT_DESCS  16

static u8 ram[VIOMMU_RAM] __attribute__((aligned(4096)));
const struct guest_mem fake_viommu_mem = { .base = VIOMMU_BASE, .size = sizeof(ram), .host = ram };
/* driver_start() puts rings at the start of memory. */
static const struct guest_mem event_mem = { .base = VIOMMU_BASE + EVENT_RINGS,
	                                    .size = sizeof(ram) - EVENT_RINGS,
	                                    .host = ram + EVENT_RINGS };
static struct dma_space rings;
static struct log log_off;

struct viommu_config fake_viommu_config(void)
{
	return (struct viommu_config){
		.page_size_mask = ~0xfffULL,
		.input.last = ~0ULL,
		.last_domain = ~0u,
		.max_mappings = 1000,
	};
}

static u32 id_of(const void *ctx)
{
	return *(const u32 *)ctx;
}

static void go_live(struct fake_viommu *f, u64 without)
{
	memset(ram, 0, RING_END + EVENT_RINGS);
	f->seen = 0;
	for (unsigned int i = 0; i < VIOMMU_SLOTS; i++)
		f->used[i] = 0;
	f->dev->acked = f->dev->features & ~without;
	virtio_set_status(f->dev, 0xf);
	cr_assert(eq(u32, f->dev->status, 0xf));
	driver_start(&f->requests, &fake_viommu_mem, &f->dev->vq[0], 256);
	driver_start(&f->events, &event_mem, &f->dev->vq[1], 256);
}

void fake_viommu_make(struct fake_viommu *f, const struct viommu_config *config, u64 without)
{
	dma_identity(&rings, &fake_viommu_mem);
	fake_viommu_make_over(f, config, without, &rings);
}

void fake_viommu_make_over(struct fake_viommu *f, const struct viommu_config *config, u64 without,
                           struct dma_space *dma)
{
	const struct viommu_config usual = fake_viommu_config(), *c = config ? config : &usual;

	*f = (struct fake_viommu){ 0 };
	fake_transport_init(&f->transport);
	cr_assert(zero(int, viommu_create(&f->dev, dma, &log_off, c)));
	f->dev->transport = &f->transport.transport;
	for (u32 i = 0; i < VIOMMU_ENDPOINTS; i++) {
		f->ids[i] = 0x10 + i;
		cr_assert(zero(int, viommu_add_endpoint(f->dev, &f->endpoints[i])));
		viommu_identify(f->endpoints[i], id_of, &f->ids[i]);
	}
	go_live(f, without);
}

void fake_viommu_reset(struct fake_viommu *f, u64 without)
{
	virtio_set_status(f->dev, 0);
	cr_assert(zero(u32, f->dev->status));
	go_live(f, without);
}

void fake_viommu_unmake(struct fake_viommu *f)
{
	cr_assert(zero(u32, f->dev->in_flight));
	viommu_destroy(f->dev);
	expect_no_leak();
}

void fake_viommu_remake(struct fake_viommu *f, const struct viommu_config *c, u64 without)
{
	fake_viommu_unmake(f);
	fake_viommu_make(f, c, without);
}

u8 *fake_viommu_answer(unsigned int slot)
{
	return ram + (VIOMMU_IN - VIOMMU_BASE) + slot * VIOMMU_SLOT_SIZE;
}

/* One part in pieces; the first descriptor that is free then. */
static u16 put(struct fake_viommu *f, u16 desc, u64 gpa, u32 len, u16 flags)
{
	const u16 nr = f->nr_pieces ? f->nr_pieces : 1;

	for (u16 i = 0; i < nr; i++) {
		u32 first = len * i / nr, next = len * (i + 1) / nr;

		driver_desc(&f->requests, desc, gpa + first, next - first,
		            flags | VRING_DESC_F_NEXT, desc + 1);
		desc++;
	}
	return desc;
}

/* Where its last descriptor is, no other follows. */
static void end_chain(struct fake_viommu *f, u16 last)
{
	struct vring_desc *d = (void *)(ram + RING_DESC + last * sizeof(*d));

	d->flags &= ~VRING_DESC_F_NEXT;
	(void)f;
}

void fake_viommu_queue(struct fake_viommu *f, unsigned int slot, const void *rq, u32 len, u32 room)
{
	const u64 out = VIOMMU_OUT + slot * VIOMMU_SLOT_SIZE;
	const u16 head = slot * SLOT_DESCS;
	u16 desc = head;

	cr_assert(eq(int, fake_viommu_used(f, slot) < 0, false), "slot %u is in use", slot);
	memcpy(ram + (out - VIOMMU_BASE), rq, len);
	memset(fake_viommu_answer(slot), VIOMMU_UNWRITTEN, VIOMMU_SLOT_SIZE);
	if (len || !room)
		desc = put(f, desc, out, len, 0);
	if (room)
		desc = put(f, desc, VIOMMU_IN + slot * VIOMMU_SLOT_SIZE, room, VRING_DESC_F_WRITE);
	end_chain(f, desc - 1);
	f->used[slot] = -1;
	driver_avail(&f->requests, head);
}

void fake_viommu_kick(struct fake_viommu *f)
{
	virtio_notify(f->dev, 0);
}

int fake_viommu_used(struct fake_viommu *f, unsigned int slot)
{
	for (; f->seen != driver_used_idx(&f->requests); f->seen++) {
		struct vring_used_elem e = driver_used(&f->requests, f->seen);

		cr_assert(zero(u32, e.id % SLOT_DESCS));
		cr_assert(eq(int, f->used[e.id / SLOT_DESCS], -1), "used twice");
		f->used[e.id / SLOT_DESCS] = e.len;
	}
	return f->used[slot];
}

u8 fake_viommu_send(struct fake_viommu *f, const void *rq, u32 len)
{
	const u8 *tail = fake_viommu_answer(0);

	fake_viommu_queue(f, 0, rq, len, sizeof(struct virtio_iommu_req_tail));
	fake_viommu_kick(f);
	cr_assert(eq(int, fake_viommu_used(f, 0), sizeof(struct virtio_iommu_req_tail)));
	cr_assert(zero(u32, tail[1] | tail[2] | tail[3]), "reserved");
	return tail[0];
}

u8 fake_viommu_attach(struct fake_viommu *f, u32 domain, u32 endpoint, u32 flags)
{
	const struct virtio_iommu_req_attach rq = {
		.head.type = VIRTIO_IOMMU_T_ATTACH,
		.domain = domain,
		.endpoint = endpoint,
		.flags = flags,
	};

	return fake_viommu_send(f, &rq, offsetof(struct virtio_iommu_req_attach, tail));
}

static struct virtio_iommu_req_detach detach_request(u32 domain, u32 endpoint)
{
	return (struct virtio_iommu_req_detach){
		.head.type = VIRTIO_IOMMU_T_DETACH,
		.domain = domain,
		.endpoint = endpoint,
	};
}

static struct virtio_iommu_req_unmap unmap_request(u32 domain, u64 first, u64 last)
{
	return (struct virtio_iommu_req_unmap){
		.head.type = VIRTIO_IOMMU_T_UNMAP,
		.domain = domain,
		.virt_start = first,
		.virt_end = last,
	};
}

u8 fake_viommu_detach(struct fake_viommu *f, u32 domain, u32 endpoint)
{
	const struct virtio_iommu_req_detach rq = detach_request(domain, endpoint);

	return fake_viommu_send(f, &rq, offsetof(struct virtio_iommu_req_detach, tail));
}

void fake_viommu_begin_detach(struct fake_viommu *f, unsigned int slot, u32 domain, u32 endpoint)
{
	const struct virtio_iommu_req_detach rq = detach_request(domain, endpoint);

	fake_viommu_queue(f, slot, &rq, offsetof(struct virtio_iommu_req_detach, tail),
	                  sizeof(rq.tail));
	fake_viommu_kick(f);
}

u8 fake_viommu_map(struct fake_viommu *f, u32 domain, u64 first, u64 last, gpa_t gpa, u32 flags)
{
	const struct virtio_iommu_req_map rq = {
		.head.type = VIRTIO_IOMMU_T_MAP,
		.domain = domain,
		.virt_start = first,
		.virt_end = last,
		.phys_start = gpa,
		.flags = flags,
	};

	return fake_viommu_send(f, &rq, offsetof(struct virtio_iommu_req_map, tail));
}

u8 fake_viommu_unmap(struct fake_viommu *f, u32 domain, u64 first, u64 last)
{
	const struct virtio_iommu_req_unmap rq = unmap_request(domain, first, last);

	return fake_viommu_send(f, &rq, offsetof(struct virtio_iommu_req_unmap, tail));
}

void fake_viommu_begin_unmap(struct fake_viommu *f, unsigned int slot, u32 domain, u64 first,
                             u64 last)
{
	const struct virtio_iommu_req_unmap rq = unmap_request(domain, first, last);

	fake_viommu_queue(f, slot, &rq, offsetof(struct virtio_iommu_req_unmap, tail),
	                  sizeof(rq.tail));
	fake_viommu_kick(f);
}

gpa_t fake_viommu_reach(struct fake_viommu *f, unsigned int i, u64 iova, u32 perm)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = dma_access_to(iova, 1, perm);

	if (dma_map(fake_viommu_dma(f, i), &a, &sg, NULL) != DMA_OK)
		return 0;
	dma_unmap(fake_viommu_dma(f, i), &sg);
	return VIOMMU_BASE + ((u8 *)iov.iov_base - ram);
}

struct viommu_counts fake_viommu_counts(const struct fake_viommu *f)
{
	struct viommu_counts c;

	viommu_count(f->dev, &c);
	return c;
}
