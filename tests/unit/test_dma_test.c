// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's BAR 0, as Linux's driver uses it, and what it is as a PCI function. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_dma_test.h"

#define DATA (FAKE_RAM_BASE + 0x1000)
#define END  (FAKE_RAM_BASE + FAKE_RAM_SIZE)
#define LINE (FAKE_RAM_BASE + 0xff000)

enum { COMMAND = 4, STATUS = 8, SRC = 0xc, DST = 0x14, SIZE = 0x1c, CHECKSUM = 0x20 };
enum { IRQ_TYPE = 0x24, IRQ_NUMBER = 0x28, CAPS = 0x30, DB_BAR = 0x34 };

static void make(void)
{
	fake_endpoint(fake_space(), (struct dma_test_config){ .ats = true });
	fake_endpoint_enable();
	put(epf + IRQ_TYPE, 4, 2);
	put(epf + IRQ_NUMBER, 4, 1);
}

TestSuite(dma_test, .init = make, .fini = fake_endpoint_end, .timeout = 60);

static void transfer(gpa_t src, gpa_t dst, u32 size)
{
	put(epf + SRC, 4, (u32)src);
	put(epf + SRC + 4, 4, src >> 32);
	put(epf + DST, 4, (u32)dst);
	put(epf + DST + 4, 4, dst >> 32);
	put(epf + SIZE, 4, size);
}

/* STATUS after the command. */
static u32 command(u32 bit)
{
	put(epf + COMMAND, 4, bit);
	for (unsigned int i = 0; i < 5000 && !get(epf + STATUS, 4); i++)
		fake_vm_run(&vm, 1);
	cr_assert(zero(u64, get(epf + COMMAND, 4)));
	return get(epf + STATUS, 4);
}

Test(dma_test, it_is_what_the_driver_binds_to)
{
	cr_assert(eq(u64, fake_read(&vm, cfg(0, PCI_VENDOR_ID), 4), 0x002d1912));
	cr_assert(eq(u64, fake_read(&vm, cfg(0, PCI_CLASS_REVISION), 4), 0xff000000));
	cr_assert(eq(u64, get(epf + CAPS, 4), 0x18f));
	cr_assert(eq(u64, get(epf + DB_BAR, 4), 0xffffffff));
	put(epf + CAPS, 4, 0);
	cr_assert(eq(u64, get(epf + CAPS, 4), 0x18f));
	put(epf, 4, 0xa0a0a0a0);
	cr_assert(eq(u64, get(epf, 4), 0xa0a0a0a0));
}

Test(dma_test, the_memory_bar_keeps_what_is_written)
{
	for (unsigned int i = 0; i < 0x4000; i += 8)
		put(memory + i, 8, i * 0x100000001ULL);
	cr_assert(eq(u64, get(memory + 0x3ff8, 8), 0x3ff8 * 0x100000001ULL));
	put(memory + 0x101, 1, 0xab);
	cr_assert(eq(u64, get(memory + 0x100, 4), 0xab00));
}

Test(dma_test, written_data_has_the_checksum_and_differs_each_time)
{
	u32 first;

	transfer(0, DATA + 1, 1025);
	cr_assert(eq(u32, command(1 << 4), 1 << 2 | 1 << 6));
	first = get(epf + CHECKSUM, 4);
	cr_assert(eq(u32, first, crc(DATA + 1, 1025)));
	cr_assert(zero(u32, *ram(DATA)));
	cr_assert(zero(u32, *ram(DATA + 1026)));
	cr_assert(eq(u32, messages(), 1));
	command(1 << 4);
	cr_assert(ne(u32, first, crc(DATA + 1, 1025)));
	cr_assert(eq(u64, get(regs + 0x18, 8), 2), "the seed");
}

