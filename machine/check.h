/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_CHECK_H
#define MACHINE_CHECK_H

#include <stdbool.h>
#include <stdio.h>

struct kvm_ops;
struct log;
struct uapi_ops;

/* nestor check [--json] [--trace TOPICS]: what of Nestor this host can run. The arguments after the
 * command; 0 only if a guest could run. Whatever failed was said in one line. */
int command_check(int argc, char **argv);

/* A host: of another sysfs, with other calls. */
struct check_host {
	const char *sys;
	const char *config; /* the kernel's, as kernel_config() takes it */
	const struct kvm_ops *kvm;
	const struct uapi_ops *uapi;
};

int check_show(const struct check_host *host, struct log *log, bool json, FILE *to);

#endif
