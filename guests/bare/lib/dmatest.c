/* SPDX-License-Identifier: GPL-2.0-only */
/* Driving the DMA endpoint's slots. */
#include "dmatest.h"

#define VENDOR 0x1912
#define DEVICE 0x002d

enum {
	OP = 0x00,
	FLAGS = 0x04,
	IOVA = 0x08,
	IOVA2 = 0x10,
	LENGTH = 0x18,
	PASID = 0x20,
	ARG0 = 0x28,
	ARG1 = 0x30,
	CONTROL = 0x38,
	STATUS = 0x3c,
	DONE = 0x40,
	FAULT = 0x48,
	RESULT = 0x50,
	RESULT2 = 0x58,
	RESULT_PERM = 0x60,
	REASON = 0x64,
};

static u64 slot_at(const struct dma_test *d, unsigned int slot)
{
	return d->regs + 0x1000 + slot * 128;
}

void dma_test_find(struct dma_test *d)
{
	dma_test_find_from(d, 0);
}

void dma_test_find_from(struct dma_test *d, u32 rid)
{
	d->rid = rid;
	check(pci_find(VENDOR, DEVICE, &d->rid), "there is no DMA endpoint");
	pci_enable(d->rid);
	d->regs = pci_bar(d->rid, 1);
	check(read32(d->regs) == 0x54414d44, "ID %x", read32(d->regs));
}

void dma_prepare(const struct dma_test *d, unsigned int slot, const struct dma_op *op)
{
	u64 at = slot_at(d, slot);

	write32(at + OP, op->op);
	write32(at + FLAGS, op->flags);
	write64(at + IOVA, op->iova);
	write64(at + IOVA2, op->iova2);
	write64(at + LENGTH, op->length);
	write32(at + PASID, op->pasid);
	write64(at + ARG0, op->arg0);
	write64(at + ARG1, op->arg1);
}

void dma_start(const struct dma_test *d, unsigned int slot, const struct dma_op *op)
{
	dma_prepare(d, slot, op);
	dma_control(d, slot, DMA_START);
}

unsigned int dma_run_at(const struct dma_test *d, unsigned int slot, u64 iova)
{
	const u64 at = slot_at(d, slot);
	u32 status = 0;

	write64(at + IOVA, iova);
	dma_control(d, slot, DMA_START);
	check(wait_for(((status = read32(at + STATUS)) & 15) == DMA_ENDED, LONG),
	      "slot %u: at %lx it does not end", slot, iova);
	return status >> 4 & 15;
}

void dma_control(const struct dma_test *d, unsigned int slot, u32 what)
{
	barrier();
	write32(slot_at(d, slot) + CONTROL, what);
}

unsigned int dma_state(const struct dma_test *d, unsigned int slot)
{
	return read32(slot_at(d, slot) + STATUS) & 15;
}

unsigned int dma_outcome(const struct dma_test *d, unsigned int slot)
{
	return read32(slot_at(d, slot) + STATUS) >> 4 & 15;
}

u64 dma_fault_at(const struct dma_test *d, unsigned int slot)
{
	return read64(slot_at(d, slot) + FAULT);
}

unsigned int dma_reason(const struct dma_test *d, unsigned int slot)
{
	return read32(slot_at(d, slot) + REASON);
}

u64 dma_done(const struct dma_test *d, unsigned int slot)
{
	return read64(slot_at(d, slot) + DONE);
}

u64 dma_result(const struct dma_test *d, unsigned int slot)
{
	return read64(slot_at(d, slot) + RESULT);
}

u64 dma_range(const struct dma_test *d, unsigned int slot)
{
	return read64(slot_at(d, slot) + RESULT2);
}

u32 dma_granted(const struct dma_test *d, unsigned int slot)
{
	return read32(slot_at(d, slot) + RESULT_PERM);
}

u32 dma_invalidations(const struct dma_test *d)
{
	return read32(d->regs + 0x24);
}

void dma_enable_ats(const struct dma_test *d, bool enable)
{
	const u64 ats = pci_ext_capability(d->rid, EXT_ATS);

	check(ats, "no ATS");
	write16(ats + 6, enable << 15);
}

unsigned int dma_run(const struct dma_test *d, unsigned int slot, const struct dma_op *op)
{
	dma_start(d, slot, op);
	check(wait_for(dma_state(d, slot) == DMA_ENDED, LONG), "slot %u: operation %u does not end",
	      slot, op->op);
	return dma_outcome(d, slot);
}

void dma_enable_pasids(const struct dma_test *d)
{
	const u64 at = pci_ext_capability(d->rid, EXT_PASID);

	check(at && read16(at + 4) >> 8 == 20, "no PASIDs of 20 bits");
	write16(at + 6, 1);
}

u64 dma_pattern(u64 seed)
{
	u64 z = seed + 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

u32 dma_checksum(u64 word)
{
	u32 crc = ~0u;

	for (unsigned int i = 0; i < 64; i++)
		crc = crc >> 1 ^ ((crc ^ word >> i) & 1 ? 0xedb88320 : 0);
	return crc;
}

u64 pci_ext_capability(u32 rid, u16 id)
{
	u32 at = 0x100;

	while (at) {
		u32 header = read32(pci_config(rid) + at);

		if ((header & 0xffff) == id)
			return pci_config(rid) + at;
		at = header >> 20 & ~3u;
	}
	return 0;
}
