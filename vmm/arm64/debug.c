// SPDX-License-Identifier: GPL-2.0-only
/* arm64 state for a developer's eyes: vCPU registers, the GIC's, the guest's clock
 * (Documentation/virt/kvm/api.rst, devices/arm-vgic.rst, devices/arm-vgic-v3.rst). */
#include <linux/kvm.h>
#include <stdio.h>

#include "vmm/arch.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define CORE(field)                                            \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 (offsetof(struct kvm_regs, field) / sizeof(u32)))
#define SYS(op0, op1, crn, crm, op2) ARM64_SYS_REG(op0, op1, crn, crm, op2)

/* What KVM calls a register, and what Arm does (DDI 0487, D19 for the encodings). */
static const struct named_reg {
	const char *name;
	u64 id;
} vcpu_regs[] = {
	/* the core's */
	{ "pc", CORE(regs.pc) },
	{ "sp_el0", CORE(regs.sp) },
	{ "sp_el1", CORE(sp_el1) },
	{ "pstate", CORE(regs.pstate) },
	/* exceptions */
	{ "elr_el1", CORE(elr_el1) },
	{ "spsr_el1", CORE(spsr[KVM_SPSR_EL1]) },
	{ "esr_el1", SYS(3, 0, 5, 2, 0) },
	{ "far_el1", SYS(3, 0, 6, 0, 0) },
	{ "par_el1", SYS(3, 0, 7, 4, 0) },
	{ "vbar_el1", SYS(3, 0, 12, 0, 0) },
	/* translation */
	{ "sctlr_el1", SYS(3, 0, 1, 0, 0) },
	{ "cpacr_el1", SYS(3, 0, 1, 0, 2) },
	{ "ttbr0_el1", SYS(3, 0, 2, 0, 0) },
	{ "ttbr1_el1", SYS(3, 0, 2, 0, 1) },
	{ "tcr_el1", SYS(3, 0, 2, 0, 2) },
	{ "mair_el1", SYS(3, 0, 10, 2, 0) },
	{ "contextidr_el1", SYS(3, 0, 13, 0, 1) },
	/* threads, identity */
	{ "tpidr_el0", SYS(3, 3, 13, 0, 2) },
	{ "tpidr_el1", SYS(3, 0, 13, 0, 4) },
	{ "midr_el1", SYS(3, 0, 0, 0, 0) },
	{ "mpidr_el1", SYS(3, 0, 0, 0, 5) },
	{ "mdscr_el1", SYS(2, 0, 0, 2, 2) },
	/* the virtual timer; KVM's names for count and compare are swapped in its ABI, not here */
	{ "cntv_ctl_el0", KVM_REG_ARM_TIMER_CTL },
	{ "cntv_cval_el0", KVM_REG_ARM_TIMER_CVAL },
	{ "cntvct_el0", KVM_REG_ARM_TIMER_CNT },
	{ "cntkctl_el1", SYS(3, 0, 14, 1, 0) },
};

static int get_reg(struct vcpu *vcpu, u64 id, u64 *val)
{
	struct kvm *k = &vcpu->vm->kvm;
	struct kvm_one_reg reg = { .id = id, .addr = (unsigned long)val };

	*val = 0;
	return k->ops->get_one_reg(k, vcpu->fd, &reg);
}

static void visit_reg(struct vcpu *vcpu, const char *name, u64 id, struct reg_visitor *v)
{
	u64 val;

	if (!get_reg(vcpu, id, &val))
		v->reg(v, name, val);
}

void arch_vcpu_registers(struct vcpu *vcpu, struct reg_visitor *v)
{
	for (unsigned int i = 0; i < 31; i++) {
		char name[8];

		snprintf(name, sizeof(name), "x%u", i);
		visit_reg(vcpu, name, CORE(regs.regs[0]) + i * sizeof(u64) / sizeof(u32), v);
	}
	for (size_t i = 0; i < ARRAY_SIZE(vcpu_regs); i++)
		visit_reg(vcpu, vcpu_regs[i].name, vcpu_regs[i].id, v);
}

const char *arch_vcpu_power(struct vcpu *vcpu)
{
	struct kvm *k = &vcpu->vm->kvm;
	struct kvm_mp_state state = { 0 };

	if (k->ops->get_mp_state(k, vcpu->fd, &state))
		return "unknown";
	return state.mp_state == KVM_MP_STATE_STOPPED ? "stopped" : "runnable";
}

/* IHI 0069, 12.9 and 12.11: offsets in the distributor, and in a redistributor. IHI 0048, 4.1: in a
 * GICv2's CPU interface. */
struct gic_reg {
	const char *name;
	u32 offset;
	u32 nr;   /* 32-bit words; 0: as many as the SPIs take */
	u32 bits; /* for each SPI */
};

static const struct gic_reg dist_regs[] = {
	{ "gicd_ctlr", 0x0000, 1, 0 },
	{ "gicd_typer", 0x0004, 1, 0 },
	{ "gicd_iidr", 0x0008, 1, 0 },
	/* from SPI 0 (INTID 32) */
	{ "gicd_igroupr", 0x0084, 0, 1 },
	{ "gicd_isenabler", 0x0104, 0, 1 },
	{ "gicd_ispendr", 0x0204, 0, 1 },
	{ "gicd_isactiver", 0x0304, 0, 1 },
	{ "gicd_icfgr", 0x0c08, 0, 2 },
};

