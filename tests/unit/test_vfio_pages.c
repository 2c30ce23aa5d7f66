// SPDX-License-Identifier: GPL-2.0-only
/* Page requests of an assigned function in a mailbox that it has not: where that is shown, what its
 * guest reads and writes there, and what becomes of faults. */
#include <string.h>

#include "fault/mailbox.h"
#include "tests/unit/fake_assigned.h"
#include "tests/unit/fake_stalls.h"

#define F       (&fake_functions[0])
#define PRI     0xfbc
#define MAILBOX 0xfcc
#define PASID   0xff8
#define RING    (FAKE_RAM_BASE + 0x10000)
#define MESSAGE (FAKE_RAM_BASE + 0xfe000)
enum { CONTROL = 0x0c, STATUS = 0x0e, RING_AT = 0x10, ADDR = 0x18, DATA = 0x20, RESPONSE = 0x24 };
enum { INVALID = 1u << 30, FAILURE = 3u << 30 };

static struct log quiet;
static struct fault_hub hub;
static struct fault_bridge bridge;
static struct fake_stalls space;
static u64 cookies, answers, retries;

static bool told(struct fault_source *s, u64 cookie, enum fault_outcome o)
{
	(void)s;
	(void)cookie;
	answers++;
	retries += fault_is_retried(o);
	return true;
}
static struct fault_source source = { .answer = told };

static void prepare(void)
{
	fake_assigned_prepare();
	fake_stalls_init(&space);
	fault_hub_init(&hub, fake_at.vm.loop, &quiet);
	bridge = (struct fault_bridge){ .name = "it", .space = &space.dma };
	fault_bridge_add(&bridge, &hub);
	fake_at.faults = &bridge;
}

static void unmake(void)
{
	fault_bridge_remove(&bridge);
	fake_assigned_unmake();
}

TestSuite(vfio_pages, .init = prepare, .fini = unmake, .timeout = 20);

static u64 reg(unsigned int at, unsigned int size)
{
	return cfg_read(MAILBOX + at, size);
}

static void set(unsigned int at, unsigned int size, u32 val)
{
	cfg_write(MAILBOX + at, size, val);
}

static void create(void)
{
	cr_assert(zero(int, fake_assigned_create(NULL, NULL)), "step %u", fake_at.step);
	fake_noted();
}

static void allow(u32 credits)
{
	cfg_write(PRI + PCI_PRI_ALLOC_REQ, 4, credits);
	cfg_write(PRI + PCI_PRI_CTRL, 2, PCI_PRI_CTRL_ENABLE);
}

static void *ram(u64 at)
{
	return guest_ptr(&fake_at.vm.mem, at, 1);
}

static void enable(void)
{
	memset(ram(RING), 0, 16 << 6);
	set(RING_AT, 4, (u32)RING | 6);
	set(RING_AT + 4, 4, RING >> 32);
	set(ADDR, 4, (u32)MESSAGE);
	set(ADDR + 4, 4, MESSAGE >> 32);
	set(DATA, 4, 0x1234);
	set(CONTROL, 2, 3);
}

/* As its guest has it. */
static void make(u32 credits)
{
	create();
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	enable();
	allow(credits);
	fake_noted();
}

static void fault(u64 addr)
{
	const struct fault_request rq = {
		.addr = addr, .perm = DMA_WRITE, .pasid = DMA_NO_PASID, .cookie = cookies++
	};

	fault_bridge_raise(&bridge, &source, &rq);
}

static u32 name(unsigned int nth)
{
	u32 val;

	memcpy(&val, (u8 *)ram(RING) + nth * 16 + 8, sizeof(val));
	return val;
}

static void respond(unsigned int nth, u32 code)
{
	set(RESPONSE, 4, name(nth) | code);
}

static u16 pri_status(void)
{
	return cfg_read(PRI + PCI_PRI_STATUS, 2);
}

Test(vfio_pages, they_are_behind_all_that_the_function_has)
{
	create();
	cr_assert(fake_assigned_shows(PRI, PCI_EXT_CAP_ID_PRI));
	cr_assert(fake_assigned_shows(MAILBOX, PCI_EXT_CAP_ID_DVSEC));
	cr_assert(eq(u64, reg(4, 4), MAILBOX_VENDOR | MAILBOX_REVISION << 16 | MAILBOX_SIZE << 20));
	cr_assert(eq(u64, reg(8, 4), MAILBOX_ID | 8 << 16));
	cr_assert(eq(u64, cfg_read(PRI + PCI_PRI_MAX_REQ, 4), 32));
	cr_assert(eq(u64, pri_status(), PCI_PRI_STATUS_STOPPED));
	cr_assert(not(fake_assigned_shows(FAKE_EXT_PRI, PCI_EXT_CAP_ID_PRI)),
	          "the host's is hidden");
	cfg_write(PRI, 4, ~0u);
	set(0, 4, ~0u);
	enable();
	cr_assert(eq(str, fake_noted(), ""), "the function sees none of it");
}

