// SPDX-License-Identifier: GPL-2.0-only
/* BARs of an assigned function in the address space of the host's that is the guest's physical one:
 * so that other functions reach them there. */
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "vfio/pci_private.h"

/* What VFIO_DEVICE_FEATURE takes for one range (vfio.h). */
struct dma_buf_request {
	struct vfio_device_feature head;
	struct vfio_device_feature_dma_buf dma_buf;
	struct vfio_region_dma_range range;
};

/* A file that stands for the piece's memory, until the function no longer decodes it. -errno:
 * older kernels, and those without CONFIG_VFIO_PCI_DMABUF, have none. */
static int open_piece(const struct vfio_region *r, const struct vfio_piece *piece)
{
	struct uapi *u = vfio_uapi_of(r->pci);
	struct dma_buf_request rq = {
		.head = { .argsz = sizeof(rq),
		          .flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF },
		.dma_buf = { .region_index = VFIO_PCI_BAR0_REGION_INDEX + r->bar,
		             .open_flags = O_RDWR | O_CLOEXEC,
		             .nr_ranges = 1 },
		.range = { .offset = piece->at, .length = piece->len },
	};

	return u->ops->feature(u, r->pci->dev->fd, &rq.head);
}

/* Nobody is there to reach it: then it is not worth the calls. */
static bool is_alone(const struct vfio_pci *p)
{
	return p->dev->context->nr_devices < 2;
}

/* What the host refuses is not there for others, as on many machines: no driver can count on it. */
void vfio_peer_add(struct vfio_region *r, struct vfio_piece *piece, gpa_t at)
{
	struct vfio_context *c = r->pci->dev->context;
	struct iommu_ioas_map_file map = {
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |
		         IOMMU_IOAS_MAP_READABLE,
		.ioas_id = c->ioas,
		.length = piece->len,
		.iova = at + piece->at,
	};

	if (piece->peers_have || is_alone(r->pci))
		return;
	map.fd = open_piece(r, piece);
	if (map.fd < 0)
		return;
	piece->peers_have = !c->uapi.ops->ioas_map_file(&c->uapi, &map);
	piece->peers_at = map.iova;
	c->uapi.ops->close(&c->uapi, map.fd); /* a mapping has its own hold of it */
}

void vfio_peer_remove(struct vfio_region *r, struct vfio_piece *piece)
{
	struct vfio_context *c = r->pci->dev->context;
	struct iommu_ioas_unmap unmap = { .ioas_id = c->ioas,
		                          .iova = piece->peers_at,
		                          .length = piece->len };

	if (piece->peers_have)
		c->uapi.ops->ioas_unmap(&c->uapi, &unmap);
	piece->peers_have = false;
}

static void renew(struct vfio_region *r)
{
	for (unsigned int i = 0; i < r->nr_pieces; i++) {
		struct vfio_piece *piece = &r->pieces[i];

		if (!piece->peers_have)
			continue;
		vfio_peer_remove(r, piece);
		vfio_peer_add(r, piece, piece->peers_at - piece->at);
	}
}

/* Linux revokes for good what stands for BARs of functions that it resets together
 * (iopt_revoke_notify()), and says to none of them which they were. */
void vfio_peers_renew(struct vfio_context *c)
{
	for (struct vfio_pci *p = c->functions; p; p = p->next)
		for (unsigned int bar = 0; bar < PCI_NR_BARS; bar++)
			renew(&p->regions[bar]);
}
