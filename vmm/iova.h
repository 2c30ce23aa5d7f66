/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_IOVA_H
#define VMM_IOVA_H

#include <bsd/sys/tree.h>

#include "vmm/dma.h"

/*
 * The mappings of one address space of a vIOMMU's: ranges of IOVAs, none of which overlap, each to
 * as many consecutive GPAs. Everything is called under the device lock.
 */
struct iova_mapping {
	struct dma_use use;
	RB_ENTRY(iova_mapping) node;
	u64 iova, last; /* bytes, both included */
	gpa_t gpa;      /* of iova */
	u32 perm;       /* enum dma_perm */
	bool doorbell;  /* messages are sent through it: see dma_messages */
};

RB_HEAD(iova_tree, iova_mapping);

struct iova_space {
	struct iova_tree tree;
	u64 nr;
	u64 generation; /* another one whenever a mapping has gone: what was looked up before is
	                   stale */
	bool any_pasid; /* it is that of every process of an endpoint's; else a PASID has none */
};

void iova_init(struct iova_space *s);

/* @m's range, GPA and perm; a copy is kept. 0; -EEXIST: it overlaps another; -ENOMEM. */
int iova_map(struct iova_space *s, const struct iova_mapping *m);

/*
 * Removes all mappings within [@iova, @last]; @wait->left grows by those that transfers in flight
 * still use. 0; -ERANGE, and nothing is removed: it would split one. *@doorbells: one of them was
 * used for messages.
 */
int iova_unmap(struct iova_space *s, u64 iova, u64 last, struct dma_wait *wait, bool *doorbells);

/* All of them, with no one waiting; the owner has ended what uses the space. */
void iova_clear(struct iova_space *s);

/* The one that @iova is in, or NULL. */
struct iova_mapping *iova_find(struct iova_space *s, u64 iova);

#endif
