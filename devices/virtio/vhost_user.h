/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_VHOST_USER_H
#define DEVICES_VIRTIO_VHOST_USER_H

#include "vmm/types.h"

struct vhost_ops;

/*
 * vhost-user's front end (its specification is QEMU's docs/interop/vhost-user.rst):
 * v->fd is the connected socket of the program that works the rings. Every
 * answer is checked; the first failure, or no answer in time, closes the
 * connection for both, and all that follows is -EPIPE at once. Guest memory must
 * be a file (mem->fd).
 */
extern const struct vhost_ops vhost_user;

/* How long an answer may take, and all those to a start or a stop together. 0 or -errno. */
int vhost_user_set_patience(int fd, unsigned int ms);

#endif
