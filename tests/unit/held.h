/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_HELD_H
#define TESTS_UNIT_HELD_H

#include "vmm/dma.h"

/* A transfer in flight: what it uses stays, until it is let go of. */
#define HELD_MAX 8

struct held {
	struct dma_space *space;
	struct iovec iov[HELD_MAX];
	struct dma_use *uses[HELD_MAX];
	struct dma_sg sg;
	u64 done; /* bytes */
};

static inline enum dma_status hold(struct held *h, struct dma_space *s, u64 iova, u64 len, u32 perm)
{
	struct dma_access a = dma_access_to(iova, len, perm);
	enum dma_status status;

	h->space = s;
	h->sg = (struct dma_sg){ .iov = h->iov, .uses = h->uses, .max = HELD_MAX };
	status = dma_map(s, &a, &h->sg, NULL);
	h->done = a.done;
	return status;
}

static inline void let_go(struct held *h)
{
	dma_unmap(h->space, &h->sg);
}

#endif
