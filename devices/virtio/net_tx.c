// SPDX-License-Identifier: GPL-2.0-only
/* The network device's transmit queues (virtio 1.3, 5.1.6.2): guest memory is what is sent. */
#include "devices/virtio/net_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define TURN_BYTES (256u << 10) /* before others have their turn */

static void release(struct tx *tx)
{
	tx->held = false;
	virtq_push(tx->vq, &tx->chain, 0);
	virtq_interrupt(tx->vq);
}

void net_tx_release(struct tx *tx)
{
	struct net_backend *b = tx->net->backend;

	if (!tx->held)
		return;
	if (b->ops->taken_back)
		b->ops->taken_back(b, tx->pair);
	release(tx);
}

/* The next frame, unless one is held already. Without a header it is none, and the ring is broken.
 */
static bool take_chain(struct tx *tx)
{
	if (tx->held)
		return true;
	if (!virtq_pop(tx->vq, &tx->chain))
		return false;
	tx->held = true;
	tx->len = iov_bytes(tx->chain.iov, tx->chain.nr_out);
	if (tx->len >= NET_HEADER)
		return true;
	virtio_needs_reset(&tx->net->dev);
	release(tx);
	return false;
}

/* False: not now. What no network could carry is lost at once. */
static bool send_chain(struct tx *tx)
{
	struct net *net = tx->net;
	struct net_backend *b = net->backend;
	struct iovec *iov = net->iov;
	unsigned int nr = tx->chain.nr_out;

	if (net->lost || tx->len > NET_MAX_FRAME)
		return true;
	memcpy(iov, tx->chain.iov, nr * sizeof(*iov));
	if (!b->header)
		iov = iov_skip(iov, &nr, NET_HEADER);
	return b->ops->send(b, tx->pair, iov, nr) != -EAGAIN;
}

static void writable(struct loop_op *op, int res)
{
	struct tx *tx = container_of(op, struct tx, poll);

	tx->polling = false;
	if (res >= 0 && virtq_is_live(tx->vq))
		net_tx_run(tx);
}

static void wait_writable(struct tx *tx)
{
	if (tx->polling)
		return;
	tx->polling = true;
	loop_poll(tx->net->loop, &tx->poll, tx->net->backend->fds[tx->pair], POLLOUT);
}

void net_tx_run(struct tx *tx)
{
	struct virtio_transport *t = tx->net->dev.transport;
	size_t bytes = 0;

	while (take_chain(tx)) {
		if (!send_chain(tx)) {
			wait_writable(tx);
			return;
		}
		bytes += tx->len;
		release(tx);
		if (bytes >= TURN_BYTES && t->again) {
			t->again(t, tx->vq);
			return;
		}
	}
}

void net_tx_init(struct tx *tx)
{
	tx->poll = (struct loop_op){ .done = writable, .endless = true };
}
