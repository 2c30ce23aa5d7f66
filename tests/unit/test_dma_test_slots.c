// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's slots: operations, faults half way, stalls, what is held,
 * how all of it ends. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "tests/unit/fake_dma_test.h"

#define DATA (FAKE_RAM_BASE + 0x1000)
#define END  (FAKE_RAM_BASE + FAKE_RAM_SIZE)

static void make(void)
{
	fake_endpoint(fake_space(), (struct dma_test_config){ .pasid_bits = 8 });
	fake_endpoint_enable();
}

TestSuite(dma_slots, .init = make, .fini = fake_endpoint_end, .timeout = 60);

static unsigned int express(void)
{
	return fake_cap(&vm, 0, PCI_CAP_ID_EXP, 0);
}

static void allow_atomics(void)
{
	fake_write(&vm, cfg(0, express() + PCI_EXP_DEVCTL2), 2, PCI_EXP_DEVCTL2_ATOMIC_REQ);
}

/* PASIDs, the only extended capability of this one. */
static void pasids(u16 control)
{
	fake_write(&vm, cfg(0, 0x100 + PCI_PASID_CTRL), 2, control);
}

static void ramp(gpa_t at, u64 len)
{
	for (u64 i = 0; i < len; i++)
		*ram(at + i) = i * 13 >> 2;
}

Test(dma_slots, it_says_what_it_is)
{
	cr_assert(eq(u64, get(regs, 4), 0x54414d44));
	cr_assert(eq(u64, get(regs + 8, 4), 16));
	cr_assert(eq(u64, get(regs + 0xc, 4), 4096));
	cr_assert(eq(u64, get(regs + 0x10, 4), 8 << 8));
	cr_assert(eq(u32, status(0), IDLE));
	put(regs, 4, 0);
	put(SLOT(0) + 0x3c, 4, 0xff);
	cr_assert(eq(u64, get(regs, 4), 0x54414d44));
	cr_assert(eq(u32, status(0), IDLE));
}

Test(dma_slots, fill_writes_a_pattern_that_the_seed_says)
{
	/* splitmix64 of 0, and of 7 */
	static const u64 want[] = { 0xe220a8397b1dcdafULL, 0x6e789e6aa1b965f4ULL };

	cr_assert(eq(u32, start(3, (struct slot){ .op = FILL, .iova = DATA, .len = 19 }), DONE));
	cr_assert(zero(int, memcmp(ram(DATA), want, sizeof(want))));
	cr_assert(zero(u32, *ram(DATA + 19)));
	cr_assert(eq(u64, done(3), 19));
	cr_assert(eq(u64, result(3), crc(DATA, 19)));
	start(3, (struct slot){ .op = FILL, .iova = DATA, .len = 8, .arg = { 7 } });
	cr_assert(eq(u64, *(u64 *)ram(DATA), 0x63cbe1e459320dd7ULL));
	cr_assert(eq(u64, get(regs + 0x14, 4), 1 << 3));
	put(regs + 0x14, 4, 1 << 3);
	cr_assert(zero(u64, get(regs + 0x14, 4)));
}

Test(dma_slots, a_long_fill_is_the_same_pattern_in_whatever_pieces)
{
	iommu.chunk = 4099;
	start(0, (struct slot){ .op = FILL, .iova = DATA + 3, .len = 0x6fff1 });
	cr_assert(eq(u32, status(0), RUNNING));
	cr_assert(eq(u32, wait_for(0), DONE));
	cr_assert(eq(u64, done(0), 0x6fff1));
	cr_assert(eq(u64, result(0), crc(DATA + 3, 0x6fff1)));
	iommu.chunk = 0;
	for (u64 i = 0; i < 0x6fff1; i += 0x7fff) {
		u8 *all = ram(DATA + 3), byte = all[i];

		all[i] = ~byte;
		start(1, (struct slot){ .op = FILL, .iova = DATA + 3, .len = i + 1 });
		wait_for(1);
		cr_assert(eq(u8, all[i], byte), "byte %#llx", (unsigned long long)i);
	}
}

