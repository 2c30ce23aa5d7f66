/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_SMMUV3_PRIVATE_H
#define DEVICES_SMMUV3_PRIVATE_H

#include <bsd/sys/queue.h>

#include "devices/pgtable/pgtable.h"
#include "devices/smmuv3/backend.h"
#include "devices/smmuv3/fields.h"
#include "devices/smmuv3/smmuv3.h"
#include "fault/patience.h"
#include "fault/port.h"
#include "vmm/dma.h"
#include "vmm/loop.h"
#include "vmm/poll.h"
#include "vmm/vm.h"

/* What the SMMU's files share. Sections are those of Arm IHI 0070. All under the device lock. */

/* 3.3.3: with ASIDs and VMIDs, with neither, with ASIDs. */
enum smmu_world { NS_EL1, NS_EL2, NS_EL2_E2H };

/*
 * What an STE and a CD say, decoded and found legal: an entry of the
 * configuration cache, of a StreamID with a SubstreamID or with none.
 */
#define NO_SSID  (~0u)
#define STE_ONLY (~1u) /* as a SubstreamID: what an STE alone says to translated transactions */
struct smmu_config_entry {
	struct dma_use use; /* of transactions that were translated by it */
	LIST_ENTRY(smmu_config_entry) link;
	u32 sid, ssid;
	u32 cd_index; /* of the CD it has; NO_SSID: none */
	bool abort;   /* Config 0b000 */
	bool s1, s2;  /* translate */
	enum smmu_world world;
	u16 asid, vmid;
	bool aset;
	struct pgtable ttb[2], s2t;
	bool epd[2];
	bool s1_records, s2_records; /* CD.R, STE.S2R */
	bool s1_stalls, s2_stalls;   /* CD.S, STE.S2S */
	bool s1stalld;               /* STE.S1STALLD: a CD with S is ILLEGAL */
	bool s2ptw;
	bool merges;  /* STE.MEV */
	bool passive; /* of a debug walk: neither Access flag nor dirty state are written */
	u8 privcfg, instcfg;
	u8 eats; /* EATS_NONE too where it is IGNORED or reserved */
};

/*
 * A translation that is cached: a page or a block, as the configuration's
 * enabled stages together have it.
 */
struct smmu_translation {
	struct dma_use use; /* of transfers in flight */
	LIST_ENTRY(smmu_translation) bucket;
	TAILQ_ENTRY(smmu_translation) age;
	/* its tags (3.17) */
	u64 input;   /* the first address */
	u8 shift;    /* log2 of its bytes */
	u8 span;     /* and of what it is a piece of: stage 1's page or block */
	bool is_ipa; /* stage 2 alone made it */
	bool global, aset;
	enum smmu_world world;
	u16 asid, vmid;
	/* what it says */
	u64 output;
	u32 allowed[2]; /* DMA_*: without and with privilege */
	bool doorbell;  /* a message went there */
};

#define SMMU_TLB_BUCKETS 1024
#define SMMU_TLB_SIZE    4096 /* entries; more only while all are in use */
struct smmu_tlb {
	LIST_HEAD(, smmu_translation) buckets[SMMU_TLB_BUCKETS];
	TAILQ_HEAD(smmu_ages, smmu_translation) ages;
	unsigned int nr, nr_global, nr_shift[64], nr_span[64];
	u64 shifts; /* those that there are */
	u64 spans;  /* those of pieces, that are smaller */
};

#define SMMU_CONFIG_BUCKETS 256
#define SMMU_CONFIG_SIZE    2048
struct smmu_configs {
	LIST_HEAD(, smmu_config_entry) buckets[SMMU_CONFIG_BUCKETS];
	unsigned int nr;
	u64 generation; /* changes whenever one goes */
};

/* Where an interrupt goes as a message (3.18); ADDR 0: nowhere. */
struct smmu_msi {
	u64 addr;
	u32 data, attr;
};

struct smmu_event {
	enum smmu_event_id id;
	u32 sid, ssid; /* or NO_SSID */
	u64 addr;      /* InputAddr */
	u64 ipa;       /* IPA, or FetchAddr */
	bool rnw, ind, pnu, s2, ttrnw;
	u8 class;
	bool stalls; /* it may, if who made the access can wait */
	bool stall;  /* it does, and this is how it is named */
	u16 stag;
	/* Of the STE, as far as it was found: */
	bool merges; /* MEV */
	u8 privcfg, instcfg;
	bool has_ste; /* it is legal, and this is its EATS: */
	u8 eats;
	u32 asked; /* of a translation request: DMA_* */
};

