// SPDX-License-Identifier: GPL-2.0-only
/* The network device's transmit queues (virtio 1.3, 5.1.6.2): guest memory is what is sent. */
#include "devices/virtio/net_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define TURN_BYTES (256u << 10) /* before others have their turn */

static void done(struct tx *tx, struct virtq_chain *chain)
{
	virtq_push(tx->vq, chain, 0);
	virtq_interrupt(tx->vq);
}

void net_tx_release(struct tx *tx)
{
	struct net_backend *b = tx->net->backend;

	if (tx->refused && b->ops->taken_back)
		b->ops->taken_back(b, tx->pair);
	tx->refused = false;
}

/* The next frame. Without a header it is none, and the ring is broken. */
static bool take_chain(struct tx *tx, struct virtq_chain *chain, size_t *len)
{
	if (!virtq_pop(tx->vq, chain))
		return false;
	*len = iov_bytes(chain->iov, chain->nr_out);
	if (*len >= NET_HEADER)
		return true;
	virtio_needs_reset(&tx->net->dev);
	done(tx, chain);
	return false;
}

/* False: not now. What no network could carry is lost at once. */
static bool send_chain(struct tx *tx, const struct virtq_chain *chain, size_t len)
{
	struct net *net = tx->net;
	struct net_backend *b = net->backend;
	struct iovec *iov = net->iov;
	unsigned int nr = chain->nr_out;

	if (net->lost || len > NET_MAX_FRAME)
		return true;
	memcpy(iov, chain->iov, nr * sizeof(*iov));
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
	struct virtq_chain *chain = &tx->chain;
	size_t bytes = 0, len;

	while (take_chain(tx, chain, &len)) {
		tx->refused = !send_chain(tx, chain, len);
		if (tx->refused) {
			virtq_unpop(tx->vq, chain);
			wait_writable(tx);
			return;
		}
		bytes += len;
		done(tx, chain);
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
