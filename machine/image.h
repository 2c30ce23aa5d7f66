/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_IMAGE_H
#define MACHINE_IMAGE_H

#include "machine/unpack.h"

/* Where a kernel wants to be: offsets and sizes in bytes. */
struct image {
	u64 text_offset; /* from a 2 MiB boundary; its first byte is the entry point */
	u64 image_size;  /* BSS and what else it takes before it knows memory; of a plain file, at
	                    least its size */
	u64 whole;       /* of an EFI application, what its file is at least; 0: it says nothing */
	struct packed packed; /* where in the file it is, and how; plain: all of it */
};

/*
 * What @fd, @size bytes, is: an arm64 Image, plain, packed by gzip or zstd, or
 * in an EFI zboot file; or a flat image with no header, which goes where lkvm
 * puts it. False, and @why says it: another system's, or another
 * architecture's, or cut short. What is packed is known by its beginning alone.
 */
bool image_probe(int fd, u64 size, struct image *image, char *why, size_t len);

#endif
