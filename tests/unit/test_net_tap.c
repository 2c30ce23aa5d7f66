// SPDX-License-Identifier: GPL-2.0-only
/* A tap interface as a back end: names that are none, and a real one in a network of its own. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio/net.h"
#include "devices/virtio/net_tap.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/leak.h"

#define ETHERTYPE 0x88b5 /* for local experiments (IEEE 802) */
#define HDR       sizeof(struct virtio_net_hdr_v1)

static struct net_backend *b;
static enum net_tap_step step;
static unsigned int fds;

static void make(void)
{
	fds = open_fds();
}

static void unmake(void)
{
	if (b)
		b->ops->destroy(b);
	cr_assert(eq(u32, open_fds(), fds));
	expect_no_leak();
}

TestSuite(net_tap, .init = make, .fini = unmake, .timeout = 20);

struct name_case {
	char name[40];
};

ParameterizedTestParameters(net_tap, a_name_that_no_interface_has_is_said_to_be_the_reason)
{
	static struct name_case cases[] = {
		{ "" },
		{ "nosuchtap" },
		{ "tap%d" },
		{ "a/b" },
		{ "123456789012345" },  /* as long as a name can be */
		{ "1234567890123456" }, /* and one more */
		{ "123456789012345678901234567890" },
	};

	return cr_make_param_array(struct name_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct name_case *c, net_tap,
                  a_name_that_no_interface_has_is_said_to_be_the_reason)
{
	step = NET_TAP_SET_UP;
	cr_assert(eq(int, net_tap_open(&b, c->name, 1, &step), -ENODEV), "%s", c->name);
	cr_assert(eq(int, step, NET_TAP_NAME), "%s", c->name);
	cr_assert(zero(ptr, b));
}

/* In a network namespace that goes with the test's process. */
static void isolate(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		cr_skip("no network namespace: %s", strerror(errno));
	fd = open("/dev/net/tun", O_RDWR);
	if (fd < 0)
		cr_skip("/dev/net/tun: %s", strerror(errno));
	close(fd);
}

static void set_interface(const char *name, unsigned long request, struct ifreq *req)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(req->ifr_name, name);
	cr_assert(zero(int, ioctl(fd, request, req)), "%s", strerror(errno));
	close(fd);
}

/* An interface that stays, and that nothing has open. */
static void add_tap(const char *name, short flags, int mtu)
{
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI | flags };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	strcpy(req.ifr_name, name);
	cr_assert(zero(int, ioctl(fd, TUNSETIFF, &req)), "%s", strerror(errno));
	cr_assert(zero(int, ioctl(fd, TUNSETPERSIST, 1)));
	close(fd);
	set_interface(name, SIOCSIFMTU, &(struct ifreq){ .ifr_mtu = mtu });
}

/* Once it is attached, so that what is sent then is not lost while a carrier is noticed. */
static void set_up(const char *name, short flags)
{
	set_interface(name, SIOCSIFFLAGS, &(struct ifreq){ .ifr_flags = flags });
}

static void attach(void)
{
	isolate();
	add_tap("t0", 0, 1500);
	cr_assert(zero(int, net_tap_open(&b, "t0", 1, &step)));
	set_up("t0", IFF_UP);
}

Test(net_tap, an_interface_that_is_no_tap_is_not_attached)
{
	isolate();
	cr_assert(lt(int, net_tap_open(&b, "lo", 1, &step), 0));
	cr_assert(eq(int, step, NET_TAP_ATTACH));
	cr_assert(zero(ptr, b));
}

Test(net_tap, a_name_that_is_not_there_makes_no_interface)
{
	isolate();
	cr_assert(eq(int, net_tap_open(&b, "t0", 1, &step), -ENODEV));
	cr_assert(eq(int, net_tap_open(&b, "t0", 1, &step), -ENODEV), "still");
	cr_assert(eq(int, step, NET_TAP_NAME));
}

/* The kernel would cut it. */
Test(net_tap, a_name_that_only_begins_like_an_interfaces_is_none)
{
	isolate();
	add_tap("tap345678901234", 0, 1500);
	cr_assert(eq(int, net_tap_open(&b, "tap3456789012345", 1, &step), -ENODEV));
	cr_assert(eq(int, step, NET_TAP_NAME));
	cr_assert(zero(int, net_tap_open(&b, "tap345678901234", 1, &step)));
}

Test(net_tap, an_interface_is_had_once)
{
	struct net_backend *other;

	isolate();
	add_tap("t0", 0, 1500);
	cr_assert(zero(int, net_tap_open(&b, "t0", 1, &step)));
	cr_assert(eq(int, net_tap_open(&other, "t0", 1, &step), -EBUSY));
	cr_assert(eq(int, step, NET_TAP_ATTACH));
}

