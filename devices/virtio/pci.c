// SPDX-License-Identifier: GPL-2.0-only
/* Virtio over PCI (virtio 1.3, 4.1): the structures in BAR 0, their capabilities, kicks and
 * interrupts. */
#include "devices/virtio/pci.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>

#include "devices/pci/pci.h"
#include "devices/virtio/transport.h"
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
#define NOTIFY_SIZE       4  /* notify_off_multiplier */
#define COMMON_SIZE       60 /* of the common configuration, to the end of queue_reset (4.1.4.3) */
#define PCI_VENDOR_VIRTIO 0x1af4
#define PCI_DEVICE_BASE   0x1040 /* 4.1.2.1 */
#define ISR_QUEUE         1      /* 4.1.4.5 */

struct virtio_pci {
	struct pci_func func;
	struct vm *vm;
	struct virtio_dev *dev;
	struct virtio_transport transport;
	struct virtio_regs regs;
	u16 config_vector, num_queues;
	u8 isr;
	unsigned int cfg_cap; /* the window of 4.1.4.9 */
};

static struct virtio_pci *vp_of(void *regs)
{
	return container_of((struct virtio_regs *)regs, struct virtio_pci, regs);
}

/* Where this transport's own registers are. */
static void *own(void *regs)
{
	return vp_of(regs);
}

static void reset_transport(struct virtio_pci *vp)
{
	virtio_regs_reset(&vp->regs);
	vp->config_vector = VIRTIO_MSI_NO_VECTOR;
	vp->isr = 0;
	pci_set_intx(&vp->func, false);
	pci_msix_forget(&vp->func);
}

static void status_written(void *regs, u64 old)
{
	struct virtio_pci *vp = vp_of(regs);
	u8 status = vp->regs.status;

	(void)old;
	virtio_set_status(vp->dev, status);
	if (!status)
		reset_transport(vp);
}

/* A vector that does not exist is answered by NO_VECTOR (4.1.5.1.2). */
static void config_vector_written(void *regs, u64 old)
{
	struct virtio_pci *vp = vp_of(regs);

	(void)old;
	if (vp->config_vector > vp->dev->nr_queues)
		vp->config_vector = VIRTIO_MSI_NO_VECTOR;
}

static void call_changed(struct virtio_dev *dev, struct virtq *vq)
{
	if (dev->type->call_changed)
		dev->type->call_changed(dev, vq);
}

static void queue_vector_written(void *regs, u64 old)
{
	struct virtq *vq = virtio_selected_queue(regs);

	(void)old;
	if (vq->vector > vq->dev->nr_queues)
		vq->vector = VIRTIO_MSI_NO_VECTOR;
	call_changed(vq->dev, vq);
}

/* A driver writes 1 and nothing else (4.1.4.3.2); only a reset disables. */
static void queue_enable_written(void *regs, u64 old)
{
	struct virtq *vq = virtio_selected_queue(regs);

	vq->enabled = old || vq->enabled == 1;
}

#define OWN(off, member, ...)                                                                 \
	{                                                                                     \
		.name = #member, .offset = off, .field = offsetof(struct virtio_pci, member), \
		.size = sizeof(((struct virtio_pci *)0)->member), .where = own, __VA_ARGS__   \
	}

