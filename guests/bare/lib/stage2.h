/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 2 by chance: what VTCR_EL2 says of IPAs (Arm DDI 0487, D8), its tables, and pages and
 * blocks in them; and the STE that says the same. */
#ifndef GUESTS_BARE_LIB_STAGE2_H
#define GUESTS_BARE_LIB_STAGE2_H

#include "regime.h"

/* What both the CPU and the SMMU have. */
struct stage2_ability {
	bool granules[3]; /* of 4, 16, 64 KiB */
	bool ha, small;
	unsigned int address_size; /* as PS encodes it */
};
struct stage2_ability stage2_ability(void);

#define STAGE2_TABLES  32
#define STAGE2_ENTRIES 2048 /* that are written: sets of contiguous ones have up to 128 */

struct stage2 {
	unsigned int granule; /* log2 */
	unsigned int input;   /* bits */
	unsigned int ps;
	bool ha;
	int start;
	u64 root;
	unsigned int tables;          /* that are in use, after the first */
	unsigned int nr;              /* of: */
	u64 *written[STAGE2_ENTRIES]; /* each once */
};

/* From an IPA to a page or block. */
struct stage2_path {
	u64 ipa;
	int leaf;
	u64 *entry[4]; /* by level, from the first */
};

/* Nothing is mapped. */
void stage2_make(struct stage2 *s, const struct stage2_ability *can);
/* Its tables are empty again. */
void stage2_forget(struct stage2 *s);
void stage2_print(const struct stage2 *s, const struct stage2_path *p);

enum stage2_kind { STAGE2_RANDOM, STAGE2_ALL }; /* what is allowed there */
/*
 * @pa somewhere below 1 << @limit, where that is possible: the @same lowest bits of the IPA are
 * those of @pa. False: there is no room.
 */
bool stage2_map(struct stage2 *s, u64 pa, unsigned int same, unsigned int limit,
                enum stage2_kind kind, struct stage2_path *p);
/* One thing is not as it should be, of the levels from that one on. @leads: also where entries
 * lead. */
void stage2_spoil(struct stage2 *s, const struct stage2_path *p, int from, bool leads);
/* The level at which @p ends, as its entries are now. */
int stage2_end(const struct stage2 *s, const struct stage2_path *p);
/* Its page or block has @ipa too; where that leads to, if it is valid. */
bool stage2_has(const struct stage2 *s, const struct stage2_path *p, u64 ipa);
u64 stage2_output(const struct stage2 *s, const struct stage2_path *p, u64 ipa);
/* A table of @p is where there is no memory. */
bool stage2_is_nowhere(const struct stage2 *s, const struct stage2_path *p);

u64 stage2_vtcr(const struct stage2 *s);
/* Words 2 and 3 of it. */
void stage2_ste(const struct stage2 *s, struct ste *ste);

#endif
