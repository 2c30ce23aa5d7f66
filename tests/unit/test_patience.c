// SPDX-License-Identifier: GPL-2.0-only
/* The clock of what waits for a guest: which time it is set to. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "fault/patience.h"
#include "tests/unit/fake_kvm.h"

static struct vm vm;
static u64 at;
static unsigned int looks;

static u64 clock_at(void)
{
	return at;
}

/* One is half a millisecond old as the first has ended, and that one is made anew at once. */
static bool look(struct patience *p, u64 *oldest)
{
	looks++;
	patience_watch(p, at);
	*oldest = 500000;
	return looks == 1;
}

Test(patience, is_set_to_the_oldest_whatever_is_new_meanwhile, .timeout = 60)
{
	struct patience p = { .ms = 1, .clock = clock_at, .look = look };

	fake_vm(&vm, 1);
	p.loop = vm.loop;
	patience_init(&p);
	patience_watch(&p, 0);
	cr_assert(eq(i64, p.after.tv_nsec, 1000000));
	at = 1000000;
	while (!looks)
		fake_vm_run(&vm, 1);
	cr_assert(eq(i64, p.after.tv_nsec, 500000));
	while (looks < 2)
		fake_vm_run(&vm, 1);
	fake_vm_stop(&vm);
	fake_vm_destroy(&vm);
}