Test(dma_slots, read_and_write_go_through_the_buffer_and_around_its_end)
{
	ramp(DATA, 5000);
	cr_assert(eq(u32,
	             start(0, (struct slot){ .op = READ, .iova = DATA, .len = 5, .arg = { 4094 } }),
	             DONE));
	cr_assert(eq(u64, get(BUFFER + 4095, 1), *ram(DATA + 1)));
	cr_assert(eq(u64, get(BUFFER, 2), *(u16 *)ram(DATA + 2)));
	cr_assert(eq(u64, result(0), crc(DATA, 5)));
	start(0, (struct slot){ .op = READ, .iova = DATA, .len = 5000 });
	cr_assert(eq(u64, get(BUFFER, 1), *ram(DATA + 4096)), "the last ones stay");
	cr_assert(eq(u64, get(BUFFER + 904, 1), *ram(DATA + 904)));
	put(BUFFER + 8, 8, 0x1122334455667788ULL);
	start(0, (struct slot){ .op = WRITE, .iova = DATA + 0x8000, .len = 4104, .arg = { 8 } });
	cr_assert(eq(u64, *(u64 *)ram(DATA + 0x8000), 0x1122334455667788ULL));
	cr_assert(eq(u64, *(u64 *)ram(DATA + 0x9000), 0x1122334455667788ULL));
	cr_assert(eq(u64, result(0), crc(DATA + 0x8000, 4104)));
	start(0, (struct slot){ .op = CHECK, .iova = DATA, .len = 5000 });
	cr_assert(eq(u64, result(0), crc(DATA, 5000)));
	cr_assert(eq(u64, get(BUFFER + 8, 8), 0x1122334455667788ULL));
}

Test(dma_slots, a_copy_may_overlap)
{
	u8 want[0x9000];

	ramp(DATA, sizeof(want));
	memcpy(want, ram(DATA), sizeof(want));
	start(0, (struct slot){ .op = COPY, .iova = DATA, .iova2 = DATA + 7, .len = 0x9000 });
	cr_assert(eq(u32, wait_for(0), DONE));
	cr_assert(zero(int, memcmp(ram(DATA + 7), want, sizeof(want))));
}

Test(dma_slots, nothing_is_transferred_at_once)
{
	cr_assert(eq(u32, start(0, (struct slot){ .op = CHECK, .iova = 0x1234 }), DONE));
	cr_assert(zero(u64, done(0)));
	cr_assert(eq(u64, result(0), 0xffffffff));
	/* a register that is none of its own says nothing */
	start(0, (struct slot){ .op = CHECK, .iova = DATA, .iova2 = ~0ULL, .len = 8 });
	cr_assert(eq(u32, status(0), DONE));
}

Test(dma_slots, a_transfer_that_faults_has_done_what_was_before)
{
	iommu.hole = DATA + 0x23456;
	iommu.hole_len = 0x1000;
	start(0, (struct slot){ .op = FILL, .iova = DATA, .len = 0x40000 });
	cr_assert(eq(u32, wait_for(0), FAULT));
	cr_assert(eq(u64, done(0), 0x23456));
	cr_assert(eq(u64, fault(0), iommu.hole));
	cr_assert(eq(u64, result(0), crc(DATA, 0x23456)));
	cr_assert(zero(u32, *ram(iommu.hole)));
	start(0, (struct slot){ .op = FILL, .iova = iommu.hole + 5, .len = 1 });
	cr_assert(eq(u32, status(0), FAULT));
	cr_assert(eq(u64, fault(0), iommu.hole + 5));
	cr_assert(eq(u32, reason(0), 2), "not mapped");
	cr_assert(zero(u64, done(0)));
}

