/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_MEM_H
#define VMM_MEM_H

#include <errno.h>
#include <string.h>

#include "vmm/types.h"

/*
 * Guest RAM: one block. Anonymous memory, which gets huge pages where the host has them (shared
 * memory gets none by default); a memfd where another process is to map it too.
 */
struct guest_mem {
	gpa_t base;
	u64 size; /* bytes */
	u8 *host;
	int fd; /* -1: anonymous */
};

/*
 * What it is made of. Huge pages are taken from the host's pool of them, all at once, so that
 * none can lack later; such memory is shared too.
 */
struct mem_config {
	gpa_t base;
	u64 size;        /* bytes, a multiple of the page */
	bool shared;     /* another process maps it */
	u64 huge_page;   /* bytes, a size that the host has; 0: none */
	const char *dir; /* of a hugetlbfs of that page size; NULL: a memfd */
};

/* -errno of memfd_create, open, ftruncate or mmap; -ENOMEM: the pool has too few. */
int mem_create(struct guest_mem *mem, const struct mem_config *c);
void mem_destroy(struct guest_mem *mem);
/* How much of it the guest or a device has touched, in bytes. */
u64 mem_resident(const struct guest_mem *mem);

/* The one way from a guest address to a host pointer; NULL unless all @len bytes are RAM. */
static inline void *guest_ptr(const struct guest_mem *mem, gpa_t gpa, u64 len)
{
	u64 off = gpa - mem->base;

	if (off > mem->size || len > mem->size - off)
		return NULL;
	return mem->host + off;
}

/* A private copy, for whatever is decoded: the guest can change RAM at any
 * time. -EFAULT: not RAM. */
static inline int guest_read(const struct guest_mem *mem, gpa_t gpa, void *to, u64 len)
{
	const void *from = guest_ptr(mem, gpa, len);

	if (!from)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

static inline int guest_write(const struct guest_mem *mem, gpa_t gpa, const void *from, u64 len)
{
	void *to = guest_ptr(mem, gpa, len);

	if (!to)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

#endif
