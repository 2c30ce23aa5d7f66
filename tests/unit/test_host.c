// SPDX-License-Identifier: GPL-2.0-only
/* What a host cannot give: one line that names the option, and the exit code. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "machine/host.h"
#include "machine/machine.h"
#include "machine/options.h"
#include "machine/status.h"
#include "tests/unit/fake_kvm.h"
#include "vmm/arch.h"
#include "vmm/arm64/gic.h"

static struct vm vm = { .kvm.ops = &fake_kvm_ops };
static struct options options = { .cpus = 64, .mem = 64 << 20 };

static void choose(void)
{
	options.irqchip = irqchip_find("gicv2m");
}

TestSuite(host, .init = choose);

Test(host, more_memory_than_it_has_is_refused_unless_asked_for, .init = cr_redirect_stderr)
{
	cr_assert(zero(int, host_check(&options)));
	options.mem = 1ULL << 47;
	cr_assert(eq(int, host_check(&options), STATUS_HOST_LACKS));
	options.overcommit = true;
	cr_assert(zero(int, host_check(&options)));
}

/* Of 64 vCPUs and no device: 64 and 256. */
static void limit_files(rlim_t soft, rlim_t hard)
{
	const struct rlimit files = { soft, hard };

	cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &files)));
}

Test(host, it_may_have_as_many_files_open_as_devices_need)
{
	struct rlimit files;

	limit_files(100, 5000);
	cr_assert(zero(int, host_check_files(&options)));
	getrlimit(RLIMIT_NOFILE, &files);
	cr_assert(eq(u64, files.rlim_cur, 320 + 4096));
	options.nr_disks = options.nr_claims = 256;
	options.disks[7].queues = 16;
	limit_files(100, 5000);
	cr_assert(zero(int, host_check_files(&options)));
	getrlimit(RLIMIT_NOFILE, &files);
	cr_assert(eq(u64, files.rlim_cur, 5000), "as many as it may");
}

Test(host, too_few_open_files_are_its_lack, .init = cr_redirect_stderr)
{
	options.nr_disks = options.nr_claims = 2;
	options.disks[0].queues = 3;
	limit_files(100, 347);
	cr_assert(zero(int, host_check_files(&options)));
	limit_files(100, 346);
	cr_assert(eq(int, host_check_files(&options), STATUS_HOST_LACKS));
	fflush(stderr);
	cr_assert_stderr_eq_str("nestor: --cpus 64 and 2 devices: expected a limit of at least 347 "
	                        "open files, not 346 (ulimit -Hn)\n");
}

Test(host, a_shortage_is_no_lack, .init = cr_redirect_stderr)
{
	choose();
	cr_assert(eq(int, host_failed(&options, &vm, VM_STEP_GIC, -EMFILE), STATUS_HOST_FAILED));
	fflush(stderr);
	cr_assert_stderr_eq_str("nestor: cannot make the VM: Too many open files\n");
}

struct address_case {
	int bits;
	u64 mem;
	unsigned int nr_segments;
	bool fits;
	char said[40];
};

ParameterizedTestParameters(host, an_option_that_asks_for_too_many_addresses_is_named)
{
	static struct address_case cases[] = {
		/* 64 GiB are what the window above the smallest RAM ends at */
		{ 36, 256ULL << 20, 1, true, "" },
		{ 36, 30ULL << 30, 1, true, "" },
		{ 36, 31ULL << 30, 1, false, "nestor: --mem 31744M: " },
		{ 36, 256ULL << 20, 2, false, "nestor: --segment 7: " },
		{ 36, 31ULL << 30, 2, false, "nestor: --mem 31744M: " },
		{ 37, 256ULL << 20, 2, false, "nestor: --segment 7: " },
		{ 38, 256ULL << 20, 2, true, "" },
		{ 38, 94ULL << 30, 2, true, "" },
		{ 35, 256ULL << 20, 1, false, "nestor: /dev/kvm: " },
		{ 48, 64ULL << 40, 8, true, "" },
	};

	return cr_make_param_array(struct address_case, cases, ARRAY_SIZE(cases));
}

static char *what_was_said(void);

ParameterizedTest(struct address_case *c, host, an_option_that_asks_for_too_many_addresses_is_named)
{
	struct kvm *k = &vm.kvm;
	unsigned long type;
	unsigned int fds;

	cr_redirect_stderr();
	fake.ipa_bits = c->bits;
	options.mem = c->mem;
	options.nr_segments = c->nr_segments;
	options.segments[1] = 7;
	cr_assert(eq(int, !arch_vm_type(k, board_top(&options), &type), c->fits));
	if (c->fits)
		return;
	fds = open_fds();
	cr_assert(eq(int, host_failed(&options, &vm, VM_STEP_IPA, -E2BIG), STATUS_HOST_LACKS));
	cr_assert(eq(u32, open_fds(), fds));
	cr_assert(eq(ptr, strstr(what_was_said(), c->said), what_was_said()));
}

