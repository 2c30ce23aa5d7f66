// SPDX-License-Identifier: GPL-2.0-only
/* Virtio over MMIO (virtio 1.3, 4.2): its registers, one interrupt line, kicks. */
#include "devices/virtio/mmio.h"

#include <errno.h>
#define VIRTIO_MMIO_NO_LEGACY
#include <linux/virtio_mmio.h>
#include <stdlib.h>

#include "devices/virtio/transport.h"
#include "vmm/vm.h"

#define MAGIC       0x74726976 /* "virt" */
#define VERSION     2
#define VENDOR      0x1af4
#define QUEUE_RESET 0x0c0 /* not in virtio_mmio.h yet */

struct virtio_mmio {
	struct vm *vm;
	struct virtio_dev *dev;
	struct virtio_transport transport;
	struct virtio_regs regs;
	struct virtio_mmio_config config;
	u32 magic, version, device_id, vendor;
	u32 notify;
	u32 interrupt_status, interrupt_ack;
	u64 no_memory; /* of shared memory regions there are none: length and base read -1 */
};

static struct virtio_mmio *mmio_of(void *regs)
{
	return container_of((struct virtio_regs *)regs, struct virtio_mmio, regs);
}

/* Where this transport's own registers are. */
static void *own(void *regs)
{
	return mmio_of(regs);
}

/* 4.2.3.3: asserted while an event is there that the driver has not acknowledged. */
static void set_events(struct virtio_mmio *m, u32 events)
{
	if (!m->interrupt_status != !events)
		irq_set_line(m->vm->irq, m->config.spi, events);
	m->interrupt_status = events;
}

static void ack_written(void *regs, u64 old)
{
	struct virtio_mmio *m = mmio_of(regs);

	(void)old;
	set_events(m, m->interrupt_status & ~m->interrupt_ack);
	m->interrupt_ack = 0;
}

static bool is_reset(const void *dev)
{
	return !((const struct virtio_dev *)dev)->resetting;
}

/*
 * 4.2.2.1: a reset clears InterruptStatus. Linux's driver frees its memory and
 * goes on at once (vm_reset), where 2.4.2 lets it wait until status reads 0: so
 * the write lasts until nothing is in flight any more.
 */
static void status_written(void *regs, u64 old)
{
	struct virtio_mmio *m = mmio_of(regs);
	u8 status = m->regs.status;

	(void)old;
	virtio_set_status(m->dev, status);
	if (status)
		return;
	virtio_regs_reset(&m->regs);
	set_events(m, 0);
	vm_await(m->vm, is_reset, m->dev); /* what comes after it is another driver's */
}

/*
 * 1 makes the queue live, 0 stops it. Stopping is a reset of the queue: the
 * driver reads back 0, and may have its memory again, when nothing is in flight.
 */
static void queue_ready_written(void *regs, u64 old)
{
	struct virtq *vq = virtio_selected_queue(regs);
	bool stop = old && !vq->enabled;

	vq->enabled = old || vq->enabled == 1;
	if (stop)
		virtio_reset_queue(vq);
}

static void notify_written(void *regs, u64 old)
{
	(void)old;
	virtio_regs_notify(regs, mmio_of(regs)->notify);
}

#define OWN(off, member, ...)                                                                  \
	{                                                                                      \
		.name = #member, .offset = off, .field = offsetof(struct virtio_mmio, member), \
		.size = sizeof(((struct virtio_mmio *)0)->member), .where = own, __VA_ARGS__   \
	}

/* 4.2.2. What a driver may only write reads as it was written. */
static const struct reg regs_table[] = {
	OWN(VIRTIO_MMIO_MAGIC_VALUE, magic),
	OWN(VIRTIO_MMIO_VERSION, version),
	OWN(VIRTIO_MMIO_DEVICE_ID, device_id),
	OWN(VIRTIO_MMIO_VENDOR_ID, vendor),
	VIRTIO_REG(VIRTIO_MMIO_DEVICE_FEATURES, 4, device_feature),
	VIRTIO_REG(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 4, device_feature_select, VIRTIO_WRITABLE,
	           .written = virtio_device_feature_selected),
	VIRTIO_REG(VIRTIO_MMIO_DRIVER_FEATURES, 4, driver_feature, VIRTIO_WRITABLE,
	           .written = virtio_driver_feature_written),
	VIRTIO_REG(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 4, driver_feature_select, VIRTIO_WRITABLE,
	           .written = virtio_driver_feature_selected),
	VIRTIO_REG(VIRTIO_MMIO_QUEUE_SEL, 4, queue_select, VIRTIO_WRITABLE),
	VIRTIO_QUEUE_REG(VIRTIO_MMIO_QUEUE_NUM_MAX, 4, max),
	VIRTIO_QUEUE_REG(VIRTIO_MMIO_QUEUE_NUM, 4, size, VIRTIO_BEFORE_ENABLED,
	                 .written = virtio_queue_size_written),
	VIRTIO_QUEUE_REG(VIRTIO_MMIO_QUEUE_READY, 4, enabled, VIRTIO_WRITABLE,
	                 .written = queue_ready_written),
	OWN(VIRTIO_MMIO_QUEUE_NOTIFY, notify, VIRTIO_WRITABLE, .written = notify_written),
	OWN(VIRTIO_MMIO_INTERRUPT_STATUS, interrupt_status),
	OWN(VIRTIO_MMIO_INTERRUPT_ACK, interrupt_ack, VIRTIO_WRITABLE, .written = ack_written),
	VIRTIO_REG(VIRTIO_MMIO_STATUS, 4, status, VIRTIO_WRITABLE, .written = status_written),
	VIRTIO_QUEUE_REG(VIRTIO_MMIO_QUEUE_DESC_LOW, 8, desc, VIRTIO_BEFORE_ENABLED),
	VIRTIO_QUEUE_REG(VIRTIO_MMIO_QUEUE_AVAIL_LOW, 8, avail, VIRTIO_BEFORE_ENABLED),
	VIRTIO_QUEUE_REG(VIRTIO_MMIO_QUEUE_USED_LOW, 8, used, VIRTIO_BEFORE_ENABLED),
	OWN(VIRTIO_MMIO_SHM_LEN_LOW, no_memory),
	OWN(VIRTIO_MMIO_SHM_BASE_LOW, no_memory),
	VIRTIO_QUEUE_REG(QUEUE_RESET, 4, resetting, VIRTIO_WRITABLE,
	                 .written = virtio_queue_reset_written),
	VIRTIO_REG(VIRTIO_MMIO_CONFIG_GENERATION, 4, config_generation),
};