Test(vfio_pages, pasids_are_behind_them_and_requests_may_have_some)
{
	fake_iommufd.pasid_bits = 4;
	fake_at.pasid_bits = 4;
	create();
	cr_assert(fake_assigned_shows(MAILBOX, PCI_EXT_CAP_ID_DVSEC));
	cr_assert(fake_assigned_shows(PASID, PCI_EXT_CAP_ID_PASID));
	cr_assert(ne(u64, pri_status() & PCI_PRI_STATUS_PASID, 0));
}

Test(vfio_pages, a_function_with_no_other_extended_capability_has_them_first)
{
	fake_put32(F, 0x100, 0);
	fake_iommufd.pasid_bits = 4;
	fake_at.pasid_bits = 4;
	create();
	cr_assert(fake_assigned_shows(0x100, PCI_EXT_CAP_ID_PRI));
	cr_assert(fake_assigned_shows(0x110, PCI_EXT_CAP_ID_DVSEC));
	cr_assert(fake_assigned_shows(PASID, PCI_EXT_CAP_ID_PASID));
}

Test(vfio_pages, where_something_is_at_the_end_there_is_no_place)
{
	fake_put32(F, 0xff0, 1);
	cr_assert(eq(int, fake_assigned_create(NULL, NULL), -ENOSPC));
	cr_assert(eq(int, fake_at.step, VFIO_PCI_STEP_CONFIG));
	cr_assert(zero(ptr, bridge.asker));
}

Test(vfio_pages, without_extended_capabilities_there_is_no_place)
{
	F->regions[VFIO_PCI_CONFIG_REGION_INDEX].size = 256;
	cr_assert(eq(int, fake_assigned_create(NULL, NULL), -ENOSPC));
}

Test(vfio_pages, a_fault_is_an_entry_and_a_message_and_ends_with_its_response)
{
	u64 word;

	make(32);
	fault(0x123);
	memcpy(&word, ram(RING), sizeof(word));
	cr_assert(eq(u64, word & ~0xff8ULL, 6), "page 0, to write, the last");
	cr_assert(eq(u32, *(u32 *)ram(MESSAGE), 0x1234));
	cr_assert(zero(u64, answers));
	space.pages[0] = FAKE_MAPPED;
	respond(0, 0);
	cr_assert(eq(u64, answers, 1));
	cr_assert(eq(u64, retries, 1));
	cr_assert(zero(u64, pri_status()), "neither stopped nor wrong");
	respond(0, 0);
	cr_assert(eq(u64, answers, 1));
	cr_assert(eq(u64, pri_status(), PCI_PRI_STATUS_UPRGI));
}

Test(vfio_pages, what_has_no_credit_waits_and_is_not_lost)
{
	make(2);
	for (unsigned int i = 0; i < 5; i++)
		fault(i ? 3 * 4096 : 0);
	cr_assert(eq(u64, bridge.stats.shown, 2));
	cr_assert(eq(u32, fault_bridge_waiting(&bridge), 3), "the others are the mailbox's");
	for (unsigned int i = 0; i < 5; i++) {
		respond(i, INVALID);
		cr_assert(eq(u64, answers, i + 1));
	}
	cr_assert(zero(u64, retries));
	cr_assert(zero(u32, fake_at.pci->func.ats.outstanding));
}

Test(vfio_pages, a_function_that_is_not_enabled_asks_nobody)
{
	make(2);
	cfg_write(PCI_COMMAND, 2, 0);
	fault(0);
	cr_assert(eq(u64, answers, 1), "it may not write");
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	cfg_write(PRI + PCI_PRI_CTRL, 2, 0);
	fault(0);
	cr_assert(eq(u64, answers, 2), "nor ask");
	allow(2);
	set(CONTROL, 2, 0);
	fault(0);
	cr_assert(eq(u64, answers, 3), "nobody listens");
	cr_assert(eq(u64, bridge.stats.ended[FAULT_REFUSED], 3));
}

Test(vfio_pages, a_mailbox_that_is_disabled_ends_what_waits)
{
	make(2);
	for (unsigned int i = 0; i < 4; i++)
		fault(0);
	set(CONTROL, 2, 0);
	cr_assert(eq(u64, answers, 4));
	cr_assert(zero(u64, retries));
	cr_assert(zero(u32, fake_at.pci->func.ats.outstanding));
}

