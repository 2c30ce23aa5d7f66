// SPDX-License-Identifier: GPL-2.0-only
/* The in-kernel GICv2, or GICv3 and its ITS, and which of them a name stands for
 * (Documentation/virt/kvm/devices/arm-vgic.rst, arm-vgic-v3.rst, arm-vgic-its.rst). */
#include "vmm/arm64/gic.h"

#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/arch.h"
#include "vmm/arm64/cpu.h"
#include "vmm/platform.h"
#include "vmm/vm.h"

static int set_attr(struct kvm *k, int fd, u32 group, u64 attr, const void *val)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (unsigned long)val };

	return k->ops->set_device_attr(k, fd, &a);
}

static int set_addr(struct kvm *k, int fd, u64 attr, u64 addr)
{
	return set_attr(k, fd, KVM_DEV_ARM_VGIC_GRP_ADDR, attr, &addr);
}

static int create(struct kvm *k, u32 type, int *fd)
{
	struct kvm_create_device device = { .type = type };
	int err = k->ops->create_device(k, &device);

	if (!err)
		*fd = device.fd;
	return err;
}

static int init(struct kvm *k, int fd)
{
	return set_attr(k, fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

static int place_v2(struct vm *vm)
{
	int err = set_addr(&vm->kvm, vm->gic, KVM_VGIC_V2_ADDR_TYPE_DIST, GIC_DIST_BASE);

	return err ? err : set_addr(&vm->kvm, vm->gic, KVM_VGIC_V2_ADDR_TYPE_CPU, GICV2_CPU_BASE);
}

static int place_v3(struct vm *vm)
{
	/* index 0, flags 0 */
	u64 redist = gic_redist_base(vm->nr_vcpus) | (u64)vm->nr_vcpus << 52;
	u32 maintenance = PPI_GIC_MAINTENANCE;
	int err = set_addr(&vm->kvm, vm->gic, KVM_VGIC_V3_ADDR_TYPE_DIST, GIC_DIST_BASE);

	if (!err)
		err = set_addr(&vm->kvm, vm->gic, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, redist);
	if (err || !cpus_have_el2(vm))
		return err;
	return set_attr(&vm->kvm, vm->gic, KVM_DEV_ARM_VGIC_GRP_MAINT_IRQ, 0, &maintenance);
}

static void describe_v2(struct platform *p)
{
	p->gic.version = 2;
	p->gic.dist_size = GICV2_DIST_SIZE;
	p->gic.cpu = GICV2_CPU_BASE;
	p->gic.cpu_size = GICV2_CPU_SIZE;
}

static void describe_v3(struct platform *p)
{
	p->gic.version = 3;
	p->gic.dist_size = GIC_DIST_SIZE;
	p->gic.redist = gic_redist_base(p->nr_cpus);
	p->gic.redist_size = p->nr_cpus * GIC_REDIST_SIZE;
}

static int no_frame(struct vm *vm, const struct irqchip_config *c)
{
	(void)vm, (void)c;
	return 0;
}

static int its_create(struct vm *vm, const struct irqchip_config *c)
{
	struct kvm *k = &vm->kvm;
	int err = create(k, KVM_DEV_TYPE_ARM_VGIC_ITS, &vm->its);

	(void)c;
	if (err)
		return err;
	err = set_addr(k, vm->its, KVM_VGIC_ITS_ADDR_TYPE, GIC_ITS_BASE);
	if (!err)
		err = init(k, vm->its);
	if (err)
		close(vm->its);
	else
		irq_msis_to_its(vm->irq);
	return err;
}

static int frame_create(struct vm *vm, const struct irqchip_config *c)
{
	return v2m_create(&vm->v2m, vm, c);
}

/* The two GICs, and who takes messages. */
static const struct gic {
	u32 type; /* KVM's */
	unsigned int max_cpus;
	int (*place)(struct vm *vm);
	void (*describe)(struct platform *p);
} gicv2 = { KVM_DEV_TYPE_ARM_VGIC_V2, 8, place_v2, describe_v2 },
  gicv3 = { KVM_DEV_TYPE_ARM_VGIC_V3, 64, place_v3, describe_v3 };

static const struct frame {
	enum platform_msi kind;
	gpa_t base;
	u64 size;
	gpa_t doorbell;
	int (*create)(struct vm *vm, const struct irqchip_config *c);
} none = { PLATFORM_MSI_NONE, 0, 0, 0, no_frame },
  its = { PLATFORM_MSI_ITS, GIC_ITS_BASE, GIC_ITS_SIZE, GIC_ITS_DOORBELL, its_create },
  v2m = { PLATFORM_MSI_V2M, GIC_V2M_BASE, GIC_V2M_SIZE, GIC_V2M_DOORBELL, frame_create };

static const struct irqchip {
	const char *name;
	const struct gic *gic;
	const struct frame *frame;
} irqchips[] = {
	{ "gicv3-its", &gicv3, &its },
	{ "gicv3", &gicv3, &none },
	{ "gicv2m", &gicv2, &v2m },
	{ "gicv2", &gicv2, &none },
};

const struct irqchip *irqchip_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(irqchips); i++)
		if (!strcmp(irqchips[i].name, name))
			return &irqchips[i];
	return NULL;
}

