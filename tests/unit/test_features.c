// SPDX-License-Identifier: GPL-2.0-only
/* vCPU features that a host may have, and ID registers: what KVM is asked for,
 * and what is refused. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_kvm.h"
#include "tests/unit/leak.h"
#include "vmm/arch.h"
#include "vmm/arm64/cpu.h"
#include "vmm/arm64/gic.h"
#include "vmm/vcpu.h"

#define PFR0 ARM64_SYS_REG(3, 0, 0, 4, 0)

static struct log log_off;
static struct vm vm;
static enum vm_step step;

static int create(const struct arch_config *arch, unsigned int nr_cpus)
{
	const struct irqchip_config irqs = { .irqchip = irqchip_find("gicv3-its"), .nr_spis = 64 };
	const struct vm_config c = {
		.ops = &fake_kvm_ops,
		.log = &log_off,
		.ram_base = FAKE_RAM_BASE,
		.ram_size = FAKE_RAM_SIZE,
		.top = FAKE_RAM_BASE + FAKE_RAM_SIZE,
		.nr_cpus = nr_cpus,
		.irqs = &irqs,
		.arch = arch,
	};

	return vm_create(&vm, &c, &step);
}

static void caps(const u32 have[3])
{
	memcpy(fake.caps, have, 3 * sizeof(u32));
}

#define PMU   BIT(KVM_ARM_VCPU_PMU_V3)
#define SVE   BIT(KVM_ARM_VCPU_SVE)
#define PAUTH (BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS) | BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC))
#define EL2   BIT(KVM_ARM_VCPU_HAS_EL2)
#define E2H0  BIT(KVM_ARM_VCPU_HAS_EL2_E2H0)

struct wish_case {
	struct arch_config arch;
	u32 caps[3];
	u32 features;
	char lacks[80];
};

ParameterizedTestParameters(features, a_wish_meets_what_the_host_has)
{
	static struct wish_case cases[] = {
		{ .caps = { 0 } },
		{ .caps = { KVM_CAP_ARM_PMU_V3 }, .features = PMU },
		{ { .pmu = WISH_OFF }, { KVM_CAP_ARM_PMU_V3 }, 0, "" },
		{ { .pmu = WISH_ON }, { KVM_CAP_ARM_PMU_V3 }, PMU, "" },
		{ { .pmu = WISH_ON },
		  { 0 },
		  0,
		  "--cpu pmu=on: expected a host whose KVM has a PMU" },
		{ .caps = { KVM_CAP_ARM_SVE }, .features = SVE },
		{ { .sve = WISH_OFF }, { KVM_CAP_ARM_SVE }, 0, "" },
		{ { .sve = WISH_ON }, { 0 }, 0, "--cpu sve=on: expected a host whose KVM has SVE" },
		{ .caps = { KVM_CAP_ARM_PTRAUTH_ADDRESS, KVM_CAP_ARM_PTRAUTH_GENERIC },
		  .features = PAUTH },
		{ .caps = { KVM_CAP_ARM_PTRAUTH_ADDRESS }, .features = 0 },
		{ .caps = { KVM_CAP_ARM_PTRAUTH_GENERIC }, .features = 0 },
		{ { .pauth = WISH_OFF },
		  { KVM_CAP_ARM_PTRAUTH_ADDRESS, KVM_CAP_ARM_PTRAUTH_GENERIC },
		  0,
		  "" },
		{ { .pauth = WISH_ON },
		  { KVM_CAP_ARM_PTRAUTH_ADDRESS },
		  0,
		  "--cpu pauth=on: expected a host whose KVM has pointer authentication" },
		{ .caps = { KVM_CAP_ARM_EL2 }, .features = 0 },
		{ { .el2 = true }, { KVM_CAP_ARM_EL2 }, EL2, "" },
		{ { .el2 = true }, { 0 }, 0, "--nested: expected a host whose KVM has EL2" },
		{ { .el2 = true, .e2h0 = true },
		  { KVM_CAP_ARM_EL2, KVM_CAP_ARM_EL2_E2H0 },
		  EL2 | E2H0,
		  "" },
		{ { .el2 = true, .e2h0 = true },
		  { KVM_CAP_ARM_EL2 },
		  0,
		  "--e2h0: expected a host whose KVM has E2H=0" },
	};

	return cr_make_param_array(struct wish_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct wish_case *c, features, a_wish_meets_what_the_host_has)
{
	caps(c->caps);
	if (*c->lacks) {
		cr_assert(eq(int, create(&c->arch, 2), -EOPNOTSUPP));
		cr_assert(eq(int, step, VM_STEP_FEATURES));
		cr_assert(zero(int, strncmp(vm.lacks, c->lacks, strlen(c->lacks))), "%s", vm.lacks);
		expect_no_leak();
		return;
	}
	cr_assert(zero(int, create(&c->arch, 2)));
	for (unsigned int i = 0; i < 2; i++) {
		u32 got = fake.inits[i].features[0] & ~BIT(KVM_ARM_VCPU_POWER_OFF);

		cr_assert(eq(u32, got, BIT(KVM_ARM_VCPU_PSCI_0_2) | c->features), "cpu %u", i);
	}
	cr_assert(eq(u32, fake.finalized, c->features & SVE ? 2 : 0));
	cr_assert(eq(int, cpus_have_pmu(&vm), !!(c->features & PMU)));
	cr_assert(eq(int, cpus_have_el2(&vm), !!(c->features & EL2)));
	fake_vm_destroy(&vm);
}

/* The nth attribute of that group and number, and how many others were set before. */
static int attr_at(int fd, u32 group, u64 attr, u64 val)
{
	for (unsigned int i = 0; i < fake.nr_attrs; i++) {
		const struct fake_attr *a = &fake.attrs[i];

		if (a->fd == fd && a->group == group && a->attr == attr && a->val == val)
			return i;
	}
	return -1;
}

