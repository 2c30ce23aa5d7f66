/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_NET_H
#define TESTS_UNIT_FAKE_NET_H

#include <linux/virtio_net.h>

#include "devices/virtio/net.h"
#include "tests/unit/fake_virtio.h"
#include "vmm/loop.h"

/*
 * A network device whose back end is a datagram socket, a frame a datagram, on a
 * real loop; and the driver's side of its first three queues.
 */
enum { NET_RX, NET_TX, NET_CTRL };
#define NET_BASE     0x80000000ULL
#define NET_RAM      0x80000
#define NET_BUFFERS  0x20000 /* offset in RAM: what is behind the rings */
#define NET_HDR      ((u32)sizeof(struct virtio_net_hdr_v1))
#define NET_RINGS(q) ((q)*RING_END)

struct fake_net {
	struct virtio_dev *dev;
	struct fake_transport transport;
	struct loop *loop;
	struct net_backend *backend;
	struct driver drv[3];
	int far;            /* the other end of the device's socket */
	u64 offloads;       /* as the back end was told */
	unsigned int pairs; /* likewise */
	int err;            /* what the next receive fails with; 0: nothing */
	bool endless;       /* there is always one more frame */
	unsigned int agains, losses, awaited_queue;
	u16 awaited;
	struct net_watcher watcher;
};

extern u8 *net_ram;
/* Made with what the back end can; features are those that the driver takes,
 * of all it is offered. */
void fake_net_make(struct fake_net *f, const struct net_backend *like, u64 features);
void fake_net_unmake(struct fake_net *f);
/* The driver makes a buffer available as descriptor @at of queue @q, and kicks. */
void fake_net_offer(struct fake_net *f, unsigned int q, u16 at, u64 offset, u32 len, u16 flags);
/* A frame arrives: a header, and then @len bytes that begin with @destination. */
void fake_net_arrive(struct fake_net *f, const struct virtio_net_hdr_v1 *header,
                     const u8 *destination, size_t len);
/* Runs the loop, once in a test, until queue @q has so many used. */
void fake_net_await(struct fake_net *f, unsigned int q, u16 used);

#endif