Test(dma_test, read_data_is_checked)
{
	memset(ram(DATA), 0x5a, 5000);
	transfer(DATA, 0, 5000);
	put(epf + CHECKSUM, 4, crc(DATA, 5000));
	cr_assert(eq(u32, command(1 << 3), 1 << 0 | 1 << 6));
	put(epf + CHECKSUM, 4, crc(DATA, 4999));
	cr_assert(eq(u32, command(1 << 3), 1 << 1 | 1 << 6));
}

Test(dma_test, a_copy_of_many_pieces_takes_turns)
{
	const u32 size = 0x70001;

	for (unsigned int i = 0; i < size; i++)
		*ram(DATA + i) = i * 7 >> 3;
	transfer(DATA, DATA + size, size);
	cr_assert(eq(u32, command(1 << 5), 1 << 4 | 1 << 6));
	cr_assert(zero(int, memcmp(ram(DATA), ram(DATA + size), size)));
	cr_assert(eq(u32, messages(), 1));
}

Test(dma_test, a_fault_says_which_side_it_was)
{
	transfer(END, DATA, 16);
	cr_assert(eq(u32, command(1 << 3), 1 << 1 | 1 << 6 | 1 << 7));
	cr_assert(eq(u32, command(1 << 5), 1 << 5 | 1 << 6 | 1 << 7));
	transfer(DATA, END - 8, 16);
	cr_assert(eq(u32, command(1 << 4), 1 << 3 | 1 << 6 | 1 << 8));
	cr_assert(eq(u32, command(1 << 5), 1 << 5 | 1 << 6 | 1 << 8));
	transfer(~0ULL, DATA, 16);
	cr_assert(eq(u32, command(1 << 3), 1 << 1 | 1 << 6), "it wraps");
}

Test(dma_test, what_is_not_offered_fails_as_the_driver_expects)
{
	cr_assert(eq(u32, command(1 << 6), 1 << 11 | 1 << 6));
	cr_assert(eq(u32, command(1 << 7), 1 << 13 | 1 << 6));
	cr_assert(eq(u32, command(1 << 8), 1 << 15 | 1 << 6));
	cr_assert(eq(u32, command(1 << 9), 1 << 17 | 1 << 6));
}

Test(dma_test, an_unknown_command_or_interrupt_is_nothing)
{
	static const u32 unknown[] = { 1 << 10, 3, 0xffffffff, 1u << 31 };

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		put(epf + COMMAND, 4, unknown[i]);
		cr_assert(zero(u64, get(epf + COMMAND, 4)));
		cr_assert(zero(u64, get(epf + STATUS, 4)));
	}
	put(epf + IRQ_TYPE, 4, 3);
	put(epf + COMMAND, 4, 1 << 4);
	cr_assert(zero(u64, get(epf + STATUS, 4)));
	cr_assert(zero(u32, iommu.accesses));
	cr_assert(zero(u32, messages()));
}

Test(dma_test, a_vector_is_one_that_there_is)
{
	static const u32 none[] = { 0, 33, 0xffffffff };

	for (u32 i = 1; i <= 32; i++) {
		put(epf + IRQ_NUMBER, 4, i);
		command(1 << 2);
		cr_assert(eq(u32, *(u32 *)ram(LINE + (i - 1) * 4), i));
		cr_assert(eq(u32, messages(), 1));
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		put(epf + IRQ_NUMBER, 4, none[i]);
		cr_assert(eq(u32, command(1 << 2), 1 << 6));
		cr_assert(zero(u32, messages()));
	}
}

static void msix_off(void)
{
	unsigned int cap = fake_cap(&vm, 0, PCI_CAP_ID_MSIX, 0);

	fake_write(&vm, cfg(0, cap + PCI_MSIX_FLAGS), 2, 0);
}