const char *irqchip_name(const struct irqchip *chip)
{
	return chip->name;
}

unsigned int irqchip_max_cpus(const struct irqchip *chip)
{
	return chip->gic->max_cpus;
}

bool irqchip_serves_el2(const struct irqchip *chip)
{
	return chip->gic == &gicv3;
}

bool irqchip_has_its(const struct irqchip *chip)
{
	return chip->frame == &its;
}

bool irqchip_takes_spis(const struct irqchip *chip)
{
	return chip->frame == &v2m;
}

void irqchip_describe(const struct irqchip_config *c, struct platform *p)
{
	const struct frame *frame = c->irqchip->frame;

	p->gic.dist = GIC_DIST_BASE;
	c->irqchip->gic->describe(p);
	p->nr_msi_frames = frame->kind != PLATFORM_MSI_NONE;
	p->msi_frames[0] = (struct platform_msi_frame){
		.kind = frame->kind,
		.base = frame->base,
		.size = frame->size,
		.doorbell = frame->doorbell,
		.first_spi = frame == &v2m ? c->first_msi_spi : 0,
		.nr_spis = frame == &v2m ? c->nr_msi_spis : 0,
	};
}

static bool known(struct kvm *k, u32 type)
{
	struct kvm_create_device device = { .type = type, .flags = KVM_CREATE_DEVICE_TEST };

	return !k->ops->create_device(k, &device);
}

/* KVM knows a type only where the host's own GIC can serve it; and that is asked of a VM. */
void irqchip_offered(const struct kvm_ops *ops, char *text, size_t len)
{
	struct log quiet = { 0 };
	struct kvm k = { .ops = ops, .log = &quiet, .vm = -1 };
	unsigned long type;
	size_t at = 0;

	snprintf(text, len, "none");
	k.sys = ops->open(&k);
	if (k.sys < 0)
		return;
	if (!arch_vm_type(&k, 1, &type))
		k.vm = ops->create_vm(&k, type);
	for (size_t i = 0; k.vm >= 0 && i < ARRAY_SIZE(irqchips) && at < len; i++) {
		const struct irqchip *chip = &irqchips[i];

		if (known(&k, chip->gic->type) &&
		    (chip->frame != &its || known(&k, KVM_DEV_TYPE_ARM_VGIC_ITS)))
			at += snprintf(text + at, len - at, "%s%s", at ? ", " : "", chip->name);
	}
	if (k.vm >= 0)
		close(k.vm);
	close(k.sys);
}

static int gic_create(struct vm *vm, const struct irqchip_config *c)
{
	struct kvm *k = &vm->kvm;
	u32 nr_irqs = 32 + c->nr_spis;
	int err = create(k, c->irqchip->gic->type, &vm->gic);

	if (err)
		return err;
	err = set_attr(k, vm->gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs);
	if (!err)
		err = c->irqchip->gic->place(vm);
	if (!err)
		err = init(k, vm->gic);
	if (err)
		close(vm->gic);
	return err;
}

int arch_irqchip_create(struct vm *vm, const struct irqchip_config *c)
{
	int err;

	vm->its = -1;
	err = gic_create(vm, c);
	if (err)
		return err;
	err = c->irqchip->frame->create(vm, c);
	if (err)
		close(vm->gic);
	return err;
}

void arch_irqchip_destroy(struct vm *vm)
{
	v2m_destroy(vm->v2m);
	if (vm->its >= 0)
		close(vm->its);
	close(vm->gic);
}
