// SPDX-License-Identifier: GPL-2.0-only
/* Virtio devices in the place of those whose other half is a file, an interface or a program of a
 * host, and functions in the place of the host's own: for a machine that is looked at and never
 * runs. No driver will see what is in them: they have no queues. */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>

#include "devices/pci/pci.h"
#include "devices/virtio/virtio.h"
#include "machine/accel.h"
#include "machine/fault.h"
#include "machine/machine.h"
#include "machine/place.h"

#define TYPE(text, type_id)                 \
	{                                   \
		.name = text, .id = type_id \
	}

static const struct virtio_type blk = TYPE("blk", VIRTIO_ID_BLOCK);
static const struct virtio_type net = TYPE("net", VIRTIO_ID_NET);
static const struct virtio_type vsock = TYPE("vsock", VIRTIO_ID_VSOCK);
static const struct virtio_type fs = TYPE("fs", VIRTIO_ID_FS);

static int stand_in(struct machine *m, const struct virtio_type *type, const struct place *place)
{
	struct virtio_dev *dev = calloc(1, sizeof(*dev));
	struct dma_space *dma;
	int err;

	if (!dev)
		return -ENOMEM;
	machine_own(m, free, dev);
	err = machine_dma(m, place, &dma);
	if (err)
		return err;
	dev->type = type;
	virtio_init(dev, dma, &m->log);
	return machine_add_virtio(m, dev, place);
}

static void destroy_function(void *ctx)
{
	struct pci_func *f = ctx;

	if (f->bus)
		pci_func_remove(f);
	free(f);
}

/* A function of the host's: what it is, only that host knows. */
static int stand_in_function(struct machine *m, const struct vfio_option *v)
{
	const struct place *place = &v->place;
	static const struct pci_id unknown = { .vendor = 0xffff, .device = 0xffff };
	struct pci_func *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	machine_own(m, destroy_function, f);
	f->name = "vfio-pci";
	err = machine_dma(m, place, &f->dma);
	if (!err)
		err = pci_func_add(machine_bus(m, place), f, &unknown);
	if (!err)
		machine_is_pci(m, place, f, false);
	if (!err && accel_is_on(m->options, iommu_of(m->options, place)) &&
	    fault_may_stall(&v->fault) && v->fault.route != FAULT_ROUTE_OFF)
		machine_stalls(m, place);
	return err;
}

int vfio_stand_ins_create(struct machine *m)
{
	int err = 0;

	for (unsigned int i = 0; i < m->options->nr_vfio && !err; i++)
		err = stand_in_function(m, &m->options->vfio[i]);
	return err;
}

/* In the order of the devices that they stand for: so each is in the same place. */
int stand_ins_create(struct machine *m)
{
	const struct options *o = m->options;
	int err = 0;

	for (unsigned int i = 0; i < o->nr_disks && !err; i++)
		err = stand_in(m, &blk, &o->disks[i].place);
	for (unsigned int i = 0; i < o->nr_nets && !err; i++)
		err = stand_in(m, &net, &o->nets[i].place);
	if (o->vsock.said && !err)
		err = stand_in(m, &vsock, &o->vsock.place);
	for (unsigned int i = 0; i < o->nr_fs && !err; i++)
		err = stand_in(m, &fs, &o->fs[i].place);
	return err;
}
