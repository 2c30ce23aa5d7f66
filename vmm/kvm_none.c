// SPDX-License-Identifier: GPL-2.0-only
/* No KVM: for a machine that is put together to be looked at, and never runs. */
#include "vmm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/mman.h>
#include <unistd.h>

#define IPA_BITS 52 /* as many as any host has */

static int nothing(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int open_none(struct kvm *k)
{
	(void)k;
	return nothing();
}

static int get_api_version(struct kvm *k)
{
	(void)k;
	return KVM_API_VERSION;
}

static int create_vm(struct kvm *k, unsigned long type)
{
	(void)k, (void)type;
	return nothing();
}

static int get_vcpu_mmap_size(struct kvm *k)
{
	(void)k;
	return ALIGN_UP(sizeof(struct kvm_run), sysconf(_SC_PAGESIZE));
}

/* Whatever is asked for is there; but nothing is coalesced, where the answer is a page of the
 * mapping. */
static int check_extension(struct kvm *k, unsigned long cap)
{
	(void)k;
	return cap == KVM_CAP_ARM_VM_IPA_SIZE ? IPA_BITS : cap != KVM_CAP_COALESCED_MMIO;
}

static int create_vcpu(struct kvm *k, unsigned long id)
{
	int err, fd = memfd_create("vcpu", MFD_CLOEXEC);

	(void)id;
	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, get_vcpu_mmap_size(k)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int create_device(struct kvm *k, struct kvm_create_device *device)
{
	int fd = nothing();

	(void)k;
	if (fd >= 0)
		device->fd = fd;
	return fd < 0 ? fd : 0;
}

/* Rows by what they take: all of it is well, and nothing comes of it. */
#define VM_CALL(fn, type)                       \
	static int fn(struct kvm *k, type *arg) \
	{                                       \
		(void)k, (void)arg;             \
		return 0;                       \
	}
#define FD_CALL(fn, type)                               \
	static int fn(struct kvm *k, int fd, type *arg) \
	{                                               \
		(void)k, (void)fd, (void)arg;           \
		return 0;                               \
	}

VM_CALL(enable_cap, const struct kvm_enable_cap)
VM_CALL(set_memory, const struct kvm_userspace_memory_region)
VM_CALL(irq_line, const struct kvm_irq_level)
VM_CALL(signal_msi, const struct kvm_msi)
VM_CALL(set_gsi_routing, const struct kvm_irq_routing)
VM_CALL(irqfd, const struct kvm_irqfd)
VM_CALL(ioeventfd, const struct kvm_ioeventfd)
VM_CALL(coalesced_mmio, const struct kvm_coalesced_mmio_zone)
VM_CALL(arm_reg_masks, struct reg_mask_range)
VM_CALL(arm_preferred_target, struct kvm_vcpu_init)
FD_CALL(device_attr, const struct kvm_device_attr)
FD_CALL(arm_vcpu_init, const struct kvm_vcpu_init)
FD_CALL(arm_vcpu_finalize, const int)
FD_CALL(one_reg, const struct kvm_one_reg)
FD_CALL(get_mp_state, struct kvm_mp_state)
FD_CALL(set_vcpu_events, const struct kvm_vcpu_events)

static int run(struct kvm *k, int vcpu)
{
	(void)k, (void)vcpu;
	return -ENXIO;
}

const struct kvm_ops kvm_none = {
	.open = open_none,
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
	.register_coalesced_mmio = coalesced_mmio,
	.unregister_coalesced_mmio = coalesced_mmio,
	.arm_reg_masks = arm_reg_masks,
	.arm_preferred_target = arm_preferred_target,
	.set_device_attr = device_attr,
	.get_device_attr = device_attr,
	.run = run,
	.arm_vcpu_init = arm_vcpu_init,
	.arm_vcpu_finalize = arm_vcpu_finalize,
	.get_one_reg = one_reg,
	.set_one_reg = one_reg,
	.get_mp_state = get_mp_state,
	.set_vcpu_events = set_vcpu_events,
};
