/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_NET_H
#define DEVICES_VIRTIO_NET_H

#include <sys/types.h>
#include <sys/uio.h>

#include "vmm/types.h"

struct dma_space;
struct log;
struct loop;
struct net_backend;
struct virtio_dev;

#define NET_MAX_PAIRS                                                              \
	7 /* a receive and a transmit queue each; with the control queue, 15 of 16 \
	   */
#define NET_MAC_LEN 6

/*
 * What the device exchanges Ethernet frames with: the rest of the network.
 * Nothing here waits. Everything is called under the device lock; @pair is a
 * queue pair, counted from 0 and less than nr_pairs.
 */
struct net_backend_ops {
	/*
	 * The next frame for @pair into @iov, which has room for the longest there
	 * is: its bytes. -EAGAIN: none is there, wait for fds[pair] to be readable.
	 * Any other -errno: there will be none any more.
	 */
	ssize_t (*receive)(struct net_backend *b, unsigned int pair, const struct iovec *iov,
	                   unsigned int nr);
	/*
	 * Takes a frame, or loses it as networks do: 0. -EAGAIN: not now, wait for
	 * fds[pair] to be writable and send it again.
	 */
	int (*send)(struct net_backend *b, unsigned int pair, const struct iovec *iov,
	            unsigned int nr);
	/* The frame that was to be sent again will not be. NULL: it makes no difference. */
	void (*taken_back)(struct net_backend *b, unsigned int pair);
	/* The guest takes frames with these GUEST_ features' offloads. NULL: there are none. */
	void (*set_offloads)(struct net_backend *b, u64 features);
	/* Frames arrive for the first @nr pairs alone. NULL: there is one. */
	void (*set_pairs)(struct net_backend *b, unsigned int nr);
	void (*destroy)(struct net_backend *b);
};

struct net_backend {
	const struct net_backend_ops *ops;
	/* VIRTIO_NET_F_ bits of offloads, of both directions. Each frame begins with a struct
	 * virtio_net_hdr_v1 where there are any, and else with its Ethernet header. */
	u64 features;
	bool header;
	u16 mtu; /* 0: not told to the guest */
	unsigned int nr_pairs;
	int fds[NET_MAX_PAIRS];
};

/* Who is told that no frame will come any more, once; the device's link is down then. */
struct net_watcher {
	void (*lost)(struct net_watcher *w, int err);
};

struct net_config {
	struct net_backend *backend; /* the device's from now on */
	u8 mac[NET_MAC_LEN];
	struct net_watcher *watcher; /* or NULL */
};

/* A network device (virtio 1.3, 5.1) that waits for its back end on @loop. 0 or -ENOMEM. */
int net_create(struct virtio_dev **dev, struct loop *loop, struct dma_space *dma, struct log *log,
               const struct net_config *c);
/* When the loop has been drained. */
void net_destroy(struct virtio_dev *dev);
/* The link goes up or down, and the driver is told (5.1.4, status). */
void net_set_link(struct virtio_dev *dev, bool up);

#endif
