/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_EXIT_H
#define DEVICES_EXIT_H

#include "vmm/types.h"

struct vm;

#define EXIT_DEVICE_SIZE   0x1000
#define EXIT_STATUS_OFFSET 64 /* a guest's status N, 1 to 63, is Nestor's exit code 64 + N */
#define EXIT_STATUS_MAX    63

/* The exit device: a 32-bit write of N to its first word ends the guest with
 * status N. 0 or -errno. */
int exit_device_create(struct vm *vm, gpa_t base);

#endif
