// SPDX-License-Identifier: GPL-2.0-only
/* Virtio over PCI (virtio 1.3, 4.1): the structures in BAR 0, their capabilities, kicks and
 * interrupts. */
#include "devices/virtio/pci.h"

#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/pci/pci.h"
#include "devices/virtio/virtio.h"
#include "vmm/loop.h"
#include "vmm/reg.h"
#include "vmm/vm.h"

/* BAR 0, 64 bits wide: a page for each structure; BAR 2: MSI-X. */
#define STRUCTURES_BAR    0
#define MSIX_BAR          2
#define COMMON_OFFSET     0x0000
#define ISR_OFFSET        0x1000
#define CONFIG_OFFSET     0x2000
#define NOTIFY_OFFSET     0x3000
#define STRUCTURE_SIZE    0x1000
#define BAR_SIZE          0x4000
#define NOTIFY_SIZE       4 /* notify_off_multiplier */
#define PCI_VENDOR_VIRTIO 0x1af4
#define PCI_DEVICE_BASE   0x1040 /* 4.1.2.1 */
#define ISR_QUEUE         1      /* 4.1.4.5 */

struct kick {
	struct loop_op op;
	struct virtio_pci *vp;
	u16 queue;
	int fd;
	u64 count;
};

struct virtio_pci {
	struct pci_func func;
	struct vm *vm;
	struct virtio_dev *dev;
	struct virtio_transport transport;
	u32 device_feature_select, driver_feature_select;
	u32 device_feature, driver_feature;
	u16 config_vector, queue_select, num_queues;
	u8 status, config_generation, isr;
	unsigned int cfg_cap; /* the window of 4.1.4.9 */
	struct kick kicks[VIRTQ_MAX_QUEUES];
};

/* 4.1.4.3: the fields of a queue that does not exist read as 0. */
static void *selected_queue(void *dev)
{
	struct virtio_pci *vp = dev;

	return vp->queue_select < vp->dev->nr_queues ? &vp->dev->vq[vp->queue_select] : NULL;
}

static void device_feature_selected(void *dev, u64 old)
{
	struct virtio_pci *vp = dev;

	(void)old;
	vp->device_feature = vp->device_feature_select < 2
	                             ? vp->dev->features >> vp->device_feature_select * 32
	                             : 0;
}

static void driver_feature_selected(void *dev, u64 old)
{
	struct virtio_pci *vp = dev;

	(void)old;
	vp->driver_feature = vp->driver_feature_select < 2
	                             ? vp->dev->acked >> vp->driver_feature_select * 32
	                             : 0;
}

