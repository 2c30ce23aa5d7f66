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
	struct place {
		unsigned int bar;
		u64 at; /* bytes from its base */
	} table_at, pending_at;
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

static u64 address(const struct pci_msix *m, unsigned int vector)
{
	return entry(m, vector, PCI_MSIX_ENTRY_LOWER_ADDR) |
	       (u64)entry(m, vector, PCI_MSIX_ENTRY_UPPER_ADDR) << 32;
}

static void send(struct pci_msix *m, unsigned int vector)
{
	pci_message_send(m->f, &m->routes[vector], address(m, vector),
	                 entry(m, vector, PCI_MSIX_ENTRY_DATA));
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

	if (vector >= m->nr || masked(m, vector))
		return -1;
	return pci_message_fd(f, &m->routes[vector], address(m, vector),
	                      entry(m, vector, PCI_MSIX_ENTRY_DATA));
}

bool pci_msix_is_masked(const struct pci_func *f, unsigned int vector)
{
	return masked(f->msix, vector);
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

void pci_msix_control_written(struct pci_func *f, unsigned int offset, unsigned int size)
{
	struct pci_msix *m = f->msix;

	if (!m || offset >= m->cap + PCI_CAP_MSIX_SIZEOF || offset + size <= m->cap)
		return;
	if (pci_msix_enabled(f))
		pci_set_intx(f, false); /* 6.1.4.3: its pin is not driven */
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

unsigned int pci_msix_size(const struct pci_func *f)
{
	return f->msix->nr;
}

/* Whether bytes of @bar are in what is @len long at @p, and where there. */
static bool is_in(const struct place *p, u64 len, unsigned int bar, u64 offset, unsigned int size,
                  u64 *at)
{
	*at = offset - p->at;
	return bar == p->bar && *at < len && size <= len - *at;
}

static u64 table_size(const struct pci_msix *m)
{
	return m->nr * PCI_MSIX_ENTRY_SIZE;
}

static u64 pending_size(const struct pci_msix *m)
{
	return ALIGN_UP(m->nr, 64) / 8;
}

bool pci_msix_read(const struct pci_func *f, unsigned int bar, u64 offset, unsigned int size,
                   u64 *val)
{
	const struct pci_msix *m = f->msix;
	u64 at, raw = 0;

	if (m && is_in(&m->table_at, table_size(m), bar, offset, size, &at))
		memcpy(&raw, m->table + at, size);
	else if (m && is_in(&m->pending_at, pending_size(m), bar, offset, size, &at))
		memcpy(&raw, m->pending + at, size);
	else
		return false;
	*val = le64toh(raw);
	return true;
}

/* Whole aligned words only (7.7.2); the pending bits are read-only (7.7.2.9). */
bool pci_msix_write(struct pci_func *f, unsigned int bar, u64 offset, unsigned int size, u64 val)
{
	struct pci_msix *m = f->msix;
	u64 at;

	if (!m)
		return false;
	if (!is_in(&m->table_at, table_size(m), bar, offset, size, &at))
		return is_in(&m->pending_at, pending_size(m), bar, offset, size, &at);
	if (size < 4 || at % size)
		return true;
	val = htole64(val);
	memcpy(m->table + at, &val, size);
	vector_written(m, at / PCI_MSIX_ENTRY_SIZE);
	return true;
}

static u64 bar_read(void *dev, u64 offset, unsigned int size)
{
	const struct pci_msix *m = dev;
	u64 val = 0;

	pci_msix_read(m->f, m->table_at.bar, offset, size, &val);
	return val;
}

static void bar_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct pci_msix *m = dev;

	pci_msix_write(m->f, m->table_at.bar, offset, size, val);
}

static const struct mmio_ops bar_ops = {
	.name = "msix",
	.read = bar_read,
	.write = bar_write,
};

static void msix_free(struct pci_msix *m)
{
	free(m->routes);
	free(m->pending);
	free(m->table);
	free(m);
}

static struct place place_in(const struct pci_func *f, unsigned int reg)
{
	const u32 val = pci_get32(f, reg);

	return (struct place){ val & PCI_MSIX_TABLE_BIR, val & PCI_MSIX_TABLE_OFFSET };
}

/* The capability at @cap says how many there are and where. */
int pci_msix_take(struct pci_func *f, unsigned int cap)
{
	const unsigned int nr = (pci_get16(f, cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE) + 1;
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
	m->cap = cap;
	m->table_at = place_in(f, cap + PCI_MSIX_TABLE);
	m->pending_at = place_in(f, cap + PCI_MSIX_PBA);
	clear_table(m);
	pci_allow16(f, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	f->msix = m;
	pci_messages_follow(f);
	return 0;
}

int pci_msix_add(struct pci_func *f, unsigned int bar, unsigned int nr)
{
	const unsigned int cap = pci_cap_add(f, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	int err;

	pci_set16(f, cap + PCI_MSIX_FLAGS, nr - 1);
	pci_set32(f, cap + PCI_MSIX_TABLE, bar);
	pci_set32(f, cap + PCI_MSIX_PBA, PBA_OFFSET | bar);
	err = pci_msix_take(f, cap);
	if (!err)
		pci_bar_add(f, bar,
		            &(struct pci_bar){
				    .size = MSIX_BAR_SIZE, .ops = &bar_ops, .dev = f->msix });
	return err;
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
	pci_messages_leave(f);
}
