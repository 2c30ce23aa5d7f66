// SPDX-License-Identifier: GPL-2.0-only
/* MSI-X: the vector table, its pending bits, and the messages they become
 * (PCIe 6.0, 6.1.4, 7.7.2). */
#include "devices/pci/private.h"

#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#define MSIX_BAR_SIZE 0x10000 /* room for 2048 vectors and their bits */
#define PBA_OFFSET    0x8000

struct pci_msix {
	struct pci_func *f;
	unsigned int cap, nr;
	u8 *table; /* nr * PCI_MSIX_ENTRY_SIZE, as the guest wrote it */
	u8 *pending;
	struct irq_route *routes;
};

static u32 entry(const struct pci_msix *m, unsigned int vector, unsigned int field)
{
	u32 val;

	memcpy(&val, m->table + vector * PCI_MSIX_ENTRY_SIZE + field, sizeof(val));
	return le32toh(val);
}

/* A message is a memory write: none without Bus Master Enable (7.5.1.1.3). It waits then, as if
 * masked: a device of ours loses no interrupt over it. */
static bool masked(const struct pci_msix *m, unsigned int vector)
{
	u16 control = pci_get16(m->f, m->cap + PCI_MSIX_FLAGS);

	return !pci_is_master(m->f) || !(control & PCI_MSIX_FLAGS_ENABLE) ||
	       control & PCI_MSIX_FLAGS_MASKALL ||
	       entry(m, vector, PCI_MSIX_ENTRY_VECTOR_CTRL) & PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

/* What the vector sends, where its IOMMU lets it arrive; false: that lets it arrive nowhere. */
static bool message(const struct pci_msix *m, unsigned int vector, struct irq_msg *msg)
{
	u64 addr = entry(m, vector, PCI_MSIX_ENTRY_LOWER_ADDR) |
	           (u64)entry(m, vector, PCI_MSIX_ENTRY_UPPER_ADDR) << 32;

	return pci_message(m->f, addr, entry(m, vector, PCI_MSIX_ENTRY_DATA), msg);
}

static void send(struct pci_msix *m, unsigned int vector)
{
	struct irq_msg msg;

	if (message(m, vector, &msg))
		pci_message_send(m->f, &m->routes[vector], &msg);
}

void pci_msix_raise(struct pci_func *f, unsigned int vector)
{
	struct pci_msix *m = f->msix;

	if (vector >= m->nr)
		return;
	if (masked(m, vector))
		m->pending[vector / 8] |= 1 << vector % 8;
	else
		send(m, vector);
}

int pci_msix_fd(struct pci_func *f, unsigned int vector)
{
	struct pci_msix *m = f->msix;
	struct vm *vm = f->bus->host->vm;
	struct irq_msg msg;

	if (vector >= m->nr || masked(m, vector) || !message(m, vector, &msg))
		return -1;
	if (guest_ptr(&vm->mem, msg.addr, sizeof(msg.data)) ||
	    irq_route_set(vm->irq, &m->routes[vector], &msg))
		return -1;
	return m->routes[vector].fd;
}

bool pci_msix_enabled(const struct pci_func *f)
{
	return f->msix && pci_get16(f, f->msix->cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE;
}

/* What became pending while masked is sent once it no longer is. */
static void vector_written(struct pci_msix *m, unsigned int vector)
{
	u8 bit = 1 << vector % 8;

	if (m->f->vector_changed)
		m->f->vector_changed(m->f, vector);
	if (!(m->pending[vector / 8] & bit) || masked(m, vector))
		return;
	m->pending[vector / 8] &= ~bit;
	send(m, vector);
}

void pci_msix_unmask(struct pci_func *f)
{
	for (unsigned int vector = 0; f->msix && vector < f->msix->nr; vector++)
		vector_written(f->msix, vector);
}

/* Where messages arrive has changed: whoever sends them by a route is told. */
static void messages_changed(struct dma_messages *messages)
{
	pci_msix_unmask(container_of(messages, struct pci_func, messages));
}

void pci_msix_control_written(struct pci_func *f, unsigned int offset, unsigned int size)
{
	struct pci_msix *m = f->msix;

	if (!m || offset >= m->cap + PCI_CAP_MSIX_SIZEOF || offset + size <= m->cap)
		return;
	if (pci_msix_enabled(f))
		pci_set_intx(
			f, false); /* 6.1.4.3: a function that uses MSI-X does not drive its pin */
	pci_msix_unmask(f);
}

void pci_msix_forget(struct pci_func *f)
{
	struct pci_msix *m = f->msix;

	if (m)
		memset(m->pending, 0, ALIGN_UP(m->nr, 64) / 8);
}

/* 7.7.2.8: masked out of reset. */
static void clear_table(struct pci_msix *m)
{
	memset(m->table, 0, m->nr * PCI_MSIX_ENTRY_SIZE);
	for (unsigned int i = 0; i < m->nr; i++)
		m->table[i * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL] =
			PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

void pci_msix_reset(struct pci_func *f)
{
	if (!f->msix)
		return;
	pci_msix_forget(f);
	clear_table(f->msix);
	pci_msix_unmask(f); /* whoever raises them is told that they are masked now */
}

static u64 table_read(void *dev, u64 offset, unsigned int size)
{
	struct pci_msix *m = dev;
	u64 val = 0;

	if (offset < m->nr * PCI_MSIX_ENTRY_SIZE)
		memcpy(&val, m->table + offset, size);
	else if (offset >= PBA_OFFSET && offset - PBA_OFFSET + size <= ALIGN_UP(m->nr, 64) / 8)
		memcpy(&val, m->pending + (offset - PBA_OFFSET), size);
	return le64toh(val);
}

/* Whole aligned words only (7.7.2); the pending bits are read-only (7.7.2.9). */
static void table_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct pci_msix *m = dev;

	if (size < 4 || offset % size || offset >= m->nr * PCI_MSIX_ENTRY_SIZE)
		return;
	val = htole64(val);
	memcpy(m->table + offset, &val, size);
	vector_written(m, offset / PCI_MSIX_ENTRY_SIZE);
}

static const struct mmio_ops table_ops = {
	.name = "msix",
	.read = table_read,
	.write = table_write,
};

static void msix_free(struct pci_msix *m)
{
	free(m->routes);
	free(m->pending);
	free(m->table);
	free(m);
}

int pci_msix_add(struct pci_func *f, unsigned int bar, unsigned int nr)
{
	struct pci_msix *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->table = calloc(nr, PCI_MSIX_ENTRY_SIZE);
	m->pending = calloc(ALIGN_UP(nr, 64) / 8, 1);
	m->routes = calloc(nr, sizeof(*m->routes));
	if (!m->table || !m->pending || !m->routes) {
		msix_free(m);
		return -ENOMEM;
	}
	m->f = f;
	m->nr = nr;
	clear_table(m);
	m->cap = pci_cap_add(f, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	pci_set16(f, m->cap + PCI_MSIX_FLAGS, nr - 1);
	pci_allow16(f, m->cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_set32(f, m->cap + PCI_MSIX_TABLE, bar);
	pci_set32(f, m->cap + PCI_MSIX_PBA, PBA_OFFSET | bar);
	pci_bar_add(f, bar,
	            &(struct pci_bar){ .size = MSIX_BAR_SIZE, .ops = &table_ops, .dev = m });
	f->msix = m;
	f->messages.changed = messages_changed;
	if (f->dma != &f->bus->host->vm->dma) /* which is everyone's, and never changes */
		f->dma->messages = &f->messages;
	return 0;
}

void pci_msix_remove(struct pci_func *f)
{
	struct pci_msix *m = f->msix;

	if (!m)
		return;
	for (unsigned int i = 0; i < m->nr; i++)
		irq_route_clear(f->bus->host->vm->irq, &m->routes[i]);
	msix_free(m);
	f->msix = NULL;
	if (f->dma->messages == &f->messages)
		f->dma->messages = NULL;
}
