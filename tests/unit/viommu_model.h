/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_VIOMMU_MODEL_H
#define TESTS_UNIT_VIOMMU_MODEL_H

#include <linux/virtio_iommu.h>

#include "devices/virtio/iommu.h"
#include "tests/unit/fake_viommu.h"
#include "tests/unit/held.h"

/*
 * What virtio 1.3, 5.13 says of an IOMMU device, in arrays that are searched from end to end.
 * Of the device under test it has the configuration alone.
 */
#define MODEL_MAPPINGS 64 /* of all domains */
#define MODEL_DOMAINS  VIOMMU_ENDPOINTS

struct model_mapping {
	bool there;
	u64 nr; /* in the order they were made */
	u32 domain;
	u64 first, last;
	gpa_t gpa;
	u32 flags;
};

struct model {
	struct viommu_config c;
	u64 without; /* features that the driver did not take */
	u8 bypass;
	struct {
		u32 id;
		bool attached;
		u32 domain;
		u64 attachment; /* another number each time */
	} endpoints[VIOMMU_ENDPOINTS];
	struct {
		bool there, bypass;
		u32 id;
	} domains[MODEL_DOMAINS];
	struct model_mapping mappings[MODEL_MAPPINGS];
	u64 counter;
};

/* A transfer in flight: what it uses. */
struct model_transfer {
	unsigned int endpoint;
	u64 attachment;
	u64 mappings[HELD_MAX];
	unsigned int nr;
};

struct model_request {
	union {
		struct virtio_iommu_req_head head;
		struct virtio_iommu_req_attach attach;
		struct virtio_iommu_req_detach detach;
		struct virtio_iommu_req_map map;
		struct virtio_iommu_req_unmap unmap;
		struct virtio_iommu_req_probe probe;
		u8 bytes[96];
	} body;
	u32 len, room;
	struct model_answer {
		u32 used;      /* 0: the buffer is not written */
		u64 statuses;  /* BIT(status): it may be one of these */
		u64 waits_for; /* BIT(transfer): it comes back when they have ended */
		u8 properties[VIOMMU_SLOT_SIZE];
	} answer;
};

void model_init(struct model *m, const struct viommu_config *c, u64 without);
void model_reset(struct model *m, u64 without);
void model_write_bypass(struct model *m, u8 val);

/* How long such a request should be, and the room for its answer. */
void model_sizes(const struct model *m, struct model_request *rq);
/* @t: the transfers in flight; NULL: none of that number. */
void model_run(struct model *m, struct model_request *rq, const struct model_transfer *const *t,
               unsigned int nr);

/* Where one byte's access arrives; 0: nowhere, or not in RAM. */
gpa_t model_reach(const struct model *m, unsigned int endpoint, u64 iova, u32 perm);
bool model_doorbell(const struct model *m, unsigned int endpoint, u64 iova, gpa_t *gpa);
void model_begin(const struct model *m, struct model_transfer *t, unsigned int endpoint, u64 iova,
                 u64 len);
/* An address that says something: at the ends of what is mapped, or of RAM. */
u64 model_interesting(const struct model *m, unsigned int endpoint, u64 random);
/* The range of one of the domain's mappings, if it has any. */
struct viommu_range model_some_range(const struct model *m, u64 random, u32 domain);
u64 model_nr_mappings(const struct model *m);

#endif
