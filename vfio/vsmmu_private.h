/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_VSMMU_PRIVATE_H
#define VFIO_VSMMU_PRIVATE_H

#include <linux/iommufd.h>

#include "devices/smmuv3/fields.h"
#include "fault/bridge.h"
#include "vfio/vsmmu.h"
#include "vmm/vm.h"

/* A read brings groups whole, or nothing where the first has no room: there are no larger ones
 * (PCIe 10.4.2.1). */
#define VSMMU_RECORDS 512

/* What vsmmu.c and vsmmu_stream.c share. IDs are iommufd's; 0: there is no such object. */
struct vsmmu {
	struct smmu_backend backend;
	struct vfio_context *context;
	struct vm *vm;
	u32 parent, viommu, bypass, abort, veventq;
	u32 unnamed;  /* another that bypasses, of functions that have no StreamID yet */
	int events;   /* veventq's file */
	u32 sequence; /* that the next event should have */
	struct loop_op ready;
	/* Faults; as long as no function can stall there is no queue. */
	u32 faultq;
	int faults; /* its file */
	struct loop_op faults_ready;
	struct fault_source source;
	bool faults_polled, faults_broken;                /* the latter: it is read no more */
	struct iommu_hwpt_pgfault records[VSMMU_RECORDS]; /* as they are read */
	unsigned int replacing; /* streams whose page table may be replaced right now */
	struct vsmmu_stream *streams;
	struct vsmmu_counts counts;
};

struct vsmmu_stream {
	struct smmu_stream stream;
	struct vsmmu *vsmmu;
	struct vsmmu_stream *next;
	struct vfio_device *dev;
	struct smmu_stream_config wanted, doing;
	bool has_ats, resetting;  /* its device */
	bool said;                /* that the host did not take an STE */
	bool failed;              /* the last, which was legal: to be tried again */
	unsigned int waits;       /* times that it has waited for another's StreamID */
	u64 began;                /* how many were installed before */
	bool busy, again, ending; /* on the host-work thread; then once more; never again */
	struct work work;
	struct fault_bridge bridge; /* if stream.stalls */
	/* The thread's, while it is busy: */
	u32 vdevice, sid; /* as which StreamID the host knows it */
	u32 table;        /* its stage 1 */
	bool replaced;    /* what was attached is not any more: the host has ended its faults */
	int err;
};

/* An STE's first word (IHI 0070, 5.2): stage 1 bypasses. */
#define VSMMU_BYPASS (STE0_V | CONFIG_TRAFFIC << 1)

/* A nested page table of @v's SMMU, by an STE's first words, whose faults go to @faultq (0: none
 * does). -errno; -EIO: it is not legal. */
int vsmmu_table(struct vsmmu *v, u32 dev, const u64 *ste, u32 faultq, u32 *id);
int vsmmu_drop(struct vsmmu *v, u32 *id);

void vsmmu_install(struct smmu_backend *b, struct smmu_stream *st,
                   const struct smmu_stream_config *c);
/* What the host knows by @sid; NULL: nothing. */
const struct vsmmu_stream *vsmmu_find(const struct vsmmu *v, u32 sid);
/* Its device answers invalidations of what it caches (ATS). */
bool vsmmu_caches(const struct vsmmu_stream *st);
int vsmmu_forget_cds(struct vsmmu *v, u32 sid);

/* vsmmu_fault.c: what is in the queue is raised, and it is looked at again when there is more;
 * unless a page table is being replaced. */
void vsmmu_faults_read(struct vsmmu *v);
void vsmmu_faults_poll(struct vsmmu *v);

#endif
