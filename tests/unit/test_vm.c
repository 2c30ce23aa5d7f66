// SPDX-License-Identifier: GPL-2.0-only
/* A VM made, ended and unmade on the fake KVM. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>

#include "tests/unit/fake_kvm.h"
#include "tests/unit/leak.h"
#include "vmm/arm64/gic.h"
#include "vmm/vcpu.h"

static struct log log_off;

static struct irqchip_config irqs = { .nr_spis = 64 };

static const struct vm_config config = {
	.ops = &fake_kvm_ops,
	.log = &log_off,
	.ram_base = FAKE_RAM_BASE,
	.ram_size = FAKE_RAM_SIZE,
	.top = FAKE_RAM_BASE + FAKE_RAM_SIZE,
	.nr_cpus = 3,
	.irqs = &irqs,
};

static void choose(void)
{
	irqs.irqchip = irqchip_find("gicv3-its");
}

TestSuite(vm, .init = choose);

Test(vm, kvm_is_told_of_ram_where_it_is_mapped)
{
	struct vm vm;

	fake_vm(&vm, 1);
	cr_assert(eq(u64, fake.memory.guest_phys_addr, FAKE_RAM_BASE));
	cr_assert(eq(u64, fake.memory.memory_size, FAKE_RAM_SIZE));
	cr_assert(eq(u64, fake.memory.userspace_addr, (unsigned long)vm.mem.host));
	cr_assert(zero(u32, fake.memory.slot));
	cr_assert(eq(ptr, guest_ptr(vm.dma.mem, FAKE_RAM_BASE, 1), vm.mem.host));
	fake_vm_destroy(&vm);
}

Test(vm, ram_beyond_what_a_slot_holds_has_several)
{
	struct vm_config c = config;
	enum vm_step step;
	struct vm vm;

	c.ram_size = 9ULL << 40;
	c.top = c.ram_base + c.ram_size;
	fake.ipa_bits = 48;
	cr_assert(zero(int, vm_create(&vm, &c, &step)));
	cr_assert(eq(u32, fake.memory.slot, 2));
	cr_assert(eq(u64, fake.memory.guest_phys_addr, FAKE_RAM_BASE + (8ULL << 40)));
	cr_assert(eq(u64, fake.memory.memory_size, 1ULL << 40));
	cr_assert(eq(u64, fake.memory.userspace_addr, (unsigned long)vm.mem.host + (8ULL << 40)));
	vm_destroy(&vm);
}

Test(vm, making_and_unmaking_leaves_nothing_open)
{
	unsigned int fds = open_fds();
	struct vm vm;

	fake_vm(&vm, 3);
	cr_assert(eq(u32, vm.nr_vcpus, 3));
	fake_vm_destroy(&vm);
	cr_assert(eq(u32, open_fds(), fds));
}

#define CREATE_VM 4 /* of the calls */

/* A host that has no answer to whether it can is one that cannot: NISV, PMU, SVE, PAUTH. */
static bool asks_whether_it_can(unsigned int call)
{
	return call == 5 || (call >= 8 && call <= 10);
}

Test(vm, whichever_call_fails_its_error_comes_back_and_nothing_stays)
{
	enum vm_step step, last = VM_STEP_OPEN;
	unsigned int fds = open_fds(), nr;
	struct vm vm;

	fake_vm(&vm, config.nr_cpus);
	fake_vm_destroy(&vm);
	nr = fake.calls;
	cr_assert(gt(u32, nr, 20));
	for (unsigned int nth = 1; nth <= nr; nth++) {
		if (asks_whether_it_can(nth))
			continue;
		fake.calls = fake.nr_attrs = fake.nr_devices = 0;
		fake.fail_at = nth;
		cr_assert(eq(int, vm_create(&vm, &config, &step), -EIO), "call %u", nth);
		cr_assert(eq(u32, open_fds(), fds), "call %u", nth);
		cr_assert(ge(int, step, last), "call %u", nth);
		last = step;
	}
	expect_no_leak();
	cr_assert(eq(int, last, VM_STEP_GIC));
}

Test(vm, an_interrupted_kvm_create_vm_is_asked_again)
{
	struct vm vm;

	fake.fail_at = CREATE_VM;
	fake.fail_err = -EINTR;
	fake_vm(&vm, 1);
	fake_vm_destroy(&vm);
}

