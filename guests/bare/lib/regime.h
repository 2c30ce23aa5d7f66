/* SPDX-License-Identifier: GPL-2.0-only */
/* Translation regimes by chance: what TCR_EL1 says of the upper half of the addresses, its tables,
 * an address in them; what the CPU makes of it (Arm DDI 0487, D8), and the CD that says the same.
 * This program itself is in the lower half. */
#ifndef GUESTS_BARE_LIB_REGIME_H
#define GUESTS_BARE_LIB_REGIME_H

#include "random.h"
#include "smmu.h"

/* What both the CPU and the IOMMU have. */
struct regime_ability {
	bool granules[3]; /* of 4, 16, 64 KiB */
	bool ha, hd, hpd, e0pd, pan, wxn, tbi, small, large_va, large_pa;
	unsigned int address_size; /* as IPS encodes it */
};
struct regime_ability regime_ability(void); /* an SMMU */
/* A virtio-iommu (docs/virtio-iommu-experimental.md). */
struct regime_ability regime_ability_viommu(void);

/* Where outputs are. */
#define ARENA_SIZE (2UL << 20)
extern u8 arena[ARENA_SIZE];

struct regime {
	unsigned int granule; /* log2 */
	unsigned int input;   /* bits */
	unsigned int ips;
	bool ha, hd, tbi, hpd, e0pd, pan, wxn;
	/* Its tables: the path to an address. */
	int start, leaf;
	unsigned int contiguous; /* log2 of the last entries that are, together */
	u64 root;
	u64 *entry[4];  /* by level, from start to leaf */
	u64 va, target; /* an address, and where it is to lead: in arena[] */
	bool large_pa;  /* level 1 has blocks with 64 KiB */
	bool in_reach;  /* bits above the input are as they should be */
};
/* All is as it should be; and then something may not be. */
void regime_build(struct regime *r, const struct regime_ability *can);
void regime_spoil(struct regime *r);
void regime_make(struct regime *r, const struct regime_ability *can); /* both */
/* Another address in @of's tables, which are as regime_build() has them. False: no room for it. */
bool regime_another(struct regime *r, const struct regime *of);
/* The address in the entry of that level is another by so much. */
void regime_lead(struct regime *r, int level, u64 by);
/* Its tables are empty again. */
void regime_forget(struct regime *r);
unsigned int regime_address_bits(const struct regime *r); /* of an output, by IPS */
unsigned int regime_leaf_shift(const struct regime *r);   /* log2 of the last entry's bytes */
/* The level that a walk ends at: a table that was spoiled may be a block. */
int regime_end(const struct regime *r);
/* Where the entry there has the address, if it is valid. */
u64 regime_output(const struct regime *r);
/* The address of the entry of that level; of the first one it is @first. */
u64 regime_table(const struct regime *r, int level, u64 first);
void regime_print(const struct regime *r);

enum answer { A_OK, A_TRANSLATION, A_SIZE, A_ACCESS, A_PERMISSION, A_ABORT, NR_ANSWERS };
struct access {
	bool write, privileged;
	bool fetch; /* of an instruction: a read */
};
/* Between these two the CPU has it. */
void regime_enter(const struct regime *r);
void regime_leave(void);
void regime_forget_tlb(void);                /* the CPU's: its tables are others */
enum answer regime_answer(unsigned int fst); /* of a fault status, whatever its level */
u64 regime_tcr(const struct regime *r);      /* what is the upper half's */
enum answer regime_ask(const struct regime *r, struct access a, u64 *pa); /* AT */
/*
 * The instruction there is executed, in arena[]; NR_ANSWERS: it is elsewhere, and is not. Then the
 * word there is another.
 */
enum answer regime_fetch(const struct regime *r, bool privileged, u64 *pa);
/* 8 bytes. */
enum answer regime_access(const struct regime *r, struct access a);

/* @lower: as the lower half. The address is then regime_lower(). */
struct cd regime_cd(const struct regime *r, bool lower);
u64 regime_lower(const struct regime *r);

#endif