struct smmu_endpoint {
	struct dma_space dma;
	struct smmu *smmu;
	struct smmu_stream *stream; /* NULL: its device is emulated */
	struct smmu_endpoint *next;
	u32 (*sid)(const void *ctx);
	const void *ctx;
	/* The configuration that its last transaction had, while the generation is the same. */
	struct smmu_config_entry *config;
	u64 generation;
	struct fault_port port;   /* its page requests */
	struct patience patience; /* for those, and for what stalls */
	u64 faults;
	/* CMD_ATC_INVs by tag, a bit each: not answered; of those: no longer waited for; never to
	 * be answered. */
	u32 invalidations, given_up, lost;
};

/* Who is told of a debug walk's steps, as --trace smmu tells of a transaction's. */
struct smmu_watch {
	void (*line)(void *ctx, const char *text);
	void *ctx;
};

/* Errors that were asked for (inject.c). */
enum smmu_sync { SYNC_WELL, SYNC_SLOW, SYNC_LOST };
enum smmu_answer { ANSWER_WELL, ANSWER_SLOW, ANSWER_LOST };
struct smmu_injected {
	u8 cerror;           /* of the next command, if it is not CERROR_NONE */
	bool msi_abort;      /* of the next message */
	bool failed;         /* Service Failure Mode (12.3) */
	enum smmu_sync sync; /* the next CMD_SYNC, or the one that waits */
	bool sync_waits;
	bool timer_runs;
	struct loop_op timer;
	struct __kernel_timespec time;
	enum smmu_answer answer; /* the next one to a CMD_ATC_INV */
	/* The one that was slow: */
	struct smmu_endpoint *slow;
	u32 slow_tag;
	struct loop_op answer_timer;
	struct __kernel_timespec answer_time;
	struct __kernel_timespec answer_limit; /* what comes later is not waited for */
};

/* Endpoints that are to forget translations (3.9.1.4). */
struct smmu_atc {
	unsigned int left; /* answers that CMD_SYNC waits for */
	bool failed;       /* some have not come in time: the next CMD_SYNC says so */
	u64 rounds;        /* how often all that were waited for had come */
	u64 timed_round;   /* when the timer was started */
	bool timer_runs;
	struct loop_op timer;
	struct __kernel_timespec time;
};

/* A stall that was recorded, and waits for its answer. */
struct smmu_stall {
	bool used;
	u8 generation;
	u32 sid;
	struct smmu_endpoint *endpoint; /* whose access it is */
	struct dma_token *token;        /* NULL: its access has ended, and it has no answer yet */
};

struct smmu_stalls {
	struct smmu_stall slots[SMMU_MAX_STALLS];
	unsigned int next;
	struct dma_tokens held;   /* without a record: the queue, or the slots, were full */
	struct dma_tokens let_go; /* to be run again */
	bool running;
};

struct smmu {
	/* registers: near the beginning, where a row of a table can name them */
	struct smmu_id id;
	u32 cr0, cr0ack, cr1, cr2, gbpa, irq_ctrl, irq_ctrlack, gerror, gerrorn;
	u32 strtab_cfg, cmdq_prod, cmdq_cons, eventq_prod, eventq_cons, priq_prod, priq_cons;
	u64 strtab_base, cmdq_base, eventq_base, priq_base;
	struct smmu_msi gerror_msi, eventq_msi, priq_msi; /* attr: PRIQ's has LO, too */

	struct vm *vm;
	struct smmu_config config;
	unsigned int oas;           /* bits */
	struct dma_space *physical; /* what its own accesses reach */
	struct smmu_endpoint *endpoints;
	struct smmu_tlb tlb;
	struct smmu_configs configs;
	/* Transfers in flight that use what was invalidated: CMD_SYNC waits for them. */
	struct dma_wait pending;
	bool running;        /* the Command queue is being looked at */
	bool messages_moved; /* a doorbell was invalidated */
	struct loop_op turn;
	struct __kernel_timespec no_time;
	bool turn_queued;
	struct poller poller; /* CMDQ_PROD's writes do not leave the guest while it is active */
	struct loop_op look;
	struct work forget;
	bool forgets, forgotten; /* under way; done, and not noticed yet */
	bool look_queued;
	u64 last_written;  /* ns: CMDQ_PROD */
	u64 last_event[4]; /* as it was written, for merging (7.3.1) */
	struct smmu_stalls stalls;
	struct smmu_counts counts;
	struct smmu_injected injected;
	struct smmu_atc atc;
	/* With a backend: streams that are not yet as they are to be, for which CMD_SYNC and
	 * Updates wait; and what is to be passed on. */
	unsigned int installing, nr_batch;
	bool stale;           /* it is not known what of earlier batches was invalidated */
	bool routes_by_table; /* SMMUEN, as streams were last told */
	struct smmu_words batch[SMMU_BATCH];
	const struct smmu_watch *watch; /* NULL: no debug walk is under way */
};

