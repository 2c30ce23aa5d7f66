/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_DMA_TEST_PRIVATE_H
#define DEVICES_DMA_TEST_PRIVATE_H

#include "devices/dma_test.h"
#include "devices/pci/pci.h"
#include "fault/asker.h"
#include "vmm/loop.h"
#include "vmm/reg.h"

/* The DMA endpoint's files: docs/dma-test.md has its registers. All under the device lock. */
#define DT_SLOTS         16
#define DT_BUFFER        4096 /* bytes */
#define DT_MEMORY        0x4000
#define DT_VECTORS       32
#define DT_CACHED        8
#define DT_PAGE_REQUESTS 32
#define DT_INVALIDATIONS 32 /* the queue's depth, and as many tags */
#define DT_MAX_LENGTH    BIT(32)
/* A turn: so much is moved before others have theirs. */
#define DT_PIECE    (64u << 10)
#define DT_SEGMENTS 64

/* A slot's OP. */
enum dt_opcode {
	DT_READ = 1,
	DT_WRITE,
	DT_FILL,
	DT_COPY,
	DT_CAS,
	DT_TRANSLATE,
	DT_PAGE_REQUEST,
	DT_CHECK,
};

enum {
	DT_PERM = DMA_READ | DMA_WRITE | DMA_EXEC,
	DT_PASID = BIT(4),
	DT_INTERRUPT = BIT(5),
	DT_HELD = BIT(6),
	DT_TRANSLATED = BIT(7),
	DT_LAST = BIT(8),
	DT_FLAGS = DT_PERM | DT_PASID | DT_INTERRUPT | DT_HELD | DT_TRANSLATED | DT_LAST,
};

/* CONTROL */
enum { DT_START = 1, DT_RELEASE = 2, DT_ABORT = 4 };

/* STATUS */
enum dt_state { DT_IDLE, DT_RUNNING, DT_STALLED, DT_IS_HELD, DT_AWAITING, DT_ENDED };
enum dt_outcome { DT_DONE, DT_FAULT, DT_REFUSED, DT_ABORTED };
#define DT_STATE   GENMASK(3, 0)
#define DT_OUTCOME GENMASK(7, 4)
#define DT_SECOND  BIT(8)

struct dt_job;
struct dma_test;

/* One of an operation's two ranges, as far as it is mapped. */
struct dt_side {
	struct dma_sg sg;
	u64 mapped;            /* from IOVA + done on */
	enum dma_reason fault; /* behind that; 0: none */
};

/* Of a range: room for what is mapped of it. */
struct dt_room {
	struct iovec iov[DT_SEGMENTS];
	struct dma_use *uses[DT_SEGMENTS];
};

struct dt_op {
	/* Whether it is possible at all, beyond what any operation needs. NULL: yes. */
	bool (*allowed)(const struct dt_job *job);
	void (*step)(struct dt_job *job);
	/* A transfer: what it needs of either range (0: there is none), and the end of it that is
	 * not in memory. NULL: it is. */
	u32 perm[2];
	void (*produce)(struct dt_job *job, u64 len);
	void (*consume)(struct dt_job *job, u64 len);
};

/* An operation: a slot's registers and where it stands, or BAR 0's command. */
struct dt_job {
	struct dma_test *d;
	u32 opcode, flags, pasid, vector, control, status, result_perm;
	u64 iova[2], len, arg[2];
	u64 done, fault, result[2];
	u32 reason;             /* of the fault: enum dma_reason */
	const struct dt_op *op; /* NULL: unknown */
	u32 crc;                /* as zlib has it */
	struct dma_token token;
	struct dt_side side[2];
	struct dt_room *room; /* two */
	void (*ended)(struct dt_job *job);
};

/* BAR 0. */
struct dt_epf {
	u32 magic, command, status, size, checksum, irq_type, irq_number, flags, caps;
	u32 db_bar, db_offset, db_data;
	u64 src, dst;
	const struct dt_command *running; /* NULL: none */
	u32 expected;                     /* the checksum as it was when the command was taken */
	struct dt_job job;
};

struct dt_cached {
	u64 iova, len;
	gpa_t gpa;
	u32 pasid, perm; /* perm 0: empty */
};

/* An invalidation that is not answered, since transfers in flight use what it took. */
struct dt_invalidation {
	bool used;
	u32 tag, pasid;
	u64 iova, last;
};

/* A page request without a response; pasid: DMA_NO_PASID is none. */
struct dt_request {
	bool used, last;
	u16 group;
	u32 pasid;
	struct dt_job *job; /* that waits for it; NULL: none */
	bool by_others;     /* the asker's takers */
	bool lost;          /* out of a relay, and nobody had room for it */
};

#define DT_NR_JOBS (DT_SLOTS + 1)

