// SPDX-License-Identifier: GPL-2.0-only
/* What the DSDT's host bridges have, found in their bytes (ACPI, 20). */
#include <string.h>

#include "tests/unit/told_private.h"

/* A PkgLength (ACPI, 20.2.4), which counts itself: where what it spans ends. *at is behind it. */
u32 told_package_end(struct told_tables *t, u32 *at)
{
	const u32 first = *at, lead = told_get(t, t->dsdt, first, 1), more = lead >> 6;
	const u32 low = more ? lead & 15 : lead & 63;

	*at += 1 + more;
	return first + (low | told_get(t, t->dsdt, first + 1, more) << 4);
}

/* Zero, One, a byte or a word (20.2.3). */
static u32 integer(struct told_tables *t, u32 at)
{
	const u32 op = told_get(t, t->dsdt, at, 1);

	if (op == 0x0a || op == 0x0b)
		return told_get(t, t->dsdt, at + 1, op == 0x0a ? 1 : 2);
	if (op > 1)
		told_broken(t, "a segment's number is no number");
	return op;
}

struct span {
	const u8 *from;
	size_t len;
};

/* The device that has the segment's number: no other has any. */
static struct span host_of(struct told_tables *t, u32 segment)
{
	const u32 size = told_get(t, t->dsdt, 4, 4);

	for (u32 dev = 36; dev + 8 < size; dev++) {
		u32 at = dev + 2, end;
		const u8 *name;

		if (told_get(t, t->dsdt, dev, 2) != 0x825b) /* DeviceOp */
			continue;
		end = told_package_end(t, &at);
		if (end < at || end > size)
			continue;
		name = memmem(t->dsdt + at, end - at, "\x08_SEG", 5);
		if (name && integer(t, name + 5 - t->dsdt) == segment)
			return (struct span){ t->dsdt + at, end - at };
	}
	told_broken(t, "the namespace has no host bridge of a segment");
	return (struct span){ 0 };
}

static unsigned int times(struct span in, const char *what, size_t len)
{
	unsigned int nr = 0;
	const u8 *end = in.from + in.len, *at = in.from;

	while (at && (at = memmem(at, end - at, what, len))) {
		at += len;
		nr++;
	}
	return nr;
}

unsigned int dsdt_stalls(struct told_tables *t, u32 segment)
{
	return times(host_of(t, segment), "dma-can-stall", 14);
}

/* _DSM: if Arg2 is 5, that is returned: 0 keeps them, 1 does not. */
bool dsdt_keeps(struct told_tables *t, u32 segment)
{
	const struct span host = host_of(t, segment);
	const bool keeps = times(host, "\x93\x6a\x0a\x05\xa4\x00", 6);

	if (keeps + times(host, "\x93\x6a\x0a\x05\xa4\x01", 6) != 1)
		told_broken(t, "a host bridge says nothing of its configuration, or twice");
	return keeps;
}
