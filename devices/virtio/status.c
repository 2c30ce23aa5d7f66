// SPDX-License-Identifier: GPL-2.0-only
/* The device status field: initialisation, reset, NEEDS_RESET (virtio 1.3, 2.1, 2.4, 3.1). */
#include <linux/virtio_config.h>

#include "devices/virtio/virtq_private.h"

static void token_resumed(struct dma_token *token)
{
	struct virtq *vq = container_of(token, struct virtq, token);

	virtio_notify(vq->dev, vq->index);
}

void virtio_init(struct virtio_dev *dev, struct dma_space *dma, struct log *log)
{
	dev->dma = dma;
	dev->log = log;
	dev->features |= BIT(VIRTIO_F_VERSION_1);
	if (dma->translated)
		dev->features |= BIT(VIRTIO_F_ACCESS_PLATFORM);
	for (unsigned int i = 0; i < dev->nr_queues; i++) {
		dev->vq[i].dev = dev;
		dev->vq[i].index = i;
		dev->vq[i].notify_off = i;
		dev->vq[i].max = dev->type->queue_size;
		dev->vq[i].token.resume = token_resumed;
		dev->vq[i].used_token.resume = virtq_used_resumed;
		virtq_reset(&dev->vq[i]);
	}
}

static void finish_reset(struct virtio_dev *dev)
{
	dev->resetting = false;
	dev->status = 0;
	dev->acked = 0;
	for (unsigned int i = 0; i < dev->nr_queues; i++)
		virtq_reset(&dev->vq[i]);
}

/* 2.4.2: the driver waits until status reads 0, which it does when nothing is in flight. */
static void reset(struct virtio_dev *dev)
{
	if (dev->resetting)
		return;
	dev->resetting = true;
	if (dev->type->reset)
		dev->type->reset(dev);
	if (!dev->in_flight)
		finish_reset(dev);
}

void virtio_reset_queue(struct virtq *vq)
{
	if (vq->resetting)
		return;
	trace(vq->dev->log, TRACE_VIRTIO, "%s: queue %u resets", vq->dev->type->name, vq->index);
	vq->resetting = 1;
	if (vq->dev->type->queue_reset)
		vq->dev->type->queue_reset(vq->dev, vq);
	if (!vq->in_flight)
		virtq_reset(vq);
}

void virtio_finished(struct virtio_dev *dev)
{
	if (!--dev->in_flight && dev->resetting)
		finish_reset(dev);
}

/* Features are settled once: a subset of what was offered, never the legacy interface (3.1.1),
 * and not past an IOMMU (6.2). */
static bool features_ok(const struct virtio_dev *dev)
{
	u64 needed = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM);

	return !(dev->acked & ~dev->features) && !(dev->features & needed & ~dev->acked);
}

void virtio_set_status(struct virtio_dev *dev, u8 status)
{
	bool ready;

	trace(dev->log, TRACE_VIRTIO, "%s: status %#x -> %#x", dev->type->name, dev->status,
	      status);
	if (!status) {
		reset(dev);
		return;
	}
	/* 2.1.1: a driver clears no bit but by reset, and does not set ours. */
	if (dev->resetting || dev->status & ~status & ~VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	status &= ~VIRTIO_CONFIG_S_NEEDS_RESET;
	if (status & ~dev->status & VIRTIO_CONFIG_S_FEATURES_OK && !features_ok(dev))
		status &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if (!(status & VIRTIO_CONFIG_S_FEATURES_OK))
		status &= ~VIRTIO_CONFIG_S_DRIVER_OK;
	if (status & ~dev->status & VIRTIO_CONFIG_S_FEATURES_OK && dev->type->negotiated)
		dev->type->negotiated(dev);
	ready = status & ~dev->status & VIRTIO_CONFIG_S_DRIVER_OK;
	dev->status |= status;
	if (ready && dev->type->driver_ok)
		dev->type->driver_ok(dev);
}

void virtio_config_changed(struct virtio_dev *dev)
{
	dev->config_generation++;
	if (dev->status & VIRTIO_CONFIG_S_DRIVER_OK && !dev->resetting)
		dev->transport->config_changed(dev->transport);
}

void virtio_needs_reset(struct virtio_dev *dev)
{
	if (dev->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	trace(dev->log, TRACE_VIRTIO, "%s: needs reset", dev->type->name);
	dev->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	virtio_config_changed(dev);
}

bool virtq_is_live(const struct virtq *vq)
{
	const struct virtio_dev *dev = vq->dev;
	u8 state = dev->status & (VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_NEEDS_RESET);

	return state == VIRTIO_CONFIG_S_DRIVER_OK && !dev->resetting && !dev->held && vq->enabled &&
	       !vq->resetting;
}

void virtio_notify(struct virtio_dev *dev, unsigned int index)
{
	struct virtq *vq = &dev->vq[index];

	vq->notified++;
	if (!virtq_is_live(vq))
		return;
	vq->budget = dev->transport->again ? vq->size + 2 : 0;
	dev->type->notify(dev, vq);
	if (vq->budget == 1)
		dev->transport->again(dev->transport, vq);
	vq->budget = 0;
}
