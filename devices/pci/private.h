/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_PCI_PRIVATE_H
#define DEVICES_PCI_PRIVATE_H

#include "devices/pci/pci.h"
#include "vmm/vm.h"

#define PCI_NR_DEVICES 32

struct pci_host {
	struct vm *vm;
	struct platform_pci platform;
	struct pci_func *funcs[PCI_NR_DEVICES]; /* bus 0, function 0 of each device */
	unsigned int pins[4];                   /* how many functions drive each line */
	u64 next_bar; /* boot-time addresses: bus address of the next free */
};

/* Where the CPU sees @size bytes at a bus address; 0: outside the host's windows, or misaligned. */
gpa_t pci_host_decode(const struct pci_host *h, u64 bus, u64 size);
/* A bus address for a BAR before the guest chooses its own; 0: the window is full. */
u64 pci_host_alloc_bar(struct pci_host *h, u64 size);
/* The DeviceID by which the ITS knows @f. */
u32 pci_host_devid(const struct pci_func *f);
/* One more, or one fewer, function drives @f's INTA. */
void pci_host_pin(struct pci_func *f, bool level);

void pci_config_init(struct pci_func *f, const struct pci_id *id);
/* Decodes what is not decoded yet and fits; the host's: that of every function. */
void pci_map_bars(struct pci_func *f);
void pci_host_map_bars(struct pci_host *h);
void pci_unmap_bars(struct pci_func *f);

#endif