static inline u32 smmu_idr(const struct smmu *s, unsigned int nr, u32 mask)
{
	return FIELD_GET((u64)mask, s->id.idr[nr]);
}

/* A physical address as the SMMU puts it out (3.4.3): what is beyond OAS is cut off. */
static inline gpa_t smmu_pa(const struct smmu *s, u64 addr)
{
	return addr & GENMASK(s->oas - 1, 0);
}

/* Bits of an address size as OAS, IPS and S2PS encode it. */
unsigned int smmu_address_bits(unsigned int field);

/* A queue's index, without what is beyond its wrap bit; its size as log2. */
static inline u32 smmu_queue_index(u32 index, unsigned int log2size)
{
	return index & (u32)GENMASK(log2size, 0);
}
static inline bool smmu_queue_full(u32 prod, u32 cons, unsigned int log2size)
{
	return smmu_queue_index(prod ^ cons, log2size) == BIT(log2size);
}
static inline bool smmu_queue_empty(u32 prod, u32 cons, unsigned int log2size)
{
	return !smmu_queue_index(prod ^ cons, log2size);
}
unsigned int smmu_queue_log2size(u64 base, u32 largest);
/* The entry's address: the queue is aligned to its size, or 32 bytes. */
gpa_t smmu_queue_entry(const struct smmu *s, u64 base, unsigned int log2size, u32 index,
                       unsigned int entry);

/* smmu.c: the endpoint of @sid, if it has a device that can be told anything (ATS, PRI). */
struct smmu_endpoint *smmu_find_device(const struct smmu *s, u32 sid);

/* regs.c */
extern const struct mmio_ops smmu_mmio_ops;
void smmu_regs_reset(struct smmu *s);
/* Updates of CR0 and GBPA that waited are complete. */
void smmu_update(struct smmu *s);

/* interrupt.c: 3.18, 7.5 */
void smmu_interrupt(struct smmu *s, const struct smmu_msi *msi, u32 spi, u32 aborted);
void smmu_error(struct smmu *s, u32 gerror);
static inline bool smmu_error_active(const struct smmu *s, u32 gerror)
{
	return (s->gerror ^ s->gerrorn) & gerror;
}

/* event.c: 7.2, 7.3. A record's four words. */
void smmu_event_encode(const struct smmu_event *e, u64 *w);
void smmu_record(struct smmu *s, const struct smmu_event *e);
/* 7.2.1: a record would not be lost. */
bool smmu_events_writable(const struct smmu *s);

/* cmdq.c: consumes what it can. */
void smmu_commands(struct smmu *s);
void smmu_commands_init(struct smmu *s);
/* 4.3.2: the streams of a CMD_CFGI_STE_RANGE. */
void smmu_ste_range(const u64 *cmd, u32 *first, u32 *last);

/* backend.c. Nothing, unless there is one: streams go by SMMUEN and GBPA as they are written; a
 * command that was executed; whether any, or CMD_SYNC, has to wait. */
void smmu_route_all(struct smmu *s);
void smmu_pass_on(struct smmu *s, const u64 *cmd);
bool smmu_backend_full(const struct smmu *s);
bool smmu_backend_waits(struct smmu *s);

/* poll.c */
void smmu_poll_init(struct smmu *s);
void smmu_poll_end(struct smmu *s);
void smmu_poll_written(struct smmu *s);

/* An opcode's function; what is no success stops the queue. */
enum smmu_command { COMMAND_DONE, COMMAND_ILLEGAL, COMMAND_TIMED_OUT, COMMAND_WAITS };
enum smmu_command smmu_tlbi(struct smmu *s, const u64 *cmd);

/* patience.c: fault-timeout=. */
void smmu_patience_init(struct smmu_endpoint *e);

/* stall.c */
void smmu_stalls_init(struct smmu *s);
/* PENDING; @e is recorded, now or when it is run again. */
enum dma_status smmu_stall(struct smmu_endpoint *by, const struct dma_access *a,
                           struct smmu_event *e, struct dma_token *token);
