/* SPDX-License-Identifier: GPL-2.0-only */
/* Any virtio device, by its queues (virtio 1.3, 2.7). */
#ifndef GUESTS_BARE_LIB_DEVICE_H
#define GUESTS_BARE_LIB_DEVICE_H

#include "virtio.h"

#define MAX_QUEUES 3

struct device {
	struct where where;
	unsigned int nr_queues;
	struct ring ring[MAX_QUEUES];
};

/* The first one of that type, with so many queues of interest; placed and enabled, not started. */
void device_find(struct device *d, u16 type, unsigned int nr_queues);
/* Reset, features, empty rings; false: the device refuses. */
bool device_negotiate(struct device *d, u64 features);
/* One queue, with its own rings. */
void device_set_queue(struct device *d, unsigned int queue);
/* All of it, DRIVER_OK included. */
bool device_start(struct device *d, u64 features);
/* Descriptor @head of the queue is made available, and the device told. */
void device_offer(struct device *d, unsigned int queue, u16 head);
/* Everything that was offered has come back. */
bool device_done(const struct device *d, unsigned int queue);
bool device_needs_reset(const struct device *d);

#endif
