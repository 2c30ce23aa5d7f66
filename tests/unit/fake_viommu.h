/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_VIOMMU_H
#define TESTS_UNIT_FAKE_VIOMMU_H

#include <linux/virtio_iommu.h>

#include "devices/virtio/iommu.h"
#include "tests/unit/fake_virtio.h"

/*
 * An IOMMU device with endpoints, and its driver. Requests have a slot each:
 * descriptors and buffers of their own, so that several can be on their way.
 */
#define VIOMMU_BASE      0x80000000ULL
#define VIOMMU_RAM       0x40000ULL
#define VIOMMU_EVENT     (VIOMMU_BASE + 0x8000)  /* the buffers of events, 0x100 bytes each */
#define VIOMMU_OUT       (VIOMMU_BASE + 0xa000)  /* of requests, the driver's part */
#define VIOMMU_IN        (VIOMMU_BASE + 0xc000)  /* and the device's */
#define VIOMMU_DATA      (VIOMMU_BASE + 0x10000) /* what endpoints are to reach */
#define VIOMMU_SLOTS     16
#define VIOMMU_SLOT_SIZE 0x200
#define VIOMMU_UNWRITTEN 0xee
#define VIOMMU_ENDPOINTS 4

struct fake_viommu {
	struct virtio_dev *dev;
	struct fake_transport transport;
	struct driver requests, events;
	struct viommu_endpoint *endpoints[VIOMMU_ENDPOINTS];
	u32 ids[VIOMMU_ENDPOINTS]; /* 0x10 and so on; they may be changed */
	u16 seen;                  /* of the used ring */
	int used[VIOMMU_SLOTS];    /* a slot's used length; -1: the device has it */
	u16 nr_pieces;             /* descriptors that a part is split over: 0 is 1 */
};

extern const struct guest_mem fake_viommu_mem;

/* The configuration that most tests want: pages of 4 KiB, nothing reserved, no bypass. */
struct viommu_config fake_viommu_config(void);

/* With VIOMMU_ENDPOINTS endpoints, live, all offered features but those of @without taken; @c NULL:
 * the usual one. */
void fake_viommu_make(struct fake_viommu *f, const struct viommu_config *c, u64 without);
/* The same, with memory of its own for endpoints and tables; its rings are where they always are.
 */
void fake_viommu_make_over(struct fake_viommu *f, const struct viommu_config *c, u64 without,
                           struct dma_space *dma);
/* The driver resets it, and negotiates again. */
void fake_viommu_reset(struct fake_viommu *f, u64 without);
void fake_viommu_unmake(struct fake_viommu *f);
/* Another one in its place. */
void fake_viommu_remake(struct fake_viommu *f, const struct viommu_config *c, u64 without);

/* A request of @len bytes, and @room for the answer; the kick comes apart. */
void fake_viommu_queue(struct fake_viommu *f, unsigned int slot, const void *rq, u32 len, u32 room);
void fake_viommu_kick(struct fake_viommu *f);
/* The used length, or -1: it has not come back. */
int fake_viommu_used(struct fake_viommu *f, unsigned int slot);
/* What the device has of a slot's answer. */
u8 *fake_viommu_answer(unsigned int slot);

/* All of it in slot 0: the answer's status, where it came at once, with the used length of one. */
u8 fake_viommu_send(struct fake_viommu *f, const void *rq, u32 len);
u8 fake_viommu_attach(struct fake_viommu *f, u32 domain, u32 endpoint, u32 flags);
u8 fake_viommu_detach(struct fake_viommu *f, u32 domain, u32 endpoint);
u8 fake_viommu_map(struct fake_viommu *f, u32 domain, u64 first, u64 last, gpa_t gpa, u32 flags);
u8 fake_viommu_unmap(struct fake_viommu *f, u32 domain, u64 first, u64 last);

/* The same, without waiting. */
void fake_viommu_begin_detach(struct fake_viommu *f, unsigned int slot, u32 domain, u32 endpoint);
void fake_viommu_begin_unmap(struct fake_viommu *f, unsigned int slot, u32 domain, u64 first,
                             u64 last);

static inline struct dma_space *fake_viommu_dma(struct fake_viommu *f, unsigned int i)
{
	return viommu_endpoint_dma(f->endpoints[i]);
}

/* The GPA that endpoint @i's access reaches; 0: it may not. */
gpa_t fake_viommu_reach(struct fake_viommu *f, unsigned int i, u64 iova, u32 perm);

struct viommu_counts fake_viommu_counts(const struct fake_viommu *f);

#endif
