/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio-iommu, one request at a time (virtio 1.3, 5.13). */
#ifndef GUESTS_BARE_LIB_VIOMMU_H
#define GUESTS_BARE_LIB_VIOMMU_H

#include "chains.h"

enum { VIRTIO_RNG = 4, VIRTIO_IOMMU = 23 };
enum { REQUESTQ, EVENTQ };
enum { T_ATTACH = 1, T_DETACH, T_MAP, T_UNMAP, T_PROBE, T_PAGE_RESPONSE = 0x80 };
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
#define F_PAGE_REQUEST    (1UL << 56) /* docs/virtio-iommu-experimental.md */
#define VIOMMU_FEATURES   (F_MAP_UNMAP | F_PROBE | F_MMIO | F_BYPASS_CONFIG)

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
	};
} __attribute__((packed));

struct viommu_event {
	u8 reason, reserved[3];
	u32 flags, endpoint, reserved1;
	u64 address;
};

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
/* @size bytes of v->request, @room for the answer: the last 4 bytes' first one, or S_NONE. */
u8 viommu_ask(struct viommu *v, u32 size, u32 room);
u8 viommu_attach(struct viommu *v, u32 domain, u32 endpoint, u32 flags);
u8 viommu_detach(struct viommu *v, u32 domain, u32 endpoint);
u8 viommu_map(struct viommu *v, u32 domain, u64 start, u64 end, u64 phys, u32 flags);
u8 viommu_unmap(struct viommu *v, u32 domain, u64 start, u64 end);
/* The next event; false: there is none within a while. */
bool viommu_event(struct viommu *v, struct viommu_event *e);
bool viommu_no_event(struct viommu *v);

/* The ID by which an IOMMU knows a device (machine/iommu.c). */
u32 endpoint_of(const struct where *w);

#endif
