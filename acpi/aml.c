// SPDX-License-Identifier: GPL-2.0-only
/* Encoding of AML: terms, lengths, names, numbers. */
#include "acpi/aml.h"

#include <string.h>

enum {
	NAME = 0x08,
	BYTE = 0x0a,
	WORD = 0x0b,
	DWORD = 0x0c,
	TEXT = 0x0d,
	QWORD = 0x0e,
	SCOPE = 0x10,
	BUFFER = 0x11,
	PACKAGE = 0x12,
	METHOD = 0x14,
	DUAL_NAME = 0x2e,
	MULTI_NAME = 0x2f,
	EXTENDED = 0x5b,
	REGION = 0x80,
	FIELD = 0x81,
	DEVICE = 0x82,
	IF = 0xa0,
	ELSE = 0xa1,
};

/* 20.2.4: the two bits above say how many bytes follow; of the first, a lone one has six bits, else
 * four. */
static unsigned int encode_length(u32 len, u8 *bytes)
{
	unsigned int more = len < 0x40 ? 0 : len < 0x1000 ? 1 : len < 0x100000 ? 2 : 3;

	bytes[0] = more ? more << 6 | (len & 0xf) : len;
	for (unsigned int i = 1; i <= more; i++)
		bytes[i] = len >> (4 + 8 * (i - 1));
	return more + 1;
}

/* A length counts its own bytes. */
static unsigned int whole_length(u32 len, u8 *bytes)
{
	unsigned int nr = 1;

	while (encode_length(len + nr, bytes) != nr)
		nr++;
	return nr;
}

/* What is inside moves behind the length once that is known. */
void aml_end(struct out *o, size_t begin)
{
	const size_t len = o->used - begin;
	u8 bytes[4];
	const unsigned int nr = whole_length(len, bytes);

	out_zeros(o, nr);
	if (out_full(o))
		return;
	memmove(o->bytes + begin + nr, o->bytes + begin, len);
	memcpy(o->bytes + begin, bytes, nr);
}

void aml_op(struct out *o, u8 op)
{
	out8(o, op);
}

/* 20.2.2: a segment is four characters, filled up with underscores. */
static void segment(struct out *o, const char *name, size_t len)
{
	for (size_t i = 0; i < 4; i++)
		out8(o, i < len ? name[i] : '_');
}

void aml_path(struct out *o, const char *path)
{
	unsigned int nr = 1;

	while (*path == '\\' || *path == '^')
		out8(o, *path++);
	for (const char *dot = path; (dot = strchr(dot, '.')); dot++)
		nr++;
	if (nr == 2)
		out8(o, DUAL_NAME);
	else if (nr > 2) {
		out8(o, MULTI_NAME);
		out8(o, nr);
	}
	while (nr--) {
		const size_t len = strcspn(path, ".");

		segment(o, path, len);
		path += len + !!path[len];
	}
}

static size_t begin(struct out *o, int op, bool extended, const char *name)
{
	size_t at;

	if (extended)
		out8(o, EXTENDED);
	out8(o, op);
	at = o->used;
	if (name)
		aml_path(o, name);
	return at;
}

size_t aml_scope(struct out *o, const char *name)
{
	return begin(o, SCOPE, false, name);
}

size_t aml_device(struct out *o, const char *name)
{
	return begin(o, DEVICE, true, name);
}

size_t aml_method(struct out *o, const char *name, unsigned int nr_args, bool serialized)
{
	const size_t at = begin(o, METHOD, false, name);

	out8(o, nr_args | serialized << 3);
	return at;
}

size_t aml_if(struct out *o)
{
	return begin(o, IF, false, NULL);
}

size_t aml_else(struct out *o)
{
	return begin(o, ELSE, false, NULL);
}

size_t aml_package(struct out *o, u8 nr)
{
	const size_t at = begin(o, PACKAGE, false, NULL);

	out8(o, nr);
	return at;
}

#define FIELD_DWORD 3 /* access of 32 bits; what is not written is preserved */

size_t aml_field(struct out *o, const char *region)
{
	const size_t at = begin(o, FIELD, true, region);

	out8(o, FIELD_DWORD);
	return at;
}

void aml_unit(struct out *o, const char *name, unsigned int bits)
{
	u8 bytes[4];

	if (name)
		segment(o, name, strlen(name));
	else
		out8(o, 0);
	out_bytes(o, bytes, encode_length(bits, bytes));
}

void aml_region(struct out *o, const char *name, gpa_t base, u32 len)
{
	begin(o, REGION, true, name);
	out8(o, 0); /* SystemMemory */
	aml_int(o, base);
	aml_int(o, len);
}

void aml_name(struct out *o, const char *name)
{
	out8(o, NAME);
	aml_path(o, name);
}

void aml_name_int(struct out *o, const char *name, u64 val)
{
	aml_name(o, name);
	aml_int(o, val);
}

void aml_name_text(struct out *o, const char *name, const char *text)
{
	aml_name(o, name);
	aml_text(o, text);
}

static unsigned int hex_digit(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Three letters of five bits and four digits, the most significant first. */
void aml_name_eisa(struct out *o, const char *name, const char *id)
{
	u32 val = 0;

	for (unsigned int i = 0; i < 3; i++)
		val = val << 5 | (id[i] - '@');
	for (unsigned int i = 3; i < 7; i++)
		val = val << 4 | hex_digit(id[i]);
	aml_name(o, name);
	out8(o, DWORD);
	out32(o, __builtin_bswap32(val));
}

void aml_int(struct out *o, u64 val)
{
	if (val <= 1) {
		out8(o, val);
	} else if (val <= 0xff) {
		out8(o, BYTE);
		out8(o, val);
	} else if (val <= 0xffff) {
		out8(o, WORD);
		out16(o, val);
	} else if (val <= 0xffffffff) {
		out8(o, DWORD);
		out32(o, val);
	} else {
		out8(o, QWORD);
		out64(o, val);
	}
}

void aml_text(struct out *o, const char *text)
{
	out8(o, TEXT);
	out_bytes(o, text, strlen(text) + 1);
}

void aml_buffer(struct out *o, const void *bytes, size_t len)
{
	const size_t at = begin(o, BUFFER, false, NULL);

	aml_int(o, len);
	out_bytes(o, bytes, len);
	aml_end(o, at);
}

/* aabbccdd-eeff-gghh-iijj-kkllmmnnoopp: the first three groups are little-endian. */
void aml_uuid(struct out *o, const char *uuid)
{
	static const u8 digit[16] = { 6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34 };
	u8 bytes[16];

	for (unsigned int i = 0; i < 16; i++)
		bytes[i] = hex_digit(uuid[digit[i]]) << 4 | hex_digit(uuid[digit[i] + 1]);
	aml_buffer(o, bytes, sizeof(bytes));
}
