/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_UNPACK_H
#define MACHINE_UNPACK_H

#include "vmm/types.h"

/* How the bytes of a file, from @offset on, @size of them, are packed. */
struct packed {
	enum packing { PACKED_NOT, PACKED_GZIP, PACKED_ZSTD } packing;
	u64 offset, size;
};

/* What the first @len bytes of a file say: gzip (RFC 1952), zstd (RFC 8878), or neither. */
enum packing packing_of(const u8 *head, size_t len);

/*
 * Decompresses all of @p out of @fd into the @room bytes at @to, and writes to
 * none behind them; *done is how many there are. -EFBIG: there are more than
 * @room; -ENODATA: it is cut short; -EBADMSG: it is corrupt; -EEXIST: something
 * else follows it; -ENOMEM, or -errno of a read.
 */
int unpack(int fd, const struct packed *p, void *to, u64 room, u64 *done);

/* The same errors as text, for a line that names the file. */
const char *unpack_why(int err);

#endif
