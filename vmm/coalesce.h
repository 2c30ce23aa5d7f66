/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_COALESCE_H
#define VMM_COALESCE_H

#include "vmm/vm.h"

/*
 * Registers whose writes KVM puts into a ring, one for the VM, and the guest runs on (api.rst,
 * KVM_REGISTER_COALESCED_MMIO): for a while in which somebody looks at the ring all the time
 * (vmm/poll.h). Where there is no ring, nothing of it is ever so.
 */

/* Writes of @size bytes at @gpa go there from now on. 0; -EOPNOTSUPP: there is no ring; -errno of
 * the ioctl. Under the device lock. */
int coalesce_begin(struct vm *vm, gpa_t gpa, u32 size);
/* They no longer do; some may be there still. Under the lock. */
void coalesce_end(struct vm *vm, gpa_t gpa, u32 size);

/* Whether some are there. By any thread, with or without the lock. */
bool coalesce_pending(const struct vm *vm);
/*
 * The devices have all of them, in the guest's order. Under the lock; before any access that did
 * leave the guest, since that came after them.
 */
void coalesce_drain(struct vm *vm);

#endif
