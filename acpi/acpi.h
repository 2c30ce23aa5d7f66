/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACPI_ACPI_H
#define ACPI_ACPI_H

#include <stddef.h>

#include "vmm/types.h"

struct platform;

/* Where an EFI kernel that no firmware has started finds what firmware leaves behind
 * (Linux, Documentation/arch/arm/uefi.rst). */
struct acpi_efi {
	gpa_t system_table;
	gpa_t memory_map;
	u32 memory_map_size, descriptor_size; /* bytes */
};

#define ACPI_ALIGN 0x10000ULL /* of all of it, for kernels with pages of 64 KiB */

/*
 * The machine as ACPI 6.5 tables, in @size bytes of RAM at @to, which the guest sees at @at; both
 * are multiples of ACPI_ALIGN. With them the EFI system table, its configuration tables and the
 * memory map, in which this range is ACPI reclaim memory. Reads struct platform and nothing else.
 * 0, or -ENOSPC: it does not fit.
 */
int acpi_build(const struct platform *p, gpa_t at, void *to, size_t size, struct acpi_efi *efi);

/*
 * Each table that acpi_build() has written to @to, the DSDT first, then the XSDT, the RSDP last:
 * calls @table with its bytes until that is not 0, and returns what it did last.
 */
int acpi_for_each(const void *to, int (*table)(void *ctx, const void *bytes, u32 size), void *ctx);

#endif