/* Retried, or ended with an abort, by smmu_stalls_run(). */
void smmu_let_go(struct smmu *s, struct dma_token *token, bool refused);
void smmu_stall_cancel(struct smmu *s, struct dma_token *token);
u16 smmu_stag(const struct smmu *s, const struct smmu_stall *slot);
/* That nobody has answered, and no clock has ended. */
unsigned int smmu_stalls_waiting(const struct smmu *s);
enum smmu_command smmu_cmd_resume(struct smmu *s, const u64 *cmd);
enum smmu_command smmu_cmd_stall_term(struct smmu *s, const u64 *cmd);
/* All are terminated: translation is disabled (6.3.9.6). */
void smmu_stalls_end(struct smmu *s);
/* Devices run what was let go, and what was held if there is room now. */
void smmu_stalls_run(struct smmu *s);
/* @token's access was terminated at a byte of what is left of @a; so many come before that, or all
 * that are left. */
bool smmu_refused(const struct dma_token *token, const struct dma_access *a);
u64 smmu_until_refused(const struct dma_token *token, const struct dma_access *a);

/* pri.c: chapter 8. */
bool smmu_page_request(struct dma_space *space, const struct dma_page_request *rq);
bool smmu_takes_pages(struct dma_space *space, u32 pasid);
void smmu_forget_pages(struct dma_space *space);
enum smmu_command smmu_cmd_pri_resp(struct smmu *s, const u64 *cmd);
/* Translation is disabled: what waits is answered. */
void smmu_pages_end(struct smmu *s);

/* stream.c: the Stream table. An event of what went wrong, in *e; false: abort without one. */
enum smmu_fetch { FETCHED, FETCH_EVENT, FETCH_ABORT };
enum smmu_fetch smmu_fetch_ste(struct smmu *s, u32 sid, u64 *ste, struct smmu_event *e);

/* decode.c: false: ILLEGAL. A CD after its STE. */
bool smmu_ste_decode(const struct smmu *s, const u64 *ste, struct smmu_config_entry *c);
bool smmu_cd_decode(const struct smmu *s, const u64 *cd, struct smmu_config_entry *c);

/* config.c: the configuration of a stream, from the cache or from memory. */
enum smmu_fetch smmu_config(struct smmu *s, struct smmu_endpoint *e, u32 sid, u32 ssid,
                            struct smmu_config_entry **c, struct smmu_event *event);
/* Of StreamIDs from @sid to @last; with @cd_index, or (NO_SSID) whatever CD they have. */
void smmu_config_invalidate(struct smmu *s, u32 sid, u32 last, u32 cd_index);
void smmu_config_clear(struct smmu *s);
/* What memory says of @c->sid and @c->ssid, into *c; not from the cache, and not into it. */
enum smmu_fetch smmu_config_fetch(struct smmu *s, struct smmu_config_entry *c,
                                  struct smmu_event *e);
/* NULL: it is not cached. */
struct smmu_config_entry *smmu_config_cached(struct smmu *s, u32 sid, u32 ssid);

/* tlb.c */
struct smmu_tlb_key {
	u64 input;
	bool is_ipa;
	bool aset;
	enum smmu_world world;
	u16 asid, vmid;
};
void smmu_tlb_init(struct smmu_tlb *t);
struct smmu_translation *smmu_tlb_find(struct smmu *s, const struct smmu_tlb_key *k);
/* A copy of *t; NULL: no memory. Another with the same input goes. */
struct smmu_translation *smmu_tlb_insert(struct smmu *s, const struct smmu_translation *t);
/* What is to go; of the fields, those that the scope has. */
struct smmu_scope {
	enum smmu_world world;
	bool by_address, by_asid, by_vmid;
	bool globals; /* with an ASID: global ones too */
	bool s1, s2;  /* translations of virtual addresses, of IPAs */
	u64 first, last;
	u16 asid, vmid, vmid_mask;
};
void smmu_tlb_invalidate(struct smmu *s, const struct smmu_scope *scope);
void smmu_tlb_clear(struct smmu *s);

/* nested.c: memory as stage 1 sees it, through stage 2. */
struct smmu_ipa_space {
	struct dma_space dma;
	struct smmu *smmu;
	const struct smmu_config_entry *config;
	/* Of the last access: */
	struct pgtable_walk walk;
	u64 ipa;
	gpa_t pa;
	bool wrote;
	bool faulted; /* it was stage 2 that ended it */
};
void smmu_ipa_space(struct smmu_ipa_space *i, struct smmu *s, const struct smmu_config_entry *c);
/* Stage 2 of one address: the walk's fault; on PGTABLE_OK the page. */
void smmu_stage2(struct smmu *s, const struct smmu_config_entry *c, const struct pgtable_access *a,
                 struct pgtable_walk *w);
