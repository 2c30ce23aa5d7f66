// SPDX-License-Identifier: GPL-2.0-only
/* arm64 vCPUs: made, boot registers, aborts (Documentation/virt/kvm/api.rst,
 * arch/arm64/booting.rst). */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>

#include "vmm/arch.h"
#include "vmm/arm64/cpu.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

/* What a host without KVM_CAP_ARM_VM_IPA_SIZE gives, and it takes no other type than 0
 * (api.rst 4.2). */
#define DEFAULT_IPA_BITS 40

#define PSTATE_EL1H 5
#define PSTATE_EL2H 9
#define PSTATE_DAIF (0xf << 6)

#define CORE_REG(field)                                        \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 (offsetof(struct kvm_regs, field) / sizeof(u32)))

int arch_vm_type(struct kvm *k, gpa_t top, unsigned long *type)
{
	int max = k->ops->check_extension(k, KVM_CAP_ARM_VM_IPA_SIZE);
	int bits = 32; /* the least KVM takes */

	if (max < 0)
		return max;
	while (bits < 64 && (top - 1) >> bits)
		bits++;
	if (bits > (max ? max : DEFAULT_IPA_BITS))
		return -E2BIG;
	*type = max ? KVM_VM_TYPE_ARM_IPA_SIZE(bits) : 0;
	return 0;
}

/* Accesses without a syndrome come to us, to be answered by an abort, not by
 * an error of KVM_RUN. */
int arch_vm_created(struct kvm *k)
{
	struct kvm_enable_cap nisv = { .cap = KVM_CAP_ARM_NISV_TO_USER };

	if (k->ops->check_extension(k, KVM_CAP_ARM_NISV_TO_USER) <= 0)
		return 0;
	return k->ops->enable_cap(k, &nisv);
}

int arch_vcpu_init(struct vcpu *vcpu)
{
	struct kvm *k = &vcpu->vm->kvm;
	struct kvm_vcpu_init init = { 0 };
	int err = k->ops->arm_preferred_target(k, &init);

	if (err)
		return err;
	init.features[0] |= vcpu->vm->features;
	if (vcpu->id)
		init.features[0] |= BIT(KVM_ARM_VCPU_POWER_OFF);
	err = k->ops->arm_vcpu_init(k, vcpu->fd, &init);
	return err ? err : arch_vcpu_features(vcpu);
}

static int set_reg(struct vcpu *vcpu, u64 id, u64 val)
{
	struct kvm *k = &vcpu->vm->kvm;
	struct kvm_one_reg reg = { .id = id, .addr = (unsigned long)&val };

	return k->ops->set_one_reg(k, vcpu->fd, &reg);
}

int arch_vcpu_boot(struct vcpu *vcpu, gpa_t entry, gpa_t fdt)
{
	const u64 el = cpus_have_el2(vcpu->vm) ? PSTATE_EL2H : PSTATE_EL1H;
	const struct {
		u64 id, val;
	} regs[] = {
		{ CORE_REG(regs.pstate), PSTATE_DAIF | el },
		{ CORE_REG(regs.regs[0]), fdt },
		{ CORE_REG(regs.regs[1]), 0 },
		{ CORE_REG(regs.regs[2]), 0 },
		{ CORE_REG(regs.regs[3]), 0 },
		{ CORE_REG(regs.pc), entry },
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(regs) && !err; i++)
		err = set_reg(vcpu, regs[i].id, regs[i].val);
	return err;
}

int arch_vcpu_abort(struct vcpu *vcpu)
{
	struct kvm *k = &vcpu->vm->kvm;
	struct kvm_vcpu_events events = { .exception.ext_dabt_pending = 1 };

	return k->ops->set_vcpu_events(k, vcpu->fd, &events);
}

bool arch_vcpu_exit(struct vcpu *vcpu, struct kvm_run *run, int *err)
{
	/* No device takes 64 bytes at once (LD64B, ST64B) either. */
	if (run->exit_reason != KVM_EXIT_ARM_NISV && run->exit_reason != KVM_EXIT_ARM_LDST64B)
		return false;
	trace(vcpu->vm->log, TRACE_MMIO, "cpu%u undecodable access %#llx, ESR_ISS %#llx", vcpu->id,
	      (unsigned long long)run->arm_nisv.fault_ipa,
	      (unsigned long long)run->arm_nisv.esr_iss);
	*err = arch_vcpu_abort(vcpu);
	return true;
}

void arch_vcpu_describe(struct vcpu *vcpu, char *text, size_t len)
{
	static const struct {
		const char *name;
		u64 id;
	} regs[] = {
		{ "pc", CORE_REG(regs.pc) },
		{ "sp", CORE_REG(sp_el1) },
		{ "lr", CORE_REG(regs.regs[30]) },
		{ "pstate", CORE_REG(regs.pstate) },
		{ "x0", CORE_REG(regs.regs[0]) },
		{ "x1", CORE_REG(regs.regs[1]) },
		/* where the guest's last exception came from, and why */
		{ "elr", CORE_REG(elr_el1) },
		{ "esr", ARM64_SYS_REG(3, 0, 5, 2, 0) },
		{ "far", ARM64_SYS_REG(3, 0, 6, 0, 0) },
		/* of a hypervisor too */
		{ "elr_el2", ARM64_SYS_REG(3, 4, 4, 0, 1) },
		{ "esr_el2", ARM64_SYS_REG(3, 4, 5, 2, 0) },
		{ "far_el2", ARM64_SYS_REG(3, 4, 6, 0, 0) },
	};
	struct kvm *k = &vcpu->vm->kvm;
	size_t at = 0;

	*text = 0;
	for (size_t i = 0; i < ARRAY_SIZE(regs) && at < len; i++) {
		u64 val = 0;
		struct kvm_one_reg reg = { .id = regs[i].id, .addr = (unsigned long)&val };

		if (!k->ops->get_one_reg(k, vcpu->fd, &reg))
			at += snprintf(text + at, len - at, "%s%s=%#llx", at ? " " : "",
			               regs[i].name, (unsigned long long)val);
	}
}
