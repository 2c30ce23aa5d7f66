/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_FRAMING_H
#define CONTROL_FRAMING_H

#include "vmm/types.h"

/*
 * Where a JSON value ends in a stream of bytes, which QMP marks by nothing: a
 * client may send a newline after each, or none. Looks at each byte once.
 */
struct framing {
	unsigned int depth;
	bool in_string, escaped, garbage;
	bool nonempty; /* something has begun */
};

/* True: the value that has begun ends with this byte (it may be no JSON). */
bool framing_byte(struct framing *f, u8 byte);

#endif
