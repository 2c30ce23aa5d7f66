// SPDX-License-Identifier: GPL-2.0-only
/* Guest RAM: allocated here, reached through guest_ptr() alone. */
#include "vmm/mem.h"

#include <sys/mman.h>
#include <unistd.h>

int mem_create(struct guest_mem *mem, gpa_t base, u64 size)
{
	int err;

	mem->base = base;
	mem->size = size;
	mem->fd = memfd_create("guest-ram", MFD_CLOEXEC);
	if (mem->fd < 0)
		return -errno;
	if (ftruncate(mem->fd, size)) {
		err = -errno;
		goto close_fd;
	}
	mem->host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, mem->fd, 0);
	if (mem->host == MAP_FAILED) {
		err = -errno;
		goto close_fd;
	}
	madvise(mem->host, size, MADV_HUGEPAGE); /* a wish: shmem may not have huge pages */
	madvise(mem->host, size, MADV_DONTDUMP);
	return 0;

close_fd:
	close(mem->fd);
	return err;
}

void mem_destroy(struct guest_mem *mem)
{
	munmap(mem->host, mem->size);
	close(mem->fd);
}
