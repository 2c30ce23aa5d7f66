/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_BRIDGE_H
#define FAULT_BRIDGE_H

#include "fault/asker.h"
#include "fault/times.h"
#include "vmm/dma.h"
#include "vmm/log.h"
#include "vmm/loop.h"

/*
 * The fault bridge. A device's access has stalled somewhere (a source: the fault queue of a host's
 * IOMMU, somebody who tries it out), and what it needs is the guest's to give. It is shown as an
 * access of the device's by way of its DMA space, whose IOMMU stalls it (a route), and run again
 * when the guest has answered that; or as a page request, of an asker (the other route), and looked
 * at again. Whether it can be reached then is what the source is told. The bridge knows neither
 * end. Everything is called under the device lock, or before the guest runs.
 */
struct fault_bridge;
struct fault_hub;

/* What was to be reached, and could not be. */
struct fault_request {
	u64 addr; /* an IOVA, to the byte */
	u32 perm; /* DMA_* */
	bool privileged;
	u32 pasid;  /* or DMA_NO_PASID */
	u64 cookie; /* by which its source knows it: one that is not outstanding */
};

/* How a request can end: each does once. */
enum fault_outcome {
	FAULT_RETRIED,   /* the guest has answered, and it can be reached now */
	FAULT_ABORTED,   /* the guest has answered, and it cannot */
	FAULT_SPURIOUS,  /* it can be reached as it is: the guest was not asked */
	FAULT_REFUSED,   /* there is nothing that the guest could do, or it takes no faults */
	FAULT_ENDED_BY,  /* its device was reset, or its configuration changed */
	FAULT_TIMED_OUT, /* fault-timeout= */
	FAULT_NO_ROOM,   /* as many are outstanding as there can be */
	FAULT_OUTCOMES
};
const char *fault_outcome_word(enum fault_outcome o);
/* The access is to be made again; else it has failed. */
static inline bool fault_is_retried(enum fault_outcome o)
{
	return o == FAULT_RETRIED || o == FAULT_SPURIOUS;
}

struct fault_source {
	/* Once for each that was raised, but for those that it knows of (fault_bridge_end());
	 * perhaps before fault_bridge_raise() returns. False: it had ended already. */
	bool (*answer)(struct fault_source *s, u64 cookie, enum fault_outcome o);
};

#define FAULT_ASKS 16 /* for one page, whose answers are successes and mend nothing */

#define FAULT_OUTSTANDING 1024 /* of a device, at most */

struct fault_stats {
	u64 received, shown; /* raised; of those: waiting, or having waited, for the guest */
	u64 ended[FAULT_OUTCOMES];
	struct fault_times times; /* of the guest's answers */
	u32 outstanding;
};

/* A fault that was spurious, so many times in a row, and never shown in between; by the clock,
 * first and last. */
struct fault_repeat {
	struct fault_request request;
	unsigned int row; /* 0: nothing is known */
	u64 first, last;
};
#define FAULT_REPEATS  16
#define FAULT_ROW      16           /* more than so many, */
#define FAULT_ROW_TIME 100000000ULL /* and for longer than that (ns), are refused, */
#define FAULT_ROW_GAP  200000000ULL /* where so long does not pass in between */

struct fault_outstanding;
struct fault_bridge {
	struct fault_hub *hub;
	struct fault_bridge *next;
	const char *name;                            /* its device's; the owner's */
	struct dma_space *space;                     /* its */
	struct fault_asker *asker;                   /* NULL: the space stalls */
	struct fault_taker taker;                    /* as that one knows it */
	u32 timeout;                                 /* ms; 0: none */
	TAILQ_HEAD(, fault_outstanding) outstanding; /* the oldest first */
	struct fault_repeat repeats[FAULT_REPEATS];
	unsigned int next_group;
	struct fault_stats stats;
};

/* A machine's bridges, and their clock. */
struct fault_hub {
	struct loop *loop;
	const struct log *log;
	u64 (*clock)(void); /* ns */
	struct vm *vm;      /* whose vCPUs may be held; NULL: none are */
	struct fault_bridge *bridges;
	u64 ended[FAULT_OUTCOMES]; /* of all there are and were */
	/* One of @b's has ended and was not served: aborted, refused, timed out, no room. NULL:
	 * nobody wants to know. */
	void (*unserved)(struct fault_hub *h, const struct fault_bridge *b);
	struct loop_op timer;
	struct __kernel_timespec time;
	bool timer_runs;
	unsigned int holds; /* vcpus_nr_holds(), when it was looked at last */
};

/* It has to outlive the loop. */
void fault_hub_init(struct fault_hub *h, struct loop *loop, const struct log *log);

/* Whatever has waited for too long ends: as the clock does by itself. */
void fault_hub_tick(struct fault_hub *h);

/* @b has its name, space, asker and timeout; it is the caller's. */
void fault_bridge_add(struct fault_bridge *b, struct fault_hub *h);
/* Whatever is outstanding is answered. */
void fault_bridge_remove(struct fault_bridge *b);

/* It ends, now or later, with an answer. */
void fault_bridge_raise(struct fault_bridge *b, struct fault_source *s,
                        const struct fault_request *rq);

/* From now on pages are asked for, by @a; nothing is outstanding. */
void fault_bridge_set_asker(struct fault_bridge *b, struct fault_asker *a);

/* What is outstanding ends. @by has forgotten its own, so it is not told; NULL: everybody is. */
void fault_bridge_end(struct fault_bridge *b, const struct fault_source *by);

/* An asker's answer; it says itself when it has room again. False: nobody waits for it. */
bool fault_bridge_answered(struct fault_bridge *b, const struct dma_page_response *r);
/* One that @by raised, by that name; @by is told. */
void fault_bridge_end_one(struct fault_bridge *b, struct fault_source *by, u64 cookie);
/* One that could not even be raised: it is counted. */
void fault_bridge_no_room(struct fault_bridge *b, const struct fault_request *rq);

/* Its asker may have room now, or has none any more: what waits is asked, in order. */
void fault_bridge_ask(struct fault_bridge *b);

/* A group that was asked for beside it, in its device's name, has had no answer in time. */
void fault_count_timed_out(struct fault_bridge *b);
/* How many wait that nobody else counts, as an asker's mailbox does what it is asked for. */
unsigned int fault_bridge_waiting(const struct fault_bridge *b);

/* What waits for the guest, the oldest first. */
struct fault_seen_there {
	const struct fault_request *request;
	u64 ns;            /* for how long */
	unsigned int asks; /* of page requests: how often; 0: the guest sees a stall, or it is not
	                      asked yet */
	bool asked;        /* now, by the name of: */
	u16 group;
};
void fault_bridge_each(const struct fault_bridge *b,
                       void (*fn)(void *ctx, const struct fault_seen_there *f), void *ctx);

#endif
