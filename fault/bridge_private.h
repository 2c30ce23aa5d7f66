/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_BRIDGE_PRIVATE_H
#define FAULT_BRIDGE_PRIVATE_H

#include "fault/bridge.h"

/* What bridge.c and bridge_pages.c share: a request on its way. */
struct fault_outstanding {
	TAILQ_ENTRY(fault_outstanding) next;
	struct fault_bridge *bridge;
	struct fault_source *source;
	struct fault_request request;
	struct dma_token token;
	bool waits; /* linked: its device's space has the token, or its asker is, or will be, asked
	             */
	u64 since;  /* ns */
	u64 timed;  /* its time runs from then on: it is no shorter for a pause */
	/* By page requests: its name, if it is asked now; how often it was. */
	u16 group;
	bool asked;
	unsigned int asks;
};

/* Of its first byte. */
static inline struct dma_access fault_access(const struct fault_request *rq)
{
	return (struct dma_access){ .iova = rq->addr,
		                    .len = 1,
		                    .perm = rq->perm,
		                    .privileged = rq->privileged,
		                    .pasid = rq->pasid };
}

/* bridge.c. Its end; @tell: its source, too. */
void fault_finish(struct fault_outstanding *f, enum fault_outcome o, bool tell);
void fault_wait(struct fault_outstanding *f);
/* It waits for the guest. */
void fault_shown(struct fault_bridge *b, const struct fault_request *rq);
/* What becomes of one that can be reached as it is. */
enum fault_outcome fault_spurious(struct fault_bridge *b, const struct fault_request *rq);

/* bridge_pages.c: a request of a bridge with an asker begins; is not wanted any more. */
void fault_pages_begin(struct fault_outstanding *f);
void fault_pages_cancel(struct fault_outstanding *f);

#endif