static const struct reg_bank bank = {
	.regs = regs_table,
	.nr = ARRAY_SIZE(regs_table),
	.guarded = virtio_regs_guarded,
};

static u64 virtio_mmio_read(void *dev, u64 offset, unsigned int size)
{
	struct virtio_mmio *m = dev;

	if (offset >= VIRTIO_MMIO_CONFIG)
		return virtio_config_read(m->dev, offset - VIRTIO_MMIO_CONFIG, size);
	virtio_regs_refresh(&m->regs);
	return reg_read(&bank, &m->regs, offset, size);
}

static void virtio_mmio_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct virtio_mmio *m = dev;

	if (offset >= VIRTIO_MMIO_CONFIG)
		virtio_config_write(m->dev, offset - VIRTIO_MMIO_CONFIG, size, val);
	else
		reg_write(&bank, &m->regs, offset, size, val);
}

static const struct mmio_ops ops = {
	.name = "virtio-mmio",
	.read = virtio_mmio_read,
	.write = virtio_mmio_write,
};

static void interrupt(struct virtio_transport *t, struct virtq *vq)
{
	struct virtio_mmio *m = container_of(t, struct virtio_mmio, transport);

	(void)vq;
	set_events(m, m->interrupt_status | VIRTIO_MMIO_INT_VRING);
}

static void config_changed(struct virtio_transport *t)
{
	struct virtio_mmio *m = container_of(t, struct virtio_mmio, transport);

	set_events(m, m->interrupt_status | VIRTIO_MMIO_INT_CONFIG);
}

static void again(struct virtio_transport *t, struct virtq *vq)
{
	virtio_regs_again(&container_of(t, struct virtio_mmio, transport)->regs, vq);
}

static int kick_fd(struct virtio_transport *t, struct virtq *vq)
{
	return virtio_regs_kick_fd(&container_of(t, struct virtio_mmio, transport)->regs, vq);
}

/* A line that is held until the driver acknowledges is not for others to raise. */
static int call_fd(struct virtio_transport *t, struct virtq *vq)
{
	(void)t, (void)vq;
	return -1;
}

/* Every queue has its own value of QueueNotify. One that cannot be set is no
 * loss: it exits then. */
static void set_ioeventfds(struct virtio_mmio *m, bool assign)
{
	for (unsigned int i = 0; i < m->dev->nr_queues; i++)
		vm_ioeventfd_match(m->vm, m->config.base + VIRTIO_MMIO_QUEUE_NOTIFY, i,
		                   m->regs.kicks[i].fd, assign);
}

int virtio_mmio_create(struct virtio_mmio **mmio, struct vm *vm, struct virtio_dev *dev,
                       const struct virtio_mmio_config *c)
{
	struct virtio_mmio *m = calloc(1, sizeof(*m));
	struct mmio_region region = {
		.base = c->base,
		.size = VIRTIO_MMIO_SIZE,
		.ops = &ops,
		.dev = m,
	};
	int err;

	if (!m)
		return -ENOMEM;
	m->vm = vm;
	m->dev = dev;
	m->config = *c;
	m->magic = MAGIC;
	m->version = VERSION;
	m->device_id = dev->type->id;
	m->vendor = VENDOR;
	m->no_memory = ~0ULL;
	m->transport = (struct virtio_transport){
		.interrupt = interrupt,
		.config_changed = config_changed,
		.again = again,
		.kick_fd = kick_fd,
		.call_fd = call_fd,
	};
	dev->transport = &m->transport;
	err = virtio_regs_init(&m->regs, dev, vm->loop);
	if (err)
		goto free_mmio;
	err = mmio_add(&vm->mmio, &region);
	if (err)
		goto close_regs;
	set_ioeventfds(m, true);
	virtio_regs_start(&m->regs);
	*mmio = m;
	return 0;

close_regs:
	virtio_regs_close(&m->regs);
free_mmio:
	free(m);
	return err;
}

void virtio_mmio_destroy(struct virtio_mmio *m)
{
	set_ioeventfds(m, false);
	mmio_remove(&m->vm->mmio, m->config.base);
	virtio_regs_close(&m->regs);
	free(m);
}
