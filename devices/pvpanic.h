/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_PVPANIC_H
#define DEVICES_PVPANIC_H

#include "vmm/types.h"

struct pvpanic;
struct vm;

#define PVPANIC_SIZE 2 /* bytes of address space (qemu,pvpanic-mmio.yaml) */

/*
 * By which a guest says that it has panicked (QEMU, docs/specs/pvpanic.rst): it
 * ends with STATUS_PANIC. That a crash kernel has been loaded is told to
 * @crash_loaded, once, and the guest goes on.
 */
struct pvpanic_config {
	gpa_t base;
	void (*crash_loaded)(void *ctx); /* NULL: nobody wants to know */
	void *ctx;
};

/* 0 or -errno. */
int pvpanic_create(struct pvpanic **p, struct vm *vm, const struct pvpanic_config *c);
void pvpanic_destroy(struct pvpanic *p);

#endif
