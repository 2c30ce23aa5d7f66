/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_TREE_H
#define TESTS_UNIT_TREE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fdt/fdt.h"
#include "vmm/platform.h"

/* A platform, its tree, and what is read back from it. */
static const struct platform platform = {
	.nr_cpus = 18,
	.ram = { 0x80000000, 0x140000000 },
	.gic = { .version = 3,
	         .dist = 0x3fff0000,
	         .dist_size = 0x10000,
	         .redist = 0x3fdb0000,
	         .redist_size = 0x240000 },
	.msi_frames = { { .kind = PLATFORM_MSI_ITS, .base = 0x7ff0000, .size = 0x20000 } },
	.nr_msi_frames = 1,
	.uarts = { { 0x1000000, 0x1000, 0 },
	           { 0x1001000, 0x1000, 1 },
	           { 0x1002000, 0x1000, 2 },
	           { 0x1003000, 0x1000, 3 } },
	.rtc = { 0x1010000, 0x1000, 36 },
	.pvpanic = { 0x1011000, 2, 0 },
	.gpio = { 0x1030000, 0x1000, 37 },
	.power_pin = 3,
	.nr_pci = 1,
	.pci = { { .segment = 1,
	           .last_bus = 255,
	           .ecam = 0x40000000,
	           .io = { 0x0, 0x0, 0x10000 },
	           .mem32 = { 0x50000000, 0x10000000, 0x30000000 },
	           .intx_spi = { 4, 5, 6, 7 },
	           .devid_base = 0x10000 } },
	.chosen = { .bootargs = "console=ttyS0",
	            .initrd = 0x8f000000,
	            .initrd_size = 0x1234,
	            .kaslr_seed = 0x1122334455667788,
	            .rng_seed = { 1, 2, 3 } },
};

static u8 blob[0x40000];

static inline void build_tree(void)
{
	cr_assert(zero(int, fdt_build(&platform, blob, sizeof(blob))));
}

static inline const void *prop(const char *path, const char *name, int len)
{
	int node = fdt_path_offset(blob, path), got = -1;
	const void *val;

	cr_assert(ge(int, node, 0), "%s: %s", path, fdt_strerror(node));
	val = fdt_getprop(blob, node, name, &got);
	cr_assert(ge(int, got, 0), "%s/%s", path, name);
	if (len >= 0)
		cr_assert(eq(int, got, len), "%s/%s", path, name);
	return val;
}

static inline u32 cell(const char *path, const char *name, unsigned int at)
{
	return fdt32_ld((const fdt32_t *)prop(path, name, -1) + at);
}

static inline u64 cells(const char *path, const char *name, unsigned int at)
{
	return (u64)cell(path, name, at) << 32 | cell(path, name, at + 1);
}

static inline void expect_text(const char *path, const char *name, const char *text)
{
	cr_assert(eq(str, (char *)prop(path, name, -1), (char *)text), "%s/%s", path, name);
}

static inline void expect_cells(const char *path, const char *name, const u32 *want,
                                unsigned int nr)
{
	prop(path, name, nr * sizeof(u32));
	for (unsigned int i = 0; i < nr; i++)
		cr_assert(eq(u32, cell(path, name, i), want[i]), "%s/%s[%u]", path, name, i);
}

/* dtc also checks what a tree means; it is no part of a machine that only builds. */
static inline void check_with_dtc(void)
{
	char path[] = "/tmp/nestor-fdt-XXXXXX", command[128], line[256] = "";
	int fd = mkstemp(path);
	FILE *dtc;

	cr_assert(eq(sz, write(fd, blob, fdt_totalsize(blob)), fdt_totalsize(blob)));
	close(fd);
	snprintf(command, sizeof(command), "%s -I dtb -O dts -o /dev/null %s 2>&1",
	         getenv("LAB_DTC") ? getenv("LAB_DTC") : "dtc", path);
	dtc = popen(command, "r");
	if (!fgets(line, sizeof(line), dtc))
		*line = 0;
	unlink(path);
	if (WEXITSTATUS(pclose(dtc)) == 127)
		cr_skip("no dtc");
	cr_assert(eq(str, line, ""));
}

static inline bool has_prop(const char *path, const char *name)
{
	return fdt_getprop(blob, fdt_path_offset(blob, path), name, NULL);
}

#endif
