/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_SMMUV3_FIELDS_H
#define DEVICES_SMMUV3_FIELDS_H

#include "vmm/types.h"

/* Where the fields of registers, structures, commands and events are (Arm IHI 0070), by its names.
 */

/* 6.3.1 to 6.3.6 */
#define IDR0_S2P         BIT(0)
#define IDR0_S1P         BIT(1)
#define IDR0_TTF         GENMASK(3, 2)
#define IDR0_COHACC      BIT(4)
#define IDR0_BTM         BIT(5)
#define IDR0_HTTU        GENMASK(7, 6)
#define IDR0_DORMHINT    BIT(8)
#define IDR0_HYP         BIT(9)
#define IDR0_ATS         BIT(10)
#define IDR0_NS1ATS      BIT(11)
#define IDR0_ASID16      BIT(12)
#define IDR0_MSI         BIT(13)
#define IDR0_SEV         BIT(14)
#define IDR0_ATOS        BIT(15)
#define IDR0_PRI         BIT(16)
#define IDR0_VMW         BIT(17)
#define IDR0_VMID16      BIT(18)
#define IDR0_CD2L        BIT(19)
#define IDR0_VATOS       BIT(20)
#define IDR0_TTENDIAN    GENMASK(22, 21)
#define IDR0_ATSRECERR   BIT(23)
#define IDR0_STALL_MODEL GENMASK(25, 24)
enum { STALL_CHOICE, STALL_NEVER, STALL_ALWAYS };
#define IDR0_TERM_MODEL BIT(26)
#define IDR0_ST_LEVEL   GENMASK(28, 27)

#define IDR1_SIDSIZE        GENMASK(5, 0)
#define IDR1_SSIDSIZE       GENMASK(10, 6)
#define IDR1_PRIQS          GENMASK(15, 11)
#define IDR1_EVENTQS        GENMASK(20, 16)
#define IDR1_CMDQS          GENMASK(25, 21)
#define IDR1_ATTR_PERMS_OVR BIT(26)
#define IDR1_ATTR_TYPES_OVR BIT(27)
#define IDR1_REL            BIT(28)
#define IDR1_QUEUES_PRESET  BIT(29)
#define IDR1_TABLES_PRESET  BIT(30)
#define IDR1_ECMDQ          BIT(31)

#define IDR3_HAD    BIT(2)
#define IDR3_PBHA   BIT(3)
#define IDR3_XNX    BIT(4)
#define IDR3_PPS    BIT(5)
#define IDR3_FWB    BIT(8)
#define IDR3_STT    BIT(9)
#define IDR3_RIL    BIT(10)
#define IDR3_BBML   GENMASK(12, 11)
#define IDR3_E0PD   BIT(13)
#define IDR3_PTWNNC BIT(14)

#define IDR5_OAS       GENMASK(2, 0)
#define IDR5_GRAN4K    BIT(4)
#define IDR5_GRAN16K   BIT(5)
#define IDR5_GRAN64K   BIT(6)
#define IDR5_DS        BIT(7)
#define IDR5_VAX       GENMASK(11, 10)
#define IDR5_STALL_MAX GENMASK(31, 16)

/* 6.3.9 to 6.3.20 */
#define CR0_SMMUEN   BIT(0)
#define CR0_PRIQEN   BIT(1)
#define CR0_EVENTQEN BIT(2)
#define CR0_CMDQEN   BIT(3)
#define CR0_ATSCHK   BIT(4)
#define CR0_VMW      GENMASK(8, 6)

#define CR1_QUEUES GENMASK(5, 0)
#define CR1_TABLES GENMASK(11, 6)

#define CR2_E2H       BIT(0)
#define CR2_RECINVSID BIT(1)

#define GBPA_UPDATE  BIT(31)
#define GBPA_ABORT   BIT(20)
#define GBPA_INSTCFG GENMASK(19, 18)
#define GBPA_PRIVCFG GENMASK(17, 16)
#define GBPA_SHCFG   GENMASK(13, 12)

#define IRQ_GERROR BIT(0)
#define IRQ_PRIQ   BIT(1)
#define IRQ_EVENTQ BIT(2)

#define GERROR_CMDQ           BIT(0)
#define GERROR_EVENTQ_ABT     BIT(2)
#define GERROR_PRIQ_ABT       BIT(3)
#define GERROR_MSI_CMDQ_ABT   BIT(4)
#define GERROR_MSI_EVENTQ_ABT BIT(5)
#define GERROR_MSI_PRIQ_ABT   BIT(6)
#define GERROR_MSI_GERROR_ABT BIT(7)
#define GERROR_SFM            BIT(8)