Test(vfio_pages, a_response_of_failure_ends_all)
{
	make(2);
	for (unsigned int i = 0; i < 4; i++)
		fault(0);
	respond(1, FAILURE);
	cr_assert(eq(u64, answers, 4));
	cr_assert(eq(u64, bridge.stats.ended[FAULT_ABORTED], 1));
	cr_assert(eq(u64, bridge.stats.ended[FAULT_ENDED_BY], 3));
	cr_assert(eq(u64, pri_status(), PCI_PRI_STATUS_RF | PCI_PRI_STATUS_STOPPED));
	cr_assert(zero(u64, reg(CONTROL, 2) & 1));
}

Test(vfio_pages, a_ring_that_is_nowhere_ends_all)
{
	make(2);
	fault(0);
	set(CONTROL, 2, 0);
	set(RING_AT + 4, 4, 0xffff);
	set(CONTROL, 2, 3);
	fault(0);
	cr_assert(eq(u64, answers, 2));
	cr_assert(eq(u64, reg(STATUS, 2), 1));
	cr_assert(ne(u64, pri_status() & PCI_PRI_STATUS_RF, 0));
}

Test(vfio_pages, requests_that_are_reset_end)
{
	make(2);
	for (unsigned int i = 0; i < 4; i++)
		fault(0);
	cfg_write(PRI + PCI_PRI_CTRL, 2, 0);
	cr_assert(eq(u64, answers, 2), "what was not asked for yet");
	cfg_write(PRI + PCI_PRI_CTRL, 2, PCI_PRI_CTRL_RESET);
	cr_assert(eq(u64, answers, 4));
	cr_assert(zero(u64, reg(CONTROL, 2) & 1),
	          "the guest must not take old entries for new ones");
	enable();
	allow(2);
	fault(0);
	space.pages[0] = FAKE_MAPPED;
	respond(0, 0);
	cr_assert(eq(u64, retries, 1));
}

