// SPDX-License-Identifier: GPL-2.0-only
/* A mailbox whose guest does not answer in time; and one whose guest does anything at all. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "tests/unit/fake_mailbox.h"
#include "vmm/pause.h"

static void make(void)
{
	fake_mailbox(1);
	enable(5);
}

TestSuite(mailbox_time, .init = make, .fini = fake_endpoint_end, .timeout = 60);

/* The timer is a loop's: it is run until the answer has come. */
static void ends(unsigned int slot)
{
	for (unsigned int i = 0; i < 5000 && STATE(slot) == AWAITING; i++)
		fake_vm_run(&vm, 1);
	cr_assert(eq(u32, status(slot), DONE));
	cr_assert(eq(u64, result(slot), 1));
}

Test(mailbox_time, nobody_answers)
{
	for (unsigned int i = 0; i < 4; i++)
		cr_assert(eq(u32, ask(i, i, PERM_READ | LAST), AWAITING));
	for (unsigned int i = 0; i < 4; i++)
		ends(i);
	cr_assert(eq(u64, count().pages.timed_out, 4));
	cr_assert(zero(u32, get(regs + 0x20, 4)), "credits are back");
	cr_assert(zero(u32, pri_status()), "the interface is as it was");
}

Test(mailbox_time, a_name_that_timed_out_is_not_used_until_it_is_answered)
{
	ask(0, 4, PERM_READ | LAST);
	ends(0);
	cr_assert(eq(u32, ask(0, 4, PERM_READ | LAST), REFUSED));
	cr_assert(eq(u32, ask(0, 4, PERM_READ), REFUSED));
	cr_assert(eq(u32, ask(1, 5, PERM_READ | LAST), AWAITING));
	respond(4 << 21);
	cr_assert(eq(u32, pri_status(), PCI_PRI_STATUS_UPRGI), "too late");
	cr_assert(eq(u32, status(1), AWAITING));
	cr_assert(eq(u64, count().pages.late, 1));
	cr_assert(eq(u32, ask(0, 4, PERM_READ | LAST), AWAITING));
	respond(5 << 21);
	respond(4 << 21);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(zero(u64, result(0)));
}

/* What a guest that is gone may have is bounded by its ring, and no request waits for it. */
Test(mailbox_time, a_guest_that_never_answers_is_asked_no_more_than_its_ring_has_room_for)
{
	unsigned int asked = 0;

	set(CONTROL, 2, 0);
	enable(3);
	while (ask(0, asked, PERM_READ | LAST) == AWAITING) {
		ends(0);
		cr_assert(lt(u32, ++asked, 100));
	}
	cr_assert(eq(u32, asked, 8));
	set(CONTROL, 2, 0);
	enable(8);
	for (asked = 0; ask(0, asked, PERM_READ | LAST) == AWAITING; asked++)
		ends(0);
	cr_assert(eq(u32, asked, MAILBOX_GROUPS));
}

/* A paused guest cannot answer. */
Test(mailbox_time, time_that_ends_while_the_guest_is_paused_begins_anew)
{
	vcpus_hold(&vm);
	ask(0, 0, PERM_READ | LAST);
	for (unsigned int i = 0; i < 5; i++)
		fake_vm_run(&vm, 1);
	cr_assert(eq(u32, status(0), AWAITING));
	cr_assert(zero(u64, count().pages.timed_out));
	vcpus_release(&vm);
	ends(0);
	cr_assert(eq(u64, count().pages.timed_out, 1));
}

static u64 answers(void)
{
	const struct mailbox_counts c = count();
	u64 n = 0;

	for (unsigned int i = 0; i < FAULT_BUCKETS; i++)
		n += c.pages.times.answers[i];
	return n;
}

Test(mailbox_time, what_an_answer_takes_is_counted_unless_it_is_late)
{
	ask(0, 0, PERM_READ | LAST);
	respond(0);
	respond(0);
	cr_assert(eq(u64, answers(), 1));
	cr_assert(ne(u64, count().pages.times.longest, 0));
	ask(0, 4, PERM_READ | LAST);
	ends(0);
	respond(4 << 21);
	cr_assert(eq(u64, answers(), 1));
}

Test(mailbox_time, what_is_answered_does_not_time_out)
{
	for (unsigned int i = 0; i < 20; i++) {
		cr_assert(eq(u32, ask(0, i, PERM_READ | LAST), AWAITING));
		respond(i << 21);
		cr_assert(zero(u64, result(0)));
		fake_vm_run(&vm, 1);
	}
	cr_assert(zero(u64, count().pages.timed_out));
}

static void some_write(void)
{
	const unsigned int size = 1 << rand() % 3;
	const unsigned int at = ALIGN_DOWN(rand() % MAILBOX_SIZE, size);

	set(at, size, rand() % 2 ? rand() : rand() % 512 << 21);
}

static void some_requests(void)
{
	const unsigned int slot = rand() % 16;
	static const u32 flags[] = { LAST, 0, WITH_PASID | LAST, WITH_PASID };

	if (STATE(slot) != AWAITING)
		ask(slot, rand() % 20, flags[rand() % 4] | PERM_READ);
}

/* Registers, requests, answers, resets in any order: groups are never more than answers. */
Test(mailbox_time, chance_does_no_harm)
{
	u64 raised = 0;

	srand(7);
	for (unsigned int i = 0; i < 30000; i++) {
		with_pasids(rand() % 3);
		switch (rand() % 12) {
		case 0: some_write(); break;
		case 1: pri(rand() % 4); break;
		case 2: enable_pri(); break;
		case 3:
			if (rand() % 8 == 0)
				set(CONTROL, 2, 0);
			enable(rand() % 9);
			break;
		case 4:
			if (rand() % 50 == 0)
				fake_endpoint_reset();
			break;
		case 5: fake_vm_run(&vm, 0); break;
		case 6:
			iommu.hole = ring;
			iommu.hole_len = rand() % 8 ? 0 : 0x1000;
			break;
		case 7: control(rand() % 16, 4); break;
		case 8:
		case 9: respond((u32)(rand() % 4) << 30 | rand() % 20 << 21); break;
		default: some_requests();
		}
		cr_assert(le(u32, get(regs + 0x20, 4), 32));
		raised = count().pages.raised;
	}
	cr_assert(gt(u64, raised, 100));
	cr_assert(gt(u64, count().pages.answered, 10));
	cr_assert(gt(u64, count().full, 0));
	cr_assert(gt(u64, count().failed, 0));
}
