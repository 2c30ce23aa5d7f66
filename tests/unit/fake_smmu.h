/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_SMMU_H
#define TESTS_UNIT_FAKE_SMMU_H

#include "devices/smmuv3/fields.h"
#include "devices/smmuv3/smmuv3.h"
#include "tests/unit/fake_kvm.h"
#include "vmm/dma.h"

/*
 * An SMMU on a VM of its own, with endpoints, and its driver: queues, a linear
 * Stream table, CDs and tables of 4 KiB in RAM. Where all of it is:
 */
#define FAKE_SMMU_BASE      0x10000000ULL
#define FAKE_SMMU_PAGE1     0x10000
#define FAKE_SMMU_CMDQ      FAKE_RAM_BASE             /* room for 2^10 commands */
#define FAKE_SMMU_EVENTQ    (FAKE_RAM_BASE + 0x8000)  /* room for 2^10 events */
#define FAKE_SMMU_STRTAB    (FAKE_RAM_BASE + 0x10000) /* 64 STEs */
#define FAKE_SMMU_CDS       (FAKE_RAM_BASE + 0x11000) /* 64 CDs */
#define FAKE_SMMU_PRIQ      (FAKE_RAM_BASE + 0x12000) /* room for 2^10 page requests */
#define FAKE_SMMU_TABLES    (FAKE_RAM_BASE + 0x20000) /* fake_smmu_table() takes from here up */
#define FAKE_SMMU_DATA      (FAKE_RAM_BASE + 0x80000) /* nothing is here: for what is reached */
#define FAKE_SMMU_DOORBELL  0x08000040ULL             /* a message there is fake.msi */
#define FAKE_SMMU_DEVID     0x77
#define FAKE_SMMU_ENDPOINTS 4
enum { FAKE_SMMU_EVENTQ_SPI = 10, FAKE_SMMU_PRIQ_SPI, FAKE_SMMU_SYNC_SPI, FAKE_SMMU_GERROR_SPI };

/* 6.2: where registers are; those of page 1 with their page. */
enum {
	IDR0 = 0x0,
	IDR1 = 0x4,
	IDR2 = 0x8,
	IDR3 = 0xc,
	IDR4 = 0x10,
	IDR5 = 0x14,
	IIDR = 0x18,
	AIDR = 0x1c,
	CR0 = 0x20,
	CR0ACK = 0x24,
	CR1 = 0x28,
	CR2 = 0x2c,
	GBPA = 0x44,
	IRQ_CTRL = 0x50,
	IRQ_CTRLACK = 0x54,
	GERROR = 0x60,
	GERRORN = 0x64,
	GERROR_IRQ_CFG0 = 0x68,
	GERROR_IRQ_CFG1 = 0x70,
	GERROR_IRQ_CFG2 = 0x74,
	STRTAB_BASE = 0x80,
	STRTAB_BASE_CFG = 0x88,
	CMDQ_BASE = 0x90,
	CMDQ_PROD = 0x98,
	CMDQ_CONS = 0x9c,
	EVENTQ_BASE = 0xa0,
	EVENTQ_IRQ_CFG0 = 0xb0,
	EVENTQ_IRQ_CFG1 = 0xb8,
	EVENTQ_IRQ_CFG2 = 0xbc,
	PRIQ_BASE = 0xc0,
	PRIQ_IRQ_CFG0 = 0xd0,
	PRIQ_IRQ_CFG1 = 0xd8,
	PRIQ_IRQ_CFG2 = 0xdc,
	EVENTQ_PROD = FAKE_SMMU_PAGE1 + 0xa8,
	EVENTQ_CONS = FAKE_SMMU_PAGE1 + 0xac,
	PRIQ_PROD = FAKE_SMMU_PAGE1 + 0xc8,
	PRIQ_CONS = FAKE_SMMU_PAGE1 + 0xcc,
};