Test(dma_test, intx_is_up_until_status_is_read)
{
	put(epf + IRQ_TYPE, 4, 0);
	put(epf + COMMAND, 4, 1);
	cr_assert(not(fake.lines[FIRST_INTX]), "not beside MSI-X");
	msix_off();
	put(epf + COMMAND, 4, 1);
	cr_assert(fake.lines[FIRST_INTX]);
	cr_assert(eq(u64, get(epf + STATUS, 4), 1 << 6));
	cr_assert(not(fake.lines[FIRST_INTX]));
	put(epf + IRQ_TYPE, 4, 2);
	put(epf + COMMAND, 4, 4);
	cr_assert(zero(u32, messages()), "and it is not kept for when MSI-X is enabled");
	fake_endpoint_enable();
	cr_assert(zero(u32, messages()));
}

Test(dma_test, msi_has_as_many_vectors_as_are_enabled)
{
	unsigned int cap = fake_cap(&vm, 0, PCI_CAP_ID_MSI, 0);

	msix_off();
	fake_write(&vm, cfg(0, cap + PCI_MSI_ADDRESS_LO), 4, DATA);
	fake_write(&vm, cfg(0, cap + PCI_MSI_DATA_64), 2, 0x1237);
	fake_write(&vm, cfg(0, cap + PCI_MSI_FLAGS), 2, PCI_MSI_FLAGS_ENABLE | 3 << 4);
	put(epf + IRQ_TYPE, 4, 1);
	put(epf + IRQ_NUMBER, 4, 8);
	command(1 << 1);
	cr_assert(eq(u32, *(u32 *)ram(DATA), 0x1237));
	put(epf + IRQ_NUMBER, 4, 9);
	*(u32 *)ram(DATA) = 0;
	command(1 << 1);
	cr_assert(zero(u32, *(u32 *)ram(DATA)));
}

Test(dma_test, a_second_command_waits_for_the_first)
{
	transfer(0, DATA, 0x40000);
	put(epf + COMMAND, 4, 1 << 4);
	cr_assert(zero(u64, get(epf + STATUS, 4)));
	transfer(END, 0, 16);
	put(epf + COMMAND, 4, 1 << 3);
	cr_assert(eq(u64, get(epf + COMMAND, 4), 1 << 3));
	cr_assert(eq(u32, command(1 << 3), 1 << 1 | 1 << 6 | 1 << 7));
	cr_assert(eq(u32, get(epf + CHECKSUM, 4), crc(DATA, 0x40000)), "the first was whole");
}

Test(dma_test, without_bus_master_a_command_fails)
{
	transfer(DATA, DATA, 16);
	fake_endpoint_command(PCI_COMMAND_MEMORY);
	cr_assert(eq(u32, command(1 << 3), 1 << 1 | 1 << 6));
	cr_assert(zero(u32, iommu.accesses));
	cr_assert(zero(u32, messages()));
	fake_endpoint_command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cr_assert(eq(u32, messages(), 1), "the interrupt was pending");
}

Test(dma_test, a_reset_ends_a_command_and_forgets_the_next)
{
	transfer(DATA, DATA + 0x80000, 0x70000);
	put(epf + COMMAND, 4, 1 << 5);
	put(epf + COMMAND, 4, 1 << 3);
	put(epf, 4, 1);
	fake_endpoint_reset();
	fake_vm_run(&vm, 20);
	for (unsigned int at = 0; at < CAPS; at += 4)
		cr_assert(zero(u64, get(epf + at, 4)), "%#x", at);
	cr_assert(zero(u32, messages()));
	cr_assert(eq(u32, *ram(DATA + 0x80000 + 0x6ffff), 0));
}

