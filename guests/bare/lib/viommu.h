/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio-iommu, one request at a time (virtio 1.3, 5.13). */
#ifndef GUESTS_BARE_LIB_VIOMMU_H
#define GUESTS_BARE_LIB_VIOMMU_H

#include "chains.h"

enum { VIRTIO_RNG = 4, VIRTIO_IOMMU = 23 };
enum { REQUESTQ, EVENTQ };
enum {
	T_ATTACH = 1,
	T_DETACH,
	T_MAP,
	T_UNMAP,
	T_PROBE,
	T_PAGE_RESPONSE = 0x80,
	T_ATTACH_TABLE,
	T_INVALIDATE
};
enum { S_OK, S_IOERR, S_UNSUPP, S_DEVERR, S_INVAL, S_RANGE, S_NOENT, S_FAULT, S_NOMEM };
#define S_NONE 0xee /* the device wrote nothing */
enum { ATTACH_BYPASS = 1 };
enum { MAP_READ = 1, MAP_WRITE = 2, MAP_MMIO = 4 };
#define F_INPUT_RANGE     (1UL << 0)
#define F_DOMAIN_RANGE    (1UL << 1)
#define F_MAP_UNMAP       (1UL << 2)
#define F_PROBE           (1UL << 4)
#define F_MMIO            (1UL << 5)
#define F_BYPASS_CONFIG   (1UL << 6)
#define F_ACCESS_PLATFORM (1UL << 33)
/* docs/virtio-iommu-experimental.md */
#define F_PAGE_REQUEST  (1UL << 56)
#define F_ATTACH_TABLE  (1UL << 57)
#define VIOMMU_FEATURES (F_MAP_UNMAP | F_PROBE | F_MMIO | F_BYPASS_CONFIG)

enum {
	CONFIG_PAGE_MASK = 0,
	CONFIG_INPUT_FIRST = 8,
	CONFIG_INPUT_LAST = 16,
	CONFIG_FIRST_DOMAIN = 24,
	CONFIG_LAST_DOMAIN = 28,
	CONFIG_PROBE_SIZE = 32,
	CONFIG_BYPASS = 36,
};

/* What the driver writes of a request; the tail is apart. */
struct viommu_request {
	u8 type, reserved[3];
	union {
		struct {
			u32 domain, endpoint, flags;
			u8 reserved2[4];
		};
		struct {
			u32 map_domain;
			u64 virt_start, virt_end, phys_start;
			u32 map_flags;
		} __attribute__((packed));
		struct {
			u32 unmap_domain;
			u64 unmap_start, unmap_end;
			u8 reserved3[4];
		} __attribute__((packed));
		struct {
			u32 probe_endpoint;
			u8 reserved4[64];
		};
		struct {
			u32 table_domain, table_endpoint;
			u8 format, table_flags;
			u16 asid;
			u64 tcr, ttbr[2], mair;
			u32 table_pasid;
			u8 reserved6[72];
		} __attribute__((packed));
		struct {
			u8 scope, caches;
			u16 inval_flags;
			u32 inval_domain, pasid;
			u64 id, address, nr_pages;
			u8 page_size, reserved7[19];
		} __attribute__((packed));
	};
} __attribute__((packed));

struct viommu_event {
	u8 reason, reserved[3];
	u32 flags, endpoint, reserved1;
	u64 address;
};

enum { FORMAT_ARM64 = 0x80, TABLE_PASID = 1 };
enum { INVAL_DOMAIN = 1, INVAL_PASID, INVAL_ADDRESS };
enum { INVAL_PASIDS = 1, INVAL_TLB };
enum { INVAL_LEAF = 1, INVAL_BY_ID = 4, INVAL_GLOBAL = 8 };

struct viommu {
	struct device dev;
	struct viommu_request request;
	u8 answer[256];
	u32 used_len;
	struct viommu_event events[QUEUE_SIZE];
	u16 events_seen;
};

void viommu_find(struct viommu *v);
/* Reset and started, with event buffers. */
void viommu_start(struct viommu *v, u64 features);
/* @size bytes of v->request, @room for the answer; not waited for. */
void viommu_offer(struct viommu *v, u32 size, u32 room);
/* The same, and it comes back: the last 4 bytes' first one, or S_NONE. */
u8 viommu_ask(struct viommu *v, u32 size, u32 room);
u8 viommu_attach(struct viommu *v, u32 domain, u32 endpoint, u32 flags);
u8 viommu_detach(struct viommu *v, u32 domain, u32 endpoint);
u8 viommu_map(struct viommu *v, u32 domain, u64 start, u64 end, u64 phys, u32 flags);
u8 viommu_unmap(struct viommu *v, u32 domain, u64 start, u64 end);
u8 viommu_attach_table(struct viommu *v, u32 domain, u32 endpoint, u64 tcr, u64 ttbr0, u64 ttbr1);
/* Of a process. */
u8 viommu_attach_process(struct viommu *v, u32 domain, u32 endpoint, u32 pasid, u64 tcr, u64 ttbr0,
                         u64 ttbr1);
u8 viommu_detach_process(struct viommu *v, u32 domain, u32 endpoint, u32 pasid);
/* v->request is one of so many pages of 4 KiB; what is 0 pages is all of the domain. */
void viommu_make_invalidate(struct viommu *v, u32 domain, u64 address, u64 nr_pages);
u8 viommu_invalidate(struct viommu *v, u32 domain, u64 address, u64 nr_pages);
/* There is an event that has not been looked at. */
bool viommu_has_event(const struct viommu *v);
/* The next event; false: there is none within a while. */
bool viommu_event(struct viommu *v, struct viommu_event *e);
bool viommu_no_event(struct viommu *v);

/* The ID by which an IOMMU knows a device (machine/iommu.c). */
u32 endpoint_of(const struct where *w);

#endif
