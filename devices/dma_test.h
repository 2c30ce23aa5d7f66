/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_DMA_TEST_H
#define DEVICES_DMA_TEST_H

#include "fault/mailbox.h"

struct dma_space;
struct dma_test;
struct fault_relay;
struct pci_bus;
struct pci_func;

/* Who takes its page requests. */
enum dma_test_route { DMA_TEST_IOMMU, DMA_TEST_MAILBOX, DMA_TEST_NOBODY, DMA_TEST_ROUTES };

/* A PCI function that does the DMA it is told to, for tests of IOMMUs: docs/dma-test.md. */
struct dma_test_config {
	struct dma_space *dma; /* NULL: that of functions behind no IOMMU */
	bool ats, pri;
	enum dma_test_route route;
	struct fault_relay *relay; /* what they go through before; NULL: nothing */
	u64 page_timeout;          /* ms, with a mailbox; 0: none */
	unsigned int pasid_bits;   /* 0: no PASIDs; at most 20 */
};

/* Under the device lock, or before the guest runs. 0, -ENOSPC: @bus is full, or -ENOMEM. */
int dma_test_create(struct dma_test **d, struct pci_bus *bus, const struct dma_test_config *c);
/* After the loop has ended. */
void dma_test_destroy(struct dma_test *d);
struct pci_func *dma_test_func(struct dma_test *d);
enum dma_test_route dma_test_route(const struct dma_test *d);
/* Of its page requests, unless its IOMMU takes them. */
void dma_test_count(const struct dma_test *d, struct mailbox_counts *c);
/* The groups that wait in its mailbox. */
void dma_test_each_waiting(const struct dma_test *d, fault_seen *seen, void *ctx);

#endif
