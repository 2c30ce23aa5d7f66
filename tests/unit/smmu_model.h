/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_SMMU_MODEL_H
#define TESTS_UNIT_SMMU_MODEL_H

#include "tests/unit/fake_smmu.h"

/*
 * What Arm IHI 0070, 3.17, 4.3 and 4.4 say of what an SMMU may have cached: everything that there
 * was since it was last invalidated. Tables, CDs and STEs are as simple as they can be, and in
 * arrays; of the SMMU under test it has nothing.
 */
#define MODEL_PAGES   8             /* 64 KiB: half of them */
#define MODEL_BLOCK   0x40000000ULL /* a block of stage 1, over all of RAM */
#define MODEL_TABLES  3             /* last ones of stage 1, which roots share */
#define MODEL_ROOTS1  3
#define MODEL_ROOTS2  2 /* of VMIDs 2 and 3; VMID 1 has stage 1 alone */
#define MODEL_CDS     2 /* of a stream: 0 is without a PASID, 1 is PASID 1's */
#define MODEL_STREAMS FAKE_SMMU_ENDPOINTS

/* Addresses that are accessed: pages, the same outputs by the block, what stage 2 alone has, the
 * outputs by contiguous pages. */
enum { MODEL_BY_PAGE, MODEL_BY_BLOCK, MODEL_BY_IPA, MODEL_BY_CONTIGUOUS, MODEL_WAYS };
#define MODEL_ADDRS (MODEL_WAYS * MODEL_PAGES)

struct model_page {
	bool valid, ro, global;
	u8 to;
};

struct model_cd {
	bool valid, aset;
	u8 root, asid;
	u64 version;
};

struct model_ste {
	u8 config, vmid, strw;
	u64 version;
};

struct model_config {
	struct model_ste ste;
	struct model_cd cd;
};

enum { MODEL_EL1, MODEL_EL2, MODEL_EL2_E2H };
struct model_entry {
	u8 world, vmid, asid;
	bool ipa, aset, global, in_block;
	u32 perm;
	gpa_t out;
};

#define MODEL_CONFIGS 24
#define MODEL_ENTRIES 400
struct smmu_model {
	unsigned int granule; /* log2; of both stages */
	unsigned int pages;   /* of MODEL_PAGES */
	/* Memory, as it is. */
	struct {
		gpa_t at;
		struct model_page pages[MODEL_PAGES], contiguous;
	} tables[MODEL_TABLES];
	struct {
		gpa_t root;
		int table; /* which; -1: there is none */
		struct model_page block;
	} roots1[MODEL_ROOTS1];
	struct {
		gpa_t root;
		struct model_page pages[MODEL_PAGES];
	} roots2[MODEL_ROOTS2];
	struct model_ste stes[MODEL_STREAMS];
	struct model_cd cds[MODEL_STREAMS][MODEL_CDS];
	bool e2h;
	unsigned int vmw;
	/* What may be cached. */
	struct {
		struct model_config all[MODEL_CONFIGS];
		unsigned int nr;
	} configs[MODEL_STREAMS][MODEL_CDS];
	struct {
		struct model_entry all[MODEL_ENTRIES];
		unsigned int nr;
	} entries[MODEL_ADDRS];
};

u64 model_page_size(const struct smmu_model *m);
u64 model_address(const struct smmu_model *m, unsigned int i);
/* What stage 1 puts out, and stage 2. */
u64 model_out(const struct smmu_model *m, unsigned int i);
u64 model_pa(const struct smmu_model *m, unsigned int i);
/* The first of the contiguous pages; log2 of how many; where they lead. */
u64 model_contiguous(const struct smmu_model *m);
unsigned int model_contiguous_log2(const struct smmu_model *m);
u64 model_contiguous_to(const struct smmu_model *m);
#define MODEL_VA 0x200000ULL /* of the pages */

struct model_config model_current(const struct smmu_model *m, unsigned int stream, unsigned int cd);
/* What a configuration makes of an address now; false: a fault, whatever the access is. */
bool model_translate(const struct smmu_model *m, const struct model_config *c, unsigned int cd,
                     unsigned int addr, struct model_entry *e);

/* All is invalidated. */
void model_forget(struct smmu_model *m);
/* An STE has been changed, or one of its CDs. False: there is no room, all has to be invalidated.
 */
bool model_changed(struct smmu_model *m, unsigned int stream);
/* After any change: what may come into the TLB from now on. */
void model_fill(struct smmu_model *m);

/* An invalidation of translations; @first and @last where it is by address. */
struct model_tlbi {
	u8 op, vmid, asid, ttl;
	u64 first, last;
};
void model_tlbi(struct smmu_model *m, const struct model_tlbi *c);
/* Of one CD of a stream, with its STE or without. */
void model_cfgi(struct smmu_model *m, unsigned int stream, unsigned int cd, bool ste);

/* Whether it may be the answer to an access. */
bool model_may_be(const struct smmu_model *m, unsigned int stream, unsigned int cd,
                  unsigned int addr, u32 perm, const struct fake_smmu_reached *got);

#endif
