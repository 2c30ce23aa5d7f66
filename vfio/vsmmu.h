/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_VSMMU_H
#define VFIO_VSMMU_H

#include "devices/smmuv3/backend.h"
#include "vfio/context.h"

struct fault_bridge;
struct fault_hub;
struct vm;

/*
 * An SMMUv3 of the host's that translates for functions behind one of the guest's: the backend of
 * that (devices/smmuv3/backend.h). Guest RAM is its stage 2; stage 1 is the guest's own tables.
 * Under the device lock, or before the guest runs.
 */
struct vsmmu;
struct vsmmu_stream;

/* What the SMMU in front of a function says of itself (IHI 0070, 6.3.1 to 6.3.6); -ENODEV: it is
 * none. */
#define VSMMU_NR_IDR 6
int vsmmu_idrs(struct vfio_device *d, u32 idr[VSMMU_NR_IDR]);

/* Where it failed, for the one line that machine/ prints. */
enum vsmmu_step {
	VSMMU_STEP_PARENT, /* a stage 2 to nest on: guest RAM is pinned */
	VSMMU_STEP_VIOMMU, /* it cannot nest */
	VSMMU_STEP_EVENTS,
	VSMMU_STEP_TABLES, /* of streams that bypass, or abort */
};

/* Of the SMMU in front of @d, which is bound. 0 or -errno, and then *@step and nothing is left. */
int vsmmu_create(struct vsmmu **v, struct vm *vm, struct vfio_device *d, enum vsmmu_step *step);
/* After its SMMU, and after all of its streams. */
void vsmmu_destroy(struct vsmmu *v);
struct smmu_backend *vsmmu_backend(struct vsmmu *v);

/*
 * @d's DMA is @e's from now on, and @e is behind @v's SMMU. 0 or -errno. @d stays the caller's; to
 * destroy the stream detaches it, and may wait for the host.
 */
int vsmmu_stream_create(struct vsmmu_stream **st, struct vsmmu *v, struct vfio_device *d,
                        struct smmu_endpoint *e);
void vsmmu_stream_destroy(struct vsmmu_stream *st);
/* The same while the guest goes on: its StreamID goes to whoever waits for it. */
void vsmmu_stream_leave(struct vsmmu_stream *st);
/* Its device caches translations where an STE lets it; before the guest runs. */
void vsmmu_stream_has_ats(struct vsmmu_stream *st);
/*
 * Its device can stall: faults of its stage 1 are shown to the guest by way of @space, which is its
 * endpoint's. Before the guest runs. 0 or -errno.
 */
struct vsmmu_faults {
	const char *name; /* the device's; the caller's */
	struct fault_hub *hub;
	struct dma_space *space;
	u32 timeout; /* ms that the guest has to answer; 0: no limit */
};
int vsmmu_stream_stalls(struct vsmmu_stream *st, const struct vsmmu_faults *c);
/* What they are raised at; NULL: it does not stall. */
struct fault_bridge *vsmmu_stream_bridge(struct vsmmu_stream *st);
/* It is being reset; or has been. */
void vsmmu_stream_resets(struct vsmmu_stream *st, bool resets);

/* Since it was made. */
struct vsmmu_counts {
	u64 installed, failed; /* configurations of streams; those that the host did not take */
	u64 commands, calls, refused; /* invalidations passed on; in so many calls; those that it
	                               * found to be none */
	u64 events, events_lost;
	u64 faults;                /* that the host has told of */
	u64 answers, answers_late; /* taken by it; for what it had ended itself */
};
void vsmmu_count(const struct vsmmu *v, struct vsmmu_counts *c);

#endif
