// SPDX-License-Identifier: GPL-2.0-only
/* RAM of huge pages: --hugetlb, --hugetlbfs (Linux,
 * Documentation/admin-guide/mm/hugetlbpage.rst). */
#include "machine/hugetlb.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "machine/keys.h"
#include "machine/status.h"
#include "vmm/log.h"

#define POOLS   "/sys/kernel/mm/hugepages"
#define SPELLED 24

const char *hugetlb_option_take(struct options *o, char *val)
{
	static const char expected[] = "a size of huge pages, such as 2M or 1G";
	static const char suffixes[] = "KMG";
	const char *rest, *suffix;
	unsigned int shift;
	u64 n;

	if (!parse_number(val, &n, &rest) || !*rest || rest[1])
		return expected;
	suffix = strchr(suffixes, *rest & ~0x20);
	if (!suffix || !n || n & (n - 1) || n > 1 << 24)
		return expected;
	shift = 10 * (suffix - suffixes + 1);
	o->hugetlb = n << shift;
	return o->hugetlb >= 64 << 10 && o->hugetlb <= 16ULL << 30 ? NULL : expected;
}

/* A size as the option spells it. */
static void spell(u64 size, char text[SPELLED])
{
	const char *suffix = "KMG";

	size >>= 10;
	while (size >= 1024 && suffix[1]) {
		size >>= 10;
		suffix++;
	}
	snprintf(text, SPELLED, "%llu%c", (unsigned long long)size, *suffix);
}

static bool host_has(u64 page)
{
	char path[96];
	DIR *dir;

	snprintf(path, sizeof(path), POOLS "/hugepages-%llukB", (unsigned long long)page >> 10);
	dir = opendir(path);
	if (dir)
		closedir(dir);
	return dir;
}

static void list_sizes(char *text, size_t len)
{
	DIR *dir = opendir(POOLS);
	struct dirent *entry;
	unsigned long long kib;
	size_t at = 0;

	snprintf(text, len, "none");
	while (dir && (entry = readdir(dir)) && at < len) {
		char size[SPELLED];

		if (sscanf(entry->d_name, "hugepages-%llukB", &kib) != 1)
			continue;
		spell(kib << 10, size);
		at += snprintf(text + at, len - at, "%s%s", at ? ", " : "", size);
	}
	if (dir)
		closedir(dir);
}

/* The folder's page size; 0: it is no hugetlbfs, and that was said. */
static u64 page_of(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs))
		log_error("--hugetlbfs %s: %s: expected a folder where a hugetlbfs is mounted",
		          path, strerror(errno));
	else if (fs.f_type != HUGETLBFS_MAGIC)
		log_error("--hugetlbfs %s: expected a folder where a hugetlbfs is mounted", path);
	else
		return fs.f_bsize;
	return 0;
}

int hugetlb_check(const struct options *o, u64 *page)
{
	char size[SPELLED], sizes[96];

	*page = o->hugetlb;
	if (o->hugetlbfs && o->hugetlb) {
		log_error("--hugetlbfs %s: expected no --hugetlb beside it", o->hugetlbfs);
		return STATUS_USAGE;
	}
	if (o->hugetlbfs) {
		*page = page_of(o->hugetlbfs);
		if (!*page)
			return STATUS_USAGE;
	}
	if (!*page)
		return 0;
	spell(*page, size);
	if (!o->hugetlbfs && !host_has(*page)) {
		list_sizes(sizes, sizeof(sizes));
		log_error("--hugetlb %s: expected a size that this host has: %s", size, sizes);
		return STATUS_HOST_LACKS;
	}
	if (!(o->mem & (*page - 1)))
		return 0;
	log_error("--mem %lluM: expected whole huge pages of %s", (unsigned long long)o->mem >> 20,
	          size);
	return STATUS_USAGE;
}

/* A figure of the pool of such pages. */
static unsigned long long pool(u64 page, const char *what)
{
	unsigned long long n = 0;
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), POOLS "/hugepages-%llukB/%s", (unsigned long long)page >> 10,
	         what);
	f = fopen(path, "re");
	if (f && fscanf(f, "%llu", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

int hugetlb_failed(const struct options *o, int err)
{
	char size[SPELLED];
	u64 page;
	int status = hugetlb_check(o, &page);

	if (status)
		return status; /* it went meanwhile */
	spell(page, size);
	log_error("--%s %s: %s: expected %llu free pages of %s; of %llu there are, %llu are free "
	          "and %llu of these reserved",
	          o->hugetlbfs ? "hugetlbfs" : "hugetlb", o->hugetlbfs ? o->hugetlbfs : size,
	          strerror(-err), (unsigned long long)(o->mem / page), size,
	          pool(page, "nr_hugepages"), pool(page, "free_hugepages"),
	          pool(page, "resv_hugepages"));
	return STATUS_HOST_LACKS;
}
