/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACPI_OUT_H
#define ACPI_OUT_H

#include <stddef.h>

#include "vmm/types.h"

/* Bytes that grow, little-endian. What does not fit is counted and not written: looked at once, at
 * the end. */
struct out {
	u8 *bytes;
	size_t size, used;
	gpa_t at; /* where the guest sees the first */
};

void out_bytes(struct out *o, const void *bytes, size_t len);
void out8(struct out *o, u8 val);
void out16(struct out *o, u16 val);
void out32(struct out *o, u32 val);
void out64(struct out *o, u64 val);
void out_zeros(struct out *o, size_t len);
/* @len characters, the rest of which are NULs. */
void out_text(struct out *o, const char *text, size_t len);
void out_align(struct out *o, size_t align);

/* Where the next byte goes; changed later: 32 bits, or a byte. */
gpa_t out_here(const struct out *o);
void out_set8(struct out *o, size_t at, u8 val);
void out_set16(struct out *o, size_t at, u16 val);
void out_set32(struct out *o, size_t at, u32 val);
bool out_full(const struct out *o);

/* struct acpi_table_header: the header of a table, and its length and checksum once it is whole.
 * Returns where it begins. */
size_t table_begin(struct out *o, const char *signature, u8 revision);
void table_end(struct out *o, size_t begin);
void out_checksum(struct out *o, size_t begin, size_t len, size_t where);

/* A Generic Address Structure, in system memory. */
void out_gas(struct out *o, u8 width, u8 access, u64 address);

#endif
