/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_HOST_H
#define MACHINE_HOST_H

#include "vmm/vm.h"

struct options;
struct kvm_ops;
struct log;

/* Before anything is started: 0, or an error line was printed and this is the exit code. */
int host_check(const struct options *o);
/* This process may have as many files open as the devices need; likewise. */
int host_check_files(const struct options *o);
/* The table of open files is made large enough while there is one thread: with more, each growth
 * waits for every CPU (Linux: expand_fdtable(), synchronize_rcu()). Where it cannot be, it grows.
 */
void host_reserve_files(const struct options *o);

/* Whether there is a KVM, before anything that would have to be undone; likewise. */
int host_check_kvm(const struct options *o, const struct kvm_ops *ops, struct log *log);

/* vm_create failed at @step with -errno @err: prints why; the exit code. */
int host_failed(const struct options *o, const struct vm *vm, enum vm_step step, int err);

#endif
