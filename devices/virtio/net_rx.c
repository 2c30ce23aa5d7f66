// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network device's receive queues (virtio 1.3, 5.1.6.3, 5.1.6.4): frames are
 * read into the driver's buffers themselves. Buffers are held ahead, enough for
 * the longest frame; what they have no room for goes into the spill.
 */
#include "devices/virtio/net_private.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define TURN 64 /* frames, before others have their turn */

/* The beginning of a frame, as far as the device looks. */
struct start {
	struct virtio_net_hdr_v1 header;
	u8 destination[NET_MAC_LEN];
};
_Static_assert(sizeof(struct start) == NET_HEADER + NET_MAC_LEN, "as on the wire");

static bool is_mergeable(const struct rx *rx)
{
	return virtio_has(&rx->net->dev, VIRTIO_NET_F_MRG_RXBUF);
}

static struct rx_buffer *buffer(struct rx *rx, unsigned int i)
{
	return &rx->buffers[(rx->head + i) % NET_QUEUE_SIZE];
}

/* 5.1.6.3.1: a buffer has room for a header at least. */
static bool hold_buffer(struct rx *rx)
{
	struct rx_buffer *b = buffer(rx, rx->nr);

	if (!virtq_pop(rx->vq, &b->chain))
		return false;
	b->room = iov_bytes(&b->chain.iov[b->chain.nr_out], b->chain.nr_in);
	if (b->room < NET_HEADER) {
		virtio_needs_reset(&rx->net->dev);
		virtq_push(rx->vq, &b->chain, 0);
		return false;
	}
	rx->nr++;
	rx->nr_iov += b->chain.nr_in;
	rx->room += b->room;
	return true;
}

static bool may_hold_more(const struct rx *rx)
{
	if (!is_mergeable(rx))
		return !rx->nr;
	return rx->nr < rx->vq->size && rx->nr_iov + VIRTQ_MAX_IOV < NET_MAX_IOV;
}

static void hold(struct rx *rx, size_t room)
{
	while (rx->room < room && may_hold_more(rx) && hold_buffer(rx))
		;
}

/* The oldest buffer goes back, with @written bytes. */
static void give_back(struct rx *rx, size_t written)
{
	struct rx_buffer *b = buffer(rx, 0);

	rx->head = (rx->head + 1) % NET_QUEUE_SIZE;
	rx->nr--;
	rx->nr_iov -= b->chain.nr_in;
	rx->room -= b->room;
	virtq_fill(rx->vq, &b->chain, written);
}

void net_rx_release(struct rx *rx)
{
	while (rx->nr)
		give_back(rx, 0);
	rx->waiting = rx->waiting_at = 0;
}

/* All that is held, then the spill: entries of net->iov. */
static unsigned int lay_out(struct rx *rx)
{
	struct iovec *iov = rx->net->iov;
	unsigned int n = 0;

	for (unsigned int i = 0; i < rx->nr; i++) {
		const struct virtq_chain *c = &buffer(rx, i)->chain;

		memcpy(iov + n, c->iov + c->nr_out, c->nr_in * sizeof(*iov));
		n += c->nr_in;
	}
	iov[n++] = (struct iovec){ rx->spill, NET_MAX_FRAME };
	return n;
}

/* What of a waiting frame is in buffers goes into the spill as well. */
static void keep_frame(struct rx *rx)
{
	memmove(rx->spill + rx->waiting_at, rx->spill, rx->waiting - rx->waiting_at);
	iov_read(rx->net->iov, lay_out(rx), 0, rx->spill, rx->waiting_at);
	rx->waiting_at = 0;
}

/* Until something arrives, or there are more buffers, nothing that an IOMMU maps is held. */
static void unhold(struct rx *rx)
{
	if (!rx->net->dev.dma->translated)
		return;
	if (rx->waiting_at)
		keep_frame(rx);
	while (rx->nr) {
		struct rx_buffer *b = buffer(rx, --rx->nr);

		rx->nr_iov -= b->chain.nr_in;
		rx->room -= b->room;
		virtq_unpop(rx->vq, &b->chain);
	}
}

/* Bytes with the header, which a back end without offloads has none of. */
static ssize_t read_frame(struct rx *rx)
{
	static const struct virtio_net_hdr_v1 plain;
	struct net_backend *b = rx->net->backend;
	unsigned int nr = lay_out(rx);
	struct iovec *iov = rx->net->iov;
	ssize_t n;

	if (b->header)
		return b->ops->receive(b, rx->pair, iov, nr);
	iov = iov_skip(iov, &nr, NET_HEADER);
	n = b->ops->receive(b, rx->pair, iov, nr);
	if (n < 0)
		return n;
	iov_write(rx->net->iov, lay_out(rx), 0, &plain, sizeof(plain));
	return n + NET_HEADER;
}