/* 6.3.21 to 6.3.36 */
#define MSI_ADDR        GENMASK(55, 2)
#define STRTAB_ADDR     GENMASK(55, 6)
#define STRTAB_RA       BIT(62)
#define STRTAB_LOG2SIZE GENMASK(5, 0)
#define STRTAB_SPLIT    GENMASK(10, 6)
#define STRTAB_FMT      GENMASK(17, 16)
#define QUEUE_ADDR      GENMASK(55, 5)
#define QUEUE_HINT      BIT(62)
#define QUEUE_LOG2SIZE  GENMASK(4, 0)
#define QUEUE_INDEX     GENMASK(19, 0)
#define QUEUE_OVERFLOW  BIT(31)
#define CMDQ_CONS_ERR   GENMASK(30, 24)
#define PRIQ_CFG2_LO    BIT(31)

/* 7.1 */
enum { CERROR_NONE, CERROR_ILL, CERROR_ABT, CERROR_ATC_INV_SYNC };

/* 5.1; 5.2, by 64-bit words */
#define L1STD_SPAN  GENMASK(4, 0)
#define L1STD_L2PTR GENMASK(55, 6)

#define STE0_V            BIT(0)
#define STE0_CONFIG       GENMASK(3, 1)
#define STE0_S1FMT        GENMASK(5, 4)
#define STE0_S1CONTEXTPTR GENMASK(55, 6)
#define STE0_S1CDMAX      GENMASK(63, 59)
#define STE1_S1DSS        GENMASK(1, 0)
#define STE1_S1CIR        GENMASK(3, 2)
#define STE1_S1COR        GENMASK(5, 4)
#define STE1_S1CSH        GENMASK(7, 6)
#define STE1_PPAR         BIT(18)
#define STE1_MEV          BIT(19)
#define STE1_S2FWB        BIT(25)
#define STE1_S1STALLD     BIT(27)
#define STE1_EATS         GENMASK(29, 28)
#define STE1_STRW         GENMASK(31, 30)
#define STE1_PRIVCFG      GENMASK(49, 48)
#define STE1_INSTCFG      GENMASK(51, 50)
#define STE2_S2VMID       GENMASK(15, 0)
#define STE2_S2T0SZ       GENMASK(37, 32)
#define STE2_S2SL0        GENMASK(39, 38)
#define STE2_S2TG         GENMASK(47, 46)
#define STE2_S2PS         GENMASK(50, 48)
#define STE2_S2AA64       BIT(51)
#define STE2_S2ENDI       BIT(52)
#define STE2_S2AFFD       BIT(53)
#define STE2_S2PTW        BIT(54)
#define STE2_S2HD         BIT(55)
#define STE2_S2HA         BIT(56)
#define STE2_S2S          BIT(57)
#define STE2_S2R          BIT(58)
#define STE3_S2SL0_2      BIT(2)
#define STE3_S2DS         BIT(3)
#define STE3_S2TTB        GENMASK(51, 4)

enum { EATS_NONE, EATS_FULL, EATS_SPLIT };

/* Config: which stages translate. */
enum { CONFIG_S1 = 1, CONFIG_S2 = 2, CONFIG_TRAFFIC = 4 };
enum { S1DSS_TERMINATE, S1DSS_BYPASS, S1DSS_SSID0 };
/* PRIVCFG and INSTCFG, where they override. */
enum { CFG_NO = 2, CFG_YES };

/* 5.3, 5.4 */
#define L1CD_V     BIT(0)
#define L1CD_L2PTR GENMASK(55, 12)

#define CD0_T0SZ  GENMASK(5, 0)
#define CD0_TG0   GENMASK(7, 6)
#define CD0_EPD0  BIT(14)
#define CD0_ENDI  BIT(15)
#define CD0_T1SZ  GENMASK(21, 16)
#define CD0_TG1   GENMASK(23, 22)
#define CD0_EPD1  BIT(30)
#define CD0_V     BIT(31)
#define CD0_IPS   GENMASK(34, 32)
#define CD0_AFFD  BIT(35)
#define CD0_WXN   BIT(36)
#define CD0_TBI0  BIT(38)
#define CD0_TBI1  BIT(39)
#define CD0_PAN   BIT(40)
#define CD0_AA64  BIT(41)
#define CD0_HD    BIT(42)
#define CD0_HA    BIT(43)
#define CD0_S     BIT(44)
#define CD0_R     BIT(45)
#define CD0_A     BIT(46)
#define CD0_ASET  BIT(47)
#define CD0_ASID  GENMASK(63, 48)
#define CD1_HAD0  BIT(1)
#define CD1_E0PD0 BIT(2)
#define CD1_TTB0  GENMASK(51, 4)
#define CD2_HAD1  BIT(1)
#define CD2_E0PD1 BIT(2)
#define CD2_TTB1  GENMASK(51, 4)
#define CD2_DS    BIT(58)

