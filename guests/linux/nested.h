/* SPDX-License-Identifier: GPL-2.0-only */
/* What a VMM has of iommufd for a guest's SMMUv3: its objects, commands and events; and how the
 * endpoint's accesses end. */
#ifndef GUESTS_LINUX_NESTED_H
#define GUESTS_LINUX_NESTED_H

#include <poll.h>

#include "guests/linux/stage1.h"

#define VSID 0x123ULL

/* Words of an STE: V and Config; S1CDMax; S1CIR, S1COR and S1CSH; S1STALLD; S1DSS. */
enum { STE_ABORT = 0 << 1 | 1, STE_BYPASS = 4 << 1 | 1, STE_S1 = 5 << 1 | 1, STE_S2 = 6 << 1 | 1 };
#define CDS(log2) ((uint64_t)(log2) << 59)
#define S1_WALK   (1ULL << 2 | 1ULL << 4 | 3ULL << 6)
#define STALLD    (1ULL << 27)
#define FULL_ATS  (1ULL << 28)
enum { TERMINATES, BYPASSES, SSID0 };

enum {
	C_BAD_STE = 0x04,
	F_STREAM_DISABLED = 0x06,
	C_BAD_SUBSTREAMID = 0x08,
	C_BAD_CD = 0x0a,
	F_TRANSLATION = 0x10,
	F_ADDR_SIZE,
	F_ACCESS,
	F_PERMISSION,
};
enum {
	CFGI_STE = 0x03,
	CFGI_CD = 0x05,
	CFGI_CD_ALL = 0x06,
	NH_ALL = 0x10,
	NH_ASID = 0x11,
	NH_VA = 0x12,
	NH_VAA = 0x13,
	NSNH_ALL = 0x30,
	ATC_INV = 0x40,
	SYNC = 0x46,
};

static uint8_t *more;
static uint32_t pasid; /* of what follows; 0: none */
static uint32_t ioas, parent, viommu, vdevice, veventq, nested, sequence;
static int events;
static unsigned int stall_model; /* IDR0.STALL_MODEL; 0: both */

/* A nested HWPT of that STE in *id: zero, or an error's number. */
static inline int alloc_nested(uint64_t word0, uint64_t word1, uint32_t *id)
{
	struct iommu_hwpt_arm_smmuv3 ste = { { word0, word1 } };
	struct iommu_hwpt_alloc a = {
		.size = sizeof(a),
		.dev_id = devid,
		.pt_id = viommu,
		.data_type = IOMMU_HWPT_DATA_ARM_SMMUV3,
		.data_len = sizeof(ste),
		.data_uptr = (uintptr_t)&ste,
	};
	const int failed = ioctl(iommu, IOMMU_HWPT_ALLOC, &a);

	*id = a.out_hwpt_id;
	return failed ? errno : 0;
}

static inline int alloc_stage1(uint64_t cd_ipa, uint32_t *id)
{
	return alloc_nested(STE_S1 | cd_ipa, S1_WALK, id);
}

static inline int destroy(uint32_t id)
{
	struct iommu_destroy d = { .size = sizeof(d), .id = id };

	return ioctl(iommu, IOMMU_DESTROY, &d) ? errno : 0;
}

static inline void hw_info(void)
{
	struct iommu_hw_info_arm_smmuv3 smmu;
	struct iommu_hw_info info = {
		.size = sizeof(info),
		.dev_id = devid,
		.data_len = sizeof(smmu),
		.data_uptr = (uintptr_t)&smmu,
	};

	check(!ioctl(iommu, IOMMU_GET_HW_INFO, &info), "hw info");
	stall_model = smmu.idr[0] >> 24 & 3;
	check(info.out_data_type == IOMMU_HW_INFO_TYPE_ARM_SMMUV3, "an SMMUv3");
	check((smmu.idr[0] & 3) == 3 && smmu.idr[3] >> 8 & 1, "two stages with FWB");
}

