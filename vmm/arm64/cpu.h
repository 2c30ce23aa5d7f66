/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_ARM64_CPU_H
#define VMM_ARM64_CPU_H

#include "vmm/arm64/id_regs.h"

struct vm;

#define MAX_ID_CHANGES 32

enum wish {
	WISH_AUTO, /* where the host has it */
	WISH_ON,
	WISH_OFF,
};

/* What the vCPUs are to be; all zero: what the host has, from EL1 up. */
struct arch_config {
	enum wish pmu, sve, pauth;
	unsigned int sve_bits; /* the longest vector; 0: the host's */
	bool el2;              /* they start at EL2, for a guest that is a hypervisor */
	bool e2h0;             /* and HCR_EL2.E2H is 0 for ever: no VHE */
	struct id_change ids[MAX_ID_CHANGES];
	unsigned int nr_ids;
};

/* PPIs of what a vCPU has: INTIDs, as Arm's Base System Architecture (DEN0094) has them. */
#define PPI_PMU             23
#define PPI_GIC_MAINTENANCE 25

/* What vCPUs have, once vm_create has found it out. */
bool cpus_have_pmu(const struct vm *vm);
bool cpus_have_el2(const struct vm *vm);

#endif
