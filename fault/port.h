/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_PORT_H
#define FAULT_PORT_H

#include "fault/patience.h"
#include "fault/times.h"
#include "vmm/dma.h"

/*
 * The page-request port of an endpoint: between who raises page requests and takes their answers
 * (dma_request_page, dma_device.page_response), and who shows them to a guest and brings what it
 * answers. It knows neither. It keeps which groups wait, so that each has exactly one answer: the
 * guest's, or that of its end. Everything is called under the device lock.
 */
#define FAULT_MAX_WAITING 32 /* groups of an endpoint */
#define FAULT_GROUPS      64 /* those, and others that are remembered */

/* What became of a group whose last request was shown. */
enum fault_state {
	FAULT_UNKNOWN,   /* there was none, or it was too long ago */
	FAULT_WAITS,     /* for its answer */
	FAULT_ANSWERED,  /* by the guest */
	FAULT_ENDED,     /* its attachment did, and that was the answer */
	FAULT_OVERDUE,   /* nobody answered in time: its name is taken until somebody does */
	FAULT_FORGOTTEN, /* by who raised it, which was reset: it has none */
};

struct fault_group {
	u32 pasid; /* or DMA_NO_PASID */
	u16 index;
	u8 state;
	u32 generation; /* of the attachment that it was raised in */
	u64 since;      /* ns, by the port's patience */
};

/* Of page requests: shown, not shown. Of groups: all others. */
struct fault_counts {
	u64 raised, refused;
	u64 answered;  /* by the guest */
	u64 automatic; /* in its stead, since it could not be asked */
	u64 ended, forgotten;
	u64 timed_out;                /* nobody answered in time */
	u64 waiting;                  /* groups, now */
	u64 late, duplicate, unknown; /* answers to what had ended, was answered, never waited */
	struct fault_times times;     /* of those to what waited */
};

struct fault_port {
	struct dma_space *space;   /* whose device it is that asks */
	struct patience *patience; /* its owner's, who has it look here */
	struct fault_group groups[FAULT_GROUPS];
	unsigned int waiting, overdue, next;
	u32 generation;
	struct fault_counts counts;
	/* --trace fault, of its owner's: what becomes of that group. NULL: it is not traced. */
	void (*see)(const struct fault_port *p, const char *group, const char *what);
};

/* @patience: its owner's, which outlives it; NULL: nothing is ever raised. */
void fault_port_init(struct fault_port *p, struct dma_space *space, struct patience *patience);

/* The group of @rq waits already. */
bool fault_waits(struct fault_port *p, const struct dma_page_request *rq);
/* Whether @rq can be shown: its group's name is not taken, and there is room for another. */
bool fault_can_raise(struct fault_port *p, const struct dma_page_request *rq);
/* @rq is shown, after fault_can_raise(): with its last request a group waits. Or, after
 * fault_waits(): it makes no difference to the group. */
void fault_raised(struct fault_port *p, const struct dma_page_request *rq);
/* There may be room for what was refused. */
void fault_room(struct fault_port *p);
/* @rq is not shown. */
void fault_refused(struct fault_port *p);

/* The guest's answer: it is delivered, if the group waits. What the group was until then. */
enum fault_state fault_answer(struct fault_port *p, const struct dma_page_response *r);
/* An answer in the guest's stead, to what it was not shown. */
void fault_answer_automatically(struct fault_port *p, const struct dma_page_response *r);
/* To the device, as it is, whatever waits. */
void fault_deliver(struct fault_port *p, const struct dma_page_response *r);

/*
 * The attachment ends: whatever waits is answered with @code, once, with its PASID if @with_pasid.
 * What the device raises meanwhile is the next one's.
 */
void fault_end(struct fault_port *p, enum dma_page_code code, bool with_pasid);
/* The same of an attachment of some PASIDs, or of none: those that it @ends. */
void fault_end_of(struct fault_port *p, enum dma_page_code code, bool with_pasid,
                  bool (*ends)(const void *ctx, u32 pasid), const void *ctx);
/* Nobody has answered the group in time: that is what it is answered by. So many of them are no
 * room for others, FAULT_GROUPS with those that wait. */
void fault_time_out(struct fault_port *p, u32 pasid, u16 index);
/* Who raised it has given it up, and has that answer: of a bridge's, which counts it. */
void fault_give_up(struct fault_port *p, u32 pasid, u16 index);
/* fault_time_out() of all which wait for too long; since when (ns) the oldest of the others waits,
 * false: there are none. Both, one after the other, are patience.look. */
void fault_end_overdue(struct fault_port *p);
bool fault_find_oldest(const struct fault_port *p, u64 *oldest);
/* dma_forget_pages(): nothing waits any more. */
void fault_forget(struct fault_port *p);

/* Something that waits for the guest, of an emulated IOMMU's or a mailbox's: an access that stalls
 * or a group of page requests; for who looks at it. */
struct fault_waiting {
	bool stalls;
	bool named;    /* else it has no record yet */
	u32 requester; /* as its IOMMU knows it; of a mailbox 0 */
	u32 pasid;     /* or DMA_NO_PASID */
	u16 name;      /* STAG, or group */
	u64 iova;      /* of a stall */
	u64 ns;        /* for how long */
};
typedef void fault_seen(void *ctx, const struct fault_waiting *w);
/* The groups that wait, of @requester. */
void fault_each(const struct fault_port *p, u32 requester, fault_seen *seen, void *ctx);

/* Adds the counts of @p to @sum. */
void fault_count(const struct fault_port *p, struct fault_counts *sum);

/* A group, as traces have it. */
struct fault_name {
	char text[48];
};
struct fault_name fault_name(u32 pasid, u16 index);

#endif
