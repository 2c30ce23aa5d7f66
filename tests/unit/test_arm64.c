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
#include "vmm/platform.h"
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
	expect_attr(gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, 32 + 160);
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

Test(arm64, a_gicv3_can_be_without_an_its)
{
	struct vm vm;

	fake_vm_with(&vm, 1, "gicv3");
	cr_assert(eq(u32, fake.nr_devices, 1));
	cr_assert(eq(u32, fake.devices[0], KVM_DEV_TYPE_ARM_VGIC_V3));
	cr_assert(eq(int, irq_msi_send(vm.irq, &(struct irq_msg){ GIC_ITS_DOORBELL, 1, 0 }),
	             -ENODEV));
	fake_vm_destroy(&vm);
}

Test(arm64, a_gicv2_is_where_lkvm_has_it)
{
	struct vm vm;
	int gic;

	fake_vm_with(&vm, 3, "gicv2");
	cr_assert(eq(u32, fake.nr_devices, 1));
	cr_assert(eq(u32, fake.devices[0], KVM_DEV_TYPE_ARM_VGIC_V2));
	gic = fake.device_fds[0];
	expect_attr(gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, 32 + 160);
	expect_attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_DIST, 0x3fff0000);
	expect_attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_CPU, 0x3ffd0000);
	cr_assert(eq(u32, fake.attrs[fake.nr_attrs - 1].group, KVM_DEV_ARM_VGIC_GRP_CTRL));
	fake_vm_destroy(&vm);
}

/* As Linux's irq-gic-v2m.c reads and writes them; fake_vm's messages are SPIs 64 to 79. */
Test(arm64, a_v2m_frame_has_its_registers)
{
	struct vm vm;

	fake_vm_with(&vm, 1, "gicv2m");
	cr_assert(eq(u64, fake_read(&vm, 0x8000008, 4), 96 << 16 | 16));
	cr_assert(zero(u64, fake_read(&vm, 0x8000fcc, 4)));
	fake_write(&vm, 0x8000008, 4, ~0u);
	cr_assert(eq(u64, fake_read(&vm, 0x8000008, 4), 96 << 16 | 16), "read-only");
	cr_assert(zero(u32, fake.line_changes));
	fake_write(&vm, 0x8000040, 4, 96 + 15);
	cr_assert(eq(u32, fake.line_changes, 2), "a pulse");
	cr_assert(zero(u64, fake_read(&vm, 0x8000040, 4)), "write-only");
	fake_write(&vm, 0x8000040, 2, 96);
	cr_assert(eq(u32, fake.line_changes, 4));
	fake_vm_destroy(&vm);
}

Test(arm64, a_v2m_frame_raises_no_interrupt_but_its_own)
{
	static const u32 others[] = { 0, 16, 27, 32, 95, 112, 0x3ff, ~0u };
	struct vm vm;

	fake_vm_with(&vm, 1, "gicv2m");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		fake_write(&vm, 0x8000040, 4, others[i]);
	for (u64 at = 0; at < 0x1000; at += 4)
		if (at != 0x40)
			fake_write(&vm, 0x8000000 + at, 4, 96);
	fake_write(&vm, 0x8000040, 8, 96);
	cr_assert(zero(u32, fake.line_changes));
	fake_vm_destroy(&vm);
}

Test(arm64, the_frame_and_the_gic_are_told_as_they_are)
{
	const struct irqchip_config c = { irqchip_find("gicv2m"), 224, 96, 128 };
	struct platform p = { .nr_cpus = 4 };

	irqchip_describe(&c, &p);
	cr_assert(eq(u32, p.gic.version, 2));
	cr_assert(eq(u64, p.gic.dist, 0x3fff0000));
	cr_assert(eq(u64, p.gic.cpu, 0x3ffd0000));
	cr_assert(eq(u32, p.nr_msi_frames, 1));
	cr_assert(eq(int, p.msi_frames[0].kind, PLATFORM_MSI_V2M));
	cr_assert(eq(u64, p.msi_frames[0].base, 0x8000000));
	cr_assert(eq(u32, p.msi_frames[0].first_spi, 96));
	cr_assert(eq(u32, p.msi_frames[0].nr_spis, 128));
	irqchip_describe(&(struct irqchip_config){ .irqchip = irqchip_find("gicv2") }, &p);
	cr_assert(zero(u32, p.nr_msi_frames));
}

struct make_case {
	char irqchip[16];
};

/* Making any of them, whichever call fails, leaves nothing behind. */
ParameterizedTestParameters(arm64, an_irqchip_that_fails_leaves_nothing)
{
	static struct make_case cases[] = { { "gicv3" }, { "gicv2m" }, { "gicv2" } };

	return cr_make_param_array(struct make_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct make_case *c, arm64, an_irqchip_that_fails_leaves_nothing)
{
	const struct irqchip_config irqs = { irqchip_find(c->irqchip), 64, 32, 16 };
	const struct vm_config config = {
		.ops = &fake_kvm_ops,
		.log = &log_off,
		.ram_base = FAKE_RAM_BASE,
		.ram_size = FAKE_RAM_SIZE,
		.top = FAKE_RAM_BASE + FAKE_RAM_SIZE,
		.nr_cpus = 1,
		.irqs = &irqs,
	};
	unsigned int fds = open_fds();
	enum vm_step step;
	struct vm vm;

	for (unsigned int nth = 12;; nth++) {
		fake.calls = fake.nr_attrs = fake.nr_devices = 0;
		fake.fail_at = nth;
		if (!vm_create(&vm, &config, &step))
			break;
		cr_assert(eq(u32, open_fds(), fds), "call %u", nth);
	}
	cr_assert(gt(u32, fake.nr_attrs, 3));
	fake_vm_destroy(&vm);
	cr_assert(eq(u32, open_fds(), fds));
}
