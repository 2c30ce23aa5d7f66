// SPDX-License-Identifier: GPL-2.0-only
/* What a vCPU has beside the base architecture: PMU, SVE, pointer authentication, EL2, ID registers
 * (Documentation/virt/kvm/api.rst 4.82 and 4.119, devices/vcpu.rst). */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>

#include "vmm/arch.h"
#include "vmm/arm64/cpu.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

static const struct arch_config defaults;

static const struct arch_config *config(const struct vm *vm)
{
	return vm->arch ? vm->arch : &defaults;
}

static bool has(struct vm *vm, unsigned long cap)
{
	return vm->kvm.ops->check_extension(&vm->kvm, cap) > 0;
}

static int lack(struct vm *vm, const char *option, const char *what)
{
	snprintf(vm->lacks, sizeof(vm->lacks), "--%s: expected a host whose KVM has %s", option,
	         what);
	return -EOPNOTSUPP;
}

/* Both kinds of pointer authentication, or none (api.rst 4.82). */
int arch_vm_features(struct vm *vm)
{
	const struct arch_config *c = config(vm);
	const struct {
		enum wish wish;
		unsigned int caps[2];
		u32 bits;
		const char *option, *what;
	} rows[] = {
		{ c->pmu, { KVM_CAP_ARM_PMU_V3 }, BIT(KVM_ARM_VCPU_PMU_V3), "cpu pmu=on", "a PMU" },
		{ c->sve, { KVM_CAP_ARM_SVE }, BIT(KVM_ARM_VCPU_SVE), "cpu sve=on", "SVE" },
		{ c->pauth,
		  { KVM_CAP_ARM_PTRAUTH_ADDRESS, KVM_CAP_ARM_PTRAUTH_GENERIC },
		  BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS) | BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC),
		  "cpu pauth=on",
		  "pointer authentication" },
		{ c->el2 ? WISH_ON : WISH_OFF,
		  { KVM_CAP_ARM_EL2 },
		  BIT(KVM_ARM_VCPU_HAS_EL2),
		  "nested",
		  "EL2 for guests (FEAT_NV2, and kvm-arm.mode=nested)" },
		{ c->e2h0 ? WISH_ON : WISH_OFF,
		  { KVM_CAP_ARM_EL2_E2H0 },
		  BIT(KVM_ARM_VCPU_HAS_EL2_E2H0),
		  "e2h0",
		  "E2H=0 for guests (FEAT_E2H0)" },
	};

	vm->features = BIT(KVM_ARM_VCPU_PSCI_0_2);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].wish == WISH_OFF)
			continue;
		if (has(vm, rows[i].caps[0]) && (!rows[i].caps[1] || has(vm, rows[i].caps[1])))
			vm->features |= rows[i].bits;
		else if (rows[i].wish == WISH_ON)
			return lack(vm, rows[i].option, rows[i].what);
	}
	return 0;
}

bool cpus_have_pmu(const struct vm *vm)
{
	return vm->features & BIT(KVM_ARM_VCPU_PMU_V3);
}

bool cpus_have_el2(const struct vm *vm)
{
	return vm->features & BIT(KVM_ARM_VCPU_HAS_EL2);
}

/* A bit a vector length, from the shortest up (api.rst 4.68, KVM_REG_ARM64_SVE_VLS). */
static int limit_sve(struct vcpu *vcpu, unsigned int bits)
{
	struct kvm *k = &vcpu->vm->kvm;
	u64 lengths[KVM_ARM64_SVE_VLS_WORDS] = { 0 };
	struct kvm_one_reg reg = { .id = KVM_REG_ARM64_SVE_VLS, .addr = (unsigned long)lengths };
	unsigned int max = bits / 128 - KVM_ARM64_SVE_VQ_MIN;
	int err = k->ops->get_one_reg(k, vcpu->fd, &reg);

	if (err)
		return err;
	if (!(lengths[max / 64] & BIT(max % 64))) {
		char option[32];

		snprintf(option, sizeof(option), "cpu sve=%u", bits);
		return lack(vcpu->vm, option, "SVE vectors of that length");
	}
	for (unsigned int i = max + 1; i < KVM_ARM64_SVE_VLS_WORDS * 64; i++)
		lengths[i / 64] &= ~BIT(i % 64);
	return k->ops->set_one_reg(k, vcpu->fd, &reg);
}

int arch_vcpu_features(struct vcpu *vcpu)
{
	struct kvm *k = &vcpu->vm->kvm;
	unsigned int bits = config(vcpu->vm)->sve_bits;
	int feature = KVM_ARM_VCPU_SVE, err = 0;

	if (!(vcpu->vm->features & BIT(KVM_ARM_VCPU_SVE)))
		return 0;
	if (bits)
		err = limit_sve(vcpu, bits);
	return err ? err : k->ops->arm_vcpu_finalize(k, vcpu->fd, &feature);
}

int arch_vm_identify(struct vm *vm)
{
	const struct arch_config *c = config(vm);

	return id_changes_apply(vm, c->ids, c->nr_ids, vm->lacks, sizeof(vm->lacks));
}

static int pmu_attr(struct vcpu *vcpu, u64 attr, const void *val)
{
	struct kvm *k = &vcpu->vm->kvm;
	struct kvm_device_attr a = { .group = KVM_ARM_VCPU_PMU_V3_CTRL,
		                     .attr = attr,
		                     .addr = (unsigned long)val };

	return k->ops->set_device_attr(k, vcpu->fd, &a);
}

int arch_vcpus_ready(struct vm *vm)
{
	const int irq = PPI_PMU;
	int err = 0;

	if (!cpus_have_pmu(vm))
		return 0;
	for (unsigned int i = 0; i < vm->nr_vcpus && !err; i++) {
		err = pmu_attr(&vm->vcpus[i], KVM_ARM_VCPU_PMU_V3_IRQ, &irq);
		if (!err)
			err = pmu_attr(&vm->vcpus[i], KVM_ARM_VCPU_PMU_V3_INIT, NULL);
	}
	return err;
}
