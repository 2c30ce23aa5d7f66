/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_DMA_H
#define VMM_DMA_H

#include <bsd/sys/queue.h>
#include <sys/uio.h>

#include "vmm/types.h"

struct guest_mem;

/*
 * How a device reaches memory. IOVA is GPA for those behind no IOMMU; a vIOMMU
 * supplies a space for each requester behind it, and a device never sees which
 * it has. Every function is called under the device lock.
 *
 * An operation ends OK, FAULT (nothing behind that address, or not with that
 * permission) or PENDING: the access is stalled, the device gives its request
 * up without side effects and runs it again when @token is resumed.
 */
enum dma_status { DMA_OK, DMA_FAULT, DMA_PENDING };

/* What the device does to memory; of several, all must be allowed. */
enum dma_perm { DMA_READ = 1, DMA_WRITE = 2, DMA_EXEC = 4 };

/* Why an access is a FAULT; docs/dma-test.md has the numbers. */
enum dma_reason {
	DMA_NO_REASON,     /* it is none */
	DMA_NOT_ATTACHED,  /* its requester, or its PASID, has no address space */
	DMA_NOT_MAPPED,    /* nothing is there */
	DMA_NOT_PERMITTED, /* not with that permission */
	DMA_NO_MEMORY,     /* what is there is not RAM */
	DMA_NO_ROOM,       /* in more pieces than its sg has room for */
	DMA_MISALIGNED,
	DMA_UNSUPPORTED,    /* a translation request: nobody answers it (ATS: UR) */
	DMA_ABORTED,        /* one, and who answers it cannot (CA) */
	DMA_NO_TRANSLATION, /* the device's own: it has cached none */
};
const char *dma_reason_words(enum dma_reason reason);

#define DMA_NO_PASID (~0u)

struct dma_access {
	u64 iova;
	u64 len; /* bytes; 0 is OK and maps nothing */
	u32 perm;
	u32 pasid; /* or DMA_NO_PASID */
	/* What comes before a fault, or before there is no room left, is mapped all the same. */
	bool partial;
	bool privileged; /* PCIe: Privileged Mode Requested */
	bool translated; /* @iova is from a translation that the device has (ATS) */
	bool silent;     /* nothing is accessed: where that would fault is reported to nobody */
	/* Answer: how many bytes may be reached; on FAULT the next one may
	 * not, wherever @iova was, for @reason. */
	u64 done;
	enum dma_reason reason;
};

/* One of all or nothing, without a PASID. */
static inline struct dma_access dma_access_to(u64 iova, u64 len, u32 perm)
{
	return (struct dma_access){ .iova = iova, .len = len, .perm = perm, .pasid = DMA_NO_PASID };
}

/*
 * Owned by the device, one for each thing that can wait; resume is called under the lock. A device
 * that gives its request up for good says so: dma_cancel().
 */
struct dma_token {
	void (*resume)(struct dma_token *token);
	bool timed; /* its owner keeps the time (fault-timeout=), and counts how it ends */
	/* The space's, while it waits and until it was run again: */
	TAILQ_ENTRY(dma_token) next;
	u64 iova; /* of the first byte that it could not reach */
	u32 pasid, requester;
	const void *holder; /* the space's own, of where it waits */
	u64 since;          /* ns */
	bool refused;       /* run again, it is a FAULT there */
	bool unasked;       /* it was held without a record: its time goes on */
};
TAILQ_HEAD(dma_tokens, dma_token);

/* Who wants to know when what was taken away is no longer in use: of so many
 * things (done: none). */
struct dma_wait {
	unsigned int left;
	void (*done)(struct dma_wait *w);
};

/* What transfers in flight use: a mapping, an endpoint's attachment. First in its struct, from
 * malloc. */
struct dma_use {
	unsigned int users;
	bool gone; /* for new transfers */
	struct dma_wait *wait;
};

/*
 * Host memory a device may touch until dma_unmap(): map appends up to @max
 * entries. Without @uses it must be unmapped before the lock is dropped; with
 * them (as many as entries) it may be used meanwhile, by io_uring as well, and
 * what would take the memory away waits. All of it is mapped in one go.
 */
struct dma_sg {
	struct iovec *iov;
	struct dma_use **uses; /* each entry's mapping; NULL: it has none */
	unsigned int nr, max;
	struct dma_use *attachment; /* NULL: none */
};

/* A translation as an endpoint may cache it (ATS; PCIe 10.2). */
struct dma_translation {
	u64 iova, len; /* the range around what was asked for that is translated alike */
	gpa_t gpa;     /* of iova */
	u32 perm;
};

/* Page requests (PCIe 10.4). */
struct dma_page_request {
	u64 iova; /* of the page: its offset bits are 0 */
	u32 perm;
	u32 pasid; /* or DMA_NO_PASID */
	u16 group; /* 9 bits */
	bool last;
};

enum dma_page_code { DMA_PAGE_SUCCESS, DMA_PAGE_INVALID, DMA_PAGE_FAILURE };

struct dma_page_response {
	u32 pasid;
	u16 group;
	enum dma_page_code code;
};

struct dma_space;

/* What may be NULL is not there: a translation request then FAULTs, a page request is refused. */
struct dma_ops {
	enum dma_status (*map)(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
	                       struct dma_token *token);
	enum dma_status (*doorbell)(struct dma_space *s, u64 iova, gpa_t *gpa, bool look);
	enum dma_status (*translate)(struct dma_space *s, struct dma_access *a,
	                             struct dma_translation *t);
	bool (*page_request)(struct dma_space *s, const struct dma_page_request *rq);
	/* Page requests of @pasid are somebody's to answer. NULL: wherever there is page_request.
	 */
	bool (*takes_pages)(struct dma_space *s, u32 pasid);
	void (*forget_pages)(struct dma_space *s);
	void (*invalidated)(struct dma_space *s, u32 tag);
	void (*cancel)(struct dma_space *s, struct dma_token *token); /* NULL: nothing stalls */
};

