/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_NET_PRIVATE_H
#define DEVICES_VIRTIO_NET_PRIVATE_H

#include <linux/virtio_net.h>

#include "devices/virtio/net.h"
#include "devices/virtio/virtio.h"
#include "vmm/loop.h"

/* What the network device's files share: net.c, net_rx.c, net_tx.c, net_ctrl.c, net_filter.c. */
#define NET_QUEUE_SIZE VIRTQ_MAX_SIZE
#define NET_HEADER     sizeof(struct virtio_net_hdr_v1)
/* 5.1.6.3: the longest TCP or UDP packet behind an Ethernet header, here with a VLAN tag. */
#define NET_MAX_FRAME (NET_HEADER + 14 + 4 + 65535)
#define NET_MAX_MACS  64 /* of each kind; more of them: all are received (5.1.6.5.2) */

/* Which VIRTIO_NET_F_GUEST_ features are offloads (5.1.6.5.8). */
#define NET_GUEST_OFFLOADS                                             \
	(BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | \
	 BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN) |  \
	 BIT(VIRTIO_NET_F_GUEST_USO4) | BIT(VIRTIO_NET_F_GUEST_USO6))

/* What one frame is read into: held buffers, and the spill. */
#define NET_MAX_IOV 1024

struct net;

/* A receive buffer of the driver's, held until a frame needs it. */
struct rx_buffer {
	struct virtq_chain chain;
	size_t room; /* bytes */
};

struct rx {
	struct net *net;
	struct virtq *vq;
	unsigned int pair;
	struct rx_buffer *buffers;     /* a ring of NET_QUEUE_SIZE, oldest first */
	unsigned int head, nr, nr_iov; /* nr_iov: entries of those that are held */
	size_t room;                   /* of all that are held */
	/* A frame that there were too few buffers for, whose tail waits in spill. */
	size_t waiting, waiting_at; /* its bytes, 0: none; those that are in buffers */
	u8 *spill;                  /* NET_MAX_FRAME bytes */
	struct loop_op poll;
	bool polling;
};

struct tx {
	struct net *net;
	struct virtq *vq;
	unsigned int pair;
	struct virtq_chain chain; /* of the frame that is sent now */
	bool refused;             /* the last one: it is to be sent again */
	struct loop_op poll;
	bool polling;
};

/* Which frames the driver wants (5.1.6.5.1, 5.1.6.5.2). */
struct net_filter {
	/* of VIRTIO_NET_CTRL_RX, in the order of its commands */
	bool modes[VIRTIO_NET_CTRL_RX_NOBCAST + 1];
	u8 mac[NET_MAC_LEN];
	struct net_macs {
		unsigned int nr;
		bool all; /* there were too many */
		u8 mac[NET_MAX_MACS][NET_MAC_LEN];
	} unicast, multicast;
};

struct net {
	struct virtio_dev dev;
	struct virtq vq[VIRTQ_MAX_QUEUES];
	struct virtio_net_config config;
	struct loop *loop;
	struct log *log;
	struct net_backend *backend;
	struct net_watcher *watcher;
	u8 mac[NET_MAC_LEN]; /* out of reset */
	u64 offloads;        /* GUEST_ features in use now */
	unsigned int active; /* pairs that the driver uses */
	bool lost;
	struct net_filter filter;
	struct iovec iov[NET_MAX_IOV]; /* of the frame that is read or sent now */
	struct rx rx[NET_MAX_PAIRS];
	struct tx tx[NET_MAX_PAIRS];
};

/* net_rx.c: frames into buffers, as long as there are both. */
int net_rx_init(struct rx *rx);
void net_rx_run(struct rx *rx);
/* Gives all held buffers back, unused. */
void net_rx_release(struct rx *rx);
void net_rx_free(struct rx *rx);

/* net_tx.c */
void net_tx_init(struct tx *tx);
void net_tx_run(struct tx *tx);
void net_tx_release(struct tx *tx);

/* net_ctrl.c: the commands of the control queue (5.1.6.5). */
void net_ctrl_run(struct net *net, struct virtq *vq);

/* net_filter.c */
void net_filter_reset(struct net_filter *f, const u8 *mac);
bool net_filter_wants(const struct net_filter *f, const u8 *destination);

/* net.c: the GUEST_ features that are in use from now on; the pairs. */
void net_set_offloads(struct net *net, u64 features);
void net_set_pairs(struct net *net, unsigned int nr);
/* No frame will come any more. */
void net_lost(struct net *net, int err);

#endif
