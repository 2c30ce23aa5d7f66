/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_CONSOLE_H
#define DEVICES_VIRTIO_CONSOLE_H

#include "vmm/line.h"

struct dma_space;
struct log;
struct virtio_dev;

/* A console with one port (virtio 1.3, 5.3) on the line that @user is the other end of. 0 or
 * -ENOMEM. */
int virtio_console_create(struct virtio_dev **dev, struct dma_space *dma, struct log *log,
                          struct line_user *user);
/* What its line's user calls, once there is a transport. */
struct line_device *virtio_console_line(struct virtio_dev *dev);
void virtio_console_destroy(struct virtio_dev *dev);

#endif
