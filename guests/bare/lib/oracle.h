/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPU as what an IOMMU's stage 1 is compared with: by AT, or by the access itself; and what
 * that makes of the tables. */
#ifndef GUESTS_BARE_LIB_ORACLE_H
#define GUESTS_BARE_LIB_ORACLE_H

#include "regime.h"

/* A regime's entries on the way to its address. */
struct path {
	u64 entry[4];
};
struct path path_look(const struct regime *r);
void path_restore(const struct regime *r, const struct path *p);
bool path_is(const struct regime *r, const struct path *p);

struct oracle {
	enum answer answer; /* NR_ANSWERS: nobody knows */
	u64 pa;
	bool updated;       /* the access was made, and left */
	struct path after;  /* this; the entries are then as they were before */
	bool cleaned;       /* an AT says read-only of a page that an access makes dirty */
	bool contradicts;   /* by AT it is this, and then it is not: */
	enum answer access; /* of the access itself; NR_ANSWERS: it is not made */
};
/* Between regime_enter() and regime_leave(). */
struct oracle oracle_ask(const struct regime *r, struct access a);

/* Memory at @pa that nobody minds being written: it is in arena[]. */
bool oracle_owns(u64 pa);
/* All of arena[] says where it is. */
void oracle_fill(void);
#define ORACLE_WORD(pa) ((pa)*3)

#endif