/* Settled once FEATURES_OK is set (3.1.1). */
static void driver_feature_written(void *dev, u64 old)
{
	struct virtio_pci *vp = dev;
	unsigned int shift = vp->driver_feature_select * 32;

	(void)old;
	if (vp->driver_feature_select > 1 || vp->dev->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	vp->dev->acked &= ~(0xffffffffULL << shift);
	vp->dev->acked |= (u64)vp->driver_feature << shift;
}

static void reset_transport(struct virtio_pci *vp)
{
	vp->config_vector = VIRTIO_MSI_NO_VECTOR;
	vp->queue_select = 0;
	vp->device_feature_select = vp->driver_feature_select = 0;
	vp->isr = 0;
	device_feature_selected(vp, 0);
	driver_feature_selected(vp, 0);
	pci_set_intx(&vp->func, false);
}

static void status_written(void *dev, u64 old)
{
	struct virtio_pci *vp = dev;
	u8 status = vp->status;

	(void)old;
	virtio_set_status(vp->dev, status);
	vp->status = vp->dev->status;
	if (!status)
		reset_transport(vp);
}

/* A vector that does not exist is answered by NO_VECTOR (4.1.5.1.2). */
static void config_vector_written(void *dev, u64 old)
{
	struct virtio_pci *vp = dev;

	(void)old;
	if (vp->config_vector > vp->dev->nr_queues)
		vp->config_vector = VIRTIO_MSI_NO_VECTOR;
}

static void queue_vector_written(void *dev, u64 old)
{
	struct virtio_pci *vp = dev;
	struct virtq *vq = selected_queue(vp);

	(void)old;
	if (vq->vector > vp->dev->nr_queues)
		vq->vector = VIRTIO_MSI_NO_VECTOR;
}

/* 4.1.4.3.2: a power of two within what was offered; anything else is not taken. */
static void queue_size_written(void *dev, u64 old)
{
	struct virtq *vq = selected_queue(dev);

	if (!vq->size || vq->size > vq->max || vq->size & (vq->size - 1))
		vq->size = old;
}

/* A driver writes 1 and nothing else (4.1.4.3.2); only a reset disables. */
static void queue_enable_written(void *dev, u64 old)
{
	struct virtq *vq = selected_queue(dev);

	vq->enabled = old || vq->enabled == 1;
}

/* Written by the driver only while a queue is not live. */
enum { GUARD_QUEUE_ENABLED = 1 };

static bool guarded(const void *dev, u32 guard)
{
	const struct virtq *vq = selected_queue((void *)dev);

	(void)guard;
	return vq && vq->enabled;
}

#define COMMON(off, member, ...)                                                              \
	{                                                                                     \
		.name = #member, .offset = off, .field = offsetof(struct virtio_pci, member), \
		.size = sizeof(((struct virtio_pci *)0)->member), __VA_ARGS__                 \
	}
#define QUEUE(off, member, ...)                                                                   \
	{                                                                                         \
		.name = "queue_" #member, .offset = off, .field = offsetof(struct virtq, member), \
		.size = sizeof(((struct virtq *)0)->member), .where = selected_queue, __VA_ARGS__ \
	}
#define ALL_BITS       .writable = ~0ULL
#define BEFORE_ENABLED .guard = GUARD_QUEUE_ENABLED, ALL_BITS

/* struct virtio_pci_common_cfg (4.1.4.3). */
static const struct reg common_regs[] = {
	COMMON(VIRTIO_PCI_COMMON_DFSELECT, device_feature_select, ALL_BITS,
	       .written = device_feature_selected),
	COMMON(VIRTIO_PCI_COMMON_DF, device_feature),
	COMMON(VIRTIO_PCI_COMMON_GFSELECT, driver_feature_select, ALL_BITS,
	       .written = driver_feature_selected),
	COMMON(VIRTIO_PCI_COMMON_GF, driver_feature, ALL_BITS, .written = driver_feature_written),
	COMMON(VIRTIO_PCI_COMMON_MSIX, config_vector, ALL_BITS, .written = config_vector_written),
	COMMON(VIRTIO_PCI_COMMON_NUMQ, num_queues),
	COMMON(VIRTIO_PCI_COMMON_STATUS, status, ALL_BITS, .written = status_written),
	COMMON(VIRTIO_PCI_COMMON_CFGGENERATION, config_generation),
	COMMON(VIRTIO_PCI_COMMON_Q_SELECT, queue_select, ALL_BITS),
	/* of the selected queue */
	QUEUE(VIRTIO_PCI_COMMON_Q_SIZE, size, BEFORE_ENABLED, .written = queue_size_written),
	QUEUE(VIRTIO_PCI_COMMON_Q_MSIX, vector, ALL_BITS, .written = queue_vector_written),
	QUEUE(VIRTIO_PCI_COMMON_Q_ENABLE, enabled, ALL_BITS, .written = queue_enable_written),
	QUEUE(VIRTIO_PCI_COMMON_Q_NOFF, notify_off),
	QUEUE(VIRTIO_PCI_COMMON_Q_DESCLO, desc, BEFORE_ENABLED),
	QUEUE(VIRTIO_PCI_COMMON_Q_AVAILLO, avail, BEFORE_ENABLED),
	QUEUE(VIRTIO_PCI_COMMON_Q_USEDLO, used, BEFORE_ENABLED),
};

static const struct reg_bank common_bank = {
	.regs = common_regs,
	.nr = ARRAY_SIZE(common_regs),
	.guarded = guarded,
};

static u64 common_read(struct virtio_pci *vp, u64 offset, unsigned int size)
{
	/* What changes by itself: NEEDS_RESET, a reset that ended. */
	vp->status = vp->dev->status;
	vp->config_generation = vp->dev->config_generation;
	driver_feature_selected(vp, 0);
	return reg_read(&common_bank, vp, offset, size);
}

static void common_write(struct virtio_pci *vp, u64 offset, unsigned int size, u64 val)
{
	reg_write(&common_bank, vp, offset, size, val);
}

/* Reading takes the interrupt back (4.1.4.5). */
static u64 isr_read(struct virtio_pci *vp, u64 offset, unsigned int size)
{
	u8 isr = vp->isr;

	(void)size;
	if (offset)
		return 0;
	vp->isr = 0;
	pci_set_intx(&vp->func, false);
	return isr;
}

static u64 config_read(struct virtio_pci *vp, u64 offset, unsigned int size)
{
	u64 val = 0;

	if (offset + size <= vp->dev->type->config_size)
		memcpy(&val, (const char *)vp->dev->config + offset, size);
	return le64toh(val);
}

/* A kick that came as an exit: before there was an ioeventfd, or where it could not be set. */
static void notify_write(struct virtio_pci *vp, u64 offset, unsigned int size, u64 val)
{
	(void)size, (void)val;
	if (offset % NOTIFY_SIZE == 0 && offset / NOTIFY_SIZE < vp->dev->nr_queues)
		virtio_notify(vp->dev, offset / NOTIFY_SIZE);
}

/* BAR 0 by page; a page without a function reads as 0 and loses writes. */
static const struct {
	u8 cfg_type;
	u64 (*read)(struct virtio_pci *vp, u64 offset, unsigned int size);
	void (*write)(struct virtio_pci *vp, u64 offset, unsigned int size, u64 val);
} structures[BAR_SIZE / STRUCTURE_SIZE] = {
	[COMMON_OFFSET / STRUCTURE_SIZE] = { VIRTIO_PCI_CAP_COMMON_CFG, common_read, common_write },
	[ISR_OFFSET / STRUCTURE_SIZE] = { VIRTIO_PCI_CAP_ISR_CFG, .read = isr_read },
	[CONFIG_OFFSET / STRUCTURE_SIZE] = { VIRTIO_PCI_CAP_DEVICE_CFG, .read = config_read },
	[NOTIFY_OFFSET / STRUCTURE_SIZE] = { VIRTIO_PCI_CAP_NOTIFY_CFG, .write = notify_write },
};

static u64 bar_read(void *dev, u64 offset, unsigned int size)
{
	unsigned int page = offset / STRUCTURE_SIZE;

	if (!structures[page].read)
		return 0;
	return structures[page].read(dev, offset % STRUCTURE_SIZE, size);
}

static void bar_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	unsigned int page = offset / STRUCTURE_SIZE;

	if (structures[page].write)
		structures[page].write(dev, offset % STRUCTURE_SIZE, size, val);
}

