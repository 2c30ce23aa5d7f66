// SPDX-License-Identifier: GPL-2.0-only
/* BARs of an assigned function: what the guest reaches by itself, where, and what by calls. */
#include <linux/kvm.h>
#include <string.h>

#include "tests/unit/fake_assigned.h"

#define F       (&fake_functions[0])
#define BAR0    (MEM_BUS + 0x100000)
#define BAR2    (MEM_BUS + 0x200000)
#define BAR4    (MEM_BUS + 0x300000)
#define BAR5    (MEM_BUS + 0x400000)
#define ROM     (MEM_BUS + 0x500000)
#define CPU(at) ((at) + (MEM_CPU - MEM_BUS))

/* KVM's slots as they are. */
static struct kvm_userspace_memory_region slots[600];

static void memory_changed(const struct kvm_userspace_memory_region *r)
{
	cr_assert(lt(u32, r->slot, ARRAY_SIZE(slots)));
	slots[r->slot] = *r;
	if (r->memory_size)
		fake_note("slot at %#llx+%#llx;", (unsigned long long)r->guest_phys_addr,
		          (unsigned long long)r->memory_size);
	else
		fake_note("slot gone;");
}

static unsigned int nr_slots(void)
{
	unsigned int nr = 0;

	for (size_t i = 1; i < ARRAY_SIZE(slots); i++)
		nr += slots[i].memory_size != 0;
	return nr;
}

/* The slot that @gpa is in; its length, 0: none. */
static u64 slot_at(gpa_t gpa)
{
	for (size_t i = 1; i < ARRAY_SIZE(slots); i++)
		if (slots[i].memory_size && slots[i].guest_phys_addr == gpa)
			return slots[i].memory_size;
	return 0;
}

static void prepare(void)
{
	fake_assigned_prepare();
	fake.memory_changed = memory_changed;
}

static void create(void)
{
	cr_assert(zero(int, fake_assigned_create(NULL, NULL)), "step %u", fake_at.step);
	cfg_write(PCI_BASE_ADDRESS_0, 4, BAR0);
	cfg_write(PCI_BASE_ADDRESS_2, 4, BAR2);
	cfg_write(PCI_BASE_ADDRESS_3, 4, 0);
	cfg_write(PCI_BASE_ADDRESS_4, 4, BAR4);
	cfg_write(PCI_BASE_ADDRESS_5, 4, BAR5);
	fake_noted();
}

