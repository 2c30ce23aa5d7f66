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
	bool global;    /* IOVA_GLOBAL */
};

/* Two kinds of mappings, of a space that tells them apart; any others are OWN. */
enum iova_kind { IOVA_OWN = 1, IOVA_GLOBAL = 2, IOVA_ALL = 3 };

RB_HEAD(iova_tree, iova_mapping);

/*
 * Who keeps the mappings of a space elsewhere too: in a host's IOMMU, for devices that are no
 * program's. Called by those below, when they are done with the space itself.
 */
struct iova_mirror {
	/* -errno: it cannot be mapped there, and so it is not mapped at all */
	int (*map)(struct iova_mirror *m, const struct iova_mapping *mapping);
	/* All within [@first, @last], both included: nothing reaches them when it returns. */
	void (*unmap)(struct iova_mirror *m, u64 first, u64 last);
	void (*gone)(struct iova_mirror *m); /* with the space; nothing is attached to it */
};

struct iova_space {
	struct iova_tree tree;
	struct iova_mirror *mirror; /* NULL: there is none */
	bool identity;              /* every IOVA is mapped to itself */
	u64 nr;
	u64 generation; /* another one whenever a mapping has gone: what was looked up before is
	                   stale */
	bool any_pasid; /* it is that of every process of an endpoint's; else a PASID has none */
	/* NULL, or asked where nothing is mapped at @iova, or not with @perm: that is then made
	 * so. NULL: it cannot be, for *@reason. */
	struct iova_mapping *(*fetch)(struct iova_space *s, u64 iova, u32 perm,
	                              enum dma_reason *reason);
};

void iova_init(struct iova_space *s);

/* @m's range, GPA, perm and kind; a copy is kept. 0; -EEXIST: it overlaps another; -ENOMEM; what
 * the mirror says. */
int iova_map(struct iova_space *s, const struct iova_mapping *m);

/*
 * Removes all mappings within [@iova, @last]; @wait->left grows by those that transfers in flight
 * still use. 0; -ERANGE, and nothing is removed: it would split one. *@doorbells: one of them was
 * used for messages.
 */
int iova_unmap(struct iova_space *s, u64 iova, u64 last, struct dma_wait *wait, bool *doorbells);

/*
 * The same, of all that reach into [@iova, @last], and are of one of @kinds (enum iova_kind);
 * *@doorbells as well.
 */
void iova_take(struct iova_space *s, u64 iova, u64 last, u32 kinds, struct dma_wait *wait,
               bool *doorbells);

/* All of them, with no one waiting; the owner has ended what uses the space. */
void iova_clear(struct iova_space *s);

/* The one that @iova is in, or NULL. */
struct iova_mapping *iova_find(struct iova_space *s, u64 iova);
/* That one, or the next above it. */
struct iova_mapping *iova_next(struct iova_space *s, u64 iova);
/* Of [*@first, *@last], what is around @iova and free. */
void iova_gap(struct iova_space *s, u64 iova, u64 *first, u64 *last);

#endif
