// SPDX-License-Identifier: GPL-2.0-only
/* The KVM ioctls Nestor makes, a row each. Nothing else calls ioctl() on KVM. */
#include "vmm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/log.h"

static int call(struct kvm *k, int fd, unsigned long request, unsigned long arg, const char *name)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		ret = -errno;
	trace(k->log, TRACE_KVM, "%s fd %d = %d%s%s", name, fd, ret, ret < 0 ? " " : "",
	      ret < 0 ? strerror(-ret) : "");
	return ret;
}

/* Rows by what they take: nothing, a number, a struct; and whose fd they go to. */
#define SYS_CALL(fn, request)                                 \
	static int fn(struct kvm *k)                          \
	{                                                     \
		return call(k, k->sys, request, 0, #request); \
	}
#define SYS_CALL_NUMBER(fn, request)                            \
	static int fn(struct kvm *k, unsigned long arg)         \
	{                                                       \
		return call(k, k->sys, request, arg, #request); \
	}
#define VM_CALL_NUMBER(fn, request)                            \
	static int fn(struct kvm *k, unsigned long arg)        \
	{                                                      \
		return call(k, k->vm, request, arg, #request); \
	}
#define VM_CALL(fn, request, type)                                            \
	static int fn(struct kvm *k, type *arg)                               \
	{                                                                     \
		return call(k, k->vm, request, (unsigned long)arg, #request); \
	}
#define FD_CALL(fn, request, type)                                         \
	static int fn(struct kvm *k, int fd, type *arg)                    \
	{                                                                  \
		return call(k, fd, request, (unsigned long)arg, #request); \
	}

SYS_CALL(get_api_version, KVM_GET_API_VERSION)
SYS_CALL_NUMBER(create_vm, KVM_CREATE_VM)
SYS_CALL(get_vcpu_mmap_size, KVM_GET_VCPU_MMAP_SIZE)

VM_CALL(enable_cap, KVM_ENABLE_CAP, const struct kvm_enable_cap)
VM_CALL(set_memory, KVM_SET_USER_MEMORY_REGION, const struct kvm_userspace_memory_region)
VM_CALL_NUMBER(create_vcpu, KVM_CREATE_VCPU)
VM_CALL(create_device, KVM_CREATE_DEVICE, struct kvm_create_device)
VM_CALL(irq_line, KVM_IRQ_LINE, const struct kvm_irq_level)
VM_CALL(signal_msi, KVM_SIGNAL_MSI, const struct kvm_msi)
VM_CALL(set_gsi_routing, KVM_SET_GSI_ROUTING, const struct kvm_irq_routing)
VM_CALL(irqfd, KVM_IRQFD, const struct kvm_irqfd)
VM_CALL(ioeventfd, KVM_IOEVENTFD, const struct kvm_ioeventfd)
VM_CALL(register_coalesced_mmio, KVM_REGISTER_COALESCED_MMIO, const struct kvm_coalesced_mmio_zone)
VM_CALL(unregister_coalesced_mmio, KVM_UNREGISTER_COALESCED_MMIO,
        const struct kvm_coalesced_mmio_zone)
VM_CALL(arm_reg_masks, KVM_ARM_GET_REG_WRITABLE_MASKS, struct reg_mask_range)
VM_CALL(arm_preferred_target, KVM_ARM_PREFERRED_TARGET, struct kvm_vcpu_init)

FD_CALL(set_device_attr, KVM_SET_DEVICE_ATTR, const struct kvm_device_attr)
FD_CALL(get_device_attr, KVM_GET_DEVICE_ATTR, const struct kvm_device_attr)
FD_CALL(arm_vcpu_init, KVM_ARM_VCPU_INIT, const struct kvm_vcpu_init)
FD_CALL(arm_vcpu_finalize, KVM_ARM_VCPU_FINALIZE, const int)
FD_CALL(get_one_reg, KVM_GET_ONE_REG, const struct kvm_one_reg)
FD_CALL(set_one_reg, KVM_SET_ONE_REG, const struct kvm_one_reg)
FD_CALL(get_mp_state, KVM_GET_MP_STATE, struct kvm_mp_state)
FD_CALL(set_vcpu_events, KVM_SET_VCPU_EVENTS, const struct kvm_vcpu_events)

static int open_kvm(struct kvm *k)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	(void)k;
	return fd < 0 ? -errno : fd;
}

static int check_extension(struct kvm *k, unsigned long cap)
{
	return call(k, k->vm >= 0 ? k->vm : k->sys, KVM_CHECK_EXTENSION, cap,
	            "KVM_CHECK_EXTENSION");
}

/* Not traced: an exit is (topic vcpu). */
static int run(struct kvm *k, int vcpu)
{
	(void)k;
	return ioctl(vcpu, KVM_RUN, 0) < 0 ? -errno : 0;
}

const struct kvm_ops kvm_host = {
	.open = open_kvm,
	.get_api_version = get_api_version,
	.create_vm = create_vm,
	.get_vcpu_mmap_size = get_vcpu_mmap_size,
	.check_extension = check_extension,
	.enable_cap = enable_cap,
	.set_memory = set_memory,
	.create_vcpu = create_vcpu,
	.create_device = create_device,
	.irq_line = irq_line,
	.signal_msi = signal_msi,
	.set_gsi_routing = set_gsi_routing,
	.irqfd = irqfd,
	.ioeventfd = ioeventfd,
	.register_coalesced_mmio = register_coalesced_mmio,
	.unregister_coalesced_mmio = unregister_coalesced_mmio,
	.arm_reg_masks = arm_reg_masks,
	.arm_preferred_target = arm_preferred_target,
	.set_device_attr = set_device_attr,
	.get_device_attr = get_device_attr,
	.run = run,
	.arm_vcpu_init = arm_vcpu_init,
	.arm_vcpu_finalize = arm_vcpu_finalize,
	.get_one_reg = get_one_reg,
	.set_one_reg = set_one_reg,
	.get_mp_state = get_mp_state,
	.set_vcpu_events = set_vcpu_events,
};