/* Opcodes (4.1.1). */
enum {
	PREFETCH_CONFIG = 0x01,
	PREFETCH_ADDR = 0x02,
	CFGI_STE = 0x03,
	CFGI_STE_RANGE = 0x04,
	CFGI_CD = 0x05,
	CFGI_CD_ALL = 0x06,
	TLBI_NH_ALL = 0x10,
	TLBI_NH_ASID = 0x11,
	TLBI_NH_VA = 0x12,
	TLBI_NH_VAA = 0x13,
	TLBI_EL2_ALL = 0x20,
	TLBI_EL2_ASID = 0x21,
	TLBI_EL2_VA = 0x22,
	TLBI_EL2_VAA = 0x23,
	TLBI_S12_VMALL = 0x28,
	TLBI_S2_IPA = 0x2a,
	TLBI_NSNH_ALL = 0x30,
	ATC_INV = 0x40,
	PRI_RESP = 0x41,
	RESUME = 0x44,
	STALL_TERM = 0x45,
	SYNC = 0x46,
};

struct fake_smmu {
	struct vm vm;
	struct smmu *smmu;
	struct smmu_id id;
	struct smmu_endpoint *endpoints[FAKE_SMMU_ENDPOINTS];
	u32 sids[FAKE_SMMU_ENDPOINTS]; /* 0x10 and so on; they may be changed */
	/* What fake_smmu_enable() programs, and the driver goes by; to be changed before it. */
	gpa_t cmdq, eventq;
	unsigned int cmdq_log2size, eventq_log2size; /* 8 and 7 */
	u64 strtab_base, strtab_cfg;                 /* the 64 STEs of fake_smmu_ste() */
	u32 prod; /* of the Command queue: what the next kick writes */
	gpa_t next_table;
};

/* As after a reset, nothing programmed, nothing in RAM. @id NULL: the default, with 44 bits. */
void fake_smmu_make(struct fake_smmu *f, const struct smmu_id *id);
/* The same in front of a backend, which is made when the VM is there; NULL: it has none. */
void fake_smmu_make_with(struct fake_smmu *f, const struct smmu_id *id,
                         struct smmu_backend *(*backend)(struct vm *vm));
/* Expects that nothing leaked: the last act of a test. Transfers have to have ended. */
void fake_smmu_unmake(struct fake_smmu *f);
/* The default ID registers but for one field, by the name that smmu_id_set() takes. */
struct smmu_id fake_smmu_id(const char *field, u64 value);

/* Registers, by their offset. */
u32 fake_smmu_read32(struct fake_smmu *f, u32 offset);
u64 fake_smmu_read64(struct fake_smmu *f, u32 offset);
void fake_smmu_write32(struct fake_smmu *f, u32 offset, u32 val);
void fake_smmu_write64(struct fake_smmu *f, u32 offset, u64 val);

/* RAM; it has to be some. */
u64 fake_smmu_get(struct fake_smmu *f, gpa_t gpa);
void fake_smmu_put(struct fake_smmu *f, gpa_t gpa, u64 val);

/* Queues and Stream table programmed; SMMUEN, EVENTQEN, CMDQEN, in that order's reverse. */
void fake_smmu_enable(struct fake_smmu *f);
/* The same, and nobody looks whether it is so yet. */
void fake_smmu_program(struct fake_smmu *f);

/* A command in the queue, without or with PROD; whether all there are have been consumed. */
void fake_smmu_queue(struct fake_smmu *f, u64 w0, u64 w1);
bool fake_smmu_kick(struct fake_smmu *f);
bool fake_smmu_command(struct fake_smmu *f, u64 w0, u64 w1);
bool fake_smmu_sync(struct fake_smmu *f);
/* CMD_CFGI_ALL, CMD_TLBI_NSNH_ALL, CMD_TLBI_EL2_ALL (with IDR0.Hyp), CMD_SYNC: all consumed. */
void fake_smmu_forget(struct fake_smmu *f);
/* The active error in CMDQ_CONS.ERR, CERROR_*; CERROR_NONE while GERROR.CMDQ_ERR is not active. */
unsigned int fake_smmu_cerror(struct fake_smmu *f);

