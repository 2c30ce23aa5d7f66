/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_MAILBOX_H
#define FAULT_MAILBOX_H

#include "fault/patience.h"
#include "fault/port.h"
#include "fault/times.h"
#include "vmm/loop.h"

struct vm;

/*
 * A function's own mailbox for its page requests (docs/vpri.md): a ring in guest memory, a message,
 * a response register, all told of in a capability of the function (a DVSEC). It knows nothing of
 * PCI but the capability's bytes. Everything is called under the device lock.
 */
#define MAILBOX_SIZE     0x2c   /* bytes of config space, from the capability's header on */
#define MAILBOX_VENDOR   0x1af4 /* of the DVSEC; not assigned by who owns it */
#define MAILBOX_ID       0x7072
#define MAILBOX_REVISION 1
#define MAILBOX_GROUPS   64 /* that wait, or timed out and have no answer yet */

/* The function, as its mailbox knows it. All of it outlives the mailbox. */
struct mailbox_function {
	const char *name;
	struct dma_space *dma;     /* where its ring is */
	struct dma_device *device; /* takes what requests are answered by */
	/* A message is written, if the function may write. */
	void (*send)(void *ctx, u64 addr, u32 data);
	void *ctx;
	/* The capability's bytes: their values, what of them the guest may write, what writing 1
	 * clears. */
	u8 *config, *writable, *clears;
	struct loop *loop;
	const struct log *log;
	struct vm *vm;      /* time stands while its vCPUs are held; NULL: none ever are */
	u64 timeout;        /* ms that the guest has for an answer; 0: for ever */
	u64 (*clock)(void); /* ns; NULL: CLOCK_MONOTONIC */
};

/* A name that must not be used again until the guest has answered it. */
struct mailbox_group {
	u32 pasid;
	u16 index;
	bool waits;    /* else it has timed out */
	bool used;     /* else the place is free */
	u64 at, since; /* its last entry, counted from 0; ns */
};

struct mailbox_counts {
	struct fault_counts pages;
	u64 full;   /* requests that had no room */
	u64 failed; /* of which the ring could not be written */
	u64 messages;
	u64 waiting; /* groups, now */
};

struct mailbox {
	struct mailbox_function f;
	struct fault_port port;
	struct dma_space answers; /* the port's: it has f.device, and nothing else */
	struct mailbox_group groups[MAILBOX_GROUPS];
	struct patience patience;
	bool enabled;
	u16 control; /* as it was written last */
	u64 ring, entries;
	u64 written, read; /* entries since it was enabled; read: that the guest surely has */
	struct mailbox_counts counts;
	struct dma_token token;
};

/* The capability is there, and all of it as out of reset; its DVSEC header is the caller's. */
void mailbox_init(struct mailbox *m, const struct mailbox_function *f);

/*
 * The function asks. False: it has no room, and knows at once. Else there will be one answer to
 * the group, by @device->page_response, perhaps before this returns.
 */
bool mailbox_request(struct mailbox *m, const struct dma_page_request *rq);
/* The group's name is not to be used: it waits, or nobody has answered it yet. */
bool mailbox_has(const struct mailbox *m, u32 pasid, u16 group);
/* The group, which waits, is answered in the guest's stead now, and its name stays taken until the
 * guest answers. */
void mailbox_give_up(struct mailbox *m, u32 pasid, u16 group);
/* The function forgets requests that it has sent: the mailbox is disabled. */
void mailbox_forget(struct mailbox *m);
/* The function is reset: what the guest can write is cleared after this. */
void mailbox_reset(struct mailbox *m);
/* The guest wrote @size bytes at @offset of the capability. */
void mailbox_written(struct mailbox *m, unsigned int offset, unsigned int size);
void mailbox_count(const struct mailbox *m, struct mailbox_counts *c);

#endif
