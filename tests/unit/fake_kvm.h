/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_KVM_H
#define TESTS_UNIT_FAKE_KVM_H

#include <linux/kvm.h>

#include "vmm/kvm.h"
#include "vmm/vm.h"

/*
 * A KVM that does nothing but remember what it was told. Each test runs in a
 * process of its own, so one of it is enough.
 */
struct fake_attr {
	int fd;
	u32 group;
	u64 attr, val;
};

struct fake_kvm {
	/* what it answers */
	int api_version, ipa_bits, nisv, msi_ret;
	u32 caps[8]; /* further capabilities that it has */
	u64 sve_lengths;
	struct fake_id {
		u64 reg, val, mask; /* KVM's number, what it reads as, what may be written */
	} ids[4];
	u32 lacks;            /* BIT(device type): what it cannot make */
	unsigned int fail_at; /* this call fails; 0: none */
	int fail_err;
	int (*run)(struct kvm_run *run, unsigned int nth);  /* plays a guest */
	void (*line_changed)(unsigned int spi, bool level); /* may be NULL */
	void (*memory_changed)(const struct kvm_userspace_memory_region *region); /* the same */
	/* what it was told */
	unsigned int calls;
	unsigned long vm_type;
	struct kvm_userspace_memory_region memory;
	u32 enabled_cap;
	struct kvm_vcpu_init inits[8];
	unsigned int nr_vcpus, runs, aborts;
	unsigned int finalized; /* vCPUs with SVE */
	int vcpu_fds[64];
	unsigned int nr_vcpu_fds;
	struct fake_attr attrs[64];
	unsigned int nr_attrs;
	u32 devices[4];
	int device_fds[4];
	unsigned int nr_devices;
	struct kvm_one_reg regs[16]; /* addr holds the value */
	int reg_vcpus[16];           /* whose they were */
	unsigned int nr_regs;
	u64 reg_val; /* what every register reads as */
	bool regs_fail;
	bool lines[256];
	unsigned int line_changes;
	struct kvm_msi msi;
	unsigned int nr_events; /* sent to all CPUs */
	unsigned int nr_msis;
	struct kvm_irq_routing_entry routes[512];
	unsigned int nr_routes, route_updates;
	struct kvm_irqfd irqfd;
	unsigned int nr_irqfds;
	struct kvm_ioeventfd ioeventfd;
	unsigned int nr_ioeventfds;
	struct kvm_coalesced_mmio_zone zone; /* registered last */
	int nr_zones;
};

extern struct fake_kvm fake;
extern const struct kvm_ops fake_kvm_ops;

#define FAKE_RAM_BASE 0x80000000ULL
#define FAKE_RAM_SIZE 0x100000ULL

/* The message of the MSI route that KVM has for an eventfd's GSI; NULL: none. */
const struct kvm_irq_routing_msi *fake_route(u32 gsi);

/* A vm made by vm_create on the fake, with gicv3-its and 64 SPIs; ended by vm_destroy. */
void fake_vm(struct vm *vm, unsigned int nr_cpus);
/* The same with another irqchip; a gicv2m's messages are SPIs 64 to 79. */
void fake_vm_with(struct vm *vm, unsigned int nr_cpus, const char *irqchip);
/* Drains the loop, destroys, and expects that nothing leaked: the last act of a test. */
void fake_vm_destroy(struct vm *vm);

/*
 * The loop in a thread of its own, for @ms at least; from the first time on the
 * caller has the device lock, as a vCPU would. The other ends both.
 */
void fake_vm_run(struct vm *vm, unsigned int ms);
void fake_vm_stop(struct vm *vm);

/* One access as a vCPU makes it; the test fails where nothing answers. */
u64 fake_read(struct vm *vm, gpa_t gpa, unsigned int size);
void fake_write(struct vm *vm, gpa_t gpa, unsigned int size, u64 val);

/* How many descriptors this process has open. */
unsigned int open_fds(void);

#endif
