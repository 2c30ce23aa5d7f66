// SPDX-License-Identifier: GPL-2.0-only
/* Bytes of tables: little-endian values, headers, checksums. */
#include "acpi/out.h"

#include <string.h>

void out_bytes(struct out *o, const void *bytes, size_t len)
{
	if (o->used + len <= o->size)
		memcpy(o->bytes + o->used, bytes, len);
	o->used += len;
}

static void le(struct out *o, u64 val, size_t len)
{
	u8 bytes[8];

	for (size_t i = 0; i < len; i++)
		bytes[i] = val >> 8 * i;
	out_bytes(o, bytes, len);
}

void out8(struct out *o, u8 val)
{
	le(o, val, 1);
}

void out16(struct out *o, u16 val)
{
	le(o, val, 2);
}

void out32(struct out *o, u32 val)
{
	le(o, val, 4);
}

void out64(struct out *o, u64 val)
{
	le(o, val, 8);
}

void out_zeros(struct out *o, size_t len)
{
	while (len--)
		out8(o, 0);
}

void out_text(struct out *o, const char *text, size_t len)
{
	const size_t have = strnlen(text, len);

	out_bytes(o, text, have);
	out_zeros(o, len - have);
}

void out_align(struct out *o, size_t align)
{
	out_zeros(o, -o->used & (align - 1));
}

gpa_t out_here(const struct out *o)
{
	return o->at + o->used;
}

static void set(struct out *o, size_t at, u64 val, size_t len)
{
	struct out there = *o;

	there.used = at;
	le(&there, val, len);
}

void out_set8(struct out *o, size_t at, u8 val)
{
	set(o, at, val, 1);
}

void out_set16(struct out *o, size_t at, u16 val)
{
	set(o, at, val, 2);
}

void out_set32(struct out *o, size_t at, u32 val)
{
	set(o, at, val, 4);
}

bool out_full(const struct out *o)
{
	return o->used > o->size;
}

#define LENGTH_AT   4
#define CHECKSUM_AT 9

size_t table_begin(struct out *o, const char *signature, u8 revision)
{
	size_t begin;

	out_align(o, 16);
	begin = o->used;
	out_text(o, signature, 4);
	out32(o, 0); /* Length */
	out8(o, revision);
	out8(o, 0); /* Checksum */
	out_text(o, "NESTOR", 6);
	out_text(o, "NESTOR  ", 8);
	out32(o, 1); /* OEM Revision */
	out_text(o, "NSTR", 4);
	out32(o, 1); /* Creator Revision */
	return begin;
}

void out_checksum(struct out *o, size_t begin, size_t len, size_t where)
{
	u8 sum = 0;

	if (out_full(o))
		return;
	for (size_t i = 0; i < len; i++)
		sum += o->bytes[begin + i];
	o->bytes[where] -= sum;
}

void table_end(struct out *o, size_t begin)
{
	out_set32(o, begin + LENGTH_AT, o->used - begin);
	out_checksum(o, begin, o->used - begin, begin + CHECKSUM_AT);
}

void out_gas(struct out *o, u8 width, u8 access, u64 address)
{
	out8(o, 0); /* system memory */
	out8(o, width);
	out8(o, 0);
	out8(o, access);
	out64(o, address);
}
