/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FDT_FDT_H
#define FDT_FDT_H

#include <stddef.h>

struct platform;

/*
 * The machine as a flattened device tree, written into @blob of @size bytes.
 * With p->chosen.efi_system_table it has /chosen alone, and the rest is ACPI's.
 * Reads struct platform and nothing else. 0, or -ENOSPC: it does not fit.
 */
int fdt_build(const struct platform *p, void *blob, size_t size);

#endif
