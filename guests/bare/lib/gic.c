/* SPDX-License-Identifier: GPL-2.0-only */
/* Distributor, redistributors and CPU interface: set-up, SGIs, enabling, pending bits. */
#include "gic.h"

#define GICD_CTLR          0x0
#define GICD_CTLR_ARE_GRP1 (1 << 4 | 1 << 1)
#define GICR_TYPER         0x8
#define GICR_WAKER         0x14
#define WAKER_SLEEP        (1 << 1)
#define WAKER_ASLEEP       (1 << 2)
#define GICR_SIZE          0x20000UL
#define SGI_FRAME          0x10000UL
#define IGROUPR            0x80
#define ISENABLER          0x100
#define ISPENDR            0x200
#define IPRIORITYR         0x400
#define ICFGR              0xc00
#define PRIORITY           0xa0
#define SGI1R_EVERYBODY    (1UL << 40)

/* They end below the distributor; TYPER's upper half is the affinity of whose it is. */
u64 gic_redistributor(void)
{
	u64 mpidr = read_sysreg(mpidr_el1);
	u32 affinity = (mpidr & 0xffffff) | (mpidr >> 32 & 0xff) << 24;

	for (u64 at = GICD_BASE - GICR_SIZE;; at -= GICR_SIZE)
		if (read64(at + GICR_TYPER) >> 32 == affinity)
			return at;
}

/* The registers of an SGI or PPI are in its CPU's redistributor. */
static u64 frame_of(u32 intid)
{
	return intid < 32 ? gic_redistributor() + SGI_FRAME : GICD_BASE;
}

void gic_init_cpu(void)
{
	u64 rd = gic_redistributor();

	write32(rd + GICR_WAKER, read32(rd + GICR_WAKER) & ~WAKER_SLEEP);
	check(wait_for(!(read32(rd + GICR_WAKER) & WAKER_ASLEEP), LONG),
	      "the redistributor sleeps on");
	write32(rd + SGI_FRAME + IGROUPR, ~0u);
	write_sysreg(S3_0_C12_C12_5, read_sysreg(S3_0_C12_C12_5) | 1); /* ICC_SRE_EL1 */
	asm volatile("isb");
	write_sysreg(S3_0_C4_C6_0, 0xff); /* ICC_PMR_EL1 */
	write_sysreg(S3_0_C12_C12_7, 1);  /* ICC_IGRPEN1_EL1 */
	for (u32 sgi = 0; sgi < 16; sgi++)
		gic_enable(sgi);
	asm volatile("isb");
}

void gic_init(void)
{
	write32(GICD_BASE + GICD_CTLR, GICD_CTLR_ARE_GRP1);
	gic_init_cpu();
}

void gic_enable(u32 intid)
{
	u64 frame = frame_of(intid);

	write8(frame + IPRIORITYR + intid, PRIORITY);
	if (intid >= 32) {
		u64 config = frame + ICFGR + intid / 16 * 4;

		write32(frame + IGROUPR + intid / 32 * 4, ~0u);
		write32(config, read32(config) & ~(2u << intid % 16 * 2)); /* a level */
	}
	write32(frame + ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

bool gic_pending(u32 intid)
{
	return read32(frame_of(intid) + ISPENDR + intid / 32 * 4) >> intid % 32 & 1;
}

void gic_send_sgi(unsigned int sgi, unsigned int cpu)
{
	barrier();
	write_sysreg(S3_0_C12_C11_5, (u64)sgi << 24 | (u64)(cpu / 16) << 16 | 1u << cpu % 16);
	asm volatile("isb");
}

void gic_send_sgi_to_others(unsigned int sgi)
{
	barrier();
	write_sysreg(S3_0_C12_C11_5, SGI1R_EVERYBODY | (u64)sgi << 24);
	asm volatile("isb");
}
