// SPDX-License-Identifier: GPL-2.0-only
/* Console device (virtio 1.3, 5.3): port 0, its size, emergency write. */
#include "devices/virtio/console.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>

#include "devices/virtio/virtio.h"

enum { RECEIVEQ, TRANSMITQ, NR_QUEUES };

#define QUEUE_SIZE 64
#define TURN_BYTES (64u << 10) /* of output, before others have their turn */

struct console {
	struct virtio_dev dev;
	struct virtq vq[NR_QUEUES];
	struct virtio_console_config config;
	struct line_device line;
	struct line_user *user;
	struct virtq_chain out; /* what is being written */
	size_t out_done;        /* bytes of the next one that are written already */
};

static struct console *console_of(struct virtio_dev *dev)
{
	return container_of(dev, struct console, dev);
}

/* As much of the chain as the user takes, and as is one turn's. True: all of it is written. */
static bool write_chain(struct console *c, size_t *turn)
{
	u8 piece[512];

	for (;;) {
		size_t n = iov_read(c->out.iov, c->out.nr_out, c->out_done, piece, sizeof(piece));
		size_t taken = n ? c->user->write(c->user, piece, n) : 0;

		c->out_done += taken;
		*turn += taken;
		if (!n)
			return true;
		if (taken < n || *turn >= TURN_BYTES)
			return false;
	}
}

static void transmit(struct console *c)
{
	struct virtio_transport *t = c->dev.transport;
	struct virtq *vq = &c->dev.vq[TRANSMITQ];
	bool more = false;
	size_t turn = 0;

	while (!more && virtq_pop(vq, &c->out)) {
		more = !write_chain(c, &turn);
		if (more) {
			virtq_unpop(vq, &c->out); /* and goes on at out_done */
			continue;
		}
		c->out_done = 0;
		virtq_push(vq, &c->out, 0);
	}
	virtq_interrupt(vq);
	if (more && turn >= TURN_BYTES && t->again)
		t->again(t, vq);
}

static void console_notify(struct virtio_dev *dev, struct virtq *vq)
{
	struct console *c = console_of(dev);

	if (vq->index == TRANSMITQ)
		transmit(c);
	else
		c->user->readable(c->user);
}

static void line_writable(struct line_device *d)
{
	virtio_notify(&container_of(d, struct console, line)->dev, TRANSMITQ);
}

static size_t line_receive(struct line_device *d, const u8 *bytes, size_t len)
{
	struct console *c = container_of(d, struct console, line);
	struct virtq *vq = &c->dev.vq[RECEIVEQ];
	struct virtq_chain chain;
	size_t done = 0;

	for (unsigned int i = 0; i < QUEUE_SIZE && done < len; i++) {
		size_t n;

		if (!virtq_is_live(vq) || !virtq_pop(vq, &chain))
			break;
		n = iov_write(&chain.iov[chain.nr_out], chain.nr_in, 0, bytes + done, len - done);
		virtq_push(vq, &chain, n);
		done += n;
	}
	virtq_interrupt(vq);
	return done;
}

static void line_resized(struct line_device *d, u16 columns, u16 rows)
{
	struct console *c = container_of(d, struct console, line);

	c->config.cols = htole16(columns);
	c->config.rows = htole16(rows);
	virtio_config_changed(&c->dev);
}

/* What the user has not taken yet is given up: a reset waits for no reader. */
static void console_reset(struct virtio_dev *dev)
{
	console_of(dev)->out_done = 0;
}

static void console_queue_reset(struct virtio_dev *dev, struct virtq *vq)
{
	if (vq->index == TRANSMITQ)
		console_of(dev)->out_done = 0;
}

/* Emergency write: at any time, whatever state the device is in (5.3.5.1). */
static void console_config_write(struct virtio_dev *dev, u64 offset, unsigned int size, u64 val)
{
	struct console *c = console_of(dev);
	u8 byte = val;

	(void)size;
	if (offset == offsetof(struct virtio_console_config, emerg_wr))
		c->user->write(c->user, &byte, 1);
}

static const struct virtio_type console_type = {
	.name = "console",
	.id = VIRTIO_ID_CONSOLE,
	.pci_class = 0x078000, /* communication controller, other */
	.queue_size = QUEUE_SIZE,
	.config_size = sizeof(struct virtio_console_config),
	.notify = console_notify,
	.reset = console_reset,
	.queue_reset = console_queue_reset,
	.config_write = console_config_write,
};

int virtio_console_create(struct virtio_dev **dev, struct dma_space *dma, struct log *log,
                          struct line_user *user)
{
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->user = user;
	c->line = (struct line_device){ line_receive, line_writable, line_resized };
	c->dev.type = &console_type;
	c->dev.config = &c->config;
	c->dev.vq = c->vq;
	c->dev.nr_queues = NR_QUEUES;
	c->dev.features = BIT(VIRTIO_CONSOLE_F_SIZE) | BIT(VIRTIO_CONSOLE_F_EMERG_WRITE) |
	                  VIRTQ_FEATURES;
	virtio_init(&c->dev, dma, log);
	*dev = &c->dev;
	return 0;
}

struct line_device *virtio_console_line(struct virtio_dev *dev)
{
	return &console_of(dev)->line;
}

void virtio_console_destroy(struct virtio_dev *dev)
{
	free(console_of(dev));
}
