// SPDX-License-Identifier: GPL-2.0-only
/* Where BARs and ports' windows are before a guest moves them, which it need not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/pci_regs.h>

#include "devices/pci/private.h"
#include "tests/unit/fake_pci.h"

#define HIGH      0x800000000ULL
#define HIGH_SIZE 0x800000000ULL
#define MIB       0x100000ULL
#define BAR(n)    (PCI_BASE_ADDRESS_0 + (n)*4)

static struct vm vm;
static struct pci_host *host;
static struct pci_func *port, *empty, func, behind;
static struct pci_taken taken;

static u64 bar_read(void *dev, u64 offset, unsigned int size)
{
	(void)dev, (void)offset, (void)size;
	return 0x1234;
}

static const struct mmio_ops ops = { .name = "bar", .read = bar_read };

/* Two ports, of which one has a function behind it, and a function beside them. */
static void make(void)
{
	struct platform_pci p = fake_pci;

	p.mem64 = (struct platform_window){ HIGH, HIGH, HIGH_SIZE };
	fake_vm(&vm, 1);
	cr_assert(zero(int, pci_host_create(&host, &vm, &p)));
	cr_assert(zero(int, pci_port_create(&port, host, 1)));
	cr_assert(zero(int, pci_port_create(&empty, host, 2)));
	cr_assert(zero(int, pci_func_add(pci_host_bus(host), &func, &fake_pci_id)));
	cr_assert(zero(int, pci_func_add(port->secondary, &behind, &fake_pci_id)));
}