struct step_case {
	unsigned int call;
	enum vm_step step;
};

ParameterizedTestParameters(vm, the_step_that_failed_is_named)
{
	static struct step_case cases[] = {
		{ 1, VM_STEP_OPEN },           { 2, VM_STEP_API },    { 3, VM_STEP_IPA },
		{ CREATE_VM, VM_STEP_CREATE }, { 6, VM_STEP_CREATE }, { 7, VM_STEP_MEMORY },
		{ 11, VM_STEP_VCPUS },         { 12, VM_STEP_VCPUS }, { 21, VM_STEP_GIC },
	};

	return cr_make_param_array(struct step_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct step_case *c, vm, the_step_that_failed_is_named)
{
	enum vm_step step;
	struct vm vm;

	fake.fail_at = c->call;
	cr_assert(eq(int, vm_create(&vm, &config, &step), -EIO));
	cr_assert(eq(int, step, c->step), "call %u", c->call);
}

Test(vm, another_kvm_api_is_refused)
{
	enum vm_step step;
	struct vm vm;

	fake.api_version = 11;
	cr_assert(eq(int, vm_create(&vm, &config, &step), -EPROTO));
	cr_assert(eq(int, step, VM_STEP_API));
}

Test(vm, ram_that_does_not_exist_fails_the_memory_step)
{
	struct vm_config c = config;
	unsigned int fds = open_fds();
	enum vm_step step;
	struct vm vm;

	c.ram_size = 1ULL << 62;
	cr_assert(lt(int, vm_create(&vm, &c, &step), 0));
	cr_assert(eq(int, step, VM_STEP_MEMORY));
	cr_assert(eq(u32, open_fds(), fds));
}

Test(vm, the_first_cause_of_its_end_is_the_status)
{
	struct vm vm;

	fake_vm(&vm, 1);
	cr_assert(eq(int, vm.status, VM_RUNNING));
	vm_end(&vm, STATUS_RESET);
	vm_end(&vm, STATUS_PANIC);
	cr_assert(eq(int, vm.status, STATUS_RESET));
	cr_assert(zero(int, loop_run(vm.loop)), "and the loop has been stopped");
	fake_vm_destroy(&vm);
}

Test(vm, a_kick_of_any_width_is_an_ioeventfd_without_a_length)
{
	struct vm vm;

	fake_vm(&vm, 1);
	cr_assert(zero(int, vm_ioeventfd(&vm, 0x50003004, 9, true)));
	cr_assert(eq(u64, fake.ioeventfd.addr, 0x50003004));
	cr_assert(eq(u32, fake.ioeventfd.fd, 9));
	cr_assert(zero(u32, fake.ioeventfd.len));
	cr_assert(zero(u32, fake.ioeventfd.flags));
	cr_assert(zero(int, vm_ioeventfd(&vm, 0x50003004, 9, false)));
	cr_assert(eq(u32, fake.ioeventfd.flags, KVM_IOEVENTFD_FLAG_DEASSIGN));
	fake_vm_destroy(&vm);
}

struct end_case {
	bool reboots;
	int first, second, status;
};

ParameterizedTestParameters(vm, a_reset_that_another_machine_follows_hides_no_end)
{
	static struct end_case cases[] = {
		{ true, STATUS_RESET, STATUS_POWERED_OFF, STATUS_POWERED_OFF },
		{ true, STATUS_RESET, STATUS_RESET, STATUS_RESET },
		{ true, STATUS_POWERED_OFF, STATUS_RESET, STATUS_POWERED_OFF },
		{ true, STATUS_PANIC, STATUS_POWERED_OFF, STATUS_PANIC },
		{ false, STATUS_RESET, STATUS_POWERED_OFF, STATUS_RESET },
	};

	return cr_make_param_array(struct end_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct end_case *c, vm, a_reset_that_another_machine_follows_hides_no_end)
{
	struct vm vm;

	fake_vm(&vm, 1);
	vm.reboots = c->reboots;
	vm_end(&vm, c->first);
	vm_end_by(&vm, c->second, VM_CAUSE_QUIT);
	cr_assert(eq(int, vm.status, c->status));
	fake_vm_destroy(&vm);
}
