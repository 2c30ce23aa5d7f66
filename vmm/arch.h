/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_ARCH_H
#define VMM_ARCH_H

#include "vmm/types.h"

struct irqchip;
struct kvm;
struct kvm_run;
struct vcpu;
struct vm;

/*
 * What differs from one architecture to the next; vmm/arm64/ is the one there
 * is. All return 0 or -errno unless they say otherwise.
 */

/* KVM_CREATE_VM's argument for a board whose addresses end below @top. -E2BIG: the host's are
 * shorter. */
int arch_vm_type(struct kvm *k, gpa_t top, unsigned long *type);
int arch_vm_created(struct kvm *k);

/*
 * What all vCPUs have, of what vm->arch (NULL: the default) wishes for. -EOPNOTSUPP: the host has
 * it not, and vm->lacks says so in one line that names the option. Each in its turn: before there
 * are vCPUs; each vCPU, by arch_vcpu_init; all vCPUs; with the interrupt controller too.
 */
int arch_vm_features(struct vm *vm);
int arch_vcpu_features(struct vcpu *vcpu);
int arch_vm_identify(struct vm *vm);
int arch_vcpus_ready(struct vm *vm);

/* Which interrupt controller, and how many interrupts it serves. */
struct irqchip_config {
	const struct irqchip *irqchip; /* the architecture's own */
	unsigned int nr_spis;
	u32 first_msi_spi, nr_msi_spis; /* those that messages become, counted from 0; 0: none do */
};
/* After the vCPUs, before any of them runs; the irq table is there. */
int arch_irqchip_create(struct vm *vm, const struct irqchip_config *c);
void arch_irqchip_destroy(struct vm *vm);

/*
 * What an IOMMU can make of page tables. A driver lets it have those of a process (SVA) only if
 * that is all that the CPUs make of them: what they have beyond is hidden. Before any vCPU runs.
 */
struct arch_tables {
	unsigned int address_size; /* as registers have it: PARange, IDR5.OAS */
	bool asid16, vax;          /* the latter: 52 bits of input, with granules of 64 KiB */
	unsigned int bbm;          /* the level */
};
void arch_limit_tables(struct vm *vm, const struct arch_tables *t);

/* A new vCPU's features; all but the first wait for PSCI CPU_ON. */
int arch_vcpu_init(struct vcpu *vcpu);
/* The first vCPU's registers for the boot protocol: entry point and FDT address. */
int arch_vcpu_boot(struct vcpu *vcpu, gpa_t entry, gpa_t fdt);

/* Ends the wait of CPUs for an event (WFE), of those that run vCPUs as of others. */
void arch_send_event(void);

/* The access that just left the guest hit nothing: an external abort when it goes on. */
int arch_vcpu_abort(struct vcpu *vcpu);

/* An exit that only this architecture has. False: not known. */
bool arch_vcpu_exit(struct vcpu *vcpu, struct kvm_run *run, int *err);

/* The registers a developer wants when KVM cannot continue, into @text of @len bytes. */
void arch_vcpu_describe(struct vcpu *vcpu, char *text, size_t len);

/* Calls @fn with each register of interest that can be read; names are lower case. */
struct reg_visitor {
	void (*reg)(struct reg_visitor *v, const char *name, u64 val);
};

/* For debugging, while the vCPUs are held out of the guest (vmm/pause.h). */
void arch_vcpu_registers(struct vcpu *vcpu, struct reg_visitor *v);
/* "runnable", or "stopped": PSCI has it off. */
const char *arch_vcpu_power(struct vcpu *vcpu);
void arch_irqchip_registers(struct vm *vm, struct reg_visitor *v);
/* The interrupt controller as @vcpu sees it: its own registers and its CPU interface. */
void arch_vcpu_irqchip_registers(struct vcpu *vcpu, struct reg_visitor *v);

/* The guest's clock, to stand still while all its vCPUs are held: what it says, and it again. */
int arch_vm_get_time(struct vm *vm, u64 *ticks);
int arch_vm_set_time(struct vm *vm, u64 ticks);

#endif
