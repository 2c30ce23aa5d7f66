/* SPDX-License-Identifier: GPL-2.0-only */
/* Driving virtio-blk: discovery, initialisation, and requests of one sector. */
#include "virtio.h"

enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_ISR = 3, CFG_DEVICE = 4 };

static u64 structure(const struct blk *b, unsigned int cap)
{
	u64 at = pci_config(b->rid) + cap;

	return pci_bar(b->rid, read8(at + 4)) + read32(at + 8);
}

void blk_map(struct blk *b)
{
	unsigned int cap = 0;

	while ((cap = pci_capability(b->rid, PCI_CAP_VENDOR, cap))) {
		u8 type = read8(pci_config(b->rid) + cap + 3);
		u64 *const where[] = { [CFG_COMMON] = &b->common,
			               [CFG_NOTIFY] = &b->notify,
			               [CFG_ISR] = &b->isr,
			               [CFG_DEVICE] = &b->config };

		if (type < ARRAY_SIZE(where) && where[type])
			*where[type] = structure(b, cap);
	}
	msix_find(&b->msix, b->rid);
}

void blk_find(struct blk *b)
{
	b->rid = 0;
	b->vector = NO_VECTOR;
	check(pci_find(0x1af4, 0x1042, &b->rid), "no virtio-blk function");
	pci_enable(b->rid);
	blk_map(b);
	check(b->common && b->notify && b->isr && b->config, "a virtio structure is missing");
}

bool blk_reset(struct blk *b)
{
	write8(b->common + COMMON_STATUS, 0);
	return wait_for(read8(b->common + COMMON_STATUS) == 0, LONG);
}

bool blk_negotiate(struct blk *b, u64 features)
{
	const u8 wanted = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;

	if (!blk_reset(b))
		return false;
	memset(&b->ring, 0, sizeof(b->ring));
	write8(b->common + COMMON_STATUS, STATUS_ACKNOWLEDGE);
	write8(b->common + COMMON_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	for (unsigned int i = 0; i < 2; i++) {
		write32(b->common + COMMON_GFSELECT, i);
		write32(b->common + COMMON_GF, (features | F_VERSION_1) >> i * 32);
	}
	write8(b->common + COMMON_STATUS, wanted);
	return read8(b->common + COMMON_STATUS) == wanted;
}

/* 4.1.3.1: a field of 64 bits is written by halves. */
static void write_field64(u64 at, u64 val)
{
	write32(at, val);
	write32(at + 4, val >> 32);
}

void blk_set_queue(struct blk *b, u64 desc, u64 avail, u64 used)
{
	write16(b->common + COMMON_QUEUE_SELECT, 0);
	write16(b->common + COMMON_QUEUE_SIZE, QUEUE_SIZE);
	write_field64(b->common + COMMON_QUEUE_DESC, desc);
	write_field64(b->common + COMMON_QUEUE_AVAIL, avail);
	write_field64(b->common + COMMON_QUEUE_USED, used);
	write16(b->common + COMMON_QUEUE_VECTOR, b->vector);
	write16(b->common + COMMON_QUEUE_ENABLE, 1);
}

void blk_go(struct blk *b)
{
	write8(b->common + COMMON_STATUS,
	       STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

bool blk_start(struct blk *b, u64 features)
{
	if (!blk_negotiate(b, features))
		return false;
	blk_set_queue(b, (u64)b->ring.desc, (u64)&b->ring.avail, (u64)&b->ring.used);
	blk_go(b);
	return true;
}

void blk_kick(struct blk *b)
{
	barrier();
	write16(b->notify, 0);
}

void blk_offer(struct blk *b, u16 head)
{
	b->ring.avail.ring[b->ring.avail.idx % QUEUE_SIZE] = head;
	barrier();
	b->ring.avail.idx++;
	blk_kick(b);
}

void blk_submit(struct blk *b, u32 type, u64 sector)
{
	const u16 data_flags = DESC_NEXT | (type == BLK_IN ? DESC_WRITE : 0);

	b->header = (struct blk_header){ .type = type, .sector = sector };
	b->status = NO_STATUS;
	b->ring.desc[0] = (struct desc){ (u64)&b->header, sizeof(b->header), DESC_NEXT, 1 };
	b->ring.desc[1] = (struct desc){ (u64)b->data, sizeof(b->data), data_flags, 2 };
	b->ring.desc[2] = (struct desc){ (u64)&b->status, 1, DESC_WRITE, 0 };
	blk_offer(b, 0);
}

bool blk_done(const struct blk *b)
{
	u16 used = *(const volatile u16 *)&b->ring.used.idx;

	barrier();
	return used == b->ring.avail.idx;
}

u8 blk_request(struct blk *b, u32 type, u64 sector)
{
	blk_submit(b, type, sector);
	check(wait_for(blk_done(b), LONG), "a request does not come back");
	return *(volatile u8 *)&b->status;
}
