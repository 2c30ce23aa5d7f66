/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_SMMUV3_SMMUV3_H
#define DEVICES_SMMUV3_SMMUV3_H

#include "fault/port.h"
#include "vmm/types.h"

struct dma_space;
struct smmu_backend;
struct vm;

/*
 * An SMMUv3 (Arm IHI 0070), its non-secure programming interface, emulated.
 * Everything is called under the device lock, or before the guest runs.
 */
#define SMMU_SIZE       (2 * 0x10000) /* two pages */
#define SMMU_NR_IDR     6
#define SMMU_MAX_STALLS 256 /* outstanding: IDR5.STALL_MAX is no more */

/* What its ID registers say; whatever is not offered there is not done. */
struct smmu_id {
	u32 idr[SMMU_NR_IDR], iidr, aidr;
	u64 said[2]; /* id.c's: fields that were set by name; none of these goes with others */
};

/* Everything that there is, but PRI; @oas: bits of a physical address, 32 to 52. */
void smmu_id_default(struct smmu_id *id, unsigned int oas);
/*
 * Sets the field @name ("idr0.s2p") as the specification spells it, in any case, to @value; fields
 * that are RES0 without it go with it, but for those that were set to something themselves: these
 * smmu_id_check() refuses. NULL, or what was expected.
 */
const char *smmu_id_set(struct smmu_id *id, const char *name, u64 value);
/* Fields that there are: whether one was set by name. What is put was asked for by nobody. */
bool smmu_id_said(const struct smmu_id *id, const char *name);
void smmu_id_put(struct smmu_id *id, const char *name, u64 value);
/* Fields that are RES0 without others are 0 where these are not there, but for those that were set.
 */
void smmu_id_settle(struct smmu_id *id);
u64 smmu_id_get(const struct smmu_id *id, const char *name);
/* NULL, or which fields contradict each other (each field's description in 6.3.1 to 6.3.8). */
const char *smmu_id_contradiction(const struct smmu_id *id);
/* The same; or one has a value that is not emulated. */
const char *smmu_id_check(const struct smmu_id *id);

/*
 * As it is where an SMMU of the host's translates, whose IDR0 to IDR5 are @host: what that has not,
 * or does not do for a guest, is not there. What was set by name stays. NULL, or which of these it
 * cannot have, and then the most it can.
 */
const char *smmu_id_nest(struct smmu_id *id, const u32 *host, u64 *most);

struct smmu_config {
	const char *name; /* kept by the caller */
	gpa_t base;
	struct smmu_id id;
	/* Wired interrupts: SPIs counted from 0, edges. */
	u32 eventq_spi, priq_spi, sync_spi, gerror_spi;
	u32 devid; /* by which an ITS knows its messages */
	/* Who translates for devices of the host's (backend.h); NULL: there are none. It outlives
	 * the SMMU. */
	struct smmu_backend *backend;
};

struct smmu;
/* 0, -EEXIST, or -ENOMEM. */
int smmu_create(struct smmu **smmu, struct vm *vm, const struct smmu_config *c);
/* After everything behind it. */
void smmu_destroy(struct smmu *smmu);

/*
 * A requester behind it: its DMA space, freed with the SMMU. Its StreamID is what @sid says with
 * @ctx at that time; until smmu_identify() its transactions abort. 0 or -ENOMEM.
 */
struct smmu_endpoint;
int smmu_add_endpoint(struct smmu *smmu, struct smmu_endpoint **e);
struct dma_space *smmu_endpoint_dma(struct smmu_endpoint *e);
void smmu_identify(struct smmu_endpoint *e, u32 (*sid)(const void *ctx), const void *ctx);
/* How long the guest has to answer what it stalls or asks for (ms; 0: for ever). */
void smmu_set_patience(struct smmu_endpoint *e, u64 ms);

/* What it has done since it was made. */
struct smmu_counts {
	u64 commands, syncs, errors; /* consumed; those that were CMD_SYNC; CERROR_* */
	u64 invalidations;           /* CMD_TLBI_* and CMD_CFGI_* */
	u64 events, lost;            /* written to the Event queue; lost, for want of room */
	u64 stalls, held;            /* recorded; held back at first, for want of room */
	u64 resumed, terminated;     /* of those recorded: ended by CMD_RESUME; otherwise */
	/* Ended by nobody's answer in time, recorded or not; recorded ones that were answered, or
	 * terminated, after that, or after their device gave them up; that wait now, but for those
	 * that their owner counts. */
	u64 timed_out, late, waiting;
	struct fault_times stall_times; /* that CMD_RESUME has taken, of those that waited for it */
	u64 accesses, faults;           /* of all endpoints */
	/* Of those that cache translations (ATS): requests, accesses by what they cached,
	 * CMD_ATC_INVs that they were told of. */
	u64 requests, translated, atc_invalidations;
	u64 hits, walks; /* accesses that the TLB answered, page by page; walks of tables */
	u64 cached;      /* translations there are now */
	struct fault_counts pages; /* page requests */
};
void smmu_count(const struct smmu *smmu, struct smmu_counts *c);
/* What waits for the driver: stalled accesses and groups of page requests. */
void smmu_each_waiting(struct smmu *s, fault_seen *seen, void *ctx);

/*
 * What a read of the byte at @iova by stream @sid, with SubstreamID @ssid or SMMU_NO_SSID, would
 * come to, step by step, a line each: STE, CD, the entries of each level of each stage, the address
 * or the event; and what is cached. Nothing is changed by it.
 */
#define SMMU_NO_SSID (~0u)
void smmu_debug(struct smmu *s, u32 sid, u32 ssid, u64 iova,
                void (*line)(void *ctx, const char *text), void *ctx);

/* An error for its driver, by name: docs/smmuv3.md. NULL, or what was expected. */
const char *smmu_inject(struct smmu *s, const char *error);

#endif