Test(dma_slots, the_side_of_a_copy_that_faults_first_is_named)
{
	ramp(DATA, 0x100);
	iommu.hole = DATA + 0x1010;
	iommu.hole_len = 0x10;
	start(0, (struct slot){ .op = COPY, .iova = DATA, .iova2 = DATA + 0x1000, .len = 0x100 });
	cr_assert(eq(u32, status(0), FAULT | 1 << 8));
	cr_assert(eq(u64, fault(0), iommu.hole));
	cr_assert(eq(u64, done(0), 0x10));
	cr_assert(zero(int, memcmp(ram(DATA), ram(DATA + 0x1000), 0x10)));
	start(0, (struct slot){ .op = COPY, .iova = DATA + 0x1000, .iova2 = DATA, .len = 0x100 });
	cr_assert(eq(u32, status(0), FAULT));
	cr_assert(eq(u64, fault(0), iommu.hole));
	/* both, at the same byte: it is not read, so it is not written */
	start(0, (struct slot){ .op = COPY, .iova = iommu.hole, .iova2 = iommu.hole, .len = 1 });
	cr_assert(eq(u32, status(0), FAULT));
	/* RAM's end, and the last byte before it */
	start(0, (struct slot){ .op = COPY, .iova = DATA, .iova2 = END - 1, .len = 2 });
	cr_assert(eq(u32, status(0), FAULT | 1 << 8));
	cr_assert(eq(u64, fault(0), END));
	cr_assert(eq(u32, reason(0), 4), "no memory");
}

Test(dma_slots, compare_and_swap_says_what_was_there)
{
	struct slot cas = { .op = CAS, .iova = DATA, .len = 8, .arg = { 5, 6 } };

	cr_assert(eq(u32, start(0, cas), REFUSED), "no AtomicOps yet");
	allow_atomics();
	*(u64 *)ram(DATA) = 5;
	cr_assert(eq(u32, start(0, cas), DONE));
	cr_assert(eq(u64, result(0), 5));
	cr_assert(eq(u64, done(0), 8));
	cr_assert(eq(u64, *(u64 *)ram(DATA), 6));
	cr_assert(eq(u32, start(0, cas), DONE));
	cr_assert(eq(u64, result(0), 6));
	cas.iova = END;
	cr_assert(eq(u32, start(0, cas), FAULT));
	cr_assert(eq(u64, fault(0), END));
	cr_assert(eq(u32, reason(0), 4));
	cr_assert(eq(u32, iommu.last.perm, DMA_READ | DMA_WRITE));
}

struct refused_case {
	const char *why;
	struct slot slot;
};

