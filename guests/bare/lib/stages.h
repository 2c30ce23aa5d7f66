/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 2 by chance, alone or below a stage 1 by chance: an address, and all that it takes to get
 * it translated by EL1's program and by an SMMU. */
#ifndef GUESTS_BARE_LIB_STAGES_H
#define GUESTS_BARE_LIB_STAGES_H

#include "el1.h"

/* What stage 2 leads to: the output, stage 1's entries by level, the CD, EL1's program. */
enum { OUTPUT, TABLES, CD = TABLES + 4, PROGRAM, NR_PATHS };

struct stages {
	u64 cd; /* where it is */
	bool both;
	struct regime r; /* where there are not both, its target alone */
	struct stage2 s2;
	struct stage2_path paths[NR_PATHS];
	u64 va;
	unsigned int left; /* cases with the same VTCR and VTTBR */
};

/* False: there was no room; it has to be forgotten, too. @fetch: stage 1 is as it should be. */
bool stages_make(struct stages *c, bool fetch, const struct regime_ability *can1,
                 const struct stage2_ability *can2);
/* What is fetched is executed: then it is where it was meant to be. */
void stages_spoil(struct stages *c, bool fetch);
void stages_forget(struct stages *c);
void stages_leave(const struct stages *c); /* TLBs forget it */

/* All entries that an access may change. */
struct entries {
	u64 stage1[4], stage2[STAGE2_ENTRIES];
};
void stages_look(const struct stages *c, struct entries *e);
void stages_restore(const struct stages *c, const struct entries *e);
bool stages_same(const struct stages *c, const struct entries *a, const struct entries *b);

/* An IPA in stage 1's entries is beyond stage 2's input. */
bool stages_beyond(const struct stages *c);
/* Tables of stage 2, on the way to stage 1's, are where no memory is. */
bool stages_nowhere_in_walk(const struct stages *c);
/* Stage 2 leads to where no memory is, and does not permit all. */
bool stages_deny_device(const struct stages *c);
/* Stage 2 permits for one of stage 1's tables one of these: bits of none, read, write, both. */
bool stages_table_permits(const struct stages *c, unsigned int permitted);
/* An access flag would be set where stage 2 does not permit it. */
bool stages_deny_flag(const struct stages *c);
/* Bits 63 to 55 of the address are not the same, and are looked at. */
bool stages_top_byte(const struct stages *c);

#endif
