/* SPDX-License-Identifier: GPL-2.0-only */
/* The GIC that is there, version 2 or 3 (Arm IHI 0048, IHI 0069), and who takes messages: an ITS,
 * or a v2m frame. */
#ifndef GUESTS_BARE_LIB_GIC_H
#define GUESTS_BARE_LIB_GIC_H

#include "guest.h"

#define GICD_BASE    0x3fff0000UL
#define GICC_BASE    0x3ffd0000UL
#define ITS_BASE     0x07ff0000UL
#define ITS_DOORBELL (ITS_BASE + 0x10040)
#define V2M_BASE     0x08000000UL
#define V2M_TYPER    (V2M_BASE + 0x8)
#define V2M_SETSPI   (V2M_BASE + 0x40)

enum { PPI_VTIMER = 27, PPI_HVTIMER = 28, SPI_UART0 = 32, SPI_INTX0 = 36, FIRST_LPI = 8192 };

unsigned int gic_version(void);
void gic_init(void); /* the distributor, and this CPU's part */
void gic_init_cpu(void);
void gic_enable(u32 intid); /* an SPI is a level */
void gic_enable_edge(u32 spi);
void gic_disable(u32 intid);
bool gic_pending(u32 intid); /* an SPI's, or this CPU's PPI's */
void gic_send_sgi(unsigned int sgi, unsigned int cpu);
void gic_send_sgi_to_others(unsigned int sgi);
u32 gic_acknowledge(void); /* what the CPU interface says: an INTID, and more for gic_end */
u32 gic_intid(u32 acknowledged);
void gic_end(u32 acknowledged);

u64 gicv3_redistributor(void); /* this CPU's */

/* its.c: LPIs go to the CPU that calls its_init. */
void its_init(void);
void its_map_device(u32 device, void *table); /* table: 4 KiB, for 32 events */
void its_map_event(u32 device, u32 event, u32 lpi);
void its_discard_event(u32 device, u32 event);

/* message.c: a message that becomes an interrupt of this CPU's. */
struct message {
	u64 addr;
	u32 data, intid;
};
void messages_init(u32 device); /* one device only */
/* The @nth message, 0 to 15, and its interrupt. */
struct message message_map(unsigned int nth);
/* From now on it is none. */
void message_unmap(unsigned int nth);

#endif
