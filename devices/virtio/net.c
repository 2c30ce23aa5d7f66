// SPDX-License-Identifier: GPL-2.0-only
/* Network device (virtio 1.3, 5.1): features, configuration, and which queue is which. */
#include "devices/virtio/net.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/net_private.h"

static struct net *net_of(struct virtio_dev *dev)
{
	return container_of(dev, struct net, dev);
}

/* 5.1.2: the control queue comes behind all pairs if there can be several,
 * else behind the first. */
static unsigned int ctrl_queue(const struct net *net)
{
	return virtio_has(&net->dev, VIRTIO_NET_F_MQ) ? 2 * net->backend->nr_pairs : 2;
}

static void net_notify(struct virtio_dev *dev, struct virtq *vq)
{
	struct net *net = net_of(dev);

	if (vq->index == ctrl_queue(net) && virtio_has(dev, VIRTIO_NET_F_CTRL_VQ))
		net_ctrl_run(net, vq);
	else if (vq->index / 2 >= net->backend->nr_pairs)
		return; /* where the control queue would be, had the driver taken it */
	else if (vq->index % 2)
		net_tx_run(&net->tx[vq->index / 2]);
	else
		net_rx_run(&net->rx[vq->index / 2]);
}

void net_set_offloads(struct net *net, u64 features)
{
	struct net_backend *b = net->backend;

	net->offloads = features;
	if (b->ops->set_offloads && !net->lost)
		b->ops->set_offloads(b, features);
}

/* 5.1.6.5.6: from now on frames arrive for these. */
void net_set_pairs(struct net *net, unsigned int nr)
{
	struct net_backend *b = net->backend;

	net->active = nr;
	if (b->ops->set_pairs && !net->lost)
		b->ops->set_pairs(b, nr);
	for (unsigned int i = 0; i < nr; i++)
		net_rx_run(&net->rx[i]);
}

/* 5.1.3.1: without checksums there is no segmentation either, whatever the driver took. */
static void net_negotiated(struct virtio_dev *dev)
{
	u64 offloads = dev->acked & NET_GUEST_OFFLOADS;

	net_set_offloads(net_of(dev), virtio_has(dev, VIRTIO_NET_F_GUEST_CSUM) ? offloads : 0);
}

static void net_reset(struct virtio_dev *dev)
{
	struct net *net = net_of(dev);

	net->active = 0; /* nothing runs until the next driver has set its features */
	for (unsigned int i = 0; i < net->backend->nr_pairs; i++) {
		net_rx_release(&net->rx[i]);
		net_tx_release(&net->tx[i]);
	}
	memcpy(net->config.mac, net->mac, NET_MAC_LEN);
	net_filter_reset(&net->filter, net->mac);
	net_set_offloads(net, 0);
	net_set_pairs(net, 1);
}

static void net_queue_reset(struct virtio_dev *dev, struct virtq *vq)
{
	struct net *net = net_of(dev);

	if (vq->index / 2 >= net->backend->nr_pairs)
		return;
	if (vq->index % 2)
		net_tx_release(&net->tx[vq->index / 2]);
	else
		net_rx_release(&net->rx[vq->index / 2]);
}

void net_set_link(struct virtio_dev *dev, bool up)
{
	struct net *net = net_of(dev);
	u16 status = up ? VIRTIO_NET_S_LINK_UP : 0;

	if (net->config.status == htole16(status))
		return;
	net->config.status = htole16(status);
	virtio_config_changed(dev);
}

void net_lost(struct net *net, int err)
{
	if (net->lost)
		return;
	net->lost = true;
	net_set_link(&net->dev, false);
	if (net->watcher)
		net->watcher->lost(net->watcher, err);
}

static const struct virtio_type net_type = {
	.name = "net",
	.id = VIRTIO_ID_NET,
	.pci_class = 0x020000, /* network controller, Ethernet */
	.queue_size = NET_QUEUE_SIZE,
	.config_size = sizeof(struct virtio_net_config),
	.notify = net_notify,
	.reset = net_reset,
	.queue_reset = net_queue_reset,
	.negotiated = net_negotiated,
};

static u64 features(const struct net_backend *b)
{
	u64 f = b->features | BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS) |
	        BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_CTRL_VQ) |
	        BIT(VIRTIO_NET_F_CTRL_RX) | BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) |
	        BIT(VIRTIO_NET_F_CTRL_MAC_ADDR) | BIT(VIRTIO_NET_F_SPEED_DUPLEX) | VIRTQ_FEATURES;

	if (b->features & NET_GUEST_OFFLOADS)
		f |= BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	if (b->mtu)
		f |= BIT(VIRTIO_NET_F_MTU);
	if (b->nr_pairs > 1)
		f |= BIT(VIRTIO_NET_F_MQ);
	return f;
}

static int create_queues(struct net *net)
{
	int err = 0;

	for (unsigned int i = 0; i < net->backend->nr_pairs && !err; i++) {
		struct rx *rx = &net->rx[i];
		struct tx *tx = &net->tx[i];

		rx->net = tx->net = net;
		rx->pair = tx->pair = i;
		rx->vq = &net->vq[2 * i];
		tx->vq = &net->vq[2 * i + 1];
		net_tx_init(tx);
		err = net_rx_init(rx);
	}
	return err;
}

static void free_net(struct net *net)
{
	for (unsigned int i = 0; i < NET_MAX_PAIRS; i++)
		net_rx_free(&net->rx[i]);
	free(net);
}

static void init_config(struct net *net, const struct net_config *c)
{
	memcpy(net->mac, c->mac, NET_MAC_LEN);
	memcpy(net->config.mac, c->mac, NET_MAC_LEN);
	net_filter_reset(&net->filter, c->mac);
	net->config.status = htole16(VIRTIO_NET_S_LINK_UP);
	net->config.max_virtqueue_pairs = htole16(c->backend->nr_pairs);
	net->config.mtu = htole16(c->backend->mtu);
	net->config.speed = htole32(~0u); /* unknown, as is the other */
	net->config.duplex = 0xff;
}

int net_create(struct virtio_dev **dev, struct loop *loop, struct dma_space *dma, struct log *log,
               const struct net_config *c)
{
	struct net *net = calloc(1, sizeof(*net));

	if (!net)
		return -ENOMEM;
	net->loop = loop;
	net->log = log;
	net->backend = c->backend;
	net->watcher = c->watcher;
	if (create_queues(net)) {
		free_net(net);
		return -ENOMEM;
	}
	init_config(net, c);
	net->dev.type = &net_type;
	net->dev.config = &net->config;
	net->dev.vq = net->vq;
	net->dev.nr_queues = 2 * c->backend->nr_pairs + 1;
	net->dev.features = features(c->backend);
	virtio_init(&net->dev, dma, log);
	net_set_pairs(net, 1);
	*dev = &net->dev;
	return 0;
}

void net_destroy(struct virtio_dev *dev)
{
	struct net *net = net_of(dev);

	net->backend->ops->destroy(net->backend);
	free_net(net);
}
