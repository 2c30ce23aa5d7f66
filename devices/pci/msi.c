// SPDX-License-Identifier: GPL-2.0-only
/* MSI: one address, and a value whose low bits are the vector (PCIe 6.0, 6.1.4, 7.7.1). */
#include "devices/pci/private.h"

#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#define MAX_LOG2    5
#define MAX_VECTORS (1 << MAX_LOG2)
static_assert(MAX_VECTORS <= IRQ_MAX_TOGETHER);

struct pci_msi {
	struct pci_func *f;
	unsigned int cap, log2; /* of how many there are */
	bool wide, maskable;    /* 64-bit addresses; each vector has a mask and a pending bit */
	u32 pending;            /* what the register says, where there is one */
	struct irq_route routes[MAX_VECTORS];
};

/* What is behind the address depends on how long that is (7.7.1.1). */
static unsigned int data_at(const struct pci_msi *m)
{
	return m->cap + (m->wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32);
}

static unsigned int mask_at(const struct pci_msi *m)
{
	return m->cap + (m->wide ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32);
}

static unsigned int pending_at(const struct pci_msi *m)
{
	return m->cap + (m->wide ? PCI_MSI_PENDING_64 : PCI_MSI_PENDING_32);
}

/* What the guest allows beyond what there is is reserved (7.7.1.2): all there is. */
unsigned int pci_msi_enabled(const struct pci_func *f)
{
	u16 control = f->msi ? pci_get16(f, f->msi->cap + PCI_MSI_FLAGS) : 0;
	unsigned int log2 = FIELD_GET(PCI_MSI_FLAGS_QSIZE, control);

	if (!(control & PCI_MSI_FLAGS_ENABLE))
		return 0;
	return 1u << (log2 < f->msi->log2 ? log2 : f->msi->log2);
}

/* A message is a memory write: none without Bus Master Enable. It waits then, as if masked. */
static bool masked(const struct pci_msi *m, unsigned int vector)
{
	if (!pci_is_master(m->f))
		return true;
	return m->maskable && pci_get32(m->f, mask_at(m)) & BIT(vector);
}

static void set_pending(struct pci_msi *m, u32 pending)
{
	m->pending = pending;
	if (m->maskable)
		pci_set32(m->f, pending_at(m), pending);
}

static u64 address(const struct pci_msi *m)
{
	u64 high = m->wide ? pci_get32(m->f, m->cap + PCI_MSI_ADDRESS_HI) : 0;

	return pci_get32(m->f, m->cap + PCI_MSI_ADDRESS_LO) | high << 32;
}

static u32 value(const struct pci_msi *m, unsigned int vector)
{
	return (pci_get16(m->f, data_at(m)) & ~(pci_msi_enabled(m->f) - 1)) | vector;
}

static void send(struct pci_msi *m, unsigned int vector)
{
	pci_message_send(m->f, &m->routes[vector], address(m), value(m, vector));
}

int pci_msi_fd(struct pci_func *f, unsigned int vector)
{
	struct pci_msi *m = f->msi;

	if (vector >= pci_msi_enabled(f) || masked(m, vector))
		return -1;
	return pci_message_fd(f, &m->routes[vector], address(m), value(m, vector));
}

void pci_msi_raise(struct pci_func *f, unsigned int vector)
{
	struct pci_msi *m = f->msi;

	if (vector >= pci_msi_enabled(f))
		return;
	if (masked(m, vector))
		set_pending(m, m->pending | BIT(vector));
	else
		send(m, vector);
}

/* KVM has one table for all functions, which is told anew for each change: so all vectors are one.
 * What fails is tried by each alone. */
static void route_all(struct pci_msi *m)
{
	struct irq_route *routes[MAX_VECTORS];
	u32 values[MAX_VECTORS];
	unsigned int nr = 0;

	for (unsigned int vector = 0; vector < pci_msi_enabled(m->f); vector++) {
		if (masked(m, vector))
			continue;
		routes[nr] = &m->routes[vector];
		values[nr++] = value(m, vector);
	}
	if (nr > 1)
		pci_message_routes(m->f, routes, nr, address(m), values);
}

/* What became pending while masked is sent once it no longer is. */
void pci_msi_unmask(struct pci_func *f)
{
	struct pci_msi *m = f->msi;

	if (m && f->vector_changed)
		route_all(m);
	for (unsigned int i = 0; f->vector_changed && i < pci_msi_enabled(f); i++)
		f->vector_changed(f, i);
	for (unsigned int vector = 0; m && m->pending && vector < MAX_VECTORS; vector++) {
		if (!(m->pending & BIT(vector)) || masked(m, vector))
			continue;
		set_pending(m, m->pending & ~BIT(vector));
		if (vector < pci_msi_enabled(f))
			send(m, vector);
	}
}

void pci_msi_written(struct pci_func *f, unsigned int offset, unsigned int size)
{
	struct pci_msi *m = f->msi;

	if (!m || offset >= pending_at(m) || offset + size <= m->cap)
		return;
	if (pci_msi_enabled(f))
		pci_set_intx(f, false); /* 6.1.4: its interrupts are messages now */
	pci_msi_unmask(f);
}

void pci_msi_reset(struct pci_func *f)
{
	if (f->msi)
		set_pending(f->msi, 0);
}

/* The capability at @cap says how many there are and how its registers lie. */
int pci_msi_take(struct pci_func *f, unsigned int cap)
{
	const u16 control = pci_get16(f, cap + PCI_MSI_FLAGS);
	const unsigned int log2 = FIELD_GET(PCI_MSI_FLAGS_QMASK, control);
	struct pci_msi *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	*m = (struct pci_msi){
		.f = f,
		.cap = cap,
		.wide = control & PCI_MSI_FLAGS_64BIT,
		.maskable = control & PCI_MSI_FLAGS_MASKBIT,
		.log2 = log2 <= MAX_LOG2 ? log2 : MAX_LOG2, /* more is reserved (7.7.1.2) */
	};
	pci_allow16(f, cap + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	pci_allow32(f, cap + PCI_MSI_ADDRESS_LO, ~3u);
	if (m->wide)
		pci_allow32(f, cap + PCI_MSI_ADDRESS_HI, ~0u);
	pci_allow16(f, data_at(m), 0xffff);
	if (m->maskable)
		pci_allow32(f, mask_at(m), GENMASK(BIT(m->log2) - 1, 0));
	f->msi = m;
	pci_messages_follow(f);
	return 0;
}

int pci_msi_add(struct pci_func *f, unsigned int nr, bool maskable)
{
	u16 control = PCI_MSI_FLAGS_64BIT | (maskable ? PCI_MSI_FLAGS_MASKBIT : 0);
	unsigned int cap;

	assert(nr && nr <= MAX_VECTORS && !(nr & (nr - 1)));
	cap = pci_cap_add(f, PCI_CAP_ID_MSI, maskable ? PCI_MSI_PENDING_64 + 4 : PCI_MSI_MASK_64);
	control |= FIELD_PREP(PCI_MSI_FLAGS_QMASK, __builtin_ctz(nr));
	pci_set16(f, cap + PCI_MSI_FLAGS, control);
	return pci_msi_take(f, cap);
}

void pci_msi_remove(struct pci_func *f)
{
	struct pci_msi *m = f->msi;

	if (!m)
		return;
	for (unsigned int i = 0; i < MAX_VECTORS; i++)
		irq_route_clear(f->bus->host->vm->irq, &m->routes[i]);
	free(m);
	f->msi = NULL;
	pci_messages_leave(f);
}