/* What a VMM makes before its guest has a stage 1. */
static inline void alloc_viommu(void)
{
	struct iommu_hwpt_alloc hwpt = { .size = sizeof(hwpt),
		                         .flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		                         .dev_id = devid };
	struct iommu_viommu_alloc v = { .size = sizeof(v),
		                        .type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3,
		                        .dev_id = devid };
	struct iommu_veventq_alloc q = { .size = sizeof(q),
		                         .type = IOMMU_VEVENTQ_TYPE_ARM_SMMUV3,
		                         .veventq_depth = 64 };

	hwpt.pt_id = ioas = alloc_ioas();
	check(!map(ioas, IPA, memory, SIZE, IOMMU_IOAS_MAP_WRITEABLE), "map");
	check(!map(ioas, RO_IPA, memory, PAGE, 0), "map read-only");
	check(!map(ioas, TMP_IPA, more, 2 * PAGE, IOMMU_IOAS_MAP_WRITEABLE), "map more");
	check(!ioctl(iommu, IOMMU_HWPT_ALLOC, &hwpt), "nest parent");
	v.hwpt_id = parent = hwpt.out_hwpt_id;
	check(!ioctl(iommu, IOMMU_VIOMMU_ALLOC, &v), "vIOMMU");
	q.viommu_id = viommu = v.out_viommu_id;
	check(!ioctl(iommu, IOMMU_VEVENTQ_ALLOC, &q), "vEVENTQ");
	veventq = q.out_veventq_id;
	events = q.out_veventq_fd;
	sequence = 0;
}

static inline void start_here(struct operation o)
{
	o.pasid = pasid;
	o.flags |= pasid ? PASID : 0;
	start(0, o);
}

static inline int does(struct operation o)
{
	start_here(o);
	return status(0) == DONE;
}

/* It ends with a fault there. */
static inline int ends(struct operation o, uint64_t fault)
{
	start_here(o);
	return status(0) == FAULT && get64(slot(0) + 0x48) == fault;
}

static inline int reads(uint64_t va)
{
	return does((struct operation){ .op = CHECK, .iova = va, .len = PAGE });
}

static inline int writes(uint64_t va, uint64_t seed)
{
	return does((struct operation){ .op = FILL, .iova = va, .len = PAGE, .arg = seed });
}

static inline int read_ends(uint64_t va)
{
	return ends((struct operation){ .op = CHECK, .iova = va, .len = PAGE }, va);
}

static inline int write_ends(uint64_t va)
{
	return ends((struct operation){ .op = FILL, .iova = va, .len = PAGE }, va);
}

/* The next record is that one: of a read or a write, stage 1, CLASS IN; and none was before it. */
static inline int event(unsigned int id, int is_read, uint64_t va)
{
	struct {
		struct iommufd_vevent_header header;
		struct iommu_vevent_arm_smmuv3 smmu;
	} e;
	struct pollfd p = { .fd = events, .events = POLLIN };
	const uint64_t ssv = pasid && id != C_BAD_SUBSTREAMID ? 1ULL << 11 : 0;
	const uint64_t in = id < F_TRANSLATION ? 0 : 2ULL << 40;

	check(poll(&p, 1, 5000) == 1, "an event");
	check(read(events, &e, sizeof(e)) == sizeof(e), "read of an event");
	return !e.header.flags && e.header.sequence == sequence++ &&
	       e.smmu.evt[0] == (VSID << 32 | (uint64_t)pasid << 12 | ssv | id) &&
	       e.smmu.evt[1] == (in | (is_read ? 1ULL << 35 : 0)) && e.smmu.evt[2] == va &&
	       !e.smmu.evt[3];
}

/* A fault of stage 1 is the next event: so none was of what came before it. */
static inline void no_event(const char *what)
{
	static uint64_t va = TEST_VA + (16ULL << 30);

	va += PAGE;
	check(read_ends(va) && event(F_TRANSLATION, 1, va), what);
}

static inline uint64_t tlbi(unsigned int opcode, uint64_t asid)
{
	return asid << 48 | opcode;
}

static inline uint64_t cfgi(unsigned int opcode, uint64_t sid)
{
	return sid << 32 | opcode;
}

/* How many were done; or, where one was refused, minus one less what was done before it. */
static inline int invalidate(struct iommu_viommu_arm_smmuv3_invalidate *commands, unsigned int nr)
{
	struct iommu_hwpt_invalidate i = {
		.size = sizeof(i),
		.hwpt_id = viommu,
		.data_uptr = (uintptr_t)commands,
		.data_type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
		.entry_len = sizeof(*commands),
		.entry_num = nr,
	};

	if (!ioctl(iommu, IOMMU_HWPT_INVALIDATE, &i))
		return (int)i.entry_num;
	check(errno == EIO, "refusal of a command");
	return -1 - (int)i.entry_num;
}

static inline int invalidate_one(uint64_t word0, uint64_t word1)
{
	struct iommu_viommu_arm_smmuv3_invalidate command = { { word0, word1 } };

	return invalidate(&command, 1) == 1;
}

#endif