/* struct virtio_pci_common_cfg (4.1.4.3). */
static const struct reg common_regs[] = {
	VIRTIO_REG(VIRTIO_PCI_COMMON_DFSELECT, 4, device_feature_select, VIRTIO_WRITABLE,
	           .written = virtio_device_feature_selected),
	VIRTIO_REG(VIRTIO_PCI_COMMON_DF, 4, device_feature),
	VIRTIO_REG(VIRTIO_PCI_COMMON_GFSELECT, 4, driver_feature_select, VIRTIO_WRITABLE,
	           .written = virtio_driver_feature_selected),
	VIRTIO_REG(VIRTIO_PCI_COMMON_GF, 4, driver_feature, VIRTIO_WRITABLE,
	           .written = virtio_driver_feature_written),
	OWN(VIRTIO_PCI_COMMON_MSIX, config_vector, VIRTIO_WRITABLE,
	    .written = config_vector_written),
	OWN(VIRTIO_PCI_COMMON_NUMQ, num_queues),
	VIRTIO_REG(VIRTIO_PCI_COMMON_STATUS, 1, status, VIRTIO_WRITABLE, .written = status_written),
	VIRTIO_REG(VIRTIO_PCI_COMMON_CFGGENERATION, 1, config_generation),
	VIRTIO_REG(VIRTIO_PCI_COMMON_Q_SELECT, 2, queue_select, VIRTIO_WRITABLE),
	/* of the selected queue */
	VIRTIO_QUEUE_REG(VIRTIO_PCI_COMMON_Q_SIZE, 2, size, VIRTIO_BEFORE_ENABLED,
	                 .written = virtio_queue_size_written),
	VIRTIO_QUEUE_REG(VIRTIO_PCI_COMMON_Q_MSIX, 2, vector, VIRTIO_WRITABLE,
	                 .written = queue_vector_written),
	VIRTIO_QUEUE_REG(VIRTIO_PCI_COMMON_Q_ENABLE, 2, enabled, VIRTIO_WRITABLE,
	                 .written = queue_enable_written),
	VIRTIO_QUEUE_REG(VIRTIO_PCI_COMMON_Q_NOFF, 2, notify_off),
	VIRTIO_QUEUE_REG(VIRTIO_PCI_COMMON_Q_DESCLO, 8, desc, VIRTIO_BEFORE_ENABLED),
	VIRTIO_QUEUE_REG(VIRTIO_PCI_COMMON_Q_AVAILLO, 8, avail, VIRTIO_BEFORE_ENABLED),
	VIRTIO_QUEUE_REG(VIRTIO_PCI_COMMON_Q_USEDLO, 8, used, VIRTIO_BEFORE_ENABLED),
	VIRTIO_QUEUE_REG(VIRTIO_PCI_COMMON_Q_RESET, 2, resetting, VIRTIO_WRITABLE,
	                 .written = virtio_queue_reset_written),
};

static const struct reg_bank common_bank = {
	.regs = common_regs,
	.nr = ARRAY_SIZE(common_regs),
	.guarded = virtio_regs_guarded,
};

static u64 common_read(struct virtio_pci *vp, u64 offset, unsigned int size)
{
	virtio_regs_refresh(&vp->regs);
	return reg_read(&common_bank, &vp->regs, offset, size);
}

static void common_write(struct virtio_pci *vp, u64 offset, unsigned int size, u64 val)
{
	reg_write(&common_bank, &vp->regs, offset, size, val);
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
	return virtio_config_read(vp->dev, offset, size);
}

static void config_write(struct virtio_pci *vp, u64 offset, unsigned int size, u64 val)
{
	virtio_config_write(vp->dev, offset, size, val);
}

/* A kick that came as an exit: before there was an ioeventfd, or where it could not be set. */
static void notify_write(struct virtio_pci *vp, u64 offset, unsigned int size, u64 val)
{
	(void)size, (void)val;
	if (offset % NOTIFY_SIZE == 0)
		virtio_regs_notify(&vp->regs, offset / NOTIFY_SIZE);
}

