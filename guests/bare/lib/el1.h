/* SPDX-License-Identifier: GPL-2.0-only */
/* EL1 and EL0 below this program at EL2, behind a stage 2: what they make of an address (Arm DDI
 * 0487, D8). A small program of ours is there, that accesses it and calls EL2. */
#ifndef GUESTS_BARE_LIB_EL1_H
#define GUESTS_BARE_LIB_EL1_H

#include "stage2.h"

struct verdict {
	enum answer answer; /* NR_ANSWERS: nobody asked */
	bool stage2;        /* the fault is stage 2's, */
	bool walk;          /* of a walk of stage 1 */
	int level;          /* of an AT: that the fault is of; with @walk stage 1's */
	u64 pa;             /* by AT, of OK; otherwise 0 */
	bool has_ipa;       /* an access tells: */
	u64 ipa;            /* the page of a fault of stage 2 */
	u64 value;          /* by a read */
};

/* Where the small program is; stage 2 has to lead to it, with everything allowed. */
#define EL1_PAGE_BITS 16 /* log2: the IPA has these bits of it */
u64 el1_page(void);
/* Once, before any of the others. */
void el1_init(void);
/* It is at this IPA; stage 1 as @r says it, or none where @r is NULL. */
void el1_enter(const struct stage2 *s, const struct regime *r, u64 ipa);
/* What TLBs have of the page or block of that IPA; and then of all that is made of such. */
void el1_forget(u64 ipa);
void el1_leave(void);
struct verdict el1_at(struct access a, u64 va); /* AT S12E1R and so on */
/* The access itself, of 8 bytes; NR_ANSWERS: it does not end; a fetch executes what el1_plant() has
 * put there. */
struct verdict el1_access(struct access a, u64 va);
void el1_plant(u64 pa);

#endif
