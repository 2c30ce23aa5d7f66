/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_SMMUV3_TRANSACTION_H
#define DEVICES_SMMUV3_TRANSACTION_H

#include "devices/smmuv3/private.h"

/* What translate.c and ats.c share: a transaction on its way, or a request for a translation. */

/* One transaction, as far as it is the same for all its pages. */
struct smmu_transaction {
	struct smmu *smmu;
	struct smmu_endpoint *endpoint;
	struct smmu_config_entry *config; /* NULL: bypass of the SMMU itself */
	struct smmu_config_entry *look;   /* a debug walk's, which does nothing; NULL: of no such */
	struct dma_token *token;          /* NULL: who made the access cannot wait */
	u32 perm;
	bool privileged;
	bool request;            /* for a translation: what goes wrong is answered, not recorded */
	u32 allowed;             /* of that, after F_PERMISSION */
	u64 ipa;                 /* stage 1's output, of the last walk */
	struct smmu_event event; /* of what goes wrong */
};

/* ats.c: a translation request; how a translated transaction begins. */
enum dma_status smmu_translate(struct dma_space *space, struct dma_access *a,
                               struct dma_translation *to);
enum dma_status smmu_translated(struct smmu_transaction *t, struct dma_access *a);

/* translate.c. What its transaction comes to if it ends; @allowed: of F_PERMISSION. */
enum dma_status smmu_fails(struct smmu_transaction *t, struct dma_access *a, bool record,
                           u32 allowed);
enum dma_status smmu_aborts(struct smmu_transaction *t, struct dma_access *a);
/* PRIVCFG and INSTCFG. */
void smmu_attributes(struct smmu_transaction *t, u8 privcfg, u8 instcfg);
/* The translation of @at by walks of the stages there are, in *n. */
enum dma_status smmu_walk(struct smmu_transaction *t, struct dma_access *a, u64 at,
                          struct smmu_translation *n);

#endif