/* 5.1.6.4.1: what a header may ask for, of a driver that took these offloads. */
static bool takes_header(const struct net *net, struct virtio_net_hdr_v1 *h)
{
	static const struct {
		u8 gso_type;
		u64 any_of;
	} needs[] = {
		{ VIRTIO_NET_HDR_GSO_TCPV4, BIT(VIRTIO_NET_F_GUEST_TSO4) },
		{ VIRTIO_NET_HDR_GSO_TCPV6, BIT(VIRTIO_NET_F_GUEST_TSO6) },
		{ VIRTIO_NET_HDR_GSO_UDP_L4,
		  BIT(VIRTIO_NET_F_GUEST_USO4) | BIT(VIRTIO_NET_F_GUEST_USO6) },
	};

	if (!(net->offloads & BIT(VIRTIO_NET_F_GUEST_CSUM))) {
		if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
			return false;
		h->flags = 0;
	}
	if (h->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if ((h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == needs[i].gso_type)
			return net->offloads & needs[i].any_of;
	return false;
}

/* 5.1.4.1: nothing longer than the MTU, but by segmentation offload. */
static bool fits_mtu(const struct net *net, const struct virtio_net_hdr_v1 *h, size_t len)
{
	return !virtio_has(&net->dev, VIRTIO_NET_F_MTU) || h->gso_type != VIRTIO_NET_HDR_GSO_NONE ||
	       len <= NET_HEADER + 14 + 4 + net->backend->mtu;
}

static unsigned int buffers_for(struct rx *rx, size_t len)
{
	unsigned int n = 1;

	for (size_t room = buffer(rx, 0)->room; room < len; n++)
		room += buffer(rx, n)->room;
	return n;
}

/* 5.1.6.4.1: buffers are filled completely, one after the other, and are seen together. */
static void deliver(struct rx *rx, struct virtio_net_hdr_v1 *header, size_t len)
{
	unsigned int n = buffers_for(rx, len);

	header->num_buffers = htole16(n);
	iov_write(rx->net->iov, lay_out(rx), 0, header, sizeof(*header));
	for (unsigned int i = 0; i < n; i++) {
		size_t room = buffer(rx, 0)->room;
		size_t written = len < room ? len : room;

		give_back(rx, written);
		len -= written;
	}
	virtq_publish(rx->vq);
	virtq_interrupt(rx->vq);
}

/* A frame of @len bytes is in the buffers: unless the driver does not want it, they go back. */
static void take_frame(struct rx *rx, size_t len)
{
	struct net *net = rx->net;
	struct start start;

	if (iov_read(net->iov, lay_out(rx), 0, &start, sizeof(start)) < sizeof(start) ||
	    len < sizeof(start) || !takes_header(net, &start.header) ||
	    !fits_mtu(net, &start.header, len) ||
	    !net_filter_wants(&net->filter, start.destination)) {
		trace(net->log, TRACE_VIRTIO, "net: a frame of %zu bytes is dropped", len);
		return;
	}
	deliver(rx, &start.header, len);
}

/* The frame that waits for buffers, if there are enough now. False: it still waits. */
static bool take_waiting(struct rx *rx)
{
	if (!rx->waiting)
		return true;
	hold(rx, rx->waiting);
	if (rx->room >= rx->waiting) {
		iov_write(rx->net->iov, lay_out(rx), rx->waiting_at, rx->spill,
		          rx->waiting - rx->waiting_at);
		take_frame(rx, rx->waiting);
	} else if (may_hold_more(rx)) {
		return false;
	}
	rx->waiting = rx->waiting_at =
		0; /* taken; or no number of the driver's buffers has room for it */
	return true;
}

static void readable(struct loop_op *op, int res)
{
	struct rx *rx = container_of(op, struct rx, poll);

	rx->polling = false;
	if (res >= 0)
		net_rx_run(rx);
}

static void wait_readable(struct rx *rx)
{
	if (rx->polling)
		return;
	rx->polling = true;
	loop_poll(rx->net->loop, &rx->poll, rx->net->backend->fds[rx->pair], POLLIN);
}

/* False: there is none, or nowhere to put it. */
static bool next_frame(struct rx *rx)
{
	ssize_t len;

	if (!take_waiting(rx))
		return false;
	hold(rx, NET_MAX_FRAME);
	if (!rx->nr)
		return false; /* a kick says that there are buffers */
	len = read_frame(rx);
	if (len == -EAGAIN) {
		wait_readable(rx);
		return false;
	}
	if (len < 0) {
		net_lost(rx->net, len);
		return false;
	}
	if ((size_t)len <= rx->room) {
		take_frame(rx, len);
	} else if (is_mergeable(rx) && (size_t)len <= NET_MAX_FRAME) { /* the spill's size */
		rx->waiting = len;
		rx->waiting_at = rx->room;
	}
	return true;
}

static bool may_run(const struct rx *rx)
{
	return rx->pair < rx->net->active && !rx->net->lost && virtq_is_live(rx->vq);
}

void net_rx_run(struct rx *rx)
{
	struct virtio_transport *t = rx->net->dev.transport;
	unsigned int n = 0;

	while (may_run(rx) && next_frame(rx))
		if (++n == TURN && t->again) {
			t->again(t, rx->vq);
			break;
		}
	unhold(rx);
}

int net_rx_init(struct rx *rx)
{
	rx->poll = (struct loop_op){ .done = readable, .endless = true };
	rx->buffers = calloc(NET_QUEUE_SIZE, sizeof(*rx->buffers));
	rx->spill = malloc(NET_MAX_FRAME);
	return rx->buffers && rx->spill ? 0 : -ENOMEM;
}

void net_rx_free(struct rx *rx)
{
	free(rx->buffers);
	free(rx->spill);
}
