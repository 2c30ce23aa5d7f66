/* SPDX-License-Identifier: GPL-2.0-only */
/* Driving the DMA endpoint's page-request mailbox (docs/vpri.md). */
#include "mailbox.h"

enum { EXT_DVSEC = 0x23, CREDITS = 32 };

static volatile u64 ring[MB_ENTRIES][2] __attribute__((aligned(4096)));

void mailbox_enable_pri(const struct mailbox *m)
{
	write16(m->pri + 4, 0);
	write16(m->pri + 4, 2);
	write32(m->pri + 12, CREDITS);
	write16(m->pri + 4, 1);
}

void mailbox_find(struct mailbox *m, const struct dma_test *d)
{
	m->at = pci_ext_capability(d->rid, EXT_DVSEC);
	m->pri = pci_ext_capability(d->rid, EXT_PRI);
	check(m->at && m->pri, "no DVSEC, or no PRI");
	check(read32(m->at + 4) == (0x1af4 | 1 << 16 | MB_SIZE << 20), "DVSEC %x",
	      read32(m->at + 4));
	check(read32(m->at + 8) == (0x7072 | 8 << 16), "DVSEC ID %x", read32(m->at + 8));
	m->ring = ring;
	mailbox_enable_pri(m);
}

void mailbox_start(struct mailbox *m, u64 iova, unsigned int log2, u16 control)
{
	write16(m->at + MB_CONTROL, 0);
	for (unsigned int i = 0; i < MB_ENTRIES; i++)
		ring[i][0] = ring[i][1] = 0;
	m->ring_at = iova;
	m->entries = 1u << log2;
	m->read = 0;
	write32(m->at + MB_RING, (u32)iova | log2);
	write32(m->at + MB_RING_HIGH, iova >> 32);
	barrier();
	write16(m->at + MB_CONTROL, control | MB_ENABLE);
	check(read16(m->at + MB_CONTROL) == (control | MB_ENABLE), "it is not enabled");
}

bool mailbox_take(struct mailbox *m, u64 *entry)
{
	volatile u64 *at = m->ring[m->read % m->entries];
	const bool phase = !(m->read / m->entries % 2);

	if (!!(at[1] & MB_PHASE) != phase)
		return false;
	barrier();
	entry[0] = at[0];
	entry[1] = at[1];
	m->read++;
	return true;
}

void mailbox_answer(const struct mailbox *m, u64 name, u32 code)
{
	barrier();
	write32(m->at + MB_RESPONSE, (u32)name | code << 30);
}

u32 mailbox_name(u32 pasid, u16 group)
{
	return (u32)group << 21 | (pasid == MB_NO_PASID ? 0 : 1u << 20 | pasid);
}

u16 mailbox_pri_status(const struct mailbox *m)
{
	return read16(m->pri + 6) & 0x103;
}
