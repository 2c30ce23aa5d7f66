/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor chains and rings that are none, whatever a device would make of their contents. */
#ifndef GUESTS_BARE_LIB_CHAINS_H
#define GUESTS_BARE_LIB_CHAINS_H

#include "device.h"

#define RAM_END (RAM_BASE + (256UL << 20)) /* the scenario's -m */

/* What becomes of a buffer. */
enum outcome { BROKEN, USED, HELD, ANYTHING };

extern u8 buffers[4][4096];
#define BUFFER(n) ((u64)buffers[n])
extern struct desc table[4]; /* an indirect one */

#define OUT(len, to)                          \
	{                                     \
		BUFFER(0), len, DESC_NEXT, to \
	}
#define LAST_OUT(len)                \
	{                            \
		BUFFER(0), len, 0, 0 \
	}
#define IN(len, to)                                        \
	{                                                  \
		BUFFER(1), len, DESC_NEXT | DESC_WRITE, to \
	}
#define LAST_IN(len)                          \
	{                                     \
		BUFFER(1), len, DESC_WRITE, 0 \
	}
#define AT(where, len, descflags)        \
	{                                \
		where, len, descflags, 0 \
	}
#define INDIRECT(len)                              \
	{                                          \
		(u64) table, len, DESC_INDIRECT, 0 \
	}

struct chain {
	const char *name;
	enum outcome outcome;
	struct desc desc[4], table[4];
	u16 head;
	bool indirect; /* the feature is taken */
};

/* Broken in any queue; the first by most devices only. */
enum { NOTHING_AT_ALL };
extern const struct chain chains[];
extern const unsigned int nr_chains;

void expect_outcome(struct device *d, unsigned int queue, enum outcome outcome, const char *name);
/* The device starts, and meets @c in that queue. */
void offer_chain(struct device *d, unsigned int queue, const struct chain *c, u64 features);

/* Rings that are none: the device starts with place @i for that queue's, and @first is offered
 * there. */
extern const unsigned int nr_places;
const char *place_name(unsigned int i);
void misplace_rings(struct device *d, unsigned int queue, unsigned int i, u64 features,
                    struct desc first);

#endif
