/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages that become interrupts: LPIs through the ITS of a GICv3, SPIs
 * through a GICv2's frame. */
#include "gic.h"

#define FIRST_EVENT 3
#define LPI(nth)    (FIRST_LPI + 40 + (nth))

static struct {
	u32 device;
	u8 events[4096] __attribute__((aligned(4096)));
} its;

static void its_start(u32 device)
{
	its.device = device;
	its_init();
	its_map_device(device, its.events);
}

static struct message its_map(unsigned int nth)
{
	its_map_event(its.device, FIRST_EVENT + nth, LPI(nth));
	return (struct message){ ITS_DOORBELL, FIRST_EVENT + nth, LPI(nth) };
}

static void its_unmap(unsigned int nth)
{
	its_discard_event(its.device, FIRST_EVENT + nth);
}

static u32 frame_spi(unsigned int nth)
{
	return (read32(V2M_TYPER) >> 16 & 0x3ff) + nth;
}

static void frame_start(u32 device)
{
	(void)device;
	check((read32(V2M_TYPER) & 0x3ff) >= 16, "TYPER %x", read32(V2M_TYPER));
}

static struct message frame_map(unsigned int nth)
{
	u32 spi = frame_spi(nth);

	gic_enable_edge(spi);
	return (struct message){ V2M_SETSPI, spi, spi };
}

static void frame_unmap(unsigned int nth)
{
	gic_disable(frame_spi(nth));
}

static const struct {
	void (*init)(u32 device);
	struct message (*map)(unsigned int nth);
	void (*unmap)(unsigned int nth);
} kinds[] = {
	{ frame_start, frame_map, frame_unmap },
	{ its_start, its_map, its_unmap },
};

void messages_init(u32 device)
{
	kinds[gic_version() == 3].init(device);
}

struct message message_map(unsigned int nth)
{
	return kinds[gic_version() == 3].map(nth);
}

void message_unmap(unsigned int nth)
{
	kinds[gic_version() == 3].unmap(nth);
}
