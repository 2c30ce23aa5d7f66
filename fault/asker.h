/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_ASKER_H
#define FAULT_ASKER_H

#include "vmm/dma.h"

/*
 * A function that asks for pages, and in whose name: its fault bridge, somebody who tries it out.
 * The function has one set of names (PASID and group) for all of them; each knows which of them
 * are its. Everything is called under the device lock, or before the guest runs.
 */
enum fault_asked {
	FAULT_ASKED,       /* it has an answer: fault_asker_answered(), perhaps at once */
	FAULT_NO_ROOM_NOW, /* fault_asker_room() when there may be some */
	FAULT_TAKES_NONE,  /* the guest has not enabled it */
};

/* In whose name pages are asked for: its owner's, until it is removed. */
struct fault_taker {
	/* A group has its answer. False: it is another's, or nobody wants to know. */
	bool (*answered)(struct fault_taker *t, const struct dma_page_response *r);
	/* There may be room, or nothing is taken any more. */
	void (*room)(struct fault_taker *t);
	/* The function has forgotten all it has asked for. */
	void (*forgotten)(struct fault_taker *t);
	struct fault_taker *next;
};

/* The function, which has these three. */
struct fault_asker {
	enum fault_asked (*ask)(struct fault_asker *a, const struct dma_page_request *rq);
	/* The name is taken: it was asked, and the guest has not answered, whoever wants to know.
	 */
	bool (*has)(const struct fault_asker *a, u32 pasid, u16 group);
	/* Nobody wants to know: its answer, if there is one, comes before this returns. */
	void (*give_up)(struct fault_asker *a, u32 pasid, u16 group);
	struct fault_taker *takers;
	unsigned int held; /* nobody is told of room now; */
	bool room;         /* but when it is let go, since there was some */
};

void fault_asker_add(struct fault_asker *a, struct fault_taker *t);
/* One that was not added stays so. */
void fault_asker_remove(struct fault_asker *a, struct fault_taker *t);

/* By the function. False: nobody waits for it. */
bool fault_asker_answered(struct fault_asker *a, const struct dma_page_response *r);
void fault_asker_room(struct fault_asker *a);
void fault_asker_forget(struct fault_asker *a);

/* Until it is let go, nobody asks: while one asks, or what was asked ends, another's question could
 * end what is under way. */
void fault_asker_hold(struct fault_asker *a);
void fault_asker_let_go(struct fault_asker *a);

#endif