static void unmake(void)
{
	pci_func_remove(&behind);
	pci_func_remove(&func);
	pci_port_destroy(empty);
	pci_port_destroy(port);
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(pci_place, .init = make, .fini = unmake);

static void has(struct pci_func *f, unsigned int nr, u64 size, bool prefetch)
{
	pci_bar_add(f, nr,
	            &(struct pci_bar){
			    .size = size, .is_64 = prefetch, .prefetch = prefetch, .ops = &ops });
}

static u64 bar64(const struct pci_func *f, unsigned int nr)
{
	return (pci_get32(f, BAR(nr)) & PCI_BASE_ADDRESS_MEM_MASK) | (u64)pci_get32(f, BAR(nr + 1))
	                                                                     << 32;
}

static u32 bar32(const struct pci_func *f, unsigned int nr)
{
	return pci_get32(f, BAR(nr)) & PCI_BASE_ADDRESS_MEM_MASK;
}

/* As a guest that keeps everything: it only switches memory on. */
static void keep_all(void)
{
	pci_config_write(port, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	pci_config_write(&func, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	pci_config_write(&behind, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

Test(pci_place, a_bar_larger_than_a_spare_window_has_one_of_its_own_size)
{
	has(&behind, 0, 4 * MIB, false);
	cr_assert(zero(int, pci_host_place(host, &taken)));
	keep_all();
	cr_assert(eq(u64, behind.bars[0].at, MEM_CPU), "what is aligned most comes first");
}

Test(pci_place, bars_of_64_bits_that_are_prefetchable_are_in_the_window_above)
{
	has(&func, 0, 64 * MIB, true);
	has(&behind, 2, 32 * MIB, true);
	has(&behind, 0, 0x1000, false);
	cr_assert(zero(int, pci_host_place(host, &taken)));
	keep_all();
	cr_assert(eq(u64, func.bars[0].at, HIGH));
	cr_assert(eq(u64, behind.bars[2].at, HIGH + 64 * MIB));
	cr_assert(lt(u64, behind.bars[0].at, MEM_CPU + MEM_SIZE));
	cr_assert(ge(u64, behind.bars[0].at, MEM_CPU));
}

static bool window_is(const struct pci_func *f, unsigned int base, unsigned int limit, u64 size)
{
	const u64 from = pci_get16(f, base) & 0xfff0, to = pci_get16(f, limit) & 0xfff0;

	return ((to - from) << 16) + MIB == size;
}

Test(pci_place, a_port_has_room_for_what_is_plugged_in_later)
{
	has(&behind, 0, 0x1000, false);
	cr_assert(zero(int, pci_host_place(host, &taken)));
	cr_assert(window_is(port, PCI_MEMORY_BASE, PCI_MEMORY_LIMIT, 2 * MIB));
	cr_assert(window_is(empty, PCI_MEMORY_BASE, PCI_MEMORY_LIMIT, 2 * MIB));
	cr_assert(window_is(empty, PCI_PREF_MEMORY_BASE, PCI_PREF_MEMORY_LIMIT, 2 * MIB));
	cr_assert(ne(u32, pci_get16(port, PCI_MEMORY_BASE), pci_get16(empty, PCI_MEMORY_BASE)));
}

Test(pci_place, room_for_later_gives_way_to_what_is_there)
{
	has(&func, 0, MEM_SIZE / 2, false);
	has(&func, 1, MEM_SIZE / 4, false);
	has(&behind, 0, MEM_SIZE / 8, false);
	has(&behind, 1, 0x1000, false);
	cr_assert(zero(int, pci_host_place(host, &taken)));
	keep_all();
	cr_assert(ne(u64, behind.bars[0].at, 0));
	cr_assert(ne(u64, behind.bars[1].at, 0));
	cr_assert(gt(u32, pci_get16(empty, PCI_MEMORY_BASE), pci_get16(empty, PCI_MEMORY_LIMIT)),
	          "closed");
}

Test(pci_place, what_does_not_fit_has_no_address_and_is_counted)
{
	has(&func, 0, MEM_SIZE / 2, false);
	has(&func, 1, MEM_SIZE, false);
	cr_assert(eq(int, pci_host_place(host, &taken), -ENOSPC));
	cr_assert(eq(u64, taken.mem32, MEM_SIZE + MEM_SIZE / 2 + 2 * 0x10000),
	          "and ports have BARs");
	cr_assert(zero(u32, bar32(&func, 0)));
	cr_assert(zero(u32, bar32(&func, 1)));
}

Test(pci_place, the_window_above_may_be_too_small_as_well)
{
	has(&func, 0, 2 * HIGH_SIZE, true);
	cr_assert(eq(int, pci_host_place(host, &taken), -ENOSPC));
	cr_assert(eq(u64, taken.mem64, 3 * HIGH_SIZE), "its place is a multiple of its size");
}

/* A ROM is no part of what is spare, as Linux counts it. */
Test(pci_place, a_rom_behind_a_port_fits_beside_the_rest)
{
	has(&behind, 0, 2 * MIB, false);
	has(&behind, PCI_ROM_BAR, MIB, false);
	cr_assert(zero(int, pci_host_place(host, &taken)));
	cr_assert(window_is(port, PCI_MEMORY_BASE, PCI_MEMORY_LIMIT, 3 * MIB));
	cr_assert(eq(u32, pci_get32(&behind, PCI_ROM_ADDRESS), MEM_BUS + 2 * MIB));
}

Test(pci_place, a_gap_is_filled_by_what_fits_into_it)
{
	has(&behind, 0, 4 * MIB, false);
	has(&behind, 1, MIB, false); /* a window of 5 */
	has(&func, 0, 4 * MIB, false);
	has(&func, 1, MIB, false);
	cr_assert(zero(int, pci_host_place(host, &taken)));
	cr_assert(eq(u32, bar32(&behind, 0), MEM_BUS));
	cr_assert(eq(u32, bar32(&behind, 1), MEM_BUS + 4 * MIB));
	cr_assert(eq(u32, bar32(&func, 0), MEM_BUS + 8 * MIB));
	cr_assert(eq(u32, pci_get16(empty, PCI_MEMORY_BASE) << 16, MEM_BUS + 5 * MIB));
	cr_assert(eq(u32, bar32(&func, 1), MEM_BUS + 7 * MIB));
}

Test(pci_place, a_bar_keeps_its_kind_and_its_whole_address)
{
	has(&func, 2, 16 * MIB, true);
	cr_assert(zero(int, pci_host_place(host, &taken)));
	cr_assert(eq(u32, pci_get32(&func, BAR(2)) & 0xf,
	             PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH));
	cr_assert(eq(u64, bar64(&func, 2), HIGH));
}
