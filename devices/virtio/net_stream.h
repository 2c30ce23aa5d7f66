/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_NET_STREAM_H
#define DEVICES_VIRTIO_NET_STREAM_H

struct net_backend;

/*
 * Frames over the connected stream socket @fd, non-blocking, which is the back
 * end's from now on: each behind its length, 32 bits, big-endian (passt(1), and
 * QEMU's -netdev stream). No header, no offloads. 0 or -ENOMEM.
 */
int net_stream_create(struct net_backend **b, int fd);

#endif
