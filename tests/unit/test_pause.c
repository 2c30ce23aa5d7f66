// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs held out of the guest, on the fake KVM. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <semaphore.h>
#include <sched.h>

#include "tests/unit/fake_kvm.h"
#include "vmm/pause.h"
#include "vmm/vcpu.h"

static struct vm vm;
static sem_t entered;
static unsigned int inside;

/* In the guest until somebody wants it out. */
static int busy(struct kvm_run *run, unsigned int nth)
{
	(void)nth;
	__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	sem_post(&entered);
	while (!__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST))
		;
	__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	return -EINTR;
}

static void make(void)
{
	sem_init(&entered, 0, 0);
	fake.run = busy;
	fake.reg_val = 1234;
	fake_vm(&vm, 2);
}

static void unmake(void)
{
	vcpus_stop(&vm);
	fake_vm_destroy(&vm);
}

TestSuite(pause, .init = make, .fini = unmake, .timeout = 20);

static void wait_entered(void)
{
	sem_wait(&entered);
	sem_wait(&entered);
}

static unsigned int outs;

static void out(struct pause_wait *w)
{
	(void)w;
	outs++;
	cr_assert(zero(u32, __atomic_load_n(&inside, __ATOMIC_SEQ_CST)));
	cr_assert(eq(int, pthread_mutex_trylock(&vm.lock), EBUSY));
	loop_stop(vm.loop);
}

Test(pause, all_are_out_when_it_is_told)
{
	struct pause_wait w = { .done = out };

	cr_assert(zero(int, vcpus_start(&vm)));
	wait_entered();
	vcpus_hold(&vm);
	vcpus_when_out(&vm, &w);
	cr_assert(zero(int, loop_run(vm.loop)));
	cr_assert(eq(u32, outs, 1));
}

Test(pause, a_release_lets_them_in_again)
{
	struct pause_wait w = { .done = out };

	cr_assert(zero(int, vcpus_start(&vm)));
	wait_entered();
	vcpus_hold(&vm);
	vcpus_when_out(&vm, &w);
	cr_assert(zero(int, loop_run(vm.loop)));
	vcpus_release(&vm);
	wait_entered();
}

Test(pause, the_guests_clock_stands_still)
{
	struct pause_wait w = { .done = out };

	cr_assert(zero(int, vcpus_start(&vm)));
	wait_entered();
	vcpus_hold(&vm);
	vcpus_when_out(&vm, &w);
	cr_assert(zero(int, loop_run(vm.loop)));
	fake.reg_val = 9999; /* time passes */
	cr_assert(zero(u32, fake.nr_regs));
	vcpus_release(&vm);
	cr_assert(eq(u32, fake.nr_regs, 1));
	cr_assert(eq(u64, fake.regs[0].id, KVM_REG_ARM_TIMER_CNT));
	cr_assert(eq(u64, fake.regs[0].addr, 1234));
}

Test(pause, holds_are_counted)
{
	struct pause_wait w = { .done = out };

	cr_assert(zero(int, vcpus_start(&vm)));
	wait_entered();
	vcpus_hold(&vm);
	vcpus_hold(&vm);
	vcpus_release(&vm);
	vcpus_when_out(&vm, &w);
	cr_assert(zero(int, loop_run(vm.loop)));
	cr_assert(eq(int, sem_trywait(&entered), -1));
	vcpus_release(&vm);
	wait_entered();
}

Test(pause, a_hold_before_the_start_keeps_them_out)
{
	struct pause_wait w = { .done = out };

	vcpus_hold(&vm);
	cr_assert(zero(int, vcpus_start(&vm)));
	vcpus_when_out(&vm, &w);
	cr_assert(zero(int, loop_run(vm.loop)));
	cr_assert(zero(u32, fake.runs));
	vcpus_release(&vm);
	wait_entered();
}

Test(pause, a_release_before_they_are_out_ends_the_wait)
{
	struct pause_wait w = { .done = out };

	/* Nobody runs, so nobody can park. */
	vcpus_hold(&vm);
	vcpus_when_out(&vm, &w);
	vcpus_release(&vm);
	cr_assert(zero(int, loop_run(vm.loop)));
	cr_assert(eq(u32, outs, 1));
}

Test(pause, the_end_takes_those_that_are_held)
{
	cr_assert(zero(int, vcpus_start(&vm)));
	wait_entered();
	vcpus_hold(&vm);
	vm_end(&vm, 0);
	vcpus_stop(&vm);
	cr_assert(zero(int, vm.status));
}

Test(pause, quick_changes_lose_nobody)
{
	struct pause_wait w = { .done = out };

	cr_assert(zero(int, vcpus_start(&vm)));
	for (int i = 0; i < 1000; i++) {
		vcpus_hold(&vm);
		if (i % 3)
			sched_yield();
		vcpus_release(&vm);
	}
	vcpus_hold(&vm);
	vcpus_when_out(&vm, &w);
	cr_assert(zero(int, loop_run(vm.loop)));
	while (!sem_trywait(&entered))
		;
	vcpus_release(&vm);
	wait_entered();
}
