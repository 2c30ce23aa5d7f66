/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_VHOST_H
#define TESTS_UNIT_FAKE_VHOST_H

#include "devices/virtio/vhost.h"
#include "vmm/vm.h"

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
	int fd; /* the device's, once that is created */
};

extern struct fake_vhost fake_vhost;
extern const struct vhost_ops fake_vhost_ops;
/* What the configurations of all its devices have. */
#define FAKE_VHOST_CONFIG(vm)                                                                \
	.ops = &fake_vhost_ops, .fd = fake_vhost.fd, .loop = (vm)->loop, .work = (vm)->work, \
	.dma = &(vm)->dma, .log = (vm)->log, .watcher = &fake_vhost.watcher

/* A VM with one vCPU, and a back end that has been told nothing. */
void fake_vhost_make(struct vm *vm);
/* The device, or NULL, and the VM end; the back end's descriptor was closed. */
void fake_vhost_unmake(struct vm *vm, struct virtio_dev *dev,
                       void (*destroy)(struct virtio_dev *dev));

#endif
