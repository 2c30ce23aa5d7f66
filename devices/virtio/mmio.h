/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_MMIO_H
#define DEVICES_VIRTIO_MMIO_H

#include "vmm/types.h"

struct virtio_dev;
struct virtio_mmio;
struct vm;

#define VIRTIO_MMIO_SIZE 0x200 /* bytes of address space */

struct virtio_mmio_config {
	gpa_t base;
	u32 spi; /* level, high */
};

/*
 * Virtio over MMIO, modern interface (virtio 1.3, 4.2): registers for @dev,
 * which stays its owner's and is destroyed after them. 0 or -errno.
 */
int virtio_mmio_create(struct virtio_mmio **mmio, struct vm *vm, struct virtio_dev *dev,
                       const struct virtio_mmio_config *c);
void virtio_mmio_destroy(struct virtio_mmio *mmio);

#endif
