/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_LKVM_H
#define MACHINE_LKVM_H

#include "vmm/types.h"

/*
 * Where @arg is an option of lkvm's `run` that Nestor does not have: true, and
 * the one line that names it was printed.
 */
bool lkvm_refused(const char *arg);

#endif
