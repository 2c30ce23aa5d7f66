/* SPDX-License-Identifier: GPL-2.0-only */
/* Root ports (PCIe 6.0, 7.5.1.3): those that are the first devices of bus 0, and what is behind
 * each. */
#ifndef GUESTS_BARE_LIB_PORT_H
#define GUESTS_BARE_LIB_PORT_H

#include "pci.h"

enum {
	PORT_ID = 0x000c1b36,
	PRIMARY_BUS = 0x18, /* secondary and subordinate follow */
	MEMORY_BASE = 0x20, /* and limit */
	PREF_BASE = 0x24,
	PREF_BASE_UPPER = 0x28,
	PREF_LIMIT_UPPER = 0x2c,
	BRIDGE_CONTROL = 0x3e,
	BUS_RESET = 1 << 6,
	LINK_DISABLE = 1 << 4,
	LINK_ACTIVE = 1 << 13,
};

/* The configuration space of port @nr, device @nr of bus 0. */
static inline u64 port_config(unsigned int nr)
{
	return pci_config(nr << 3);
}

void port_set_bus(unsigned int nr, u8 secondary, u8 subordinate);
/* A window of one MiB, where pci_enable() puts the BARs of a function on that bus. */
void port_set_window(unsigned int nr, u8 bus);
/* Where Link Control is, and two bytes on Link Status. */
u64 port_link_control(unsigned int nr);
/* Whatever was done to it: bus @nr + 1 behind it, its window, its own BAR, its link; the Requester
 * ID there. */
u32 port_open(unsigned int nr);

#endif
