// SPDX-License-Identifier: GPL-2.0-only
/* All tables, one behind the other, and what leads to them: XSDT, RSDP (struct acpi_table_xsdt,
 * acpi_table_rsdp). */
#include "acpi/acpi.h"

#include <errno.h>
#include <string.h>

#include "acpi/private.h"

#define NR_TABLES 16
#define RSDP_SIZE 36

/* What the XSDT lists behind the FADT, if there is one. */
static bool (*const tables[])(struct out *o, const struct platform *p) = {
	acpi_madt, acpi_gtdt, acpi_mcfg, acpi_spcr, acpi_dbg2, acpi_pptt, acpi_iort, acpi_viot,
};

static gpa_t xsdt(struct out *o, const gpa_t *at, unsigned int nr)
{
	const size_t begin = table_begin(o, "XSDT", 1);

	for (unsigned int i = 0; i < nr; i++)
		out64(o, at[i]);
	table_end(o, begin);
	return o->at + begin;
}

static gpa_t rsdp(struct out *o, gpa_t xsdt_at)
{
	size_t begin;

	out_align(o, 16);
	begin = o->used;
	out_text(o, "RSD PTR ", 8);
	out8(o, 0);
	out_text(o, "NESTOR", 6);
	out8(o, 2);
	out32(o, 0); /* no RSDT */
	out32(o, RSDP_SIZE);
	out64(o, xsdt_at);
	out32(o, 0);
	out_checksum(o, begin, 20, begin + 8);
	out_checksum(o, begin, RSDP_SIZE, begin + 32);
	return o->at + begin;
}

/* The tables; the RSDP is the last thing that is written. */
static gpa_t all(struct out *o, const struct platform *p)
{
	gpa_t at[NR_TABLES];
	unsigned int nr = 0;
	gpa_t dsdt;

	out_align(o, 16);
	dsdt = out_here(o);
	acpi_dsdt(o, p);
	out_align(o, 16);
	at[nr++] = out_here(o);
	acpi_fadt(o, p, dsdt);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		out_align(o, 16);
		at[nr] = out_here(o);
		nr += tables[i](o, p);
	}
	return rsdp(o, xsdt(o, at, nr));
}

int acpi_build(const struct platform *p, gpa_t at, void *to, size_t size, struct acpi_efi *efi)
{
	struct out o = { .bytes = to, .size = size, .at = at };

	acpi_efi(&o, p, all(&o, p), efi);
	return out_full(&o) ? -ENOSPC : 0;
}

int acpi_for_each(const void *to, int (*table)(void *ctx, const void *bytes, u32 size), void *ctx)
{
	const u8 *bytes = to;
	bool last = false;
	int err = 0;

	while (!last && !err) {
		const u32 len = bytes[4] | bytes[5] << 8 | bytes[6] << 16;

		last = !memcmp(bytes, "XSDT", 4);
		err = table(ctx, bytes, len);
		bytes += ALIGN_UP(len, 16);
	}
	return err ?: table(ctx, bytes, RSDP_SIZE);
}
