// SPDX-License-Identifier: GPL-2.0-only
/* vCPU threads that play a script of exits. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "tests/unit/fake_kvm.h"
#include "vmm/vcpu.h"

#define DEVICE 0x1000

static struct vm vm;
static u64 written;

static u64 device_read(void *dev, u64 offset, unsigned int size)
{
	(void)dev, (void)size;
	return 0x8877665544332200 + offset;
}

static void device_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	(void)dev, (void)offset, (void)size;
	written = val;
}

static const struct mmio_ops device_ops = { "device", device_read, device_write };

static void make(void)
{
	struct mmio_region r = { .base = DEVICE, .size = 0x100, .ops = &device_ops };

	fake_vm(&vm, 1);
	cr_assert(zero(int, mmio_add(&vm.mmio, &r)));
}

static void unmake(void)
{
	fake_vm_destroy(&vm);
}

TestSuite(vcpu, .init = make, .fini = unmake, .timeout = 20);

/* Runs until the guest ends; how. */
static int play(int (*guest)(struct kvm_run *run, unsigned int nth))
{
	fake.run = guest;
	cr_assert(zero(int, vcpus_start(&vm)));
	cr_assert(zero(int, loop_run(vm.loop)));
	vcpus_stop(&vm);
	return vm.status;
}

static int power_off(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
	return 0;
}

static int mmio(struct kvm_run *run, gpa_t gpa, unsigned int len, bool write)
{
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = gpa;
	run->mmio.len = len;
	run->mmio.is_write = write;
	return 0;
}

static u8 read_data[8];

static int reader(struct kvm_run *run, unsigned int nth)
{
	if (nth) {
		memcpy(read_data, run->mmio.data, 8);
		return power_off(run);
	}
	memset(run->mmio.data, 0xee, 8);
	return mmio(run, DEVICE + 4, 4, false);
}

Test(vcpu, a_read_is_answered_in_as_many_bytes_as_it_has)
{
	static const u8 want[8] = { 0x04, 0x22, 0x33, 0x44, 0xee, 0xee, 0xee, 0xee };

	cr_assert(eq(int, play(reader), STATUS_POWERED_OFF));
	cr_assert(zero(int, memcmp(read_data, want, 8)));
	cr_assert(zero(u32, fake.aborts));
}

static int writer(struct kvm_run *run, unsigned int nth)
{
	if (nth)
		return power_off(run);
	memset(run->mmio.data, 0xee, 8);
	memcpy(run->mmio.data, "\x34\x12", 2);
	return mmio(run, DEVICE, 2, true);
}

Test(vcpu, a_write_carries_only_its_bytes)
{
	cr_assert(eq(int, play(writer), STATUS_POWERED_OFF));
	cr_assert(eq(u64, written, 0x1234));
}

static int stray(struct kvm_run *run, unsigned int nth)
{
	return nth < 2 ? mmio(run, 0x666000, 4, nth) : power_off(run);
}

Test(vcpu, a_hole_is_an_abort_and_the_guest_goes_on)
{
	cr_assert(eq(int, play(stray), STATUS_POWERED_OFF));
	cr_assert(eq(u32, fake.aborts, 2));
}

static int undecodable(struct kvm_run *run, unsigned int nth)
{
	run->exit_reason = nth ? KVM_EXIT_ARM_LDST64B : KVM_EXIT_ARM_NISV;
	return nth == 2 ? power_off(run) : 0;
}

Test(vcpu, an_access_without_a_syndrome_or_of_64_bytes_is_an_abort)
{
	cr_assert(eq(int, play(undecodable), STATUS_POWERED_OFF));
	cr_assert(eq(u32, fake.aborts, 2));
}

static u32 event;

static int end(struct kvm_run *run, unsigned int nth)
{
	(void)nth;
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = event;
	return 0;
}

struct event_case {
	u32 type;
	int status;
};

