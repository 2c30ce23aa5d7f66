/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_VMSA_MODEL_H
#define TESTS_UNIT_VMSA_MODEL_H

#include "devices/pgtable/pgtable.h"

/*
 * What Arm DDI 0487, D8 says of VMSAv8-64 translation, one bit or one row of a table at a time.
 * Of the walker under test it has the descriptions of tables and accesses alone; it reads and
 * writes a memory of its own, that is as the walker's was.
 */
#define VMSA_STEPS 5 /* levels -1 to 3 */

/* One stage. */
struct vmsa_stage {
	enum pgtable_fault fault;
	int level;
	bool wrote; /* ABORT: it was the entry's update that failed */
	struct {
		int level;
		u64 addr, entry;
	} steps[VMSA_STEPS]; /* the entries, as they were when they were read */
	unsigned int nr;
	u64 entry; /* the last one of them, as it has to be afterwards */

	u64 output;
	unsigned int shift, contig, attr, sh;
	bool global;
	u32 allowed[2];
	bool accessed, dirtied; /* what the hardware wrote */
};

/* Stage 1 whose tables and outputs are behind a stage 2; or one stage alone, in @s1. */
struct vmsa_result {
	struct vmsa_stage s1, s2; /* @s2: that which faulted, or that of the output */
	unsigned int stage;       /* of the fault; 0: none */
	bool table; /* a fault of stage 2: of a stage 1 table (TT), else the input (IN) */
	u64 ipa;    /* at which a stage 2 faulted, or which it translated last */
};

struct vmsa {
	const struct pgtable *t;
	const struct pgtable *under; /* NULL: one stage */
	u64 base, size;              /* memory */
	u8 *bytes;
	/* An entry was changed by the walk for its own update: which comes first is not said. */
	bool raced;
};

struct vmsa_result vmsa_translate(struct vmsa *v, const struct pgtable_access *a);

u64 vmsa_load(const u8 *from, bool big_endian);
void vmsa_store(u8 *to, bool big_endian, u64 entry);
/* @entry with the address @to in it, of which it has what is not below 2^@lowest. */
u64 vmsa_with_address(const struct pgtable *t, u64 entry, unsigned int lowest, u64 to);
/* log2 of the bytes that an entry spans; false: no block or page is at such a level. */
unsigned int vmsa_span(unsigned int granule, int level);
bool vmsa_has_leaf(const struct pgtable *t, int level);
u64 vmsa_base_alignment(const struct pgtable *t);

int vmsa_start1(unsigned int granule, unsigned int input);
bool vmsa_start2(unsigned int granule, unsigned int input, bool ds, unsigned int sl, int *level);

#endif
