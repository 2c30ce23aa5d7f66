/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a virtio device's registers are, and what is written to them. */
#include "transport.h"

#include "virtio.h"

enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_ISR = 3, CFG_DEVICE = 4 };

#define MMIO_BASE   0x03000000UL
#define MMIO_STRIDE 0x200
#define MMIO_SLOTS  32
#define MMIO_VIRT   0x74726976

/* 4.2.2 */
enum {
	MMIO_MAGIC = 0x000,
	MMIO_DEVICE_ID = 0x008,
	MMIO_DRIVER_FEATURES = 0x020,
	MMIO_DRIVER_FEATURES_SEL = 0x024,
	MMIO_QUEUE_SEL = 0x030,
	MMIO_QUEUE_NUM = 0x038,
	MMIO_QUEUE_READY = 0x044,
	MMIO_QUEUE_NOTIFY = 0x050,
	MMIO_STATUS = 0x070,
	MMIO_QUEUE_DESC = 0x080,
	MMIO_QUEUE_DRIVER = 0x090,
	MMIO_QUEUE_DEVICE = 0x0a0,
	MMIO_QUEUE_RESET = 0x0c0,
	MMIO_CONFIG = 0x100,
};

static u64 structure(const struct where *w, unsigned int cap)
{
	u64 at = pci_config(w->rid) + cap;

	return pci_bar(w->rid, read8(at + 4)) + read32(at + 8);
}

void where_map(struct where *w)
{
	unsigned int cap = 0;

	while ((cap = pci_capability(w->rid, PCI_CAP_VENDOR, cap))) {
		u8 type = read8(pci_config(w->rid) + cap + 3);
		u64 *const where[] = { [CFG_COMMON] = &w->common,
			               [CFG_NOTIFY] = &w->notify,
			               [CFG_ISR] = &w->isr,
			               [CFG_DEVICE] = &w->config };

		if (type < ARRAY_SIZE(where) && where[type])
			*where[type] = structure(w, cap);
	}
	msix_find(&w->msix, w->rid);
}

/* Where no device is, an access aborts, and reads nothing. */
static bool find_mmio(struct where *w, u16 type)
{
	u64 found = 0;

	expect_aborts();
	for (unsigned int i = 0; i < MMIO_SLOTS && !found; i++) {
		u64 at = MMIO_BASE + i * MMIO_STRIDE;

		if (read32(at + MMIO_MAGIC) == MMIO_VIRT && read32(at + MMIO_DEVICE_ID) == type)
			found = at;
	}
	expected_aborts();
	w->mmio = found;
	w->config = found + MMIO_CONFIG;
	return found;
}

void where_find(struct where *w, u16 type)
{
	*w = (struct where){ .vector = NO_VECTOR };
	if (!pci_find(0x1af4, 0x1040 + type, &w->rid)) {
		check(find_mmio(w, type), "no virtio device of type %u", type);
		return;
	}
	pci_enable(w->rid);
	where_map(w);
	check(w->common && w->notify && w->isr, "a virtio structure is missing");
}

u8 where_status(const struct where *w)
{
	return w->mmio ? read32(w->mmio + MMIO_STATUS) : read8(w->common + COMMON_STATUS);
}

void where_set_status(const struct where *w, u8 status)
{
	if (w->mmio)
		write32(w->mmio + MMIO_STATUS, status);
	else
		write8(w->common + COMMON_STATUS, status);
}

void where_set_features(const struct where *w, u64 features)
{
	const u64 select = w->mmio ? w->mmio + MMIO_DRIVER_FEATURES_SEL
	                           : w->common + COMMON_GFSELECT;
	const u64 at = w->mmio ? w->mmio + MMIO_DRIVER_FEATURES : w->common + COMMON_GF;

	for (unsigned int i = 0; i < 2; i++) {
		write32(select, i);
		write32(at, features >> i * 32);
	}
}

/* 4.1.3.1: a field of 64 bits is written by halves. */
static void write_field64(u64 at, u64 val)
{
	write32(at, val);
	write32(at + 4, val >> 32);
}

static void set_mmio_queue(u64 at, unsigned int queue, u64 desc, u64 avail, u64 used)
{
	write32(at + MMIO_QUEUE_SEL, queue);
	write32(at + MMIO_QUEUE_NUM, QUEUE_SIZE);
	write_field64(at + MMIO_QUEUE_DESC, desc);
	write_field64(at + MMIO_QUEUE_DRIVER, avail);
	write_field64(at + MMIO_QUEUE_DEVICE, used);
	write32(at + MMIO_QUEUE_READY, 1);
}

void where_set_queue(const struct where *w, unsigned int queue, u64 desc, u64 avail, u64 used)
{
	if (w->mmio) {
		set_mmio_queue(w->mmio, queue, desc, avail, used);
		return;
	}
	write16(w->common + COMMON_QUEUE_SELECT, queue);
	write16(w->common + COMMON_QUEUE_SIZE, QUEUE_SIZE);
	write_field64(w->common + COMMON_QUEUE_DESC, desc);
	write_field64(w->common + COMMON_QUEUE_AVAIL, avail);
	write_field64(w->common + COMMON_QUEUE_USED, used);
	write16(w->common + COMMON_QUEUE_VECTOR, w->vector);
	write16(w->common + COMMON_QUEUE_ENABLE, 1);
}

/* notify_off_multiplier is 4 here, and a queue's offset its index. */
void where_kick(const struct where *w, unsigned int queue)
{
	barrier();
	if (w->mmio)
		write32(w->mmio + MMIO_QUEUE_NOTIFY, queue);
	else
		write16(w->notify + 4 * queue, queue);
}

/* Over MMIO it has ended with the write: Linux's driver counts on that. */
bool where_reset(const struct where *w)
{
	where_set_status(w, 0);
	return w->mmio ? !where_status(w) : wait_for(where_status(w) == 0, LONG);
}

bool where_reset_queue(const struct where *w, unsigned int queue)
{
	if (w->mmio) {
		write32(w->mmio + MMIO_QUEUE_SEL, queue);
		write32(w->mmio + MMIO_QUEUE_RESET, 1);
		return wait_for(!read32(w->mmio + MMIO_QUEUE_RESET), LONG) &&
		       !read32(w->mmio + MMIO_QUEUE_READY);
	}
	write16(w->common + COMMON_QUEUE_SELECT, queue);
	write16(w->common + COMMON_QUEUE_RESET, 1);
	return wait_for(!read16(w->common + COMMON_QUEUE_RESET), LONG) &&
	       !read16(w->common + COMMON_QUEUE_ENABLE);
}

bool where_negotiate(const struct where *w, u64 features)
{
	const u8 wanted = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;

	if (!where_reset(w))
		return false;
	where_set_status(w, STATUS_ACKNOWLEDGE);
	where_set_status(w, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	where_set_features(w, features | F_VERSION_1);
	where_set_status(w, wanted);
	return where_status(w) == wanted;
}

void where_go(const struct where *w)
{
	where_set_status(w, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK |
	                            STATUS_DRIVER_OK);
}

bool where_needs_reset(const struct where *w)
{
	return where_status(w) & STATUS_NEEDS_RESET;
}
