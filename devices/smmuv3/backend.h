/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_SMMUV3_BACKEND_H
#define DEVICES_SMMUV3_BACKEND_H

#include "vmm/types.h"

struct smmu;
struct smmu_endpoint;

/*
 * What an SMMU's front (registers, queues, tables, commands) asks of who translates in its place,
 * for devices that are not emulated. What gets there has been looked at: no STE that is not legal,
 * no command that is not well formed. Everything is called under the device lock. Sections are
 * those of Arm IHI 0070.
 */
enum smmu_route { SMMU_ABORT, SMMU_BYPASS, SMMU_STAGE1 };

/* What becomes of a stream's transactions. */
struct smmu_stream_config {
	enum smmu_route route;
	u32 sid;
	bool has_sid; /* the guest has enabled it, so that it has a Stream table */
	u64 ste[2];   /* SMMU_STAGE1: the first words of its STE, and of these stage 1's fields */
};

/* A command as it is in the queue, less what is reserved; whether it is of one StreamID, which is
 * then in bits 63:32 of the first word. So many are passed on at once. */
struct smmu_words {
	u64 word[2];
};
#define SMMU_BATCH 256
bool smmu_is_of_stream(const struct smmu_words *w);

struct smmu_backend;
struct smmu_stream;

struct smmu_backend_ops {
	/*
	 * @st is to be as *@c says: what was asked for last counts. It ends, now or later, with one
	 * smmu_installed(), until which more may be asked for.
	 */
	void (*install)(struct smmu_backend *b, struct smmu_stream *st,
	                const struct smmu_stream_config *c);
	/*
	 * CMD_TLBI_NH_*, CMD_TLBI_NSNH_ALL; CMD_CFGI_CD, CMD_CFGI_CD_ALL and CMD_ATC_INV of streams
	 * that it has, none of which is being installed: done when it returns. False: not all of it
	 * is known to be.
	 */
	bool (*invalidate)(struct smmu_backend *b, const struct smmu_words *commands,
	                   unsigned int nr);
};

/* One SMMU's: smmu_create() has it in its configuration, and fills in which. */
struct smmu_backend {
	const struct smmu_backend_ops *ops;
	struct smmu *smmu;
};

/* The stream of an endpoint's device, in what its backend has for it. */
struct smmu_stream {
	struct smmu_endpoint *endpoint; /* NULL: none */
	bool installing;                /* smmu_installed() is to come */
	bool stalls; /* its device can, and somebody serves it (5.2, STE.S1STALLD is the guest's) */
};

/* From now on @st is what @e's device does; it is in bypass then. NULL: there is none any more. */
void smmu_assign(struct smmu_endpoint *e, struct smmu_stream *st);

/* What was asked for is so. @illegal: it aborts, since the STE was found not to be legal. */
void smmu_installed(struct smmu_stream *st, bool illegal);

/* Its STE is looked at again, as for CMD_CFGI_STE, and installed: what its backend could not do
 * before it may be able to do now. */
void smmu_install_again(struct smmu_stream *st);

/* Of its device now, whatever was installed; the device has one. */
u32 smmu_stream_sid(const struct smmu_stream *st);

/* An event's record (7.3), of four words, for the driver; and so many were lost on the way. */
void smmu_forward(struct smmu *s, const u64 *record);
void smmu_lost(struct smmu *s, u64 nr);

#endif