static const struct mmio_ops bar_ops = {
	.name = "virtio-pci",
	.read = bar_read,
	.write = bar_write,
};

static void kicked(struct loop_op *op, int res)
{
	struct kick *kick = container_of(op, struct kick, op);

	if (res < 0)
		return;
	virtio_notify(kick->vp->dev, kick->queue);
	loop_read(kick->vp->vm->loop, &kick->op, kick->fd, &kick->count, sizeof(kick->count));
}

/* The ioeventfds follow BAR 0. One that cannot be set is no loss: the write exits then. */
static void bar_moved(struct pci_func *f, gpa_t from, gpa_t to)
{
	struct virtio_pci *vp = container_of(f, struct virtio_pci, func);

	for (unsigned int i = 0; i < vp->dev->nr_queues; i++)
		vm_ioeventfd(vp->vm, (from ? from : to) + NOTIFY_OFFSET + i * NOTIFY_SIZE,
		             vp->kicks[i].fd, to);
}

static void raise_interrupt(struct virtio_pci *vp, u16 vector, u8 isr)
{
	if (pci_msix_enabled(&vp->func)) {
		pci_msix_raise(&vp->func, vector);
		return;
	}
	vp->isr |= isr;
	pci_set_intx(&vp->func, true);
}

static void vp_interrupt(struct virtio_transport *t, struct virtq *vq)
{
	raise_interrupt(container_of(t, struct virtio_pci, transport), vq->vector, ISR_QUEUE);
}

