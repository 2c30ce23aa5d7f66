/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_VIRTQ_PRIVATE_H
#define DEVICES_VIRTIO_VIRTQ_PRIVATE_H

#include "devices/virtio/virtio.h"

/* What both sides of a ring share: virtq.c takes, virtq_used.c gives back. */

/* The rings' words (2.7.6, 2.7.8). */
#define AVAIL_FLAGS(vq)      ((vq)->avail)
#define AVAIL_IDX(vq)        ((vq)->avail + 2)
#define AVAIL_RING(vq, at)   ((vq)->avail + 4 + (u64)(at) % (vq)->size * 2)
#define AVAIL_USED_EVENT(vq) ((vq)->avail + 4 + (u64)(vq)->size * 2)
#define USED_FLAGS(vq)       ((vq)->used)
#define USED_IDX(vq)         ((vq)->used + 2)
#define USED_RING(vq, at)    ((vq)->used + 4 + (u64)(at) % (vq)->size * 8)
#define USED_AVAIL_EVENT(vq) ((vq)->used + 4 + (u64)(vq)->size * 8)

void virtq_unmap(struct virtq *vq, struct virtq_chain *chain);
/* What of the used side has waited goes on. */
void virtq_used_resumed(struct dma_token *token);
/* Nothing was given back yet. */
void virtq_used_reset(struct virtq *vq);

/* Chains that were given back, and that the driver does not see yet. */
static inline unsigned int virtq_unseen(const struct virtq *vq)
{
	return (u16)(vq->next_used - vq->published);
}

#endif