static const struct gic_reg redist_regs[] = {
	{ "gicr_ctlr", 0x00000, 1, 0 },
	{ "gicr_waker", 0x00014, 1, 0 },
	{ "gicr_propbaser", 0x00070, 2, 0 },
	{ "gicr_pendbaser", 0x00078, 2, 0 },
	/* SGIs and PPIs */
	{ "gicr_igroupr0", 0x10080, 1, 0 },
	{ "gicr_isenabler0", 0x10100, 1, 0 },
	{ "gicr_ispendr0", 0x10200, 1, 0 },
	{ "gicr_isactiver0", 0x10300, 1, 0 },
};

static const struct gic_reg cpu_regs[] = {
	{ "gicc_ctlr", 0x00, 1, 0 },
	{ "gicc_pmr", 0x04, 1, 0 },
	{ "gicc_bpr", 0x08, 1, 0 },
	{ "gicc_apr", 0xd0, 4, 0 },
};

/* KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS takes the encoding alone. */
#define ICC(op1, crn, crm, op2) (SYS(3, op1, crn, crm, op2) & KVM_DEV_ARM_VGIC_SYSREG_INSTR_MASK)
static const struct named_reg icc_regs[] = {
	{ "icc_pmr_el1", ICC(0, 4, 6, 0) },    { "icc_bpr1_el1", ICC(0, 12, 12, 3) },
	{ "icc_ctlr_el1", ICC(0, 12, 12, 4) }, { "icc_igrpen1_el1", ICC(0, 12, 12, 7) },
	{ "icc_ap1r0_el1", ICC(0, 12, 9, 0) },
};

static int get_attr(struct vm *vm, int fd, u32 group, u64 attr, void *val)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (unsigned long)val };

	return vm->kvm.ops->get_device_attr(&vm->kvm, fd, &a);
}

static void visit_words(struct vm *vm, u32 group, u64 who, const struct gic_reg *r,
                        struct reg_visitor *v)
{
	u32 nr = r->nr ? r->nr : vm->nr_spis * r->bits / 32;

	for (u32 i = 0; i < nr; i++) {
		u32 val = 0;
		char name[32];

		snprintf(name, sizeof(name), nr > 1 ? "%s[%u]" : "%s", r->name, i);
		if (!get_attr(vm, vm->gic, group, who | (r->offset + i * 4), &val))
			v->reg(v, name, val);
	}
}

/* What this GIC does not have, KVM refuses, and is left out. */
void arch_irqchip_registers(struct vm *vm, struct reg_visitor *v)
{
	static const struct named_reg its_regs[] = {
		{ "gits_ctlr", 0x0000 },   { "gits_cbaser", 0x0080 }, { "gits_cwriter", 0x0088 },
		{ "gits_creadr", 0x0090 }, { "gits_baser0", 0x0100 }, { "gits_baser1", 0x0108 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(dist_regs); i++)
		visit_words(vm, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0, &dist_regs[i], v);
	for (size_t i = 0; vm->its >= 0 && i < ARRAY_SIZE(its_regs); i++) {
		u64 val = 0;

		if (!get_attr(vm, vm->its, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, its_regs[i].id, &val))
			v->reg(v, its_regs[i].name, val);
	}
}

/* devices/arm-vgic-v3.rst: the attribute's upper half is Aff3.Aff2.Aff1.Aff0. */
static u64 who_is(struct vcpu *vcpu)
{
	u64 mpidr;

	if (get_reg(vcpu, SYS(3, 0, 0, 0, 5), &mpidr))
		return 0;
	return ((mpidr >> 8 & 0xff000000) | (mpidr & 0xffffff)) << 32;
}

void arch_vcpu_irqchip_registers(struct vcpu *vcpu, struct reg_visitor *v)
{
	struct vm *vm = vcpu->vm;
	u64 who = who_is(vcpu);

	for (size_t i = 0; i < ARRAY_SIZE(redist_regs); i++)
		visit_words(vm, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, who, &redist_regs[i], v);
	for (size_t i = 0; i < ARRAY_SIZE(cpu_regs); i++)
		visit_words(vm, KVM_DEV_ARM_VGIC_GRP_CPU_REGS, (u64)vcpu->id << 32, &cpu_regs[i],
		            v);
	for (size_t i = 0; i < ARRAY_SIZE(icc_regs); i++) {
		u64 val = 0;

		if (!get_attr(vm, vm->gic, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, who | icc_regs[i].id,
		              &val))
			v->reg(v, icc_regs[i].name, val);
	}
}

int arch_vm_get_time(struct vm *vm, u64 *ticks)
{
	return get_reg(&vm->vcpus[0], KVM_REG_ARM_TIMER_CNT, ticks);
}

/* One offset for all of the VM's vCPUs. */
int arch_vm_set_time(struct vm *vm, u64 ticks)
{
	struct kvm_one_reg reg = { .id = KVM_REG_ARM_TIMER_CNT, .addr = (unsigned long)&ticks };

	return vm->kvm.ops->set_one_reg(&vm->kvm, vm->vcpus[0].fd, &reg);
}
