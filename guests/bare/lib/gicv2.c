/* SPDX-License-Identifier: GPL-2.0-only */
/* GICv2: a distributor banked for each CPU's own interrupts, and a CPU interface in memory (Arm IHI
 * 0048). One group: the GIC has no Security Extensions. */
#include "gic.h"

#include "gic_private.h"

#define GICD_CTLR      0x0
#define GICD_ITARGETSR 0x800
#define GICD_SGIR      0xf00
#define SGIR_OTHERS    (1u << 24)
#define GICC_CTLR      0x0
#define GICC_PMR       0x4
#define GICC_IAR       0xc
#define GICC_EOIR      0x10

static void init(void)
{
	write32(GICD_BASE + GICD_CTLR, 1);
}

static void init_cpu(void)
{
	write32(GICC_BASE + GICC_PMR, 0xff);
	write32(GICC_BASE + GICC_CTLR, 1);
}

static u64 frame_of(u32 intid)
{
	(void)intid;
	return GICD_BASE;
}

/* Each CPU reads its own bit in the targets of its own interrupts (4.3.12). */
static void route(u32 spi)
{
	write8(GICD_BASE + GICD_ITARGETSR + spi, read8(GICD_BASE + GICD_ITARGETSR));
}

static void send_sgi(unsigned int sgi, unsigned int cpu)
{
	write32(GICD_BASE + GICD_SGIR, 1u << (16 + cpu) | sgi);
}

static void send_sgi_to_others(unsigned int sgi)
{
	write32(GICD_BASE + GICD_SGIR, SGIR_OTHERS | sgi);
}

/* With an SGI comes who sent it, bits 12:10, and goes back with its end (4.4.4). */
static u32 acknowledge(void)
{
	return read32(GICC_BASE + GICC_IAR);
}

static void end(u32 acknowledged)
{
	write32(GICC_BASE + GICC_EOIR, acknowledged);
}

const struct gic gicv2 = {
	.version = 2,
	.intid_mask = 0x3ff,
	.init = init,
	.init_cpu = init_cpu,
	.frame_of = frame_of,
	.route = route,
	.send_sgi = send_sgi,
	.send_sgi_to_others = send_sgi_to_others,
	.acknowledge = acknowledge,
	.end = end,
};
