// SPDX-License-Identifier: GPL-2.0-only
/* A tap interface as the network device's back end: every call on /dev/net/tun is here. */
#include "devices/virtio/net_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "devices/virtio/net.h"

/* Of the device's choice: what a frame begins with is virtio's header, not one of the kernel's. */
#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
/* The kernel takes both kinds of USO or none. */
#define TUN_F_USO (TUN_F_USO4 | TUN_F_USO6)

struct tap {
	struct net_backend backend;
	unsigned int attached; /* the first so many queues */
};

static const struct {
	u8 feature;
	u32 offload;
} offloads[] = {
	{ VIRTIO_NET_F_GUEST_CSUM, TUN_F_CSUM }, { VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4 },
	{ VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6 }, { VIRTIO_NET_F_GUEST_ECN, TUN_F_TSO_ECN },
	{ VIRTIO_NET_F_GUEST_USO4, TUN_F_USO4 }, { VIRTIO_NET_F_GUEST_USO6, TUN_F_USO6 },
};

#define FEATURES                                                                              \
	(BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) | \
	 BIT(VIRTIO_NET_F_HOST_ECN) | BIT(VIRTIO_NET_F_GUEST_CSUM) |                          \
	 BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) |                        \
	 BIT(VIRTIO_NET_F_GUEST_ECN))
#define FEATURES_USO \
	(BIT(VIRTIO_NET_F_HOST_USO) | BIT(VIRTIO_NET_F_GUEST_USO4) | BIT(VIRTIO_NET_F_GUEST_USO6))

static ssize_t tap_receive(struct net_backend *b, unsigned int pair, const struct iovec *iov,
                           unsigned int nr)
{
	ssize_t n;

	do
		n = readv(b->fds[pair], iov, nr);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* What the kernel refuses (a header that makes no sense, an interface that is down) is lost. */
static int tap_send(struct net_backend *b, unsigned int pair, const struct iovec *iov,
                    unsigned int nr)
{
	ssize_t n;

	do
		n = writev(b->fds[pair], iov, nr);
	while (n < 0 && errno == EINTR);
	return n < 0 && errno == EAGAIN ? -EAGAIN : 0;
}

/* A failure leaves frames as they were: the device drops those that the guest cannot take. */
static void tap_set_offloads(struct net_backend *b, u64 features)
{
	unsigned int arg = 0;

	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++)
		if (features & BIT(offloads[i].feature))
			arg |= offloads[i].offload;
	if ((arg & TUN_F_USO) != TUN_F_USO)
		arg &= ~TUN_F_USO;
	ioctl(b->fds[0], TUNSETOFFLOAD, arg);
}

static void tap_set_pairs(struct net_backend *b, unsigned int nr)
{
	struct tap *tap = container_of(b, struct tap, backend);
	struct ifreq req = { 0 };

	while (tap->attached != nr) {
		bool more = tap->attached < nr;

		req.ifr_flags = more ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE;
		ioctl(b->fds[more ? tap->attached : tap->attached - 1], TUNSETQUEUE, &req);
		tap->attached += more ? 1 : -1;
	}
}

static void tap_destroy(struct net_backend *b)
{
	for (unsigned int i = 0; i < b->nr_pairs; i++)
		close(b->fds[i]);
	free(container_of(b, struct tap, backend));
}

static const struct net_backend_ops tap_ops = {
	.receive = tap_receive,
	.send = tap_send,
	.set_offloads = tap_set_offloads,
	.set_pairs = tap_set_pairs,
	.destroy = tap_destroy,
};

/* Attaching to a name that does not exist would make an interface. */
static int find(const char *name, u16 *mtu)
{
	struct ifreq req = { 0 };
	int fd, err = 0;

	if (!*name || strlen(name) >= sizeof(req.ifr_name))
		return -ENODEV;
	strcpy(req.ifr_name, name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFMTU, &req))
		err = -errno;
	*mtu = req.ifr_mtu > 65535 ? 65535 : req.ifr_mtu;
	close(fd);
	return err;
}

static int attach(int fd, const char *name, unsigned int queues)
{
	struct ifreq req = { .ifr_flags = TAP_FLAGS };

	strcpy(req.ifr_name, name);
	if (queues > 1)
		req.ifr_flags |= IFF_MULTI_QUEUE;
	if (!ioctl(fd, TUNSETIFF, &req))
		return 0;
	if (errno != EINVAL || queues > 1)
		return -errno;
	req.ifr_flags |= IFF_MULTI_QUEUE; /* it was made for several; one will do */
	return ioctl(fd, TUNSETIFF, &req) ? -errno : 0;
}

/* Virtio's header is 12 bytes and little-endian (virtio 1.3, 5.1.6). */
static int set_up(int fd)
{
	int size = sizeof(struct virtio_net_hdr_v1), on = 1;

	if (ioctl(fd, TUNSETVNETHDRSZ, &size) || ioctl(fd, TUNSETVNETLE, &on))
		return -errno;
	return 0;
}

static int open_queue(struct tap *tap, const char *name, unsigned int queues,
                      enum net_tap_step *step)
{
	int fd, err;

	*step = NET_TAP_OPEN;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	tap->backend.fds[tap->backend.nr_pairs++] = fd;
	*step = NET_TAP_ATTACH;
	err = attach(fd, name, queues);
	if (err)
		return err;
	*step = NET_TAP_SET_UP;
	return set_up(fd);
}

static void ask_offloads(struct tap *tap)
{
	int fd = tap->backend.fds[0];

	tap->backend.features = FEATURES;
	if (!ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_USO))
		tap->backend.features |= FEATURES_USO;
	ioctl(fd, TUNSETOFFLOAD, 0);
}

int net_tap_open(struct net_backend **b, const char *name, unsigned int queues,
                 enum net_tap_step *step)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int err;

	if (!tap)
		return -ENOMEM;
	tap->backend.ops = &tap_ops;
	tap->backend.header = true;
	*step = NET_TAP_NAME;
	err = find(name, &tap->backend.mtu);
	while (!err && tap->backend.nr_pairs < queues)
		err = open_queue(tap, name, queues, step);
	if (err) {
		tap_destroy(&tap->backend);
		return err;
	}
	tap->attached = queues;
	ask_offloads(tap);
	*b = &tap->backend;
	return 0;
}