/* BAR 0 by page; a page without a function reads as 0 and loses writes. */
static const struct {
	u8 cfg_type;
	u64 (*read)(struct virtio_pci *vp, u64 offset, unsigned int size);
	void (*write)(struct virtio_pci *vp, u64 offset, unsigned int size, u64 val);
} structures[BAR_SIZE / STRUCTURE_SIZE] = {
	[COMMON_OFFSET / STRUCTURE_SIZE] = { VIRTIO_PCI_CAP_COMMON_CFG, common_read, common_write },
	[ISR_OFFSET / STRUCTURE_SIZE] = { VIRTIO_PCI_CAP_ISR_CFG, .read = isr_read },
	[CONFIG_OFFSET / STRUCTURE_SIZE] = { VIRTIO_PCI_CAP_DEVICE_CFG, config_read, config_write },
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

/* The ioeventfds follow BAR 0. One that cannot be set is no loss: the write exits then. */
static void bar_moved(struct pci_func *f, gpa_t from, gpa_t to)
{
	struct virtio_pci *vp = container_of(f, struct virtio_pci, func);

	for (unsigned int i = 0; i < vp->dev->nr_queues; i++)
		vm_ioeventfd(vp->vm, (from ? from : to) + NOTIFY_OFFSET + i * NOTIFY_SIZE,
		             vp->regs.kicks[i].fd, to);
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

	raise_interrupt(vp, vp->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

static void vp_again(struct virtio_transport *t, struct virtq *vq)
{
	virtio_regs_again(&container_of(t, struct virtio_pci, transport)->regs, vq);
}

static int vp_kick_fd(struct virtio_transport *t, struct virtq *vq)
{
	return virtio_regs_kick_fd(&container_of(t, struct virtio_pci, transport)->regs, vq);
}

static int vp_call_fd(struct virtio_transport *t, struct virtq *vq)
{
	return pci_msix_fd(&container_of(t, struct virtio_pci, transport)->func, vq->vector);
}

/*
 * Without Bus Master Enable the device takes no requests; those that it has taken
 * end. What was asked for meanwhile is taken when it is set. Who else works the
 * rings (vhost) stops, and kicks itself when it goes on.
 */
static void master_changed(struct pci_func *f)
{
	struct virtio_dev *dev = container_of(f, struct virtio_pci, func)->dev;

	dev->held = !pci_is_master(f);
	for (unsigned int i = 0; i < dev->nr_queues; i++)
		if (dev->type->external)
			call_changed(dev, &dev->vq[i]);
		else if (!dev->held)
			virtio_notify(dev, i);
}

static void function_reset(struct pci_func *f)
{
	struct virtio_pci *vp = container_of(f, struct virtio_pci, func);

	virtio_set_status(vp->dev, 0);
	reset_transport(vp);
}

static bool function_resetting(const struct pci_func *f)
{
	return container_of(f, struct virtio_pci, func)->dev->resetting;
}

/* What a vector does now is another matter for whoever raises it without us. */
static void vector_changed(struct pci_func *f, unsigned int vector)
{
	struct virtio_dev *dev = container_of(f, struct virtio_pci, func)->dev;

	for (unsigned int i = 0; i < dev->nr_queues; i++)
		if (dev->vq[i].vector == vector)
			call_changed(dev, &dev->vq[i]);
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
	return type == VIRTIO_PCI_CAP_ISR_CFG ? 1 : COMMON_SIZE;
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
	pci_pm_add(&vp->func);
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
	vp->func.dma = dev->dma;
	vp->transport = (struct virtio_transport){
		.interrupt = vp_interrupt,
		.config_changed = vp_config_changed,
		.again = vp_again,
		.kick_fd = vp_kick_fd,
		.call_fd = vp_call_fd,
	};
	vp->func.reset = function_reset;
	vp->func.resetting = function_resetting;
	vp->func.vector_changed = vector_changed;
	vp->func.master_changed = master_changed;
	dev->held = true;
	vp->num_queues = dev->nr_queues;
	dev->transport = &vp->transport;
	err = virtio_regs_init(&vp->regs, dev, vp->vm->loop);
	if (err)
		goto free_vp;
	err = add_function(vp, bus);
	if (err)
		goto close_regs;
	pci_func_ready(&vp->func);
	reset_transport(vp);
	virtio_regs_start(&vp->regs);
	*out = vp;
	return 0;

close_regs:
	virtio_regs_close(&vp->regs);
free_vp:
	free(vp);
	return err;
}

struct pci_func *virtio_pci_func(struct virtio_pci *vp)
{
	return &vp->func;
}

void virtio_pci_destroy(struct virtio_pci *vp)
{
	pci_func_remove(&vp->func);
	pci_msix_remove(&vp->func);
	virtio_regs_close(&vp->regs);
	free(vp);
}
