/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_FILE_H
#define MACHINE_FILE_H

#include "vmm/types.h"

/*
 * Opens a file or block device that an option names; a pipe or a terminal is
 * none, and is not waited for. *fd is the caller's, also after a failure (-1:
 * none); *size in bytes. -errno; -EISDIR: a directory, -ESPIPE: it has no size.
 */
int file_open(const char *path, int flags, int *fd, u64 *size);

#endif