static void enable(void)
{
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void make(void)
{
	prepare();
	create();
	enable();
	fake_noted();
}

static void unmake(void)
{
	fake_assigned_unmake();
	cr_assert(zero(u32, nr_slots()), "no slot is left");
}

TestSuite(vfio_bar, .init = make, .fini = unmake);
TestSuite(vfio_bar_of, .init = prepare, .fini = unmake);

Test(vfio_bar, what_can_be_mapped_is_the_guests_without_an_exit)
{
	cr_assert(eq(u64, slot_at(CPU(BAR0)), FAKE_BAR0_SIZE));
	cr_assert(eq(u64, slot_at(CPU(BAR2)), FAKE_BAR2_SIZE));
	cr_assert(eq(u64, slot_at(CPU(BAR4)), 0x1000), "one sparse area");
	cr_assert(eq(u64, slot_at(CPU(BAR4) + 0x4000), 0x4000), "and the other");
	cr_assert(eq(u32, nr_slots(), 6));
}

Test(vfio_bar, pages_of_vectors_and_of_pending_bits_are_not)
{
	cr_assert(zero(u64, slot_at(CPU(BAR5))));
	cr_assert(eq(u64, slot_at(CPU(BAR5) + 0x1000), 0x1000), "between them");
	cr_assert(eq(u64, slot_at(CPU(BAR5) + FAKE_MSIX_PBA + 0x1000), 0x1000), "behind them");
}

Test(vfio_bar, what_is_not_mapped_is_read_and_written_by_calls)
{
	const gpa_t at = CPU(BAR4) + 0x2004;

	cr_assert(eq(u64, fake_read(&fake_at.vm, at, 4), fake_region_word(4, 0x2004)));
	fake_write(&fake_at.vm, at, 2, 0xabcd);
	cr_assert(eq(u32, F->wrote.region, 4));
	cr_assert(eq(u64, F->wrote.offset, 0x2004));
	cr_assert(eq(u32, F->wrote.len, 2));
	cr_assert(eq(u64, F->wrote.val, 0xabcd));
	fake_write(&fake_at.vm, at + 4, 8, 0x1122334455667788);
	cr_assert(eq(u64, F->wrote.val, 0x1122334455667788));
}

Test(vfio_bar, the_table_and_the_bits_never_reach_the_function)
{
	F->wrote.region = 77;
	fake_write(&fake_at.vm, CPU(BAR5) + PCI_MSIX_ENTRY_DATA, 4, 0x33);
	cr_assert(eq(u64, fake_read(&fake_at.vm, CPU(BAR5) + PCI_MSIX_ENTRY_DATA, 4), 0x33));
	fake_write(&fake_at.vm, CPU(BAR5) + FAKE_MSIX_PBA, 8, ~0ULL);
	cr_assert(zero(u64, fake_read(&fake_at.vm, CPU(BAR5) + FAKE_MSIX_PBA, 8)));
	cr_assert(eq(u32, F->wrote.region, 77));
	fake_write(&fake_at.vm, CPU(BAR5) + FAKE_NR_MSIX * PCI_MSIX_ENTRY_SIZE, 4, 1);
	cr_assert(eq(u32, F->wrote.region, 5), "what is behind the table is the function's");
}

Test(vfio_bar, one_that_is_gone_reads_as_ones)
{
	F->gone = true;
	cr_assert(eq(u64, fake_read(&fake_at.vm, CPU(BAR4) + 0x2000, 4), 0xffffffff));
	cr_assert(eq(u64, fake_read(&fake_at.vm, CPU(BAR4) + 0x2000, 8), ~0ULL));
	fake_write(&fake_at.vm, CPU(BAR4) + 0x2000, 4, 1);
}

/* What the function does not decode would end KVM_RUN. */
Test(vfio_bar_of, one_that_cannot_be_told_to_decode_is_not_the_guests_to_reach)
{
	create();
	F->gone = true;
	enable();
	cr_assert(zero(u32, nr_slots()));
	cr_assert(eq(u64, fake_read(&fake_at.vm, CPU(BAR0), 4), 0xffffffff));
	cfg_write(PCI_COMMAND, 2, 0);
	F->gone = false;
	enable();
	cr_assert(eq(u32, nr_slots(), 6));
	cr_assert(eq(u32, fake_get(F, PCI_COMMAND, 2), 6));
}

Test(vfio_bar, a_bar_of_io_space_is_not_there)
{
	cfg_write(PCI_BASE_ADDRESS_1, 4, ~0u);
	cr_assert(zero(u64, cfg_read(PCI_BASE_ADDRESS_1, 4)));
}

Test(vfio_bar, a_guest_finds_sizes_and_kinds)
{
	cfg_write(PCI_BASE_ADDRESS_0, 4, ~0u);
	cfg_write(PCI_BASE_ADDRESS_2, 4, ~0u);
	cfg_write(PCI_BASE_ADDRESS_3, 4, ~0u);
	cr_assert(eq(u64, cfg_read(PCI_BASE_ADDRESS_0, 4), (u32)-FAKE_BAR0_SIZE));
	cr_assert(eq(u64, cfg_read(PCI_BASE_ADDRESS_2, 8), (u64)-FAKE_BAR2_SIZE | 0xc));
	cr_assert(eq(str, fake_noted() + strlen("slot gone;slot gone;"), ""), "they are ours");
}

Test(vfio_bar, one_that_moves_is_where_it_was_no_more)
{
	cfg_write(PCI_BASE_ADDRESS_0, 4, BAR0 + 0x40000);
	cr_assert(eq(str, fake_noted(), "slot gone;config 0x44/2=0;slot at 0x50140000+0x20000;"));
	cr_assert(zero(u64, slot_at(CPU(BAR0))));
	cr_assert(eq(u64, slot_at(CPU(BAR2)), FAKE_BAR2_SIZE), "others stay");
}

Test(vfio_bar, two_in_one_place_are_not)
{
	cfg_write(PCI_BASE_ADDRESS_0, 4, BAR4);
	cr_assert(zero(u64, slot_at(CPU(BAR0))));
	cr_assert(eq(u64, slot_at(CPU(BAR4)), 0x1000));
	cfg_write(PCI_BASE_ADDRESS_4, 4, BAR0);
	cr_assert(eq(u64, slot_at(CPU(BAR4)), FAKE_BAR0_SIZE), "its place became free");
	cr_assert(eq(u64, slot_at(CPU(BAR0)), 0x1000));
}

Test(vfio_bar_of, the_function_decodes_before_the_guest_reaches_it_and_after)
{
	char *noted;

	create();
	enable();
	noted = fake_noted();
	cr_assert(eq(int, strncmp(noted, "config 0x44/2=0;config 0x4/2=0x6;slot at ", 41), 0), "%s",
	          noted);
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	noted = fake_noted();
	cr_assert(ne(ptr, strstr(noted, "gone;config 0x4/2=0x4;"), NULL), "%s", noted);
	cr_assert(eq(ptr, strstr(strstr(noted, "config"), "slot"), NULL), "%s", noted);
	cr_assert(zero(u32, nr_slots()));
}

Test(vfio_bar, a_command_that_stays_is_not_written_again)
{
	enable();
	cr_assert(eq(str, fake_noted(), ""));
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cr_assert(eq(str, fake_noted(), "config 0x4/2=0x2;"));
}

Test(vfio_bar, a_function_that_sleeps_is_not_reached_and_one_that_wakes_is_awake_first)
{
	char *noted;

	cfg_write(FAKE_CAP_PM + PCI_PM_CTRL, 2, 3);
	noted = fake_noted();
	cr_assert(zero(u32, nr_slots()));
	cr_assert(ne(ptr, strstr(noted, "gone;config 0x44/2=0x3;"), NULL), "%s", noted);
	cr_assert(eq(ptr, strstr(strstr(noted, "config"), "slot"), NULL), "%s", noted);
	cfg_write(FAKE_CAP_PM + PCI_PM_CTRL, 2, 0);
	noted = fake_noted();
	cr_assert(eq(int, strncmp(noted, "config 0x44/2=0;slot at ", 24), 0), "%s", noted);
	cr_assert(eq(u32, nr_slots(), 6));
}

Test(vfio_bar_of, what_kvm_has_no_slot_for_is_reached_by_calls)
{
	create();
	memset(fake_at.vm.slots, 0xff, sizeof(fake_at.vm.slots));
	fake_at.vm.slots[0] = ~3ULL; /* there are two */
	enable();
	cr_assert(eq(u32, nr_slots(), 2));
	cr_assert(eq(u64, slot_at(CPU(BAR0)), FAKE_BAR0_SIZE));
	cr_assert(eq(u64, fake_read(&fake_at.vm, CPU(BAR4), 4), fake_region_word(4, 0)));
	fake_at.vm.slots[0] = 3;
	cfg_write(PCI_COMMAND, 2, 0);
	enable();
	cr_assert(eq(u32, nr_slots(), 6), "later there is room");
}

Test(vfio_bar_of, a_slot_that_kvm_refuses_is_asked_for_again_with_the_next)
{
	create();
	fake.fail_at = fake.calls + 6; /* the last of them */
	enable();
	cr_assert(eq(u32, nr_slots(), 5));
	cr_assert(eq(u64, fake_read(&fake_at.vm, CPU(BAR5) + 0x3000, 4),
	             fake_region_word(5, 0x3000)));
	cfg_write(PCI_BASE_ADDRESS_0, 4, BAR0 + 0x40000);
	cr_assert(eq(u32, nr_slots(), 6));
}

Test(vfio_bar_of, table_and_bits_can_be_in_two_bars)
{
	fake_put32(F, FAKE_CAP_MSIX + PCI_MSIX_TABLE, 0x1000 | 0);
	fake_put32(F, FAKE_CAP_MSIX + PCI_MSIX_PBA, 0x3000 | 5);
	create();
	enable();
	cr_assert(eq(u64, slot_at(CPU(BAR0)), 0x1000));
	cr_assert(eq(u64, slot_at(CPU(BAR0) + 0x2000), FAKE_BAR0_SIZE - 0x2000));
	cr_assert(eq(u64, slot_at(CPU(BAR5)), 0x3000));
	cr_assert(eq(u32, nr_slots(), 6));
}

Test(vfio_bar_of, bits_before_the_table_and_in_its_page)
{
	fake_put32(F, FAKE_CAP_MSIX + PCI_MSIX_TABLE, 0x1800 | 5);
	fake_put32(F, FAKE_CAP_MSIX + PCI_MSIX_PBA, 0x1000 | 5);
	create();
	enable();
	cr_assert(eq(u64, slot_at(CPU(BAR5)), 0x1000));
	cr_assert(eq(u64, slot_at(CPU(BAR5) + 0x2000), 0x2000));
	cr_assert(eq(u32, nr_slots(), 6));
}

Test(vfio_bar_of, a_table_in_a_sparse_area_is_left_out_of_it)
{
	fake_put32(F, FAKE_CAP_MSIX + PCI_MSIX_TABLE, 0x5000 | 4);
	fake_put32(F, FAKE_CAP_MSIX + PCI_MSIX_PBA, 0x2000 | 4); /* in none */
	create();
	enable();
	cr_assert(eq(u64, slot_at(CPU(BAR4)), 0x1000));
	cr_assert(eq(u64, slot_at(CPU(BAR4) + 0x4000), 0x1000));
	cr_assert(eq(u64, slot_at(CPU(BAR4) + 0x6000), 0x2000));
}

Test(vfio_bar_of, more_areas_than_there_are_pieces_for_are_reached_by_calls)
{
	for (unsigned int i = 0; i < 6; i++) {
		F->regions[4].sparse[i].at = i * 0x2000;
		F->regions[4].sparse[i].len = 0x1000;
	}
	F->regions[4].nr_sparse = 6;
	create();
	enable();
	cr_assert(eq(u64, slot_at(CPU(BAR4) + 3 * 0x2000), 0x1000));
	cr_assert(zero(u64, slot_at(CPU(BAR4) + 4 * 0x2000)));
	cr_assert(eq(u64, fake_read(&fake_at.vm, CPU(BAR4) + 0x8000, 4),
	             fake_region_word(4, 0x8000)));
}

Test(vfio_bar_of, a_region_smaller_than_a_page_is_reached_by_calls)
{
	F->regions[0].size = 0x100;
	create();
	enable();
	cr_assert(zero(u64, slot_at(CPU(BAR0))));
	cr_assert(eq(u64, fake_read(&fake_at.vm, CPU(BAR0) + 0xfc, 4), fake_region_word(0, 0xfc)));
}

/* A ROM's size is a power of two to the guest; what is behind its end is nothing. */
Test(vfio_bar_of, the_rom_is_read_where_the_guest_enables_it)
{
	create();
	cfg_write(PCI_ROM_ADDRESS, 4, ~0u);
	cr_assert(eq(u64, cfg_read(PCI_ROM_ADDRESS, 4), 0xffff0001));
	cfg_write(PCI_ROM_ADDRESS, 4, ROM);
	enable();
	cr_assert(zero(u64, fake_at.pci->func.bars[PCI_ROM_BAR].at), "not enabled by itself");
	cfg_write(PCI_ROM_ADDRESS, 4, ROM | PCI_ROM_ADDRESS_ENABLE);
	cr_assert(eq(u64, fake_read(&fake_at.vm, CPU(ROM) + 0x40, 4),
	             fake_region_word(PCI_ROM_BAR, 0x40)));
	cr_assert(eq(u64, fake_read(&fake_at.vm, CPU(ROM) + FAKE_ROM_SIZE, 4), 0xffffffff));
	cfg_write(PCI_ROM_ADDRESS, 4, ROM);
	cr_assert(zero(u64, fake_at.pci->func.bars[PCI_ROM_BAR].at));
}

Test(vfio_bar_of, a_region_that_the_host_says_nothing_of_ends_it)
{
	/* open, bind, attach to a table that is made, info, config: info and its bytes */
	fake_at.context.uapi.fail_at = fake_at.context.uapi.calls + 8;
	cr_assert(eq(int, fake_assigned_create(NULL, NULL), -EIO));
	cr_assert(eq(u32, fake_at.step, VFIO_PCI_STEP_BARS));
}