/* 4.1.1 */
enum smmu_opcode {
	CMD_PREFETCH_CONFIG = 0x01,
	CMD_PREFETCH_ADDR = 0x02,
	CMD_CFGI_STE = 0x03,
	CMD_CFGI_STE_RANGE = 0x04,
	CMD_CFGI_CD = 0x05,
	CMD_CFGI_CD_ALL = 0x06,
	CMD_TLBI_NH_ALL = 0x10,
	CMD_TLBI_NH_ASID = 0x11,
	CMD_TLBI_NH_VA = 0x12,
	CMD_TLBI_NH_VAA = 0x13,
	CMD_TLBI_EL2_ALL = 0x20,
	CMD_TLBI_EL2_ASID = 0x21,
	CMD_TLBI_EL2_VA = 0x22,
	CMD_TLBI_EL2_VAA = 0x23,
	CMD_TLBI_S12_VMALL = 0x28,
	CMD_TLBI_S2_IPA = 0x2a,
	CMD_TLBI_NSNH_ALL = 0x30,
	CMD_ATC_INV = 0x40,
	CMD_PRI_RESP = 0x41,
	CMD_RESUME = 0x44,
	CMD_STALL_TERM = 0x45,
	CMD_SYNC = 0x46,
};

/* Chapter 4, by 64-bit words. */
#define CMD0_OPCODE   GENMASK(7, 0)
#define CMD0_SSEC     BIT(10)
#define CMD0_SSV      BIT(11)
#define CMD0_SSID     GENMASK(31, 12)
#define CMD0_SID      GENMASK(63, 32)
#define CMD0_NUM      GENMASK(16, 12)
#define CMD0_SCALE    GENMASK(25, 20)
#define CMD0_VMID     GENMASK(47, 32)
#define CMD0_ASID     GENMASK(63, 48)
#define CMD1_LEAF     BIT(0)
#define CMD1_RANGE    GENMASK(4, 0)
#define CMD1_TTL      GENMASK(9, 8)
#define CMD1_TG       GENMASK(11, 10)
#define CMD1_ADDR     GENMASK(63, 12)
#define CMD1_IPA      GENMASK(55, 12)
#define SYNC0_CS      GENMASK(13, 12)
#define SYNC0_MSIDATA GENMASK(63, 32)
#define SYNC1_MSIADDR GENMASK(55, 2)
enum { SIG_NONE, SIG_IRQ, SIG_SEV };
#define ATC0_GLOBAL     BIT(9)
#define ATC1_SIZE       GENMASK(5, 0)
#define ATC_SIZE_ALL    52ULL /* in pages, and more: all of 64 bits */
#define PRI_RESP1_INDEX GENMASK(8, 0)
#define PRI_RESP1_RESP  GENMASK(13, 12)
#define RESUME0_AC      BIT(12)
#define RESUME0_AB      BIT(13)
#define RESUME1_STAG    GENMASK(15, 0)

/* 7.3, by 64-bit words. */
#define EVT0_ID    GENMASK(7, 0)
#define EVT0_SSV   BIT(11)
#define EVT0_SSID  GENMASK(31, 12)
#define EVT0_SID   GENMASK(63, 32)
#define EVT1_STAG  GENMASK(15, 0)
#define EVT1_STALL BIT(31)
#define EVT1_SPAN  BIT(0)
#define EVT1_PRIV  BIT(28)
#define EVT1_X     BIT(29)
#define EVT1_W     BIT(30)
#define EVT1_R     BIT(31)
#define EVT1_PNU   BIT(33)
#define EVT1_IND   BIT(34)
#define EVT1_RNW   BIT(35)
#define EVT1_S2    BIT(39)
#define EVT1_CLASS GENMASK(41, 40)
#define EVT1_TTRNW BIT(44)
#define EVT3_IPA   GENMASK(51, 12)
#define EVT3_FETCH GENMASK(51, 3)

enum smmu_event_id {
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
enum { CLASS_CD, CLASS_TT, CLASS_IN };

/* Chapter 8, by 64-bit words. */
#define PRI0_SID   GENMASK(31, 0)
#define PRI0_SSID  GENMASK(51, 32)
#define PRI0_PRIV  BIT(58)
#define PRI0_X     BIT(59)
#define PRI0_R     BIT(60)
#define PRI0_W     BIT(61)
#define PRI0_LAST  BIT(62)
#define PRI0_SSV   BIT(63)
#define PRI1_INDEX GENMASK(8, 0)
#define PRI1_ADDR  GENMASK(63, 12)

#endif