ParameterizedTestParameters(dma_slots, what_cannot_be_is_refused_untried)
{
	static struct refused_case cases[] = {
		{ "no operation", { .op = 0, .len = 8 } },
		{ "an unknown one", { .op = 9, .len = 8 } },
		{ "a far one", { .op = 0xffffffff, .len = 8 } },
		{ "an unknown flag", { .op = CHECK, .flags = 8, .len = 8 } },
		{ "all flags", { .op = CHECK, .flags = 0xffffffff, .len = 8 } },
		{ "too long", { .op = CHECK, .len = (1ULL << 32) + 1 } },
		{ "far too long", { .op = CHECK, .len = ~0ULL } },
		{ "it wraps", { .op = CHECK, .iova = ~0ULL - 6, .len = 8 } },
		{ "its second range wraps", { .op = COPY, .iova2 = ~0ULL - 6, .len = 8 } },
		{ "translated, without ATS", { .op = CHECK, .flags = TRANSLATED, .len = 8 } },
		{ "PASID, not enabled", { .op = CHECK, .flags = WITH_PASID, .len = 8 } },
		{ "EXEC without one", { .op = CHECK, .flags = PERM_EXEC, .len = 8 } },
		{ "half a swap", { .op = CAS, .iova = DATA, .len = 2 } },
		{ "a misaligned swap", { .op = CAS, .iova = DATA + 4, .len = 8 } },
		{ "a held swap", { .op = CAS, .flags = HOLD, .iova = DATA, .len = 8 } },
		{ "a long swap", { .op = CAS, .iova = DATA, .len = 1ULL << 32 } },
		{ "ATS, not there", { .op = TRANSLATE, .flags = PERM_READ, .iova = DATA } },
		{ "PRI, not there", { .op = PAGE_REQUEST, .flags = PERM_READ, .iova = DATA } },
	};

	return cr_make_param_array(struct refused_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct refused_case *c, dma_slots, what_cannot_be_is_refused_untried)
{
	allow_atomics();
	if (!c->slot.iova)
		c->slot.iova = DATA;
	cr_assert(eq(u32, start(15, c->slot), REFUSED), "%s", c->why);
	cr_assert(zero(u64, done(15)));
	cr_assert(zero(u32, iommu.accesses), "%s", c->why);
	cr_assert(eq(u64, get(regs + 0x14, 4), 1 << 15));
}

Test(dma_slots, a_pasid_is_one_that_is_allowed)
{
	struct slot s = { .op = CHECK, .flags = WITH_PASID, .pasid = 255, .iova = DATA, .len = 8 };

	pasids(PCI_PASID_CTRL_ENABLE);
	cr_assert(eq(u32, start(0, s), DONE));
	cr_assert(eq(u32, iommu.last.pasid, 255));
	s.pasid = 256;
	cr_assert(eq(u32, start(0, s), REFUSED));
	s.pasid = 1;
	s.flags |= PERM_EXEC | PERM_WRITE;
	cr_assert(eq(u32, start(0, s), REFUSED));
	pasids(PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_EXEC);
	cr_assert(eq(u32, start(0, s), DONE));
	cr_assert(eq(u32, iommu.last.perm, DMA_READ | DMA_WRITE | DMA_EXEC));
	cr_assert(eq(u32, start(0, (struct slot){ .op = CHECK, .iova = DATA, .len = 8 }), DONE));
	cr_assert(eq(u32, iommu.last.pasid, DMA_NO_PASID));
}

Test(dma_slots, sixteen_at_once_each_end)
{
	for (unsigned int i = 0; i < 16; i++)
		start(i, (struct slot){ .op = FILL,
		                        .iova = DATA + i * 0x1000,
		                        .len = 0x20000 + i,
		                        .flags = INTERRUPT,
		                        .vector = i });
	for (unsigned int i = 0; i < 16; i++)
		cr_assert(eq(u32, wait_for(i), DONE));
	cr_assert(eq(u64, get(regs + 0x14, 4), 0xffff));
	cr_assert(eq(u32, messages(), 16));
}

Test(dma_slots, an_interrupt_is_of_a_vector_that_there_is)
{
	struct slot s = { .op = CHECK, .flags = INTERRUPT, .iova = DATA, .len = 1, .vector = 32 };

	start(0, s);
	s.vector = 0xffffffff;
	start(0, s);
	cr_assert(zero(u32, messages()));
	s.vector = 31;
	start(0, s);
	cr_assert(eq(u32, messages(), 1));
}

Test(dma_slots, registers_are_fixed_while_an_operation_has_not_ended)
{
	start(0, (struct slot){ .op = FILL, .iova = DATA, .len = 0x40000 });
	put(SLOT(0) + 8, 8, 0);
	put(SLOT(0), 4, 0);
	put(SLOT(0) + 0x18, 8, ~0ULL);
	control(0, 1);
	cr_assert(eq(u64, get(SLOT(0) + 8, 8), DATA));
	cr_assert(zero(u64, get(SLOT(0) + 0x38, 4)));
	cr_assert(eq(u32, wait_for(0), DONE));
	cr_assert(eq(u64, done(0), 0x40000));
	put(SLOT(0) + 8, 4, 1);
	cr_assert(eq(u64, get(SLOT(0) + 8, 8), 1 | (DATA >> 32 << 32)));
}

Test(dma_slots, what_is_held_is_used_until_it_is_released)
{
	struct slot s = {
		.op = COPY, .flags = HOLD, .iova = DATA, .iova2 = DATA + 0x100, .len = 9
	};

	ramp(DATA, 9);
	cr_assert(eq(u32, start(0, s), HELD));
	cr_assert(eq(u32, iommu.use.users, 2));
	fake_vm_run(&vm, 5);
	cr_assert(zero(u32, *ram(DATA + 0x108)), "nothing has moved");
	cr_assert(zero(u64, done(0)));
	control(0, 2);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(zero(u32, iommu.use.users));
	cr_assert(zero(int, memcmp(ram(DATA), ram(DATA + 0x100), 9)));
	control(0, 2);
	cr_assert(eq(u32, status(0), DONE), "nothing is held any more");
}

Test(dma_slots, a_long_one_is_held_piece_by_piece)
{
	iommu.chunk = 0x100;
	start(0, (struct slot){ .op = FILL, .flags = HOLD, .iova = DATA, .len = 0x5000 });
	cr_assert(eq(u32, status(0), HELD));
	cr_assert(eq(u32, iommu.use.users, 64));
	control(0, 2);
	cr_assert(eq(u32, wait_for(0), HELD));
	cr_assert(eq(u64, done(0), 0x4000));
	cr_assert(eq(u32, iommu.use.users, 16));
	control(0, 4);
	cr_assert(eq(u32, status(0), ABORTED));
	cr_assert(eq(u64, done(0), 0x4000));
	cr_assert(zero(u32, iommu.use.users));
}

Test(dma_slots, what_is_held_up_to_a_fault_faults_when_it_is_released)
{
	struct slot s = { .op = FILL, .flags = HOLD, .iova = END - 4, .len = 8 };

	cr_assert(eq(u32, start(0, s), HELD));
	control(0, 2);
	cr_assert(eq(u32, status(0), FAULT));
	cr_assert(eq(u64, done(0), 4));
	cr_assert(eq(u64, fault(0), END));
	s.iova = END;
	cr_assert(eq(u32, start(0, s), FAULT), "there is nothing to hold");
}

static void resume(void)
{
	struct dma_token *token = iommu.token;

	iommu.token = NULL;
	iommu.stalls = 0;
	token->resume(token);
}

/* The @nth access of it is stalled. */
static void stalled(unsigned int nth, struct slot s)
{
	iommu.stalls = iommu.accesses + nth;
	start(0, s);
	cr_assert(eq(u32, wait_for(0), STALLED));
	cr_assert(zero(u32, iommu.use.users), "it has given its request up");
}

Test(dma_slots, a_stalled_access_goes_on_when_it_is_resumed)
{
	for (unsigned int nth = 1; nth <= 4; nth++) {
		ramp(DATA, 0x18000);
		memset(ram(DATA + 0x20000), 0, 0x18000);
		stalled(nth, (struct slot){ .op = COPY,
		                            .iova = DATA,
		                            .iova2 = DATA + 0x20000,
		                            .len = 0x18000 });
		cr_assert(eq(u64, done(0), nth > 2 ? 0x10000 : 0));
		start(1, (struct slot){ .op = CHECK, .iova = DATA, .len = 8 });
		cr_assert(eq(u32, status(1), DONE), "the others go on");
		resume();
		cr_assert(eq(u32, wait_for(0), DONE));
		cr_assert(zero(int, memcmp(ram(DATA), ram(DATA + 0x20000), 0x18000)));
	}
}

Test(dma_slots, a_stalled_swap_goes_on_when_it_is_resumed)
{
	allow_atomics();
	stalled(1, (struct slot){ .op = CAS, .iova = DATA, .len = 4, .arg = { 0, 1 } });
	cr_assert(zero(u32, *ram(DATA)));
	resume();
	cr_assert(eq(u32, wait_for(0), DONE));
	cr_assert(eq(u32, *ram(DATA), 1));
}

Test(dma_slots, a_stalled_access_that_was_aborted_does_not_come_back)
{
	struct slot s = { .op = FILL, .iova = DATA, .len = 8 };

	stalled(1, s);
	control(0, 4);
	cr_assert(eq(u32, status(0), ABORTED));
	cr_assert(eq(ptr, iommu.token, NULL), "it was cancelled");
	iommu.stalls = 0;
	cr_assert(eq(u32, start(0, s), DONE));
}

/* One of each: running, stalled, held. */
static void three_in_flight(void)
{
	iommu.stalls = iommu.accesses + 1;
	start(0, (struct slot){ .op = FILL, .iova = DATA, .len = 8, .flags = INTERRUPT });
	start(1, (struct slot){ .op = FILL, .iova = DATA, .len = 8, .flags = HOLD });
	start(2, (struct slot){ .op = FILL, .iova = DATA, .len = 0x80000 });
	start(3, (struct slot){ .op = CHECK, .iova = DATA, .len = 8 });
	cr_assert(eq(u32, STATE(0), STALLED));
	cr_assert(eq(u32, STATE(1), HELD));
	cr_assert(eq(u32, STATE(2), RUNNING));
}

static void all_aborted(void)
{
	cr_assert(zero(u32, iommu.use.users));
	for (unsigned int i = 0; i < 3; i++)
		cr_assert(eq(u32, status(i), ABORTED));
	cr_assert(eq(u64, done(2), 0x10000), "it had had one turn");
	cr_assert(eq(ptr, iommu.token, NULL), "what stalled does not come back");
	iommu.accesses = iommu.stalls = 0;
	fake_vm_run(&vm, 20);
	cr_assert(zero(u32, iommu.accesses));
}

Test(dma_slots, without_bus_master_all_is_aborted)
{
	three_in_flight();
	fake_endpoint_command(PCI_COMMAND_MEMORY);
	all_aborted();
	cr_assert(eq(u32, status(3), DONE));
	cr_assert(eq(u32, start(3, (struct slot){ .op = CHECK, .iova = DATA, .len = 8 }), ABORTED));
	cr_assert(zero(u32, messages()));
	fake_endpoint_command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cr_assert(eq(u32, messages(), 1));
}

Test(dma_slots, in_d3hot_all_is_aborted)
{
	unsigned int pm = fake_cap(&vm, 0, PCI_CAP_ID_PM, 0);

	three_in_flight();
	fake_write(&vm, cfg(0, pm + PCI_PM_CTRL), 2, 3);
	fake_write(&vm, cfg(0, pm + PCI_PM_CTRL), 2, 0);
	all_aborted();
}

Test(dma_slots, a_reset_aborts_all_and_clears_the_registers)
{
	put(BUFFER, 8, 7);
	three_in_flight();
	fake_endpoint_reset();
	all_aborted();
	cr_assert(zero(u32, status(3)), "it had ended before");
	cr_assert(zero(u64, get(SLOT(1), 8)));
	cr_assert(zero(u64, get(SLOT(1) + 8, 8)));
	cr_assert(zero(u64, get(regs + 0x14, 4)));
	cr_assert(eq(u64, get(BUFFER, 8), 7));
	cr_assert(zero(u32, messages()));
	cr_assert(eq(u32, start(0, (struct slot){ .op = FILL, .iova = DATA, .len = 8 }), DONE));
}

Test(dma_slots, what_is_in_flight_at_the_end_is_let_go)
{
	three_in_flight();
	resume();
}

TestSuite(dma_alone, .fini = fake_endpoint_end, .timeout = 60);

Test(dma_alone, behind_no_iommu_there_are_no_translations)
{
	fake_endpoint(NULL, (struct dma_test_config){ .ats = true, .pri = true });
	fake_endpoint_enable();
	fake_write(&vm, cfg(0, 0x100 + PCI_ATS_CTRL), 2, PCI_ATS_CTRL_ENABLE);
	fake_write(&vm, cfg(0, 0x108 + PCI_PRI_ALLOC_REQ), 4, 8);
	fake_write(&vm, cfg(0, 0x108 + PCI_PRI_CTRL), 2, PCI_PRI_CTRL_ENABLE);
	cr_assert(eq(u32,
	             start(0, (struct slot){ .op = TRANSLATE, .flags = PERM_READ, .iova = DATA }),
	             REFUSED));
	cr_assert(
		eq(u32,
	           start(0, (struct slot){ .op = PAGE_REQUEST, .flags = PERM_READ, .iova = DATA }),
	           REFUSED));
	cr_assert(eq(u32, start(0, (struct slot){ .op = FILL, .iova = DATA, .len = 100 }), DONE));
	start(0, (struct slot){ .op = CHECK, .flags = HOLD, .iova = DATA, .len = 100 });
	cr_assert(eq(u32, status(0), HELD));
	control(0, 2);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(eq(u64, result(0), crc(DATA, 100)));
}
