// SPDX-License-Identifier: GPL-2.0-only
/* The exit device. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>

#include "devices/exit.h"
#include "tests/unit/fake_kvm.h"

#define BASE 0x1020000

static struct vm vm;

static void make(void)
{
	fake_vm(&vm, 1);
	cr_assert(zero(int, exit_device_create(&vm, BASE)));
}

static void unmake(void)
{
	fake_vm_destroy(&vm);
}

TestSuite(exit, .init = make, .fini = unmake);

struct exit_case {
	u64 offset, val;
	unsigned int size;
	int status;
};

ParameterizedTestParameters(exit, a_word_ends_the_guest_with_its_status)
{
	static struct exit_case cases[] = {
		{ 0, 0, 4, 0 },          { 0, 1, 4, 65 },           { 0, 63, 4, 127 },
		{ 0, 64, 4, 127 },       { 0, 0xffffffff, 4, 127 }, { 0, 0, 1, VM_RUNNING },
		{ 0, 0, 8, VM_RUNNING }, { 4, 1, 4, VM_RUNNING },   { 0xffc, 1, 4, VM_RUNNING },
	};

	return cr_make_param_array(struct exit_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct exit_case *c, exit, a_word_ends_the_guest_with_its_status)
{
	fake_write(&vm, BASE + c->offset, c->size, c->val);
	cr_assert(eq(int, vm.status, c->status), "%#llx to %#llx", (unsigned long long)c->val,
	          (unsigned long long)c->offset);
}

Test(exit, it_reads_0)
{
	cr_assert(zero(u64, fake_read(&vm, BASE, 4)));
	cr_assert(eq(int, vm.status, VM_RUNNING));
}

Test(exit, an_address_taken_is_refused)
{
	cr_assert(eq(int, exit_device_create(&vm, BASE), -EEXIST));
}
