/* SPDX-License-Identifier: GPL-2.0-only */
/* An SMMUv3 and its driver, as small as it can be (Arm IHI 0070): queues, a linear Stream table,
 * one command at a time. */
#ifndef GUESTS_BARE_LIB_SMMU_H
#define GUESTS_BARE_LIB_SMMU_H

#include "tables.h"

#define SMMU_BASE 0x09000000UL
enum { SMMU_IRQ_EVENTQ = 128, SMMU_IRQ_SYNC = 130, SMMU_IRQ_GERROR = 131 };

/* 6.2: registers, of both pages. */
enum {
	SMMU_IDR0 = 0x00,
	SMMU_IDR1 = 0x04,
	SMMU_IDR3 = 0x0c,
	SMMU_IDR5 = 0x14,
	SMMU_CR0 = 0x20,
	SMMU_CR0ACK = 0x24,
	SMMU_CR1 = 0x28,
	SMMU_CR2 = 0x2c,
	SMMU_GBPA = 0x44,
	SMMU_IRQ_CTRL = 0x50,
	SMMU_IRQ_CTRLACK = 0x54,
	SMMU_GERROR = 0x60,
	SMMU_GERRORN = 0x64,
	SMMU_STRTAB_BASE = 0x80,
	SMMU_STRTAB_BASE_CFG = 0x88,
	SMMU_CMDQ_BASE = 0x90,
	SMMU_CMDQ_PROD = 0x98,
	SMMU_CMDQ_CONS = 0x9c,
	SMMU_EVENTQ_BASE = 0xa0,
	SMMU_EVENTQ_IRQ_CFG0 = 0xb0,
	SMMU_EVENTQ_IRQ_CFG1 = 0xb8,
	SMMU_EVENTQ_PROD = 0x100a8,
	SMMU_EVENTQ_CONS = 0x100ac,
};
enum { CR0_SMMUEN = 1 << 0, CR0_EVENTQEN = 1 << 2, CR0_CMDQEN = 1 << 3, CR0_ATSCHK = 1 << 4 };
enum { CR2_RECINVSID = 1 << 1 };
enum { GBPA_ABORT = 1 << 20 };
#define GBPA_UPDATE (1u << 31)
enum { IRQ_CTRL_GERROR = 1 << 0, IRQ_CTRL_EVENTQ = 1 << 2 };
enum { GERROR_CMDQ = 1 << 0, GERROR_EVENTQ_ABT = 1 << 2 };
enum { STRTAB_2LVL = 1 << 16, STRTAB_SPLIT_6 = 6 << 6 };
#define QUEUE_OVERFLOW (1u << 31)

/* 4.1.1: opcodes. */
enum {
	CMD_CFGI_STE = 0x03,
	CMD_CFGI_STE_RANGE = 0x04,
	CMD_CFGI_CD = 0x05,
	CMD_CFGI_CD_ALL = 0x06,
	CMD_TLBI_NH_ALL = 0x10,
	CMD_TLBI_NH_ASID = 0x11,
	CMD_TLBI_NH_VA = 0x12,
	CMD_TLBI_S12_VMALL = 0x28,
	CMD_TLBI_S2_IPA = 0x2a,
	CMD_TLBI_NSNH_ALL = 0x30,
	CMD_ATC_INV = 0x40,
	CMD_RESUME = 0x44,
	CMD_STALL_TERM = 0x45,
	CMD_SYNC = 0x46,
};
#define RETRY          (1UL << 12) /* of a CMD_RESUME */
#define CMD_SID(sid)   ((u64)(sid) << 32)
#define CMD_SSID(ssid) ((u64)(ssid) << 12 | 1 << 11)
#define CMD_VMID(vmid) ((u64)(vmid) << 32)
#define CMD_ASID(asid) ((u64)(asid) << 48)
#define CMD_LEAF       1UL

/* 5.2: STEs. */
struct ste {
	u64 w[8];
} __attribute__((aligned(64)));
enum { STE_ABORT, STE_BYPASS = 4, STE_S1, STE_S2, STE_NESTED };
#define STE0(config)   (1UL | (u64)(config) << 1)
#define STE0_CDMAX(n)  ((u64)(n) << 59)
#define STE0_2LVL_4K   (1UL << 4)
#define STE0_2LVL_64K  (2UL << 4)
#define STE1_MEV       (1UL << 19)
#define STE1_S1STALLD  (1UL << 27)
#define STE1_EATS(n)   ((u64)(n) << 28)
#define STE1_UNPRIV    (2UL << 48)
#define STE1_PRIV      (3UL << 48)
#define STE1_INST      (3UL << 50)
#define STE1_S1DSS(n)  ((u64)(n))
#define STE2_VMID(n)   ((u64)(n))
#define STE2_S2T0SZ(n) ((u64)(n) << 32)
#define STE2_S2SL0(n)  ((u64)(n) << 38)
#define STE2_S2PS(n)   ((u64)(n) << 48)
#define STE2_S2AA64    (1UL << 51)
#define STE2_S2HA      (1UL << 56)
#define STE2_S2R       (1UL << 58)
enum { EATS_NONE, EATS_FULL, EATS_SPLIT };
enum { S1DSS_TERMINATE, S1DSS_BYPASS, S1DSS_SSID0 };

