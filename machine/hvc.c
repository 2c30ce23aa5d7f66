// SPDX-License-Identifier: GPL-2.0-only
/* --console virtio: the console as a virtio device. */
#include "devices/virtio/console.h"
#include "machine/console.h"
#include "machine/machine.h"

static void destroy(void *dev)
{
	virtio_console_destroy(dev);
}

int hvc_create(struct machine *m)
{
	struct virtio_dev *dev;
	struct dma_space *dma;
	int err;

	if (!m->options->virtio_console)
		return 0;
	err = machine_dma(m, &m->options->console_place, &dma);
	if (!err)
		err = virtio_console_create(&dev, dma, &m->log, console_user(m->console));
	if (err)
		return err;
	err = machine_own(m, destroy, dev);
	if (!err)
		err = machine_add_virtio(m, dev, &m->options->console_place);
	if (!err && m->session)
		console_connect(m->console, virtio_console_line(dev));
	return err;
}
