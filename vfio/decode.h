/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_DECODE_H
#define VFIO_DECODE_H

#include "vmm/types.h"

#define UAPI_MAX_STRUCT 64  /* bytes; the largest that a call takes, less what follows it */
#define DECODE_SIZE     400 /* of a trace's line; what is longer is cut */

/*
 * A call as strace would show it, if it knew the struct: ioctl(3, IOMMU_IOAS_ALLOC, {flags=0} =>
 * {out_ioas_id=1}). @before is the struct as it was given, @arg as it came back; of a call that
 * failed only what changed is shown behind the arrow. What is pointed at has to be there.
 */
void decode_call(char text[DECODE_SIZE], int fd, unsigned long request, const void *before,
                 const void *arg, bool ok);

/* How a field is shown. */
enum decode_kind {
	DECODE_NUMBER, /* in decimal, with a sign if it has four bytes: an ID or a descriptor */
	DECODE_HEX,
	DECODE_FLAGS,  /* bits by their names; the rest in hexadecimal */
	DECODE_ENUM,   /* a name out of a list, or the number */
	DECODE_THERE,  /* words that a pointer in the struct leads to */
	DECODE_BEHIND, /* words that follow the struct, up to its argsz */
	DECODE_FDS,    /* likewise, of descriptors */
};

struct decode_name {
	u64 val;
	const char *name;
};

struct decode_names {
	unsigned int nr;
	u64 mask; /* a part of a field of flags that is a number with a name; 0: none */
	const struct decode_name *rows;
};

struct decode_field {
	const char *name; /* the kernel's; NULL ends a list */
	enum decode_kind kind;
	u8 offset, size;
	bool in, out;
	/* words: the offset of the field that has how many (0: argsz alone says), how many bytes
	 * each of these is, and how many a word */
	u8 count, unit, word;
	const struct decode_names *names;
};

struct decode_request {
	unsigned long request;
	const char *name;
	const struct decode_field *fields;
};

/* fields.c: NULL: not known. */
const struct decode_request *decode_find(unsigned long request);

#endif