ParameterizedTestParameters(vcpu, a_system_event_ends_the_guest)
{
	static struct event_case cases[] = {
		{ KVM_SYSTEM_EVENT_SHUTDOWN, STATUS_POWERED_OFF },
		{ KVM_SYSTEM_EVENT_RESET, STATUS_RESET },
		{ KVM_SYSTEM_EVENT_CRASH, STATUS_PANIC },
		{ KVM_SYSTEM_EVENT_SUSPEND, STATUS_KVM_EXIT },
	};

	return cr_make_param_array(struct event_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct event_case *c, vcpu, a_system_event_ends_the_guest)
{
	event = c->type;
	cr_assert(eq(int, play(end), c->status), "event %u", c->type);
	cr_assert(eq(int, !!*vm.vcpus[0].failure, c->status == STATUS_KVM_EXIT));
}

static int unknown(struct kvm_run *run, unsigned int nth)
{
	(void)nth;
	run->exit_reason = 77;
	return 0;
}

Test(vcpu, an_unknown_exit_ends_the_guest_and_says_where_it_was)
{
	const char *text = vm.vcpus[0].failure;

	fake.reg_val = 0xffff800080001234;
	cr_assert(eq(int, play(unknown), STATUS_KVM_EXIT));
	cr_assert(ne(ptr, strstr(text, "cpu 0"), NULL), "%s", text);
	cr_assert(ne(ptr, strstr(text, "(77)"), NULL), "%s", text);
	cr_assert(ne(ptr, strstr(text, "pc=0xffff800080001234"), NULL), "%s", text);
}

struct broken_case {
	u32 reason;
	int err;
	u64 details[4]; /* of kvm_run, behind its first 32 bytes */
	char said[96];
};

static struct broken_case *broken_by;

static int broken(struct kvm_run *run, unsigned int nth)
{
	(void)nth;
	run->exit_reason = broken_by->reason;
	memcpy(&run->hw, broken_by->details, sizeof(broken_by->details));
	return broken_by->err;
}

ParameterizedTestParameters(vcpu, what_kvm_cannot_continue_is_told_with_all_it_says)
{
	static struct broken_case cases[] = {
		{ KVM_EXIT_UNKNOWN, -ENOEXEC, { 0x17 }, "UNKNOWN (0): Exec format error; pc=" },
		{ KVM_EXIT_FAIL_ENTRY,
		  -EINVAL,
		  { 0x80000021 },
		  "FAIL_ENTRY (9) reason 0x80000021 on the host's CPU 0: Invalid argument; pc=" },
		{ KVM_EXIT_FAIL_ENTRY,
		  0,
		  { 1, 3 },
		  "FAIL_ENTRY (9) reason 0x1 on the host's CPU 3; pc=" },
		{ KVM_EXIT_INTERNAL_ERROR,
		  0,
		  { 4 | 2ULL << 32, 0x11, 0x22 },
		  "INTERNAL_ERROR (17) suberror 4 0x11 0x22; pc=" },
		{ KVM_EXIT_INTERNAL_ERROR, 0, { 0 }, "INTERNAL_ERROR (17); pc=" },
		{ KVM_EXIT_SYSTEM_EVENT, 0, { 77 }, "SYSTEM_EVENT (24) type 77; pc=" },
		{ KVM_EXIT_MEMORY_FAULT,
		  -EFAULT,
		  { 8, 0x80000000, 0x1000 },
		  "MEMORY_FAULT (39) flags 0x8, 0x1000 bytes at 0x80000000: Bad address; pc=" },
		{ KVM_EXIT_HYPERCALL, 0, { 0 }, "exit (3); pc=" },
	};

	return cr_make_param_array(struct broken_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct broken_case *c, vcpu, what_kvm_cannot_continue_is_told_with_all_it_says)
{
	const char *text = vm.vcpus[0].failure;

	broken_by = c;
	cr_assert(eq(int, play(broken), STATUS_KVM_EXIT));
	cr_assert(ne(ptr, strstr(text, c->said), NULL), "%s", text);
}

static int stale(struct kvm_run *run, unsigned int nth)
{
	if (!nth)
		return mmio(run, DEVICE, 4, true);
	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	return -EINVAL;
}

Test(vcpu, what_kvm_left_from_an_exit_before_is_not_told)
{
	const char *text = vm.vcpus[0].failure;

	cr_assert(eq(int, play(stale), STATUS_KVM_EXIT));
	cr_assert(ne(ptr, strstr(text, "FAIL_ENTRY (9): Invalid argument; pc="), NULL), "%s", text);
}

static int interrupted(struct kvm_run *run, unsigned int nth)
{
	run->exit_reason = 77;
	return nth == 0 ? -EINTR : nth == 1 ? -EAGAIN : power_off(run);
}

Test(vcpu, an_interrupted_run_goes_on)
{
	cr_assert(eq(int, play(interrupted), STATUS_POWERED_OFF));
	cr_assert(eq(u32, fake.runs, 3));
}

Test(vcpu, an_abort_that_kvm_refuses_ends_the_guest)
{
	fake.fail_at = fake.calls + 2;
	cr_assert(eq(int, play(stray), STATUS_KVM_EXIT));
}

static sem_t in_guest;

static int busy(struct kvm_run *run, unsigned int nth)
{
	(void)nth;
	sem_post(&in_guest);
	while (!__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST))
		;
	return -EINTR;
}

Test(vcpu, stopping_takes_it_out_of_the_guest)
{
	fake.run = busy;
	sem_init(&in_guest, 0, 0);
	cr_assert(zero(int, vcpus_start(&vm)));
	sem_wait(&in_guest);
	vcpus_stop(&vm);
	cr_assert(eq(int, vm.status, VM_RUNNING));
	vcpus_stop(&vm); /* nothing left to stop */
}

Test(vcpu, an_ending_machine_does_not_enter_the_guest)
{
	vm.ending = true;
	fake.run = unknown;
	cr_assert(zero(int, vcpus_start(&vm)));
	vcpus_stop(&vm);
	cr_assert(zero(u32, fake.runs));
}

static int refused(struct kvm_run *run, unsigned int nth)
{
	fake.regs_fail = true;
	return broken(run, nth);
}

Test(vcpu, one_whose_registers_cannot_be_read_is_told_too)
{
	static struct broken_case fail_entry = { KVM_EXIT_FAIL_ENTRY, -EINVAL, { 0 }, "" };
	char *text = vm.vcpus[0].failure;

	broken_by = &fail_entry;
	cr_assert(eq(int, play(refused), STATUS_KVM_EXIT));
	cr_assert(eq(str, text,
	             "cpu 0: KVM cannot continue: FAIL_ENTRY (9): Invalid argument; KVM keeps its "
	             "registers"));
}