/* 5.4: CDs. */
struct cd {
	u64 w[8];
} __attribute__((aligned(64)));
#define CD0_T0SZ(n) ((u64)(n))
#define CD0_TG0(n)  ((u64)(n) << 6)
#define CD0_EPD0    (1UL << 14)
#define CD0_T1SZ(n) ((u64)(n) << 16)
#define CD0_TG1(n)  ((u64)(n) << 22)
#define CD0_EPD1    (1UL << 30)
#define CD0_V       (1UL << 31)
#define CD0_IPS(n)  ((u64)(n) << 32)
#define CD0_WXN     (1UL << 36)
#define CD0_TBI0    (1UL << 38)
#define CD0_TBI1    (1UL << 39)
#define CD0_PAN     (1UL << 40)
#define CD0_AA64    (1UL << 41)
#define CD0_HD      (1UL << 42)
#define CD0_HA      (1UL << 43)
#define CD0_S       (1UL << 44)
#define CD0_R       (1UL << 45)
#define CD0_A       (1UL << 46)
#define CD0_ASET    (1UL << 47)
#define CD0_ASID(n) ((u64)(n) << 48)
/* Of both words 1 and 2: bits beside the table's address. */
#define CD_HAD  (1UL << 1)
#define CD_E0PD (1UL << 2)

/* 7.3: events. */
struct smmu_event {
	u64 w[4];
};
enum {
	C_BAD_STREAMID = 0x02,
	F_STE_FETCH = 0x03,
	C_BAD_STE = 0x04,
	F_BAD_ATS_TREQ = 0x05,
	F_STREAM_DISABLED = 0x06,
	F_TRANSL_FORBIDDEN = 0x07,
	C_BAD_SUBSTREAMID = 0x08,
	F_CD_FETCH = 0x09,
	C_BAD_CD = 0x0a,
	F_WALK_EABT = 0x0b,
	F_TRANSLATION = 0x10,
	F_ADDR_SIZE = 0x11,
	F_ACCESS = 0x12,
	F_PERMISSION = 0x13,
};
#define EVENT0(id, sid)  ((u64)(id) | (u64)(sid) << 32)
#define EVENT0_SSV(ssid) (1UL << 11 | EVENT0_SSID(ssid))
#define EVENT0_SSID(s)   ((u64)(s) << 12)
#define EVENT1_STAG      0xffffUL
#define EVENT1_STALL     (1UL << 31)
#define EVENT1_PNU       (1UL << 33)
#define EVENT1_IND       (1UL << 34)
#define EVENT1_RNW       (1UL << 35)
#define EVENT1_S2        (1UL << 39)
#define EVENT1_CD        (0UL << 40)
#define EVENT1_TT        (1UL << 40)
#define EVENT1_IN        (2UL << 40)
#define EVENT1_TTRNW     (1UL << 44)

#define SMMU_LOG2_CMDS    6
#define SMMU_LOG2_EVENTS  5
#define SMMU_LOG2_STREAMS 8 /* bus 0's */

struct smmu {
	struct ste streams[1 << SMMU_LOG2_STREAMS]
		__attribute__((aligned(64 << SMMU_LOG2_STREAMS)));
	u64 commands[1 << SMMU_LOG2_CMDS][2] __attribute__((aligned(16 << SMMU_LOG2_CMDS)));
	struct smmu_event events[1 << SMMU_LOG2_EVENTS]
		__attribute__((aligned(32 << SMMU_LOG2_EVENTS)));
	u32 prod; /* of commands */
	u32 message, nr_messages;
};

/* CR0 is what it says, and acknowledged. */
void smmu_set_cr0(u32 cr0);
void smmu_set_irq_ctrl(u32 val);
/* Disabled; then with empty queues and a Stream table of STEs that are not valid. */
void smmu_start(struct smmu *s);
/* As it is, but with another Stream table. */
void smmu_set_streams(struct smmu *s, u64 base, u32 config);

/* One command; consumed in its own time. */
void smmu_push(struct smmu *s, u64 word0, u64 word1);
bool smmu_consumed(const struct smmu *s); /* all of them */
void smmu_sync(struct smmu *s);           /* CMD_SYNC, by looking at CONS */
/* @nr commands and a CMD_SYNC at once, where all before has been consumed. */
void smmu_invalidate(struct smmu *s, const u64 (*commands)[2], unsigned int nr);
void smmu_sync_message(struct smmu *s); /* and by its message */

/* In the table, and told; an STE's CDs are told with it. */
void smmu_set_ste(struct smmu *s, u32 sid, const struct ste *ste);

/* What translates by tables of tables.h; faults are recorded and end the access. */
struct cd smmu_cd(const struct tables *t, u32 asid);
struct ste smmu_s1(const struct cd *cd);
struct ste smmu_s2(const struct tables *t, u32 vmid);
struct ste smmu_nested(u64 cd_ipa, const struct tables *t, u32 vmid);

/* The next event; false: there is none. They are there before an access has ended. */
bool smmu_event(struct smmu *s, struct smmu_event *e);
/* So many of those that are there, how many there were. */
unsigned int smmu_events(struct smmu *s, struct smmu_event *e, unsigned int max);
/* It is this one, to the bit, and alone. */
void smmu_expect(struct smmu *s, const struct smmu_event *e, const char *when);
void smmu_expect_none(struct smmu *s, const char *when);

#endif
