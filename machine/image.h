/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_IMAGE_H
#define MACHINE_IMAGE_H

#include "vmm/types.h"

/* Where a kernel wants to be: offsets and sizes in bytes. */
struct image {
	u64 text_offset; /* from a 2 MiB boundary; its first byte is the entry point */
	u64 image_size; /* at least the file's: BSS and what else it takes before it knows memory */
};

/*
 * What @fd, @size bytes, is: an arm64 Image, or a flat image with no header,
 * which goes where lkvm puts it. False, and @why says it: another system's, or
 * another architecture's, or cut short.
 */
bool image_probe(int fd, u64 size, struct image *image, char *why, size_t len);

#endif
