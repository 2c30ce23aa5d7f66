/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_IOMMU_H
#define DEVICES_VIRTIO_IOMMU_H

#include "devices/virtio/virtio.h"
#include "fault/port.h"

/*
 * The IOMMU device (virtio 1.3, 5.13): endpoints attached to domains, whose
 * mappings a driver sets. Everything is called under the device lock, or before
 * the guest runs.
 */
#define VIOMMU_MAX_RESERVED 24

struct viommu_range {
	u64 first, last; /* bytes, both included */
};

struct viommu_config {
	u64 page_size_mask; /* the lowest bit is the granule */
	struct viommu_range
		input; /* IOVAs that can be mapped; all of them: the feature is not offered */
	u32 first_domain, last_domain; /* the same */
	bool bypass;                   /* endpoints that are attached to nothing reach all memory */
	bool msi_window; /* the driver is told of msi, and messages there are not translated */
	struct viommu_range msi;
	u64 msi_move; /* its first 64 KiB are at GPAs so much further on, which may wrap; else 0 */
	/*
	 * Without that window: where the host maps the doorbell for the devices it has assigned.
	 * There the driver maps doorbells, which is ours to keep in mind, and nothing else.
	 */
	bool host_window;
	struct viommu_range host_msi;
	struct viommu_range doorbell;                      /* GPAs */
	struct viommu_range reserved[VIOMMU_MAX_RESERVED]; /* IOVAs that cannot be mapped */
	unsigned int nr_reserved;
	u64 max_mappings;                 /* of all domains together */
	bool page_requests, attach_table; /* experimental: docs/virtio-iommu-experimental.md */
};

/* 0 or -ENOMEM. @dma is the device's own way to its rings. It outlives what is behind it. */
int viommu_create(struct virtio_dev **dev, struct dma_space *dma, struct log *log,
                  const struct viommu_config *c);
void viommu_destroy(struct virtio_dev *dev);

/*
 * A requester behind it: its DMA space, freed with the device. The driver knows it by @id, as
 * @ctx has it at that time; until viommu_identify() it does not exist for the driver. 0 or -ENOMEM.
 */
struct viommu_endpoint;
int viommu_add_endpoint(struct virtio_dev *dev, struct viommu_endpoint **e);
struct dma_space *viommu_endpoint_dma(struct viommu_endpoint *e);
void viommu_identify(struct viommu_endpoint *e, u32 (*id)(const void *ctx), const void *ctx);
/* How long the guest has to answer what it asks for, in time by @loop and @vm (ms; 0: for ever). */
void viommu_set_patience(struct viommu_endpoint *e, struct loop *loop, struct vm *vm, u64 ms);

/* What it has done since it was made. */
struct viommu_counts {
	u64 requests[6];       /* by type; [0]: what was none, or is experimental */
	u64 failed;            /* requests whose status was not OK */
	u64 mappings, domains; /* that there are now */
	u64 accesses, faults;  /* of all endpoints */
	u64 events, lost;      /* records for the driver; lost, for want of a buffer */
	struct fault_counts pages;
};
void viommu_count(const struct virtio_dev *dev, struct viommu_counts *c);
/* The groups of page requests that wait for the driver. */
void viommu_each_waiting(const struct virtio_dev *dev, fault_seen *seen, void *ctx);
/* Whether @dev is one. */
bool viommu_is(const struct virtio_dev *dev);

#endif
