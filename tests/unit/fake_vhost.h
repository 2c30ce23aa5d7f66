/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_VHOST_H
#define TESTS_UNIT_FAKE_VHOST_H

#include "devices/virtio/vhost.h"

/* A back end that remembers what it was told, and fails at a call on purpose. */
struct fake_vhost {
	char calls[1024];         /* their names, a space behind each; of a queue: name and index */
	unsigned int nr, fail_at; /* 0: none fails */
	int fail_err;
	u64 offers, features;
	bool running;
	const struct guest_mem *mem;
	struct vhost_queue queue[VIRTQ_MAX_QUEUES];
	int errors[VIRTQ_MAX_QUEUES];
	u16 bases[VIRTQ_MAX_QUEUES]; /* where they were when it stopped */
	unsigned int failures;       /* its watcher was told of */
	struct vhost_watcher watcher;
};

extern struct fake_vhost fake_vhost;
extern const struct vhost_ops fake_vhost_ops;
/* Empty again, and the watcher set. */
void fake_vhost_reset(void);

#endif
