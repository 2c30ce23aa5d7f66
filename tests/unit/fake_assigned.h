/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_ASSIGNED_H
#define TESTS_UNIT_FAKE_ASSIGNED_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/pci_regs.h>

#include "tests/unit/fake_function.h"
#include "tests/unit/fake_iommufd.h"
#include "tests/unit/fake_pci.h"
#include "vfio/pci_private.h"

/*
 * The fake host's functions in a VM on the fake KVM: vfio0 is device 0 on a root bus, behind
 * nothing, or where a test puts it.
 */
struct fake_assigned {
	struct vm vm;
	struct pci_host *host;
	struct vfio_context context;
	struct vfio_device dev;
	struct vfio_pci *pci;
	enum vfio_pci_step step; /* where it failed */
	/* What the guest's SMMU answers: */
	bool ats;
	unsigned int pasid_bits;
	struct fault_bridge *faults; /* whose are page requests; NULL: there are none */
};
extern struct fake_assigned fake_at;

/* For a suite's .init: a VM, a segment, a context with RAM; fake_functions[0] as usual. */
void fake_assigned_prepare(void);
/* @bus NULL: the root bus; @dma NULL: behind nothing. 0 or -errno. */
int fake_assigned_create(struct pci_bus *bus, struct dma_space *dma);
/* The guest finds extended capability @id at @cap. */
bool fake_assigned_shows(unsigned int cap, u16 id);
/* Out of its slot; and closed too, as far as it came. */
void fake_assigned_take(void);
void fake_assigned_destroy(void);
/* For .init and .fini: all of it, and that nothing is left. */
void fake_assigned_make(void);
void fake_assigned_unmake(void);

/* As the guest reads and writes device 0's config space. */
static inline u64 cfg_read(unsigned int reg, unsigned int size)
{
	return fake_read(&fake_at.vm, cfg(0, reg), size);
}

static inline void cfg_write(unsigned int reg, unsigned int size, u64 val)
{
	fake_write(&fake_at.vm, cfg(0, reg), size, val);
}

/* The loop runs until it is so: it has to become so. */
#define until(cond)                                                    \
	do {                                                           \
		for (unsigned int n_ = 0; n_ < 10000 && !(cond); n_++) \
			fake_vm_run(&fake_at.vm, 1);                   \
		cr_assert(eq(int, !!(cond), 1));                       \
	} while (0)

#endif
