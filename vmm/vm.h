/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <pthread.h>

#include "vmm/dma.h"
#include "vmm/irq.h"
#include "vmm/kvm.h"
#include "vmm/log.h"
#include "vmm/loop.h"
#include "vmm/mem.h"
#include "vmm/mmio.h"
#include "vmm/work.h"

struct arch_config;
struct irqchip_config;
struct kvm_coalesced_mmio_ring;
struct pause;
struct v2m;
struct vcpu;

/* Who ended the guest, where the status alone does not say. */
enum vm_cause {
	VM_CAUSE_GUEST, /* its status tells how */
	VM_CAUSE_KVM,
	VM_CAUSE_CONSOLE, /* Ctrl-a x */
	VM_CAUSE_SIGNAL,
	VM_CAUSE_TIMEOUT,
	VM_CAUSE_QUIT, /* the control socket */
	VM_CAUSE_SYSTEM_RESET,
};

/*
 * A virtual machine before any device: KVM, memory, buses, interrupts, the
 * loop. @lock is the device lock: taken at MMIO dispatch and by the loop, so
 * that devices mention no mutex.
 */
struct vm {
	struct log *log;
	struct kvm kvm;
	struct guest_mem mem;
	struct dma_space dma; /* identity: what stands behind no IOMMU */
	pthread_mutex_t lock;
	struct mmio_bus mmio;
	struct irq_table *irq;
	struct loop *loop;
	struct work_queue *work;
	struct pause *pause;
	struct vcpu *vcpus;
	struct kvm_coalesced_mmio_ring *coalesced; /* vmm/coalesce.h; NULL: none yet */
	u32 max_coalesced;
	unsigned int coalesced_leaving; /* registers that KVM is being told to forget */
	unsigned int nr_vcpus;
	const struct arch_config *arch; /* the caller's; NULL: the architecture's default */
	u32 features;                   /* of all vCPUs, as the architecture numbers them */
	char lacks[400]; /* what the host lacks of them, in a line for the user; set by vm_create */
	int gic, its;    /* KVM's devices; its: -1 where there is none */
	struct v2m *v2m; /* the frame; NULL: none */
	int vfio;        /* KVM's, once a file of VFIO's is the guest's; -1: none is */
	u64 slots[8];    /* of KVM's, that are taken (vmm/assigned.h) */
	unsigned int nr_spis;
	unsigned long type;  /* for KVM_CREATE_VM: the size of its guest-physical addresses */
	bool reboots;        /* a reset does not end it all */
	int status;          /* the exit status; VM_RUNNING until something ends the guest */
	enum vm_cause cause; /* with the status; read when the vCPUs have stopped */
	bool ending;         /* vCPUs leave the guest: the machine is going */
};

#define VM_RUNNING (-1)

/* What one vm_create needs. */
struct vm_config {
	const struct kvm_ops *ops;
	struct log *log;
	gpa_t ram_base;
	u64 ram_size;         /* bytes */
	bool ram_shared;      /* another process maps it too (mem.fd) */
	u64 ram_huge_page;    /* bytes; 0: none (vmm/mem.h) */
	const char *ram_dir;  /* a hugetlbfs of such pages; NULL: a memfd */
	gpa_t top;            /* one past the highest guest-physical address of the board */
	unsigned int nr_cpus; /* 1 to 64 */
	const struct arch_config *arch; /* may be NULL; stays the caller's, for the VM's life */
	const struct irqchip_config *irqs;
	bool reboots; /* after a reset another machine follows */
};

/* Where vm_create failed, for the one line that machine/ prints. */
enum vm_step {
	VM_STEP_OPEN,
	VM_STEP_API,
	VM_STEP_IPA,
	VM_STEP_CREATE,
	VM_STEP_MEMORY,
	VM_STEP_LOOP,
	VM_STEP_FEATURES,
	VM_STEP_VCPUS,
	VM_STEP_IDENTITY,
	VM_STEP_GIC,
	VM_STEP_PMU,
};

/* Whether there is a KVM at all: 0, or -errno and *step. */
int vm_probe(const struct kvm_ops *ops, struct log *log, enum vm_step *step);

/* 0 or -errno, and then *step is what failed. The vCPUs exist and do not run. */
int vm_create(struct vm *vm, const struct vm_config *c, enum vm_step *step);
void vm_destroy(struct vm *vm);

/* Ends the guest with an exit status, from any thread. The first cause wins, but for a reset that
 * is none. */
void vm_end(struct vm *vm, int status);
/* The same, where it is not the guest's own doing. */
void vm_end_by(struct vm *vm, int status, enum vm_cause cause);

/*
 * In a vCPU's access, under the device lock: others have the lock until @done(@arg), which is asked
 * under it, or until the VM ends. What the caller knew of devices may have changed meanwhile.
 */
void vm_await(struct vm *vm, bool (*done)(const void *arg), const void *arg);

/* A kick without an exit: each guest write to @gpa, of any size, adds to @fd. 0 or -errno. */
int vm_ioeventfd(struct vm *vm, gpa_t gpa, int fd, bool assign);
/* The same, for 32-bit writes of @val only. */
int vm_ioeventfd_match(struct vm *vm, gpa_t gpa, u32 val, int fd, bool assign);

#endif
