/* SPDX-License-Identifier: GPL-2.0-only */
/* Driving a virtio-iommu: requests one by one, events as they come. */
#include "viommu.h"

#define MMIO_BASE    0x03000000UL
#define MMIO_STRIDE  0x200
#define MMIO_ID_BASE 0x80000

void viommu_find(struct viommu *v)
{
	device_find(&v->dev, VIRTIO_IOMMU, 2);
}

static void offer_event(struct viommu *v, u16 i)
{
	v->dev.ring[EVENTQ].desc[i] =
		(struct desc){ (u64)&v->events[i], sizeof(v->events[i]), DESC_WRITE, 0 };
	device_offer(&v->dev, EVENTQ, i);
}

void viommu_start(struct viommu *v, u64 features)
{
	check(device_start(&v->dev, features), "virtio-iommu refuses its driver");
	v->events_seen = 0;
	for (u16 i = 0; i < QUEUE_SIZE; i++)
		offer_event(v, i);
}

void viommu_offer(struct viommu *v, u32 size, u32 room)
{
	struct ring *r = &v->dev.ring[REQUESTQ];

	memset(v->answer, S_NONE, sizeof(v->answer));
	r->desc[0] = (struct desc){ (u64)&v->request, size, room ? DESC_NEXT : 0, 1 };
	r->desc[1] = (struct desc){ (u64)v->answer, room, DESC_WRITE, 0 };
	device_offer(&v->dev, REQUESTQ, 0);
}

u8 viommu_ask(struct viommu *v, u32 size, u32 room)
{
	struct ring *r = &v->dev.ring[REQUESTQ];

	viommu_offer(v, size, room);
	check(wait_for(device_done(&v->dev, REQUESTQ), LONG), "request %u does not come back",
	      v->request.type);
	v->used_len = r->used.ring[(u16)(r->avail.idx - 1) % QUEUE_SIZE].len;
	return room < 4 ? S_NONE : *(volatile u8 *)&v->answer[room - 4];
}

static void begin(struct viommu *v, u8 type)
{
	memset(&v->request, 0, sizeof(v->request));
	v->request.type = type;
}

static void begin_endpoint(struct viommu *v, u8 type, u32 domain, u32 endpoint)
{
	begin(v, type);
	v->request.domain = domain;
	v->request.endpoint = endpoint;
}

u8 viommu_attach(struct viommu *v, u32 domain, u32 endpoint, u32 flags)
{
	begin_endpoint(v, T_ATTACH, domain, endpoint);
	v->request.flags = flags;
	return viommu_ask(v, 20, 4);
}

u8 viommu_detach(struct viommu *v, u32 domain, u32 endpoint)
{
	begin_endpoint(v, T_DETACH, domain, endpoint);
	return viommu_ask(v, 20, 4);
}

u8 viommu_map(struct viommu *v, u32 domain, u64 start, u64 end, u64 phys, u32 flags)
{
	begin(v, T_MAP);
	v->request.map_domain = domain;
	v->request.virt_start = start;
	v->request.virt_end = end;
	v->request.phys_start = phys;
	v->request.map_flags = flags;
	return viommu_ask(v, 36, 4);
}

u8 viommu_unmap(struct viommu *v, u32 domain, u64 start, u64 end)
{
	begin(v, T_UNMAP);
	v->request.unmap_domain = domain;
	v->request.unmap_start = start;
	v->request.unmap_end = end;
	return viommu_ask(v, 28, 4);
}

static void begin_table(struct viommu *v, u32 domain, u32 endpoint, u64 tcr, u64 ttbr0, u64 ttbr1)
{
	begin_endpoint(v, T_ATTACH_TABLE, domain, endpoint);
	v->request.format = FORMAT_ARM64;
	v->request.tcr = tcr;
	v->request.ttbr[0] = ttbr0;
	v->request.ttbr[1] = ttbr1;
}

u8 viommu_attach_table(struct viommu *v, u32 domain, u32 endpoint, u64 tcr, u64 ttbr0, u64 ttbr1)
{
	begin_table(v, domain, endpoint, tcr, ttbr0, ttbr1);
	return viommu_ask(v, 124, 4);
}

u8 viommu_attach_process(struct viommu *v, u32 domain, u32 endpoint, u32 pasid, u64 tcr, u64 ttbr0,
                         u64 ttbr1)
{
	begin_table(v, domain, endpoint, tcr, ttbr0, ttbr1);
	v->request.table_flags = TABLE_PASID;
	v->request.table_pasid = pasid;
	return viommu_ask(v, 124, 4);
}

u8 viommu_detach_process(struct viommu *v, u32 domain, u32 endpoint, u32 pasid)
{
	begin_endpoint(v, T_DETACH, domain, endpoint);
	v->request.flags = TABLE_PASID;
	memcpy(v->request.reserved2, &pasid, sizeof(pasid));
	return viommu_ask(v, 20, 4);
}

void viommu_make_invalidate(struct viommu *v, u32 domain, u64 address, u64 nr_pages)
{
	begin(v, T_INVALIDATE);
	v->request.scope = nr_pages ? INVAL_ADDRESS : INVAL_DOMAIN;
	v->request.caches = INVAL_TLB;
	v->request.inval_domain = domain;
	v->request.address = address;
	v->request.nr_pages = nr_pages;
	v->request.page_size = 12;
}

u8 viommu_invalidate(struct viommu *v, u32 domain, u64 address, u64 nr_pages)
{
	viommu_make_invalidate(v, domain, address, nr_pages);
	return viommu_ask(v, 60, 4);
}

bool viommu_has_event(const struct viommu *v)
{
	return *(volatile u16 *)&v->dev.ring[EVENTQ].used.idx != v->events_seen;
}

bool viommu_event(struct viommu *v, struct viommu_event *e)
{
	u16 i;

	if (!wait_for(viommu_has_event(v), LONG))
		return false;
	barrier();
	i = v->dev.ring[EVENTQ].used.ring[v->events_seen++ % QUEUE_SIZE].id;
	memcpy(e, &v->events[i], sizeof(*e));
	offer_event(v, i);
	return true;
}

bool viommu_no_event(struct viommu *v)
{
	return !wait_for(viommu_has_event(v), 10);
}

u32 endpoint_of(const struct where *w)
{
	return w->mmio ? MMIO_ID_BASE + (w->mmio - MMIO_BASE) / MMIO_STRIDE : w->rid;
}
