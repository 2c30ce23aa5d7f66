// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a kernel that boots with ACPI wants of EFI, though none ran: a system table, configuration
 * tables and the memory map (Linux, include/linux/efi.h, drivers/firmware/efi/fdtparams.c).
 */
#include "acpi/acpi.h"
#include "acpi/private.h"

#define PAGE            0x1000ULL
#define UEFI_2_70       (2 << 16 | 70)
#define DESCRIPTOR_SIZE 48
#define TYPE_MEMORY     7
#define TYPE_ACPI       9
#define ATTRIBUTE_WB    8

struct guid {
	u32 a;
	u16 b, c;
	u8 d[8];
};
static const struct guid acpi_20 = {
	0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 }
};
static const struct guid rt_properties = {
	0xeb66918a, 0x7eef, 0x402a, { 0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9 }
};
/* Linux's own: where the tables of LPIs are kept over kexec. */
static const struct guid memreserve = {
	0x888eb0c6, 0x8ede, 0x4ff5, { 0xa8, 0xf0, 0x9a, 0xee, 0x5c, 0xb9, 0x77, 0xc2 }
};

static void configuration(struct out *o, const struct guid *g, gpa_t at)
{
	out32(o, g->a);
	out16(o, g->b);
	out16(o, g->c);
	out_bytes(o, g->d, sizeof(g->d));
	out64(o, at);
}

/* efi_rt_properties_table_t: no runtime service can be called. */
static gpa_t no_services(struct out *o)
{
	const gpa_t at = out_here(o);

	out16(o, 1);
	out16(o, 8);
	out32(o, 0);
	return at;
}

/* struct linux_efi_memreserve: a page of it, of which nothing is used. */
static gpa_t reservations(struct out *o)
{
	const size_t header = 16;
	gpa_t at;

	out_align(o, PAGE);
	at = out_here(o);
	out32(o, (PAGE - header) / 16);
	out32(o, 0);
	out64(o, 0);
	out_zeros(o, PAGE - header);
	return at;
}

static gpa_t vendor(struct out *o)
{
	static const char name[] = "Nestor";
	const gpa_t at = out_here(o);

	for (size_t i = 0; i < sizeof(name); i++)
		out16(o, name[i]);
	out_align(o, 256); /* the kernel maps more than the name */
	return at;
}

static gpa_t system_table(struct out *o, gpa_t fw_vendor, gpa_t tables, u64 nr)
{
	const gpa_t at = out_here(o);

	out_text(o, "IBI SYST", 8);
	out32(o, UEFI_2_70);
	out32(o, 120);
	out64(o, 0); /* CRC, which nobody looks at; reserved */
	out64(o, fw_vendor);
	out32(o, 1);
	out32(o, 0);
	out_zeros(o, 6 * 8); /* no consoles */
	out64(o, 0);         /* no runtime services */
	out64(o, 0);         /* nor boot services */
	out64(o, nr);
	out64(o, tables);
	return at;
}

static void descriptor(struct out *o, u32 type, gpa_t base, gpa_t end)
{
	if (base == end)
		return;
	out32(o, type);
	out32(o, 0);
	out64(o, base);
	out64(o, 0);
	out64(o, (end - base) / PAGE);
	out64(o, ATTRIBUTE_WB);
	out64(o, 0);
}

/* RAM, and these tables in it. */
static void memory_map(struct out *o, const struct platform *p, struct acpi_efi *efi)
{
	const gpa_t end = o->at + o->size;

	out_align(o, PAGE);
	efi->memory_map = out_here(o);
	efi->descriptor_size = DESCRIPTOR_SIZE;
	descriptor(o, TYPE_MEMORY, p->ram.base, o->at);
	descriptor(o, TYPE_ACPI, o->at, end);
	descriptor(o, TYPE_MEMORY, end, p->ram.base + p->ram.size);
	efi->memory_map_size = out_here(o) - efi->memory_map;
}

void acpi_efi(struct out *o, const struct platform *p, gpa_t rsdp, struct acpi_efi *efi)
{
	const gpa_t services = no_services(o), reserved = reservations(o);
	gpa_t tables;

	out_align(o, 256);
	tables = out_here(o);
	configuration(o, &acpi_20, rsdp);
	configuration(o, &rt_properties, services);
	configuration(o, &memreserve, reserved);
	out_align(o, 256);
	efi->system_table = system_table(o, vendor(o), tables, 3);
	memory_map(o, p, efi);
}
