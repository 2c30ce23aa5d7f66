// SPDX-License-Identifier: GPL-2.0-only
/* What the control socket asks of this machine: its power button, and its devices in figures and in
 * detail (docs/json/stat.json, debug.json). */
#include "control/control.h"

#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/hex.h"
#include "devices/virtio/virtio.h"
#include "machine/machine.h"

int machine_list_virtio(struct machine *m, struct virtio_dev *dev)
{
	struct virtio_dev **more = realloc(m->virtio, (m->nr_virtio + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	m->virtio = more;
	m->virtio[m->nr_virtio++] = dev;
	return 0;
}

static int press_power(void *machine)
{
	struct machine *m = machine;

	return m->press_power ? m->press_power(m) : -ENODEV;
}

static json_t *queue_stat(const struct virtq *vq)
{
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "index", vq->index, "notified",
	                 (json_int_t)vq->notified, "popped", (json_int_t)vq->popped, "pushed",
	                 (json_int_t)vq->pushed, "interrupts", (json_int_t)vq->interrupts,
	                 "bytes-out", (json_int_t)vq->bytes_out, "bytes-in",
	                 (json_int_t)vq->bytes_in);
}

static json_t *queue_debug(const struct virtq *vq)
{
	return json_pack("{s:i, s:i, s:b, s:o, s:o, s:o, s:i, s:i}", "index", vq->index, "size",
	                 vq->size, "enabled", vq->enabled, "desc", json_hex(vq->desc), "avail",
	                 json_hex(vq->avail), "used", json_hex(vq->used), "next-avail",
	                 vq->next_avail, "next-used", vq->next_used);
}

static json_t *queues(const struct virtio_dev *dev, json_t *(*fn)(const struct virtq *vq))
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < dev->nr_queues; i++)
		json_array_append_new(list, fn(&dev->vq[i]));
	return list;
}

static json_t *virtio_stat(const struct virtio_dev *dev)
{
	return json_pack("{s:s, s:s, s:o}", "kind", "virtio", "type", dev->type->name, "queues",
	                 queues(dev, queue_stat));
}

static json_t *virtio_debug(const struct virtio_dev *dev)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:i, s:o}", "kind", "virtio", "type",
	                 dev->type->name, "status", json_hex(dev->status), "offered",
	                 json_hex(dev->features), "acked", json_hex(dev->acked), "resetting",
	                 dev->resetting, "in-flight", (int)dev->in_flight, "queues",
	                 queues(dev, queue_debug));
}

static json_t *stat(void *machine)
{
	struct machine *m = machine;
	json_t *list = json_array();

	for (unsigned int i = 0; i < m->nr_virtio; i++)
		json_array_append_new(list, virtio_stat(m->virtio[i]));
	return list;
}

static u32 config_read(struct machine *m, unsigned int dev, unsigned int reg)
{
	u64 val = ~0ULL;

	mmio_access(&m->vm.mmio, m->platform.pci.ecam + (dev << 15) + reg, 4, false, &val);
	return val;
}

/* Configuration space as the guest reads it, function 0 of a device of bus 0. */
static json_t *pci_debug(struct machine *m, unsigned int dev)
{
	u32 id = config_read(m, dev, PCI_VENDOR_ID);
	json_t *bars = json_array();
	char address[16];

	for (unsigned int i = 0; i < PCI_STD_NUM_BARS; i++)
		json_array_append_new(bars,
		                      json_hex(config_read(m, dev, PCI_BASE_ADDRESS_0 + i * 4)));
	snprintf(address, sizeof(address), "%04x:00:%02x.0", m->platform.pci.segment, dev);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "kind", "pci", "address", address,
	                 "vendor", json_hex(id & 0xffff), "device", json_hex(id >> 16), "command",
	                 json_hex(config_read(m, dev, PCI_COMMAND) & 0xffff), "bars", bars);
}

static json_t *debug(void *machine)
{
	struct machine *m = machine;
	json_t *list = json_array();

	for (unsigned int i = 0; i < m->nr_virtio; i++)
		json_array_append_new(list, virtio_debug(m->virtio[i]));
	for (unsigned int dev = 0; dev < 32; dev++)
		if (config_read(m, dev, PCI_VENDOR_ID) != ~0u)
			json_array_append_new(list, pci_debug(m, dev));
	return list;
}

const struct control_ops machine_control_ops = {
	.press_power = press_power,
	.stat = stat,
	.debug = debug,
};
