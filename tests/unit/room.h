/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_ROOM_H
#define TESTS_UNIT_ROOM_H

#include <stdlib.h>
#include <sys/mman.h>

#include "vmm/types.h"

/*
 * Zeroed memory for as long as the process lives, for what is large: each test is a process, and at
 * its end LeakSanitizer reads all there is of globals, but none of this. Behind it nothing can be
 * accessed.
 */
static inline u8 *room_of(size_t size)
{
	const size_t whole = ALIGN_UP(size, 4096);
	u8 *p = mmap(NULL, whole + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	             0);

	if (p == MAP_FAILED || mprotect(p + whole, 4096, PROT_NONE))
		abort();
	return p;
}

#endif
