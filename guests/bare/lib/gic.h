/* SPDX-License-Identifier: GPL-2.0-only */
/* GICv3: distributor, redistributors, CPU interface; the ITS and its LPIs (Arm IHI 0069). */
#ifndef GUESTS_BARE_LIB_GIC_H
#define GUESTS_BARE_LIB_GIC_H

#include "guest.h"

#define GICD_BASE    0x3fff0000UL
#define ITS_BASE     0x07ff0000UL
#define ITS_DOORBELL (ITS_BASE + 0x10040)

enum { PPI_VTIMER = 27, SPI_UART0 = 32, SPI_INTX0 = 36, FIRST_LPI = 8192 };

void gic_init(void); /* the distributor, and this CPU's part */
void gic_init_cpu(void);
u64 gic_redistributor(void); /* this CPU's */
void gic_enable(u32 intid);
bool gic_pending(u32 intid); /* an SPI's, or this CPU's PPI's */
void gic_send_sgi(unsigned int sgi, unsigned int cpu);
void gic_send_sgi_to_others(unsigned int sgi);

/* its.c: LPIs go to the CPU that calls its_init. */
void its_init(void);
void its_map_device(u32 device, void *table); /* table: 4 KiB, for 32 events */
void its_map_event(u32 device, u32 event, u32 lpi);
void its_discard_event(u32 device, u32 event);

#endif
