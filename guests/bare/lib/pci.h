/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI configuration space through ECAM, BARs, capabilities, MSI-X. */
#ifndef GUESTS_BARE_LIB_PCI_H
#define GUESTS_BARE_LIB_PCI_H

#include "guest.h"

#define PCI_WINDOW      0x50000000UL
#define PCI_WINDOW_SIZE 0x30000000UL

enum {
	PCI_ID = 0x0,
	PCI_COMMAND = 0x4,
	PCI_BAR0 = 0x10,
	PCI_COMMAND_MEMORY = 1 << 1,
	PCI_COMMAND_MASTER = 1 << 2,
	PCI_COMMAND_NO_INTX = 1 << 10,
	PCI_CAP_PM = 0x01,
	PCI_CAP_MSIX = 0x11,
	PCI_CAP_VENDOR = 0x09,
	MSIX_ENABLE = 1 << 15,
	MSIX_MASK_ALL = 1 << 14,
};

static inline u64 pci_config(u32 rid)
{
	return ECAM_BASE + ((u64)rid << 12);
}

/* The next function of that ID from *rid on, on bus 0. */
bool pci_find(u16 vendor, u16 device, u32 *rid);
u32 pci_bar_size(u32 rid, unsigned int bar);
u64 pci_bar(u32 rid, unsigned int bar);
/* The next capability @id after offset @after (0: the first); 0: there is none. */
unsigned int pci_capability(u32 rid, u8 id, unsigned int after);
/* Awake, gives each BAR a place of its own in the window and switches decoding and DMA on. */
void pci_enable(u32 rid);

struct msix {
	u64 control, table, pending; /* addresses */
	unsigned int nr;
};
void msix_find(struct msix *m, u32 rid);
void msix_set(const struct msix *m, unsigned int vector, u64 addr, u32 data);
void msix_mask(const struct msix *m, unsigned int vector, bool masked);
void msix_control(const struct msix *m, u16 set); /* MSIX_ENABLE, MSIX_MASK_ALL */
static inline bool msix_pending(const struct msix *m, unsigned int vector)
{
	return read64(m->pending + vector / 64 * 8) >> vector % 64 & 1;
}

#endif
