// SPDX-License-Identifier: GPL-2.0-only
/* A network device on a datagram socket, for tests. */
#include "tests/unit/fake_net.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/leak.h"
#include "tests/unit/room.h"

u8 *net_ram;
static struct guest_mem mem;
static struct guest_mem rings[3];
static struct dma_space space;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log log_off;
static struct fake_net *net; /* each test is a process of its own */

static ssize_t receive(struct net_backend *b, unsigned int pair, const struct iovec *iov,
                       unsigned int nr)
{
	ssize_t n;

	if (net->err)
		return net->err;
	if (net->endless)
		return 1;
	n = readv(b->fds[pair], iov, nr);
	return n < 0 ? -errno : n;
}

static int send_frame(struct net_backend *b, unsigned int pair, const struct iovec *iov,
                      unsigned int nr)
{
	return writev(b->fds[pair], iov, nr) < 0 && errno == EAGAIN ? -EAGAIN : 0;
}

static void set_offloads(struct net_backend *b, u64 features)
{
	(void)b;
	net->offloads = features;
}

static void set_pairs(struct net_backend *b, unsigned int nr)
{
	(void)b;
	net->pairs = nr;
}

static void destroy(struct net_backend *b)
{
	close(b->fds[0]);
	free(b);
}

static const struct net_backend_ops backend_ops = { receive,      send_frame, NULL,
	                                            set_offloads, set_pairs,  destroy };

static void note_interrupt(struct virtio_transport *t, struct virtq *vq)
{
	(void)t;
	net->transport.interrupts++;
	if (vq->index == net->awaited_queue &&
	    driver_used_idx(&net->drv[vq->index]) == net->awaited)
		loop_stop(net->loop);
}

static void note_again(struct virtio_transport *t, struct virtq *vq)
{
	(void)t;
	(void)vq;
	net->agains++;
}

static void note_loss(struct net_watcher *w, int err)
{
	(void)w;
	(void)err;
	net->losses++;
	loop_stop(net->loop);
}

void fake_net_make(struct fake_net *f, const struct net_backend *like, u64 features)
{
	struct net_config c = { .mac = { 2, 0, 0, 0, 0, 1 }, .watcher = &f->watcher };
	int ends[2];

	net = f;
	*f = (struct fake_net){ .watcher = { note_loss } };
	net_ram = room_of(NET_RAM);
	mem = (struct guest_mem){ .base = NET_BASE, .size = NET_RAM, .host = net_ram };
	dma_identity(&space, &mem);
	fake_transport_init(&f->transport);
	f->transport.transport.interrupt = note_interrupt;
	f->transport.transport.again = note_again;
	cr_assert(zero(int, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends)));
	cr_assert(zero(int, loop_create(&f->loop, &lock)));
	f->backend = c.backend = malloc(sizeof(*f->backend));
	*f->backend = *like;
	f->backend->ops = &backend_ops;
	f->backend->fds[0] = ends[0];
	f->far = ends[1];
	cr_assert(zero(int, net_create(&f->dev, f->loop, &space, &log_off, &c)));
	f->dev->transport = &f->transport.transport;
	f->dev->acked = BIT(VIRTIO_F_VERSION_1) | (f->dev->features & features);
	virtio_set_status(f->dev, 0xf);
	for (unsigned int q = 0; q < 3; q++) {
		rings[q] = (struct guest_mem){ .base = NET_BASE + NET_RINGS(q),
			                       .size = RING_END,
			                       .host = net_ram + NET_RINGS(q) };
		driver_start(&f->drv[q], &rings[q], &f->dev->vq[q], 8);
	}
}

void fake_net_unmake(struct fake_net *f)
{
	virtio_set_status(f->dev, 0);
	cr_assert(zero(u32, f->dev->in_flight));
	cr_assert(zero(u32, f->dev->status));
	loop_drain(f->loop);
	net_destroy(f->dev);
	loop_destroy(f->loop);
	close(f->far);
	expect_no_leak();
}

void fake_net_offer(struct fake_net *f, unsigned int q, u16 at, u64 offset, u32 len, u16 flags)
{
	driver_desc(&f->drv[q], at, NET_BASE + offset, len, flags, at + 1);
	driver_avail(&f->drv[q], at);
	virtio_notify(f->dev, q);
}

void fake_net_arrive(struct fake_net *f, const struct virtio_net_hdr_v1 *header,
                     const u8 *destination, size_t len)
{
	size_t at = header ? sizeof(*header) : 0;
	u8 *frame = malloc(at + len);

	if (header)
		memcpy(frame, header, sizeof(*header));
	for (size_t i = 0; i < len; i++)
		frame[at + i] = i < NET_MAC_LEN ? destination[i] : i % 251;
	cr_assert(eq(sz, write(f->far, frame, at + len), at + len));
	free(frame);
}

void fake_net_await(struct fake_net *f, unsigned int q, u16 used)
{
	f->awaited = used;
	f->awaited_queue = q;
	cr_assert(zero(int, loop_run(f->loop)));
	cr_assert(eq(u16, driver_used_idx(&f->drv[q]), used));
}
