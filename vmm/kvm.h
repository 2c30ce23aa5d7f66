/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_KVM_H
#define VMM_KVM_H

#include "vmm/types.h"

struct kvm;
struct log;
struct kvm_enable_cap;
struct kvm_userspace_memory_region;
struct kvm_create_device;
struct kvm_device_attr;
struct kvm_irq_level;
struct kvm_irq_routing;
struct kvm_irqfd;
struct kvm_ioeventfd;
struct kvm_coalesced_mmio_zone;
struct kvm_msi;
struct kvm_vcpu_init;
struct kvm_vcpu_events;
struct kvm_mp_state;
struct kvm_one_reg;
struct reg_mask_range;

/*
 * Every KVM call Nestor makes, one function an ioctl (Documentation/virt/kvm/api.rst).
 * Each returns what the ioctl does, or -errno. Tests put another table here.
 */
struct kvm_ops {
	/* /dev/kvm */
	int (*open)(struct kvm *k);
	int (*get_api_version)(struct kvm *k);
	int (*create_vm)(struct kvm *k, unsigned long type);
	int (*get_vcpu_mmap_size)(struct kvm *k);
	/* the VM, k->vm; check_extension before there is one asks the system */
	int (*check_extension)(struct kvm *k, unsigned long cap);
	int (*enable_cap)(struct kvm *k, const struct kvm_enable_cap *cap);
	int (*set_memory)(struct kvm *k, const struct kvm_userspace_memory_region *region);
	int (*create_vcpu)(struct kvm *k, unsigned long id);
	int (*create_device)(struct kvm *k, struct kvm_create_device *device);
	int (*irq_line)(struct kvm *k, const struct kvm_irq_level *level);
	int (*signal_msi)(struct kvm *k, const struct kvm_msi *msi);
	int (*set_gsi_routing)(struct kvm *k, const struct kvm_irq_routing *table);
	int (*irqfd)(struct kvm *k, const struct kvm_irqfd *irqfd);
	int (*ioeventfd)(struct kvm *k, const struct kvm_ioeventfd *ioeventfd);
	int (*register_coalesced_mmio)(struct kvm *k, const struct kvm_coalesced_mmio_zone *zone);
	int (*unregister_coalesced_mmio)(struct kvm *k, const struct kvm_coalesced_mmio_zone *zone);
	int (*arm_reg_masks)(struct kvm *k, struct reg_mask_range *range);
	int (*arm_preferred_target)(struct kvm *k, struct kvm_vcpu_init *init);
	/* a device's fd, or a vCPU's */
	int (*set_device_attr)(struct kvm *k, int fd, const struct kvm_device_attr *attr);
	int (*get_device_attr)(struct kvm *k, int fd, const struct kvm_device_attr *attr);
	/* a vCPU's fd */
	int (*run)(struct kvm *k, int vcpu);
	int (*arm_vcpu_init)(struct kvm *k, int vcpu, const struct kvm_vcpu_init *init);
	int (*arm_vcpu_finalize)(struct kvm *k, int vcpu, const int *feature);
	int (*get_one_reg)(struct kvm *k, int vcpu, const struct kvm_one_reg *reg);
	int (*set_one_reg)(struct kvm *k, int vcpu, const struct kvm_one_reg *reg);
	int (*get_mp_state)(struct kvm *k, int vcpu, struct kvm_mp_state *state);
	int (*set_vcpu_events)(struct kvm *k, int vcpu, const struct kvm_vcpu_events *events);
};

struct kvm {
	const struct kvm_ops *ops;
	struct log *log;
	int sys, vm; /* /dev/kvm and the VM; -1: not open */
};

/* The host's; and none, on which a machine can be put together but not run. */
extern const struct kvm_ops kvm_host, kvm_none;

#endif