/* The event of a fault at stage 2. */
void smmu_stage2_event(const struct pgtable_walk *w, u64 ipa, u8 class, bool wrote,
                       struct smmu_event *e);

/* ats.c: what of a configuration with STE_ONLY as its SubstreamID transactions go by. */
void smmu_translated_config(struct smmu_config_entry *c);

/* atc.c: CMD_ATC_INV. */
void smmu_atc_init(struct smmu *s);
enum smmu_command smmu_cmd_atc_inv(struct smmu *s, const u64 *cmd);
/* The device has forgotten what @tag named. */
void smmu_invalidated(struct dma_space *space, u32 tag);
void smmu_atc_answered(struct smmu_endpoint *e, u32 tag);
/* What has not been answered has taken too long. */
void smmu_atc_give_up(struct smmu *s);
/* A CMD_SYNC has to wait; what it waited for has failed, which is said once. */
bool smmu_atc_wait(struct smmu *s);
bool smmu_atc_failed(struct smmu *s);

/* translate.c. The event of a walk's fault, as of stage 1. */
void smmu_fault_event(const struct pgtable_walk *w, struct smmu_event *e);
extern const struct dma_ops smmu_endpoint_ops;
/* By what a translation of @addr is found. */
struct smmu_tlb_key smmu_key(const struct smmu_config_entry *c, u64 addr);
/*
 * What a read of the byte at @iova by @sid would come to, by what memory says, told to s->watch:
 * nothing is cached, written, recorded or counted. False: there is no configuration; else it is in
 * *c.
 */
bool smmu_look(struct smmu *s, u32 sid, u32 ssid, u64 iova, struct smmu_config_entry *c);
/* All that was translated may be elsewhere now. */
void smmu_messages_changed(struct smmu *s);

/*
 * trace.c: what is done, in the specification's words, to --trace smmu or to s->watch. Nothing is
 * formatted while nobody looks.
 */
static inline bool smmu_seen(const struct smmu *s)
{
	return s->watch || s->vm->log->topics & BIT(TRACE_SMMU);
}
__attribute__((format(printf, 2, 3))) void smmu_say(const struct smmu *s, const char *fmt, ...);
void smmu_see_command(const struct smmu *s, const u64 *cmd);
void smmu_see_l1std(const struct smmu *s, u32 sid, u64 at, u64 l1std);
void smmu_see_ste(const struct smmu *s, u32 sid, u64 at, const u64 *ste);
void smmu_see_l1cd(const struct smmu *s, u32 index, u64 at, u64 l1cd);
void smmu_see_cd(const struct smmu *s, u32 index, u64 at, const u64 *cd);
/* A record; @what becomes of it. */
void smmu_see_event(const struct smmu *s, const u64 *w, const char *what);
/* A record of a page request, and an automatic response to one. */
void smmu_see_page_request(const struct smmu *s, const u64 *w);
void smmu_see_response(const struct smmu *s, u32 sid, const struct dma_page_response *r);
void smmu_see_gerror(const struct smmu *s, u32 gerror);
/* trace_fault.c. @slot: NULL where it has none; what was answered. As fault_port.see. */
void smmu_see_stall(const struct smmu *s, const struct dma_token *token,
                    const struct smmu_stall *slot, const char *what);
void smmu_see_answer(const struct smmu *s, const struct smmu_stall *slot, const char *what);
void smmu_see_group(const struct fault_port *p, const char *group, const char *what);
/* The step function of a walk, NULL while nobody looks; its ctx is the SMMU. */
typedef void smmu_step(void *ctx, int level, u64 addr, u64 entry);
smmu_step *smmu_see_steps(const struct smmu *s, unsigned int stage);
/* What stage @stage of @addr came to. */
void smmu_see_walk(const struct smmu *s, unsigned int stage, u64 addr,
                   const struct pgtable_walk *w);
void smmu_see_translation(const struct smmu *s, const char *what, u64 addr,
                          const struct smmu_translation *t);

/* inject.c: what was asked for, at the places where it happens. */
void smmu_inject_init(struct smmu *s);
/* The error that the command @opcode is to end with; CERROR_NONE: none. */
u32 smmu_injected_cerror(struct smmu *s, unsigned int opcode);
/* The CMD_SYNC is not complete yet. */
bool smmu_injected_wait(struct smmu *s);
/* The answer of @e to the invalidation @tag has not come yet. */
bool smmu_injected_answer(struct smmu_endpoint *e, u32 tag);
/* The Command queue is no longer enabled. */
void smmu_injected_stop(struct smmu *s);
/* This message aborts. */
bool smmu_injected_msi(struct smmu *s);

#endif
