// SPDX-License-Identifier: GPL-2.0-only
/* IOMMU device (virtio 1.3, 5.13): features, configuration, its endpoints, reset. */
#include "devices/virtio/iommu.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>

#include "devices/virtio/iommu_private.h"

#define QUEUE_SIZE VIRTQ_MAX_SIZE

static void notify(struct virtio_dev *dev, struct virtq *vq)
{
	if (vq->index == VIOMMU_REQUESTQ)
		viommu_run(viommu_of(dev), vq);
	else
		viommu_pages_room(viommu_of(dev));
}

/* What was in flight has ended: so has the reset. */
static void reset_waited(struct dma_wait *w)
{
	virtio_finished(&container_of(w, struct viommu, reset)->dev);
}

/* 5.13.5: endpoints are attached to no domain. What was in flight counts as a
 * request of its own. */
static void reset(struct virtio_dev *dev)
{
	struct viommu *v = viommu_of(dev);

	v->reset = (struct dma_wait){ .left = 1, .done = reset_waited };
	dev->in_flight++;
	viommu_detach_all(v, &v->reset);
	if (--v->reset.left)
		return;
	dev->in_flight--; /* the caller looks whether anything is */
}

/* 5.13.4.1: of the configuration a driver writes only bypass, and only 0 or 1. */
static void config_write(struct virtio_dev *dev, u64 offset, unsigned int size, u64 val)
{
	struct viommu *v = viommu_of(dev);

	if (offset != offsetof(struct virtio_iommu_config, bypass) || size != 1 || val > 1 ||
	    !virtio_has(dev, VIRTIO_IOMMU_F_BYPASS_CONFIG) || val == v->config.bypass)
		return;
	v->config.bypass = val;
	viommu_bypass_changed(v);
}

static const struct virtio_type viommu_type = {
	.name = "iommu",
	.id = VIRTIO_ID_IOMMU,
	.pci_class = 0x080600, /* system peripheral, IOMMU */
	.queue_size = QUEUE_SIZE,
	.polled = BIT(VIOMMU_REQUESTQ),
	.config_size = sizeof(struct virtio_iommu_config),
	.notify = notify,
	.reset = reset,
	.config_write = config_write,
};

bool viommu_is(const struct virtio_dev *dev)
{
	return dev->type == &viommu_type;
}

static u64 features(const struct viommu_config *c)
{
	u64 f = BIT(VIRTIO_IOMMU_F_MAP_UNMAP) | BIT(VIRTIO_IOMMU_F_PROBE) |
	        BIT(VIRTIO_IOMMU_F_MMIO) | BIT(VIRTIO_IOMMU_F_BYPASS_CONFIG) | VIRTQ_FEATURES;

	if (c->page_requests)
		f |= BIT(VIOMMU_F_PAGE_REQUEST);
	if (c->attach_table)
		f |= BIT(VIOMMU_F_ATTACH_TABLE);
	if (c->input.first || c->input.last != ~0ULL)
		f |= BIT(VIRTIO_IOMMU_F_INPUT_RANGE);
	if (c->first_domain || c->last_domain != ~0u)
		f |= BIT(VIRTIO_IOMMU_F_DOMAIN_RANGE);
	return f;
}

static struct virtio_iommu_config configuration(const struct viommu *v)
{
	const struct viommu_config *c = &v->host;

	return (struct virtio_iommu_config){
		.page_size_mask = htole64(c->page_size_mask),
		.input_range = { htole64(c->input.first), htole64(c->input.last) },
		.domain_range = { htole32(c->first_domain), htole32(c->last_domain) },
		.probe_size = htole32(viommu_probe_size(v)),
		.bypass = c->bypass,
	};
}

int viommu_create(struct virtio_dev **dev, struct dma_space *dma, struct log *log,
                  const struct viommu_config *c)
{
	static const struct iova_mapping all = {
		.last = ~0ULL,
		.perm = DMA_READ | DMA_WRITE | DMA_EXEC,
	};
	struct viommu *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->host = *c;
	v->config = configuration(v);
	iova_init(&v->everything);
	v->everything.identity = true;
	v->everything.any_pasid = true; /* 5.13.6: in bypass mode nothing is translated */
	if (iova_map(&v->everything, &all)) {
		free(v);
		return -ENOMEM;
	}
	v->dev.type = &viommu_type;
	v->dev.config = &v->config;
	v->dev.vq = v->vq;
	v->dev.nr_queues = ARRAY_SIZE(v->vq);
	v->dev.features = features(c);
	virtio_init(&v->dev, dma, log);
	*dev = &v->dev;
	return 0;
}

void viommu_destroy(struct virtio_dev *dev)
{
	struct viommu *v = viommu_of(dev);
	struct viommu_endpoint *e;

	v->config.bypass = 0;
	for (e = v->endpoints; e; e = e->next)
		e->id = NULL; /* who is known by it has gone before */
	viommu_detach_all(v, NULL);
	while ((e = v->endpoints)) {
		v->endpoints = e->next;
		free(e);
	}
	iova_clear(&v->everything);
	free(v->spare);
	free(v);
}

int viommu_add_endpoint(struct virtio_dev *dev, struct viommu_endpoint **out)
{
	struct viommu *v = viommu_of(dev);
	struct viommu_endpoint *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->viommu = v;
	e->own.pasid = DMA_NO_PASID;
	iommu_endpoint_init(&e->iommu, &viommu_endpoint_ops, v->dev.dma->mem);
	fault_port_init(&e->port, &e->iommu.dma, &e->patience);
	e->port.see = viommu_see_group;
	if (v->host.msi_window) {
		e->iommu.msi_first = v->host.msi.first;
		e->iommu.msi_last = v->host.msi.last;
		e->iommu.msi_move = v->host.msi_move;
	}
	if (v->config.bypass && iommu_attach(&e->iommu, &v->everything, NULL)) {
		free(e);
		return -ENOMEM;
	}
	e->next = v->endpoints;
	v->endpoints = e;
	*out = e;
	return 0;
}

struct dma_space *viommu_endpoint_dma(struct viommu_endpoint *e)
{
	return &e->iommu.dma;
}

void viommu_identify(struct viommu_endpoint *e, u32 (*id)(const void *ctx), const void *ctx)
{
	e->id = id;
	e->ctx = ctx;
}

static bool look(struct patience *p, u64 *oldest)
{
	struct fault_port *port = &container_of(p, struct viommu_endpoint, patience)->port;

	fault_end_overdue(port);
	return fault_find_oldest(port, oldest);
}

void viommu_set_patience(struct viommu_endpoint *e, struct loop *loop, struct vm *vm, u64 ms)
{
	e->patience = (struct patience){ .loop = loop, .vm = vm, .ms = ms, .look = look };
	patience_init(&e->patience);
}

void viommu_each_waiting(const struct virtio_dev *dev, fault_seen *seen, void *ctx)
{
	const struct viommu *v = container_of((struct virtio_dev *)dev, struct viommu, dev);

	for (const struct viommu_endpoint *e = v->endpoints; e; e = e->next)
		fault_each(&e->port, e->id ? e->id(e->ctx) : 0, seen, ctx);
}

void viommu_count(const struct virtio_dev *dev, struct viommu_counts *c)
{
	const struct viommu *v = container_of((struct virtio_dev *)dev, struct viommu, dev);

	*c = v->counts;
	for (const struct viommu_endpoint *e = v->endpoints; e; e = e->next) {
		c->accesses += e->iommu.accesses;
		c->faults += e->iommu.faults;
		fault_count(&e->port, &c->pages);
	}
}