Test(net_tap, it_says_its_mtu_and_what_the_kernel_can)
{
	isolate();
	add_tap("t0", 0, 9000);
	cr_assert(zero(int, net_tap_open(&b, "t0", 1, &step)));
	cr_assert(eq(u32, b->mtu, 9000));
	cr_assert(eq(u32, b->nr_pairs, 1));
	cr_assert(b->header);
	cr_assert(ne(u64, b->features & BIT(VIRTIO_NET_F_GUEST_TSO4), 0));
	cr_assert(zero(u64, b->features & BIT(VIRTIO_NET_F_MAC)), "offloads alone");
	cr_assert(eq(int, fcntl(b->fds[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK));
	cr_assert(eq(int, fcntl(b->fds[0], F_GETFD), FD_CLOEXEC));
}

Test(net_tap, several_queues_need_an_interface_that_has_them)
{
	isolate();
	add_tap("one", 0, 1500);
	add_tap("many", IFF_MULTI_QUEUE, 1500);
	cr_assert(eq(int, net_tap_open(&b, "one", 2, &step), -EINVAL));
	cr_assert(eq(int, step, NET_TAP_ATTACH));
	cr_assert(zero(int, net_tap_open(&b, "many", 1, &step)), "one will do");
	b->ops->destroy(b);
	cr_assert(zero(int, net_tap_open(&b, "many", 3, &step)));
	cr_assert(eq(u32, b->nr_pairs, 3));
	b->ops->set_pairs(b, 1);
	b->ops->set_pairs(b, 3);
	b->ops->set_pairs(b, 1);
}

/* The other side of the interface: a packet socket. */
static int packet_socket(const char *name)
{
	struct ifreq req = { 0 };
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE));

	cr_assert(ge(int, fd, 0), "%s", strerror(errno));
	set_interface(name, SIOCGIFINDEX, &req);
	at.sll_ifindex = req.ifr_ifindex;
	cr_assert(zero(int, bind(fd, (struct sockaddr *)&at, sizeof(at))));
	return fd;
}

static const u8 frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,   0,   0,
	                      0,    0,    1,    0x88, 0xb5, 'a',  ' ', 'f', 'r' };

static bool is_ours(const u8 *bytes, ssize_t len)
{
	return len >= (ssize_t)sizeof(frame) && !memcmp(bytes, frame, sizeof(frame));
}

/* What else a kernel says on an interface that is up is not looked at. */
static ssize_t receive_ours(u8 *got, size_t size)
{
	struct pollfd p = { .fd = b->fds[0], .events = POLLIN };
	ssize_t n;

	do {
		n = b->ops->receive(b, 0, &(struct iovec){ got, size }, 1);
		if (n == -EAGAIN)
			cr_assert(eq(int, poll(&p, 1, 10000), 1));
	} while (n == -EAGAIN || (n > 0 && !is_ours(got + HDR, n - HDR)));
	return n;
}

Test(net_tap, a_frame_arrives_behind_virtios_header)
{
	u8 got[4096];
	int fd;

	attach();
	fd = packet_socket("t0");
	cr_assert(eq(int, send(fd, frame, sizeof(frame), 0), sizeof(frame)));
	cr_assert(eq(int, receive_ours(got, sizeof(got)), HDR + sizeof(frame)));
	cr_assert(zero(u8, got[0] | got[1]), "no checksum to make, no segments");
	close(fd);
}

Test(net_tap, a_frame_is_sent_without_its_header)
{
	const struct virtio_net_hdr_v1 header = { 0 };
	const struct iovec iov[] = { { (void *)&header, HDR },
		                     { (void *)frame, 20 },
		                     { (void *)(frame + 20), sizeof(frame) - 20 } };
	u8 got[4096];
	int fd;

	attach();
	fd = packet_socket("t0");
	cr_assert(zero(int, b->ops->send(b, 0, iov, 3)));
	cr_assert(eq(int, recv(fd, got, sizeof(got), 0), sizeof(frame)));
	cr_assert(is_ours(got, sizeof(frame)));
	close(fd);
}

Test(net_tap, what_the_kernel_refuses_is_lost_and_not_waited_for)
{
	const struct virtio_net_hdr_v1 odd = { .gso_type = 0x77, .gso_size = 1 };
	const struct virtio_net_hdr_v1 plain = { 0 };
	struct iovec iov[] = { { (void *)&odd, HDR }, { (void *)frame, sizeof(frame) } };

	attach();
	cr_assert(zero(int, b->ops->send(b, 0, iov, 2)));
	set_up("t0", 0);
	iov[0].iov_base = (void *)&plain;
	cr_assert(zero(int, b->ops->send(b, 0, iov, 2)));
}
