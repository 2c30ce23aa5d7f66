// SPDX-License-Identifier: GPL-2.0-only
/* BARs: their registers, and where they are decoded as the guest moves them. */
#include "devices/pci/private.h"

#include <linux/pci_regs.h>

static unsigned int bar_register(unsigned int nr)
{
	return nr == PCI_ROM_BAR ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS_0 + nr * 4;
}

/* 7.5.1.2.1: the low bits say what it is; those below its size are not writable. A ROM is decoded
 * if it says so itself, too (7.5.1.2.4). */
void pci_bar_add(struct pci_func *f, unsigned int nr, const struct pci_bar *bar)
{
	u64 mask = ~(bar->size - 1);

	f->bars[nr] = *bar;
	pci_set32(f, bar_register(nr),
	          (bar->is_64 ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0) |
	                  (bar->prefetch ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0));
	pci_allow32(f, bar_register(nr), mask | (nr == PCI_ROM_BAR ? PCI_ROM_ADDRESS_ENABLE : 0));
	if (bar->is_64)
		pci_allow32(f, bar_register(nr + 1), mask >> 32);
}

void pci_bar_put(struct pci_func *f, unsigned int nr, u64 at)
{
	const u32 kind = pci_get32(f, bar_register(nr)) & ~(u32)PCI_BASE_ADDRESS_MEM_MASK;

	pci_set32(f, bar_register(nr), (u32)at | kind);
	if (f->bars[nr].is_64)
		pci_set32(f, bar_register(nr + 1), at >> 32);
}

static void unmap_bar(struct pci_func *f, struct pci_bar *bar)
{
	gpa_t from = bar->at;

	if (!from)
		return;
	mmio_remove(&f->bus->host->vm->mmio, from);
	bar->at = 0;
	if (bar->moved)
		bar->moved(f, from, 0);
}

static void map_bar(struct pci_func *f, struct pci_bar *bar, gpa_t to)
{
	struct vm *vm = f->bus->host->vm;
	struct mmio_region region = {
		.base = to,
		.size = bar->size,
		.ops = bar->ops,
		.dev = bar->dev,
	};

	/* Refused where the guest puts one BAR over another: until that one has gone. */
	if (mmio_add(&vm->mmio, &region))
		return;
	trace(vm->log, TRACE_PCI, "%s: BAR %u at %#llx", f->name, (unsigned int)(bar - f->bars),
	      (unsigned long long)to);
	bar->at = to;
	if (bar->moved)
		bar->moved(f, 0, to);
}

/* Decoded while memory space is enabled and the address is one that is
 * forwarded here (7.5.1.1.3). */
static gpa_t wanted_at(const struct pci_func *f, unsigned int nr)
{
	u64 at;

	if (!f->bars[nr].size || pci_is_asleep(f) ||
	    !(pci_get16(f, PCI_COMMAND) & PCI_COMMAND_MEMORY))
		return 0;
	at = pci_get32(f, bar_register(nr));
	if (nr == PCI_ROM_BAR && !(at & PCI_ROM_ADDRESS_ENABLE))
		return 0;
	at &= nr == PCI_ROM_BAR ? PCI_ROM_ADDRESS_MASK : PCI_BASE_ADDRESS_MEM_MASK;
	if (f->bars[nr].is_64)
		at |= (u64)pci_get32(f, bar_register(nr + 1)) << 32;
	return pci_bus_decode(f->bus, at, f->bars[nr].size);
}

static void unmap_moved(struct pci_func *f)
{
	for (unsigned int i = 0; i <= PCI_ROM_BAR; i++)
		if (f->bars[i].at != wanted_at(f, i))
			unmap_bar(f, &f->bars[i]);
}

static void map_wanted(struct pci_func *f)
{
	for (unsigned int i = 0; i <= PCI_ROM_BAR; i++) {
		gpa_t to = wanted_at(f, i);

		if (to && !f->bars[i].at)
			map_bar(f, &f->bars[i], to);
	}
}

/* Calls @fn for every function of the host, those behind ports included. */
static void for_each_func(struct pci_host *h, void (*fn)(struct pci_func *f))
{
	for (unsigned int i = 0; i < PCI_NR_DEVICES; i++) {
		struct pci_func *f = h->root.funcs[i];

		if (!f)
			continue;
		fn(f);
		if (f->secondary && f->secondary->funcs[0])
			fn(f->secondary->funcs[0]);
	}
}

/*
 * First away with what has moved, the functions behind a bridge with it, then
 * in with whatever now fits, of any function.
 */
void pci_update_bars(struct pci_func *f)
{
	unmap_moved(f);
	if (f->secondary && f->secondary->funcs[0])
		unmap_moved(f->secondary->funcs[0]);
	for_each_func(f->bus->host, map_wanted);
}

void pci_unmap_bars(struct pci_func *f)
{
	for (unsigned int i = 0; i <= PCI_ROM_BAR; i++)
		unmap_bar(f, &f->bars[i]);
}