/* What a device that does nothing never touches is behind the rest, and takes no memory. */
struct dma_test {
	struct pci_func func;
	/* registers: near the beginning, where a row of a table can name them */
	u32 id, version, nr_slots, buffer_size, caps, ended, invalidations;
	u64 seed;
	struct dma_device device;  /* as its IOMMU knows it */
	struct dma_device answers; /* as who else takes its page requests does */
	struct vm *vm;
	struct dma_test_config config;
	struct fault_port nobody; /* which takes page requests with DMA_TEST_NOBODY */
	struct dma_space nobody_answers;
	struct dt_epf epf;
	struct loop_op turn;
	struct __kernel_timespec no_time;
	bool turn_queued;
	unsigned int next; /* whose turn it is */
	struct dt_job slots[DT_SLOTS];
	struct mailbox mailbox;
	unsigned int mailbox_at; /* its capability; 0: there is none */
	struct fault_asker asker;
	struct dt_cached cached[DT_CACHED];
	unsigned int oldest;
	struct dt_invalidation held[DT_INVALIDATIONS];
	struct dt_request requests[DT_PAGE_REQUESTS];
	u8 buffer[DT_BUFFER], memory[DT_MEMORY];
	u8 piece[DT_PIECE];
	struct dt_room rooms[DT_NR_JOBS][2];
};

struct dt_job *dt_job(struct dma_test *d, unsigned int i);

static inline enum dt_state dt_state(const struct dt_job *job)
{
	return FIELD_GET(DT_STATE, job->status);
}

static inline bool dt_is_busy(const struct dt_job *job)
{
	return dt_state(job) != DT_IDLE && dt_state(job) != DT_ENDED;
}

static inline u32 dt_pasid(const struct dt_job *job)
{
	return job->flags & DT_PASID ? job->pasid : DMA_NO_PASID;
}

/* run.c: operations, and their turns. A job that is started is not busy. */
void dt_run_init(struct dma_test *d);
/* Before it is started the first time; @ended: it has ended. */
void dt_job_init(struct dma_test *d, unsigned int i, void (*ended)(struct dt_job *job));
void dt_start(struct dt_job *job);
/* What is held moves; what is not stays as it is. */
void dt_release(struct dt_job *job);
void dt_abort(struct dt_job *job);
void dt_abort_all(struct dma_test *d);
void dt_set_state(struct dt_job *job, enum dt_state state);
void dt_end(struct dt_job *job, enum dt_outcome outcome);
/* It ends: of IOVA (0) or IOVA2 (1), the byte at @offset cannot be accessed. */
void dt_fault(struct dt_job *job, unsigned int side, u64 offset, enum dma_reason reason);

/* transfer.c: the piece that is next is mapped and moved, or held. */
void dt_transfer(struct dt_job *job);
void dt_move(struct dt_job *job);
void dt_unmap(struct dt_job *job);
/* The ends of transfers that are not in memory: @job->d->piece, from or to there. */
void dt_from_pattern(struct dt_job *job, u64 len);
void dt_from_buffer(struct dt_job *job, u64 len);
void dt_to_buffer(struct dt_job *job, u64 len);
void dt_to_nowhere(struct dt_job *job, u64 len);

/* atc.c: cached translations. */
bool dt_translate_allowed(const struct dt_job *job);
void dt_translate(struct dt_job *job);
void dt_invalidate(struct dma_device *device, u32 pasid, u64 iova, u64 last, u32 tag);
/*
 * @a becomes what is cached of its beginning: *len of its bytes, by their address. False: they
 * cannot be accessed, for @a->reason.
 */
bool dt_atc_find(struct dma_test *d, struct dma_access *a, u64 *len);
/* Transfers in flight have ended: invalidations that waited for them are answered. */
void dt_atc_answer(struct dma_test *d);
void dt_atc_clear(struct dma_test *d);

/* asker.c: page requests that no slot makes. */
void dt_asker_init(struct dma_test *d);

/* ats.c */
extern const struct dma_device dt_device, dt_answers;
bool dt_page_request_allowed(const struct dt_job *job);
void dt_page_request(struct dt_job *job);
/* A place for a request, for which there is a credit. */
struct dt_request *dt_request_free(struct dma_test *d);
/* The group's answer is waited for. */
bool dt_request_awaits(const struct dma_test *d, u32 pasid, u16 group);
/* One of the group was not shown: what it has asked for is no success. */
void dt_request_lost(struct dma_test *d, u32 pasid, u16 group);
/* @job no longer waits for its response. */
void dt_page_forget(struct dt_job *job);
void dt_ats_changed(struct pci_func *f);
void dt_ats_reset(struct dma_test *d);

/* pages.c: who takes page requests. */
void dt_pages_init(struct dma_test *d);
/* Whether there is one who could take them. */
bool dt_pages_have_route(const struct dma_test *d);
/* Whether, as the guest has it now, that one takes those of @pasid. */
bool dt_pages_taken(const struct dma_test *d, u32 pasid);
/* False: there are too many. */
bool dt_pages_request(struct dma_test *d, const struct dma_page_request *rq);
void dt_pages_answered(struct dma_test *d, const struct dma_page_response *p);
void dt_pages_forget(struct dma_test *d);
void dt_pages_reset(struct dma_test *d);

/* epf.c */
void dt_epf_init(struct dma_test *d);
void dt_epf_reset(struct dma_test *d);
extern const struct mmio_ops dt_epf_ops;

/* regs.c */
void dt_regs_init(struct dma_test *d);
void dt_regs_reset(struct dma_test *d);
extern const struct mmio_ops dt_regs_ops;

#endif
