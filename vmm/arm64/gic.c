// SPDX-License-Identifier: GPL-2.0-only
/* The in-kernel GICv3 and its ITS (Documentation/virt/kvm/devices/arm-vgic-v3.rst, -its.rst). */
#include "vmm/arm64/gic.h"

#include <linux/kvm.h>
#include <unistd.h>

#include "vmm/arch.h"
#include "vmm/arm64/cpu.h"
#include "vmm/vm.h"

static int set_attr(struct kvm *k, int fd, u32 group, u64 attr, const void *val)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (unsigned long)val };

	return k->ops->set_device_attr(k, fd, &a);
}

static int create(struct kvm *k, u32 type, int *fd)
{
	struct kvm_create_device device = { .type = type };
	int err = k->ops->create_device(k, &device);

	if (!err)
		*fd = device.fd;
	return err;
}

static int gic_create(struct vm *vm, unsigned int nr_spis)
{
	struct kvm *k = &vm->kvm;
	u64 dist = GIC_DIST_BASE;
	u64 redist = gic_redist_base(vm->nr_vcpus) | (u64)vm->nr_vcpus << 52; /* index 0, flags 0 */
	u32 nr_irqs = 32 + nr_spis;
	u32 maintenance = PPI_GIC_MAINTENANCE;
	int err = create(k, KVM_DEV_TYPE_ARM_VGIC_V3, &vm->gic);

	if (err)
		return err;
	err = set_attr(k, vm->gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs);
	if (!err)
		err = set_attr(k, vm->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST,
		               &dist);
	if (!err)
		err = set_attr(k, vm->gic, KVM_DEV_ARM_VGIC_GRP_ADDR,
		               KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &redist);
	if (!err && cpus_have_el2(vm))
		err = set_attr(k, vm->gic, KVM_DEV_ARM_VGIC_GRP_MAINT_IRQ, 0, &maintenance);
	if (!err)
		err = set_attr(k, vm->gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT,
		               NULL);
	if (err)
		close(vm->gic);
	return err;
}

static int its_create(struct vm *vm)
{
	struct kvm *k = &vm->kvm;
	u64 base = GIC_ITS_BASE;
	int err = create(k, KVM_DEV_TYPE_ARM_VGIC_ITS, &vm->its);

	if (err)
		return err;
	err = set_attr(k, vm->its, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, &base);
	if (!err)
		err = set_attr(k, vm->its, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT,
		               NULL);
	if (err)
		close(vm->its);
	return err;
}

int arch_irqchip_create(struct vm *vm, unsigned int nr_spis)
{
	int err = gic_create(vm, nr_spis);

	if (err)
		return err;
	err = its_create(vm);
	if (err)
		close(vm->gic);
	return err;
}

void arch_irqchip_destroy(struct vm *vm)
{
	close(vm->its);
	close(vm->gic);
}