static void vp_config_changed(struct virtio_transport *t)
{
	struct virtio_pci *vp = container_of(t, struct virtio_pci, transport);

	vp->dev->config_generation++;
	raise_interrupt(vp, vp->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

/* Where the driver's window into BAR 0 points now (4.1.4.9); false: nowhere, or not aligned. */
static bool window(const struct virtio_pci *vp, unsigned int offset, u32 *at, u32 *size)
{
	const struct pci_func *f = &vp->func;
	unsigned int data = vp->cfg_cap + sizeof(struct virtio_pci_cap);

	*at = pci_get32(f, vp->cfg_cap + VIRTIO_PCI_CAP_OFFSET);
	*size = pci_get32(f, vp->cfg_cap + VIRTIO_PCI_CAP_LENGTH);
	return offset == data && f->config[vp->cfg_cap + VIRTIO_PCI_CAP_BAR] == STRUCTURES_BAR &&
	       (*size == 1 || *size == 2 || *size == 4) && *at % *size == 0 &&
	       *at <= BAR_SIZE - *size;
}

static void window_read(struct pci_func *f, unsigned int offset, unsigned int size)
{
	struct virtio_pci *vp = container_of(f, struct virtio_pci, func);
	u32 at, width;

	(void)size;
	if (window(vp, offset, &at, &width))
		pci_set32(f, offset, bar_read(vp, at, width));
}

static void window_written(struct pci_func *f, unsigned int offset, unsigned int size)
{
	struct virtio_pci *vp = container_of(f, struct virtio_pci, func);
	u32 at, width;

	(void)size;
	if (window(vp, offset, &at, &width))
		bar_write(vp, at, width, pci_get32(f, offset) & GENMASK(width * 8 - 1, 0));
}

static unsigned int add_cap(struct virtio_pci *vp, u8 type, unsigned int len)
{
	struct pci_func *f = &vp->func;
	unsigned int at = pci_cap_add(f, PCI_CAP_ID_VNDR, len);

	f->config[at + VIRTIO_PCI_CAP_LEN] = len;
	f->config[at + VIRTIO_PCI_CAP_CFG_TYPE] = type;
	f->config[at + VIRTIO_PCI_CAP_BAR] = STRUCTURES_BAR;
	return at;
}

static u32 structure_length(const struct virtio_pci *vp, u8 type)
{
	if (type == VIRTIO_PCI_CAP_DEVICE_CFG)
		return vp->dev->type->config_size;
	if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		return vp->dev->nr_queues * NOTIFY_SIZE;
	return type == VIRTIO_PCI_CAP_ISR_CFG ? 1 : sizeof(struct virtio_pci_common_cfg);
}

static void add_caps(struct virtio_pci *vp)
{
	struct pci_func *f = &vp->func;

	for (unsigned int i = 0; i < ARRAY_SIZE(structures); i++) {
		u8 type = structures[i].cfg_type;
		bool notify = type == VIRTIO_PCI_CAP_NOTIFY_CFG;
		u32 len = structure_length(vp, type);
		unsigned int at;

		if (!len)
			continue; /* a device without configuration */
		at = add_cap(vp, type,
		             notify ? sizeof(struct virtio_pci_notify_cap)
		                    : sizeof(struct virtio_pci_cap));
		pci_set32(f, at + VIRTIO_PCI_CAP_OFFSET, i * STRUCTURE_SIZE);
		pci_set32(f, at + VIRTIO_PCI_CAP_LENGTH, len);
		if (notify)
			pci_set32(f, at + VIRTIO_PCI_NOTIFY_CAP_MULT, NOTIFY_SIZE);
	}
	vp->cfg_cap = add_cap(vp, VIRTIO_PCI_CAP_PCI_CFG, sizeof(struct virtio_pci_cfg_cap));
	f->writable[vp->cfg_cap + VIRTIO_PCI_CAP_BAR] = 0xff;
	pci_allow32(f, vp->cfg_cap + VIRTIO_PCI_CAP_OFFSET, ~0u);
	pci_allow32(f, vp->cfg_cap + VIRTIO_PCI_CAP_LENGTH, ~0u);
	pci_allow32(f, vp->cfg_cap + sizeof(struct virtio_pci_cap), ~0u);
	f->config_read = window_read;
	f->config_written = window_written;
}

static void close_kicks(struct virtio_pci *vp)
{
	for (unsigned int i = 0; i < vp->dev->nr_queues; i++)
		if (vp->kicks[i].fd >= 0)
			close(vp->kicks[i].fd);
}

static int open_kicks(struct virtio_pci *vp)
{
	int err = 0;

	for (unsigned int i = 0; i < vp->dev->nr_queues; i++) {
		struct kick *kick = &vp->kicks[i];

		kick->op = (struct loop_op){ .done = kicked, .endless = true };
		kick->vp = vp;
		kick->queue = i;
		kick->fd = err ? -1 : eventfd(0, EFD_CLOEXEC);
		if (!err && kick->fd < 0)
			err = -errno;
	}
	if (err)
		close_kicks(vp);
	return err;
}

static int add_function(struct virtio_pci *vp, struct pci_bus *bus)
{
	const struct virtio_type *type = vp->dev->type;
	const struct pci_id id = {
		.vendor = PCI_VENDOR_VIRTIO,
		.device = PCI_DEVICE_BASE + type->id,
		.subsystem_vendor = PCI_VENDOR_VIRTIO,
		.subsystem = PCI_DEVICE_BASE + type->id,
		.class = type->pci_class,
		.revision = 1, /* 4.1.2.1 */
	};
	int err = pci_func_add(bus, &vp->func, &id);

	if (err)
		return err;
	pci_bar_add(&vp->func, STRUCTURES_BAR,
	            &(struct pci_bar){ .size = BAR_SIZE,
	                               .is_64 = true,
	                               .prefetch = true,
	                               .ops = &bar_ops,
	                               .dev = vp,
	                               .moved = bar_moved });
	err = pci_msix_add(&vp->func, MSIX_BAR, vp->dev->nr_queues + 1);
	if (err) {
		pci_func_remove(&vp->func);
		return err;
	}
	pci_express_add(&vp->func);
	add_caps(vp);
	return 0;
}

int virtio_pci_create(struct virtio_pci **out, struct pci_bus *bus, struct virtio_dev *dev)
{
	struct virtio_pci *vp = calloc(1, sizeof(*vp));
	int err;

	if (!vp)
		return -ENOMEM;
	vp->vm = pci_bus_vm(bus);
	vp->dev = dev;
	vp->func.name = dev->type->name;
	vp->transport = (struct virtio_transport){ vp_interrupt, vp_config_changed };
	vp->num_queues = dev->nr_queues;
	dev->transport = &vp->transport;
	err = open_kicks(vp);
	if (err)
		goto free_vp;
	err = add_function(vp, bus);
	if (err)
		goto close_kicks;
	reset_transport(vp);
	for (unsigned int i = 0; i < dev->nr_queues; i++)
		loop_read(vp->vm->loop, &vp->kicks[i].op, vp->kicks[i].fd, &vp->kicks[i].count,
		          sizeof(vp->kicks[i].count));
	*out = vp;
	return 0;

close_kicks:
	close_kicks(vp);
free_vp:
	free(vp);
	return err;
}

void virtio_pci_destroy(struct virtio_pci *vp)
{
	pci_func_remove(&vp->func);
	pci_msix_remove(&vp->func);
	close_kicks(vp);
	free(vp);
}
