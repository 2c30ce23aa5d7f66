/* SPDX-License-Identifier: GPL-2.0-only */
/* GICv3: redistributors, and a CPU interface of system registers (Arm IHI 0069). */
#include "gic.h"

#include "gic_private.h"

#define GICD_CTLR          0x0
#define GICD_CTLR_ARE_GRP1 (1 << 4 | 1 << 1)
#define GICR_TYPER         0x8
#define GICR_WAKER         0x14
#define WAKER_SLEEP        (1 << 1)
#define WAKER_ASLEEP       (1 << 2)
#define GICR_SIZE          0x20000UL
#define SGI_FRAME          0x10000UL
#define IGROUPR            0x80
#define SGI1R_EVERYBODY    (1UL << 40)

/* They end below the distributor; TYPER's upper half is the affinity of whose it is. */
u64 gicv3_redistributor(void)
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
	return intid < 32 ? gicv3_redistributor() + SGI_FRAME : GICD_BASE;
}

static void init(void)
{
	write32(GICD_BASE + GICD_CTLR, GICD_CTLR_ARE_GRP1);
}

static void init_cpu(void)
{
	u64 rd = gicv3_redistributor();

	write32(rd + GICR_WAKER, read32(rd + GICR_WAKER) & ~WAKER_SLEEP);
	check(wait_for(!(read32(rd + GICR_WAKER) & WAKER_ASLEEP), LONG),
	      "the redistributor sleeps on");
	write32(rd + SGI_FRAME + IGROUPR, ~0u);
	write_sysreg(S3_0_C12_C12_5, read_sysreg(S3_0_C12_C12_5) | 1); /* ICC_SRE_EL1 */
	asm volatile("isb");
	write_sysreg(S3_0_C4_C6_0, 0xff); /* ICC_PMR_EL1 */
	write_sysreg(S3_0_C12_C12_7, 1);  /* ICC_IGRPEN1_EL1 */
}

/* GICD_IROUTER is 0 out of reset: the first CPU. */
static void route(u32 spi)
{
	write32(GICD_BASE + IGROUPR + spi / 32 * 4, ~0u);
}

static void send_sgi(unsigned int sgi, unsigned int cpu)
{
	write_sysreg(S3_0_C12_C11_5, (u64)sgi << 24 | (u64)(cpu / 16) << 16 | 1u << cpu % 16);
	asm volatile("isb");
}

static void send_sgi_to_others(unsigned int sgi)
{
	write_sysreg(S3_0_C12_C11_5, SGI1R_EVERYBODY | (u64)sgi << 24);
	asm volatile("isb");
}

static u32 acknowledge(void)
{
	return read_sysreg(S3_0_C12_C12_0); /* ICC_IAR1_EL1 */
}

static void end(u32 acknowledged)
{
	write_sysreg(S3_0_C12_C12_1, acknowledged); /* ICC_EOIR1_EL1 */
}

const struct gic gicv3 = {
	.version = 3,
	.intid_mask = 0xffffff,
	.init = init,
	.init_cpu = init_cpu,
	.frame_of = frame_of,
	.route = route,
	.send_sgi = send_sgi,
	.send_sgi_to_others = send_sgi_to_others,
	.acknowledge = acknowledge,
	.end = end,
};
