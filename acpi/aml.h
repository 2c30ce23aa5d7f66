/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACPI_AML_H
#define ACPI_AML_H

#include "acpi/out.h"

/* ACPI Machine Language (ACPI, 20; Linux, drivers/acpi/acpica/amlcode.h), as iasl would encode it:
 * each length in as few bytes as it takes. */

/* Opcodes that are a byte. */
enum {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_LOCAL0 = 0x60,
	AML_ARG0 = 0x68,
	AML_ARG1,
	AML_ARG2,
	AML_ARG3,
	AML_STORE = 0x70,
	AML_AND = 0x7b,
	AML_OR = 0x7d,
	AML_NOTIFY = 0x86,
	AML_CREATE_DWORD_FIELD = 0x8a,
	AML_LNOT = 0x92,
	AML_LEQUAL = 0x93,
	AML_RETURN = 0xa4,
};

/* What has a length: returns what aml_end() is called with once all is in it. */
size_t aml_scope(struct out *o, const char *name);
size_t aml_device(struct out *o, const char *name);
size_t aml_method(struct out *o, const char *name, unsigned int nr_args, bool serialized);
size_t aml_if(struct out *o);
size_t aml_else(struct out *o);
size_t aml_package(struct out *o, u8 nr);
/* Fields of a region, with access of 32 bits; each is a name and its bits, NULL what is
 * skipped. */
size_t aml_field(struct out *o, const char *region);
void aml_unit(struct out *o, const char *name, unsigned int bits);
void aml_end(struct out *o, size_t begin);

void aml_region(struct out *o, const char *name, gpa_t base, u32 len); /* in system memory */
/* A Name() of: what is put behind it, a number, a text, an ID of seven characters. */
void aml_name(struct out *o, const char *name);
void aml_name_int(struct out *o, const char *name, u64 val);
void aml_name_text(struct out *o, const char *name, const char *text);
void aml_name_eisa(struct out *o, const char *name, const char *id);

void aml_op(struct out *o, u8 op);
void aml_path(struct out *o,
              const char *path); /* "NAME", "\\NAME" or "^NAME", segments with dots */
void aml_int(struct out *o, u64 val);
void aml_text(struct out *o, const char *text);
void aml_buffer(struct out *o, const void *bytes, size_t len);
void aml_uuid(struct out *o, const char *uuid); /* as ToUUID() has it: a buffer */

/* A resource template, built apart and then put into a Name(_CRS). */
struct resources {
	u8 bytes[512];
	struct out o;
};
void crs_begin(struct resources *r);
void crs_memory32(struct resources *r, u32 base, u32 size);
void crs_interrupt(struct resources *r, u32 gsi); /* level, active high, exclusive */
void crs_bus(struct resources *r, u8 first, u8 last);
/* A window that the bridge passes on, or (@own) a range of its own. */
void crs_memory64(struct resources *r, u64 bus, u64 cpu, u64 size, bool prefetchable, bool own);
void crs_io(struct resources *r, u32 bus, u32 cpu, u32 size); /* ports that are memory to a CPU */
void aml_crs(struct out *o, struct resources *r);

#endif
