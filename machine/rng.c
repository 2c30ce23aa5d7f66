// SPDX-License-Identifier: GPL-2.0-only
/* --rng: a virtio entropy device. */
#include "devices/virtio/rng.h"
#include "machine/machine.h"

static void destroy(void *dev)
{
	rng_destroy(dev);
}

int rng_device_create(struct machine *m)
{
	struct virtio_dev *dev;
	struct dma_space *dma;
	int err;

	if (!m->options->rng)
		return 0;
	err = machine_dma(m, &m->options->rng_place, &dma);
	if (!err)
		err = rng_create(&dev, m->vm.loop, dma, &m->log);
	if (err)
		return err;
	err = machine_own(m, destroy, dev);
	return err ? err : machine_add_virtio(m, dev, &m->options->rng_place);
}
