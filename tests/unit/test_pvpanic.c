// SPDX-License-Identifier: GPL-2.0-only
/* pvpanic: what is told by which bit, in accesses of any size. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>

#include "devices/pvpanic.h"
#include "tests/unit/fake_kvm.h"
#include "vmm/vcpu.h"

#define BASE 0x1011000

static struct vm vm;
static struct pvpanic *pvpanic;
static unsigned int told;

static void tell(void *ctx)
{
	cr_assert(eq(ptr, ctx, &told));
	told++;
}

static void make(void)
{
	const struct pvpanic_config c = { .base = BASE, .crash_loaded = tell, .ctx = &told };

	fake_vm(&vm, 1);
	cr_assert(zero(int, pvpanic_create(&pvpanic, &vm, &c)));
}

static void unmake(void)
{
	pvpanic_destroy(pvpanic);
	fake_vm_destroy(&vm);
}

TestSuite(pvpanic, .init = make, .fini = unmake);

Test(pvpanic, it_tells_what_it_understands)
{
	cr_assert(eq(u64, fake_read(&vm, BASE, 1), 3));
	cr_assert(eq(u64, fake_read(&vm, BASE, 2), 3));
	cr_assert(zero(u64, fake_read(&vm, BASE + 1, 1)));
}

struct event_case {
	u64 offset, val;
	unsigned int size;
	int status;
	unsigned int told;
};

ParameterizedTestParameters(pvpanic, a_panic_ends_the_guest_and_a_loaded_crash_kernel_does_not)
{
	static struct event_case cases[] = {
		{ 0, 1, 1, STATUS_PANIC, 0 },    { 0, 1, 2, STATUS_PANIC, 0 },
		{ 0, 0xff, 1, STATUS_PANIC, 1 }, { 0, 0xfffd, 2, STATUS_PANIC, 0 },
		{ 0, 2, 1, VM_RUNNING, 1 },      { 0, 2, 2, VM_RUNNING, 1 },
		{ 0, 0, 1, VM_RUNNING, 0 },      { 0, 4, 1, VM_RUNNING, 0 },
		{ 0, 0xf8, 1, VM_RUNNING, 0 },   { 1, 3, 1, VM_RUNNING, 0 },
		{ 0, 0x300, 2, VM_RUNNING, 0 },
	};

	return cr_make_param_array(struct event_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct event_case *c, pvpanic,
                  a_panic_ends_the_guest_and_a_loaded_crash_kernel_does_not)
{
	fake_write(&vm, BASE + c->offset, c->size, c->val);
	cr_assert(eq(int, vm.status, c->status), "%#llx", (unsigned long long)c->val);
	cr_assert(eq(u32, told, c->told), "%#llx", (unsigned long long)c->val);
}

Test(pvpanic, a_crash_kernel_is_told_of_once)
{
	for (unsigned int i = 0; i < 1000; i++)
		fake_write(&vm, BASE, 1, 2);
	cr_assert(eq(u32, told, 1));
}

Test(pvpanic, an_address_taken_is_refused)
{
	const struct pvpanic_config c = { .base = BASE };
	struct pvpanic *other;

	cr_assert(eq(int, pvpanic_create(&other, &vm, &c), -EEXIST));
}