Test(features, each_pmu_has_its_interrupt_and_starts_behind_the_gic)
{
	static const u32 have[3] = { KVM_CAP_ARM_PMU_V3 };
	int gic;

	caps(have);
	cr_assert(zero(int, create(NULL, 3)));
	gic = attr_at(vm.gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
	for (unsigned int i = 0; i < 3; i++) {
		int fd = vm.vcpus[i].fd;
		int irq = attr_at(fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_IRQ, 23);
		int init = attr_at(fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_INIT, 0);

		cr_assert(ge(int, irq, 0));
		cr_assert(gt(int, init, irq));
		cr_assert(gt(int, init, gic));
	}
	fake_vm_destroy(&vm);
}

Test(features, a_pmu_that_does_not_start_is_its_own_step)
{
	static const u32 have[3] = { KVM_CAP_ARM_PMU_V3 };

	caps(have);
	cr_assert(zero(int, create(NULL, 1)));
	fake_vm_destroy(&vm);
	fake.fail_at = fake.calls;
	fake.calls = fake.nr_attrs = fake.nr_devices = 0;
	cr_assert(eq(int, create(NULL, 1), -EIO));
	cr_assert(eq(int, step, VM_STEP_PMU));
	expect_no_leak();
}

Test(features, a_gic_of_el2_has_a_maintenance_interrupt_before_it_starts)
{
	static const u32 have[3] = { KVM_CAP_ARM_EL2 };
	const struct arch_config arch = { .el2 = true };
	int maintenance, init;

	caps(have);
	cr_assert(zero(int, create(&arch, 1)));
	maintenance = attr_at(vm.gic, KVM_DEV_ARM_VGIC_GRP_MAINT_IRQ, 0, 25);
	init = attr_at(vm.gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
	cr_assert(ge(int, maintenance, 0));
	cr_assert(lt(int, maintenance, init));
	cr_assert(zero(int, arch_vcpu_boot(&vm.vcpus[0], 0, 0)));
	cr_assert(eq(u64, fake.regs[0].addr, 0x3c9)); /* EL2h, DAIF */
	fake_vm_destroy(&vm);
}

struct sve_case {
	u64 host, set; /* a bit a length, 128 bits the first; 0: not set */
	unsigned int bits;
};

ParameterizedTestParameters(features, vectors_are_as_long_as_asked_for)
{
	static struct sve_case cases[] = {
		{ 0xb, 0xb, 512 }, { 0xb, 0x3, 256 }, { 0xb, 0x1, 128 },
		{ 0xb, 0, 384 },   { 0xb, 0, 2048 },  { 0x808b, 0x808b, 2048 },
	};

	return cr_make_param_array(struct sve_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct sve_case *c, features, vectors_are_as_long_as_asked_for)
{
	static const u32 have[3] = { KVM_CAP_ARM_SVE };
	const struct arch_config arch = { .sve = WISH_ON, .sve_bits = c->bits };
	char want[80];

	caps(have);
	fake.sve_lengths = c->host;
	if (!c->set) {
		cr_assert(eq(int, create(&arch, 1), -EOPNOTSUPP));
		snprintf(want, sizeof(want),
		         "--cpu sve=%u: expected a host whose KVM has SVE vectors of that length",
		         c->bits);
		cr_assert(eq(str, vm.lacks, want));
		return;
	}
	cr_assert(zero(int, create(&arch, 1)));
	cr_assert(eq(u64, fake.regs[0].id, KVM_REG_ARM64_SVE_VLS));
	cr_assert(eq(u64, fake.regs[0].addr, c->set));
	cr_assert(eq(u32, fake.finalized, 1));
	fake_vm_destroy(&vm);
}

struct name_case {
	char name[32];
	u64 val, reg, mask, bits;
};

ParameterizedTestParameters(features, id_registers_and_fields_have_arms_names)
{
	static struct name_case cases[] = {
		{ "id_aa64pfr0_el1", 0x1122, PFR0, ~0ULL, 0x1122 },
		{ "id_aa64pfr0_el1.el0", 1, PFR0, 0xf, 1 },
		{ "ID_AA64PFR0_EL1.SVE", 1, PFR0, 0xfULL << 32, 1ULL << 32 },
		{ "id_aa64pfr0_el1.csv3", 15, PFR0, 0xfULL << 60, 0xfULL << 60 },
		{ "id_aa64mmfr0_el1.ecv", 2, ARM64_SYS_REG(3, 0, 0, 7, 0), 0xfULL << 60,
		  2ULL << 60 },
		{ "id_aa64mmfr1_el1.hafdbs", 0, ARM64_SYS_REG(3, 0, 0, 7, 1), 0xf, 0 },
		{ "id_aa64mmfr2_el1.bbm", 2, ARM64_SYS_REG(3, 0, 0, 7, 2), 0xfULL << 52,
		  2ULL << 52 },
		{ "id_aa64dfr1_el1.abl_cmps", 255, ARM64_SYS_REG(3, 0, 0, 5, 1), 0xffULL << 56,
		  0xffULL << 56 },
		{ "id_aa64smfr0_el1.fa64", 1, ARM64_SYS_REG(3, 0, 0, 4, 5), 1ULL << 63,
		  1ULL << 63 },
		{ "id_aa64fpfr0_el1.f8cvt", 1, ARM64_SYS_REG(3, 0, 0, 4, 7), 1ULL << 31,
		  1ULL << 31 },
		{ "ctr_el0.dic", 1, ARM64_SYS_REG(3, 3, 0, 0, 1), 1ULL << 29, 1ULL << 29 },
		{ "ctr_el0.tminline", 63, ARM64_SYS_REG(3, 3, 0, 0, 1), 0x3fULL << 32,
		  0x3fULL << 32 },
		{ "s3_0_c0_c7_2", 7, ARM64_SYS_REG(3, 0, 0, 7, 2), ~0ULL, 7 },
		{ "s3_3_c0_c0_1", 7, ARM64_SYS_REG(3, 3, 0, 0, 1), ~0ULL, 7 },
	};

	return cr_make_param_array(struct name_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct name_case *c, features, id_registers_and_fields_have_arms_names)
{
	struct id_change change;
	char why[300];

	cr_assert(zero(ptr, (void *)id_change_parse(c->name, c->val, &change, why, sizeof(why))),
	          "%s", c->name);
	cr_assert(eq(u64, change.reg, c->reg), "%s", c->name);
	cr_assert(eq(u64, change.mask, c->mask), "%s", c->name);
	cr_assert(eq(u64, change.val, c->bits), "%s", c->name);
}

struct no_name_case {
	char name[32];
	u64 val;
	char expected[80];
};

ParameterizedTestParameters(features, what_is_no_id_register_is_refused)
{
	static struct no_name_case cases[] = {
		{ "id_aa64pfr9_el1", 0, "an ID register" },
		{ "id_aa64pfr0_el1x", 0, "an ID register" },
		{ "id_aa64pfr0", 0, "an ID register" },
		{ ".sve", 0, "an ID register" },
		{ "", 0, "an ID register" },
		{ "sctlr_el1", 0, "an ID register" },
		{ "s3_0_c1_c0_0", 0, "an ID register" },
		{ "s3_4_c0_c0_0", 0, "an ID register" },
		{ "s3_0_c0_c8_0", 0, "an ID register" },
		{ "s3_0_c0_c4_0x", 0, "an ID register" },
		{ "s3_0_c0_c0_5", 0, "another register: MPIDR_EL1 is each CPU's own number" },
		{ "s3_0_c0_c4_0.sve", 0, "an ID register" },
		{ "id_aa64pfr1_el1.-", 0, "a field of id_aa64pfr1_el1: bt ssbs" },
		{ "id_aa64pfr0_el1.", 0, "a field of id_aa64pfr0_el1: el0" },
		{ "id_aa64pfr0_el1.sv", 0, "a field of id_aa64pfr0_el1: el0" },
		{ "id_aa64pfr0_el1.sve", 16, "at most 15 in that field" },
		{ "id_aa64pfr0_el1.sve", ~0ULL, "at most 15 in that field" },
		{ "ctr_el0.dic", 2, "at most 1 in that field" },
	};

	return cr_make_param_array(struct no_name_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct no_name_case *c, features, what_is_no_id_register_is_refused)
{
	struct id_change change;
	char why[300];
	const char *got = id_change_parse(c->name, c->val, &change, why, sizeof(why));

	cr_assert(ne(ptr, (void *)got, NULL), "%s", c->name);
	cr_assert(zero(int, strncmp(got, c->expected, strlen(c->expected))), "%s: %s", c->name,
	          got);
}

static void change(struct arch_config *c, const char *name, u64 val)
{
	char why[300];

	cr_assert(zero(ptr,
	               (void *)id_change_parse(name, val, &c->ids[c->nr_ids++], why, sizeof(why))));
}

Test(features, fields_of_one_register_are_written_together)
{
	struct arch_config arch = { 0 };

	fake.ids[0] = (struct fake_id){ PFR0, 0x1101000011111122, ~0ULL };
	change(&arch, "id_aa64pfr0_el1.el3", 0);
	change(&arch, "id_aa64pfr0_el1.csv3", 0);
	cr_assert(zero(int, create(&arch, 2)));
	cr_assert(eq(u64, fake.ids[0].val, 0x0101000011110122));
	cr_assert(eq(u32, fake.nr_regs, 2), "once for each vCPU");
	cr_assert(ne(int, fake.reg_vcpus[0], fake.reg_vcpus[1]));
	fake_vm_destroy(&vm);
}

#define MMFR0 ARM64_SYS_REG(3, 0, 0, 7, 0)
#define MMFR1 ARM64_SYS_REG(3, 0, 0, 7, 1)
#define MMFR2 ARM64_SYS_REG(3, 0, 0, 7, 2)

/* DDI 0487: PARange and ASIDBits, HAFDBS, BBM */
Test(features, what_cpus_make_of_tables_is_no_more_than_an_iommu_can)
{
	const struct arch_tables t = { .address_size = 5, .asid16 = false, .bbm = 1 };
	struct arch_config arch = { 0 };

	fake.ids[0] = (struct fake_id){ MMFR0, 0x1126, ~0ULL };
	fake.ids[1] = (struct fake_id){ MMFR1, 0x7773, ~0ULL };
	fake.ids[2] = (struct fake_id){ MMFR2, 2ULL << 52 | 7, ~0ULL };
	cr_assert(zero(int, create(&arch, 2)));
	arch_limit_tables(&vm, &t);
	cr_assert(eq(u64, fake.ids[0].val, 0x1105));
	cr_assert(eq(u64, fake.ids[1].val, 0x7772));
	cr_assert(eq(u64, fake.ids[2].val, 1ULL << 52 | 7));
	cr_assert(zero(int, id_limit(&vm, "id_aa64mmfr1_el1.hafdbs", 3)), "it is less already");
	cr_assert(eq(u64, fake.ids[1].val, 0x7772));
	fake_vm_destroy(&vm);
}

/* Linux's arm_smmu_sva_supported() */
Test(features, nor_have_addresses_more_bits_where_they_could_not_be_shared)
{
	struct arch_tables t = { .address_size = 6, .asid16 = true, .bbm = 2, .vax = true };
	struct arch_config arch = { 0 };

	fake.ids[0] = (struct fake_id){ MMFR0, 0x10200026, ~0ULL }; /* TGran4, TGran16 */
	fake.ids[2] = (struct fake_id){ MMFR2, 1ULL << 16, ~0ULL }; /* VARange */
	cr_assert(zero(int, create(&arch, 1)));
	arch_limit_tables(&vm, &t);
	cr_assert(eq(u64, fake.ids[0].val, 0x00100026));
	cr_assert(eq(u64, fake.ids[2].val, 1ULL << 16));
	t.vax = false;
	fake.ids[0].val = 0xf0000026; /* no granule of 4 KiB: that is not more */
	arch_limit_tables(&vm, &t);
	cr_assert(eq(u64, fake.ids[0].val, 0xf0000026));
	cr_assert(zero(u64, fake.ids[2].val));
	fake_vm_destroy(&vm);
}

Test(features, what_the_user_has_said_of_cpus_stays)
{
	const struct arch_tables t = { .address_size = 5, .asid16 = true, .bbm = 2 };
	struct arch_config arch = { 0 };

	fake.ids[0] = (struct fake_id){ MMFR1, 0x7772, ~0ULL };
	change(&arch, "id_aa64mmfr1_el1.hafdbs", 3);
	cr_assert(zero(int, create(&arch, 1)));
	arch_limit_tables(&vm, &t);
	cr_assert(eq(u64, fake.ids[0].val, 0x7773));
	cr_assert(eq(int, id_limit(&vm, "id_aa64mmfr1_el1.hafdbs", 2), -EINVAL));
	fake_vm_destroy(&vm);
}

Test(features, what_kvm_does_not_take_is_said_with_what_it_has)
{
	struct arch_config arch = { 0 };

	fake.ids[0] = (struct fake_id){ PFR0, 0x11, 0xf0 };
	change(&arch, "id_aa64pfr0_el1.el0", 2);
	cr_assert(eq(int, create(&arch, 1), -EINVAL));
	cr_assert(eq(int, step, VM_STEP_IDENTITY));
	cr_assert(eq(str, vm.lacks,
	             "--cpu id_aa64pfr0_el1=0x12: Invalid argument: expected the 0x11 of this "
	             "host, or less of it in the bits 0xf0"));
	expect_no_leak();
}

Test(features, a_register_that_keeps_its_own_value_is_refused)
{
	struct arch_config arch = { 0 };

	fake.reg_val = 5; /* whatever is written to it */
	change(&arch, "s3_0_c0_c4_6", 7);
	cr_assert(eq(int, create(&arch, 1), -EINVAL));
	cr_assert(eq(str, vm.lacks,
	             "--cpu s3_0_c0_c4_6=0x7: Invalid argument: expected the 0x5 of this host, "
	             "or less of it in the bits 0"));
}

Test(features, a_register_that_kvm_does_not_have_is_said)
{
	struct arch_config arch = { 0 };

	change(&arch, "s3_0_c0_c4_6", 7);
	fake.regs_fail = true;
	cr_assert(eq(int, create(&arch, 1), -ENOEXEC));
	cr_assert(eq(str, vm.lacks,
	             "--cpu s3_0_c0_c4_6: Exec format error: expected a register that this "
	             "host's KVM has"));
}
