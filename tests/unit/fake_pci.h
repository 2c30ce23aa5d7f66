/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_PCI_H
#define TESTS_UNIT_FAKE_PCI_H

#include "devices/pci/pci.h"
#include "tests/unit/fake_kvm.h"

/* A host like the board's, but with a window that the bus sees elsewhere, and its configuration
 * accesses. */
#define ECAM       0x40000000ULL
#define MEM_CPU    0x50000000ULL
#define MEM_BUS    0x10000000ULL
#define MEM_SIZE   0x1000000ULL
#define FIRST_INTX 4
#define DEVID_BASE 0x10000

extern const struct platform_pci fake_pci;
extern const struct pci_id fake_pci_id;

/* The address of device @dev's configuration register. */
static inline gpa_t cfg(unsigned int dev, unsigned int reg)
{
	return ECAM + (dev << 15) + reg;
}

/* Every BAR has an address. */
void fake_place(struct pci_host *host);

/* The offset of the @nth capability with that ID of device @dev; 0: none. The test fails where the
 * list is broken. */
unsigned int fake_cap(struct vm *vm, unsigned int dev, u8 id, unsigned int nth);

#endif
