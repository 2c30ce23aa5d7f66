// SPDX-License-Identifier: GPL-2.0-only
/* The host's PCI functions, out of sysfs. */
#include "vfio/function.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* PCI Code and ID Assignment, 1.7 */
#define CLASS_BRIDGE_PCI     0x0604
#define CLASS_BRIDGE_CARDBUS 0x0607

/* What is being read: the folder of a function. */
struct place {
	char path[PATH_MAX];
};

static void path_of(const struct place *p, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - 64, p->path, name);
}

/* A file's text, less the newline; empty where there is none. */
static void read_text(const struct place *p, const char *name, char *text, size_t len)
{
	char path[PATH_MAX];
	ssize_t n = -1;
	int fd;

	path_of(p, name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, len - 1);
		close(fd);
	}
	text[n < 0 ? 0 : n] = 0;
	text[strcspn(text, "\n")] = 0;
}

static u32 read_number(const struct place *p, const char *name)
{
	char text[HOST_NAME];

	read_text(p, name, text, sizeof(text));
	return strtoul(text, NULL, 0);
}

/* The last part of where a link leads. */
static void read_link(const struct place *p, const char *name, char text[HOST_NAME])
{
	char path[PATH_MAX], to[PATH_MAX];
	const char *last;
	ssize_t n;

	path_of(p, name, path);
	n = readlink(path, to, sizeof(to) - 1);
	to[n < 0 ? 0 : n] = 0;
	last = strrchr(to, '/');
	snprintf(text, HOST_NAME, "%.*s", HOST_NAME - 1, last ? last + 1 : to);
}

/* Calls @each with each entry of a folder; -errno. */
static int each_entry(const char *path, void (*each)(const char *name, void *ctx), void *ctx)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir)
		return -errno;
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			each(e->d_name, ctx);
	closedir(dir);
	return 0;
}

/* A group, while its members are read. */
struct group {
	struct host_function *f;
	const char *sys, *path;
};

static bool exists(const char *folder, const char *name, const char *file)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%.*s/%s/%s", PATH_MAX - 320, folder, name, file);
	return !stat(path, &st);
}

static void add_member(const char *name, void *ctx)
{
	const struct group *g = ctx;
	char pci[PATH_MAX], *longer;

	if (!strcmp(name, g->f->at) ||
	    asprintf(&longer, "%s%s%s", g->f->members ?: "", g->f->members ? " " : "", name) < 0)
		return;
	free(g->f->members);
	g->f->members = longer;
	snprintf(pci, sizeof(pci), "%s/bus/pci/devices", g->sys);
	if (!exists(pci, name, ".") && exists(g->path, name, "driver"))
		snprintf(g->f->other, HOST_NAME, "%.*s", HOST_NAME - 1, name);
}

/* Calls @each with what the kernel reserves for it. A line: "0x0000000008000000 0x00000000080fffff
 * msi". */
static void each_region(const struct place *p, void (*each)(const struct host_region *r, void *ctx),
                        void *ctx)
{
	unsigned long long first, last;
	char path[PATH_MAX], line[128];
	struct host_region r;
	FILE *file;

	path_of(p, "iommu_group/reserved_regions", path);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %llx %31s", &first, &last, r.type) != 3)
			continue;
		r.first = first;
		r.last = last;
		each(&r, ctx);
	}
	if (file)
		fclose(file);
}

static void take_msi_window(const struct host_region *r, void *ctx)
{
	struct host_function *f = ctx;

	if (strcmp(r->type, "msi"))
		return;
	f->msi_first = r->first;
	f->msi_last = r->last;
}

static void read_group(const struct place *p, struct host_function *f, const char *sys)
{
	char name[HOST_NAME], kind[HOST_NAME], path[PATH_MAX];

	read_link(p, "iommu_group", name);
	if (!*name)
		return;
	read_text(p, "iommu_group/name", kind, sizeof(kind));
	if (!strcmp(kind, "vfio-noiommu"))
		return;
	f->group = atoi(name);
	path_of(p, "iommu_group/devices", path);
	each_entry(path, add_member, &(struct group){ f, sys, path });
}

/* What a driver of vfio has made; with a device number, so that it can be opened. */
static void take_cdev(const char *name, void *ctx)
{
	struct host_function *f = ctx;

	snprintf(f->cdev, sizeof(f->cdev), "%.*s", HOST_NAME - 1, name);
}

static void read_cdev(const struct place *p, struct host_function *f)
{
	char path[PATH_MAX], name[2 * HOST_NAME], text[HOST_NAME];

	path_of(p, "vfio-dev", path);
	each_entry(path, take_cdev, f);
	if (!*f->cdev)
		return;
	snprintf(name, sizeof(name), "vfio-dev/%.*s/dev", HOST_NAME - 1, f->cdev);
	read_text(p, name, text, sizeof(text));
	if (!*text)
		*f->cdev = 0; /* the kernel has only groups */
}

static u32 config_word(const u8 *config, unsigned int at)
{
	u32 v;

	memcpy(&v, config + at, sizeof(v));
	return le32toh(v);
}

/* One extended capability (PCI Express, 7.6.3): 0 ends the list. */
static unsigned int take_capability(struct host_function *f, const u8 *config, unsigned int at)
{
	const u32 header = config_word(config, at);

	switch (PCI_EXT_CAP_ID(header)) {
	case PCI_EXT_CAP_ID_ATS: f->ats = true; break;
	case PCI_EXT_CAP_ID_PRI: f->pri = true; break;
	case PCI_EXT_CAP_ID_PASID:
		f->pasid = true;
		f->pasid_bits = config_word(config, at + PCI_PASID_CAP) >> 8 & 0x1f;
		break;
	}
	return PCI_EXT_CAP_NEXT(header);
}

