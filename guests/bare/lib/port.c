/* SPDX-License-Identifier: GPL-2.0-only */
/* Setting up root ports. */
#include "port.h"

#define CAP_EXPRESS  0x10
#define LINK_CONTROL 0x10
#define NO_WINDOW    0x0000fff0 /* a limit below the base */

void port_set_bus(unsigned int nr, u8 secondary, u8 subordinate)
{
	write32(port_config(nr) + PRIMARY_BUS, secondary << 8 | subordinate << 16);
}

void port_set_window(unsigned int nr, u8 bus)
{
	u32 at = (PCI_WINDOW + (((u32)bus << 8) + 1) * 0x100000UL) >> 16;

	write32(port_config(nr) + MEMORY_BASE, at | at << 16);
	write32(port_config(nr) + PREF_BASE, NO_WINDOW);
}

u64 port_link_control(unsigned int nr)
{
	return port_config(nr) + pci_capability(nr << 3, CAP_EXPRESS, 0) + LINK_CONTROL;
}

u32 port_open(unsigned int nr)
{
	port_set_bus(nr, nr + 1, nr + 1);
	port_set_window(nr, nr + 1);
	write32(port_config(nr) + PCI_BAR0, PCI_WINDOW + nr * 0x100000);
	write16(port_config(nr) + BRIDGE_CONTROL, 0);
	write16(port_link_control(nr), 0);
	write16(port_config(nr) + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	check(wait_for(read16(port_link_control(nr) + 2) & LINK_ACTIVE, LONG),
	      "port %u has no link", nr);
	return (nr + 1) << 8;
}
