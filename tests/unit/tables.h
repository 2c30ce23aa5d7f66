/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_TABLES_H
#define TESTS_UNIT_TABLES_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "acpi/acpi.h"
#include "vmm/platform.h"

/* ACPI tables, and what is read back from them. */
#define AT   0x8f010000ULL
#define SIZE 0x40000

static u8 tables[SIZE];
static struct acpi_efi efi;

static inline void build_tables(const struct platform *p)
{
	cr_assert(zero(int, acpi_build(p, AT, tables, sizeof(tables), &efi)));
}

static inline u64 get(const u8 *from, unsigned int at, unsigned int len)
{
	u64 val = 0;

	for (unsigned int i = 0; i < len; i++)
		val |= (u64)from[at + i] << 8 * i;
	return val;
}

static inline const u8 *table_at(gpa_t at)
{
	cr_assert(ge(u64, at, AT));
	cr_assert(lt(u64, at, AT + SIZE));
	return tables + (at - AT);
}

static inline u8 sum(const u8 *bytes, size_t len)
{
	u8 all = 0;

	while (len--)
		all += *bytes++;
	return all;
}

/* By way of the EFI system table, the RSDP and the XSDT, as the kernel does it. */
static inline const u8 *xsdt(void)
{
	const u8 *system = table_at(efi.system_table), *config, *rsdp;

	cr_assert(zero(int, memcmp(system, "IBI SYST", 8)));
	cr_assert(eq(u64, get(system, 104, 8), 3));
	config = table_at(get(system, 112, 8));
	cr_assert(eq(u64, get(config, 0, 4), 0x8868e871));
	rsdp = table_at(get(config, 16, 8));
	cr_assert(zero(int, memcmp(rsdp, "RSD PTR ", 8)));
	cr_assert(zero(u8, sum(rsdp, 20)));
	cr_assert(zero(u8, sum(rsdp, 36)));
	return table_at(get(rsdp, 24, 8));
}

/* NULL: there is none. */
static inline const u8 *find(const char *signature)
{
	const u8 *x = xsdt();

	for (unsigned int at = 36; at < get(x, 4, 4); at += 8) {
		const u8 *t = table_at(get(x, at, 8));

		if (!memcmp(t, signature, 4))
			return t;
	}
	return NULL;
}

#endif
