/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_PCI_H
#define VFIO_PCI_H

#include "fault/mailbox.h"
#include "vfio/context.h"

struct dma_space;
struct fault_bridge;
struct pci_bus;
struct pci_func;
struct vsmmu_stream;

/*
 * A function of the host's that is the guest's: the registers that it has, the memory behind them,
 * and its interrupts (uAPI: linux/vfio.h). Under the device lock, or before the guest runs.
 */
struct vfio_pci;

struct vfio_pci_config {
	const char *at; /* where it is on the host; stays the caller's, for its life */
	/* Which its messages go through. NULL: that of functions behind no IOMMU; else an
	 * endpoint's (vmm/iommu.h), whose IOMMU it follows. */
	struct dma_space *dma;
	/* Its DMA is this one's (vsmmu.h), which is then the function's; NULL: the IOMMU's that
	 * @dma is of. */
	struct vsmmu_stream *stream;
	/* What the guest's SMMU answers, with a stream: translation requests; PASIDs of so many
	 * bits. The function shows it as far as the host lets it. */
	bool ats;
	unsigned int pasid_bits;
	/* Whose faults are page requests of the function's own, in a mailbox (docs/vpri.md); it is
	 * the @stream's, or outlives the function. NULL: it has none. -ENOSPC in its configuration
	 * space's step: there is no place for that. */
	struct fault_bridge *faults;
};

/* Where it failed, for the one line that machine/ prints. */
enum vfio_pci_step {
	VFIO_PCI_STEP_INFO,   /* it is no PCI function, or says nothing of itself */
	VFIO_PCI_STEP_CONFIG, /* its configuration space */
	VFIO_PCI_STEP_BUS,    /* there is no room */
	VFIO_PCI_STEP_BARS,   /* regions */
	VFIO_PCI_STEP_IRQS,   /* interrupts */
	VFIO_PCI_STEP_IOMMU,  /* it cannot follow that */
};

/*
 * @d is bound, stays the caller's and is closed after it. 0 or -errno, and then *step. As far as it
 * came (*p is not NULL) it is taken away by vfio_pci_destroy(), after the loop has been drained.
 */
int vfio_pci_create(struct vfio_pci **p, struct vfio_device *d, struct pci_bus *bus,
                    const struct vfio_pci_config *c, enum vfio_pci_step *step);
void vfio_pci_destroy(struct vfio_pci *p);
struct pci_func *vfio_pci_func(struct vfio_pci *p);
/* What its mailbox has counted; false: it has none. Under the device lock, as those that wait. */
bool vfio_pci_count_pages(const struct vfio_pci *p, struct mailbox_counts *c);
void vfio_pci_each_waiting(const struct vfio_pci *p, fault_seen *seen, void *ctx);

#endif
