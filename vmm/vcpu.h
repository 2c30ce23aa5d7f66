/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <pthread.h>

#include "vmm/types.h"

struct vm;
struct kvm_run;

/* Why a vCPU left the guest. */
enum vcpu_counter {
	VCPU_MMIO,
	VCPU_SYSTEM_EVENT,
	VCPU_OTHER,
	VCPU_INTERRUPTED, /* by us, to stop or to wait */
	NR_VCPU_COUNTERS
};

struct vcpu {
	struct vm *vm;
	unsigned int id;
	int fd;
	struct kvm_run *run;
	size_t run_size; /* bytes */
	pthread_t thread;
	bool started;
	int tid;                     /* its thread, 0 before it runs */
	u64 exits[NR_VCPU_COUNTERS]; /* written by its thread alone */
	u64 before;                  /* the details' first word, before KVM_RUN */
	char failure[960];           /* why KVM could not continue; set before vm_end() */
};

/* Exit codes a vCPU can end the guest with (README, "Exit codes"). */
enum {
	STATUS_POWERED_OFF = 0,
	STATUS_HOST = 1,
	STATUS_RESET = 32,
	STATUS_KVM_EXIT = 33,
	STATUS_PANIC = 34,
};

/* -errno of the ioctls or mmap. */
int vcpus_create(struct vm *vm, unsigned int nr);
void vcpus_destroy(struct vm *vm);

/* One thread each; -errno of pthread_create. vcpus_stop also after a failure here. */
int vcpus_start(struct vm *vm);
/* Makes KVM_RUN return -EINTR, now and until pause_park() lets the vCPU in again. */
void vcpus_kick(struct vm *vm);
/* Takes every vCPU out of the guest and joins its thread. Without the device lock. */
void vcpus_stop(struct vm *vm);

#endif