/* By its header's type (PCI Express, 7.5.1.1.9); who does not answer, by what it was. */
static bool is_bridge(const struct host_function *f, u8 header)
{
	if (header == 0xff)
		return f->class >> 8 == CLASS_BRIDGE_PCI || f->class >> 8 == CLASS_BRIDGE_CARDBUS;
	return (header & 0x7f) != PCI_HEADER_TYPE_NORMAL;
}

/* Only root reads more than the first 64 bytes. A list that does not end is not followed for ever.
 */
static void read_config(const struct place *p, struct host_function *f)
{
	u8 config[PCI_CFG_SPACE_EXP_SIZE + 8] = { 0 };
	unsigned int at = PCI_CFG_SPACE_SIZE;
	char path[PATH_MAX];
	ssize_t len = -1;
	int fd;

	path_of(p, "config", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = pread(fd, config, PCI_CFG_SPACE_EXP_SIZE, 0);
		close(fd);
	}
	f->is_bridge = is_bridge(f, len > PCI_HEADER_TYPE ? config[PCI_HEADER_TYPE] : 0xff);
	f->caps_known = len >= PCI_CFG_SPACE_SIZE;
	for (unsigned int n = 0; n < PCI_CFG_SPACE_EXP_SIZE / 8; n++)
		if (at >= PCI_CFG_SPACE_SIZE && at < PCI_CFG_SPACE_EXP_SIZE && at + 4 <= len)
			at = take_capability(f, config, at);
}

static void place_function(struct place *p, const char *sys, const char *at)
{
	snprintf(p->path, sizeof(p->path), "%s/bus/pci/devices/%s", sys, at);
}

static void read_function(struct host_function *f, const char *sys, const char *at)
{
	struct place p;

	*f = (struct host_function){ .group = -1, .msi_first = 1 };
	snprintf(f->at, sizeof(f->at), "%.*s", HOST_NAME - 1, at);
	place_function(&p, sys, at);
	f->vendor = read_number(&p, "vendor");
	f->device = read_number(&p, "device");
	f->class = read_number(&p, "class");
	read_link(&p, "driver", f->driver);
	read_link(&p, "iommu", f->iommu);
	read_group(&p, f, sys);
	each_region(&p, take_msi_window, f);
	read_text(&p, "reset_method", f->resets, sizeof(f->resets));
	read_cdev(&p, f);
	read_config(&p, f);
	f->can_stall = exists(p.path, "of_node", "dma-can-stall");
}

static int by_place(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

static int is_function(const struct dirent *e)
{
	return e->d_name[0] != '.' && strlen(e->d_name) < HOST_NAME;
}

int host_functions_read(struct host_functions *h, const char *sys)
{
	struct dirent **names;
	char path[PATH_MAX];
	int nr;

	*h = (struct host_functions){ .sys = sys };
	snprintf(path, sizeof(path), "%s/bus/pci/devices", sys);
	nr = scandir(path, &names, is_function, by_place);
	if (nr < 0)
		return -errno;
	h->list = calloc(nr + 1, sizeof(*h->list));
	for (int i = 0; i < nr; i++) {
		if (h->list)
			read_function(&h->list[h->nr++], sys, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	h->by_tree = exists(sys, "firmware", "devicetree") && !exists(sys, "firmware", "acpi");
	return h->list ? 0 : -ENOMEM;
}

void host_functions_free(struct host_functions *h)
{
	for (size_t i = 0; i < h->nr; i++)
		free(h->list[i].members);
	free(h->list);
	*h = (struct host_functions){ 0 };
}

const struct host_function *host_function_find(const struct host_functions *h, const char *at,
                                               size_t len)
{
	for (size_t i = 0; i < h->nr; i++)
		if (strlen(h->list[i].at) == len && !memcmp(h->list[i].at, at, len))
			return &h->list[i];
	return NULL;
}

/* A group has one owner. Beside it may be what no driver has, bridges, and what a driver has that
 * leaves DMA to others (driver_managed_dma in the kernel). */
static bool is_in_the_way(const struct host_function *other)
{
	return !other->is_bridge && *other->driver && !*other->cdev &&
	       strcmp(other->driver, "pci-stub") != 0;
}

const struct host_function *host_function_taken(const struct host_functions *h,
                                                const struct host_function *f,
                                                const struct host_function *prev)
{
	for (size_t i = prev ? prev - h->list + 1 : 0; i < h->nr; i++) {
		const struct host_function *other = &h->list[i];

		if (other == f ? !*f->cdev
		               : other->group == f->group && f->group >= 0 && is_in_the_way(other))
			return other;
	}
	return NULL;
}

bool host_function_ready(const struct host_functions *h, const struct host_function *f)
{
	return !f->is_bridge && f->group >= 0 && !*f->other && !host_function_taken(h, f, NULL);
}

/* What a range is compared with; @found is the first that overlaps it. */
struct search {
	u64 first, last;
	struct host_region found;
	bool has_found;
};

/* iommufd hands out what is relaxable (iopt_table_enforce_dev_resv_regions()). */
static void compare(const struct host_region *r, void *ctx)
{
	struct search *s = ctx;

	if (s->has_found || r->last < s->first || r->first > s->last || !strcmp(r->type, "msi") ||
	    !strcmp(r->type, "direct-relaxable"))
		return;
	s->found = *r;
	s->has_found = true;
}

bool host_function_reserves(const struct host_functions *h, const struct host_function *f,
                            u64 first, u64 last, struct host_region *found)
{
	struct search s = { .first = first, .last = last };
	struct place p;

	place_function(&p, h->sys, f->at);
	each_region(&p, compare, &s);
	*found = s.found;
	return s.has_found;
}