Test(dma_test, a_function_level_reset_is_offered_and_over_at_once)
{
	const unsigned int at = fake_cap(&vm, 0, PCI_CAP_ID_EXP, 0);
	const unsigned int vectors = fake_cap(&vm, 0, PCI_CAP_ID_MSIX, 0);
	const u64 bar4 = fake_read(&vm, cfg(0, PCI_BASE_ADDRESS_4), 4);

	cr_assert(eq(u64, fake_read(&vm, cfg(0, at + PCI_EXP_DEVCAP), 4),
	             PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR));
	put(epf, 4, 1);
	put(memory, 4, 0x1234);
	fake_endpoint_flr(PCI_EXP_DEVCTL_URRE);
	cr_assert(eq(u64, fake_read(&vm, cfg(0, PCI_VENDOR_ID), 4), 0x002d1912));
	cr_assert(eq(u64, fake_read(&vm, cfg(0, at + PCI_EXP_DEVCTL), 2),
	             PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN));
	cr_assert(zero(u64, fake_read(&vm, cfg(0, PCI_COMMAND), 2)));
	cr_assert(zero(u64, fake_read(&vm, cfg(0, vectors + PCI_MSIX_FLAGS), 2) &
	                            PCI_MSIX_FLAGS_ENABLE));
	for (unsigned int i = 0; i < 6; i++)
		cr_assert(
			zero(u64, fake_read(&vm, cfg(0, PCI_BASE_ADDRESS_0 + i * 4), 4) & ~0xfULL));
	cr_assert(eq(u64, get(epf, 4), 0xffffffff), "it decodes nothing");
	fake_write(&vm, cfg(0, PCI_BASE_ADDRESS_4), 4, bar4);
	fake_endpoint_command(PCI_COMMAND_MEMORY);
	cr_assert(eq(u64, get(memory, 4), 0x1234), "memory is kept");
}

Test(dma_test, a_function_level_reset_ends_what_stalls_and_what_runs)
{
	iommu.stalls = iommu.accesses + 1;
	start(3, (struct slot){ .op = CHECK, .iova = DATA, .len = 8 });
	cr_assert(eq(u32, wait_for(3), STALLED));
	start(4, (struct slot){ .op = CHECK, .iova = DATA, .len = 0x80000, .flags = INTERRUPT });
	cr_assert(eq(u32, status(4), RUNNING));
	fake_endpoint_reset();
	cr_assert(zero(ptr, iommu.token), "its IOMMU knows");
	cr_assert(eq(u32, status(3), ABORTED));
	cr_assert(eq(u32, status(4), ABORTED));
	cr_assert(zero(u32, messages()));
	cr_assert(eq(u32, start(3, (struct slot){ .op = CHECK, .iova = DATA, .len = 8 }), DONE));
}

/* Anything, anywhere, in any size: what is asked for may fail, and that is all. */
Test(dma_test, hostile_writes_do_no_harm)
{
	static const struct {
		gpa_t *bar;
		u32 size;
	} bars[] = { { &epf, 0x1000 }, { &regs, 0x4000 }, { &regs, 0x1100 }, { &memory, 0x4000 } };

	srand(1);
	for (unsigned int i = 0; i < 100000; i++) {
		unsigned int b = rand() % 4, size = 1 << rand() % 4;
		gpa_t at = *bars[b].bar + ALIGN_DOWN(rand() % bars[b].size, size);
		u64 val = (u64)rand() << 40 ^ (u64)rand() << 20 ^ rand();

		if (rand() % 2)
			val &= 0x1ff;
		else if (rand() % 2)
			val = FAKE_RAM_BASE + val % FAKE_RAM_SIZE;
		if (rand() % 4)
			put(at, size, val);
		else
			get(at, size);
		if (i % 1000 == 0)
			fake_vm_run(&vm, 1);
		iommu.stalls = iommu.accesses + (i % 3 ? 0 : 5);
		if (iommu.token && i % 50 == 0) {
			struct dma_token *token = iommu.token;

			iommu.token = NULL;
			token->resume(token);
		}
		iommu.nr_requests = 0;
	}
	fake_endpoint_command(0);
}

Test(dma_test, when_it_goes_nothing_of_it_waits_for_its_iommu)
{
	iommu.stalls = iommu.accesses + 1;
	start(3, (struct slot){ .op = CHECK, .iova = DATA, .len = 8 });
	cr_assert(eq(u32, wait_for(3), STALLED));
	cr_assert(ne(ptr, iommu.token, NULL));
	fake_endpoint_end();
	cr_assert(zero(ptr, iommu.token));
	make();
}
