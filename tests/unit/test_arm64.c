// SPDX-License-Identifier: GPL-2.0-only
/* What is arm64's own: address size, vCPU features, boot registers, GIC and ITS. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/fake_kvm.h"
#include "vmm/arch.h"
#include "vmm/arm64/gic.h"
#include "vmm/vcpu.h"

static struct log log_off;

struct ipa_case {
	gpa_t top;
	int host_bits, ret;
	unsigned long type;
};

ParameterizedTestParameters(arm64, the_address_size_is_the_least_that_holds_the_board)
{
	static struct ipa_case cases[] = {
		{ 1ULL << 31, 40, 0, 32 },
		{ 1ULL << 32, 40, 0, 32 },
		{ (1ULL << 32) + 1, 40, 0, 33 },
		{ 1ULL << 40, 40, 0, 40 },
		{ (1ULL << 40) + 1, 40, -E2BIG, 0 },
		{ 1ULL << 48, 52, 0, 48 },
		{ 1ULL << 33, 32, -E2BIG, 0 },
		{ 1ULL << 33, -EIO, -EIO, 0 },
		/* a host that cannot say takes type 0, which is 40 bits */
		{ 1ULL << 33, 0, 0, 0 },
		{ 1ULL << 41, 0, -E2BIG, 0 },
	};

	return cr_make_param_array(struct ipa_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct ipa_case *c, arm64, the_address_size_is_the_least_that_holds_the_board)
{
	struct kvm k = { .ops = &fake_kvm_ops, .log = &log_off, .sys = -1, .vm = -1 };
	unsigned long type = 0;

	fake.ipa_bits = c->host_bits;
	cr_assert(eq(int, arch_vm_type(&k, c->top, &type), c->ret));
	cr_assert(eq(ulong, type, c->type), "top %#llx, host %d", (unsigned long long)c->top,
	          c->host_bits);
}

Test(arm64, undecodable_accesses_come_to_us_where_kvm_can)
{
	struct kvm k = { .ops = &fake_kvm_ops, .log = &log_off };

	fake.nisv = 0;
	cr_assert(zero(int, arch_vm_created(&k)));
	cr_assert(zero(u32, fake.enabled_cap));
	fake.nisv = 1;
	cr_assert(zero(int, arch_vm_created(&k)));
	cr_assert(eq(u32, fake.enabled_cap, KVM_CAP_ARM_NISV_TO_USER));
}

Test(arm64, all_vcpus_have_psci_and_all_but_the_first_wait)
{
	struct vm vm;

	fake_vm(&vm, 3);
	for (unsigned int i = 0; i < 3; i++) {
		u32 want = 1u << KVM_ARM_VCPU_PSCI_0_2 | (i ? 1u << KVM_ARM_VCPU_POWER_OFF : 0);

		cr_assert(eq(u32, fake.inits[i].target, KVM_ARM_TARGET_GENERIC_V8));
		cr_assert(eq(u32, fake.inits[i].features[0], want), "cpu %u", i);
	}
	fake_vm_destroy(&vm);
}

static u64 reg(u64 core_offset)
{
	u64 id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | core_offset / 4;

	for (unsigned int i = 0; i < fake.nr_regs; i++)
		if (fake.regs[i].id == id)
			return fake.regs[i].addr;
	cr_fatal("register %#llx was not set", (unsigned long long)id);
	return 0;
}

Test(arm64, the_first_vcpu_starts_as_the_boot_protocol_says)
{
	struct vm vm;

	fake_vm(&vm, 1);
	cr_assert(zero(int, arch_vcpu_boot(&vm.vcpus[0], 0x80080000, 0x8fe00000)));
	cr_assert(eq(u64, reg(offsetof(struct kvm_regs, regs.pc)), 0x80080000));
	cr_assert(eq(u64, reg(offsetof(struct kvm_regs, regs.regs[0])), 0x8fe00000));
	for (int i = 1; i < 4; i++)
		cr_assert(zero(u64, reg(offsetof(struct kvm_regs, regs.regs[i]))));
	cr_assert(eq(u64, reg(offsetof(struct kvm_regs, regs.pstate)), 0x3c5)); /* EL1h, DAIF */
	fake_vm_destroy(&vm);
}

Test(arm64, a_register_that_cannot_be_set_is_an_error)
{
	struct vm vm;

	fake_vm(&vm, 1);
	fake.fail_at = fake.calls + 3;
	cr_assert(eq(int, arch_vcpu_boot(&vm.vcpus[0], 0, 0), -EIO));
	fake_vm_destroy(&vm);
}

static void expect_attr(int fd, u32 group, u64 attr, u64 val)
{
	for (unsigned int i = 0; i < fake.nr_attrs; i++) {
		const struct fake_attr *a = &fake.attrs[i];

		if (a->fd != fd || a->group != group || a->attr != attr)
			continue;
		cr_assert(eq(u64, a->val, val), "group %u attribute %llu", group,
		          (unsigned long long)attr);
		return;
	}
	cr_fatal("group %u attribute %llu was not set", group, (unsigned long long)attr);
}

Test(arm64, the_gic_is_where_the_board_has_it)
{
	struct vm vm;
	int gic, its;

	fake_vm(&vm, 3);
	cr_assert(eq(u32, fake.nr_devices, 2));
	cr_assert(eq(u32, fake.devices[0], KVM_DEV_TYPE_ARM_VGIC_V3));
	cr_assert(eq(u32, fake.devices[1], KVM_DEV_TYPE_ARM_VGIC_ITS));
	gic = fake.device_fds[0];
	its = fake.device_fds[1];
	expect_attr(gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, 32 + 64);
	expect_attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, 0x3fff0000);
	expect_attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION,
	            3ULL << 52 | (0x3fff0000 - 3 * 0x20000));
	expect_attr(gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
	expect_attr(its, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, 0x07ff0000);
	expect_attr(its, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
	fake_vm_destroy(&vm);
}

Test(arm64, a_controller_is_initialised_after_all_else_of_it_is_said)
{
	struct vm vm;

	fake_vm(&vm, 1);
	cr_assert(eq(u32, fake.nr_attrs, 6));
	cr_assert(eq(u32, fake.attrs[3].group, KVM_DEV_ARM_VGIC_GRP_CTRL));
	cr_assert(eq(u32, fake.attrs[5].group, KVM_DEV_ARM_VGIC_GRP_CTRL));
	fake_vm_destroy(&vm);
}

Test(arm64, a_description_has_the_registers_that_can_be_read)
{
	char text[400] = "stale";
	struct vm vm;

	fake_vm(&vm, 1);
	fake.reg_val = 0x1234;
	arch_vcpu_describe(&vm.vcpus[0], text, sizeof(text));
	cr_assert(zero(int, strncmp(text, "pc=0x1234 sp=0x1234", 19)), "%s", text);
	arch_vcpu_describe(&vm.vcpus[0], text, 10);
	cr_assert(eq(str, text, "pc=0x1234"));
	fake.regs_fail = true;
	arch_vcpu_describe(&vm.vcpus[0], text, sizeof(text));
	cr_assert(eq(str, text, ""));
	fake_vm_destroy(&vm);
}
