/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_RNG_H
#define DEVICES_VIRTIO_RNG_H

struct dma_space;
struct log;
struct loop;
struct virtio_dev;

/* An entropy device (virtio 1.3, 5.4) that reads /dev/urandom through @loop. 0 or -errno. */
int rng_create(struct virtio_dev **dev, struct loop *loop, struct dma_space *dma, struct log *log);
void rng_destroy(struct virtio_dev *dev);

#endif
