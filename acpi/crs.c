// SPDX-License-Identifier: GPL-2.0-only
/* Resource templates (Linux, drivers/acpi/acpica/amlresrc.h). */
#include "acpi/aml.h"

enum { END = 0x79, MEMORY32_FIXED = 0x86, DWORD_SPACE, WORD_SPACE, INTERRUPT, QWORD_SPACE };
enum { SPACE_MEMORY, SPACE_IO, SPACE_BUS };
/* General flags of an address space. */
enum { CONSUMER = 1 << 0, MIN_FIXED = 1 << 2, MAX_FIXED = 1 << 3 };
#define WINDOW (MIN_FIXED | MAX_FIXED)
/* Its type-specific flags, of memory and of ports. */
enum { READ_WRITE = 1 << 0, PREFETCHABLE = 3 << 1, ENTIRE_RANGE = 3, TRANSLATED = 1 << 4 };

void crs_begin(struct resources *r)
{
	r->o = (struct out){ .bytes = r->bytes, .size = sizeof(r->bytes) };
}

void crs_memory32(struct resources *r, u32 base, u32 size)
{
	out8(&r->o, MEMORY32_FIXED);
	out16(&r->o, 9);
	out8(&r->o, READ_WRITE);
	out32(&r->o, base);
	out32(&r->o, size);
}

void crs_interrupt(struct resources *r, u32 gsi)
{
	out8(&r->o, INTERRUPT);
	out16(&r->o, 6);
	out8(&r->o, CONSUMER);
	out8(&r->o, 1);
	out32(&r->o, gsi);
}

static void space(struct out *o, u8 tag, u8 type, u8 general, u8 specific)
{
	out8(o, tag);
	out16(o, tag == WORD_SPACE ? 13 : tag == DWORD_SPACE ? 23 : 43);
	out8(o, type);
	out8(o, general);
	out8(o, specific);
}

void crs_bus(struct resources *r, u8 first, u8 last)
{
	space(&r->o, WORD_SPACE, SPACE_BUS, WINDOW, 0);
	out16(&r->o, 0);
	out16(&r->o, first);
	out16(&r->o, last);
	out16(&r->o, 0);
	out16(&r->o, last - first + 1);
}

void crs_memory64(struct resources *r, u64 bus, u64 cpu, u64 size, bool prefetchable, bool own)
{
	space(&r->o, QWORD_SPACE, SPACE_MEMORY, WINDOW | (own ? CONSUMER : 0),
	      READ_WRITE | (prefetchable ? PREFETCHABLE : 0));
	out64(&r->o, 0);
	out64(&r->o, bus);
	out64(&r->o, bus + size - 1);
	out64(&r->o, cpu - bus);
	out64(&r->o, size);
}

void crs_io(struct resources *r, u32 bus, u32 cpu, u32 size)
{
	space(&r->o, DWORD_SPACE, SPACE_IO, WINDOW, ENTIRE_RANGE | TRANSLATED);
	out32(&r->o, 0);
	out32(&r->o, bus);
	out32(&r->o, bus + size - 1);
	out32(&r->o, cpu - bus);
	out32(&r->o, size);
}

void aml_crs(struct out *o, struct resources *r)
{
	out8(&r->o, END);
	out8(&r->o, 0); /* no checksum */
	aml_name(o, "_CRS");
	aml_buffer(o, r->bytes, r->o.used);
}
