/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_DMA_TEST_H
#define DEVICES_DMA_TEST_H

#include "vmm/types.h"

struct dma_space;
struct dma_test;
struct pci_bus;
struct pci_func;

/* A PCI function that does the DMA it is told to, for tests of IOMMUs: docs/dma-test.md. */
struct dma_test_config {
	struct dma_space *dma; /* NULL: that of functions behind no IOMMU */
	bool ats, pri;
	unsigned int pasid_bits; /* 0: no PASIDs; at most 20 */
};

/* Under the device lock, or before the guest runs. 0, -ENOSPC: @bus is full, or -ENOMEM. */
int dma_test_create(struct dma_test **d, struct pci_bus *bus, const struct dma_test_config *c);
/* After the loop has ended. */
void dma_test_destroy(struct dma_test *d);
struct pci_func *dma_test_func(struct dma_test *d);

#endif
