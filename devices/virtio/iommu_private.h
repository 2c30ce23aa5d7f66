/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_IOMMU_PRIVATE_H
#define DEVICES_VIRTIO_IOMMU_PRIVATE_H

#include <linux/virtio_iommu.h>

#include "devices/pgtable/pgtable.h"
#include "devices/virtio/iommu.h"
#include "devices/virtio/iommu_page.h"
#include "devices/virtio/iommu_table.h"
#include "fault/port.h"
#include "vmm/iommu.h"

/* What the IOMMU device's files share: iommu.c, iommu_request.c, iommu_domain.c, iommu_fault.c,
 * iommu_page.c, iommu_table.c, iommu_walk.c. */
#define VIOMMU_REQUESTQ 0
#define VIOMMU_EVENTQ   1

/* A table that the driver owns (docs/virtio-iommu-experimental.md): what it was attached with. */
struct viommu_table {
	struct viommu *viommu; /* NULL: there is none */
	struct viommu_pgt_arm64 given;
	struct pgtable half[2]; /* of the addresses: by bit 55 */
	bool disabled[2];
	u16 asid;
	u8 cut;   /* log2 of the largest page or block that only a piece of is cached; 0: of none */
	u64 hand; /* where the next translation to go is looked for */
	bool moved; /* one went that messages were sent through */
};

/* A domain: it is there as long as an endpoint is attached to it (5.13.6.4). */
struct viommu_domain {
	struct viommu_domain *next;
	u32 id;
	bool bypass;
	unsigned int nr_endpoints;
	struct iova_space space; /* with a table: what is cached of it */
	struct viommu_table table;
	struct viommu_request *pending; /* the last INVALIDATE that waits; NULL: none does */
};

/* What is attached to a domain: an endpoint, or one of its processes. */
struct viommu_seat {
	struct viommu_domain *domain; /* NULL: to none */
	u32 pasid;                    /* DMA_NO_PASID: the endpoint itself */
};
#define VIOMMU_MAX_PROCESSES 64 /* of an endpoint */

struct viommu_endpoint {
	struct iommu_endpoint iommu;
	struct viommu *viommu;
	struct viommu_endpoint *next;
	struct viommu_seat own, processes[VIOMMU_MAX_PROCESSES];
	u32 (*id)(const void *ctx); /* NULL: not known to the driver */
	const void *ctx;
	struct fault_port port; /* its page requests */
	struct patience patience;
};

/* A request from pop to push: done when what it took away is no longer in use. */
struct viommu_request {
	struct dma_wait wait;
	struct viommu *viommu;
	struct virtq_chain chain;
	size_t tail; /* where in the device's part the tail is */
	u8 status;
	/* Of an INVALIDATE: */
	struct viommu_domain *last_of; /* whose pending one it is; NULL: nobody's */
	struct viommu_request *behind; /* waits for this one too; NULL: none does */
};

struct viommu {
	struct virtio_dev dev;
	struct virtq vq[2];
	struct virtio_iommu_config config;
	struct viommu_config host;
	struct viommu_endpoint *endpoints;
	struct viommu_domain *domains;
	struct iova_space everything; /* what is in bypass mode reaches: one mapping, IOVA to GPA */
	struct viommu_request *spare; /* for the next request; NULL: to be made */
	struct dma_wait reset;
	struct viommu_counts counts;
};

static inline struct viommu *viommu_of(struct virtio_dev *dev)
{
	return container_of(dev, struct viommu, dev);
}

/* iommu_request.c: the requests that are there (5.13.6). */
void viommu_run(struct viommu *v, struct virtq *vq);
bool viommu_in_domain_range(const struct viommu *v, u32 domain);
bool viommu_is_zero(const u8 *bytes, size_t len);
/* Properties (5.13.6.8): how many bytes of them an endpoint has. */
size_t viommu_probe_size(const struct viommu *v);

/* iommu_domain.c: what a request does; a status (VIRTIO_IOMMU_S_*). What transfers in flight still
 * use is what @wait waits for. */
struct viommu_endpoint *viommu_find_endpoint(const struct viommu *v, u32 id);
struct viommu_domain *viommu_find_domain(const struct viommu *v, u32 id);
/* @table: the domain's, or NULL. */
u8 viommu_attach(struct viommu *v, struct viommu_endpoint *e, u32 pasid, u32 domain, bool bypass,
                 const struct viommu_table *table, struct dma_wait *wait);
u8 viommu_detach(struct viommu *v, struct viommu_endpoint *e, u32 pasid, u32 domain,
                 struct dma_wait *wait);
/* The endpoint's own, or that of a process that is attached; NULL: it is not. */
struct viommu_seat *viommu_seat(struct viommu_endpoint *e, u32 pasid);
u8 viommu_map(struct viommu *v, struct viommu_domain *d, const struct iova_mapping *m);
u8 viommu_unmap(struct viommu *v, struct viommu_domain *d, u64 first, u64 last,
                struct dma_wait *wait);
/* What is cached of its table, from @first to @last and of @kinds (enum iova_kind), goes. */
void viommu_forget(struct viommu *v, struct viommu_domain *d, u64 first, u64 last, u32 kinds,
                   struct dma_wait *wait);
/* Every endpoint is attached to nothing, as the configuration's bypass has it. */
void viommu_detach_all(struct viommu *v, struct dma_wait *wait);
/* The driver has changed bypass: so have those that are attached to nothing. */
void viommu_bypass_changed(struct viommu *v);

/* iommu_fault.c: what endpoints could not do (5.13.6.9). */
extern const struct iommu_ops viommu_endpoint_ops;
/* A record of @len bytes for the driver. False: no buffer has room for it. */
bool viommu_report(struct viommu *v, const void *record, size_t len);

/* iommu_page.c: a page request for the driver, its answer, and the end of all that wait for one. */
bool viommu_page_request(struct iommu_endpoint *iommu, const struct dma_page_request *rq);
bool viommu_takes_pages(struct iommu_endpoint *iommu, u32 pasid);
/* There are buffers for events again. */
void viommu_pages_room(struct viommu *v);
void viommu_forget_pages(struct iommu_endpoint *iommu);
u8 viommu_page_response(struct viommu_request *rq, const struct viommu_req_page_response *b);
/* Of those that @seat was attached for. */
void viommu_see_group(const struct fault_port *p, const char *group, const char *what);
void viommu_refuse_pages(struct viommu_endpoint *e, const struct viommu_seat *seat);

/* iommu_table.c: requests about tables; what a PROBE says of them. */
u8 viommu_attach_table(struct viommu_request *rq, const struct viommu_req_attach_table *b);
u8 viommu_invalidate(struct viommu_request *rq, const struct viommu_req_invalidate *b);
struct viommu_probe_tables viommu_table_properties(void);

/* iommu_walk.c: iova_space.fetch of a domain with a table. */
struct iova_mapping *viommu_walk(struct iova_space *s, u64 iova, u32 perm, enum dma_reason *reason);

#endif
