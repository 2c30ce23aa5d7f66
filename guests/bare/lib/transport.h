/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio device's registers, over PCI or MMIO (virtio 1.3, 4.1, 4.2). */
#ifndef GUESTS_BARE_LIB_TRANSPORT_H
#define GUESTS_BARE_LIB_TRANSPORT_H

#include "pci.h"

#define QUEUE_SIZE 8
#define NO_VECTOR  0xffff

struct where {
	u64 mmio; /* its registers; 0: over PCI, and then what follows */
	u32 rid;
	u64 common, isr, notify; /* addresses */
	u16 vector;              /* of each queue; NO_VECTOR: none */
	struct msix msix;
	u64 config; /* either's */
};

/* The first device of that type, wherever it is; placed and enabled, not started. */
void where_find(struct where *w, u16 type);
void where_map(struct where *w); /* its structures, after BARs have been moved */
u8 where_status(const struct where *w);
void where_set_status(const struct where *w, u8 status);
void where_set_features(const struct where *w, u64 features);
/* QUEUE_SIZE entries; it runs from DRIVER_OK on. */
void where_set_queue(const struct where *w, unsigned int queue, u64 desc, u64 avail, u64 used);
void where_kick(const struct where *w, unsigned int queue);
/* Reset, and features; false: the device refuses. */
bool where_negotiate(const struct where *w, u64 features);
void where_go(const struct where *w); /* DRIVER_OK */
bool where_needs_reset(const struct where *w);
/* False: it does not end. */
bool where_reset(const struct where *w);
bool where_reset_queue(const struct where *w, unsigned int queue);

#endif