Test(vfio_pages, a_reset_of_the_function_disables_all)
{
	make(2);
	fault(0);
	fault_bridge_end(&bridge, NULL); /* as its stream does */
	cfg_write(FAKE_CAP_EXP + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
	until(!fake_at.pci->resetting);
	cr_assert(zero(u64, reg(CONTROL, 2)));
	cr_assert(zero(u64, reg(RING_AT, 4)));
	cr_assert(zero(u64, cfg_read(PRI + PCI_PRI_CTRL, 2)));
	cr_assert(eq(u64, pri_status(), PCI_PRI_STATUS_STOPPED));
	cr_assert(eq(u64, answers, 1));
}

Test(vfio_pages, what_ended_elsewhere_keeps_its_name_until_it_is_answered)
{
	make(2);
	fault(0);
	fault_bridge_end(&bridge, &source);
	cr_assert(zero(u32, fake_at.pci->func.ats.outstanding), "it has its credit back");
	bridge.next_group = 0;
	fault(0);
	cr_assert(ne(u32, name(0) & 0x7fffffff, name(1) & 0x7fffffff));
	space.pages[0] = FAKE_MAPPED;
	respond(0, 0);
	cr_assert(zero(u64, answers));
	cr_assert(eq(u64, pri_status(), PCI_PRI_STATUS_UPRGI));
	respond(1, 0);
	cr_assert(eq(u64, retries, 1));
}

Test(vfio_pages, a_function_that_leaves_ends_what_waits)
{
	make(2);
	fault(0);
	fault(0);
	fault_bridge_end(&bridge, NULL);
	vfio_pci_leave(fake_at.pci, "it goes");
	cr_assert(eq(u64, answers, 2));
}

/* Somebody else who has the function ask for pages. */
static unsigned int other_answers, others_forgotten;
static bool other_is_answered(struct fault_taker *t, const struct dma_page_response *r)
{
	(void)t;
	if (r->group != 300)
		return false;
	other_answers++;
	return true;
}

static void other_has_room(struct fault_taker *t)
{
	(void)t;
}

static void other_is_forgotten(struct fault_taker *t)
{
	(void)t;
	others_forgotten++;
}

static enum fault_asked other_asks(unsigned int page, bool last)
{
	static struct fault_taker other = { other_is_answered, other_has_room, other_is_forgotten,
		                            NULL };
	struct fault_asker *a = fake_at.pci->func.ats.asker;
	const struct dma_page_request rq = { .iova = page << 12,
		                             .perm = DMA_READ,
		                             .pasid = DMA_NO_PASID,
		                             .group = 300,
		                             .last = last };

	fault_asker_remove(a, &other);
	fault_asker_add(a, &other);
	return a->ask(a, &rq);
}

Test(vfio_pages, a_group_of_several_has_its_credits_back_with_its_one_answer)
{
	make(4);
	cr_assert(eq(int, other_asks(5, false), FAULT_ASKED));
	cr_assert(eq(int, other_asks(6, false), FAULT_ASKED));
	respond(0, 0);
	cr_assert(zero(u32, other_answers), "it has not ended");
	cr_assert(eq(int, other_asks(7, true), FAULT_ASKED));
	fault(0x123);
	cr_assert(eq(int, other_asks(8, false), FAULT_NO_ROOM_NOW), "the fault has the last one");
	respond(2, 0);
	cr_assert(eq(u32, other_answers, 1));
	cr_assert(zero(u64, answers));
	cr_assert(eq(u32, fake_at.pci->func.ats.outstanding, 1));
	respond(3, INVALID);
	cr_assert(eq(u64, answers, 1));
	cr_assert(zero(u32, fake_at.pci->func.ats.outstanding));
	cr_assert(eq(u64, pri_status(), PCI_PRI_STATUS_UPRGI), "of the first response");
}

Test(vfio_pages, a_group_of_anothers_ends_with_the_interface)
{
	make(4);
	other_asks(5, true);
	cfg_write(PRI + PCI_PRI_CTRL, 2, 0);
	cfg_write(PRI + PCI_PRI_CTRL, 2, PCI_PRI_CTRL_RESET);
	cr_assert(eq(u32, others_forgotten, 1));
	cr_assert(zero(u64, reg(CONTROL, 2) & 1), "the mailbox is disabled");
	cr_assert(eq(int, other_asks(5, true), FAULT_TAKES_NONE));
}

/* Somebody else's bridge; and a clock, for either. */
static struct fault_bridge second;
static u64 ns;

static u64 clock_of_test(void)
{
	return ns;
}

static void make_two(u32 credits)
{
	ns = 1;
	hub.clock = clock_of_test;
	make(credits);
	second = (struct fault_bridge){ .name = "other",
		                        .space = &space.dma,
		                        .asker = fake_at.pci->func.ats.asker,
		                        .next_group = 256 };
	fault_bridge_add(&second, &hub);
}

static void fault_of_second(u64 addr)
{
	const struct fault_request rq = {
		.addr = addr, .perm = DMA_WRITE, .pasid = DMA_NO_PASID, .cookie = cookies++
	};

	fault_bridge_raise(&second, &source, &rq);
}

/* The next request that is written there fails all of them. */
static void lose_ring(void)
{
	fake_at.pci->pages.mailbox.ring = 0xffffULL << 32;
}

Test(vfio_pages, one_that_times_out_makes_room_where_there_is_no_ring)
{
	make_two(1);
	bridge.timeout = 5;
	fault(0);
	ns += 3000000;
	fault(3 * 4096);
	lose_ring();
	ns += 3000000;
	fault_hub_tick(&hub);
	cr_assert(eq(u64, answers, 2));
	fault_bridge_remove(&second);
}

Test(vfio_pages, what_ends_makes_room_for_another_where_there_is_no_ring)
{
	make_two(1);
	fault(0);
	fault_of_second(3 * 4096);
	lose_ring();
	fault_bridge_end(&bridge, NULL);
	cr_assert(eq(u64, answers, 2));
	fault_bridge_remove(&second);
}

Test(vfio_pages, one_that_leaves_asks_for_nothing)
{
	make_two(1);
	fault(0);
	fault_of_second(3 * 4096);
	memset(ram(MESSAGE), 0, 4);
	vfio_pci_leave(fake_at.pci, "a test");
	cr_assert(eq(u64, answers, 2), "of both");
	cr_assert(zero(int, memcmp(ram(MESSAGE), "\0\0\0", 4)));
	fault_bridge_remove(&second);
}

Test(vfio_pages, a_reset_ends_what_another_has_asked_for)
{
	make_two(4);
	fault_of_second(0);
	vfio_pages_reset(fake_at.pci);
	cr_assert(eq(u64, answers, 1));
	fault_bridge_remove(&second);
}

Test(vfio_pages, the_name_of_an_open_group_is_not_anothers)
{
	make(4);
	cr_assert(eq(int, other_asks(5, false), FAULT_ASKED));
	bridge.next_group = 300;
	fault(0);
	cr_assert(ne(u32, name(0), name(1)));
}

Test(vfio_pages, pasids_are_asked_with_where_the_guest_has_enabled_them)
{
	struct dma_page_request rq = { .iova = 0x5000, .perm = DMA_READ, .pasid = 3, .last = true };
	struct fault_asker *a;

	fake_iommufd.pasid_bits = fake_at.pasid_bits = 4;
	make(4);
	a = fake_at.pci->func.ats.asker;
	cr_assert(eq(int, a->ask(a, &rq), FAULT_TAKES_NONE));
	cfg_write(PASID + PCI_PASID_CTRL, 2, PCI_PASID_CTRL_ENABLE);
	cr_assert(eq(int, a->ask(a, &rq), FAULT_ASKED));
}
