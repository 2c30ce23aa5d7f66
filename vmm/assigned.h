/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_ASSIGNED_H
#define VMM_ASSIGNED_H

#include "vmm/vm.h"

/*
 * What KVM has to know of devices of the host's: memory of theirs that the guest reaches without an
 * exit, and their files. Everything is called under the device lock, or before the guest runs.
 */

/* @size bytes at @host, both multiples of a page, are at @gpa: its slot, or -errno (-ENOSPC: there
 * are 512 of them). */
int vm_slot_add(struct vm *vm, gpa_t gpa, void *host, u64 size);
/* No vCPU reaches it any more when this returns. */
void vm_slot_remove(struct vm *vm, int slot);

/* A VFIO file that is the guest's, before it is bound: Documentation/virt/kvm/devices/vfio.rst.
 * 0 or -errno. It is KVM's until it is taken away, or the VM goes. */
int vm_vfio_add(struct vm *vm, int fd);
void vm_vfio_remove(struct vm *vm, int fd);

#endif