/* Who sends messages through a space: what their addresses lead to may have changed. */
struct dma_messages {
	void (*changed)(struct dma_messages *m);
};

/* The device's side of ATS and PRI. */
struct dma_device {
	/* What it has cached of [iova, last] goes; dma_invalidated() when no request uses it any
	 * more. */
	void (*invalidate)(struct dma_device *d, u32 pasid, u64 iova, u64 last, u32 tag);
	void (*page_response)(struct dma_device *d, const struct dma_page_response *r);
	/* A name that was not free is. NULL: it does not wait for that. */
	void (*page_room)(struct dma_device *d);
};

struct dma_space {
	const struct dma_ops *ops;
	const struct guest_mem *mem;
	struct dma_messages *messages; /* NULL: nobody asks */
	struct dma_device *device;     /* NULL: it has neither ATS nor PRI */
	bool translated;               /* IOVAs may be other than GPAs */
};

/* IOVA is GPA; whatever is not RAM faults. */
void dma_identity(struct dma_space *s, const struct guest_mem *mem);

/*
 * Appends the access to @sg. FAULT also where @sg has no room left: the caller
 * sized it for what its specification allows; a partial one is OK then, and
 * @a->done says how far it came. On PENDING, and on FAULT unless it was partial,
 * @sg is as it was.
 */
static inline enum dma_status dma_map(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                                      struct dma_token *token)
{
	return s->ops->map(s, a, sg, token);
}

/* What @token waits for, if anything, is not wanted any more: it will not be resumed. */
static inline void dma_cancel(struct dma_space *s, struct dma_token *token)
{
	if (s->ops->cancel)
		s->ops->cancel(s, token);
}

/* Ends the use of all that @sg maps; what took it away can then complete. */
void dma_unmap(struct dma_space *s, struct dma_sg *sg);

/* For who implements a space: one more user; one fewer. What is gone is freed with the last. */
static inline struct dma_use *dma_use_get(struct dma_use *u)
{
	u->users++;
	return u;
}
void dma_use_put(struct dma_use *u);
/* No new transfer uses it. Freed now, or later; in that case @wait (or NULL) waits for one more. */
void dma_use_end(struct dma_use *u, struct dma_wait *wait);

/* A private copy of @len bytes, at most DMA_COPY_SEGMENTS pieces. Without
 * PASID, as are the rest. */
#define DMA_COPY_SEGMENTS 16
enum dma_status dma_read(struct dma_space *s, u64 iova, void *to, u64 len, struct dma_token *token);
enum dma_status dma_write(struct dma_space *s, u64 iova, const void *from, u64 len,
                          struct dma_token *token);

/*
 * A naturally aligned little-endian 16-bit word that the guest's CPUs look at
 * too: one access, acquire on load, release on store. Misaligned: FAULT.
 */
enum dma_status dma_load16(struct dma_space *s, u64 iova, u16 *val, struct dma_token *token);
enum dma_status dma_store16(struct dma_space *s, u64 iova, u16 val, struct dma_token *token);
/* 64 bits, as they are in memory: an entry of a table may be of either byte order. */
enum dma_status dma_load64(struct dma_space *s, u64 iova, u64 *val, struct dma_token *token);

/*
 * An atomic compare-and-swap of @size bytes, 4 or 8, naturally aligned, little-endian (PCIe 6.15):
 * reads and writes, whether or not it swaps. @old is what was there. Misaligned: FAULT.
 */
enum dma_status dma_cas(struct dma_space *s, struct dma_access *a, u64 expected, u64 desired,
                        u64 *old, struct dma_token *token);

/*
 * Where a message that is written to @iova arrives: RAM or a doorbell, at *@gpa. What is between
 * the two may change: dma_messages.changed is called then.
 */
static inline enum dma_status dma_doorbell(struct dma_space *s, u64 iova, gpa_t *gpa)
{
	return s->ops->doorbell(s, iova, gpa, false);
}

/* The same before anything is sent: that it would arrive nowhere is no fault of the device's yet.
 */
static inline enum dma_status dma_doorbell_look(struct dma_space *s, u64 iova, gpa_t *gpa)
{
	return s->ops->doorbell(s, iova, gpa, true);
}

/*
 * ATS: @a->iova, translated for all of @a->perm that is allowed (@t->perm 0: nothing is; reads are
 * asked for with anything). FAULT: UNSUPPORTED or ABORTED.
 */
static inline enum dma_status dma_translate(struct dma_space *s, struct dma_access *a,
                                            struct dma_translation *t)
{
	if (s->ops->translate)
		return s->ops->translate(s, a, t);
	a->reason = DMA_UNSUPPORTED;
	return DMA_FAULT;
}

/* Whether one would be taken, once there is room for it. */
static inline bool dma_takes_pages(struct dma_space *s, u32 pasid)
{
	return s->ops->takes_pages ? s->ops->takes_pages(s, pasid) : s->ops->page_request != NULL;
}

/* The device no longer uses what the invalidation @tag named. */
static inline void dma_invalidated(struct dma_space *s, u32 tag)
{
	s->ops->invalidated(s, tag);
}

/* False: nobody takes page requests, or there are too many. */
static inline bool dma_request_page(struct dma_space *s, const struct dma_page_request *rq)
{
	return s->ops->page_request && s->ops->page_request(s, rq);
}

/* The device was reset: nothing that it has asked for waits for a response any more. */
static inline void dma_forget_pages(struct dma_space *s)
{
	if (s->ops->forget_pages)
		s->ops->forget_pages(s);
}

#endif
