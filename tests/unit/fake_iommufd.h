/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_IOMMUFD_H
#define TESTS_UNIT_FAKE_IOMMUFD_H

#include "vfio/uapi.h"

/*
 * A host with an SMMUv3 and functions vfio0 to vfio3 behind it. It keeps objects as iommufd does:
 * by ID, with their users; refuses to destroy one that has any (-EBUSY), and what it is not told of
 * in order it counts. Each test runs in a process of its own, so one of it is enough.
 */
enum fake_kind {
	FAKE_NONE,
	FAKE_IOAS,
	FAKE_HWPT,
	FAKE_DEVICE,
	FAKE_VIOMMU,
	FAKE_VDEVICE,
	FAKE_FAULT,
	FAKE_VEVENTQ,
	FAKE_HW_QUEUE,
	FAKE_FILE, /* a cdev that is not bound, or /dev/iommu: has no ID */
};

/* Each call begins so: the nth may fail. */
#define CALL()                              \
	do {                                \
		if (uapi_fails(u))          \
			return u->fail_err; \
	} while (0)

struct fake_iommufd {
	/* what it answers */
	u32 hw_type, idr[6];
	u32 abilities; /* of its functions: IOMMU_HW_CAP_* */
	u8 pasid_bits;
	u64 alignment;     /* of what is mapped; 0: a page's */
	unsigned int busy; /* so many times no_bind is true; 0: always */
	int no_iommu, no_bind, no_file, no_parent, no_viommu, no_faults; /* -errno; 0: it works */
	enum { FAKE_MSI_FIXED, FAKE_MSI_OF_CONTEXT, FAKE_MSI_OF_DEVICE } msi; /* reserved[0] */
	bool no_dma_buf;     /* functions have none */
	const u8 *tokens[4]; /* that each function has to be bound with; NULL: with none */
	/* what it was told */
	unsigned int refused; /* destroyed while used, or closed before what is in it */
	unsigned int left;    /* objects that closing /dev/iommu had to take down */
	unsigned int live;    /* objects and files */
	struct fake_map {
		bool by_file;
		u64 iova, length;
	} map; /* the last */
	unsigned int nr_maps;
	unsigned int iommu_of[4]; /* which of the host's IOMMUs each function is behind */
	struct fake_reserved {
		u64 first, last;
	} reserved[4]; /* what no attached function can be given; ends with one of 0 bytes */
};

/* fake_vsmmu.c: nested page tables, commands and events of an SMMUv3, with what Linux refuses
 * (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c). */
struct fake_nested {
	u64 ste[2];
};
struct fake_slice {
	struct fake_nested tables[64]; /* by a page table's ID */
	unsigned int nr_illegal;       /* STEs and commands that were refused */
	u64 commands[1024][2];         /* that were issued */
	unsigned int nr_commands, nr_calls;
	int fails, err;  /* so many calls fail with that, and do nothing */
	u8 events[4096]; /* to be read */
	unsigned int nr_bytes;
	u32 sequence;
	int fd; /* of the event queue, the last that was made */
};
extern struct fake_slice fake_slice;
bool fake_is_device(u32 id);
bool fake_is_attached(u32 device);
int fake_get_hw_info(struct uapi *u, struct iommu_hw_info *arg);
int fake_nested_alloc(const struct iommu_hwpt_alloc *arg, u32 id);
int fake_nested_attach(u32 table, bool has_vdevice);
int fake_invalidate(struct uapi *u, struct iommu_hwpt_invalidate *arg);
int fake_read_events(struct uapi *u, int fd, void *buf, u32 len);
/* An event's record for whoever reads; so many that did not fit. */
void fake_event(const u64 *record);
void fake_events_lost(u32 nr);
/* Of function @nr: the STE it is attached by, NULL: it is attached to nothing nested; its vDEVICE's
 * StreamID, ~0: none; whether one has @sid. */
const u64 *fake_ste_of(unsigned int nr);
u32 fake_sid_of(unsigned int nr);
bool fake_knows_sid(u32 sid);

/* fake_faults.c: the fault queue that was made last. */
#define FAKE_MAX_FAULTS 128
struct fake_faults {
	struct fake_fault {
		u32 device; /* 0: none */
		u64 addr;
		u32 perm, pasid, group;
		bool more; /* the next one is of the same group */
	} queue[FAKE_MAX_FAULTS], delivered[FAKE_MAX_FAULTS]; /* the latter by cookie */
	unsigned int nr;                                      /* in the queue */
	u32 of[64]; /* by device: of the page table that it was attached to last */
	u32 answers[FAKE_MAX_FAULTS]; /* codes, in their order */
	unsigned int answered, unknown, automatic;
	/* Each as it ends, by an answer or the host itself; NULL: nobody wants to know. */
	void (*ends)(const struct fake_fault *f, bool automatic);
	int fd;
	unsigned int at_once; /* records that one read gives, at most; 0: any */
	int read_err;         /* of the next read, once */
};
extern struct fake_faults fake_faults;
/* A function's access stalls; false: nobody would be told. */
bool fake_fault(u32 device, u64 addr, u32 perm, u32 pasid);
/* A page of a group; @more: not the last. */
bool fake_fault_page(u32 device, u64 addr, u32 perm, bool more);
bool fake_has_faults(u32 device);
/* Why nothing can be bound now, or 0. */
int fake_no_bind(void);
int fake_read_faults(void *buf, u32 len);
int fake_write_answers(struct uapi *u, int fd, const void *buf, u32 len);
/* What it is attached to goes. */
void fake_faults_end(u32 device);

extern struct fake_iommufd fake_iommufd;
extern const struct uapi_ops fake_iommufd_ops;

/* The IOAS that function @nr reaches now; 0: none. */
u32 fake_ioas_of(unsigned int nr);

/* fake_ioas.c: what is mapped in an IOAS, by its ID, with what iommufd refuses. */
struct fake_area {
	u64 first, last; /* both included */
	u64 from;        /* where the pages of first are in the IOAS that they were copied from */
	u32 flags;       /* IOMMU_IOAS_MAP_* */
};
#define FAKE_MAX_AREAS 512
struct fake_ioas {
	struct fake_area areas[FAKE_MAX_AREAS]; /* in no order */
	unsigned int nr;
};
struct fake_ioas *fake_ioas(u32 id);
const struct fake_area *fake_area_at(u32 ioas, u64 iova);
int fake_areas_add(u32 ioas, const struct fake_area *a, bool attached);
bool fake_areas_are_reserved(u32 ioas);
int fake_areas_copy(const struct iommu_ioas_copy *arg, bool attached);
int fake_areas_remove(const struct iommu_ioas_unmap *arg);
int fake_areas_allowed(struct iommu_ioas_iova_ranges *arg, bool attached);
int fake_option(struct uapi *u, struct iommu_option *arg);

#endif
