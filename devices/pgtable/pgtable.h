/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_PGTABLE_PGTABLE_H
#define DEVICES_PGTABLE_PGTABLE_H

#include "vmm/dma.h"

/*
 * Translation tables of VMSAv8-64 (Arm DDI 0487, D8), one stage of them: what
 * a walk comes to, and every fault of it. Whatever a register, a CD or an STE
 * says of the tables is in struct pgtable; nothing of an SMMU or a CPU is
 * known here. Nothing is cached. Everything is called under the device lock.
 */
struct pgtable {
	struct dma_space *space; /* where the tables are: physical memory, or behind a stage 2 */
	u64 base;                /* of the first table; the bits below its alignment are ignored */
	u8 stage;                /* 1 or 2 */
	u8 granule;              /* log2 of its bytes: 12, 14 or 16 */
	u8 input;                /* bits of an input address: 64 - TxSZ */
	u8 output;               /* bits of an output address: the effective IPS or PS, up to 52 */
	s8 start;                /* the first level: -1 to 3 */
	bool large;              /* 52 bits of address are implemented, whatever @output says */
	bool ds;                 /* TCR.DS: 52 bits with 4 and 16 KiB (FEAT_LPA2) */
	bool big_endian;
	bool ha, hd; /* hardware updates: access flag, dirty state */
	bool affd;   /* access flags are taken as 1 (SMMU: CD.AFFD, STE.S2AFFD) */

	/* Stage 1. */
	bool upper;         /* TTBR1's: addresses whose bit 55 is 1 */
	bool tbi;           /* bits 63 to 56 of an address are ignored */
	bool one_privilege; /* EL2 or EL3: AP[1] is taken as 1, and there is XN only */
	bool had;           /* hierarchical permissions are ignored */
	bool wxn, pan, e0pd;

	/* Stage 2. */
	bool fwb; /* MemAttr as HCR_EL2.FWB has it */
};

enum pgtable_fault {
	PGTABLE_OK,
	PGTABLE_TRANSLATION,
	PGTABLE_ADDRESS_SIZE,
	PGTABLE_ACCESS_FLAG,
	PGTABLE_PERMISSION,
	PGTABLE_ABORT,   /* a table could not be read, or its entry not be written */
	PGTABLE_PENDING, /* the space stalls: again, from the beginning, when @token is resumed */
};

struct pgtable_access {
	u64 addr;
	u32 perm; /* DMA_READ, DMA_WRITE, DMA_EXEC (an instruction fetch): all of them */
	bool privileged;
	bool speculative; /* neither access flag nor dirty state are written: as if HA and HD were
	                     0, and AFFD 1 */
	struct dma_token *token; /* NULL: the space does not stall */
	/* NULL, or told of each entry that was read: what the walk is printed by. */
	void (*step)(void *ctx, int level, u64 addr, u64 entry);
	void *ctx;
};

/* What a walk came to. */
struct pgtable_walk {
	enum pgtable_fault fault;
	s8 level;  /* of the last entry, or at which the fault is */
	u64 entry; /* the last one, as it is now, whatever its byte order; 0: it was not read */
	u64 entry_addr; /* 0: the input address was refused */
	bool wrote;     /* an ABORT or PENDING: it was the entry's update that failed */

	/* If it is OK. */
	u64 output;  /* of the address */
	u8 shift;    /* log2 of the page's or block's bytes */
	u8 contig;   /* log2 of the bytes of the contiguous set that it is in; @shift: of none */
	bool global; /* nG is 0 (stage 1) */
	/* DMA_*: without and with privilege; a page not yet dirty is not writable. Of a PERMISSION
	 * fault: what would have been allowed; then it is. */
	u32 allowed[2];
	u8 attr; /* AttrIndx (stage 1), MemAttr (stage 2) */
	u8 sh;   /* shareability; of the table's user with @ds */
};

/* @a->perm is checked with @a->privileged, in the order of faults that D8 gives. */
void pgtable_walk(const struct pgtable *t, const struct pgtable_access *a, struct pgtable_walk *w);

/* The level that a stage 1 with so many input bits starts at. */
int pgtable_start1(unsigned int granule, unsigned int input);
/*
 * Where a stage 2 starts, by SL2:SL0 (SL2 counts with @ds and 4 KiB only), with
 * up to 16 concatenated tables. False: inconsistent with the granule and @input.
 */
bool pgtable_start2(unsigned int granule, unsigned int input, bool ds, unsigned int sl, s8 *level);

#endif