/* The oldest event, taken from the queue; false: there is none. */
bool fake_smmu_event(struct fake_smmu *f, u64 w[4]);

/* Structures as they are in memory; nothing is invalidated. @sid and @index below 64. */
void fake_smmu_ste(struct fake_smmu *f, u32 sid, const u64 w[8]);
void fake_smmu_cd(struct fake_smmu *f, unsigned int index, const u64 w[8]);
/*
 * Words that most tests want, to be changed by some. @config: STE.Config; S1ContextPtr is of CD
 * @cd, stage 2 is of VMID @vmid, 39 bits from level 1 at @s2ttb, and records its faults.
 */
void fake_smmu_ste_words(const struct fake_smmu *f, u64 w[8], unsigned int config, unsigned int cd,
                         u16 vmid, gpa_t s2ttb);
/* TTB0 alone: 39 bits from level 1 at @ttb0, addresses of 48 bits; faults are recorded. */
void fake_smmu_cd_words(const struct fake_smmu *f, u64 w[8], u16 asid, u64 ttb0);
/* Both, written: stream @sid has stage 1 only, with CD @cd, by @ttb0. */
void fake_smmu_stage1(struct fake_smmu *f, u32 sid, unsigned int cd, u16 asid, u64 ttb0);
/* Stage 2 only. */
void fake_smmu_stage2(struct fake_smmu *f, u32 sid, u16 vmid, gpa_t s2ttb);

/* Tables of 4 KiB: another, empty. */
gpa_t fake_smmu_table(struct fake_smmu *f);
/* The attributes of a page that all may read and write: valid, AF, and what permits it. */
#define FAKE_S1_RW (0x3ULL | 1 << 6 | 3 << 8 | 1 << 10 | 1 << 11) /* EL0, SH, AF, nG */
#define FAKE_S1_RO (FAKE_S1_RW | 1 << 7)
#define FAKE_S2_RW (0x3ULL | 0xf << 2 | 3 << 6 | 3 << 8 | 1 << 10) /* MemAttr, S2AP, SH, AF */
#define FAKE_S2_RO (FAKE_S2_RW & ~(2ULL << 6))
/*
 * The entry of @level (3 a page; 2 and 1 blocks, whose bit 1 is cleared) for @addr in the tables
 * at @root, which start at level @start; tables between are made. @attrs 0: it becomes invalid.
 */
void fake_smmu_map_at(struct fake_smmu *f, gpa_t root, int start, int level, u64 addr, u64 to,
                      u64 attrs);
/* A page in tables that start at level 1. */
void fake_smmu_map(struct fake_smmu *f, gpa_t root, u64 addr, u64 to, u64 attrs);
/* Where that entry is; 0: a table before it is not there. */
gpa_t fake_smmu_entry(struct fake_smmu *f, gpa_t root, int start, int level, u64 addr);

struct fake_smmu_reached {
	enum dma_status status;
	gpa_t gpa; /* if it is DMA_OK */
	enum dma_reason reason;
};
static inline struct dma_space *fake_smmu_dma(const struct fake_smmu *f, unsigned int endpoint)
{
	return smmu_endpoint_dma(f->endpoints[endpoint]);
}
/* One byte; @pasid: or DMA_NO_PASID. */
struct fake_smmu_reached fake_smmu_reach(struct fake_smmu *f, unsigned int endpoint, u64 iova,
                                         u32 perm, u32 pasid);
/* The GPA that endpoint 0 reaches without a PASID; 0: none. */
gpa_t fake_smmu_gpa(struct fake_smmu *f, u64 iova, u32 perm);

struct smmu_counts fake_smmu_counts(const struct fake_smmu *f);

#endif
