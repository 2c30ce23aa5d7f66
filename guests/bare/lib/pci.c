/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding functions, placing BARs, walking capabilities, programming MSI-X
 * (PCIe 6.0, 7.5, 7.7.2). */
#include "pci.h"

bool pci_find(u16 vendor, u16 device, u32 *rid)
{
	for (; *rid < 256; ++*rid)
		if (read32(pci_config(*rid)) == (vendor | (u32)device << 16))
			return true;
	return false;
}

u32 pci_bar_size(u32 rid, unsigned int bar)
{
	u64 at = pci_config(rid) + PCI_BAR0 + bar * 4;
	u32 old = read32(at), mask;

	write32(at, ~0u);
	mask = read32(at) & ~0xfu;
	write32(at, old);
	return mask ? -mask : 0;
}

static bool is_64(u32 low)
{
	return (low & 6) == 4;
}

u64 pci_bar(u32 rid, unsigned int bar)
{
	u64 at = pci_config(rid) + PCI_BAR0 + bar * 4;
	u32 low = read32(at);

	return (low & ~0xfu) | (is_64(low) ? (u64)read32(at + 4) << 32 : 0);
}

unsigned int pci_capability(u32 rid, u8 id, unsigned int after)
{
	u64 config = pci_config(rid);
	unsigned int at = read8(after ? config + after + 1 : config + 0x34);

	for (unsigned int n = 0; at && n < 64; n++, at = read8(config + at + 1))
		if (read8(config + at) == id)
			return at;
	return 0;
}

void pci_enable(u32 rid)
{
	u64 config = pci_config(rid), next = PCI_WINDOW + ((u64)(rid + 1) << 20);
	unsigned int pm = pci_capability(rid, PCI_CAP_PM, 0);

	if (pm)
		write16(config + pm + 4, 0); /* D0 */
	write16(config + PCI_COMMAND, 0);
	for (unsigned int bar = 0; bar < 6; bar++) {
		u64 size = pci_bar_size(rid, bar);

		if (!size)
			continue;
		next = (next + size - 1) & -size;
		write32(config + PCI_BAR0 + bar * 4, next);
		next += size;
		if (is_64(read32(config + PCI_BAR0 + bar * 4)))
			write32(config + PCI_BAR0 + ++bar * 4, 0);
	}
	write16(config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void msix_find(struct msix *m, u32 rid)
{
	unsigned int cap = pci_capability(rid, PCI_CAP_MSIX, 0);
	u32 table = read32(pci_config(rid) + cap + 4), pending = read32(pci_config(rid) + cap + 8);

	check(cap, "no MSI-X capability");
	m->control = pci_config(rid) + cap + 2;
	m->nr = (read16(m->control) & 0x7ff) + 1;
	m->table = pci_bar(rid, table & 7) + (table & ~7u);
	m->pending = pci_bar(rid, pending & 7) + (pending & ~7u);
}

void msix_set(const struct msix *m, unsigned int vector, u64 addr, u32 data)
{
	u64 entry = m->table + vector * 16;

	write32(entry, addr);
	write32(entry + 4, addr >> 32);
	write32(entry + 8, data);
}

void msix_mask(const struct msix *m, unsigned int vector, bool masked)
{
	write32(m->table + vector * 16 + 12, masked);
}

void msix_control(const struct msix *m, u16 set)
{
	write16(m->control, set);
}
