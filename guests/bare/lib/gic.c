/* SPDX-License-Identifier: GPL-2.0-only */
/* The GIC's distributor, which both versions share but for where a CPU's own interrupts are. */
#include "gic.h"

#include "gic_private.h"

#define IPRIORITYR 0x400
#define ICFGR      0xc00
#define ISENABLER  0x100
#define ICENABLER  0x180
#define ISPENDR    0x200
#define PRIORITY   0xa0

/* ID_AA64PFR0_EL1.GIC: system registers are there. */
static const struct gic *gic(void)
{
	return read_sysreg(id_aa64pfr0_el1) >> 24 & 0xf ? &gicv3 : &gicv2;
}

unsigned int gic_version(void)
{
	return gic()->version;
}

void gic_init_cpu(void)
{
	gic()->init_cpu();
	for (u32 sgi = 0; sgi < 16; sgi++)
		gic_enable(sgi);
	asm volatile("isb");
}

void gic_init(void)
{
	gic()->init();
	gic_init_cpu();
}

static void enable(u32 intid, bool edge)
{
	u64 frame = gic()->frame_of(intid);

	write8(frame + IPRIORITYR + intid, PRIORITY);
	if (intid >= 32) {
		u64 config = frame + ICFGR + intid / 16 * 4;
		u32 bit = 2u << intid % 16 * 2;

		gic()->route(intid);
		write32(config, edge ? read32(config) | bit : read32(config) & ~bit);
	}
	write32(frame + ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

void gic_enable(u32 intid)
{
	enable(intid, false);
}

void gic_enable_edge(u32 spi)
{
	enable(spi, true);
}

void gic_disable(u32 intid)
{
	write32(gic()->frame_of(intid) + ICENABLER + intid / 32 * 4, 1u << intid % 32);
}

bool gic_pending(u32 intid)
{
	return read32(gic()->frame_of(intid) + ISPENDR + intid / 32 * 4) >> intid % 32 & 1;
}

void gic_send_sgi(unsigned int sgi, unsigned int cpu)
{
	barrier();
	gic()->send_sgi(sgi, cpu);
}

void gic_send_sgi_to_others(unsigned int sgi)
{
	barrier();
	gic()->send_sgi_to_others(sgi);
}

u32 gic_acknowledge(void)
{
	return gic()->acknowledge();
}

u32 gic_intid(u32 acknowledged)
{
	return acknowledged & gic()->intid_mask;
}

void gic_end(u32 acknowledged)
{
	gic()->end(acknowledged);
}