static char *what_was_said(void)
{
	static char text[512];
	FILE *err;

	fflush(stderr);
	err = cr_get_redirected_stderr();
	text[fread(text, 1, sizeof(text) - 1, err)] = 0;
	return text;
}

struct step_case {
	enum vm_step step;
	int status;
	char names[40];
};

ParameterizedTestParameters(host, each_step_that_fails_has_its_line)
{
	static struct step_case cases[] = {
		{ VM_STEP_OPEN, STATUS_HOST_LACKS, "/dev/kvm: " },
		{ VM_STEP_API, STATUS_HOST_LACKS, "/dev/kvm: " },
		{ VM_STEP_IPA, STATUS_HOST_LACKS, "/dev/kvm: " },
		{ VM_STEP_CREATE, STATUS_HOST_LACKS, "/dev/kvm: " },
		{ VM_STEP_MEMORY, STATUS_HOST_LACKS, "--mem 64M: " },
		{ VM_STEP_LOOP, STATUS_HOST_LACKS, "io_uring: " },
		{ VM_STEP_VCPUS, STATUS_HOST_LACKS, "--cpus 64: " },
		{ VM_STEP_GIC, STATUS_HOST_LACKS, "--irqchip gicv2m: " },
		{ VM_STEP_FEATURES, STATUS_HOST_LACKS, "--cpu: " },
		{ VM_STEP_IDENTITY, STATUS_HOST_LACKS, "--cpu: " },
		{ VM_STEP_PMU, STATUS_HOST_LACKS, "--cpu pmu=auto: " },
	};

	return cr_make_param_array(struct step_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct step_case *c, host, each_step_that_fails_has_its_line)
{
	char *text;

	cr_redirect_stderr();
	cr_assert(eq(int, host_failed(&options, &vm, c->step, -EPERM), c->status));
	text = what_was_said();
	cr_assert(eq(ptr, strstr(text, c->names), text + strlen("nestor: ")), "%s", text);
	cr_assert(ne(ptr, strstr(text, "Operation not permitted"), NULL), "%s", text);
	cr_assert(eq(ptr, strchr(text, '\n'), text + strlen(text) - 1), "one line: %s", text);
}

Test(host, what_the_vm_says_it_lacks_is_the_line, .init = cr_redirect_stderr)
{
	strcpy(vm.lacks, "--cpu sve=on: expected another host");
	cr_assert(eq(int, host_failed(&options, &vm, VM_STEP_VCPUS, -EPERM), STATUS_HOST_LACKS));
	fflush(stderr);
	cr_assert_stderr_eq_str("nestor: --cpu sve=on: expected another host\n");
}

struct lack_case {
	u32 lacks;
	char has[64];
};

ParameterizedTestParameters(host, an_irqchip_it_lacks_is_named_and_those_it_has)
{
	static struct lack_case cases[] = {
		{ BIT(KVM_DEV_TYPE_ARM_VGIC_V2), "this one has gicv3-its, gicv3\n" },
		{ BIT(KVM_DEV_TYPE_ARM_VGIC_V2) | BIT(KVM_DEV_TYPE_ARM_VGIC_ITS),
		  "this one has gicv3\n" },
		{ BIT(KVM_DEV_TYPE_ARM_VGIC_V3) | BIT(KVM_DEV_TYPE_ARM_VGIC_ITS),
		  "this one has gicv2m, gicv2\n" },
		{ BIT(KVM_DEV_TYPE_ARM_VGIC_V2) | BIT(KVM_DEV_TYPE_ARM_VGIC_V3),
		  "this one has none\n" },
	};

	return cr_make_param_array(struct lack_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct lack_case *c, host, an_irqchip_it_lacks_is_named_and_those_it_has)
{
	unsigned int fds;

	fake.lacks = c->lacks;
	cr_redirect_stderr();
	fds = open_fds();
	cr_assert(eq(int, host_failed(&options, &vm, VM_STEP_GIC, -ENODEV), STATUS_HOST_LACKS));
	cr_assert(eq(u32, open_fds(), fds));
	cr_assert(ne(ptr, strstr(what_was_said(), c->has), NULL));
}
