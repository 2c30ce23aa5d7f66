/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_PAUSE_H
#define VMM_PAUSE_H

#include "vmm/types.h"

struct pause;
struct vcpu;
struct vm;

/*
 * vCPUs held out of the guest: each waits in its own thread, with nothing half
 * done, so that its registers may be read, and the guest's clock stands still.
 * Holds are counted. Host I/O of devices goes on; what it would tell the guest
 * waits with the vCPUs.
 *
 * Everything is called under the device lock, but for what vmm/vcpu.c calls.
 */

/* Called by the loop, under the device lock, once. Embedded in what it serves. */
struct pause_wait {
	void (*done)(struct pause_wait *w);
	struct pause_wait *next;
};

/* 0 or -errno. The loop outlives it, and is drained before it is destroyed. */
int pause_create(struct pause **p, struct vm *vm);
void pause_destroy(struct pause *p);

/* The vCPUs are to leave the guest, which takes a moment; and one hold fewer. */
void vcpus_hold(struct vm *vm);
void vcpus_release(struct vm *vm);
bool vcpus_are_held(struct vm *vm);
/* How often they were, so far, when none was before. */
unsigned int vcpus_nr_holds(struct vm *vm);
/* Calls @w when every vCPU is out of the guest, or none is held any more. Not when the guest ends
 * first. */
void vcpus_when_out(struct vm *vm, struct pause_wait *w);

/* vmm/vcpu.c: this vCPU is out of the guest; waits while it is held. Without the device lock. */
void pause_park(struct vcpu *vcpu);
/* vmm/vcpu.c: all are to end, whether they are held or not. Without the device lock. */
void pause_end(struct vm *vm);

#endif
