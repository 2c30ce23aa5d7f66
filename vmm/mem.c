// SPDX-License-Identifier: GPL-2.0-only
/* Guest RAM: allocated here, reached through guest_ptr() alone. */
#include "vmm/mem.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_PAGE (2ULL << 20)

/*
 * Another process that has it could make it shorter, and what is cut off is a
 * SIGBUS here. A hugetlbfs's own file cannot be sealed (memfd_create(2) makes those
 * that can).
 */
static int seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ? -errno : 0;
}

static int open_file(struct guest_mem *mem, const struct mem_config *c)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

	if (c->huge_page)
		flags |= MFD_HUGETLB | (unsigned int)__builtin_ctzll(c->huge_page)
		                               << MFD_HUGE_SHIFT;
	mem->fd = c->dir ? open(c->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
	                 : memfd_create("guest-ram", flags);
	if (mem->fd < 0)
		return -errno;
	if (ftruncate(mem->fd, mem->size))
		return -errno;
	return c->dir ? 0 : seal(mem->fd);
}

/* On a huge page's boundary, so that KVM can map with them too: room for it is taken, and cut. */
static int map(struct guest_mem *mem, u64 huge_page)
{
	int flags = mem->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	int reserve = huge_page ? 0 : MAP_NORESERVE;
	u64 page = huge_page > HUGE_PAGE ? huge_page : HUGE_PAGE;
	u64 room = mem->size + page;
	u8 *any = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u8 *end;
	int err;

	if (any == MAP_FAILED)
		return -errno;
	mem->host = (u8 *)ALIGN_UP((unsigned long)any, page);
	end = mem->host + mem->size;
	if (mem->host > any)
		munmap(any, mem->host - any);
	munmap(end, any + room - end);
	if (mmap(mem->host, mem->size, PROT_READ | PROT_WRITE, flags | MAP_FIXED | reserve, mem->fd,
	         0) != MAP_FAILED)
		return 0;
	err = -errno;
	munmap(mem->host, mem->size);
	return err;
}

int mem_create(struct guest_mem *mem, const struct mem_config *c)
{
	const u64 size = c->size;
	int err = 0;

	*mem = (struct guest_mem){ .base = c->base, .size = size, .fd = -1 };
	if (c->shared || c->huge_page)
		err = open_file(mem, c);
	if (!err)
		err = map(mem, c->huge_page);
	if (err) {
		if (mem->fd >= 0)
			close(mem->fd);
		return err;
	}
	madvise(mem->host, size, MADV_HUGEPAGE);
	madvise(mem->host, size, MADV_DONTDUMP);
	madvise(mem->host, size,
	        MADV_DONTFORK); /* a copy on write would part KVM's view from ours */
	return 0;
}

void mem_destroy(struct guest_mem *mem)
{
	munmap(mem->host, mem->size);
	if (mem->fd >= 0)
		close(mem->fd);
}

/* The Rss line of the mapping that begins at @host (Documentation/filesystems/proc.rst, smaps). */
static u64 mapping_rss(FILE *smaps, const void *host)
{
	unsigned long start, end, kib;
	bool ours = false;
	char line[256];

	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			ours = start == (unsigned long)host;
		else if (ours && sscanf(line, "Rss: %lu", &kib) == 1)
			return (u64)kib << 10;
	}
	return 0;
}

u64 mem_resident(const struct guest_mem *mem)
{
	struct stat st = { 0 };
	FILE *smaps;
	u64 rss;

	if (mem->fd >= 0) {
		fstat(mem->fd, &st);
		return st.st_blocks * 512ULL;
	}
	smaps = fopen("/proc/self/smaps", "re");
	if (!smaps)
		return 0;
	rss = mapping_rss(smaps, mem->host);
	fclose(smaps);
	return rss;
}
