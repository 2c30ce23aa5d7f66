/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_VHOST_KERNEL_H
#define DEVICES_VIRTIO_VHOST_KERNEL_H

#include "vmm/types.h"

struct log;
struct vhost_ops;

/* The kernel's vhost (linux/vhost.h) of sockets: v->fd is a /dev/vhost-vsock. */
extern const struct vhost_ops vhost_kernel_vsock;

/*
 * /dev/vhost-vsock for the guest with context ID @cid: a descriptor, or -errno
 * (-EADDRINUSE: another has it).
 */
int vhost_vsock_open(u64 cid, struct log *log);

#endif
