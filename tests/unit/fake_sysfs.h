/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_SYSFS_H
#define TESTS_UNIT_FAKE_SYSFS_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ftw.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/types.h"

/* A host's PCI functions as a folder: a sysfs at @sys, in which a test puts them. */
static char sys[] = "/tmp/nestor-sys-XXXXXX";

/* A driver that is there, as where a link leads; any other is "../NAME". */
#define E1000E "../../../bus/pci/drivers/e1000e"

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* @path below the sysfs, and the folders on the way. */
static inline char *below(const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s/%s", sys, path);
	for (char *slash = full + strlen(sys); (slash = strchr(slash + 1, '/'));) {
		*slash = 0;
		mkdir(full, 0755);
		*slash = '/';
	}
	return full;
}

static inline void put(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(below(path), "w");

	cr_assert(ne(ptr, f, NULL));
	cr_assert(eq(sz, fwrite(bytes, 1, len, f), len));
	fclose(f);
}

static inline void put_of(const char *at, const char *name, const char *val)
{
	char path[200];

	snprintf(path, sizeof(path), "bus/pci/devices/%s/%s", at, name);
	put(path, val, strlen(val));
}

static inline void link_of(const char *at, const char *name, const char *to)
{
	char path[200];

	snprintf(path, sizeof(path), "bus/pci/devices/%s/%s", at, name);
	cr_assert(zero(int, symlink(to, below(path))));
}

static inline void set_config(const char *at, const u8 *config, size_t len)
{
	char path[200];

	snprintf(path, sizeof(path), "bus/pci/devices/%s/config", at);
	put(path, config, len);
}

/* A function with a group of its own, and of those that are named again. */
static inline void function(const char *at, const char *class, const char *driver,
                            const char *group)
{
	char path[200];
	u8 config[256] = { 0 };

	put_of(at, "vendor", "0x8086\n");
	put_of(at, "device", "0x10d3\n");
	put_of(at, "class", class);
	set_config(at, config, sizeof(config));
	if (*driver)
		link_of(at, "driver", driver);
	if (!*group)
		return;
	snprintf(path, sizeof(path), "kernel/iommu_groups/%s/devices/%s", group, at);
	put(path, "", 0);
	snprintf(path, sizeof(path), "../../../../kernel/iommu_groups/%s", group);
	link_of(at, "iommu_group", path);
	link_of(at, "iommu", "../../../../class/iommu/smmu3.one");
}

static inline void as_bridge(const char *at)
{
	u8 config[256] = { 0 };

	config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_BRIDGE;
	set_config(at, config, sizeof(config));
}

static inline void bound(const char *at, const char *cdev)
{
	char name[64];

	snprintf(name, sizeof(name), "vfio-dev/%s/dev", cdev);
	put_of(at, name, "234:0\n");
}

/* For .init and .fini. */
static inline void fake_sysfs_make(void)
{
	cr_assert(ne(ptr, mkdtemp(sys), NULL));
	put("bus/pci/drivers/vfio-pci/unbind", "", 0);
	put("bus/pci/drivers/e1000e/unbind", "", 0);
	put("bus/pci/drivers_probe", "", 0);
}

static inline void fake_sysfs_unmake(void)
{
	nftw(sys, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
